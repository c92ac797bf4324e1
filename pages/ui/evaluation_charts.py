"""How well a model held up on the span that it had not seen: figures, tables and charts of the evaluate page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import ArrayLike

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_evaluation import holdout_predictions
from clv_core.evaluation.baseline_comparison import advantages_of, best_baseline, both_figures, level_of, standing_of
from clv_core.evaluation.bootstrap import Estimate
from clv_core.evaluation.deciles import Thresholds, decile_table, gain_curves
from clv_core.evaluation.evidence import REFERENCE
from clv_core.evaluation.metrics import METRICS
from clv_core.evaluation.saying import format_metric
from clv_core.strategy.audiences.spreadsheet_safety import inert_csv
from pages.ui import i18n, session, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.charts import evaluation
from pages.ui.charts.drawing import Chart
from pages.ui.i18n import money, name_of, percent, t

ORDER: Final = "gini"
MAIN: Final = (ORDER, "bias", "mae", "rmse")
"""Metrics at the top of the page."""


@cached(CUSTOMERS)
def _rows_of(bundle: Bundle) -> dict[str, pd.DataFrame]:
    """Return the holdout's rows by model; none where the model was not measured."""
    return holdout_predictions(bundle) if bundle.has_holdout else {}


def holdout_frames(bundle: Bundle) -> tuple[pd.DataFrame, pd.DataFrame | None, str]:
    """Return the model's holdout rows, those of the strongest simple model in the same order, and its id."""
    name, rows = best_baseline(bundle.record["baselines"], ORDER), _rows_of(bundle)
    return rows[bundle.record["model"]], rows.get(name), name


def figure(which: str, bundle: Bundle) -> Chart:
    """Return one of :data:`FIGURES`, drawn once for all who look at it in one language."""
    return _figure(which, bundle, session.language())


@cached()
def _figure(which: str, bundle: Bundle, language: str) -> Chart:  # noqa: ARG001 - a chart's texts are in one language
    return FIGURES[which](bundle)


def headline(bundle: Bundle) -> str:
    """Return the finding in one sentence."""
    record = bundle.record
    if not record["holdout"]:
        kind = "untrained" if bundle.untrained else "unmeasured"
        return t(f"evaluate.headline.{kind}", horizon=record["horizon_days"])
    metrics = record["metrics"]
    bias = metrics.get("bias")
    if bias is None:
        return t("evaluate.headline.nothing", horizon=record["horizon_days"])
    level = t(f"evaluate.level.{level_of(bias)}", off=percent(abs(bias)))
    key = "evaluate.headline.not_trusted" if session.trust(bundle).verdict == "not_trusted" else "evaluate.headline"
    return t(key, horizon=record["horizon_days"], level=level, capture=percent(metrics.get("capture10", 0.0)))


def main_figures(bundle: Bundle) -> list[widgets.Figure]:
    """Return ranking, total, MAE and RMSE, each against BG/NBD."""
    return [_against_baseline(bundle, metric) for metric in MAIN]


def _against_baseline(bundle: Bundle, metric: str) -> widgets.Figure:
    record, label, meaning = bundle.record, t(f"metric.{metric}"), t(f"metric.{metric}.meaning")
    value, baselines, currency = record["metrics"].get(metric), record["baselines"], record["currency"]
    name = REFERENCE if metric in baselines.get(REFERENCE, {}) else best_baseline(baselines, metric)
    if value is None or not name:
        return widgets.Figure(label, "–" if value is None else metric_text(metric, value, currency), meaning)
    other = baselines[name][metric]
    # Without its customers nothing is kept in memory: they may come with the next import of the same model.
    sure = _advantages(bundle, name) if bundle.has_holdout else {}
    standing = standing_of(sure.get(metric))
    if metric_text(metric, value) == metric_text(metric, other):
        standing = "level_with"
    note = t(f"evaluate.{standing}", name=name_of("model", name), value=metric_text(metric, other, currency))
    good = {"ahead": True, "behind": False}.get(standing)
    return widgets.Figure(label, metric_text(metric, value, currency), meaning, note, good)


def constant_errors(bundle: Bundle) -> str:
    """Return the MSE, and the errors of predicting one value for everybody: zero for MAE, the mean for RMSE."""
    record = bundle.record
    metrics, currency = record["metrics"], record["currency"]
    parts = [t("evaluate.mse", value=metric_text("mse", metrics["mse"], currency))] if "mse" in metrics else []
    if bundle.has_holdout:
        actual = _rows_of(bundle)[record["model"]]["actual"]
        zero, mean = (
            metric_text("mae", actual.abs().mean(), currency),
            metric_text("rmse", actual.std(ddof=0), currency),
        )
        parts.append(t("evaluate.constants", mae=zero, rmse=mean))
    return i18n.join_sentences(parts)


def tested_on(bundle: Bundle) -> str:
    """Return on how many customers and buyers the model was tested, of how many the log has."""
    holdout, log = bundle.record["holdout"], (bundle.record.get("evidence") or {}).get("log")
    if not holdout or not log:
        return ""
    return t("evaluate.tested", tested=holdout["customers"], all=log["customers"], buyers=holdout["buyers"])


@cached()
def _advantages(bundle: Bundle, simple: str) -> dict[str, Estimate]:
    """Return by how much the model is better than a simple one on what that one is best at."""
    record, rows = bundle.record, _rows_of(bundle)
    if simple not in rows:
        return {}
    figures = both_figures(record["metrics"], record["baselines"][simple], MAIN)
    return advantages_of(rows[record["model"]], rows[simple], figures)


def metric_text(metric: str, value: float, currency: str = "") -> str:
    """Return a metric's value in its unit, in the language of the page."""
    return format_metric(metric, value, currency, session.language())


def metric_table(bundle: Bundle) -> pd.DataFrame:
    """Return all metrics of the model and the simple models beside it, as shown."""
    record = bundle.record
    columns = {record["model"]: record["metrics"], **record["baselines"]}
    rows = [name for name in METRICS if name in record["metrics"]]
    table = pd.DataFrame({t("column.metric"): [t(f"metric.{name}") for name in rows]})
    for model, values in columns.items():
        texts = [metric_text(name, values[name], record["currency"]) if name in values else "–" for name in rows]
        table[name_of("model", model)] = texts
    table[t("column.meaning")] = [t(f"metric.{name}.meaning") for name in rows]
    return table


def metrics_csv(bundle: Bundle) -> bytes:
    """Return all metrics as CSV, unrounded, with dataset, cutoff, horizon and currency in every row."""
    record = bundle.record
    about = {"dataset": record["dataset"]["name"], "cutoff": record["holdout"]["cutoff"]}
    about |= {"horizon_days": record["horizon_days"], "bundle": bundle.id}
    about |= {"currency": record["currency"]} if record["currency"] else {}
    columns = {record["model"]: record["metrics"], **record["baselines"]}
    rows = [
        {**about, "model": model, "metric": name, "value": value}
        for model, values in columns.items()
        for name, value in values.items()
    ]
    return inert_csv(pd.DataFrame(rows))


def deciles(bundle: Bundle) -> Chart:
    """Draw the decile chart."""
    ours, baseline, name = holdout_frames(bundle)
    currency = bundle.record["currency"]
    other = None if baseline is None else baseline["predicted_clv"]
    table = decile_table(ours["actual"], ours["predicted_clv"], baseline=other)
    top = table.iloc[0]
    message = t(
        "evaluate.deciles",
        predicted=money(top["predicted_mean"], currency),
        actual=money(top["actual_mean"], currency),
    )
    return evaluation.decile_chart(table, message, unit=i18n.unit(currency), baseline_name=name_of("model", name))


def gains(bundle: Bundle) -> Chart:
    """Draw the gain curve against the strongest simple model and the perfect order."""
    ours, baseline, name = holdout_frames(bundle)
    predicted: dict[str, ArrayLike] = {name_of("model", bundle.record["model"]): ours["predicted_clv"]}
    if baseline is not None:
        predicted[name_of("model", name)] = baseline["predicted_clv"]
    curves = gain_curves(ours["actual"], predicted)
    shares = [float(np.interp(0.1, curve["share_of_customers"], curve["share_of_value"])) for curve in curves.values()]
    message = t("evaluate.gains", ours=percent(shares[0]), perfect=percent(shares[-1]))
    if baseline is not None:
        message = t(
            "evaluate.gains.against",
            ours=percent(shares[0]),
            other=percent(shares[1]),
            name=name_of("model", name),
            perfect=percent(shares[-1]),
        )
    return evaluation.gain_curve(curves, message)


@widgets.safe_fragment
def threshold(bundle: Bundle) -> None:
    """Let the person move the probability from which a customer counts as a buyer, and see what it does."""
    percents = st.slider(
        t("evaluate.threshold"), 1, 99, 50, 1, format="%d%%", key="threshold", help=t("evaluate.threshold.help")
    )
    at = percents / 100
    exact, table = _thresholds(bundle)
    row = exact.at(at).iloc[0]
    names = ("precision", "recall", "f1", "accuracy")
    widgets.figures(
        widgets.Figure(t(f"metric.{name}"), metric_text(name, row[name]), t(f"metric.{name}.meaning")) for name in names
    )
    message = t(
        "evaluate.threshold.message",
        at=percent(at),
        expected=i18n.count(row["expected"]),
        precision=percent(row["precision"]),
        recall=percent(row["recall"]),
    )
    curves = evaluation.threshold_chart(table[table["expected"] > 0], at, message)
    with st.grid(2, min_column_width=360):
        widgets.chart(curves, "threshold_chart")
        widgets.chart(figure("probabilities", bundle), "probabilities")


@cached(CUSTOMERS)
def _thresholds(bundle: Bundle) -> tuple[Thresholds, pd.DataFrame]:
    ours, _, _ = holdout_frames(bundle)
    bought = ours["actual"] > 0
    exact = Thresholds.of(bought, ours["p_purchase"])
    return exact, exact.table()


def probabilities(bundle: Bundle) -> Chart:
    """Draw the chances of those who bought and of the others."""
    ours, _, _ = holdout_frames(bundle)
    bought = ours["actual"] > 0
    parts = {"not_bought": ours.loc[~bought, "p_purchase"], "bought": ours.loc[bought, "p_purchase"]}
    message = t(
        "evaluate.probabilities",
        bought=percent(parts["bought"].mean() if bought.any() else 0.0),
        others=percent(parts["not_bought"].mean() if not bought.all() else 0.0),
    )
    return evaluation.distribution(parts, message, axis=t("chart.p_purchase"))


def values(bundle: Bundle) -> Chart:
    """Draw how predicted and actual values are spread."""
    ours, _, _ = holdout_frames(bundle)
    parts = {"predicted": ours["predicted_clv"], "actual": ours["actual"]}
    message = t("evaluate.values", share=percent(float((ours["actual"] <= 0).mean())))
    unit = i18n.unit(bundle.record["currency"])
    return evaluation.distribution(parts, message, axis=t("chart.value", unit=unit), wide=True)


def scatter(bundle: Bundle) -> Chart:
    """Draw predicted against actual value, customer by customer."""
    ours, _, _ = holdout_frames(bundle)
    highest = ours.nlargest(-(-len(ours) // 5), "predicted_clv")["actual"].clip(lower=0)
    revenue = ours["actual"].clip(lower=0).sum()
    message = t("evaluate.scatter", share=percent(float(highest.sum() / revenue) if revenue > 0 else 0.0))
    unit = i18n.unit(bundle.record["currency"])
    return evaluation.predicted_against_actual(ours["actual"], ours["predicted_clv"], message, unit=unit)


FIGURES: Final[dict[str, Callable[[Bundle], Chart]]] = {
    "deciles": deciles,
    "gains": gains,
    "probabilities": probabilities,
    "scatter": scatter,
    "values": values,
}
"""Charts that no control of the page changes."""
