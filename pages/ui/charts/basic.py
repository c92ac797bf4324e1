"""Charts: a frame and a message in, a Plotly figure out. The message is the title; axes carry units.

One colour has one meaning on all pages. The colours here stand for positions in ``chartCategoricalColors``,
``chartSequentialColors`` and ``chartDivergingColors`` of ``.streamlit/config.toml``; ``st.plotly_chart`` puts the
colours of the light or dark theme in their place, so that a figure follows a change of theme at once.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from pages.ui.charts.wide import Wide
from pages.ui.state import language, say, t

PREDICTED, ACTUAL, BASELINE, WARNING, DANGER, GAIN, OTHER = (f"#00000{position}" for position in range(1, 8))
WORDS: Final = "#000010"
RAMP: Final = tuple(f"#0000{position}" for position in range(11, 21))
DIVERGING: Final = tuple(f"#0000{position}" for position in range(21, 31))
DIVERGING_SCALE: Final = [[position / 9, colour] for position, colour in enumerate(DIVERGING)]
DOTTED: Final = {"color": BASELINE, "dash": "dash", "width": 2}
NETWORKS: Final = (PREDICTED, OTHER, ACTUAL, BASELINE)
DASHES: Final = ("solid", "dot")
"""Of the networks' loss curves, one after the other."""
PALEST_LINE: Final = 5
"""The first colour of the ramp that a thin line can have: paler ones are lost on the light page or on the dark one."""
PALER: Final = 2.8
"""The ramp ends so many times beyond the largest cell of a table with text: ink is read on its first third alone."""
POINTS_SHOWN: Final = 2000
MOST_TICKS: Final = 6
"""Steps of an axis of values, about."""
TICK_DIGITS: Final = 8


def decile_chart(table: pd.DataFrame, message: str, *, unit: str, baseline_name: str) -> go.Figure:
    """Draw mean value by decile of predicted value, 1 the highest.

    Args:
        table: columns ``decile``, ``predicted_mean``, ``actual_mean``, and ``baseline_mean`` where there is a baseline.
        message: what the chart shows, in words.
        unit: of the values, for the axis.
        baseline_name: of the simple model beside it.
    """
    figure = go.Figure()
    figure.add_bar(x=table["decile"], y=table["predicted_mean"], name=t("chart.predicted"), marker_color=PREDICTED)
    figure.add_bar(x=table["decile"], y=table["actual_mean"], name=t("chart.actual"), marker_color=ACTUAL)
    if "baseline_mean" in table:
        figure.add_scatter(
            x=table["decile"], y=table["baseline_mean"], name=baseline_name, line=DOTTED, mode="lines+markers"
        )
    figure.update_xaxes(title=t("chart.decile"), dtick=1)
    shown = table[[name for name in ("predicted_mean", "actual_mean", "baseline_mean") if name in table]]
    figure.update_yaxes(title=t("chart.mean_value", unit=unit), **value_ticks(shown))
    return finish(figure, message)


def gain_curve(curves: dict[str, pd.DataFrame], message: str) -> go.Figure:
    """Draw the share of value held by the customers put first.

    Args:
        curves: frames with ``share_of_customers`` and ``share_of_value`` by name; the first is the model's, one named
            ``actual`` is the perfect order, all others are baselines.
        message: what the chart shows, in words.
    """
    figure = go.Figure()
    for position, (name, curve) in enumerate(curves.items()):
        perfect = name == "actual"
        line = (
            {"color": PREDICTED, "width": 3} if position == 0 else {"color": ACTUAL, "width": 1} if perfect else DOTTED
        )
        figure.add_scatter(
            x=curve["share_of_customers"],
            y=curve["share_of_value"],
            name=t("chart.perfect_order") if perfect else name,
            line=line,
            mode="lines",
        )
    figure.add_scatter(
        x=[0, 1], y=[0, 1], name=t("chart.chance"), mode="lines", line={"color": BASELINE, "dash": "dot", "width": 1}
    )
    figure.update_xaxes(title=t("chart.share_of_customers"), tickformat=".0%", range=[0, 1], dtick=0.2)
    figure.update_yaxes(title=t("chart.share_of_value"), tickformat=".0%", range=[0, 1.02])
    return finish(figure, message)


def predicted_against_actual(actual: ArrayLike, predicted: ArrayLike, message: str, *, unit: str) -> go.Figure:
    """Draw each customer's outcome over the prediction, both on a scale that shows zero and whales."""
    values = pd.DataFrame({"actual": np.maximum(np.asarray(actual), 0), "predicted": np.asarray(predicted)})
    if len(values) > POINTS_SHOWN:
        values = values.sample(POINTS_SHOWN, random_state=1)
    wide = Wide.of(values["actual"])
    hover = (
        f"{t('chart.predicted')} %{{customdata[0]:,.2f}}<br>{t('chart.actual')} %{{customdata[1]:,.2f}}<extra></extra>"
    )
    figure = go.Figure()
    figure.add_scatter(
        x=wide.places(values["predicted"]),
        y=wide.places(values["actual"]),
        mode="markers",
        marker={"color": PREDICTED, "size": 5, "opacity": 0.7},
        customdata=values[["predicted", "actual"]],
        hovertemplate=hover,
        name=t("chart.customer"),
    )
    diagonal = wide.places([0, values.max().max()])
    figure.add_scatter(x=diagonal, y=diagonal, mode="lines", line=DOTTED, name=t("chart.equal"))
    figure.update_xaxes(title=t("chart.predicted_value", unit=unit), **wide.ticks(values))
    figure.update_yaxes(title=t("chart.actual_value", unit=unit), **wide.ticks(values))
    return finish(figure, message)


def distribution(parts: dict[str, ArrayLike], message: str, *, axis: str, wide: bool = False) -> go.Figure:
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
    figure = go.Figure()
    for name, values in arrays.items():
        counts, _ = np.histogram(scale.places(values) if wide else values, edges)
        _add_histogram(figure, name, edges, counts / max(1, len(values)))
    ticks = scale.ticks(top) if wide else {"tickformat": ".0%"}
    figure.update_xaxes(title=axis, **ticks)
    figure.update_yaxes(title=t("chart.share_of_customers"), tickformat=".0%")
    return finish(figure, message)


def _add_histogram(figure: go.Figure, name: str, edges: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    colour = {"predicted": PREDICTED, "actual": ACTUAL, "bought": ACTUAL, "not_bought": BASELINE}[name]
    middle, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    if name in ("predicted", "not_bought"):
        figure.add_bar(x=middle, y=shares, width=width, name=t(f"chart.{name}"), marker_color=colour)
        return
    line = {"color": colour, "width": 2, "shape": "hvh"}
    figure.add_scatter(x=middle, y=shares, name=t(f"chart.{name}"), mode="lines", line=line)


def loss_history(frame: pd.DataFrame, message: str | None = None) -> go.Figure:
    """Draw the loss by training step, one line a network.

    Args:
        frame: columns ``step``, ``loss``, ``seed``.
        message: what the chart shows, in words.
    """
    figure, several = go.Figure(), frame["seed"].nunique() > 1
    for place, (seed, part) in enumerate(frame.groupby("seed")):
        smooth = part["loss"].rolling(9, min_periods=1, center=True).median()
        figure.add_scatter(
            x=part["step"],
            y=smooth,
            mode="lines",
            name=t("chart.network", seed=seed),
            line={"color": NETWORKS[place % len(NETWORKS)], "width": 1.6, "dash": DASHES[place // len(NETWORKS) % 2]},
            opacity=0.85,
        )
    figure.update_xaxes(title=t("chart.step"))
    figure.update_yaxes(title=t("chart.loss"))
    ends = frame.groupby("seed")["loss"].agg(["first", "last"]).mean()
    fell = t("chart.loss_message", first=say(ends["first"]), last=say(ends["last"]), steps=int(frame["step"].max()))
    return finish(figure, message or fell, legend=several)


def threshold_chart(table: pd.DataFrame, at: float, message: str) -> go.Figure:
    """Draw precision, recall and F1 over the threshold, and where it stands.

    Args:
        table: columns ``threshold``, ``precision``, ``recall``, ``f1``.
        at: the chosen threshold.
        message: what the chart shows, in words.
    """
    figure = go.Figure()
    styles = {"precision": (PREDICTED, "solid"), "recall": (OTHER, "dash"), "f1": (ACTUAL, "dot")}
    for name, (colour, dash) in styles.items():
        figure.add_scatter(
            x=table["threshold"],
            y=table[name],
            name=t(f"metric.{name}"),
            line={"color": colour, "dash": dash, "width": 2},
        )
    figure.add_vline(x=at, line={"color": BASELINE, "width": 1})
    figure.update_xaxes(title=t("chart.threshold"), tickformat=".0%", range=[0, 1], dtick=0.2)
    figure.update_yaxes(title=t("chart.share"), tickformat=".0%", range=[0, 1.02])
    return finish(figure, message)


def finish(figure: go.Figure, message: str, *, legend: bool = True, height: int = 340) -> go.Figure:
    """Give a figure its message and the looks that all charts share."""
    figure.update_layout(
        title=message,
        height=height,
        showlegend=legend,
        legend={"orientation": "h", "y": 1.08, "yanchor": "bottom", "x": 0, "font_color": WORDS},
        margin={"l": 8, "r": 8, "t": 48, "b": 8},
        bargap=0.25,
        hoverlabel={"namelength": -1},
    )
    words: dict[str, Any] = {"tickfont_color": WORDS, "title_font_color": WORDS}
    if language() == "zh":
        words |= {"exponentformat": "none", "separatethousands": True}  # 5k and 0.5M are no Chinese numbers
    figure.update_xaxes(automargin=True, **words)
    figure.update_yaxes(automargin=True, **words)
    figure.update_annotations(font_color=WORDS, selector=lambda one: one.font.color is None)
    figure.update_traces(outsidetextfont_color=WORDS, selector=lambda one: one.type in ("bar", "waterfall"))
    figure.update_traces(colorbar=words, selector={"type": "heatmap"})
    figure.update_traces(marker_colorbar=words, selector=lambda one: one.type == "scatter" and one.marker.showscale)
    return figure


def value_ticks(*values: ArrayLike, from_zero: bool = True) -> dict[str, Any]:
    """Return ticks of an even axis that holds all ``values``, said as the sentences beside it say them: 5万, 2 million.

    Hover stays exact, and whole numbers have whole ticks.

    Args:
        values: what is drawn on the axis; what is not a number is passed over.
        from_zero: whether the axis begins at zero, or ends there.
    """
    found = np.concatenate([np.ravel(np.asarray(some, np.float64)) for some in values])
    found = found[np.isfinite(found)]
    low, high = (float(found.min()), float(found.max())) if found.size else (0.0, 1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high <= low:
        high = low + 1.0
    rough = (high - low) / MOST_TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * size for size in (1, 2, 5, 10) if power * size >= rough * (1 - 1e-9))
    if bool((found == np.round(found)).all()):
        step = max(step, 1.0)
    places = [float(f"{step * number:.12g}") for number in range(floor(low / step), ceil(high / step) + 2)]
    texts = [f"{'−' if place < 0 else ''}{say(abs(place), TICK_DIGITS)}" for place in places]
    return {"tickvals": places, "ticktext": texts, "hoverformat": ",.2~f"}
