"""Charts of how customers behaved, over time and among each other. Same rules as in ``drawing``.

All of it is history without a prediction to compare: the brand's colour draws it, not ink. A bucket of time that the
period covers only in part is drawn pale and labelled so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.plot import (
    ACTUAL,
    BASELINE,
    DOTTED,
    HISTORY,
    MAX_LOG_LETTERS,
    OTHER,
    PALER,
    Chart,
    Looks,
    drawn,
    grid_cells,
    short,
    value_ticks,
    vertical,
)
from pages.ui.i18n import percent, say, t

MAX_CELLS: Final = 260
"""A chart of half a page shows no text in more cells: the numbers would overlap."""
MAX_COLUMNS: Final = 26
"""Nor does one of the page's width with more columns."""
REACH: Final = 90
"""Pixels from the middle of a cell in which a click still means it: half of the widest."""
PARTIAL_OPACITY: Final = 0.35
"""Opacity of a bucket that the period covers only in part: visible, but not to be compared. A guess."""
DATES: Final = {"day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m", "quarter": "%Y-%m"}


def heat_map(
    values: pd.DataFrame,
    texts: pd.DataFrame,
    hover: pd.DataFrame,
    message: str,
    *,
    axes: tuple[str, str],
    wide: bool = False,
    clicked: bool = False,
) -> Chart:
    """Draw a table as a heat map; cells without a value stay empty.

    ``values`` is the colour, its index the rows from top to bottom; ``axes`` are the titles of columns and rows; a
    ``wide`` chart has the page's width. Where it may be ``clicked``, each cell has an unseen point over it, row by row:
    a browser selects points, not cells.
    """
    fits = values.shape[1] <= MAX_COLUMNS if wide else values.size <= MAX_CELLS
    shown = texts.to_numpy() if fits else None
    cells = values.to_numpy(float)
    finite = cells[np.isfinite(cells)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    looks: dict[str, Any] = {
        "zmin": low,
        "zmax": low + (high - low) * (PALER if shown is not None else 1) if high > low else low + 1,
        "texttemplate": "%{text}" if shown is not None else None,
        "hoverongaps": False,
        "showscale": shown is None,
        "colorbar": {"tickformat": ".0%", "thickness": 10, "len": 0.5, "outlinewidth": 0},
    }
    columns, rows = values.columns.astype(str), short(values.index)
    squares = grid_cells(cells, shown, hover.to_numpy(), x=columns, y=rows, **looks)
    x = {"title": axes[0], "type": "category", "showgrid": False}
    y = {"title": axes[1], "type": "category", "autorange": "reversed", "showgrid": False}
    chart = drawn(
        [squares, *([_points(list(columns), rows, cells, hover)] if clicked else [])],
        message,
        x=x,
        y=y,
        legend=False,
        height=max(340, 90 + 24 * len(values)),
    )
    if clicked:
        chart.figure.update_layout(hovermode="closest", hoverdistance=REACH)
    return chart


def _points(columns: Sequence[str], rows: Sequence[str], cells: np.ndarray, hover: pd.DataFrame) -> Looks:
    """Return a point over each cell that has a value, [j * k]."""
    return dict(
        type="scatter",
        mode="markers",
        x=np.tile(columns, len(rows)),
        y=[row if there else None for row, line in zip(rows, np.isfinite(cells), strict=True) for there in line],
        marker={"symbol": "square-open", "opacity": 0, "size": 22, "color": ACTUAL, "line": {"width": 2}},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0}},
        customdata=hover.to_numpy().reshape(-1, 1),
        hovertemplate="%{customdata[0]}<extra></extra>",
        showlegend=False,
    )


def cohort_curves(
    cells: pd.DataFrame, mean: pd.DataFrame, message: str, *, unit: str, axis: str, names: dict[Any, str]
) -> Chart:
    """Draw cumulative net revenue per customer: all cohorts together, and thin behind that each one.

    ``cells`` has ``cohort``, ``age`` and ``per_customer``, ``mean`` the last two; ``axis`` is the title of the ages.
    """
    groups = [(cohort, part) for cohort, part in cells.groupby("cohort") if len(part) > 1]
    lines: list[Looks] = [
        dict(
            type="scatter",
            x=part["age"],
            y=part["per_customer"],
            name=t("chart.one_cohort"),
            mode="lines",
            line={"color": BASELINE, "width": 1},
            showlegend=place == 0,
            hovertemplate=names[cohort] + ": %{y:,.2f}<extra></extra>",
        )
        for place, (cohort, part) in enumerate(groups)
    ]
    together = dict(
        type="scatter",
        x=mean["age"],
        y=mean["per_customer"],
        name=t("chart.all_cohorts"),
        mode="lines",
        line={"color": HISTORY, "width": 3},
        hovertemplate="%{y:,.2f}",
    )
    shown = value_ticks(mean["per_customer"], *(part["per_customer"] for _, part in groups))
    y = {"title": t("chart.cumulative", unit=unit), "rangemode": "tozero", **shown}
    return drawn([*lines, together], message, x={"title": axis}, y=y)


def gap_bars(table: pd.DataFrame, message: str, median: float) -> Chart:
    """Draw how many purchases came how long after the one before, and where the middle lies.

    ``table`` has ``low``, ``high`` (days, both counted) and ``count``.
    """
    width = int((table["high"] - table["low"]).head(1).sum()) + 1
    gaps = dict(
        type="bar",
        x=table["low"] + (width - 1) / 2,
        y=table["count"],
        width=width,
        marker={"color": HISTORY, "line": {"width": 0}},
        customdata=table[["low", "high"]],
        hovertemplate=t("chart.gap_hover") + "<extra></extra>",
    )
    place = {"xref": "x", "x": median, "xanchor": "left", "yref": "y domain", "y": 1, "yanchor": "top"}
    chart = drawn(
        [gaps],
        message,
        x={"title": t("chart.gap_days")},
        y={"title": t("chart.purchase_days"), **value_ticks(table["count"])},
        marks=[vertical(median, DOTTED), {**place, "text": t("chart.median", days=say(median))}],
        legend=False,
    )
    chart.figure.update_layout(bargap=0)
    return chart


def back_curves(curve: pd.DataFrame, message: str) -> Chart:
    """Draw the share of buyers who have bought again, by days since a purchase.

    ``curve`` has ``after`` (``first``, ``later``), ``days`` and ``share``.
    """
    traces = []
    for after, line in (("first", {"color": HISTORY, "width": 2.5}), ("later", {"color": OTHER, "width": 2.5})):
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

    ``curve`` has ``share_of_buyers`` and ``share_of_value``.
    """
    line = dict(
        type="scatter",
        x=curve["share_of_buyers"],
        y=curve["share_of_value"],
        name=t("chart.held"),
        mode="lines",
        line={"color": HISTORY, "width": 3},
        hovertemplate=t("chart.held_hover", buyers="%{x:.0%}", value="%{y:.1%}") + "<extra></extra>",
    )
    name = t("chart.all_alike")
    equal = dict(type="scatter", x=[0, 1], y=[0, 1], name=name, mode="lines", line=DOTTED, hoverinfo="skip")
    return drawn(
        [line, equal],
        message,
        x={"title": t("chart.share_of_buyers"), "tickformat": ".0%", "range": [0, 1], "dtick": 0.2},
        y={"title": t("chart.share_of_net"), "tickformat": ".0%", "range": [0, 1.02]},
    )


def bars(
    table: pd.DataFrame, message: str, *, axis: str, shares: bool = False, level: str = "", upright: bool = False
) -> Chart:
    """Draw one bar a row, lying unless the rows are steps of a scale.

    ``table`` has ``label``, ``value``, ``text`` (next to the bar) and ``hover``; ``axis`` is the title of values,
    ``level`` that of labels.
    """
    labels = short(table["label"], MAX_LOG_LETTERS)
    place = {"x": labels, "y": table["value"]} if upright else {"y": labels, "x": table["value"]}
    trace = dict(
        type="bar",
        **place,
        orientation="v" if upright else "h",
        marker={"color": HISTORY},
        text=table["text"],
        textposition="outside",
        cliponaxis=False,
        customdata=table[["hover"]],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    low, high = float(min([0.0, *table["value"]])), float(max([1e-9, *table["value"]]))
    reach = {"range": [low * 1.2, high * (1.18 if upright else 1.3)]} | (
        {"tickformat": ".0%"} if shares else value_ticks([low, high])
    )
    names = {"type": "category", "title": level or None, "showgrid": False}
    size = {"title": axis, **reach}
    if upright:
        return drawn([trace], message, x=names, y=size, legend=False)
    height = max(220, 90 + 30 * len(table))
    return drawn([trace], message, x=size, y={**names, "autorange": "reversed"}, legend=False, height=height)


def shares_text(values: pd.DataFrame) -> pd.DataFrame:
    """Return shares as they are written into cells."""
    return values.map(lambda share: "" if pd.isna(share) else percent(share))


def revenue_bars(table: pd.DataFrame, message: str, *, unit: str, time_unit: str) -> Chart:
    """Draw net revenue over time.

    ``table`` has ``bucket``, ``label``, ``net`` and ``complete``.
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
                marker={"color": HISTORY},
                opacity=1 if complete else PARTIAL_OPACITY,
                customdata=rows[["label"]],
                hovertemplate="%{customdata[0]}: %{y:,.2f}<extra></extra>",
            )
        )
    y = {"title": t("chart.net_revenue_by", unit=unit), "rangemode": "tozero", **value_ticks(table["net"])}
    return drawn(traces, message, x=_time_axis(table, time_unit), y=y, legend=not table["complete"].all())


def people_lines(table: pd.DataFrame, message: str, *, kinds: list[str], time_unit: str) -> Chart:
    """Draw how many customers did anything, bought, and had bought before.

    ``table`` has ``bucket``, ``label``, ``complete`` and ``kinds``: of ``customers``, ``buyers``, ``known_buyers``
    some, in this order.
    """
    styles = {
        "customers": {"color": BASELINE, "width": 2},
        "buyers": {"color": HISTORY, "width": 2.5},
        "known_buyers": {"color": OTHER, "width": 2, "dash": "dot"},
    }
    complete = table[table["complete"]] if table["complete"].any() else table
    traces = [
        dict(
            type="scatter",
            x=complete["bucket"],
            y=complete[kind],
            name=t(f"chart.{kind}"),
            mode="lines+markers" if len(complete) < 20 else "lines",
            line=styles[kind],
            customdata=complete[["label"]],
            hovertemplate="%{customdata[0]}: %{y:,}",
        )
        for kind in kinds
    ]
    y = {"title": t("chart.customers"), "rangemode": "tozero", **value_ticks(complete[kinds])}
    return drawn(traces, message, x=_time_axis(table, time_unit), y=y)


def rating_line(table: pd.DataFrame, message: str, *, time_unit: str) -> Chart:
    """Draw the mean rating over time.

    ``table`` has ``bucket``, ``label``, ``mean`` and ``ratings``.
    """
    line = dict(
        type="scatter",
        x=table["bucket"],
        y=table["mean"],
        mode="lines+markers" if len(table) < 20 else "lines",
        line={"color": HISTORY, "width": 2.5},
        customdata=table[["label", "ratings"]],
        hovertemplate=t("chart.rating_hover") + "<extra></extra>",
    )
    middle, low, high = np.nan_to_num([table["mean"].mean(), table["mean"].min(), table["mean"].max()]).tolist()
    span = [min(low - 0.2, middle - 0.5), max(high + 0.2, middle + 0.5)]
    y = {"title": t("chart.mean_rating"), "range": span}
    return drawn([line], message, x=_time_axis(table, time_unit), y=y, legend=False)


def _time_axis(table: pd.DataFrame, time_unit: str) -> Looks:
    few = {"tickvals": table["bucket"]} if len(table) <= 8 else {}
    return {"title": t(f"chart.by.{time_unit}"), "tickformat": DATES[time_unit], **few}
