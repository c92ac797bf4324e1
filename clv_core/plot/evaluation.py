"""Charts of how well a model did: drawn from tables, and (:data:`FIGURES`) from a model's held-out last horizon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv_core.evaluation import best_baseline, decile_table, gain_curves
from clv_core.plot.drawing import (
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
from clv_core.plot.words import money, name_of, percent, say, t, unit

if TYPE_CHECKING:
    from clv_core.deployment import ModelRecord

NETWORKS: Final = (PREDICTED, OTHER, ACTUAL, BASELINE)
DASHES: Final = ("solid", "dash", "dot", "dashdot")
"""Of the networks' loss curves, one after the other: not every eye can distinguish them by colour alone."""
POINTS_SHOWN: Final = 2000
"""Of more customers this many are sampled: a browser draws them without delay, and more would hide each other."""
CLIP: Final = 1.4
"""How many times the highest bar the baseline's line may reach before it is cut off."""


def decile_chart(table: pd.DataFrame, message: str, *, unit: str, baseline_name: str) -> Chart:
    """Draw mean value by decile of predicted value, 1 the highest.

    A baseline far above all bars is cut off at the top, marked, with its height in words. ``table`` has ``decile``,
    ``predicted_mean``, ``actual_mean``, and ``baseline_mean`` where there is a baseline.
    """
    x = table["decile"]
    predicted, actual = {"color": PREDICTED}, {"color": ACTUAL}
    traces = [
        dict(type="bar", x=x, y=table["predicted_mean"], name=t("chart.predicted"), marker=predicted),
        dict(type="bar", x=x, y=table["actual_mean"], name=t("chart.actual"), marker=actual),
    ]
    heights, notes = table[["predicted_mean", "actual_mean"]], []
    if "baseline_mean" in table:
        mean, top = table["baseline_mean"], CLIP * heights.to_numpy().max(initial=0.0)
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
        marks=notes,
    )


def gain_curve(curves: dict[str, pd.DataFrame], message: str) -> Chart:
    """Draw the share of value held by the customers put first.

    ``curves`` have ``share_of_customers`` and ``share_of_value``: the first is the model's, one named ``actual`` the
    perfect order, all others are baselines.
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

    ``parts`` are values by name: ``predicted``, ``actual``, ``bought``, ``not_bought``. A ``wide`` axis is of money,
    over powers of ten, as the last part has it; else values are probabilities.
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

    ``frame`` has ``step``, ``loss`` and ``seed``.
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
    ends = frame.groupby("seed")["loss"].agg(["first", "last"]).mean().fillna(0.0)
    steps = int(max([0, *frame["step"]]))
    fell = t("chart.loss_message", first=say(ends["first"]), last=say(ends["last"]), steps=steps)
    x, y = {"title": t("chart.step")}, {"title": t("chart.loss")}
    return drawn(traces, fell, x=x, y=y, legend=len(traces) > 1, height=height)


def loss_frame(history: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the reports of the latest fit that carry a loss, one row each: ``step``, ``loss``, ``seed``."""
    rows = [item for item in history if "loss" in item]
    if not rows:
        return pd.DataFrame({"step": [], "loss": [], "seed": []})
    frame = pd.DataFrame([item for item in rows if _fit_of(item) == _fit_of(rows[-1])])
    frame["step"] = frame["step"] if "step" in frame else frame["done"]
    frame["seed"] = frame["seed"].astype(int) if "seed" in frame else 1
    return frame[["step", "loss", "seed"]].sort_values(["seed", "step"], ignore_index=True)


def _fit_of(report: dict[str, Any]) -> tuple[Any, Any]:
    """Return the key by which reports belong to one fit."""
    return report.get("stage"), report.get("part")


def threshold_chart(table: pd.DataFrame, at: float, message: str) -> Chart:
    """Draw precision, recall and F1 over the threshold, and the one that is set.

    ``table`` has ``threshold``, ``precision``, ``recall`` and ``f1``.
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
        marks=[vertical(at, {"color": BASELINE, "width": 1})],
    )


@dataclass(frozen=True)
class Holdout:
    """What a model and the strongest simple model predicted for the held-out last horizon, and what came.

    Args:
        model: its id.
        rows: columns ``p_purchase``, ``predicted_clv``, ``actual``, one row a customer.
        baseline: id of the simple model that ranks best; empty where none was fitted.
        baseline_rows: its rows, in the same order.
        currency: of the values; empty where the log names none.
    """

    model: str
    rows: pd.DataFrame
    baseline: str
    baseline_rows: pd.DataFrame | None
    currency: str

    @classmethod
    def of(cls, record: ModelRecord, rows_by_model: Mapping[str, pd.DataFrame]) -> Self:
        """Return it from a bundle's record and :func:`~clv_core.deployment.saved_evaluation.holdout_predictions`."""
        model, baseline = record.model, best_baseline(record.baselines, "gini", model=record.model)
        return cls(model, rows_by_model[model], baseline, rows_by_model.get(baseline), record.currency)


def deciles(holdout: Holdout) -> Chart:
    """Draw predicted and actual mean value by decile, with the simple model's."""
    ours, other = holdout.rows, holdout.baseline_rows
    baseline = None if other is None else other["predicted_clv"]
    table = decile_table(ours["actual"], ours["predicted_clv"], baseline=baseline)
    top = table.iloc[0]
    message = t(
        "evaluate.deciles",
        predicted=money(top["predicted_mean"], holdout.currency),
        actual=money(top["actual_mean"], holdout.currency),
    )
    name = name_of("model", holdout.baseline)
    return decile_chart(table, message, unit=unit(holdout.currency), baseline_name=name)


def gains(holdout: Holdout) -> Chart:
    """Draw the gain curve against the strongest simple model and the perfect order."""
    name = name_of("model", holdout.baseline)
    predicted: dict[str, ArrayLike] = {name_of("model", holdout.model): holdout.rows["predicted_clv"]}
    if holdout.baseline_rows is not None:
        predicted[name] = holdout.baseline_rows["predicted_clv"]
    curves = gain_curves(holdout.rows["actual"], predicted)
    shares = [float(np.interp(0.1, curve["share_of_customers"], curve["share_of_value"])) for curve in curves.values()]
    message = t("evaluate.gains", ours=percent(shares[0]), perfect=percent(shares[-1]))
    if holdout.baseline_rows is not None:
        message = t(
            "evaluate.gains.against",
            ours=percent(shares[0]),
            other=percent(shares[1]),
            name=name,
            perfect=percent(shares[-1]),
        )
    return gain_curve(curves, message)


def probabilities(holdout: Holdout) -> Chart:
    """Draw the chances of those who bought and of the others."""
    chance, bought = holdout.rows["p_purchase"], holdout.rows["actual"] > 0
    message = t(
        "evaluate.probabilities",
        bought=percent(chance[bought].mean() if bought.any() else 0.0),
        others=percent(chance[~bought].mean() if not bought.all() else 0.0),
    )
    return distribution({"not_bought": chance[~bought], "bought": chance[bought]}, message, axis=t("chart.p_purchase"))


def calibration(holdout: Holdout) -> Chart:
    """Draw how many bought of ten groups of customers with equal predicted probability, and the diagonal."""
    table = decile_table(holdout.rows["actual"] > 0, holdout.rows["p_purchase"])
    style = {"type": "scatter", "mode": "lines+markers", "name": t("chart.actual")}
    groups = {**style, "x": table["predicted_mean"], "y": table["actual_mean"], "line": {"color": PREDICTED}}
    most = float(table[["predicted_mean", "actual_mean"]].to_numpy().max())
    equal = dict(type="scatter", x=[0, most], y=[0, most], name=t("chart.equal"), mode="lines", line=DOTTED)
    top = table.iloc[0]
    message = t("evaluate.calibration", predicted=percent(top["predicted_mean"]), actual=percent(top["actual_mean"]))
    shares = {"tickformat": ".0%", "rangemode": "tozero"}
    return drawn(
        [groups, {**equal, "hoverinfo": "skip"}],
        message,
        x={"title": t("chart.p_purchase"), **shares},
        y={"title": t("chart.share_bought"), **shares},
    )


def values(holdout: Holdout) -> Chart:
    """Draw how predicted and actual values are spread."""
    ours = holdout.rows
    message = t("evaluate.values", share=percent(float((ours["actual"] <= 0).mean())))
    parts = {"predicted": ours["predicted_clv"], "actual": ours["actual"]}
    return distribution(parts, message, axis=t("chart.value", unit=unit(holdout.currency)), wide=True)


def scatter(holdout: Holdout) -> Chart:
    """Draw predicted against actual value, customer by customer."""
    ours = holdout.rows
    highest = ours.nlargest(-(-len(ours) // 5), "predicted_clv")["actual"].clip(lower=0)
    revenue = ours["actual"].clip(lower=0).sum()
    message = t("evaluate.scatter", share=percent(float(highest.sum() / revenue) if revenue > 0 else 0.0))
    return predicted_against_actual(ours["actual"], ours["predicted_clv"], message, unit=unit(holdout.currency))


FIGURES: Final[dict[str, Callable[[Holdout], Chart]]] = {
    "calibration": calibration,
    "deciles": deciles,
    "gains": gains,
    "probabilities": probabilities,
    "scatter": scatter,
    "values": values,
}
"""Charts of a holdout by name."""
