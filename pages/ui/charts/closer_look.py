"""Charts of single reasons: over their reading, between groups, over a customer's events, and what-if curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pages.ui.charts.drawing import (
    BASELINE,
    DANGER,
    EDGE,
    EFFECT_SCALE,
    GAIN,
    PREDICTED,
    RAMP_SCALE,
    Chart,
    Wide,
    drawn,
    horizontal,
    value_ticks,
)
from pages.ui.charts.explanations import level_bar
from pages.ui.charts.names import MOST, cut
from pages.ui.i18n import say, t


def dependence(points: pd.DataFrame, message: str, *, reading: str, axis: str, other: str | None) -> Chart:
    """Draw one dot a customer: what a reason adds over its reading, coloured by another reason's level.

    Args:
        points: columns ``reading`` (number or text), ``effect``, ``other`` (0 lowest to 1 highest).
        message: what the chart shows, in words.
        reading: what is read, for the axis.
        axis: what the effect is on, with its unit.
        other: what is read of the reason that colours; None draws all alike.
    """
    text = not pd.api.types.is_numeric_dtype(points["reading"])
    wide = None if text else _wide(points["reading"].to_numpy(float))
    x = points["reading"] if wide is None else wide.places(points["reading"])
    marker: dict[str, Any] = {"size": 7, "color": PREDICTED, "line": EDGE}
    if other is not None:
        marker |= {"color": points["other"], "colorscale": RAMP_SCALE, "cmin": 0, "cmax": 1}
        marker |= {"colorbar": level_bar(cut(other, 2 * MOST)), "showscale": True}
    dots = dict(
        type="scatter",
        x=x,
        y=points["effect"],
        mode="markers",
        marker=marker,
        customdata=points[["reading", "effect"]].astype(object),
        hovertemplate="%{customdata[0]}: %{customdata[1]:+,.2f}<extra></extra>",
    )
    return drawn(
        [dots],
        message,
        x={"title": reading, **({} if wide is None else wide.ticks(points["reading"]))},
        y={"title": axis, **value_ticks(points["effect"])},
        lines=[horizontal(0, {"color": BASELINE, "width": 1})],
        legend=False,
        height=380 if other is None else 440,
    )


def difference_bars(table: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw what makes one group differ from another, the largest difference on top.

    Args:
        table: columns ``label`` and ``difference``, in the order to be shown.
        message: what the chart shows, in words.
        unit: of the difference.
    """
    rows = table.iloc[::-1]
    bars = dict(
        type="bar",
        x=rows["difference"],
        y=rows["label"],
        orientation="h",
        marker={"color": [GAIN if value >= 0 else DANGER for value in rows["difference"]]},
        text=[f"{'+' if value >= 0 else '−'}{say(abs(value))}" for value in rows["difference"]],
        textposition="outside",
        cliponaxis=False,
    )
    low, high = min(0.0, float(rows["difference"].min())), max(0.0, float(rows["difference"].max()))
    room = 0.16 * max(high - low, 1e-9)
    span = [low - 2 * room * (low < 0), high + room]  # on the left the bars' names stand, which a number must not touch
    x = {"title": t("chart.difference", unit=unit), "range": span, **value_ticks(span)}
    return drawn([bars], message, x=x, y={}, legend=False, height=110 + 30 * len(rows))


def event_heat(table: pd.DataFrame, labels: list[str], message: str, *, unit: str) -> Chart:
    """Draw what each event adds to a customer's value, the latest on the right.

    Args:
        table: one row for each thing that an event tells (index: its name), one column an event.
        labels: of the events, in order.
        message: what the chart shows, in words.
        unit: of the effect.
    """
    values = table.to_numpy(float)
    reach = max(float(np.abs(values).max(initial=0.0)), 1e-9)
    cells = dict(
        type="heatmap",
        z=values,
        x=list(range(len(labels))),
        y=list(table.index),
        colorscale=EFFECT_SCALE,
        zmin=-reach,
        zmax=reach,
        xgap=2,
        ygap=2,
        customdata=np.broadcast_to(np.array(labels, object), values.shape),
        hovertemplate="%{customdata}<br>%{y}: %{z:+,.2f}<extra></extra>",
        colorbar={"title": {"text": unit, "side": "top"}, "len": 0.9},
    )
    step = max(1, -(-len(labels) // 14))
    places = list(range(len(labels) - 1, -1, -step))[::-1]
    texts = [labels[place] for place in places]
    return drawn(
        [cells],
        message,
        x={"tickvals": places, "ticktext": texts, "tickangle": -40, "showgrid": False},
        y={"autorange": "reversed", "showgrid": False},
        legend=False,
        height=170 + 38 * len(table),
    )


def _wide(values: np.ndarray) -> Wide | None:
    """Return the axis for readings of which a few are so large that the rest could not be told apart on an even one."""
    size = np.abs(values)
    if not (size.max(initial=0.0) > 10 and size.max() > 8 * max(float(np.median(size)), 1e-9)):
        return None
    return Wide(max(0, Wide.of(values).power))
