"""Charts of the strategy and results pages: budget, experiment, campaigns, recommendations and prices. Same rules as in
``drawing``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from clv_core.plot import (
    ACTUAL,
    BASELINE,
    MAX_LOG_LETTERS,
    PREDICTED,
    RAMP,
    Chart,
    drawn,
    interval,
    short,
    value_ticks,
    vertical,
)
from clv_core.strategy.plans import Curve
from pages.ui.i18n import percent, t


def price_levels(table: pd.DataFrame, message: str) -> Chart:
    """Draw how dear the recommended products of each tier are within their categories.

    ``table`` has the ``name`` of each tier and its ``level``, 0 to 1, the highest tier first.
    """
    bars = dict(
        type="bar",
        x=short(table["name"]),
        y=100 * table["level"],
        marker={"color": [RAMP[max(0, 8 - 2 * place)] for place in range(len(table))]},
        text=[str(shown(level)) for level in table["level"]],
        textposition="outside",  # no colour of words can be read on all of the ramp
        cliponaxis=False,
        customdata=table[["name"]],
        hovertemplate="%{customdata[0]}: %{y:.0f}<extra></extra>",
    )
    y = {"title": t("recommend.chart.axis"), "range": [0, 100]}
    return drawn([bars], message, x={"title": t("column.tier")}, y=y, legend=False, height=320)


def shown(level: float) -> int:
    """Return a price level, 0 to 1, as bars say it: 0 to 100."""
    return int(f"{100 * level:.0f}")


def responses(table: pd.DataFrame, message: str, needed: float) -> Chart:
    """Draw by how much more is sold at a price that is 10% lower, with its interval, one line a category.

    ``table`` has ``name``, ``more``, ``low`` and ``high`` (shares), the first at the top. ``needed`` is the share that
    has to be sold more for the price to earn, drawn dashed; infinite where nothing is enough.
    """
    rows = table.iloc[::-1]
    marks = [vertical(0, {"color": BASELINE, "width": 1})]
    title, ends = t("price.chart.axis"), [0.0, 100 * float(rows["low"].min()), 100 * float(rows["high"].max())]
    if np.isfinite(needed):
        title = t("price.chart.axis.needed", needed=percent(needed))
        ends.append(100 * needed)
        marks.append(vertical(100 * needed, {"color": BASELINE, "dash": "dash", "width": 1}))
    room = 0.08 * (max(ends) - min(ends))
    dots = dict(
        type="scatter",
        x=100 * rows["more"],
        y=short(rows["name"], MAX_LOG_LETTERS),
        customdata=rows[["name"]],
        mode="markers",
        marker={"color": PREDICTED, "size": 9},
        error_x=interval(100 * rows["more"], 100 * rows["low"], 100 * rows["high"], BASELINE),
        hovertemplate="%{customdata[0]}: %{x:+.0f}%<extra></extra>",
    )
    return drawn(
        [dots],
        message,
        x={"title": title, "ticksuffix": "%", "range": [min(ends) - room, max(ends) + room]},
        y={"ticklabelstandoff": 6},
        marks=marks,
        legend=False,
        height=min(460, 150 + 40 * len(rows)),
    )


def campaign_gains(table: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw what campaigns brought after costs, with intervals, the first at the top; those not due yet are hollow.

    ``table`` has ``name``, ``gain``, ``low`` and ``high`` (money a customer) and ``is_final``.
    """
    rows = table.iloc[::-1]
    ends = [0.0, float(rows["low"].min()), float(rows["high"].max())]
    room = 0.08 * (max(ends) - min(ends)) or 1.0
    dots = dict(
        type="scatter",
        x=rows["gain"],
        y=short(rows["name"], MAX_LOG_LETTERS),
        customdata=rows[["name", "low", "high"]],
        mode="markers",
        marker={"color": ACTUAL, "size": 10, "symbol": np.where(rows["is_final"], "circle", "circle-open").tolist()},
        error_x=interval(rows["gain"], rows["low"], rows["high"], BASELINE),
        hovertemplate="%{customdata[0]}: %{x:+,.2f} (%{customdata[1]:+,.2f} – %{customdata[2]:+,.2f})<extra></extra>",
    )
    return drawn(
        [dots],
        message,
        x={"title": t("results.chart.axis", unit=unit), "range": [min(ends) - room, max(ends) + room]},
        y={"ticklabelstandoff": 6},
        marks=[vertical(0, {"color": BASELINE, "width": 1})],
        legend=False,
        height=min(460, 150 + 40 * len(rows)),
    )


def gain_by_budget(curve: Curve, planned: tuple[float, float], message: str, *, unit: str, gain: str) -> Chart:
    """Draw the expected gain of each budget, and the planned one on the curve.

    ``planned`` is what is spent and what it is expected to bring; ``gain`` is the title of its axis.
    """
    hover = "%{x:,.0f} → %{y:,.0f}<extra></extra>"
    line = dict(
        type="scatter",
        x=curve.budget,
        y=curve.gain,
        mode="lines",
        name=t("budget.curve.line"),
        line={"color": PREDICTED, "width": 3},
        hovertemplate=hover,
    )
    planned_point = dict(
        type="scatter",
        x=[planned[0]],
        y=[planned[1]],
        mode="markers",
        name=t("budget.curve.here"),
        marker={"color": ACTUAL, "size": 12, "symbol": "diamond"},
        hovertemplate=hover,
    )
    spent, gained = value_ticks(curve.budget, planned[0]), value_ticks(curve.gain, planned[1])
    return drawn(
        [line, planned_point],
        message,
        x={"title": t("budget.curve.budget", unit=unit), "rangemode": "tozero", **spent},
        y={"title": gain, "rangemode": "tozero", **gained},
    )


def detectable(table: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw the smallest effect that an experiment on each segment would show.

    ``table`` has ``group``, ``name``, ``customers``, ``effect`` (money a customer) and ``share``, everyone first.
    """
    bars = dict(
        type="bar",
        x=short(table["name"]),
        y=table["effect"],
        marker={"color": [BASELINE if group == 0 else PREDICTED for group in table["group"]]},
        customdata=table[["name", "customers", "share"]],
        hovertemplate="%{customdata[0]}: %{y:,.2f} (%{customdata[1]:,d}, %{customdata[2]:.0%})<extra></extra>",
    )
    y = {"title": t("budget.propose.axis", unit=unit), "rangemode": "tozero"}
    return drawn([bars], message, x={"title": t("column.segment")}, y=y, legend=False, height=300)
