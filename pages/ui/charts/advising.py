"""Charts of recommendations and prices. Same rules as in ``drawing``."""

from __future__ import annotations

import pandas as pd

from pages.ui.charts.drawing import BASELINE, PREDICTED, RAMP, Chart, drawn, vertical
from pages.ui.charts.names import FEW, short
from pages.ui.i18n import t


def price_levels(table: pd.DataFrame, message: str) -> Chart:
    """Draw how dear the recommended products of each tier are within their categories.

    Args:
        table: name (of the tier) and level, 0 to 1, the highest tier first.
        message: what the chart shows, in words.
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


def responses(table: pd.DataFrame, message: str) -> Chart:
    """Draw by how much more is sold at a price that is 10% lower, with its interval, one line a category.

    Args:
        table: name, more, low, high (shares), the first at the top.
        message: what the chart shows, in words.
    """
    rows = table.iloc[::-1]
    dots = dict(
        type="scatter",
        x=100 * rows["more"],
        y=short(rows["name"], FEW),
        customdata=rows[["name"]],
        mode="markers",
        marker={"color": PREDICTED, "size": 9},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": 100 * (rows["high"] - rows["more"]),
            "arrayminus": 100 * (rows["more"] - rows["low"]),
            "color": BASELINE,
        },
        hovertemplate="%{customdata[0]}: %{x:+.0f}%<extra></extra>",
    )
    return drawn(
        [dots],
        message,
        x={"title": t("price.chart.axis"), "ticksuffix": "%"},
        y={"ticklabelstandoff": 6},
        lines=[vertical(0, {"color": BASELINE, "dash": "dash", "width": 1})],
        legend=False,
        height=460,
    )
