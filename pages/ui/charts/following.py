"""Charts that follow customers, all or one of them: what came, and what was expected. Same rules as in ``drawing``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.plot import (
    ACTUAL,
    BASELINE,
    DANGER,
    OTHER,
    PREDICTED,
    WARNING,
    Chart,
    Looks,
    drawn,
    interval,
    value_ticks,
    vertical,
)
from clv_core.strategy.customer import CUMULATIVE, DAY, NET_VALUE, PURCHASED, Card
from pages.ui.i18n import t


def realised_curve(frame: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw realised value next to the part expected by then, with its 80% interval where there is one.

    ``frame`` has ``days``, ``realised``, ``expected``, ``low`` and ``high``.
    """
    traces = []
    hover = "%{x}: %{y:,.0f}"
    bounded = frame.dropna(subset=["low", "high"])
    if len(bounded):
        mode = "lines" if len(bounded) > 1 else "markers"  # of one point a line shows nothing
        line = {"color": PREDICTED, "width": 1, "dash": "dot"}
        marker = {"symbol": "line-ew", "size": 14, "line": {"color": PREDICTED, "width": 2}}
        edge: dict[str, Any] = dict(type="scatter", x=bounded["days"], mode=mode, line=line, marker=marker)
        edge |= {"hovertemplate": hover, "name": t("monitor.interval")}
        traces.append({**edge, "y": bounded["high"]})
        traces.append({**edge, "y": bounded["low"], "showlegend": False})
    for column, key, colour in (("expected", "monitor.expected", PREDICTED), ("realised", "monitor.came", ACTUAL)):
        traces.append(
            dict(
                type="scatter",
                x=frame["days"],
                y=frame[column],
                name=t(key),
                mode="lines+markers",
                line={"color": colour, "width": 3},
                hovertemplate=hover,
            )
        )
    ticks = value_ticks(frame[["realised", "expected", "low", "high"]])
    return drawn(
        traces,
        message,
        x={"title": t("monitor.days"), "rangemode": "tozero"},
        y={"title": t("monitor.value", unit=unit), "rangemode": "tozero", **ticks},
    )


def series(before: pd.DataFrame, new: pd.DataFrame, message: str, *, axis: str, share: bool) -> Chart:
    """Draw one figure before and since the cutoff, with the limits of the usual.

    ``before`` has ``begin`` (ISO dates) and ``found``, ``new`` also ``low``, ``high`` and ``alert``.
    """
    usual = dict(
        type="scatter",
        x=before["begin"],
        y=before["found"],
        name=t("monitor.drift.before"),
        mode="lines+markers",
        line={"color": BASELINE, "width": 2},
    )
    line = {"color": WARNING, "width": 1, "dash": "dash"}
    edge: dict[str, Any] = dict(type="scatter", x=new["begin"], mode="lines", line=line)
    edge["name"] = t("monitor.drift.limits")
    high = {**edge, "y": new["high"]}
    low = {**edge, "y": new["low"].clip(lower=0), "showlegend": False}  # below nothing no figure is
    since = dict(
        type="scatter",
        x=new["begin"],
        y=new["found"],
        name=t("monitor.drift.since"),
        mode="lines+markers",
        line={"color": ACTUAL, "width": 3},
        marker={
            "color": [DANGER if alert else ACTUAL for alert in new["alert"]],
            "symbol": ["x" if alert else "circle" for alert in new["alert"]],
            "size": 9,
        },
    )
    figures = [before["found"], new["found"], low["y"], new["high"]]
    ticks = {"tickformat": ".1%"} if share else value_ticks(*figures)
    return drawn(
        [usual, high, low, since],
        message,
        x={"title": t("monitor.drift.begin"), "type": "date", "tickformat": "%Y-%m-%d"},
        y={"title": axis, "rangemode": "tozero", **ticks},
    )


def daily_course(rows: pd.DataFrame, spans: Sequence[tuple[Any, Any]], message: str, *, axis: str) -> Chart:
    """Draw a figure by day over what was expected of it and its 80% range; spans of days are shaded, and red.

    ``rows`` has ``day`` (midnights), ``actual``, ``expected``, ``low`` and ``high``; ``spans`` are first and last days.
    """
    days = pd.to_datetime(rows["day"])
    marked = np.zeros(len(rows), bool)
    for first, last in spans:
        marked |= days.between(pd.Timestamp(first), pd.Timestamp(last)).to_numpy()
    hover = "%{x|%Y-%m-%d}: %{y:,.2~f}"
    line: Looks = {"type": "scatter", "x": days, "mode": "lines", "hovertemplate": hover}
    ranged = rows["low"].notna() & rows["high"].notna()
    low = rows["low"][ranged].clip(lower=min(0.0, rows["actual"].min()))  # below nothing no figure is
    band = dict(
        type="scatter",
        x=[*days[ranged], *days[ranged][::-1]],
        y=[*rows["high"][ranged], *low[::-1]],
        fill="toself",
        fillcolor=PREDICTED,
        opacity=0.18,
        mode="none",
        name=t("monitor.interval"),
        hoverinfo="skip",
    )
    expected = {**line, "y": rows["expected"], "name": t("monitor.business.expected"), "line": {"color": PREDICTED}}
    actual = {**line, "y": rows["actual"], "name": t("monitor.business.actual"), "line": {"color": ACTUAL}}
    traces = [band, expected, actual]
    if marked.any():
        found = rows["actual"].where(marked)
        red = {"color": DANGER, "width": 3}
        traces.append({**line, "y": found, "line": red, "name": t("monitor.business.marked"), "connectgaps": False})
    half = timedelta(hours=12)
    shades = [
        {
            "type": "rect",
            "xref": "x",
            "x0": pd.Timestamp(first) - half,
            "x1": pd.Timestamp(last) + half,
            "yref": "y domain",
            "y0": 0,
            "y1": 1,
            "line": {"width": 0},
            "fillcolor": DANGER,
            "opacity": 0.12,
            "layer": "below",
        }
        for first, last in spans
    ]
    return drawn(
        traces,
        message,
        x={"title": t("monitor.business.day"), "type": "date", "tickformat": "%Y-%m-%d", "nticks": 8},
        y={"title": axis, "rangemode": "tozero", **value_ticks(rows[["actual", "expected", "low", "high"]])},
        marks=shades,
        height=380,
    )


MOST_DATES: Final = 12
"""So many dates fit below a chart: a year of months."""


def expected_revenue(
    table: pd.DataFrame, message: str, *, unit: str, monthly: bool, came: pd.DataFrame | None = None
) -> Chart:
    """Draw expected revenue by week or calendar month: known customers, on them those to be won, the total's range.

    ``came`` has the past weeks that are drawn before it: ``first``, ``until`` and ``came``.

    ``table`` has ``first``, ``until`` (ISO dates; the day after the last), ``known``, ``won``, ``total``, ``low`` and
    ``high`` (None without ranges).
    """
    begin = pd.to_datetime(table["first"])
    at = pd.Series(begin.dt.to_period("M").dt.to_timestamp() if monthly else begin)
    last = (pd.to_datetime(table["until"]) - timedelta(days=1)).dt.strftime("%Y-%m-%d")
    hover = "%{customdata[0]} – %{customdata[1]}: %{y:,.0f}"
    days = {"x": at, "customdata": np.column_stack([table["first"], last]), "hovertemplate": hover}
    bar: Looks = {**days, "type": "bar", "offsetgroup": "total"}
    traces: list[Looks] = [
        {**bar, "y": table["known"], "name": t("forecast.known"), "marker": {"color": PREDICTED}},
        {**bar, "y": table["won"], "base": table["known"], "name": t("forecast.won"), "marker": {"color": OTHER}},
    ]
    low, high = (table[end].astype("float64") for end in ("low", "high"))
    if len(table) and high.notna().all():
        total = dict(
            type="scatter",
            x=at,
            y=table["total"],
            mode="markers",
            marker={"color": ACTUAL, "size": 5},
            error_y=interval(table["total"], low, high, ACTUAL),
            name=t("forecast.chart.range"),
            customdata=np.column_stack([table["first"], last, low, high]),
            hovertemplate=hover + " (%{customdata[2]:,.0f} – %{customdata[3]:,.0f})",
        )
        traces.append(total)
    tops = [table["total"], high]
    if came is not None:
        passed = pd.to_datetime(came["first"])
        ended = (pd.to_datetime(came["until"]) - timedelta(days=1)).dt.strftime("%Y-%m-%d")
        actual: Looks = {
            "type": "bar",
            "offsetgroup": "total",
            "x": passed,
            "y": came["came"],
            "customdata": np.column_stack([came["first"], ended]),
            "hovertemplate": hover,
            "name": t("forecast.chart.came"),
            "marker": {"color": ACTUAL},
        }
        traces.insert(0, actual)
        at, tops = pd.concat([passed, at], ignore_index=True), [*tops, came["came"]]
    ticks = at.iloc[:: -(-len(at) // MOST_DATES) or 1]
    return drawn(
        traces,
        message,
        x={
            "title": t("chart.by.month" if monthly else "forecast.chart.week"),
            "type": "date",
            "tickformat": "%Y-%m" if monthly else "%Y-%m-%d",
            "tickvals": ticks,
        },
        y={"title": t("chart.net_revenue_by", unit=unit), "rangemode": "tozero", **value_ticks(*tops)},
        height=400,
    )


def expected_units(before: pd.DataFrame, ahead: pd.DataFrame, message: str) -> Chart:
    """Draw pieces by week: those that were sold, and those that are expected with their 80% range.

    ``before`` has ``first`` (ISO date) and ``units``; ``ahead`` has ``first``, ``expected``, ``low`` and ``high``.
    """
    hover = "%{x|%Y-%m-%d}: %{y:,.1f}"
    at, then = pd.to_datetime(ahead["first"]), pd.to_datetime(before["first"])
    sold = dict(
        type="bar",
        x=then,
        y=before["units"],
        name=t("demand.chart.sold"),
        marker={"color": ACTUAL},
        hovertemplate=hover,
    )
    expected = dict(
        type="bar",
        x=at,
        y=ahead["expected"],
        name=t("demand.chart.expected"),
        marker={"color": PREDICTED, "opacity": 0.5},  # else the range's lower half is dark on dark
        error_y=interval(ahead["expected"], ahead["low"], ahead["high"], ACTUAL),
        customdata=ahead[["low", "high"]],
        hovertemplate=hover + " (%{customdata[0]:,.0f} – %{customdata[1]:,.0f})",
    )
    return drawn(
        [sold, expected],
        message,
        x={"title": t("forecast.chart.week"), "type": "date", "tickformat": "%Y-%m-%d"},
        y={"title": t("demand.chart.pieces"), "rangemode": "tozero", **value_ticks(before["units"], ahead["high"])},
        height=320,
    )


SHORT_DAYS: Final = 150
"""Below so many days, an axis in months has too few ticks (under five)."""


def history_line(card: Card, message: str, *, unit: str) -> Chart:
    """Draw net value so far as steps with a mark at each order, the cutoff, and what is expected with its interval."""
    days = card.history.days
    # Both midnights end a day: observed and expected values are those of that day's evening.
    last_observed, last = (pd.Timestamp(end) - timedelta(days=1) for end in (card.as_of, _end(card)))
    cutoff, end = pd.Timestamp(card.as_of), pd.Timestamp(_end(card))
    begin = min([cutoff, *days[DAY].head(1)])
    interval = dict(
        type="scatter",
        x=[cutoff, end, end, cutoff],
        y=[card.historic, card.total_high, card.total_low, card.historic],
        fill="toself",
        fillcolor=PREDICTED,
        opacity=0.18,
        mode="none",
        name=t("card.chart.range"),
        hoverinfo="skip",
    )
    spent = dict(
        type="scatter",
        x=[begin, *days[DAY], cutoff],
        y=[0.0, *days[CUMULATIVE], card.historic],
        mode="lines",
        line={"color": ACTUAL, "width": 2.5, "shape": "hv"},
        name=t("card.chart.spent"),
        customdata=[str(day.date()) for day in (begin, *days[DAY], last_observed)],
        hovertemplate="%{customdata}: %{y:,.2f}",
    )
    bought = days[days[PURCHASED]]
    orders = dict(
        type="scatter",
        x=bought[DAY],
        y=bought[CUMULATIVE],
        mode="markers",
        marker={"color": ACTUAL, "size": 8, "symbol": "circle"},
        customdata=bought[NET_VALUE],
        name=t("card.chart.order"),
        hovertemplate="%{x|%Y-%m-%d}: %{customdata:+,.2f}",
    )
    expected = dict(
        type="scatter",
        x=[cutoff, end],
        y=[card.historic, card.total],
        mode="lines+markers",
        line={"color": PREDICTED, "width": 2.5, "dash": "dash"},
        marker={"size": [0, 8]},
        name=t("card.chart.expected"),
        customdata=[str(day.date()) for day in (last_observed, last)],
        hovertemplate="%{customdata}: %{y:,.2f}",
    )
    top = float(np.max([*days[CUMULATIVE], card.total_high, card.total]))
    short = (end - begin).days < SHORT_DAYS
    span = [min(0.0, 1.08 * float(min([*days[CUMULATIVE], card.total_low]))), 1.1 * top or 1]
    cutoff_label = {
        "x": cutoff,
        "xanchor": "right",
        "yref": "paper",
        "y": 1,
        "yanchor": "top",
        "text": t("card.chart.cutoff"),
    }
    return drawn(
        [interval, spent, orders, expected],
        message,
        x={"title": t("card.chart.time"), "tickformat": "%Y-%m-%d" if short else "%Y-%m"},
        y={"title": t("card.chart.axis", unit=unit), "range": span, **value_ticks(span)},
        marks=[vertical(cutoff, {"color": BASELINE, "width": 1, "dash": "dot"}), cutoff_label],
    )


def _end(card: Card) -> date:
    return card.as_of + timedelta(days=card.horizon_days)
