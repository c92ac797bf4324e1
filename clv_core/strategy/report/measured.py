"""The sections on what was there and how well the model held up: data, trust, quality, deciles."""

from __future__ import annotations

from typing import Final

from clv_core.deployment.saved_evaluation import holdout_predictions
from clv_core.evaluation.beside import advantages_of, best_baseline, both_figures, level_of, standing_of
from clv_core.evaluation.deciles import decile_table
from clv_core.evaluation.saying import say_metric
from clv_core.evaluation.trust import REASONS
from clv_core.i18n import translate
from clv_core.strategy.report.content import ACTUAL, BASELINE, PREDICTED, Chart, ReportFigure, Section, Series
from clv_core.strategy.report.ground import Ground

JUDGED: Final = ("gini", "bias", "mae")


def data(ground: Ground) -> Section:
    """Return what the log holds."""
    said, facts = ground.said, ground.dataset.manifest
    days = (ground.dataset.log_end - ground.dataset.log_start).days
    finding = said.t(
        "report.data.finding",
        customers=f"{facts.customers:,}",
        purchases=f"{facts.purchases:,}",
        first=said.day(ground.dataset.log_start),
        last=said.day(ground.dataset.last_day),
    )
    rows = said.t(
        "report.data.rows",
        read=facts.rows_read,
        kept=facts.rows_kept,
        aside=facts.rows_set_aside,
        repeated=facts.rows_duplicate,
    )
    figures = (
        ReportFigure(said.t("report.data.customers"), said.count(facts.customers)),
        ReportFigure(said.t("report.data.purchases"), said.count(facts.purchases)),
        ReportFigure(said.t("report.data.revenue"), said.money(facts.net_revenue)),
        ReportFigure(said.t("report.data.days"), f"{days:,}"),
    )
    kinds = sorted(facts.event_types.items(), key=lambda item: -item[1])[:8]
    names = tuple(said.name("event", kind) for kind, _ in kinds)
    counts = Series(said.t("report.data.events"), tuple(float(count) for _, count in kinds), PREDICTED)
    chart = Chart("bars", names, (counts,), "", said.t("report.data.events")) if len(kinds) > 1 else None
    return Section("data", said.t("report.data"), finding, (rows,), figures, chart=chart)


def trust(ground: Ground) -> Section:
    """Return the verdict with its reasons, what speaks against the model first."""
    said, found = ground.said, ground.trust
    name, meaning = (translate(f"trust.{found.verdict}{end}", said.language) for end in ("", ".meaning"))
    points = tuple(
        said.t(f"report.trust.{REASONS[reason.code.removeprefix('reason.')]}", reason=reason.said(said.language))
        for reason in found.reasons
    )
    return Section(
        "trust", said.t("report.trust"), said.t("report.trust.finding", verdict=name, meaning=meaning), points
    )


def quality(ground: Ground) -> Section | None:
    """Return order, level and size on the span held out, each against the best simple model; None if not measured."""
    said, record = ground.said, ground.bundle.record
    if not record["holdout"]:
        return None
    figures = tuple(_figure(ground, metric) for metric in JUDGED if metric in record["metrics"])
    bias = record["metrics"].get("bias")
    order = best_baseline(record["baselines"], "gini")
    rows, advantage = holdout_predictions(ground.bundle), None
    if order in rows:
        both = both_figures(record["metrics"], record["baselines"][order], ("gini",))
        advantage = advantages_of(rows[record["model"]], rows[order], both).get("gini")
    finding = said.t(
        f"report.quality.finding.{standing_of(advantage)}",
        horizon=ground.horizon_days,
        model=said.name("model", order) if order else "",
        level=said.t(f"report.quality.level.{level_of(bias)}", off=said.percent(abs(bias or 0.0))),
    )
    held = record["holdout"]
    span = said.t(
        "report.quality.span", cutoff=said.day(held["cutoff"]), customers=held["customers"], buyers=held["buyers"]
    )
    meanings = [(said.t(f"metric.{metric}"), said.t(f"metric.{metric}.meaning")) for metric in JUDGED]
    points = [said.t("report.quality.meaning", name=label, text=text) for label, text in meanings]
    return Section("quality", said.t("report.quality"), finding, (span, *points), figures)


def _figure(ground: Ground, metric: str) -> ReportFigure:
    said, record = ground.said, ground.bundle.record
    value, name = float(record["metrics"][metric]), best_baseline(record["baselines"], metric)
    label = said.t(f"metric.{metric}")
    if not name:
        return ReportFigure(label, _shown(ground, metric, value))
    other = float(record["baselines"][name][metric])
    note = said.t("report.quality.against", model=said.name("model", name), value=_shown(ground, metric, other))
    return ReportFigure(label, _shown(ground, metric, value), note)


def _shown(ground: Ground, metric: str, value: float) -> str:
    return say_metric(metric, value, ground.said.currency, ground.said.language)


def deciles(ground: Ground) -> Section | None:
    """Return predicted and actual value by tenth of customers on the span held out; None if not measured."""
    said, record = ground.said, ground.bundle.record
    simple = best_baseline(record["baselines"], "gini")
    rows = holdout_predictions(ground.bundle)
    if not rows:
        return None
    ours, theirs = rows[record["model"]], rows.get(simple)
    other = theirs["predicted_clv"] if theirs is not None and len(theirs) == len(ours) else None
    table = decile_table(ours["actual"], ours["predicted_clv"], baseline=other)
    first = table.iloc[0]
    finding = said.t(
        "report.deciles.finding",
        predicted=said.money(first["predicted_mean"]),
        actual=said.money(first["actual_mean"]),
        share=said.percent(first["share_of_value"]),
    )
    series = [
        Series(said.t("report.predicted"), tuple(table["predicted_mean"]), PREDICTED),
        Series(said.t("report.actual"), tuple(table["actual_mean"]), ACTUAL),
    ]
    if other is not None:
        series.append(Series(said.name("model", simple), tuple(table["baseline_mean"]), BASELINE))
    names = tuple(str(number) for number in table["decile"])
    axes = translate("chart.decile", said.language), translate("chart.mean_value", said.language, unit=said.unit())
    return Section("deciles", said.t("report.deciles"), finding, chart=Chart("columns", names, tuple(series), *axes))
