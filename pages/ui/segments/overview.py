"""Segments at a glance, with a chart of where the value lies, and the customers in them with files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.plot import explanations
from clv_core.strategy.audiences import Exported, log_export
from clv_core.strategy.audiences.export import export
from clv_core.strategy.segments import (
    CONTAINS,
    EMBEDDING,
    GRID,
    OTHERS,
    P_PURCHASE,
    SEGMENT,
    SEGMENT_NAME,
    VALUE,
    Condition,
    FittedClusters,
    FittedQuadrant,
    FittedRfm,
    Rules,
    ValueTiers,
    grid,
    too_few,
    value_of,
)
from pages.ui import (
    break_even,
    cells,
    i18n,
    navigation,
    row_files,
    schemes,
    segmenting,
    session,
    tiers,
    verdict,
    widgets,
)
from pages.ui.charts import placing
from pages.ui.exports.lists import Audience, offer_for_platforms
from pages.ui.i18n import money, percent, t
from pages.ui.segmenting import Members, SegmentedCustomers

MAX_CARDS: Final = 6
"""Segments with a card each; more are listed in the table alone."""
MAX_POINTS: Final = 2000
"""Customers in the quadrant chart, sampled at random: more points cover each other."""
SHOWN: Final = ("customer_id", "tier_name", "predicted_clv", "clv_p10", "clv_p90", "p_purchase",
                "historic_value", "purchase_days", "last_purchase")  # fmt: skip
MAX_ROWS: Final = 5000
"""So many rows go to the browser; files hold all."""


def cards(segmented: SegmentedCustomers) -> None:
    """Show the segments, and a chart of their own kind."""
    notes(segmented)
    if segmented.placed.count <= MAX_CARDS:
        ranged = tiers.shared_error_of(segmented.scored) is not None
        tiers.cards(segmented.table, segmented.currency, ranged=ranged)
    else:
        figures(segmented, short=True)
        _descriptions(segmented)
    if isinstance(segmented.fitted, FittedQuadrant):
        _quadrant(segmented, segmented.fitted)
    elif isinstance(segmented.fitted, FittedRfm):
        _grid(segmented, segmented.fitted)
    _bars(segmented)


def group(dataset: Dataset) -> bool:
    """Say which group of customers is shown alone, and offer to leave it; return whether there is one."""
    group = segmenting.opened_group(dataset)
    if group is None:
        return False
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(t("segments.group", name=widgets.escape(group.name)), width="content")
        if st.button(t("segments.group.leave"), key="group_leave", icon=":material/close:"):
            del st.session_state[segmenting.GROUP]
            st.rerun()
    st.caption(widgets.escape(schemes.sentences(group.conditions)))
    return True


def notes(segmented: SegmentedCustomers) -> None:
    """Show which customers were clustered."""
    if isinstance(segmented.fitted, FittedClusters):
        st.caption(
            t("segments.clusters.embedding" if segmented.fitted.source == EMBEDDING else "segments.clusters.scores")
        )


def figures(segmented: SegmentedCustomers, *, short: bool = False) -> None:
    """Show one row a segment: size, worth with its interval, who is typical.

    ``short``: only what a person asks first, without the descriptions.
    """
    number, text, config = st.column_config.NumberColumn, st.column_config.TextColumn, st.column_config
    rows = segmented.table.assign(
        share_of_customers=100 * segmented.table["share_of_customers"],
        share_of_value=100 * segmented.table["share_of_value"],
        p_purchase_mean=100 * segmented.table["p_purchase_mean"],
    )
    columns: dict[str, object] = {
        "name": text(t("column.segment"), pinned=True),
        "customers": cells.integer(t("column.customers")),
        "share_of_customers": number(t("segments.column.share_of_customers"), format="%.1f%%"),
        "share_of_value": number(t("segments.column.share_of_value"), format="%.1f%%"),
        "value_sum": cells.money(t("segments.column.value_sum"), segmented.currency),
        "value_sum_low": cells.money(t("segments.column.low"), segmented.currency, help=t("segments.column.low.help")),
        "value_sum_high": cells.money(
            t("segments.column.high"), segmented.currency, help=t("segments.column.low.help")
        ),
        "value_mean": cells.money(t("segments.column.value_mean"), segmented.currency),
        "p_purchase_mean": number(t("column.p_purchase"), format="%.1f%%", help=t("column.p_purchase.help")),
        "purchase_days_mean": number(t("segments.column.orders"), format="%.1f"),
        "days_since_last_median": number(t("segments.column.since"), format="%d"),
        "last_purchase_median": config.DateColumn(t("segments.column.last"), format="YYYY-MM-DD"),
        "historic_value_mean": cells.money(t("segments.column.historic"), segmented.currency),
        "historic_value_sum": cells.money(t("segments.column.historic_sum"), segmented.currency),
        "buyers": cells.integer(t("segments.column.buyers")),
        "description": text(t("segments.column.description"), width="large"),
    }
    brief = ("name", "customers", "share_of_customers", "share_of_value", "value_mean", "p_purchase_mean")
    shown = cells.filled(rows, brief if short else columns)
    cells.table(shown, t("segments.view.figures"), columns, height="content", key="segments_figures")


def _descriptions(segmented: SegmentedCustomers) -> None:
    """Describe each segment and its action in one line each: in a table next to figures they would be cut off."""
    rows = segmented.table[segmented.table["description"].notna() & (segmented.table["description"] != "")]
    lines = [
        f"- **{widgets.escape(name)}** – {widgets.escape(description)}"
        for name, description in zip(rows["name"], rows["description"], strict=True)
    ]
    if lines:
        st.caption("\n".join(lines))


def download(segmented: SegmentedCustomers) -> None:
    """Offer the table of figures as a file."""
    rows = segmented.table.assign(scheme=str(segmented.scheme))
    row_files.figures(
        segmented.bundle, rows, "segments", "download_segments", segmented.dataset.log_end, segmented.scored.terms
    )


def _bars(segmented: SegmentedCustomers) -> None:
    """Draw shares of customers next to shares of value."""
    rows = segmented.table
    if not rows["share_of_value"].notna().any():
        return
    order = rows if isinstance(segmented.scheme, ValueTiers) else rows.sort_values("share_of_value", ascending=False)
    named = order[order[SEGMENT] != OTHERS]
    first = (named if len(named) else order).iloc[0]
    message = t(
        "segments.chart",
        name=first["name"],
        share=percent(first["share_of_customers"]),
        value=percent(first["share_of_value"]),
    )
    drawn, key = explanations.tier_bars(order.assign(tier_label=order["name"]), message), "segment_bars"
    numbers = [segmented.names.index(name) + 1 for name in order["name"]]
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{widgets.escape(drawn.message)}**", help=t("segments.chart.click"))
        st.plotly_chart(
            drawn.figure,
            key=key,
            alt=drawn.message,
            config={"displayModeBar": False},
            on_select=lambda: filter_by_bar(key, numbers, filters_key(segmented)),
            selection_mode="points",
        )


def filter_by_bar(chart: str, numbers: list[int], filters: str) -> None:
    """List the customers of the bar that was clicked, by the keys of the chart and of the widget that filters."""
    points = st.session_state[chart]["selection"]["points"]
    st.session_state[filters] = sorted({numbers[point["point_index"]] for point in points})


def _quadrant(segmented: SegmentedCustomers, fitted: FittedQuadrant) -> None:
    customers = segmented.customers
    rows = np.random.default_rng(0).permutation(len(customers))[:MAX_POINTS]
    some = customers.iloc[rows]
    points = pd.DataFrame(
        {
            "risk": 1 - some[P_PURCHASE].to_numpy(),
            "value": value_of(some, fitted.by),
            "place": segmented.placed.where[rows],
            "customer_id": some["customer_id"].to_numpy(),
        }
    )
    back = segmented.table[segmented.table[SEGMENT] == "win_back"].iloc[0]
    message = t(
        "segments.quadrant.message" if back["customers"] else "segments.quadrant.nobody",
        customers=i18n.count(back["customers"]),
        name=back["name"],
        share=percent(back["p_purchase_mean"]),
        value=i18n.money(back["value_sum"], segmented.currency),
    )
    axis = t(f"segments.quadrant.axis.{fitted.by}", unit=i18n.unit(segmented.currency))
    figure = placing.quadrant(points, (1 - fitted.chance, fitted.value), segmented.names, message, axis=axis)
    widgets.chart(figure, "quadrant")


def _grid(segmented: SegmentedCustomers, fitted: FittedRfm) -> None:
    counts = grid(fitted, segmented.customers)
    if not counts.sum():
        return
    called = dict(zip(segmented.table[SEGMENT], segmented.names, strict=True))
    names = [[called[key] for key in row] for row in GRID]
    rows = segmented.table.set_index(SEGMENT)
    best = rows.loc[["champions", "loyal"]]
    message = t(
        "segments.rfm.message",
        first=best["name"].iloc[0],
        second=best["name"].iloc[1],
        share=percent(best["share_of_customers"].sum()),
        value=percent(best["share_of_value"].sum()),
    )
    widgets.chart(placing.grid(counts, names, message), "rfm_grid")


def filters_key(segmented: SegmentedCustomers) -> str:
    """Return the key of the widget that chooses segments."""
    names_key = segmented.scheme.names_key.replace(":", "_")
    return (
        f"filter_tiers_{segmented.placed.count}" if isinstance(segmented.scheme, ValueTiers) else f"filter_{names_key}"
    )


@widgets.safe_fragment
def members(segmented: SegmentedCustomers) -> None:
    """Show the customers with filters, and offer those that pass as files."""
    selected = _filtered(segmented)
    count = len(selected.rows)
    value = float(segmented.customers[VALUE].to_numpy()[selected.rows].sum())
    text = t("segments.chosen", customers=f"{count:,}", total=money(value, segmented.currency))
    if segmented.summands is not None and count:
        sums = segmented.summands.sums(selected.rows, np.zeros(count, np.int64), 1)
        few = too_few(float(segmented.customers[P_PURCHASE].to_numpy()[selected.rows].sum()))
        text += (
            t("segments.too_few") if few else tiers.sure(float(sums.low[0]), float(sums.high[0]), segmented.currency)
        )
    st.markdown(text)
    _downloads(selected)
    if isinstance(segmented.scheme, Rules) and segmented.scheme.overlapping:
        st.caption(t("segments.overlap"))
    _table(selected)


def _filtered(segmented: SegmentedCustomers) -> Members:
    customers, names = segmented.customers, segmented.names
    wanted = st.pills(
        t("segments.filter.tiers" if isinstance(segmented.scheme, ValueTiers) else "segments.filter.segments"),
        range(1, segmented.placed.count + 1),
        selection_mode="multi",
        format_func=lambda number: widgets.escape(names[number - 1]),
        key=filters_key(segmented),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        least = st.slider(t("segments.filter.p_purchase"), 0, 100, 0, 5, format="%d%%", key="filter_p", width=220)
        text = st.text_input(
            t("segments.filter.id"), key="filter_id", type="search", placeholder=t("segments.search"), width=220
        )
    segments = sorted(number - 1 for number in wanted or ())
    filters = [Condition("p_purchase", ">=", (f"{least / 100:g}",))] if least else []
    filters += [Condition("customer_id", CONTAINS, (text,))] if text else []
    keep = segmented.placed.chosen(segments)
    for condition in filters:
        keep &= condition.holds(customers)
    group = segmenting.opened_group(segmented.dataset)
    if group is not None:
        keep &= segmenting.holding(group, segmented.scored, customers)
        filters += group.conditions
    order = segmenting.by_value(segmented.scored, customers)
    return Members(segmented, segments, tuple(filters), order[keep[order]])


def _table(selected: Members) -> None:
    shown = selected.frame(selected.rows[:MAX_ROWS])
    if SEGMENT_NAME in shown:
        shown["tier_name"] = shown[SEGMENT_NAME]
    shown = shown[list(SHOWN)].assign(p_purchase=shown["p_purchase"] * 100)
    columns = tiers.columns(selected.segmented.currency)
    if not isinstance(selected.segmented.scheme, ValueTiers):
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
    for note in tiers.range_notes(selected.segmented.customers.iloc[selected.rows]):
        st.caption(i18n.message_text(note))
    if len(selected.rows) > MAX_ROWS:
        st.caption(t("segments.first", shown=f"{MAX_ROWS:,}", customers=f"{len(selected.rows):,}"))
    for row in event.selection.rows:
        if row < len(shown):
            customer = str(shown["customer_id"].iloc[row])
            label, icon = t("card.open", customer=widgets.escape(customer)), navigation.BY_NAME["customer"].icon
            if st.button(label, key="open_card", icon=icon):
                navigation.open_customer(customer)


def _downloads(selected: Members) -> None:
    """Offer the customers as files; a model that is not trusted has to be acknowledged first."""
    segmented, entered = selected.segmented, break_even.entered()
    side = break_even.with_settings(selected.side(), segmented.scored.terms, entered)
    allowed = verdict.is_acknowledged(segmented.bundle) and len(selected.rows) > 0
    work, stop, language = session.workspace(), session.suppression_list(), session.language()

    def people() -> pd.DataFrame:
        return break_even.with_column(selected.frame(), entered)

    def write(path: Path) -> Exported:
        kind = path.suffix.removeprefix(".")
        made = export(people(), kind, path, side=side, stop=stop, language=language)
        log_export(work, made, kind, side)
        return made

    mark = f"{segmented.bundle.id} {segmented.dataset.version} {segmented.scored.terms.mark} {stop.mark}"
    suppressed = int(row_files.stopped(mark, segmented.customers, stop)[selected.rows].sum())
    name = row_files.stem(segmented.bundle, selected.what, side, segmented.scored.terms)
    row_files.offer(name, "list", write, allowed=allowed, most=len(selected.rows), suppressed=suppressed)
    rows = selected.rows

    def value_tiers() -> np.ndarray:
        found: np.ndarray = np.asarray(tiers.tiered(segmented.scored, segmented.customers)["tier"])[rows]
        return found

    audience = Audience(segmented.scored, selected.what, people, len(rows), side, value_tiers, selected.title)
    offer_for_platforms(audience, "list", allowed=allowed)
