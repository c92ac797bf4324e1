"""Charts of new customers: worth against cost, payback by month, cohorts. Same rules as in ``drawing``."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.plot import (
    ACTUAL,
    BASELINE,
    DANGER,
    DOTTED,
    GAIN,
    MAX_LOG_LETTERS,
    OTHER,
    PREDICTED,
    WARNING,
    Chart,
    Looks,
    drawn,
    grid_cells,
    horizontal,
    interval,
    short,
    value_ticks,
)
from pages.ui.i18n import say, t

LINES: Final = (PREDICTED, GAIN, WARNING, OTHER, ACTUAL, BASELINE)
MARKS: Final = ("circle", "diamond", "square", "cross", "triangle-up", "x")
"""Of one group each, in charts of lines."""
HIGHEST_SHARE: Final = 4.0
"""So many times the cost is the top of the chart of payback; what matters there is 1."""
SMALLEST, LARGEST = 9, 46
"""Diameters of points, pixels."""


def ratio_points(groups: pd.DataFrame, target: float, message: str, *, unit: str) -> Chart:
    """Draw what customers of each group are worth against what they cost, with the lines of break-even and target.

    ``groups`` has ``name``, ``customers``, ``cac``, ``ltv``, ``ltv_low`` and ``ltv_high`` (NaN where unknown).
    """
    top = float(np.nanmax(groups[["ltv", "ltv_high"]].to_numpy(), initial=0.0))
    right = float(max([0.0, *groups["cac"]]))
    ends = 1.15 * right, 1.12 * max(top, right)
    lines: list[Looks] = [
        dict(
            type="scatter",
            x=[0, min(ends[0], ends[1] / slope)],
            y=[0, min(ends[1], ends[0] * slope)],
            mode="lines",
            line={**DOTTED, "dash": dash},
            name=name,
            hoverinfo="skip",
        )
        for slope, dash, name in (
            (1.0, "dot", t("acquisition.chart.even")),
            (target, "dash", t("acquisition.chart.target", target=f"{target:g}")),
        )
        if slope != 1 or target != 1 or dash == "dash"
    ]
    ratio = groups["ltv"] / groups["cac"]
    kinds = (
        ("reached", GAIN, ratio >= target),
        ("below_target", WARNING, (ratio >= 1) & (ratio < target)),
        ("below_cost", DANGER, (ratio < 1) & (ratio < target)),
    )
    for kind, colour, mask in kinds:
        shown_groups = groups[mask]
        if shown_groups.empty:
            continue
        size = SMALLEST + (LARGEST - SMALLEST) * np.sqrt(shown_groups["customers"] / groups["customers"].max())
        lines.append(
            dict(
                type="scatter",
                x=shown_groups["cac"],
                y=shown_groups["ltv"],
                mode="markers+text",
                text=short(shown_groups["name"], MAX_LOG_LETTERS),
                textposition=["middle left" if x > 0.8 * right else "middle right" for x in shown_groups["cac"]],
                marker={"color": colour, "size": size, "opacity": 0.75},
                error_y=interval(shown_groups["ltv"], shown_groups["ltv_low"], shown_groups["ltv_high"], colour),
                name=t(f"acquisition.chart.{kind}"),
                customdata=shown_groups[["name", "customers"]],
                hovertemplate="%{customdata[0]}: %{x:,.2f} → %{y:,.2f} (%{customdata[1]:,})<extra></extra>",
            )
        )
    return drawn(
        lines,
        message,
        x={
            "title": t("acquisition.chart.cac", unit=unit),
            **value_ticks(groups["cac"], ends[0]),
            "range": [0, ends[0]],
        },
        y={"title": t("acquisition.chart.ltv", unit=unit), **value_ticks([0, ends[1]]), "range": [0, ends[1]]},
        height=430,
    )


def worth(groups: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw what a customer of each group is worth, with its interval, one row a group.

    ``groups`` has ``name``, ``ltv``, ``ltv_low`` and ``ltv_high`` (NaN where unknown), the first at the top.
    """
    rows = groups.iloc[::-1]
    dots = dict(
        type="scatter",
        x=rows["ltv"],
        y=short(rows["name"]),
        mode="markers",
        marker={"color": PREDICTED, "size": 9},
        error_x=interval(rows["ltv"], rows["ltv_low"], rows["ltv_high"], BASELINE),
        customdata=rows[["name"]],
        hovertemplate="%{customdata[0]}: %{x:,.2f}<extra></extra>",
    )
    return drawn(
        [dots],
        message,
        x={
            "title": t("acquisition.chart.ltv", unit=unit),
            "rangemode": "tozero",
            **value_ticks(rows["ltv"], rows["ltv_high"]),
        },
        y={"ticklabelstandoff": 6},
        legend=False,
        height=130 + 34 * len(rows),
    )


def payback(curves: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw how much of its cost each group has brought by month of its customers' age: observed solid, else dashed.

    ``curves`` has ``name``, ``month``, ``value`` (of the cost, 1 is paid back; with a unit, money) and ``observed``
    (share of customers who have lived the month).
    """
    traces: list[dict[str, Any]] = []
    for place, (name, group_curve) in enumerate(curves.groupby("name", sort=False)):
        lived = int((group_curve["observed"] >= 0.5).sum())
        months, values = [0, *group_curve["month"]], [0.0, *group_curve["value"]]
        looks = {"color": LINES[place % len(LINES)], "width": 2.5}
        mark = {"color": looks["color"], "symbol": MARKS[place % len(MARKS)], "size": 7}
        hover = "%{x}: %{y:,.2f}" if unit else "%{x}: %{y:.0%}"
        common = {"type": "scatter", "mode": "lines+markers", "marker": mark, "hovertemplate": hover}
        solid, dashed = slice(0, lived + 1), slice(lived, None)
        title = short([str(name)], MAX_LOG_LETTERS)[0]
        traces += [
            dict(**common, x=months[solid], y=values[solid], line=looks, name=title, legendgroup=title),
            dict(
                **common,
                x=months[dashed],
                y=values[dashed],
                line={**looks, "dash": "dot"},
                name=title,
                legendgroup=title,
                showlegend=False,
            ),
        ]
    if unit:
        y = {
            "title": t("acquisition.chart.cumulative", unit=unit),
            "rangemode": "tozero",
            **value_ticks(curves["value"]),
        }
    else:
        top = min(HIGHEST_SHARE, max(1.1, 1.08 * float(curves["value"].max())))
        y = {"title": t("acquisition.chart.recovered"), "tickformat": ".0%", "range": [0, top]}
    return drawn(
        traces,
        message,
        x={"title": t("acquisition.chart.month"), "rangemode": "tozero"},
        y=y,
        marks=[] if unit else [horizontal(1.0, DOTTED)],
        height=400,
    )


def cohorts(rows: pd.DataFrame, value: str, message: str) -> Chart:
    """Draw a figure of each group and month of acquisition as a grid; months with too few customers have no number.

    ``rows`` has ``name``, ``cohort``, ``customers``, ``enough`` and the column of the figure, one row a group and
    month.
    """
    months, names = sorted(rows["cohort"].unique()), list(dict.fromkeys(rows["name"]))
    shown = rows.assign(figure=rows[value].where(rows["enough"] & np.isfinite(rows[value])))
    grid = shown.pivot(index="name", columns="cohort", values="figure").reindex(index=names, columns=months).to_numpy()
    sizes = rows.pivot(index="name", columns="cohort", values="customers").reindex(index=names, columns=months)
    size = sizes.to_numpy(np.float64)
    text = [["" if np.isnan(cell) else say(cell, 2) for cell in row] for row in grid]
    hover = [
        [
            t("acquisition.chart.cell", group=names[i], month=months[k], customers=f"{size[i, k]:,.0f}")
            for k in range(len(months))
        ]
        for i in range(len(names))
    ]
    largest = float(np.nanmax(grid)) if np.isfinite(grid).any() else 1.0
    hover_template = "%{customdata}: %{text}<extra></extra>"
    cells = grid_cells(grid, text, hover, most=largest, x=months, y=short(names), hovertemplate=hover_template)
    return drawn(
        [cells],
        message,
        x={
            "title": t("acquisition.chart.cohort"),
            "type": "category",
            "showgrid": False,
            "autotickangles": [0, -45, 90],
        },
        y={"type": "category", "autorange": "reversed", "showgrid": False},
        legend=False,
        height=130 + 36 * len(names),
    )
