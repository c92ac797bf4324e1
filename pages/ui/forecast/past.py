"""What was expected on past dates and what came: the tests of the forecast, and the bridge from the last one."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.deployment import Scored
from clv_core.errors import ClvError
from clv_core.strategy.forecast import (
    ACTUAL,
    BASELINES,
    BASKET,
    FORECAST,
    LOST_CUSTOMERS,
    OBJECTED,
    ORDERS_PER_BUYER,
    PARTS,
    REFUND_DATES,
    REFUNDS,
    Bridge,
    Expected,
    Forecast,
    bridge_table,
    make_bridge,
)
from pages.ui import cells, i18n, row_files, session, widgets
from pages.ui.charts import placing
from pages.ui.i18n import count, money, percent, t

ENDS: Final = "expected", "actual"


def tests(made: Forecast) -> None:
    """Show by past date what was expected in all and what came, and weekly errors beside the simple forecasts'."""
    rows = tests_table(made)
    if rows.empty:
        st.markdown(t("forecast.past.none"))
        return
    methods = [name for name in (PARTS, *BASELINES) if name in rows and rows[name].notna().any()]
    came = float(rows["actual"].sum())
    if came <= 0:
        st.markdown(t("forecast.past.nothing"))
        return
    means = {name: float((rows[name] * rows["actual"]).sum()) / came for name in methods}
    rivals = [name for name in methods if name != PARTS and rows[name].notna().sum() == rows[PARTS].notna().sum()]
    message = t("forecast.past.plain", error=percent(means[PARTS]))
    if rivals:
        best = min(rivals, key=means.__getitem__)
        names = {"parts": percent(means[PARTS]), "rival": t(f"forecast.method.{best}"), "error": percent(means[best])}
        message = t("forecast.past.compared", **names)
    chart = placing.realised_bars(rows.rename(columns={"cutoff": "name"}), message, unit=i18n.unit(made.currency))
    widgets.chart(chart, "forecast_past")
    columns = {
        "cutoff": st.column_config.TextColumn(t("forecast.past.date"), pinned=True),
        "predicted": cells.money(t("forecast.past.expected"), made.currency),
        "low": cells.money(t("segments.column.low"), made.currency),
        "high": cells.money(t("segments.column.high"), made.currency),
        "actual": cells.money(t("forecast.past.came"), made.currency),
    }
    columns |= {
        name: st.column_config.NumberColumn(
            t("forecast.past.error", method=t(f"forecast.method.{name}")),
            format="percent",
            help=t("forecast.past.help"),
        )
        for name in methods
    }
    cells.table(cells.filled(rows, columns), t("forecast.past"), columns, key="forecast_tests")


def tests_table(made: Forecast) -> pd.DataFrame:
    """Return the tests, one row a past date: total expected with its range, what came, weekly errors by method."""
    rows = [
        {
            "cutoff": test.cutoff,
            "predicted": test.known + test.won,
            "low": test.low,
            "high": test.high,
            "actual": test.actual,
            **{name: error / test.actual if test.actual > 0 else np.nan for name, error in test.errors.items()},
        }
        for test in made.tests
    ]
    table = pd.DataFrame(rows)
    return table.assign(**{end: table[end].astype("float64") for end in ("low", "high")}) if rows else table


@widgets.safe_fragment
def bridge(scored: Scored, expected: Expected) -> None:
    """Lead from the last forecast to the revenue that came, line by line, refunds by either date."""
    days = {day: t(f"reporting.refunds.{day}") for day in REFUND_DATES}
    by = widgets.choose(t("reporting.refunds"), days, "forecast_refunds", help=t("reporting.refunds.help"))
    try:
        made = make_bridge(session.workspace(), scored.dataset, expected, by)
    except ClvError as error:
        widgets.show_refusal(error)
        return
    table = bridge_table(made, session.language())
    shown = table[(table["line"] != OBJECTED) | (table["amount"] != 0)]
    st.markdown(f"**{widgets.escape(_finding(made, shown))}**")
    words = {end: [_figure(*pair) for pair in zip(shown["line"], shown[end], strict=True)] for end in ENDS}
    columns = {
        "name": st.column_config.TextColumn(t("report.bridge.line"), pinned=True),
        "expected": st.column_config.TextColumn(t("report.bridge.expected"), alignment="right"),
        "actual": st.column_config.TextColumn(t("report.bridge.came"), alignment="right"),
        "amount": cells.money(t("forecast.revenue"), made.currency),
    }
    cells.table(shown.assign(**words)[[*columns]], t("report.bridge"), columns, key="forecast_bridge")
    st.markdown("\n".join(f"- {widgets.escape(line)}" for line in _notes(made, set(shown["line"]))))
    row_files.figures(scored.model, table, f"bridge-{made.refunds}", "download_bridge", made.cutoff, is_past=True)


def _finding(made: Bridge, lines: pd.DataFrame) -> str:
    """Return how far what came is from the forecast, and which line moved it most that way."""
    off = made.actual_cents - made.forecast_cents
    steps = lines[~lines["line"].isin([FORECAST, ACTUAL])]
    return t(
        f"report.bridge.finding.{'above' if off > 0 else 'below' if off else 'met'}",
        actual=money(made.actual_cents / 100, made.currency),
        forecast=money(made.forecast_cents / 100, made.currency),
        off=money(abs(off) / 100, made.currency),
        line=str(steps["name"].iloc[int((steps["amount"] * off).argmax())]),
    )


def _notes(made: Bridge, codes: set[str]) -> list[str]:
    """Return what is to be known of a bridge: its span, on which day refunds count, what was assumed."""
    span = i18n.days(made.cutoff, made.stop - timedelta(days=1))
    notes = [t(f"report.bridge.{made.refunds}", span=span, day=i18n.last_day(made.until))]
    notes += [t("report.bridge.assumed", days=made.days)] if BASKET in codes else []
    notes += [t("report.bridge.objected")] if OBJECTED in codes else []
    return [*notes, *map(i18n.message_text, made.warnings)]


def _figure(line: str, value: float) -> str:
    """Return the figure of a line in words: a count, a mean, a share, or money."""
    if np.isnan(value):
        return ""
    if line == LOST_CUSTOMERS:
        return count(round(value))
    if line == REFUNDS:
        return percent(value, 1)
    return f"{value:.2f}" if line == ORDERS_PER_BUYER else f"{value:,.2f}"
