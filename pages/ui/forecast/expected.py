"""What is expected: a chart by week or month, its sums with their ranges, what was assumed, and the file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import Scored, Terms
from clv_core.jobs import NoProgress
from clv_core.strategy.forecast import (
    DAY,
    LONGEST,
    MONTHS,
    WEEK,
    WEEKS,
    Forecast,
    ask_forecast,
    find_forecast,
    forecast,
    forecast_path,
    past_weeks,
)
from pages.ui import cells, i18n, row_files, scores, terms, widgets
from pages.ui.cache import cached
from pages.ui.charts import following
from pages.ui.i18n import count, percent, t

HALF_YEAR: Final = 180
MOST_ARRIVALS: Final = 200
"""Percent of the last four weeks' new customers; twice as many is more than a season brings to most shops. A guess."""


def need_forecast(scored: Scored) -> Forecast:
    """Return the forecast: the saved one; else make it, from the scores of the trained horizon and of a year.

    One that was saved and is damaged, or that knows not all tests of the model, is said to be made again.
    Scores of many customers are made by a run that is shown; the rest takes seconds.
    """
    found = find_forecast(scored)
    if found is not None:
        return found
    if forecast_path(scored).is_file():
        st.info(t("forecast.again"))
    everyone = scores.need_scores(scored)
    if len(everyone) > scores.IN_PAGE and scored.trained_days < LONGEST:
        scores.need_scores(scored.at(Terms(LONGEST)))
    with st.spinner(t("forecast.wait")):
        return forecast(scored, NoProgress())


@widgets.safe_fragment
def show(scored: Scored, made: Forecast) -> None:
    """Let the person choose unit, span and number of new customers, and show what is expected."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        units = {unit: t(f"forecast.unit.{unit}") for unit in (WEEKS, MONTHS)}
        unit = widgets.choose(t("forecast.unit"), units, "forecast_unit")
        lengths = sorted({made.horizon_days, *(days for days in (HALF_YEAR, LONGEST) if days <= made.days)})
        lengths = [made.horizon_days, *(days for days in lengths if days != made.horizon_days)]
        spans = {days: terms.span(Terms(days)) for days in lengths}
        days = widgets.choose(t("forecast.span"), spans, f"forecast_span_{made.horizon_days}")
        share = _arrivals()
    asked = ask_forecast(scored, NoProgress(), days=days, unit=unit, new_customers=share)
    shown, rows = asked.made, asked.table()
    came = None
    if unit == WEEKS and st.toggle(t("forecast.past_weeks"), key="forecast_past_weeks", persist_state="session"):
        came = _past_weeks(scored.dataset, len(rows))
    sums = shown.sums(days)
    part = percent(sums.known / sums.total) if sums.total > 0 else percent(0)
    message = t("forecast.chart", days=days, share=part)
    chart = following.expected_revenue(rows, message, unit=i18n.unit(made.currency), monthly=unit == MONTHS, came=came)
    widgets.chart(chart, "forecast_revenue")
    if shorter := _shorter(rows, monthly=unit == MONTHS):
        st.caption(i18n.join_sentences(shorter))
    _sums(shown, days)
    st.subheader(t("forecast.notes"), anchor=False)
    st.markdown("\n".join(f"- {widgets.escape(i18n.message_text(note))}" for note in asked.notes))
    what, end = "" if share is None else f"-{round(100 * share)}", scored.dataset.log_end
    by_day = replace(asked, unit=DAY).table()
    with st.container(horizontal=True):
        row_files.figures(scored.model, rows, f"forecast-{unit}{what}", "download_forecast", end, Terms(days))
        label = t("forecast.download_days")
        row_files.figures(
            scored.model, by_day, f"forecast-{DAY}{what}", "download_forecast_days", end, Terms(days), label=label
        )


@cached()
def _past_weeks(dataset: Dataset, weeks: int) -> pd.DataFrame:
    """Return what came in the last weeks of the log."""
    return past_weeks(dataset, weeks)


def _shorter(rows: pd.DataFrame, *, monthly: bool) -> list[str]:
    """Return which bars hold fewer days than the others; none where all are whole."""
    first, until = date.fromisoformat(rows["first"].iloc[0]), date.fromisoformat(rows["until"].iloc[-1])
    last = date.fromisoformat(rows["first"].iloc[-1])
    short = {"first": first.day > 1, "last": until.day > 1} if monthly else {"last": (until - last).days < WEEK}
    return [t(f"forecast.shorter.{bar}") for bar, is_short in short.items() if is_short]


def _arrivals() -> float | None:
    """Ask whether as many new customers come as in the last four weeks, times a share; None where they may change."""
    help_text = t("forecast.arrivals.help")
    if not st.toggle(t("forecast.arrivals"), key="forecast_arrivals", help=help_text, persist_state="session"):
        return None
    percents = st.slider(
        t("forecast.arrivals.share"), 0, MOST_ARRIVALS, 100, 5, format="%d%%", key="forecast_share", width=340
    )
    return percents / 100


def _sums(shown: Forecast, days: int) -> None:
    """Show the sums of the span: both parts and the total, with their ranges where there are any."""
    sums = shown.sums(days).to_json()
    ends = {"known": ("known_low", "known_high"), "won": ("won_low", "won_high"), "total": ("low", "high")}
    rows = pd.DataFrame(
        [
            {"part": t(f"forecast.{part}"), "revenue": sums[part], "low": sums[low], "high": sums[high]}
            for part, (low, high) in ends.items()
        ]
    )
    columns = {
        "part": st.column_config.TextColumn(t("forecast.part")),
        "revenue": cells.money(t("forecast.revenue"), shown.currency),
        "low": cells.money(t("segments.column.low"), shown.currency),
        "high": cells.money(t("segments.column.high"), shown.currency),
    }
    cells.table(cells.filled(rows, columns), t("forecast.sums", days=days), columns, key="forecast_sums")
    customers = count(round(float(sums["customers"])))
    st.caption(t("forecast.customers", customers=customers))
