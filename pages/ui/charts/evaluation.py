"""Charts of how well a model did. Same rules as in ``drawing``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pages.ui.charts.drawing import (
    ACTUAL,
    BASELINE,
    DOTTED,
    OTHER,
    PREDICTED,
    Chart,
    Looks,
    Wide,
    drawn,
    value_ticks,
    vertical,
)
from pages.ui.i18n import money, say, t

NETWORKS: Final = (PREDICTED, OTHER, ACTUAL, BASELINE)
DASHES: Final = ("solid", "dash", "dot", "dashdot")
"""Of the networks' loss curves, one after the other: their colours alone do not tell them apart for every eye."""
POINTS_SHOWN: Final = 2000
CLIP: Final = 1.4
"""How many times the highest bar a line beside the bars may reach before it is cut off."""


def decile_chart(table: pd.DataFrame, message: str, *, unit: str, baseline_name: str) -> Chart:
    """Draw mean value by decile of predicted value, 1 the highest.

    A baseline far above all bars is cut off at the top, marked, with its height in words.

    Args:
        table: columns ``decile``, ``predicted_mean``, ``actual_mean``, and ``baseline_mean`` where there is a baseline.
        message: what the chart shows, in words.
        unit: of the values, for the axis.
        baseline_name: of the simple model beside it.
    """
    x = table["decile"]
    predicted, actual = {"color": PREDICTED}, {"color": ACTUAL}
    traces = [
        dict(type="bar", x=x, y=table["predicted_mean"], name=t("chart.predicted"), marker=predicted),
        dict(type="bar", x=x, y=table["actual_mean"], name=t("chart.actual"), marker=actual),
    ]
    heights, notes = table[["predicted_mean", "actual_mean"]], []
    if "baseline_mean" in table:
        mean, top = table["baseline_mean"], CLIP * max(heights.to_numpy().max(), 0.0)
        clipped = (mean > top) & (top > 0)
        height = mean.where(~clipped, top)
        symbols = np.where(clipped, "triangle-up", "circle")
        hover = [f"{baseline_name}: {money(value, unit)}" for value in mean]
        marker = {"symbol": symbols, "size": np.where(clipped, 11, 6)}
        line = dict(type="scatter", x=x, y=height, name=baseline_name, line=DOTTED, mode="lines+markers", marker=marker)
        traces.append({**line, "hovertext": hover, "hoverinfo": "text"})
        heights = heights.assign(baseline_mean=height)
        if clipped.any():
            text = t("chart.clipped", name=baseline_name, value=money(mean.max(), unit))
            notes = [{"text": text, "x": 1, "xref": "x domain", "xanchor": "right", "y": top, "yanchor": "bottom"}]
    return drawn(
        traces,
        message,
        x={"title": t("chart.decile"), "dtick": 1},
        y={"title": t("chart.mean_value", unit=unit), **value_ticks(heights)},
        notes=notes,
    )


def gain_curve(curves: dict[str, pd.DataFrame], message: str) -> Chart:
    """Draw the share of value held by the customers put first.

    Args:
        curves: frames with ``share_of_customers`` and ``share_of_value`` by name; the first is the model's, one named
            ``actual`` is the perfect order, all others are baselines.
        message: what the chart shows, in words.
    """
    traces = []
    for position, (name, curve) in enumerate(curves.items()):
        perfect = name == "actual"
        line = (
            {"color": PREDICTED, "width": 3} if position == 0 else {"color": ACTUAL, "width": 1} if perfect else DOTTED
        )
        traces.append(
            dict(
                type="scatter",
                x=curve["share_of_customers"],
                y=curve["share_of_value"],
                name=t("chart.perfect_order") if perfect else name,
                line=line,
                mode="lines",
            )
        )
    line = {"color": BASELINE, "dash": "dot", "width": 1}
    traces.append(dict(type="scatter", x=[0, 1], y=[0, 1], name=t("chart.chance"), mode="lines", line=line))
    return drawn(
        traces,
        message,
        x={"title": t("chart.share_of_customers"), "tickformat": ".0%", "range": [0, 1], "dtick": 0.2},
        y={"title": t("chart.share_of_value"), "tickformat": ".0%", "range": [0, 1.02]},
    )


def predicted_against_actual(actual: ArrayLike, predicted: ArrayLike, message: str, *, unit: str) -> Chart:
    """Draw each customer's outcome over the prediction, both on a scale that shows zero and whales."""
    values = pd.DataFrame({"actual": np.maximum(np.asarray(actual), 0), "predicted": np.asarray(predicted)})
    if len(values) > POINTS_SHOWN:
        values = values.sample(POINTS_SHOWN, random_state=1)
    wide = Wide.of(values["actual"])
    hover = (
        f"{t('chart.predicted')} %{{customdata[0]:,.2f}}<br>{t('chart.actual')} %{{customdata[1]:,.2f}}<extra></extra>"
    )
    dots = dict(
        type="scatter",
        x=wide.places(values["predicted"]),
        y=wide.places(values["actual"]),
        mode="markers",
        marker={"color": PREDICTED, "size": 5, "opacity": 0.7},
        customdata=values[["predicted", "actual"]],
        hovertemplate=hover,
        name=t("chart.customer"),
    )
    diagonal = wide.places([0, values.max().max()])
    line = {"mode": "lines", "line": DOTTED, "hoverinfo": "skip"}
    equal = dict(type="scatter", x=diagonal, y=diagonal, name=t("chart.equal"), **line)
    ticks = wide.ticks(values)
    return drawn(
        [dots, equal],
        message,
        x={"title": t("chart.predicted_value", unit=unit), **ticks},
        y={"title": t("chart.actual_value", unit=unit), **ticks},
    )


def distribution(parts: Mapping[str, ArrayLike], message: str, *, axis: str, wide: bool = False) -> Chart:
    """Draw the share of customers by value: the first part as bars, the others as outlines.

    Args:
        parts: values by name; ``predicted`` and ``actual`` have their own colours.
        message: what the chart shows, in words.
        axis: title of the value axis, with its unit.
        wide: whether values spread over powers of ten (money) rather than evenly (a probability); the last part says
            how much a usual one is.
    """
    arrays = {name: np.maximum(np.asarray(values, float), 0) for name, values in parts.items()}
    top = max(float(values.max(initial=0)) for values in arrays.values())
    scale = Wide.of([*arrays.values()][-1])
    edges = np.linspace(0, float(scale.places(top)) if wide else max(top, 1e-9), 31)
    ends, form = (scale.amounts(edges), ",.2f") if wide else (edges, ".0%")
    hover = {
        "customdata": np.column_stack([ends[:-1], ends[1:]]),
        "hovertemplate": f"%{{customdata[0]:{form}}} – %{{customdata[1]:{form}}}: %{{y:.1%}}",
    }
    traces = []
    for name, values in arrays.items():
        counts, _ = np.histogram(scale.places(values) if wide else values, edges)
        traces.append({**_histogram(name, edges, counts / max(1, len(values))), **hover})
    ticks = scale.ticks(top) if wide else {"tickformat": ".0%"}
    share = {"title": t("chart.share_of_customers"), "tickformat": ".0%"}
    return drawn(traces, message, x={"title": axis, **ticks}, y=share)


def _histogram(name: str, edges: NDArray[np.float64], shares: NDArray[np.float64]) -> Looks:
    colour = {"predicted": PREDICTED, "actual": ACTUAL, "bought": ACTUAL, "not_bought": BASELINE}[name]
    middle, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    style = {"x": middle, "y": shares, "name": t(f"chart.{name}")}
    if name in ("predicted", "not_bought"):
        return {"type": "bar", **style, "width": width, "marker": {"color": colour}}
    return {"type": "scatter", **style, "mode": "lines", "line": {"color": colour, "width": 2, "shape": "hvh"}}


def loss_history(frame: pd.DataFrame, *, height: int) -> Chart:
    """Draw the loss by training step, one line a network.

    Args:
        frame: columns ``step``, ``loss``, ``seed``.
        height: of the chart, pixels.
    """
    traces = []
    for place, (seed, part) in enumerate(frame.groupby("seed")):
        smooth = part["loss"].rolling(9, min_periods=1, center=True).median()
        dash = DASHES[(place + place // len(NETWORKS)) % len(DASHES)]
        traces.append(
            dict(
                type="scatter",
                x=part["step"],
                y=smooth,
                mode="lines",
                name=t("chart.network", seed=seed),
                line={"color": NETWORKS[place % len(NETWORKS)], "width": 1.6, "dash": dash},
            )
        )
    ends = frame.groupby("seed")["loss"].agg(["first", "last"]).mean()
    fell = t("chart.loss_message", first=say(ends["first"]), last=say(ends["last"]), steps=int(frame["step"].max()))
    x, y = {"title": t("chart.step")}, {"title": t("chart.loss")}
    return drawn(traces, fell, x=x, y=y, legend=len(traces) > 1, height=height)


def threshold_chart(table: pd.DataFrame, at: float, message: str) -> Chart:
    """Draw precision, recall and F1 over the threshold, and where it stands.

    Args:
        table: columns ``threshold``, ``precision``, ``recall``, ``f1``.
        at: the chosen threshold.
        message: what the chart shows, in words.
    """
    styles = {"precision": (PREDICTED, "solid"), "recall": (OTHER, "dash"), "f1": (ACTUAL, "dot")}
    traces = [
        dict(
            type="scatter",
            x=table["threshold"],
            y=table[name],
            name=t(f"metric.{name}"),
            line={"color": colour, "dash": dash, "width": 2},
        )
        for name, (colour, dash) in styles.items()
    ]
    return drawn(
        traces,
        message,
        x={"title": t("chart.threshold"), "tickformat": ".0%", "range": [0, 1], "dtick": 0.2},
        y={"title": t("chart.share"), "tickformat": ".0%", "range": [0, 1.02]},
        lines=[vertical(at, {"color": BASELINE, "width": 1})],
    )
