"""How well a model held up on the span that it had not seen: figures, tables and charts of the evaluate page."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.deployment import Bundle, holdout_predictions
from clv_core.evaluation import (
    METRICS,
    Estimate,
    Thresholds,
    advantages_of,
    best_baseline,
    both_figures,
    format_metric,
    level_of,
    standing_of,
    with_role,
)
from clv_core.plot import Chart, evaluation
from clv_core.strategy.audiences import inert_csv
from pages.ui import i18n, session, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import name_of, percent, t

MAIN: Final = with_role("main")
"""Metrics at the top of the page."""


@cached(CUSTOMERS)
def _rows_of(bundle: Bundle) -> dict[str, pd.DataFrame]:
    """Return the holdout's rows by model; none where the model was not measured."""
    return holdout_predictions(bundle) if bundle.has_holdout else {}


def figure(which: str, bundle: Bundle) -> Chart:
    """Return one of :data:`~clv_core.plot.evaluation.FIGURES`, drawn once for all who look at it in one language."""
    return _figure(which, bundle, session.language())


@cached()
def _figure(which: str, bundle: Bundle, language: str) -> Chart:  # noqa: ARG001 - a chart's texts are in one language
    return evaluation.FIGURES[which](evaluation.Holdout.of(bundle.record, _rows_of(bundle)))


def headline(bundle: Bundle) -> str:
    """Return the finding in one sentence."""
    record = bundle.record
    if not record.holdout:
        kind = "untrained" if bundle.untrained else "unmeasured"
        return t(f"evaluate.headline.{kind}", horizon=record.horizon_days)
    metrics = record.metrics
    bias = metrics.get("bias")
    if bias is None:
        return t("evaluate.headline.nothing", horizon=record.horizon_days)
    level = t(f"evaluate.level.{level_of(bias)}", off=percent(abs(bias)))
    key = "evaluate.headline.not_trusted" if session.trust(bundle).verdict == "not_trusted" else "evaluate.headline"
    return t(key, horizon=record.horizon_days, level=level, capture=percent(metrics.get("capture10", 0.0)))


def main_figures(bundle: Bundle) -> list[widgets.Figure]:
    """Return ranking, total, MAE and RMSE, each against the simple model that is best on it, as the report does."""
    return [_against_baseline(bundle, metric) for metric in MAIN]


def _against_baseline(bundle: Bundle, metric: str) -> widgets.Figure:
    record, label, meaning = bundle.record, t(f"metric.{metric}"), t(f"metric.{metric}.meaning")
    value, baselines, currency = record.metrics.get(metric), record.baselines, record.currency
    name = best_baseline(baselines, metric, model=record.model)
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
    zero = _error_of_zero(bundle) if metric == "mae" and bundle.has_holdout else math.inf
    if zero < value:
        note, good = t("evaluate.and_zero", note=note, value=metric_text(metric, zero, currency)), False
    return widgets.Figure(label, metric_text(metric, value, currency), meaning, note, good)


def _error_of_zero(bundle: Bundle) -> float:
    """Return the MAE of predicting zero for everybody of the holdout, which is there."""
    return float(_rows_of(bundle)[bundle.record.model]["actual"].abs().mean())


def constant_errors(bundle: Bundle) -> str:
    """Return the MSE, and the errors of predicting one value for everybody: zero for MAE, the mean for RMSE."""
    record = bundle.record
    metrics, currency = record.metrics, record.currency
    parts = [t("evaluate.mse", value=metric_text("mse", metrics["mse"], currency))] if "mse" in metrics else []
    if bundle.has_holdout:
        actual = _rows_of(bundle)[record.model]["actual"]
        zero = metric_text("mae", _error_of_zero(bundle), currency)
        mean = metric_text("rmse", actual.std(ddof=0), currency)
        parts.append(t("evaluate.constants", mae=zero, rmse=mean))
    return i18n.join_sentences(parts)


def tested_on(bundle: Bundle) -> str:
    """Return on how many customers and buyers the model was tested, of how many the log has."""
    holdout, evidence = bundle.record.holdout, bundle.record.evidence
    if holdout is None or evidence is None or evidence.log is None:
        return ""
    said = [t("evaluate.tested", tested=holdout.customers, all=evidence.log.customers, buyers=holdout.buyers)]
    if holdout.networks:
        networks = bundle.record.train_config.ensemble
        said.append(t("evaluate.tested.networks", tested=holdout.networks, all=networks))
    return i18n.join_sentences(said)


@cached()
def _advantages(bundle: Bundle, simple: str) -> dict[str, Estimate]:
    """Return by how much the model is better than a simple one on what that one is best at."""
    record, rows = bundle.record, _rows_of(bundle)
    if simple not in rows:
        return {}
    figures = both_figures(record.metrics, record.baselines[simple], MAIN)
    return advantages_of(rows[record.model], rows[simple], figures)


def metric_text(metric: str, value: float, currency: str = "") -> str:
    """Return a metric's value in its unit, in the language of the page."""
    return format_metric(metric, value, currency, session.language())


def metric_table(bundle: Bundle) -> pd.DataFrame:
    """Return all metrics of the model and the baselines, as shown."""
    record = bundle.record
    columns = {record.model: record.metrics, **record.baselines}
    rows = [name for name in METRICS if name in record.metrics]
    table = pd.DataFrame({t("column.metric"): [t(f"metric.{name}") for name in rows]})
    for model, values in columns.items():
        texts = [metric_text(name, values[name], record.currency) if name in values else "–" for name in rows]
        table[name_of("model", model)] = texts
    table[t("column.meaning")] = [t(f"metric.{name}.meaning") for name in rows]
    return table


def metrics_csv(bundle: Bundle) -> bytes:
    """Return all metrics as CSV, unrounded, with dataset, cutoff, horizon and currency in every row."""
    record = bundle.record
    about: dict[str, str | int] = {"dataset": record.dataset.name}
    about |= {} if record.holdout is None else {"cutoff": record.holdout.cutoff.isoformat()}
    about |= {"horizon_days": record.horizon_days, "bundle": bundle.id}
    about |= {"currency": record.currency} if record.currency else {}
    columns = {record.model: record.metrics, **record.baselines}
    rows = [
        {**about, "model": model, "metric": name, "value": value}
        for model, values in columns.items()
        for name, value in values.items()
    ]
    return inert_csv(pd.DataFrame(rows))


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
    widgets.chart(curves, "threshold_chart")
    with st.grid(2, min_column_width=360):
        for name in ("probabilities", "calibration"):
            widgets.chart(figure(name, bundle), name)


@cached(CUSTOMERS)
def _thresholds(bundle: Bundle) -> tuple[Thresholds, pd.DataFrame]:
    ours = _rows_of(bundle)[bundle.record.model]
    exact = Thresholds.of(ours["actual"] > 0, ours["p_purchase"])
    return exact, exact.table()
