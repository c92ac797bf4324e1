"""Figures of the single models (:mod:`clv_core.btyd`): what they expect of whom, and how it agrees with what came.

``plot_*`` are what people call in Python; the functions above them draw a chart from its table.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from clv_core.btyd import PurchaseModel, customer_matrix
from clv_core.errors import UsageError
from clv_core.i18n import say_day, say_miss
from clv_core.plot.drawing import (
    ACTUAL,
    DOTTED,
    PREDICTED,
    RAMP_SCALE,
    Chart,
    Figure,
    Looks,
    drawn,
    value_ticks,
    vertical,
)
from clv_core.plot.words import language, percent, say, t

UNITS: Final = ("day", "week", "month")
COUNT_DIGITS: Final = 5
"""Significant digits of sums of purchases: two sums that differ by a hundredth must not read alike."""
EXACT_FROM: Final = 10
"""Fewer expected purchases are said with two digits, more as whole ones."""


def matrix(values: pd.DataFrame, message: str, *, key: str, unit: str, is_share: bool = False) -> Chart:
    """Draw a figure of customers by their repeat purchases (columns) and recency (index); no customer: no colour.

    ``key`` names the colours, ``unit`` is that of time.
    """
    form = ".0%" if is_share else ",.2f"
    hover = (
        f"{t('btyd.frequency')} %{{x}}<br>{t('btyd.recency', unit=unit)} %{{y}}<br>{key} %{{z:{form}}}<extra></extra>"
    )
    top = 1.0 if is_share else None
    cells = dict(
        type="heatmap",
        x=values.columns,
        y=values.index,
        z=values,
        zmin=0,
        zmax=top if values.size == 0 or is_share else float(np.nanmax(values.to_numpy(), initial=0.0)) or 1.0,
        colorscale=RAMP_SCALE,
        colorbar={"title": {"text": key, "side": "right"}, "tickformat": ".0%" if is_share else ""},
        hovertemplate=hover,
        hoverongaps=False,
    )
    grid = {"showgrid": False, "zeroline": False}
    return drawn(
        [cells],
        message,
        x={"title": t("btyd.frequency"), **grid},
        y={"title": t("btyd.recency", unit=unit), **grid},
        legend=False,
        height=440,
    )


def tracking(table: pd.DataFrame, message: str, *, is_cumulative: bool, fitted_until: date | None = None) -> Chart:
    """Draw repeat purchases that came and that were expected by the end of each period, and where the fit ended.

    ``table`` is that of :func:`~clv_core.btyd.tracking.purchase_tracking`.
    """
    end = "_cumulative" if is_cumulative else ""
    actual, expected = table[f"actual{end}"], table[f"expected{end}"]
    lines = [
        _line(table.index, actual, "chart.actual", ACTUAL),
        _line(table.index, expected, "btyd.expected", PREDICTED),
    ]
    marks: list[Looks] = []
    if fitted_until is not None:
        note = {"text": t("btyd.fitted_until"), "xref": "x", "xanchor": "left", "yref": "y domain", "yanchor": "bottom"}
        at = f"{fitted_until:%Y-%m-%d}"
        marks = [vertical(at, {**DOTTED, "width": 1}), {**note, "x": at, "y": 0.01, "xshift": 4}]
    title = t("btyd.so_far") if is_cumulative else t("btyd.per_period")
    y = {"title": title, "rangemode": "tozero", **value_ticks(actual, expected)}
    return drawn(lines, message, x={"title": t("btyd.period"), "type": "date"}, y=y, marks=marks)


def frequency_bars(table: pd.DataFrame, message: str) -> Chart:
    """Draw how many customers bought so often again, and how many were expected to.

    ``table`` has ``actual`` and ``expected`` by number of repeat purchases; the last row is of so many and more.
    """
    x = _at_most(table.index)
    colours = {"chart.actual": (table["actual"], ACTUAL), "btyd.expected": (table["expected"], PREDICTED)}
    hover = {"hovertemplate": "%{x}: %{y:,.0f}"}
    bars = [
        {**dict(type="bar", x=x, y=y, name=t(key), marker={"color": colour}), **hover}
        for key, (y, colour) in colours.items()
    ]
    y = {"title": t("chart.customers"), **value_ticks(table[["actual", "expected"]])}
    return drawn(bars, message, x={"title": t("btyd.frequency")}, y=y)


def holdout_lines(table: pd.DataFrame, message: str) -> Chart:
    """Draw mean purchases in the holdout by the repeat purchases before it, those that came and those expected.

    ``table`` has ``customers``, ``actual`` and ``expected`` by number of purchases; the last row is of so many and
    more.
    """
    x, some = _at_most(table.index), table[["actual", "expected"]]
    lines = []
    for key, column, colour in (("chart.actual", "actual", ACTUAL), ("btyd.expected", "expected", PREDICTED)):
        line = _line(x, table[column], key, colour)
        hover = f"%{{x}}: %{{y:,.2f}}<br>{t('chart.customers')} %{{customdata:,}}"
        lines.append({**line, "mode": "lines+markers", "customdata": table["customers"], "hovertemplate": hover})
    y = {"title": t("btyd.in_holdout"), "rangemode": "tozero", **value_ticks(some)}
    return drawn(lines, message, x={"title": t("btyd.before")}, y=y)


def history_line(table: pd.DataFrame, message: str) -> Chart:
    """Draw a customer's probability of not having left, day by day, and the days on which she bought.

    ``table`` is that of :func:`~clv_core.btyd.tracking.alive_history`.
    """
    bought = table[table["purchases"] > 0]
    path = {**_line(table.index, table["alive"], "btyd.alive", PREDICTED), "hovertemplate": "%{x}: %{y:.0%}"}
    marker = {"color": ACTUAL, "size": 8}
    dots = dict(
        type="scatter", x=bought.index, y=bought["alive"], name=t("btyd.purchase"), mode="markers", marker=marker
    )
    y = {"title": t("btyd.alive"), "tickformat": ".0%", "range": [0, 1.04]}
    return drawn(
        [path, {**dots, "hovertemplate": "%{x}: %{y:.0%}"}], message, x={"title": t("btyd.day"), "type": "date"}, y=y
    )


def plot_frequency_recency_matrix(
    model: PurchaseModel, horizon: float, *, max_frequency: int, T: float, unit: str = "day"
) -> Figure:
    """Return a figure of the purchases that are expected of customers, by their repeat purchases and recency.

    Args:
        model: one for all customers.
        horizon: how far ahead, in the unit of the model.
        max_frequency: of repeat purchases, as far as the figure goes.
        T: from the first purchase to the cutoff; all customers of the figure are as old.
        unit: of time: ``day``, ``week``, ``month``.

    Returns:
        A heat map, [floor(T) + 1, max_frequency + 1], recency upwards; what no customer can be has no colour.

    Raises:
        UsageError: an argument is none.

    Examples:
        >>> from clv_core import BGNBD, plot_frequency_recency_matrix
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> figure = plot_frequency_recency_matrix(model, 39, max_frequency=10, T=39, unit="week")
        >>> [round(float(figure.data[0].z[recency, 10]), 2) for recency in (39, 20)]
        [6.79, 0.28]
    """
    values = customer_matrix(model, "expected_purchases", max_frequency, T, horizon)
    named = _unit(unit)
    recent, silent = (say(round(value, 2)) if np.isfinite(value) else "–" for value in _most_loyal(values))
    said = {"frequency": int(max_frequency), "T": say(float(T)), "unit": named, "horizon": say(float(horizon))}
    message = t("btyd.matrix.expected", **said, recent=recent, silent=silent)
    return matrix(values, message, key=t("btyd.expected_purchases"), unit=named).standalone()


def plot_alive_matrix(model: PurchaseModel, *, max_frequency: int, T: float, unit: str = "day") -> Figure:
    """Return a figure of how likely customers are to be still there, by their repeat purchases and recency.

    Args:
        model: one for all customers.
        max_frequency: of repeat purchases, as far as the figure goes.
        T: from the first purchase to the cutoff; all customers of the figure are as old.
        unit: of time: ``day``, ``week``, ``month``.

    Returns:
        A heat map, [floor(T) + 1, max_frequency + 1], recency upwards; what no customer can be has no colour.

    Raises:
        UsageError: an argument is none.

    Examples:
        >>> from clv_core import BGNBD, plot_alive_matrix
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> figure = plot_alive_matrix(model, max_frequency=10, T=39, unit="week")
        >>> [round(float(figure.data[0].z[recency, 10]), 2) for recency in (39, 20)]
        [0.94, 0.04]
    """
    values = customer_matrix(model, "p_alive", max_frequency, T)
    named = _unit(unit)
    recent, silent = map(percent, _most_loyal(values))
    said = {"frequency": int(max_frequency), "T": say(float(T)), "unit": named}
    message = t("btyd.matrix.alive", **said, recent=recent, silent=silent)
    return matrix(values, message, key=t("btyd.alive"), unit=named, is_share=True).standalone()


def plot_cumulative_purchases(table: pd.DataFrame, *, fitted_until: date | str | None = None) -> Figure:
    """Return a figure of all repeat purchases up to each day, that came and that were expected.

    Args:
        table: that of :func:`purchase_tracking`.
        fitted_until: last day that the model saw: a line there, and the title is about what came after it.

    Raises:
        UsageError: a column is missing.

    Examples:
        >>> import pandas as pd
        >>> from clv_core import BGNBD, plot_cumulative_purchases, purchase_tracking
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-19", "2024-01-05", "2024-01-22"])
        >>> events = pd.DataFrame({"customer_id": ["a", "a", "a", "b", "b"], "event_time": days})
        >>> table = purchase_tracking(BGNBD(0.5, 5, 0.8, 2.5), events)
        >>> figure = plot_cumulative_purchases(table)
        >>> [(trace.name, trace.y.round(1).tolist()) for trace in figure.data]
        [('Actual', [0.0, 1.0, 2.0]), ('Expected', [0.7, 1.7, 2.4])]
    """
    return _tracked(table, fitted_until, is_cumulative=True)


def plot_incremental_purchases(table: pd.DataFrame, *, fitted_until: date | str | None = None) -> Figure:
    """Return a figure of the repeat purchases of each period, that came and that were expected.

    Args:
        table: that of :func:`purchase_tracking`.
        fitted_until: last day that the model saw: a line there, and the title is about what came after it.

    Raises:
        UsageError: a column is missing.

    Examples:
        >>> import pandas as pd
        >>> from clv_core import BGNBD, plot_incremental_purchases, purchase_tracking
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-19", "2024-01-05", "2024-01-22"])
        >>> events = pd.DataFrame({"customer_id": ["a", "a", "a", "b", "b"], "event_time": days})
        >>> table = purchase_tracking(BGNBD(0.5, 5, 0.8, 2.5), events)
        >>> print(plot_incremental_purchases(table, fitted_until="2024-01-14").layout.title.text)
        Repeat purchases after 14 Jan 2024: 1, expected 0.77 (−23%)
    """
    return _tracked(table, fitted_until, is_cumulative=False)


def plot_purchases_by_frequency(table: pd.DataFrame) -> Figure:
    """Return a figure of how many customers bought so often again, and how many were expected to.

    Args:
        table: that of :func:`purchases_by_frequency`.

    Raises:
        UsageError: a column is missing.

    Examples:
        >>> from clv_core import BGNBD, plot_purchases_by_frequency, purchases_by_frequency
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> table = purchases_by_frequency(model, [0, 0, 1, 4], [38.86, 30, 38.86, 30], max_frequency=2)
        >>> figure = plot_purchases_by_frequency(table)
        >>> figure.data[0].x, figure.data[0].y.tolist()
        (('0', '1', '2+'), [2.0, 1.0, 1.0])
    """
    _columns(table, "actual", "expected")
    never = table.iloc[0] if len(table) else pd.Series({"actual": 0.0, "expected": 0.0})
    said = _said(float(never["actual"]), float(never["expected"]))
    return frequency_bars(table, t("btyd.by_frequency", **said)).standalone()


def plot_holdout_purchases(table: pd.DataFrame) -> Figure:
    """Return a figure of mean purchases in the holdout by those before it, that came and that were expected.

    Args:
        table: that of :func:`holdout_by_frequency`.

    Raises:
        UsageError: a column is missing.

    Examples:
        >>> import pandas as pd
        >>> from clv_core import BGNBD, calibration_holdout, holdout_by_frequency, plot_holdout_purchases
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-03-01", "2024-01-05"])
        >>> events = pd.DataFrame({"customer_id": ["a", "a", "a", "b"], "event_time": days})
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> table = holdout_by_frequency(model, calibration_holdout(events, "2024-01-31", unit="week"))
        >>> print(plot_holdout_purchases(table).layout.title.text)
        Purchases in the holdout: 1, expected 0.48 (−52%)
    """
    _columns(table, "customers", "actual", "expected")
    sums = {name: float((table["customers"] * table[name]).sum()) for name in ("actual", "expected")}
    return holdout_lines(table, t("btyd.holdout", **_said(sums["actual"], sums["expected"]))).standalone()


def plot_alive_history(table: pd.DataFrame) -> Figure:
    """Return a figure of how likely one customer was to be still there, day by day, with her purchases.

    Args:
        table: that of :func:`alive_history`.

    Raises:
        UsageError: a column is missing.

    Examples:
        >>> from clv_core import BGNBD, alive_history, plot_alive_history
        >>> model = BGNBD(r=0.243, alpha=30.9, a=0.793, b=2.426)
        >>> table = alive_history(model, ["2024-01-01", "2024-01-11", "2024-02-10"], end="2024-06-30")
        >>> print(plot_alive_history(table).layout.title.text)
        Still a customer on 30 Jun 2024: 27%; the last purchase was on 10 Feb 2024
    """
    _columns(table, "alive", "purchases")
    if not len(table):
        return history_line(table, t("btyd.no_period")).standalone()
    last, end = table.index[table["purchases"] > 0][-1], table.index[-1]
    share = percent(float(table["alive"].iloc[-1]))
    return history_line(table, t("btyd.history", day=_day(end), share=share, last=_day(last))).standalone()


def _tracked(table: pd.DataFrame, fitted_until: date | str | None, *, is_cumulative: bool) -> Figure:
    _columns(table, "actual", "expected", "actual_cumulative", "expected_cumulative")
    since = None if fitted_until is None else pd.Timestamp(fitted_until)
    rows = table if since is None else table[table.index > since]
    if not len(rows):
        message = t("btyd.no_period")
    else:
        said = _said(*(float(rows[name].sum()) for name in ("actual", "expected")))
        after = {} if since is None else {"since": _day(since)}
        message = (
            t("btyd.tracking.after", **said, **after) if after else t("btyd.tracking", **said, day=_day(rows.index[-1]))
        )
    return tracking(table, message, is_cumulative=is_cumulative, fitted_until=since).standalone()


def _said(actual: float, expected: float) -> dict[str, str]:
    """Return what a sentence says of purchases that came and that were expected."""
    return {
        "actual": say(actual, COUNT_DIGITS),
        "expected": say(round(expected), COUNT_DIGITS) if expected >= EXACT_FROM else say(expected, 2),
        "miss": say_miss(expected, actual),
    }


def _line(x: Any, y: ArrayLike, key: str, colour: str) -> Looks:
    return dict(type="scatter", x=x, y=y, name=t(key), mode="lines", line={"color": colour, "width": 2})


def _at_most(index: pd.Index) -> list[str]:
    """Return numbers of purchases as texts, the last one with those above it."""
    return [f"{n}+" if at == len(index) - 1 else f"{n}" for at, n in enumerate(index)]


def _most_loyal(values: pd.DataFrame) -> tuple[float, float]:
    """Return the figures of those with most purchases: the last one was just now, or half of the time ago."""
    column = values.iloc[:, -1]
    return float(column.iloc[-1]), float(column.iloc[len(column) // 2])


def _unit(unit: str) -> str:
    if unit not in UNITS:
        raise UsageError("btyd_choice", argument="unit", value=str(unit), choices=", ".join(UNITS))
    return t(f"btyd.unit.{unit}")


def _columns(table: pd.DataFrame, *needed: str) -> None:
    if missing := [name for name in needed if name not in table.columns]:
        raise UsageError("columns_missing", missing=missing, found=list(map(str, table.columns)))


def _day(day: Any) -> str:
    return say_day(day, language())
