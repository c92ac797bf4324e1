"""What campaigns brought: a chart and a table of all, and one of them with its tiers and its customers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.privacy import written_at
from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import ClvError
from clv_core.i18n import say_number
from clv_core.strategy.campaigns import (
    EARLY,
    FOLDER,
    GROUP,
    JOINED,
    TRAIT,
    TRAIT_DAYS,
    Outcome,
    groups,
    notes_on,
    outcomes,
    say_outcome,
    scheme_of,
)
from clv_core.strategy.experiments import MIN_GROUP_SIZE
from clv_core.strategy.segments import SEGMENT, VALUE, ValueTiers, parse_scheme, tier_labels
from pages.ui import cells, i18n, navigation, session, widgets
from pages.ui.cache import cached
from pages.ui.charts import advising
from pages.ui.i18n import money, t
from pages.ui.widgets import Figure

CHOSEN: Final = "results_campaign"
"""Session key of the campaign that is shown in full."""
CHART: Final = "results_chart"
MAX_ROWS: Final = 1000
"""Customers of a campaign in the table: a browser scrolls so many at once."""


def outcomes_of(dataset: Dataset) -> list[Outcome]:
    """Return the outcomes of a dataset's campaigns; measured anew where campaigns or objections have changed."""
    files = sorted((dataset.folder.parent / FOLDER).glob("*/*"))
    return _outcomes(dataset, tuple(files), tuple(map(_written, files)), written_at(session.workspace()))


@cached()
def _outcomes(
    dataset: Dataset,
    files: tuple[Path, ...],  # noqa: ARG001 - part of the key
    written: tuple[int, ...],  # noqa: ARG001 - part of the key
    objected: int,  # noqa: ARG001 - part of the key
) -> list[Outcome]:
    return outcomes(session.workspace(), dataset)


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns


def show(dataset: Dataset, found: Sequence[Outcome]) -> None:
    """Show all campaigns as a chart and as a table, and one of them in full."""
    currency = dataset.manifest.currency
    rows = chart_rows(found)
    if len(rows):
        drawn = advising.campaign_gains(rows, t("results.chart"), unit=i18n.unit(currency))
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{widgets.escape(drawn.message)}**", help=t("results.chart.click"))
            st.plotly_chart(
                drawn.figure,
                key=CHART,
                alt=drawn.message,
                config={"displayModeBar": False},
                on_select=lambda: _choose([str(name) for name in rows["name"]]),
                selection_mode="points",
            )
    _table(found, currency)
    names = {outcome.campaign.name: outcome for outcome in found}
    if st.session_state.get(CHOSEN) not in names:
        st.session_state[CHOSEN] = found[0].campaign.name
    with st.container(border=True):
        name = widgets.select(t("results.column.name"), {name: name for name in names}, CHOSEN, width=380)
        _one(dataset, names[name], currency)


def chart_rows(found: Sequence[Outcome]) -> pd.DataFrame:
    """Return ``name``, ``gain``, ``low``, ``high`` (money a customer) and ``is_final`` of campaigns with a figure."""
    rows = [
        {
            "name": outcome.campaign.name,
            **{end: getattr(outcome.gain, end) / outcome.listed for end in ("value", "low", "high")},
            "is_final": outcome.state == "due",
        }
        for outcome in found
        if outcome.gain is not None
    ]
    columns = ["name", "value", "low", "high", "is_final"]
    return pd.DataFrame(rows, columns=columns).rename(columns={"value": "gain"})


def _choose(names: Sequence[str]) -> None:
    """Show the campaign that was clicked."""
    points = st.session_state[CHART]["selection"]["points"]
    if points:
        # The chart has the first campaign at the top, which is its last point.
        st.session_state[CHOSEN] = names[::-1][points[-1]["point_index"]]


def _table(found: Sequence[Outcome], currency: str) -> None:
    rows = pd.DataFrame(
        [
            {
                "name": outcome.campaign.name,
                "started": i18n.day(outcome.campaign.started),
                "verdict": verdict_words(outcome),
                "customers": outcome.listed,
                "control": outcome.control,
                "cost": outcome.cost,
                "margin": np.nan if outcome.margin is None else outcome.margin.value,
                "return": np.nan if outcome.returned is None else outcome.returned,
            }
            for outcome in found
        ]
    )
    columns: dict[str, Any] = {
        "name": st.column_config.TextColumn(t("results.column.name"), pinned=True),
        "started": st.column_config.TextColumn(t("results.column.started")),
        "verdict": st.column_config.TextColumn(t("results.column.verdict")),
        "customers": cells.integer(t("results.column.customers")),
        "control": cells.integer(t("results.column.control")),
        "cost": cells.money(t("results.column.cost"), currency),
        "margin": cells.money(t("results.column.margin"), currency),
        "return": st.column_config.NumberColumn(t("results.column.return"), format="%.2f"),
    }
    cells.table(rows, t("page.results"), columns, key="results_table")


def verdict_words(outcome: Outcome) -> str:
    """Return whether a campaign paid, in a word or two; of one that is not due yet, the day when it is."""
    if outcome.state in ("early", "waiting"):
        return t("results.verdict.due", due=i18n.day(outcome.due))
    return t(f"results.verdict.{outcome.verdict}")


def _result(outcome: Outcome) -> tuple[str, str, str | None]:
    """Return whether a campaign paid, what that means, and of one that is not due yet, when it is."""
    if outcome.state == EARLY:
        return t("results.verdict.waiting"), t("results.certainty.help"), verdict_words(outcome)
    return verdict_words(outcome), t("results.certainty.help"), None


def _one(dataset: Dataset, outcome: Outcome, currency: str) -> None:
    """Show one campaign: its sentence, its money, what is said beside it, its tiers and its customers."""
    st.markdown(f"**{widgets.escape(i18n.message_text(say_outcome(outcome, currency, session.language())))}**")
    if outcome.margin is not None and outcome.gain is not None:
        span = t("results.span", low=money(outcome.margin.low, ""), high=money(outcome.margin.high, currency))
        times = "–" if outcome.returned is None else say_number(outcome.returned, session.language(), 2)
        shown = [
            Figure(t("results.column.cost"), money(outcome.cost, currency), t("results.cost.help")),
            Figure(t("results.column.margin"), money(outcome.margin.value, currency), t("results.margin.help"), span),
            Figure(t("results.column.return"), times, t("results.return.help")),
            Figure(t("results.column.verdict"), *_result(outcome)),
        ]
        widgets.figures(shown, width=150)
    for note in notes_on(outcome, session.language()):
        st.caption(widgets.escape(i18n.message_text(note)))
    if outcome.secondary:
        _secondary(outcome, currency)
    members = groups(dataset, outcome.campaign)
    segments = {*members[SEGMENT], *(one.segment for one in outcome.by_segment)}
    if outcome.by_segment and len(segments) > 1:
        _tiers(dataset, outcome, segments, currency)
    if len(outcome.by_trait) > 1:
        _traits(dataset, outcome, currency)
    _customers(members, outcome, currency)


def _secondary(outcome: Outcome, currency: str) -> None:
    buyers, refunds = outcome.secondary["buyers"], outcome.secondary["refunds"]
    points = {end: 100 * getattr(buyers, end) for end in ("effect", "low", "high")}
    st.caption(t("results.buyers", **{end: say_number(value, session.language(), 2) for end, value in points.items()}))
    ends = {end: money(getattr(refunds, end), currency if end != "low" else "") for end in ("effect", "low", "high")}
    st.caption(t("results.refunds", **ends))


def segment_names(dataset: Dataset, scheme: str) -> dict[str, str]:
    """Return the names of value tiers by their number as a text; segments of other schemes are recorded by name."""
    try:
        parsed = parse_scheme(scheme, dataset) if scheme else None
    except ClvError:  # rules that are not there any more
        return {}
    if not isinstance(parsed, ValueTiers):
        return {}
    names = tier_labels(dataset, parsed.tiers, session.language())
    return {str(number): name for number, name in enumerate(names, 1)}


def _tiers(dataset: Dataset, outcome: Outcome, segments: set[str], currency: str) -> None:
    """Show the effect on each tier, and name those of which there are too few customers."""
    names = segment_names(dataset, scheme_of(outcome.campaign))
    columns = _uplift_columns(currency)
    rows = pd.DataFrame([vars(one) for one in outcome.by_segment])[list(columns)]
    small = [names.get(segment, segment) for segment in sorted(segments - set(rows["segment"])) if segment]
    rows["segment"] = rows["segment"].replace(names)
    cells.table(rows, t("results.tiers"), columns, key="results_tiers")
    if small:
        st.caption(t("results.tiers.few", tiers=i18n.join_names(small), fewest=MIN_GROUP_SIZE))


def _traits(dataset: Dataset, outcome: Outcome, currency: str) -> None:
    """Show the uplift of new, active and lapsed customers in each tier."""
    names, columns = segment_names(dataset, scheme_of(outcome.campaign)), _uplift_columns(currency)
    columns = {"segment": columns.pop("segment"), TRAIT: trait_column(), **columns}
    rows = pd.DataFrame([vars(one) for one in outcome.by_trait])[list(columns)]
    rows = rows.replace({"segment": names, TRAIT: {trait: trait_name(trait) for trait in rows[TRAIT].unique()}})
    cells.table(rows, t("results.traits"), columns, key="results_traits")


def trait_name(trait: str) -> str:
    """Return what customers of a trait are called."""
    return t(f"results.trait.{trait}")


def trait_column() -> Any:
    """Return the column of traits, with what they are."""
    return st.column_config.TextColumn(t("results.column.trait"), help=t("results.column.trait.help", days=TRAIT_DAYS))


def _uplift_columns(currency: str) -> dict[str, Any]:
    return {
        "segment": st.column_config.TextColumn(t("column.segment")),
        "listed": cells.integer(t("results.column.customers")),
        "control": cells.integer(t("results.column.control")),
        "effect": cells.money(t("results.column.effect"), currency),
        "error": cells.money(t("results.column.error"), currency),
    }


def _customers(members: pd.DataFrame, outcome: Outcome, currency: str) -> None:
    """Show who was in a campaign, the most valuable first, each leading to the customer's card."""
    if members.empty and outcome.listed:
        st.caption(t("results.groups_removed"))
        return
    members = members.sort_values(VALUE, ascending=False, kind="stable")
    stop = session.suppression_list()
    members = members[~stop.hides(members).to_numpy()]
    shown = members.head(MAX_ROWS)
    rows = pd.DataFrame(
        {
            CUSTOMER_ID: shown[CUSTOMER_ID].to_numpy(),
            GROUP: [t(f"results.group.{group}") for group in shown[GROUP]],
            JOINED: [i18n.day(day) for day in shown[JOINED]],
            VALUE: shown[VALUE].to_numpy(float),
        }
    )
    columns = {
        CUSTOMER_ID: st.column_config.TextColumn(t("column.customer_id")),
        GROUP: st.column_config.TextColumn(t("results.column.group")),
        JOINED: st.column_config.TextColumn(t("results.column.joined")),
        VALUE: cells.money(t("column.predicted_clv"), currency),
    }
    st.markdown(f"**{t('results.customers', customers=len(members))}**")
    event = cells.table(
        cells.filled(rows, columns),
        t("column.customer_id"),
        columns,
        height=320,
        key=f"results_customers_{outcome.campaign.name}",
        on_select="rerun",
        selection_mode="single-row",
    )
    if len(members) > MAX_ROWS:
        st.caption(t("results.first", shown=MAX_ROWS, customers=len(members)))
    for row in event.selection.rows:
        if row < len(rows):
            customer = str(rows[CUSTOMER_ID].iloc[row])
            label, icon = t("card.open", customer=widgets.escape(customer)), navigation.BY_NAME["customer"].icon
            if st.button(label, key="open_card", icon=icon):
                navigation.open_customer(customer)
