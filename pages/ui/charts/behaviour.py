"""Charts of how customers behaved: all of it happened, so its colour is that of what is actual.

Same rules as in ``drawing``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pages.ui.charts.drawing import (
    ACTUAL,
    DOTTED,
    OTHER,
    PALER,
    PALEST_LINE,
    RAMP,
    RAMP_SCALE,
    Chart,
    drawn,
    value_ticks,
    vertical,
)
from pages.ui.charts.names import FEW, short
from pages.ui.i18n import percent, say, t


def heat_map(
    values: pd.DataFrame, texts: pd.DataFrame, hover: pd.DataFrame, message: str, *, axes: tuple[str, str]
) -> Chart:
    """Draw a table as a heat map; cells without a value stay empty.

    Args:
        values: what the colour shows, its index the rows from top to bottom.
        texts: what is written in each cell.
        hover: what is said of each cell.
        message: what the chart shows, in words.
        axes: titles of the columns and of the rows.
    """
    shown = texts.to_numpy() if values.size <= 260 else None
    cells = values.to_numpy(float)
    known = cells[np.isfinite(cells)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    squares = dict(
        type="heatmap",
        z=cells,
        zmin=low,
        zmax=low + (high - low) * (PALER if shown is not None else 1) if high > low else low + 1,
        x=values.columns.astype(str),
        y=short(values.index),
        text=shown,
        texttemplate="%{text}" if shown is not None else None,
        textfont={"color": ACTUAL},
        customdata=hover.to_numpy(),
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        colorscale=RAMP_SCALE,
        showscale=shown is None,
        colorbar={"tickformat": ".0%", "thickness": 10, "len": 0.5, "outlinewidth": 0},
        xgap=2,
        ygap=2,
    )
    x = {"title": axes[0], "type": "category", "showgrid": False}
    y = {"title": axes[1], "type": "category", "autorange": "reversed", "showgrid": False}
    return drawn([squares], message, x=x, y=y, legend=False, height=table_height(len(values)))


def table_height(rows: int) -> int:
    """Return the height of a heat map, pixels."""
    return max(340, 90 + 24 * rows)


def cohort_curves(
    cells: pd.DataFrame, mean: pd.DataFrame, message: str, *, unit: str, axis: str, names: dict[Any, str], height: int
) -> Chart:
    """Draw cumulative net revenue per customer, one line a cohort, and all of them together.

    Args:
        cells: columns ``cohort``, ``age``, ``per_customer``.
        mean: columns ``age``, ``per_customer``.
        message: what the chart shows, in words.
        unit: of money.
        axis: title of the age axis.
        names: of the cohorts.
        height: of the chart, pixels.
    """
    traces = []
    groups = [(cohort, part) for cohort, part in cells.groupby("cohort") if len(part) > 1]
    for place, (cohort, part) in enumerate(groups):
        traces.append(
            dict(
                type="scatter",
                x=part["age"],
                y=part["per_customer"],
                name=names[cohort],
                mode="lines",
                line={"color": RAMP[PALEST_LINE + round(3 * place / max(1, len(groups) - 1))], "width": 1.4},
                showlegend=place in (0, len(groups) - 1),
                hovertemplate="%{y:,.2f}",
            )
        )
    together = dict(
        type="scatter",
        x=mean["age"],
        y=mean["per_customer"],
        name=t("chart.all_cohorts"),
        mode="lines",
        line={"color": ACTUAL, "width": 3},
        hovertemplate="%{y:,.2f}",
    )
    shown = value_ticks(mean["per_customer"], *(part["per_customer"] for _, part in groups))
    y = {"title": t("chart.cumulative", unit=unit), "rangemode": "tozero", **shown}
    return drawn([*traces, together], message, x={"title": axis}, y=y, height=height)


def gap_bars(table: pd.DataFrame, message: str, median: float) -> Chart:
    """Draw how many purchases came how long after the one before, and where the middle lies.

    Args:
        table: columns ``low``, ``high`` (days, both counted), ``count``.
        message: what the chart shows, in words.
        median: of the gaps, days.
    """
    width = int((table["high"] - table["low"]).iloc[0]) + 1
    gaps = dict(
        type="bar",
        x=table["low"] + (width - 1) / 2,
        y=table["count"],
        width=width,
        marker={"color": ACTUAL, "line": {"width": 0}},
        customdata=table[["low", "high"]],
        hovertemplate=t("chart.gap_hover") + "<extra></extra>",
    )
    place = {"xref": "x", "x": median, "xanchor": "left", "yref": "y domain", "y": 1, "yanchor": "top"}
    return drawn(
        [gaps],
        message,
        x={"title": t("chart.gap_days")},
        y={"title": t("chart.purchase_days"), **value_ticks(table["count"])},
        lines=[vertical(median, DOTTED)],
        notes=[{**place, "text": t("chart.median", days=say(median))}],
        legend=False,
        bargap=0,
    )


def back_curves(curve: pd.DataFrame, message: str) -> Chart:
    """Draw the share of buyers who have bought again, by days since a purchase.

    Args:
        curve: columns ``after`` (``first``, ``later``), ``days``, ``share``.
        message: what the chart shows, in words.
    """
    traces = []
    for after, line in (("first", {"color": ACTUAL, "width": 2.5}), ("later", {"color": OTHER, "width": 2.5})):
        part = curve[curve["after"] == after]
        if part.empty:
            continue
        traces.append(
            dict(
                type="scatter",
                x=part["days"],
                y=part["share"],
                name=t(f"chart.after_{after}"),
                mode="lines",
                line={**line, "shape": "hv", "dash": "solid" if after == "first" else "dot"},
                hovertemplate="%{y:.1%}",
            )
        )
    x = {"title": t("chart.days_since_purchase"), "rangemode": "tozero", "dtick": 30}
    y = {"title": t("chart.share_back"), "tickformat": ".0%", "rangemode": "tozero"}
    return drawn(traces, message, x=x, y=y)


def lorenz(curve: pd.DataFrame, message: str) -> Chart:
    """Draw the share of net revenue held by the buyers with most of it.

    Args:
        curve: columns ``share_of_buyers``, ``share_of_value``.
        message: what the chart shows, in words.
    """
    held = dict(
        type="scatter",
        x=curve["share_of_buyers"],
        y=curve["share_of_value"],
        name=t("chart.held"),
        mode="lines",
        line={"color": ACTUAL, "width": 3},
        hovertemplate=t("chart.held_hover", buyers="%{x:.0%}", value="%{y:.1%}") + "<extra></extra>",
    )
    name = t("chart.all_alike")
    alike = dict(type="scatter", x=[0, 1], y=[0, 1], name=name, mode="lines", line=DOTTED, hoverinfo="skip")
    return drawn(
        [held, alike],
        message,
        x={"title": t("chart.share_of_buyers"), "tickformat": ".0%", "range": [0, 1], "dtick": 0.2},
        y={"title": t("chart.share_of_net"), "tickformat": ".0%", "range": [0, 1.02]},
    )


def bars(
    table: pd.DataFrame, message: str, *, axis: str, shares: bool = False, level: str = "", upright: bool = False
) -> Chart:
    """Draw one bar a row, lying unless the rows are steps of a scale.

    Args:
        table: columns ``label``, ``value``, ``text`` (beside the bar), ``hover``.
        message: what the chart shows, in words.
        axis: title of the value axis, with its unit.
        shares: whether values are shares.
        level: title of the axis of labels.
        upright: whether bars stand.
    """
    labels = short(table["label"], FEW)
    place = {"x": labels, "y": table["value"]} if upright else {"y": labels, "x": table["value"]}
    trace = dict(
        type="bar",
        **place,
        orientation="v" if upright else "h",
        marker={"color": ACTUAL},
        text=table["text"],
        textposition="outside" if upright else "auto",
        cliponaxis=False,
        customdata=table[["hover"]],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    low, high = min(0.0, float(table["value"].min())), max(float(table["value"].max()), 1e-9)
    reach = {"range": [low * 1.2, high * 1.18]} | ({"tickformat": ".0%"} if shares else value_ticks([low, high]))
    names = {"type": "category", "title": level or None, "showgrid": False}
    size = {"title": axis, **reach}
    if upright:
        return drawn([trace], message, x=names, y=size, legend=False)
    height = max(220, 90 + 30 * len(table))
    return drawn([trace], message, x=size, y={**names, "autorange": "reversed"}, legend=False, height=height)


def shares_text(values: pd.DataFrame) -> pd.DataFrame:
    """Return shares as they are written into cells."""
    return values.map(lambda share: "" if pd.isna(share) else percent(share))
