"""Monitor one model: checks of the data and of customers, realized value, alerts, and what follows from them."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.deployment import Scored
from clv_core.errors import Message
from clv_core.features import open_log
from clv_core.jobs import Progress
from clv_core.monitoring.alerts import DATA, PREDICTIONS, alerts_of
from clv_core.monitoring.drift.data_checks import check_data, series_table
from clv_core.monitoring.drift.drift_reference import Reference, reference_of
from clv_core.monitoring.drift.feature_histograms import (
    check_customers,
    features_with_predictions,
    later_instants,
    make_histograms,
)
from clv_core.monitoring.drift.periods import (
    AUTO,
    MIN_PERIODS,
    MONTH,
    Check,
    PastSeries,
    Period,
    default_kind,
    period_start,
    periods_after,
    periods_in,
    profile,
)
from clv_core.monitoring.monitoring_report import (
    ReferenceFacts,
    Report,
    ReportFacts,
    acknowledged,
    judge,
    model_folder,
    report_folder,
)
from clv_core.monitoring.realized.realized_value import compare_realized, realized_alerts


def monitor(scored: Scored, *, kind: str = AUTO, progress: Progress) -> Report:
    """Compare a dataset's events since a model's cutoff with its reference and its predictions; save the report.

    Args:
        scored: dataset and model.
        kind: of period: ``week``, ``month``, or ``auto``: months where the reference has enough of them.
        progress: listener.

    Raises:
        NotEnoughData: the dataset holds nothing before the model's cutoff.
    """
    workspace, dataset, bundle = scored.workspace, scored.dataset, scored.model
    reference = reference_of(bundle, dataset, model_folder(workspace, bundle.id), progress)
    kind = default_kind(reference.cutoff, reference.first_day) if kind == AUTO else kind
    periods = periods_after(reference.cutoff, kind, dataset.log_end)
    unknown: dict[str, Message] = {}
    progress.report("monitoring", 0, 3)
    checks, past = _check_data(dataset, reference, kind, periods, bundle.record.horizon_days, unknown)
    progress.report("monitoring", 1, 3)
    now, customer_checks = _check_customers(scored, reference, unknown)
    checks = [*checks, *customer_checks]
    progress.report("monitoring", 2, 3)
    realized, tiers, intervals = compare_realized(scored, now, unknown, progress)
    currency = dataset.manifest.currency
    alerts = [*alerts_of(checks, currency), *realized_alerts(bundle, realized, intervals, currency)]
    about = _about(scored, reference, kind)
    lights, recommendation = judge(about, alerts, unknown, realized, tiers)
    report = Report(
        about=about,
        chunks=[[period.begin.isoformat(), period.end.isoformat()] for period in periods],
        lights=lights,
        recommendation=recommendation,
        alerts=alerts,
        checks=checks,
        past=past,
        realised=realized,
        tiers=tiers,
        unknown=unknown,
    )
    report.save(report_folder(scored))
    progress.report("monitoring", 3, 3)
    return report.seen(acknowledged(workspace, bundle.id))


def _about(scored: Scored, reference: Reference, kind: str) -> ReportFacts:
    dataset, bundle = scored.dataset, scored.model
    return ReportFacts(
        model=bundle.id,
        dataset=dataset.name,
        version=dataset.version,
        cutoff=bundle.record.cutoff.isoformat(),
        horizon_days=bundle.record.horizon_days,
        currency=dataset.manifest.currency,
        as_of=dataset.log_end.isoformat(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        kind=kind,
        reference=ReferenceFacts(
            source=reference.source,
            first_day=reference.first_day.isoformat(),
            chunks=len(reference.profiles[kind].periods) if kind in reference.profiles else 0,
        ),
    )


def _check_data(
    dataset: Dataset, reference: Reference, kind: str, periods: list[Period], horizon: int, unknown: dict[str, Message]
) -> tuple[list[Check], list[PastSeries]]:
    """Return the checks of the data, and the series of the reference."""
    before = reference.profiles.get(kind)
    if before is None:
        days = (reference.cutoff - reference.first_day).days
        unknown[DATA] = Message(f"light.data.short.{kind}", {"days": days, "needed": MIN_PERIODS[kind]})
        return [], []
    if not periods:
        unknown[DATA] = Message("light.early", {"until": period_start(reference.cutoff, kind, 1).isoformat()})
        return [], series_table(before)
    checks = check_data(before, profile(dataset, periods), periods_in(kind, horizon))
    return checks, series_table(before)


def _check_customers(
    scored: Scored, reference: Reference, unknown: dict[str, Message]
) -> tuple[pd.DataFrame | None, list[Check]]:
    """Return everybody's predicted value at the latest instant, and the checks of all instants."""
    dataset, bundle = scored.dataset, scored.model
    instants = later_instants(reference.cutoff, dataset.log_end)
    if not instants:
        unknown[PREDICTIONS] = Message("light.early", {"until": period_start(reference.cutoff, MONTH, 1).isoformat()})
        return None, []
    if len(reference.histograms) < 2:
        days = (reference.cutoff - reference.first_day).days
        unknown[PREDICTIONS] = Message("light.predictions.short", {"days": days})
    config = bundle.record.train_config
    log = open_log(dataset, **config.of_log())
    histograms = []
    try:
        for instant in instants:
            everybody = instant == instants[-1]
            now = features_with_predictions(log, bundle.model, config, instant, everybody=everybody)
            histograms.append(make_histograms(now, reference.bins, instant))
    finally:
        log.close()
    checks = check_customers(reference.cutoff, reference.first_day, reference.histograms, histograms)
    return now[["predicted_clv"]].reset_index(), checks
