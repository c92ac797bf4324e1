"""Charts of what happened over time. Same rules as in ``drawing``.

A bucket of time that the period holds only in part is drawn pale and says so.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from pages.ui.charts.drawing import ACTUAL, BASELINE, OTHER, Chart, Looks, drawn, value_ticks
from pages.ui.i18n import t

PALE: Final = 0.35
DATES: Final = {"day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m", "quarter": "%Y-%m"}


def revenue_bars(table: pd.DataFrame, message: str, *, unit: str, time_unit: str) -> Chart:
    """Draw net revenue over time.

    Args:
        table: columns ``bucket``, ``label``, ``net``, ``complete``.
        message: what the chart shows, in words.
        unit: of money.
        time_unit: what a bucket is.
    """
    traces = []
    for complete, name in ((True, "chart.net_revenue"), (False, "chart.incomplete")):
        rows = table[table["complete"] == complete]
        if rows.empty:
            continue
        traces.append(
            dict(
                type="bar",
                x=rows["bucket"],
                y=rows["net"],
                name=t(name),
                marker={"color": ACTUAL},
                opacity=1 if complete else PALE,
                customdata=rows[["label"]],
                hovertemplate="%{customdata[0]}: %{y:,.2f}<extra></extra>",
            )
        )
    y = {"title": t("chart.net_revenue_by", unit=unit), "rangemode": "tozero", **value_ticks(table["net"])}
    return drawn(traces, message, x=_time_axis(table, time_unit), y=y, legend=not table["complete"].all())


def people_lines(table: pd.DataFrame, message: str, *, kinds: list[str], time_unit: str) -> Chart:
    """Draw how many customers did anything, bought, and had bought before.

    Args:
        table: columns ``bucket``, ``label``, ``complete`` and those of ``kinds``.
        message: what the chart shows, in words.
        kinds: of ``customers, buyers, known_buyers``, in this order.
        time_unit: what a bucket is.
    """
    looks = {
        "customers": {"color": BASELINE, "width": 2},
        "buyers": {"color": ACTUAL, "width": 2.5},
        "known_buyers": {"color": OTHER, "width": 2, "dash": "dot"},
    }
    whole = table[table["complete"]] if table["complete"].any() else table
    traces = [
        dict(
            type="scatter",
            x=whole["bucket"],
            y=whole[kind],
            name=t(f"chart.{kind}"),
            mode="lines+markers" if len(whole) < 20 else "lines",
            line=looks[kind],
            customdata=whole[["label"]],
            hovertemplate="%{customdata[0]}: %{y:,}",
        )
        for kind in kinds
    ]
    y = {"title": t("chart.customers"), "rangemode": "tozero", **value_ticks(whole[kinds])}
    return drawn(traces, message, x=_time_axis(table, time_unit), y=y)


def rating_line(table: pd.DataFrame, message: str, *, time_unit: str) -> Chart:
    """Draw the mean rating over time.

    Args:
        table: columns ``bucket``, ``label``, ``mean``, ``ratings``.
        message: what the chart shows, in words.
        time_unit: what a bucket is.
    """
    line = dict(
        type="scatter",
        x=table["bucket"],
        y=table["mean"],
        mode="lines+markers" if len(table) < 20 else "lines",
        line={"color": ACTUAL, "width": 2.5},
        customdata=table[["label", "ratings"]],
        hovertemplate=t("chart.rating_hover") + "<extra></extra>",
    )
    middle, low, high = (float(found) for found in (table["mean"].mean(), table["mean"].min(), table["mean"].max()))
    span = [min(low - 0.2, middle - 0.5), max(high + 0.2, middle + 0.5)]
    y = {"title": t("chart.mean_rating"), "range": span}
    return drawn([line], message, x=_time_axis(table, time_unit), y=y, legend=False)


def _time_axis(table: pd.DataFrame, time_unit: str) -> Looks:
    few = {"tickvals": table["bucket"]} if len(table) <= 8 else {}
    return {"title": t(f"chart.by.{time_unit}"), "tickformat": DATES[time_unit], **few}
