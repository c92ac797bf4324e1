"""What scored customers are worth, and value tiers: the headline, the cards, and how columns of a list are named."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.privacy import SuppressionList
from clv_core.collection.store import Dataset
from clv_core.deployment import PREDICTIONS_FILE, Bundle, Scored, backtest_folder, shared_error
from clv_core.errors import Message
from clv_core.evaluation import SharedError, top_share
from clv_core.strategy.audiences import Side, side_of
from clv_core.strategy.forecast import find_headline, forecast_path
from clv_core.strategy.segments import (
    DEFAULT_SCHEME,
    NAMES,
    Total,
    assign_tiers,
    mostly_never,
    tier_labels,
    too_few,
    total,
)
from pages.ui import cells, navigation, session, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import message_text, money, percent, t
from pages.ui.terms import assumptions

LEAST_SHOWN: Final = 0.005
"""An amount below it stands in a table as 0.00."""


@cached(CUSTOMERS)
def without_suppressed(_customers: pd.DataFrame, mark: str, _stop: SuppressionList) -> pd.DataFrame:  # noqa: ARG001
    """Return the customers who are not on the suppression list, as they are; the mark names both."""
    return _stop.without(_customers)


@cached(CUSTOMERS)
def tiered(scored: Scored, _customers: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG001
    """Return the customers, scored at these terms, with their value tier; shared, not to be written to."""
    return assign_tiers(_customers, DEFAULT_SCHEME)


def predictions_of(bundle: Bundle) -> Path:
    """Return the file of predictions at past origins, which ranges of sums rest on; it may be missing."""
    return backtest_folder(session.workspace(), bundle) / PREDICTIONS_FILE


def shared_error_of(scored: Scored) -> SharedError | None:
    """Return the error that customers share, estimated at past origins; None at terms that were not trained."""
    if scored.terms.warnings(scored.trained_days):
        return None
    return _shared_error(scored.model, predictions_of(scored.model))


@cached()
def _shared_error(bundle: Bundle, predictions: Path) -> SharedError | None:  # noqa: ARG001
    return shared_error(session.workspace(), bundle)


def names(dataset: Dataset) -> list[str]:
    """Return the displayed names of the value tiers, the highest first."""
    return tier_labels(dataset, DEFAULT_SCHEME.tiers, session.language())


@cached()
def _totals(
    scored: Scored,  # noqa: ARG001 - names the customers
    predictions: Path,  # noqa: ARG001
    _customers: pd.DataFrame,
    _shared: SharedError | None,
) -> tuple[float, Total]:
    """Return the share of value that the top tenth holds, and what all are worth together."""
    return top_share(_customers["predicted_clv"]), total(_customers, _shared)


@cached()
def _forecast(scored: Scored, saved: Path, predictions: Path, language: str) -> Message | None:  # noqa: ARG001
    return find_headline(scored, language)


def headline(scored: Scored, customers: pd.DataFrame) -> str:
    """Return what known customers will bring, with new ones where a forecast is saved, and the top customers' share."""
    terms, shared = scored.terms, shared_error_of(scored)
    top, worth = _totals(scored, predictions_of(scored.model), customers, shared)
    amount, share = money(worth.value, scored.currency), percent(top)
    if terms.lifetime:
        return t("segments.headline.lifetime", years=terms.years, total=amount, share=share)
    said = _forecast(scored, forecast_path(scored), predictions_of(scored.model), session.language())
    if said is not None:
        return t("forecast.headline.top", forecast=message_text(said), share=share)
    span = sure(worth.low, worth.high, scored.currency)
    return t("segments.headline", horizon=f"{terms.horizon_days:,}", total=amount, sure=span, share=share)


def offer_forecast(trained: Scored) -> None:
    """Lead from the headline to the page that makes the forecast, where none is saved.

    Args:
        trained: at the trained horizon, without discount or margin.
    """
    if _forecast(trained, forecast_path(trained), predictions_of(trained.model), session.language()) is None:
        navigation.button("forecast", t("forecast.to_page"), "to_forecast")


def sure(low: float | None, high: float | None, currency: str) -> str:
    """Return the 80% interval of a sum in brackets; "" where there is none."""
    if low is None or high is None or not np.isfinite(high):
        return ""
    return t("segments.sure", low=money(low), high=money(high, currency))


def checked(scored: Scored) -> list[str]:
    """Return how total and concentration held in the past, what ranges rest on; of other horizons, what is assumed.

    Where sums have no range, a sentence names that too.
    """
    bundle, assumed = scored.model, assumptions(scored)
    if assumed:
        return [*assumed, t("segments.no_ranges", trained=bundle.record.horizon_days)]
    if not bundle.record.holdout:
        return [t("segments.untrained" if bundle.untrained else "segments.unchecked")]
    measured = bundle.record.metrics
    summary = t("segments.checked", off=percent(abs(measured["bias"]))) if "bias" in measured else t("segments.nothing")
    if "capture10" in measured:
        summary += t("segments.checked.top", share=percent(measured["capture10"]))
    shared = shared_error_of(scored)
    if shared is None:
        return [summary]
    origin_note = t("segments.rests.one") if shared.origins == 1 else t("segments.rests", origins=shared.origins)
    return [summary + origin_note]


def cards(rows: pd.DataFrame, currency: str, *, ranged: bool) -> None:
    """Show one card a segment: how many, what they hold, who is typical, what to do.

    Args:
        rows: of :func:`~clv_core.strategy.segments.segment_figures.table`, or of
            :func:`~clv_core.strategy.segments.segment_figures.segment_table`, whose descriptions are shown.
        currency: of the amounts.
        ranged: whether the sums of segments have ranges, but for those of too few buyers.
    """
    names = NAMES.get(len(rows), ())
    actions = rows.get("description", pd.Series([t(f"segments.action.{name}") for name in names], dtype="str"))
    with st.grid(len(rows) if len(rows) < 5 else 3, min_column_width=190, gap="small"):
        for place, row in enumerate(rows.to_dict("records")):
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"**{widgets.escape(str(row['name']))}**")
                st.metric(
                    t("segments.card.customers"),
                    f"{row['customers']:,}",
                    t("segments.card.share", share=percent(row["share_of_customers"])),
                    delta_color="off",
                    delta_arrow="off",
                    help=t("segments.card.customers.help"),
                )
                if row["customers"]:
                    st.markdown(_facts(row, currency, ranged=ranged))
                if place < len(actions) and actions.iloc[place]:
                    st.space("stretch")
                    st.caption(widgets.escape(str(actions.iloc[place])))


def _facts(row: dict[Hashable, Any], currency: str, *, ranged: bool) -> str:
    """Return what a tier holds and who is typical of it, one fact a line.

    Where sums have no ranges at all (not ``ranged``), few buyers are not why.
    """
    few = ranged and too_few(row["customers"] * row["p_purchase_mean"])
    span = t("segments.too_few") if few else sure(row["value_sum_low"], row["value_sum_high"], currency)
    facts = [
        t("segments.card.value", share=percent(row["share_of_value"]), sum=money(row["value_sum"], currency)) + span,
        t("segments.card.mean", mean=money(row["value_mean"], currency)),
        t("segments.card.p_purchase", share=percent(row["p_purchase_mean"])),
    ]
    if np.isfinite(row["days_since_last_median"]) and not mostly_never(row["customers"], row["buyers"]):
        facts.append(t("segments.card.last", days=f"{row['days_since_last_median']:,.0f}"))
    return "  \n".join(facts)


def range_notes(customers: pd.DataFrame) -> tuple[Message, ...]:
    """Return why ranges are 0 where values are not, and for how many customers; nothing where there is none.

    ``customers`` are scored, [n].
    """
    worth = customers["predicted_clv"] >= LEAST_SHOWN
    nothing = int((worth & (customers["clv_p90"] < LEAST_SHOWN)).sum())
    return (Message("warning.range_zero", {"customers": nothing}),) if nothing else ()


def columns(currency: str) -> dict[str, object]:
    """Return how the columns of the list are named and shown; ``currency`` is of the amounts."""
    number, config = st.column_config.NumberColumn, st.column_config
    return {
        "customer_id": config.TextColumn(t("column.customer_id"), pinned=True),
        "tier_name": config.TextColumn(t("column.tier")),
        "predicted_clv": cells.money(t("column.predicted_clv"), currency, help=t("column.predicted_clv.help")),
        "clv_p10": cells.money(t("column.clv_p10"), currency, help=t("column.clv_p10.help")),
        "clv_p90": cells.money(t("column.clv_p90"), currency, help=t("column.clv_p90.help")),
        "p_purchase": config.ProgressColumn(
            t("column.p_purchase"), min_value=0, max_value=100, format="%.0f%%", help=t("column.p_purchase.help")
        ),
        "historic_value": cells.money(t("column.historic_value"), currency),
        "purchase_days": number(t("column.purchase_days")),
        "last_purchase": config.DateColumn(t("column.last_purchase"), format="YYYY-MM-DD"),
    }


def side(scored: Scored) -> Side:
    """Return what the numbers of a list of customers by value tier mean."""
    about, terms = replace(side_of(scored, DEFAULT_SCHEME), currency=scored.currency), scored.terms
    return about.at(terms, terms.warnings(scored.trained_days), session.language())
