"""The customers of chosen segments: filters, what they are worth together, the first of them, and all as files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from clv_core.strategy.audiences.export import Exported, export, log_export
from clv_core.strategy.segments import P_PURCHASE, VALUE, too_few
from clv_core.strategy.segments.conditions import CONTAINS, Condition
from clv_core.strategy.segments.segment_rules import Rules
from clv_core.strategy.segments.segmentation import SEGMENT_NAME
from clv_core.strategy.segments.value_tiers import ValueTiers
from pages.ui import cells, navigation, row_files, segmenting, session, tiers, verdict, widgets
from pages.ui.exports import platform_lists
from pages.ui.exports.platform_lists import Chosen
from pages.ui.i18n import money, t
from pages.ui.segmenting import Members, Scene

SHOWN: Final = ("customer_id", "tier_name", "predicted_clv", "clv_p10", "clv_p90", "p_purchase",
                "historic_value", "purchase_days", "last_purchase")  # fmt: skip
MOST_SHOWN: Final = 5000
"""So many rows go to the browser; files hold all."""


def filters_key(scene: Scene) -> str:
    """Return the key of the widget that chooses segments."""
    own = scene.scheme.names_key.replace(":", "_")
    return f"filter_tiers_{scene.placed.count}" if isinstance(scene.scheme, ValueTiers) else f"filter_{own}"


@widgets.safe_fragment
def section(scene: Scene) -> None:
    """Show the customers with filters, and offer those that pass as files."""
    chosen = _filtered(scene)
    count = len(chosen.rows)
    value = float(scene.customers[VALUE].to_numpy()[chosen.rows].sum())
    said = t("segments.chosen", customers=f"{count:,}", total=money(value, scene.currency))
    if scene.summands is not None and count:
        sums = scene.summands.sums(chosen.rows, np.zeros(count, np.int64), 1)
        few = too_few(float(scene.customers[P_PURCHASE].to_numpy()[chosen.rows].sum()))
        said += t("segments.too_few") if few else tiers.sure(float(sums.low[0]), float(sums.high[0]), scene.currency)
    st.markdown(said)
    _downloads(chosen)
    if isinstance(scene.scheme, Rules) and scene.scheme.overlapping:
        st.caption(t("segments.overlap"))
    _table(chosen)


def _filtered(scene: Scene) -> Members:
    customers, names = scene.customers, scene.names
    wanted = st.pills(
        t("segments.filter.tiers" if isinstance(scene.scheme, ValueTiers) else "segments.filter.segments"),
        range(1, scene.placed.count + 1),
        selection_mode="multi",
        format_func=lambda number: widgets.escape(names[number - 1]),
        key=filters_key(scene),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        least = st.slider(t("segments.filter.p_purchase"), 0, 100, 0, 5, format="%d%%", key="filter_p", width=220)
        text = st.text_input(
            t("segments.filter.id"), key="filter_id", type="search", placeholder=t("segments.search"), width=220
        )
    segments = sorted(number - 1 for number in wanted or ())
    filters = [Condition("p_purchase", ">=", (f"{least / 100:g}",))] if least else []
    filters += [Condition("customer_id", CONTAINS, (text,))] if text else []
    keep = scene.placed.chosen(segments)
    for one in filters:
        keep &= one.holds(customers)
    order = segmenting.by_value(scene.bundle.id, scene.dataset.version, scene.terms, customers)
    return Members(scene, segments, tuple(filters), order[keep[order]])


def _table(chosen: Members) -> None:
    shown = chosen.frame(chosen.rows[:MOST_SHOWN])
    if SEGMENT_NAME in shown:
        shown["tier_name"] = shown[SEGMENT_NAME]
    shown = shown[list(SHOWN)].assign(p_purchase=shown["p_purchase"] * 100)
    columns = tiers.columns(chosen.scene.currency)
    if not isinstance(chosen.scene.scheme, ValueTiers):
        columns["tier_name"] = st.column_config.TextColumn(t("column.segment"))
    event = cells.table(
        shown,
        t("segments.list"),
        columns,
        height=420,
        key="segments_list",
        on_select="rerun",
        selection_mode="single-row",
    )
    if len(chosen.rows) > MOST_SHOWN:
        st.caption(t("segments.first", shown=f"{MOST_SHOWN:,}", customers=f"{len(chosen.rows):,}"))
    for row in event.selection.rows:
        if row < len(shown):
            _offer_card(str(shown["customer_id"].iloc[row]))


def _offer_card(customer: str) -> None:
    """Lead to the card of the customer who is selected in the list."""
    label = t("card.open", customer=widgets.escape(customer))
    if st.button(label, key="open_card", icon=navigation.BY_NAME["customer"].icon):
        navigation.open_customer(customer)


def _downloads(chosen: Members) -> None:
    """Offer the customers as files; a model that is not trusted has to be acknowledged first."""
    scene, side = chosen.scene, chosen.side()
    allowed = verdict.is_acknowledged(scene.bundle) and len(chosen.rows) > 0
    work, stop, language = session.workspace(), session.suppression_list(), session.language()

    def write(path: Path) -> Exported:
        kind = path.suffix.removeprefix(".")
        made = export(chosen.frame(), kind, path, side=side, stop=stop, language=language)
        log_export(work, made, kind, side)
        return made

    mark = f"{scene.bundle.id} {scene.dataset.version} {scene.terms.mark} {stop.mark}"
    suppressed = int(row_files.stopped(mark, scene.customers, stop)[chosen.rows].sum())
    name = row_files.stem(scene.bundle, chosen.what, side, scene.terms)
    row_files.offer(name, "list", write, allowed=allowed, most=len(chosen.rows), suppressed=suppressed)
    asked = Chosen(scene.dataset, scene.bundle, scene.terms, chosen.what, chosen.frame, len(chosen.rows), side)
    platform_lists.offer(asked, "list", allowed=allowed)
