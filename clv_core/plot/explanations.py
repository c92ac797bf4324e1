"""Charts of reasons and tiers: what moves predicted value, of all, of groups, of one customer; and who holds it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.plot.drawing import (
    BASELINE,
    DANGER,
    EDGE,
    EFFECT_SCALE,
    GAIN,
    PREDICTED,
    RAMP,
    RAMP_SCALE,
    Chart,
    Wide,
    drawn,
    horizontal,
    value_ticks,
    vertical,
)
from clv_core.plot.words import MAX_LETTERS, cut, percent, say, t, wrapped


def reason_bars(table: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw what moves predictions most, the strongest on top.

    ``table`` has ``label`` and ``strength`` (mean absolute effect on the predicted value), the strongest first.
    """
    rows = table.iloc[::-1]
    bars = dict(type="bar", x=rows["strength"], y=rows["label"], orientation="h", marker={"color": PREDICTED})
    x = {"title": t("chart.effect", unit=unit), **value_ticks(table["strength"])}
    return drawn([bars], message, x=x, y={}, legend=False, height=90 + 26 * len(rows))


def beeswarm(table: pd.DataFrame, message: str, *, axis: str) -> Chart:
    """Draw one dot a customer and reason: right adds value, left takes it; colour is low to high for that customer.

    ``table`` has ``label`` (in order of strength), ``effect`` and ``level``, 0 lowest to 1 highest of its reason, NaN
    where the reason has no single value.
    """
    labels = list(dict.fromkeys(table["label"]))[::-1]
    height = table["label"].map({label: position for position, label in enumerate(labels)}).to_numpy(float)
    wide = Wide.of(table.loc[table["label"].isin(labels[-1:]), "effect"], below=0)
    places = wide.places(table["effect"])
    reach = pd.Series(places, table.index)
    place = height + _spread(places, height)
    has_level = table["level"].notna().to_numpy()
    traces = []
    for mask, name in ((~has_level, t("chart.no_level")), (has_level, t("chart.customer"))):
        if not mask.any():
            continue
        marker: dict[str, Any] = {"size": 5, "color": BASELINE, "line": EDGE}
        if name == t("chart.customer"):
            marker |= {"color": table.loc[mask, "level"], "colorbar": level_bar(t("chart.level")), "showscale": True}
            marker |= {"colorscale": RAMP_SCALE, "cmin": 0, "cmax": 1}
        traces.append(
            dict(
                type="scatter",
                x=reach[mask],
                y=place[mask],
                mode="markers",
                marker=marker,
                name=name,
                customdata=table.loc[mask, ["label", "effect"]],
                hovertemplate="%{customdata[0]}: %{customdata[1]:+,.2f}<extra></extra>",
            )
        )
    return drawn(
        traces,
        message,
        x={"title": wrapped([axis])[0], **wide.ticks(table["effect"], plus=True)},
        y={"tickvals": list(range(len(labels))), "ticktext": labels, "showgrid": False, "zeroline": False},
        marks=[vertical(0, {"color": BASELINE, "width": 1})],
        legend=False,
        height=190 + 40 * len(labels),
    )


def waterfall(steps: pd.DataFrame, message: str, *, start: tuple[str, float], end: str, unit: str) -> Chart:
    """Draw how one customer's predicted value comes about from the average.

    ``steps`` has ``label`` and ``effect``, in order; ``start`` is name and value of where all customers start, ``end``
    the name of the sum.
    """
    effects = steps["effect"].tolist()
    labels = [start[0], *steps["label"], end]
    total = start[1] + sum(effects)
    bars = dict(
        type="waterfall",
        orientation="h",
        y=labels,
        x=[start[1], *effects, total],
        measure=["absolute", *["relative"] * len(effects), "total"],
        text=[say(start[1]), *[f"{'+' if value >= 0 else '−'}{say(abs(value))}" for value in effects], say(total)],
        textposition="outside",
        cliponaxis=False,
        increasing={"marker": {"color": GAIN}},
        decreasing={"marker": {"color": DANGER}},
        totals={"marker": {"color": PREDICTED}},
        connector={"line": {"color": BASELINE, "width": 1}},
    )
    reach = np.cumsum([start[1], *effects])
    low, high = min(0.0, float(reach.min())), float(reach.max())
    span = [low * 1.15, high + 0.16 * (high - low)]
    x = {"title": t("chart.value", unit=unit), "range": span, **value_ticks(span, from_zero=False)}
    return drawn([bars], message, x=x, y={"autorange": "reversed"}, legend=False, height=110 + 34 * len(labels))


def tier_bars(table: pd.DataFrame, message: str) -> Chart:
    """Draw each tier's share of customers and its share of predicted value.

    ``table`` has ``tier_label``, ``share_of_customers`` and ``share_of_value``, the highest tier first.
    """
    colours = {"share_of_customers": [BASELINE] * len(table), "share_of_value": tier_colours(len(table))}
    traces = [
        dict(
            type="bar",
            x=table[column],
            y=wrapped(table["tier_label"]),
            orientation="h",
            name=t(f"chart.{column}"),
            marker={"color": colour},
            text=[percent(share) for share in table[column]],
            textposition="outside",
            cliponaxis=False,
        )
        for column, colour in colours.items()
    ]
    most = float(np.nanmax([0.0, *table[list(colours)].max()])) or 1.0
    x = {"title": t("chart.share"), "tickformat": ".0%", "range": [0, 1.1 * most]}
    return drawn(traces, message, x=x, y={"autorange": "reversed"}, height=120 + 62 * len(table))


def tier_colours(tiers: int) -> list[str]:
    """Return one colour a tier from the one ramp, the highest tier the strongest."""
    return [RAMP[round(9 - 8 * position / max(1, tiers - 1))] for position in range(tiers)]


def _spread(x: NDArray[np.float64], row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a vertical offset for each dot, so that dots of the same place do not cover each other."""
    width = max(float(np.ptp(x)) if len(x) else 0.0, 1e-9) / 60
    frame = pd.DataFrame({"row": row, "bin": np.round(x / width)})
    rank = frame.groupby(["row", "bin"]).cumcount().to_numpy()
    crowd = frame.groupby(["row", "bin"])["bin"].transform("size").to_numpy()
    step = np.minimum(0.09, 0.76 / np.maximum(crowd, 1))
    offset: NDArray[np.float64] = np.where(rank % 2 == 0, 1, -1) * ((rank + 1) // 2) * step
    return offset


def dependence(points: pd.DataFrame, message: str, *, reading: str, axis: str, other: str | None) -> Chart:
    """Draw one dot a customer: what a reason adds over its reading, coloured by another reason's level.

    ``points`` has ``reading`` (number or text), ``effect`` and ``other``, 0 lowest to 1 highest: the level of the
    reason named ``other``, which colours the dots; None draws all in one colour.
    """
    text = not pd.api.types.is_numeric_dtype(points["reading"])
    wide = None if text else _wide(points["reading"].to_numpy(float))
    x = points["reading"] if wide is None else wide.places(points["reading"])
    marker: dict[str, Any] = {"size": 7, "color": PREDICTED, "line": EDGE}
    if other is not None:
        marker |= {"color": points["other"], "colorscale": RAMP_SCALE, "cmin": 0, "cmax": 1}
        marker |= {"colorbar": level_bar(cut(other, 2 * MAX_LETTERS)), "showscale": True}
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
        marks=[horizontal(0, {"color": BASELINE, "width": 1})],
        legend=False,
        height=380 if other is None else 440,
    )


def difference_bars(table: pd.DataFrame, message: str, *, unit: str) -> Chart:
    """Draw what makes one group differ from another, the largest difference on top.

    ``table`` has ``label`` and ``difference``, in order.
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
    span = [low - 2 * room * (low < 0), high + room]  # the bars' names are on the left: a number must not touch them
    x = {"title": t("chart.difference", unit=unit), "range": span, **value_ticks(span)}
    return drawn([bars], message, x=x, y={}, legend=False, height=110 + 30 * len(rows))


def event_heat(table: pd.DataFrame, labels: list[str], message: str, *, unit: str) -> Chart:
    """Draw what each event adds to a customer's value, the latest on the right.

    ``table`` has a row for each property of an event (index: its name) and a column for each event.
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
    """Return the axis for readings of which a few are so large that the rest would fall together on an even one."""
    size = np.abs(values)
    if not (size.max(initial=0.0) > 10 and size.max() > 8 * max(float(np.median(size)), 1e-9)):
        return None
    return Wide(max(0, Wide.of(values).power))


def level_bar(title: str) -> dict[str, Any]:
    """Return the key of colours; it lies above the chart, as a narrow window has no room for it at the side."""
    words = {"title": {"text": title, "side": "top"}, "tickvals": [0, 1], "ticktext": [t("chart.low"), t("chart.high")]}
    return words | {"orientation": "h", "y": 1, "yanchor": "bottom", "ypad": 0, "len": 0.6, "thickness": 10}
