"""Charts of recommendations and prices. Same rules as in ``basic``."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from pages.ui.charts.basic import BASELINE, PREDICTED, RAMP, finish
from pages.ui.state import t


def price_levels(table: pd.DataFrame, message: str) -> go.Figure:
    """Draw how dear the recommended products of each tier are within their categories.

    Args:
        table: name (of the tier) and level, 0 to 1, the highest tier first.
        message: what the chart shows, in words.
    """
    figure = go.Figure()
    colours = [RAMP[max(0, 8 - 2 * place)] for place in range(len(table))]
    figure.add_bar(
        x=table["name"],
        y=100 * table["level"],
        marker_color=colours,
        text=[str(shown(level)) for level in table["level"]],
        hovertemplate="%{x}: %{y:.0f}<extra></extra>",
    )
    figure.update_xaxes(title=t("column.tier"))
    figure.update_yaxes(title=t("recommend.chart.axis"), range=[0, 100])
    return finish(figure, message, legend=False)


def shown(level: float) -> int:
    """Return a price level, 0 to 1, as bars say it: 0 to 100."""
    return int(f"{100 * level:.0f}")


def responses(table: pd.DataFrame, message: str) -> go.Figure:
    """Draw by how much more is sold at a price that is 10% lower, with its interval, one line a category.

    Args:
        table: name, more, low, high (shares), the first at the top.
        message: what the chart shows, in words.
    """
    rows = table.iloc[::-1]
    figure = go.Figure()
    figure.add_scatter(
        x=100 * rows["more"],
        y=rows["name"],
        mode="markers",
        marker={"color": PREDICTED, "size": 9},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": 100 * (rows["high"] - rows["more"]),
            "arrayminus": 100 * (rows["more"] - rows["low"]),
            "color": BASELINE,
        },
        hovertemplate="%{y}: %{x:+.0f}%<extra></extra>",
    )
    figure.add_vline(x=0, line={"color": BASELINE, "dash": "dash", "width": 1})
    figure.update_xaxes(title=t("price.chart.axis"), ticksuffix="%")
    figure.update_yaxes(automargin=True, ticklabelstandoff=6)
    return finish(figure, message, legend=False)
