"""Charts of segments: the quadrant, the RFM grid, movement, realised against predicted, two schemes side by side."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.ui.charts.basic import ACTUAL, BASELINE, DOTTED, GAIN, PALER, PREDICTED, WARNING, finish, value_ticks
from pages.ui.charts.behaviour import SCALE
from pages.ui.state import percent, say, t

QUADRANT_COLOURS: Final = (PREDICTED, GAIN, WARNING, BASELINE)
POINTS_SHOWN: Final = 2000


def quadrant(
    points: pd.DataFrame, cuts: tuple[float, float], names: list[str], message: str, *, axis: str
) -> go.Figure:
    """Draw customers by their chance not to buy and their value, with the two cuts.

    Args:
        points: columns ``risk`` (0 to 1), ``value``, ``place`` (of the segment), ``customer_id``.
        cuts: risk and value at which the segments meet.
        names: of the segments, in the order of ``place``.
        message: what the chart shows, in words.
        axis: title of the value axis, with its unit.
    """
    shown = points if len(points) <= POINTS_SHOWN else points.sample(POINTS_SHOWN, random_state=1)
    figure = go.Figure()
    for place, name in enumerate(names):
        own = shown[shown["place"] == place]
        figure.add_scatter(
            x=own["risk"],
            y=np.log1p(np.maximum(own["value"], 0)),
            mode="markers",
            name=name,
            marker={"size": 6, "opacity": 0.75, "color": QUADRANT_COLOURS[place]},
            customdata=own[["customer_id", "value"]],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]:,.2f} · %{x:.0%}<extra></extra>",
        )
    figure.add_vline(x=cuts[0], line=DOTTED)
    figure.add_hline(y=float(np.log1p(max(cuts[1], 0))), line=DOTTED)
    figure.update_xaxes(title=t("chart.risk"), tickformat=".0%", range=[-0.02, 1.02])
    seen = np.maximum([*points["value"], cuts[1]], 0)
    low, high = float(np.quantile(seen, 0.002)), float(seen.max())
    ticks = [step * 10.0**power for power in range(-1, 9) for step in (1, 2, 5)]
    shown_ticks = [0.0, *(tick for tick in ticks if low * 0.8 <= tick <= high * 1.1)]
    places = np.log1p(shown_ticks)
    figure.update_yaxes(
        title=axis,
        tickvals=places.tolist(),
        ticktext=[say(tick) for tick in shown_ticks],
        range=[0.97 * float(np.log1p(low)) - 0.05, 1.02 * float(np.log1p(high)) + 0.05],
    )
    return finish(figure, message, height=420)


def matrix(
    counts: NDArray[np.int64],
    rows: list[str],
    columns: list[str],
    message: str,
    *,
    axes: tuple[str, str],
    value: NDArray[np.float64] | None = None,
) -> go.Figure:
    """Draw a cross table: the colour is the share of the row, the text the number of customers.

    Args:
        counts: customers, [j, k].
        rows: names of the rows.
        columns: names of the columns.
        message: what the chart shows, in words.
        axes: titles of the columns and of the rows.
        value: their predicted value, said on hover, [j, k].
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
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=_short(columns),
            y=_short(rows),
            text=[[f"{many:,}" if many else "" for many in row] for row in counts],
            texttemplate="%{text}",
            textfont_color=ACTUAL,
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            colorscale=SCALE,
            zmin=0,
            zmax=PALER,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    figure.update_xaxes(title=axes[0], type="category", showgrid=False, tickangle=-30 if len(columns) > 6 else 0)
    figure.update_yaxes(title=axes[1], type="category", autorange="reversed", showgrid=False)
    return finish(figure, message, legend=False, height=max(320, 130 + 38 * len(rows)))


def realised_bars(table: pd.DataFrame, message: str, *, unit: str) -> go.Figure:
    """Draw what each segment was predicted to bring beside what it brought.

    Args:
        table: columns ``name``, ``predicted``, ``low``, ``high`` (NaN where unknown), ``actual``.
        message: what the chart shows, in words.
        unit: of the values.
    """
    figure = go.Figure()
    known = table["high"].notna().all()
    error = {
        "type": "data",
        "array": (table["high"] - table["predicted"]).tolist(),
        "arrayminus": (table["predicted"] - table["low"]).tolist(),
        "color": BASELINE,
    }
    for column, colour in (("predicted", PREDICTED), ("actual", ACTUAL)):
        figure.add_bar(
            x=table[column],
            y=_short(table["name"].tolist()),
            orientation="h",
            name=t(f"chart.{column}"),
            marker_color=colour,
            error_x=error if known and column == "predicted" else None,
            customdata=table[["name"]],
            hovertemplate="%{customdata[0]}: %{x:,.2f}<extra></extra>",
        )
    figure.update_xaxes(title=t("chart.value", unit=unit), **value_ticks(table[["predicted", "high", "actual"]]))
    figure.update_yaxes(autorange="reversed", automargin=True)
    return finish(figure, message, height=120 + 62 * len(table))


def grid(counts: NDArray[np.int64], names: list[list[str]], message: str) -> go.Figure:
    """Draw the RFM grid: buyers by recency, and by frequency and monetary value together.

    Args:
        counts: buyers, recency 1 to 5 by frequency and monetary value 1 to 5, [5, 5].
        names: what each cell is called, [5][5].
        message: what the chart shows, in words.
    """
    share = counts / max(1, counts.sum())
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=[1, 2, 3, 4, 5],
            y=[1, 2, 3, 4, 5],
            text=[[f"{names[i][k]}<br>{counts[i, k]:,}" for k in range(5)] for i in range(5)],
            texttemplate="%{text}",
            textfont_color=ACTUAL,
            hovertemplate="%{text}<br>%{z:.1%}<extra></extra>",
            colorscale=SCALE,
            zmin=0,
            zmax=PALER * float(share.max()),
            showscale=False,
            xgap=3,
            ygap=3,
        )
    )
    figure.update_xaxes(title=t("chart.rfm.frequency"), showgrid=False, dtick=1)
    figure.update_yaxes(title=t("chart.rfm.recency"), showgrid=False, dtick=1)
    return finish(figure, message, legend=False, height=430)


def _short(names: list[str], most: int = 26) -> list[str]:
    """Return names that fit beside an axis, still apart from each other."""
    found: list[str] = []
    for name in names:
        cut = name if len(name) <= most else f"{name[: most - 1]}…"
        found.append(cut if cut not in found else f"{cut} ({len(found) + 1})")
    return found
