"""Monitoring of one model: the reference, the new chunks, what came true, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.collection.stored.store import Dataset, open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.dataset_scoring import score, score_snapshot, snapshot_of
from clv_core.deployment.saved_evaluation import shared_error
from clv_core.deployment.terms import Terms
from clv_core.errors import Message
from clv_core.evaluation.intervals import Intervals, intervals_of
from clv_core.features.log import open_log
from clv_core.jobs import Progress
from clv_core.monitoring.alerts import DATA, PREDICTIONS, REALISED, Alert, alert_of, alerts_of
from clv_core.monitoring.drift.check import Check
from clv_core.monitoring.drift.chunks import AUTO, FEWEST, MONTH, WEEK, chunks_after, edge, in_span, usual_kind
from clv_core.monitoring.drift.customers import check_customers, later_instants
from clv_core.monitoring.drift.data import FALSE_ALARMS, check_data
from clv_core.monitoring.drift.profile import Profile, profile
from clv_core.monitoring.drift.reference import Reference, reference_of
from clv_core.monitoring.drift.series import all_series
from clv_core.monitoring.drift.sights import look_at, sight_of
from clv_core.monitoring.lights import lights_of, recommend
from clv_core.monitoring.report import Report, acknowledged, kept_folder, report_folder
from clv_core.monitoring.truth.parts import UNKNOWN, WHOLE, Parts
from clv_core.monitoring.truth.realised import Realised, actual_of, outside, realised, so_far
from clv_core.monitoring.truth.tiers import Tier, tiers_since
from clv_core.workspace import Workspace

AT_ONCE: Final = 200_000
"""Of more customers the features are made anew for each part of the horizon, some of them at a time."""
SHORT_HORIZON_DAYS: Final = 70
"""A horizon of at most this is followed by the week."""
FEWEST_CUSTOMERS: Final = 100
"""Of fewer customers nobody can say whether their intervals are too narrow."""
FIRST_DAYS: Final = 28
"""Before so many days have passed, what came true is mostly chance."""


def monitor(workspace: Workspace, name: str, model_id: str, *, kind: str = AUTO, progress: Progress) -> Report:
    """Hold a dataset's events since a model's cutoff against its reference and its predictions; keep the report.

    Args:
        workspace: where both are.
        name: the dataset, as it has grown.
        model_id: the model.
        kind: ``week``, ``month``, or ``auto``: months where the reference has enough of them.
        progress: listener.

    Raises:
        NotFound: no such dataset or model.
        NotEnoughData: nothing is known of the time before the model's cutoff.
    """
    dataset, bundle = open_dataset(workspace, name), open_bundle(workspace, model_id)
    cutoff = date.fromisoformat(bundle.record["cutoff"])
    known = reference_of(bundle, dataset, kept_folder(workspace, model_id), progress)
    kind = usual_kind(cutoff, known.first_day) if kind == AUTO else kind
    horizon: int = bundle.record["horizon_days"]
    chunks = chunks_after(cutoff, kind, dataset.log_end)
    unknown: dict[str, Message] = {}
    progress.report("monitoring", 0, 3)
    checks, past = _data(dataset, known, kind, chunks, horizon, unknown)
    progress.report("monitoring", 1, 3)
    now, customers = _customers(dataset, bundle, known, unknown)
    progress.report("monitoring", 2, 3)
    came, tiers, intervals = _truth(workspace, dataset, bundle, now, unknown, progress)
    every, currency = [*checks, *customers], dataset.manifest.currency
    alerts = [*alerts_of(every, currency), *_truth_alerts(bundle, came, intervals, currency)]
    lights = lights_of(alerts, unknown, outside(came), so_far(came))
    about = _about(dataset, bundle, known, kind)
    spans = [[chunk.begin.isoformat(), chunk.end.isoformat()] for chunk in chunks]
    report = Report(about, spans, lights, recommend(lights), alerts, every, past, came, tiers, unknown)
    report.save(report_folder(dataset, bundle))
    progress.report("monitoring", 3, 3)
    return report.seen(acknowledged(workspace, model_id))


def _about(dataset: Dataset, bundle: Bundle, known: Reference, kind: str) -> dict[str, Any]:
    """Return what a report says of itself."""
    return {
        "model": bundle.id,
        "dataset": dataset.name,
        "version": dataset.version,
        "cutoff": bundle.record["cutoff"],
        "horizon_days": bundle.record["horizon_days"],
        "currency": dataset.manifest.currency,
        "as_of": dataset.log_end.isoformat(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": kind,
        "reference": {
            "source": known.source,
            "first_day": known.first_day.isoformat(),
            "chunks": len(known.profiles[kind].chunks) if kind in known.profiles else 0,
        },
    }


def _data(
    dataset: Dataset, known: Reference, kind: str, chunks: list[Any], horizon: int, unknown: dict[str, Message]
) -> tuple[list[Check], list[dict[str, Any]]]:
    before = known.profiles.get(kind)
    if before is None:
        days = (known.cutoff - known.first_day).days
        unknown[DATA] = Message(f"light.data.short.{kind}", {"days": days, "needed": FEWEST[kind]})
        return [], []
    past = _past(before)
    if not chunks:
        unknown[DATA] = Message("light.early", {"until": edge(known.cutoff, kind, 1).isoformat()})
        return [], past
    return check_data(before, profile(dataset, chunks), in_span(kind, horizon)), past


def _past(before: Profile) -> list[dict[str, Any]]:
    begin = [chunk.begin.isoformat() for chunk in before.chunks]
    found = []
    for one in all_series(before, before):
        figures = [float(value) if np.isfinite(value) else None for value in one.back(one.y)]
        found.append({"test": one.test, "subject": one.subject, "value": one.value, "begin": begin, "figures": figures})
    return found


def _customers(
    dataset: Dataset, bundle: Bundle, known: Reference, unknown: dict[str, Message]
) -> tuple[pd.DataFrame | None, list[Check]]:
    """Return what the model says of everybody at the latest instant, and the checks of all instants."""
    instants = later_instants(known.cutoff, dataset.log_end)
    if not instants:
        unknown[PREDICTIONS] = Message("light.early", {"until": edge(known.cutoff, MONTH, 1).isoformat()})
        return None, []
    if len(known.sights) < 2:
        unknown[PREDICTIONS] = Message("light.predictions.short", {"days": (known.cutoff - known.first_day).days})
    config = TrainConfig.from_json(bundle.record["config"])
    log = open_log(dataset, **config.of_log())
    sights, now = [], None
    try:
        for instant in instants:
            now = look_at(log, bundle.model, config, instant, everybody=instant == instants[-1])
            sights.append(sight_of(now, known.bins, instant))
    finally:
        log.close()
    assert now is not None
    return now[["predicted_clv"]].reset_index(), check_customers(known.cutoff, known.first_day, known.sights, sights)


def _truth(
    workspace: Workspace,
    dataset: Dataset,
    bundle: Bundle,
    now: pd.DataFrame | None,
    unknown: dict[str, Message],
    progress: Progress,
) -> tuple[list[Realised], list[Tier], Intervals | None]:
    """Return what came true, by instant and by tier, and once the horizon is complete how customers met intervals."""
    cutoff, horizon = date.fromisoformat(bundle.record["cutoff"]), int(bundle.record["horizon_days"])
    days = matured(cutoff, horizon, dataset.log_end)
    if not days:
        until = cutoff + timedelta(days=min(FIRST_DAYS, horizon))
        unknown[REALISED] = Message("light.early", {"until": until.isoformat()})
        return [], [], None
    if cutoff <= dataset.log_start:
        unknown[REALISED] = Message("light.realised.nobody", {"cutoff": cutoff.isoformat()})
        return [], [], None
    scores, shared = _scores(bundle, dataset, cutoff, progress), shared_error(workspace, bundle)
    parts = _parts(dataset, cutoff, horizon, scores, days)
    came: list[Realised] = []
    for passed in days:
        against, sure = WHOLE, shared
        if passed < horizon:
            against, sure = (UNKNOWN, None) if parts is None else (parts.kind, shared and parts.wider(shared, passed))
        expected = scores(passed) if parts is None or against == WHOLE else parts.expected(scores(passed), passed)
        came.append(realised(dataset, expected, cutoff, passed, sure, against))
    if shared is None:
        unknown[REALISED] = Message("light.realised.unmeasured")
    elif came[-1].held_against == UNKNOWN:
        params = {"days": days[-1], "until": (cutoff + timedelta(days=horizon)).isoformat()}
        unknown[REALISED] = Message("light.realised.part_unknown", params)
    actual, _ = actual_of(dataset, expected, cutoff, cutoff + timedelta(days=days[-1]))
    tiers = [] if now is None else tiers_since(scores(horizon), expected, actual, now, sure)
    complete = days[-1] == horizon and len(expected) >= FEWEST_CUSTOMERS
    return came, tiers, intervals_of(expected.assign(actual=actual)) if complete else None


def _parts(
    dataset: Dataset, cutoff: date, horizon: int, scores: Callable[[int], pd.DataFrame], days: list[int]
) -> Parts | None:
    """Return what is known of the parts of the horizon; None where there are none, or nothing is known of them."""
    parts = [passed for passed in days if passed < horizon]
    whole = float(scores(horizon)["predicted_clv"].sum()) if parts else 0.0
    curve = {passed: float(scores(passed)["predicted_clv"].sum()) / whole for passed in parts if whole > 0}
    return Parts.of(dataset, cutoff, horizon, curve) if curve and min(curve.values()) > 0 else None


def matured(cutoff: date, horizon_days: int, end: date) -> list[int]:
    """Return after how many days predictions are held against what came: whole chunks, and all that has passed.

    The first is at least :data:`FIRST_DAYS` days after the cutoff, or the horizon where that is shorter.
    """
    kind = WEEK if horizon_days <= SHORT_HORIZON_DAYS else MONTH
    passed = min(horizon_days, (end - cutoff).days)
    edges = {(chunk.end - cutoff).days for chunk in chunks_after(cutoff, kind, end)} | {passed}
    return sorted(days for days in edges if min(FIRST_DAYS, horizon_days) <= days <= passed)


def _scores(bundle: Bundle, dataset: Dataset, cutoff: date, progress: Progress) -> Callable[[int], pd.DataFrame]:
    """Return what gives the scores as of the cutoff for any part of the horizon."""
    known: dict[int, pd.DataFrame] = {}
    snapshot = None
    if dataset.manifest.customers <= AT_ONCE:
        snapshot = snapshot_of(bundle, dataset, cutoff, progress)

    def scores(days: int) -> pd.DataFrame:
        if days not in known and snapshot is not None:
            known[days] = score_snapshot(bundle, snapshot, cutoff, Terms(days))
        elif days not in known:
            known[days] = score(bundle, dataset, cutoff=cutoff, horizon_days=days, progress=progress)
        return known[days]

    return scores


def _truth_alerts(bundle: Bundle, came: list[Realised], intervals: Intervals | None, currency: str = "") -> list[Alert]:
    if not came:
        return []
    cutoff, last, found = bundle.record["cutoff"], came[-1], []
    checked = in_span(MONTH, bundle.record["horizon_days"])
    if last.chance is not None and last.chance < FALSE_ALARMS / checked:
        side = "rose" if last.realised > last.expected else "fell"
        change = f"{abs(last.realised / last.expected - 1):.0%}" if last.expected else ""
        params = {"realised": last.realised, "expected": last.expected, "change": change, "currency": currency}
        found.append(alert_of(REALISED, f"realised_{side}", "", params, cutoff, last.until))
    if intervals is not None and _worse(intervals, bundle):
        params = {"found": f"{intervals.outside:.0%}", "usual": f"{intervals.outside_right:.0%}"}
        found.append(alert_of(REALISED, "outside", "", params, cutoff, last.until))
    return found


def _worse(now: Intervals, bundle: Bundle) -> bool:
    """Say whether intervals are too narrow now, and more so than when the model was measured: chance aside."""
    held = (bundle.record.get("evidence") or {}).get("held") or {}
    then = held.get("intervals") and Intervals(**held["intervals"])
    return now.found == "narrow" and then is not None and now.narrower_than(then)
