"""Charts of segments: the quadrant, the RFM grid, movement, realised against predicted, two schemes side by side."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.plot import (
    ACTUAL,
    BASELINE,
    DOTTED,
    GAIN,
    PREDICTED,
    WARNING,
    Chart,
    drawn,
    grid_cells,
    horizontal,
    in_cell,
    interval,
    short,
    value_ticks,
    vertical,
    wrapped,
)
from pages.ui.i18n import percent, say, t

QUADRANT_COLOURS: Final = (PREDICTED, GAIN, WARNING, BASELINE)
QUADRANT_MARKS: Final = ("circle", "diamond", "square", "x")
"""Shapes in addition to colours: colour-blind readers cannot separate green from grey, or from blue."""
POINTS_SHOWN: Final = 2000
"""Customers in the quadrant chart, sampled at random: more points cover each other."""


def quadrant(points: pd.DataFrame, cuts: tuple[float, float], names: list[str], message: str, *, axis: str) -> Chart:
    """Draw customers by their chance not to buy and their value, with the two cuts.

    ``points`` has ``risk`` (0 to 1), ``value``, ``place`` (of the segment in ``names``) and ``customer_id``; ``cuts``
    are the risk and the value at which segments meet.
    """
    shown = points if len(points) <= POINTS_SHOWN else points.sample(POINTS_SHOWN, random_state=1)
    traces = []
    for place, name in enumerate(names):
        placed = shown[shown["place"] == place]
        traces.append(
            dict(
                type="scatter",
                x=placed["risk"],
                y=np.log1p(np.maximum(placed["value"], 0)),
                mode="markers",
                name=name,
                marker={"size": 6, "color": QUADRANT_COLOURS[place], "symbol": QUADRANT_MARKS[place]},
                customdata=placed[["customer_id", "value"]],
                hovertemplate="%{customdata[0]}<br>%{customdata[1]:,.2f} · %{x:.0%}<extra></extra>",
            )
        )
    seen = np.maximum([*points["value"], cuts[1]], 0)
    low, high = float(np.quantile(seen, 0.002)), float(seen.max())
    ticks = [step * 10.0**power for power in range(-1, 9) for step in (1, 2, 5)]
    shown_ticks = [0.0, *(tick for tick in ticks if low * 0.8 <= tick <= high * 1.1)]
    return drawn(
        traces,
        message,
        x={"title": t("chart.risk"), "tickformat": ".0%", "range": [-0.02, 1.02]},
        y={
            "title": axis,
            "tickvals": np.log1p(shown_ticks).tolist(),
            "ticktext": [say(tick) for tick in shown_ticks],
            "range": [0.97 * float(np.log1p(low)) - 0.05, 1.02 * float(np.log1p(high)) + 0.05],
        },
        marks=[vertical(cuts[0], DOTTED), horizontal(float(np.log1p(max(cuts[1], 0))), DOTTED)],
        height=420,
    )


def matrix(
    counts: NDArray[np.int64],
    rows: list[str],
    columns: list[str],
    message: str,
    *,
    axes: tuple[str, str],
    value: NDArray[np.float64] | None = None,
) -> Chart:
    """Draw a cross table: the colour is the share of the row, the text the number of customers.

    ``counts`` are customers, [j, k], and ``value`` their predicted value, shown on hover; ``axes`` are the
    titles of columns and rows.
    """
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    hover = [
        [
            t(
                "chart.matrix.cell",
                row=rows[i],
                column=columns[k],
                customers=f"{counts[i, k]:,}",
                share=percent(share[i, k]),
            )
            + ("" if value is None else "<br>" + t("chart.matrix.value", value=say(value[i, k])))
            for k in range(len(columns))
        ]
        for i in range(len(rows))
    ]
    text = [[f"{many:,}" if many else "" for many in row] for row in counts]
    cells = grid_cells(share, text, hover, most=1, x=short(columns), y=short(rows))
    return drawn(
        [cells],
        message,
        x={"title": axes[0], "type": "category", "showgrid": False, "autotickangles": [0, -45, 90]},
        y={"title": axes[1], "type": "category", "autorange": "reversed", "showgrid": False},
        legend=False,
        height=max(320, 130 + 38 * len(rows)),
    )


def realised_bars(table: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw predicted next to realised value of each segment.

    ``table`` has ``name``, ``predicted``, ``low``, ``high`` (NaN where unknown) and ``actual``.
    """
    has_range = table["high"].notna().all()
    error = interval(table["predicted"], table["low"], table["high"], BASELINE)
    names = wrapped(table["name"])
    traces = [
        dict(
            type="bar",
            x=table[column],
            y=names,
            orientation="h",
            name=t(f"chart.{column}"),
            marker={"color": colour},
            error_x=error if has_range and column == "predicted" else None,
            customdata=table[["name"]],
            hovertemplate="%{customdata[0]}: %{x:,.2f}<extra></extra>",
        )
        for column, colour in (("predicted", PREDICTED), ("actual", ACTUAL))
    ]
    x = {"title": t("chart.value", unit=unit), **value_ticks(table[["predicted", "high", "actual"]])}
    return drawn(traces, message, x=x, y={"autorange": "reversed"}, height=120 + 62 * len(table))


def grid(counts: NDArray[np.int64], names: list[list[str]], message: str) -> Chart:
    """Draw the RFM grid: buyers by recency, and by frequency and monetary value together.

    ``counts`` are buyers by recency 1 to 5, and by frequency and monetary value 1 to 5, [5, 5], ``names`` their cells.
    """
    share = counts / max(1, counts.sum())
    text = [[f"{in_cell(names[i][k])}<br>{counts[i, k]:,}" for k in range(5)] for i in range(5)]
    hover = [[f"{names[i][k]}<br>{counts[i, k]:,}" for k in range(5)] for i in range(5)]
    places = {"x": [1, 2, 3, 4, 5], "y": [1, 2, 3, 4, 5], "hovertemplate": "%{customdata}<br>%{z:.1%}<extra></extra>"}
    cells = grid_cells(share, text, hover, most=float(share.max()), **places)
    return drawn(
        [cells],
        message,
        x={"title": t("chart.rfm.frequency"), "showgrid": False, "dtick": 1},
        y={"title": t("chart.rfm.recency"), "showgrid": False, "dtick": 1},
        legend=False,
        height=430,
    )
