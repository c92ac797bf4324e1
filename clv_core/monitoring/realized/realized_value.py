"""Compare a model's predictions with realized value: after each month (or week) of the horizon, with alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.deployment import Bundle, Scored, Terms, score_customers, score_snapshot, shared_error, snapshot_of
from clv_core.errors import Message
from clv_core.evaluation import Intervals, intervals_of
from clv_core.jobs import Progress
from clv_core.monitoring.alerts import REALISED, Alert, alert_of
from clv_core.monitoring.drift.data_checks import FALSE_ALARMS
from clv_core.monitoring.drift.periods import MONTH, WEEK, periods_after, periods_in
from clv_core.monitoring.realized.partial_horizon import UNKNOWN, WHOLE, PartialHorizon
from clv_core.monitoring.realized.performance import Realised, Tier, actual_of, realised, tiers_since

SNAPSHOT_CUSTOMERS: Final = 200_000
"""Of more customers the features are made anew for each part of the horizon, to save memory."""
SHORT_HORIZON_DAYS: Final = 70
"""A horizon of at most this is compared by the week."""
MIN_CUSTOMERS: Final = 100
"""Intervals of fewer customers are not checked."""
FIRST_DAYS: Final = 28
"""Before so many days have passed, realized value is mostly chance."""


def compare_realized(
    scored: Scored,
    now: pd.DataFrame | None,
    unknown: dict[str, Message],
    progress: Progress,
) -> tuple[list[Realised], list[Tier], Intervals | None]:
    """Return realized value by instant and by tier, and once the horizon is complete how intervals held.

    Args:
        scored: the log, and the model with its backtests.
        now: scores as of today: ``customer_id``, ``predicted_clv``; None: no tiers.
        unknown: gets why the question cannot be answered, where it cannot.
        progress: listener.
    """
    dataset, bundle, horizon = scored.dataset, scored.model, scored.trained_days
    cutoff = bundle.record.cutoff
    days = matured(cutoff, horizon, dataset.log_end)
    if not days:
        until = cutoff + timedelta(days=min(FIRST_DAYS, horizon))
        unknown[REALISED] = Message("light.early", {"until": until.isoformat()})
        return [], [], None
    if cutoff <= dataset.log_start:
        unknown[REALISED] = Message("light.realised.nobody", {"cutoff": cutoff.isoformat()})
        return [], [], None
    scores, shared = _scores(bundle, dataset, cutoff, progress), shared_error(scored.workspace, bundle)
    partial = _partial_horizon(dataset, cutoff, horizon, scores, days)
    realized: list[Realised] = []
    for passed in days:
        expected, errors, held_against = scores(passed), shared, WHOLE
        if passed < horizon and partial is None:
            errors, held_against = None, UNKNOWN
        elif passed < horizon and partial is not None:
            errors, held_against = shared and partial.wider(shared, passed), partial.kind
            expected = partial.expected(expected, passed)
        realized.append(realised(dataset, expected, cutoff, passed, errors, held_against))
    if shared is None:
        unknown[REALISED] = Message("light.realised.unmeasured")
    elif realized[-1].held_against == UNKNOWN:
        params = {"days": days[-1], "until": (cutoff + timedelta(days=horizon)).isoformat()}
        unknown[REALISED] = Message("light.realised.part_unknown", params)
    actual, _ = actual_of(dataset, expected, cutoff, cutoff + timedelta(days=days[-1]))
    tiers = [] if now is None else tiers_since(scores(horizon), expected, actual, now, errors)
    complete = days[-1] == horizon and len(expected) >= MIN_CUSTOMERS
    return realized, tiers, intervals_of(expected.assign(actual=actual)) if complete else None


def matured(cutoff: date, horizon_days: int, end: date) -> list[int]:
    """Return after how many days predictions are compared: complete periods, and all that has passed.

    The first is at least :data:`FIRST_DAYS` days after the cutoff, or the horizon where that is shorter.
    """
    kind = WEEK if horizon_days <= SHORT_HORIZON_DAYS else MONTH
    passed = min(horizon_days, (end - cutoff).days)
    ends = {(period.end - cutoff).days for period in periods_after(cutoff, kind, end)} | {passed}
    return sorted(days for days in ends if min(FIRST_DAYS, horizon_days) <= days <= passed)


def realized_alerts(
    bundle: Bundle, realized: list[Realised], intervals: Intervals | None, currency: str = ""
) -> list[Alert]:
    """Return alerts: the latest sum is too far off, or intervals became too narrow.

    Sums share :data:`~clv_core.monitoring.drift.data_checks.FALSE_ALARMS` evenly over the months of the horizon.
    """
    if not realized:
        return []
    cutoff, last, alerts = bundle.record.cutoff.isoformat(), realized[-1], []
    checked = periods_in(MONTH, bundle.record.horizon_days)
    if last.chance is not None and last.chance < FALSE_ALARMS / checked:
        side = "rose" if last.realised > last.expected else "fell"
        change = f"{abs(last.realised / last.expected - 1):.0%}" if last.expected else ""
        params = {"realised": last.realised, "expected": last.expected, "change": change, "currency": currency}
        alerts.append(alert_of(REALISED, f"realised_{side}", "", params, cutoff, last.until))
    if intervals is not None and _became_narrow(intervals, bundle):
        params = {"found": f"{intervals.outside:.0%}", "usual": f"{intervals.outside_right:.0%}"}
        alerts.append(alert_of(REALISED, "outside", "", params, cutoff, last.until))
    return alerts


def _partial_horizon(
    dataset: Dataset, cutoff: date, horizon: int, scores: Callable[[int], pd.DataFrame], days: list[int]
) -> PartialHorizon | None:
    """Return what is expected of parts of the horizon; None where there are none, or nothing can be estimated."""
    parts = [passed for passed in days if passed < horizon]
    total = float(scores(horizon)["predicted_clv"].sum()) if parts else 0.0
    curve = {passed: float(scores(passed)["predicted_clv"].sum()) / total for passed in parts if total > 0}
    return PartialHorizon.of(dataset, cutoff, horizon, curve) if curve and min(curve.values()) > 0 else None


def _scores(bundle: Bundle, dataset: Dataset, cutoff: date, progress: Progress) -> Callable[[int], pd.DataFrame]:
    """Return a cached function from a number of days to the scores as of the cutoff."""
    cached: dict[int, pd.DataFrame] = {}
    snapshot = None
    if dataset.manifest.customers <= SNAPSHOT_CUSTOMERS:
        snapshot = snapshot_of(bundle, dataset, cutoff, progress)

    def scores(days: int) -> pd.DataFrame:
        if days not in cached and snapshot is not None:
            cached[days] = score_snapshot(bundle, snapshot, cutoff, Terms(days))
        elif days not in cached:
            cached[days] = score_customers(bundle, dataset, cutoff=cutoff, terms=Terms(days), progress=progress)
        return cached[days]

    return scores


def _became_narrow(now: Intervals, bundle: Bundle) -> bool:
    """Whether intervals are too narrow now, and surely more so than when the model was evaluated."""
    evidence = bundle.record.evidence
    then = None if evidence is None or evidence.held is None else evidence.held.intervals
    return now.found == "narrow" and then is not None and now.narrower_than(then)
