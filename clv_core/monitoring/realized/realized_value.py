"""Realized against predicted value of the customers at the cutoff, in total and by value tier, with alerts.

They are compared after each month (or week) of the horizon. A prediction is for a full horizon; before its end,
realized value is compared with what is expected of the part so far
(:mod:`clv_core.monitoring.realized.partial_horizon`). How far off a sum may be follows from past origins
(:mod:`clv_core.evaluation.levels`); without them, or where parts cannot be estimated, there is no interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Bundle, Scored, Terms, score_customers, score_snapshot, shared_error, snapshot_of
from clv_core.errors import Message
from clv_core.evaluation import (
    FIFTHS,
    METRICS,
    Intervals,
    SharedError,
    customer_variance,
    fifth_of,
    intervals_of,
    sum_intervals,
)
from clv_core.i18n import DEFAULT_LANGUAGE, say_number
from clv_core.jobs import Progress
from clv_core.monitoring.alerts import REALISED, Alert, alert_of
from clv_core.monitoring.drift.data_checks import FALSE_ALARMS
from clv_core.monitoring.drift.periods import MONTH, WEEK, periods_after, periods_in
from clv_core.monitoring.realized.partial_horizon import SEASON, UNKNOWN, WHOLE, PartialHorizon
from clv_core.records import StoredRecord
from clv_core.strategy import net_value
from clv_core.strategy.segments import DEFAULT_SCHEME, tier_names

Floats = NDArray[np.float64]
SNAPSHOT_CUSTOMERS: Final = 200_000
"""Of more customers the features are made anew for each part of the horizon, to save memory."""
SHORT_HORIZON_DAYS: Final = 70
"""A horizon of at most this is compared by the week."""
MIN_CUSTOMERS: Final = 100
"""Intervals of fewer customers are not checked."""
MIN_TIER_SHARE: Final = 0.10
"""A tier is judged by itself from this share of the expected value on: annual reports have to show a segment by itself
from a tenth of the revenue on (IFRS 8, paragraph 13)."""
FIRST_DAYS: Final = 28
"""Before so many days have passed, realized value is mostly chance."""


@dataclass(frozen=True)
class Realised(StoredRecord):
    """Realized value by one instant; money in the log's currency.

    Args:
        until: ISO date; [cutoff, until) is counted.
        days: its length.
        realised: net value of the customers seen before the cutoff.
        newcomers: net value of all others, for whom there is no prediction.
        expected: expected value of that part of the horizon.
        low: lower end of the 80% interval of the sum; None where there is none.
        high: its upper end.
        chance: p-value of the sum where the model holds, two-sided; None where there is none.
        coverage: share of customers inside their own 80% interval; None before the end of the horizon.
        buyers: customers whose net value is above 0.
        buyers_expected: sum of purchase probabilities; None for a part that is shaped by seasons, which are estimated
            for value only.
        held_against: ``whole`` (the horizon is complete), or for a part of it ``season``, ``curve`` or ``unknown``
            (:mod:`clv_core.monitoring.realized.partial_horizon`).
    """

    until: str
    days: int
    realised: float
    newcomers: float
    expected: float
    low: float | None
    high: float | None
    chance: float | None
    coverage: float | None
    buyers: int
    buyers_expected: float | None
    held_against: str = WHOLE

    @property
    def side(self) -> str:
        """``below`` or ``above`` its 80% interval, or ``inside``; empty where there is none."""
        return _side(self.realised, self.low, self.high)


@dataclass(frozen=True)
class Tier(StoredRecord):
    """One value tier of the cutoff, 1 the most valuable.

    Args:
        tier: its number.
        customers: how many were in it at the cutoff.
        expected: their expected value by now, in the log's currency.
        realised: their realized value.
        low: lower end of the 80% interval of the sum; None where there is none.
        high: its upper end.
        now: how many of them are in each tier today, the most valuable first, by the bounds of the cutoff.
        newcomers: customers first seen since, who are in this tier today.
    """

    tier: int
    customers: int
    expected: float
    realised: float
    low: float | None
    high: float | None
    now: list[int]
    newcomers: int

    @property
    def side(self) -> str:
        """``below`` or ``above`` its 80% interval, or ``inside``; empty where there is none."""
        return _side(self.realised, self.low, self.high)


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


def outside(realized: Sequence[Realised], tiers: Sequence[Tier] = (), currency: str = "") -> dict[str, Message]:
    """Return, by question, which sum is outside its 80% interval: one in five is by chance alone.

    It is the worst one, by the money that is outside, of the latest total and the tiers that have at least
    :data:`MIN_TIER_SHARE` of the expected value.

    Args:
        realized: by instant.
        tiers: of the latest instant.
        currency: of the log's amounts; empty where it has no name.
    """
    if not realized:
        return {}
    last, least = realized[-1], MIN_TIER_SHARE * sum(tier.expected for tier in tiers)
    sums: list[Realised | Tier] = [last, *(tier for tier in tiers if tier.expected >= least)]
    worst = max(sums, key=_money_outside)
    if worst.side not in ("below", "above"):
        return {}
    change = f"{abs(worst.realised / worst.expected - 1):.0%}" if worst.expected else "-"
    params: dict[str, Any] = {"change": change, "until": last.until}
    if isinstance(worst, Realised):
        return {REALISED: Message(f"light.realised.{worst.side}", params)}
    params |= {"tier": worst.tier, "realised": worst.realised, "low": worst.low, "high": worst.high}
    return {REALISED: Message(f"light.realised.tier.{worst.side}", {**params, "currency": currency})}


def with_tier_name(why: Message, language: str = DEFAULT_LANGUAGE, names: Sequence[str] = ()) -> Message:
    """Return a message of :func:`outside` with its tier by name and its amounts rounded; others as they are.

    Args:
        why: the message.
        language: of names and amounts.
        names: of all tiers, the highest first; by default those of the scheme.
    """
    if "tier" not in why.params:
        return why
    names = names or tier_names(DEFAULT_SCHEME.tiers, language)
    amounts = {name: say_number(why.params[name], language) for name in ("realised", "low", "high")}
    return Message(why.code, {**why.params, **amounts, "tier": names[why.params["tier"] - 1]})


def so_far(realized: Sequence[Realised]) -> dict[str, Message]:
    """Return, by question, the message of a green status where only a part of a horizon was compared."""
    last = realized[-1] if realized else None
    if last is None or last.held_against in (WHOLE, UNKNOWN):
        return {}
    by = SEASON if last.held_against == SEASON else "part"
    return {REALISED: Message(f"light.realised.green.{by}", {"days": last.days})}


def realised(
    dataset: Dataset,
    scored: pd.DataFrame,
    cutoff: date,
    days: int,
    shared: SharedError | None,
    held_against: str = WHOLE,
) -> Realised:
    """Return the realized value of the first ``days`` after the cutoff.

    Args:
        dataset: the log.
        scored: what is expected of these days as of the cutoff: the columns of ``score``, one row a customer.
        cutoff: of the model.
        days: so much of the horizon has passed.
        shared: errors that customers share in these days; None where they are unknown.
        held_against: as in :class:`Realised`.
    """
    until = cutoff + timedelta(days=days)
    value, newcomers = actual_of(dataset, scored, cutoff, until)
    total = float(np.round(value.sum(), 2))
    low = high = chance = None
    if shared is not None:
        sums = sum_intervals(scored, np.zeros(len(scored), np.int64), 1, shared)
        low, high = float(sums.low[0]), float(sums.high[0])
        chance = chance_of(scored, total, shared)
    return Realised(
        until=until.isoformat(),
        days=days,
        realised=total,
        newcomers=newcomers,
        expected=float(scored["predicted_clv"].sum()),
        low=low,
        high=high,
        chance=chance,
        coverage=METRICS["coverage80"].value(value, scored) if held_against == WHOLE else None,
        buyers=int((value > 0).sum()),
        buyers_expected=None if held_against == SEASON else float(scored["p_purchase"].sum()),
        held_against=held_against,
    )


def actual_of(dataset: Dataset, scored: pd.DataFrame, cutoff: date, until: date) -> tuple[Floats, float]:
    """Return the net value of each scored customer in [cutoff, until), [n], and the sum of all others'."""
    values = net_value(dataset, cutoff, until)
    newcomers = float(np.round(values[~values.index.isin(scored[CUSTOMER_ID])].sum(), 2))
    return np.asarray(values.reindex(scored[CUSTOMER_ID]).fillna(0.0), np.float64), newcomers


def chance_of(scored: pd.DataFrame, total: float, shared: SharedError) -> float:
    """Return the two-sided p-value of a realized sum, by the distribution of :mod:`clv_core.evaluation.levels`."""
    predicted = scored["predicted_clv"].to_numpy(np.float64)
    if predicted.sum() <= 0:
        return 1.0
    shares = np.bincount(fifth_of(predicted), predicted, minlength=FIFTHS) / predicted.sum()
    luck = float(np.log1p(customer_variance(scored, shared.dispersion).sum() / predicted.sum() ** 2))
    off = np.log(max(total, 1e-9) / predicted.sum()) + luck / 2
    scale = np.sqrt(luck + shared.level + shared.own @ shares**2)
    return float(2 * (ndtr(-abs(off) / scale) @ shared.weights))


def tiers_since(
    then: pd.DataFrame, part: pd.DataFrame, actual: Floats, now: pd.DataFrame, shared: SharedError | None
) -> list[Tier]:
    """Return the tiers of the cutoff, by the default scheme.

    Args:
        then: scores as of the cutoff for the full horizon, which decide the tiers.
        part: scores as of the cutoff for the part that has passed, in the order of ``then``.
        actual: realized value of each, [n].
        now: scores as of today for a full horizon: ``customer_id``, ``predicted_clv``.
        shared: errors that customers share; None where they are unknown.
    """
    count = DEFAULT_SCHEME.tiers
    values = then["predicted_clv"].to_numpy(float)
    tier = DEFAULT_SCHEME.tier_of(values)
    bounds = [values[tier <= number].min() if (tier <= number).any() else np.inf for number in range(1, count)]
    today = pd.Series(1 + (now["predicted_clv"].to_numpy(float)[:, None] < np.array(bounds)).sum(axis=1))
    today.index = pd.Index(now[CUSTOMER_ID])
    moved = today.reindex(then[CUSTOMER_ID]).to_numpy(float)
    fresh = today[~today.index.isin(then[CUSTOMER_ID])].to_numpy()
    sums = None if shared is None else sum_intervals(part, tier - 1, count, shared)
    expected = np.bincount(tier, part["predicted_clv"].to_numpy(float), minlength=count + 1)[1:]
    realized = np.bincount(tier, actual, minlength=count + 1)[1:]
    return [
        Tier(
            tier=number,
            customers=int((tier == number).sum()),
            expected=float(expected[number - 1]),
            realised=float(np.round(realized[number - 1], 2)),
            low=None if sums is None else float(sums.low[number - 1]),
            high=None if sums is None else float(sums.high[number - 1]),
            now=[int((moved[tier == number] == other).sum()) for other in range(1, count + 1)],
            newcomers=int((fresh == number).sum()),
        )
        for number in range(1, count + 1)
    ]


def _side(value: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return "below" if value < low else "above" if value > high else "inside"


def _money_outside(of: Realised | Tier) -> float:
    """Return by how much a sum is outside its interval; 0 where it is inside, or has none."""
    return 0.0 if of.low is None or of.high is None else max(of.low - of.realised, of.realised - of.high, 0.0)


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
    return now.fit == "narrow" and then is not None and now.narrower_than(then)
