"""Which horizons a log can support, and why: how many customers a model of each could be tested on, how they pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from clv_core.collection.engine import connect, file_text, text
from clv_core.collection.store.version_store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES, PURCHASE
from clv_core.disk import ignore_unwritable
from clv_core.errors import Message
from clv_core.scratch import temporary_folder
from clv_core.workspace import read_json, write_json

HORIZONS: Final = (7, 14, 30, 60, 90, 182, 365, 730)
"""Days: from a week to two years, in steps that people plan in."""
SHORTEST_HISTORY_DAYS: Final = 28
"""History before the first window to predict; a shorter horizon is content with its own length, and a week at least."""

WINDOWS_TO_TRAIN: Final = 2
"""What a short log is comfortably divided into: history to learn from, and the window to predict."""

WINDOWS_TO_MEASURE: Final = 3
"""What makes a horizon one to begin with: one window more, held out."""

BUYERS_TO_MEASURE: Final = 100
"""Buyers in the held-out window without which a measurement is mostly noise: a share of 100 has a standard error of up
to 5 points."""

USUAL_HORIZONS: Final = (30, 60, 90, 182, 365)
"""Days: one, two, three, six and twelve months, what people plan in."""

ENOUGH_BUYERS: Final = 300
"""Buyers in the held-out window from which on a measurement is more than rough: a share of 300 has a standard error of
up to 3 points."""

MOST_CUSTOMERS: Final = 0.5
"""Share of the customers on which a recommended horizon is tested: of fewer, the test says little of most (a guess)."""


@dataclass(frozen=True)
class HorizonSupport:
    """What a log allows for one horizon.

    Args:
        horizon_days: the horizon.
        verdict: ``measured`` (train and measure on the past), ``unmeasured`` (train only) or ``too_short``.
        reason: why.
    """

    horizon_days: int
    verdict: str
    reason: Message


def history_days(horizon_days: int) -> int:
    """Return how many days of history have to lie before the first window to predict."""
    return min(SHORTEST_HISTORY_DAYS, max(horizon_days, 7))


def horizons_to_count(log_days: int) -> tuple[int, ...]:
    """Return the horizons that a log has room for: of :data:`HORIZONS`, the longest to train, the longest to test."""
    room = [days for days in range(1, log_days) if days + history_days(days) <= log_days]
    testable = [days for days in room if 2 * days + history_days(days) <= log_days]
    return tuple(sorted({*room[-1:], *testable[-1:], *(days for days in HORIZONS if days in room)}))


def longest_measured(log_days: int, buyers: Mapping[int, int]) -> int:
    """Return the longest of :func:`horizons_to_count` that the log's own past can test; 0 where there is none.

    Args:
        log_days: days from the first to the last event.
        buyers: as in :func:`supported_horizons`; what is not there was not counted.
    """
    verdicts = (support(days, log_days, buyers.get(days)) for days in horizons_to_count(log_days))
    return max((item.horizon_days for item in verdicts if item.verdict == "measured"), default=0)


def supported_horizons(log_days: int, buyers: Mapping[int, int]) -> tuple[HorizonSupport, ...]:
    """Return one verdict for each of :data:`HORIZONS` and of :func:`horizons_to_count`.

    Args:
        log_days: days from the first to the last event.
        buyers: customers seen before the last n days whose orders less returns in them come to more than 0, by n.
    """
    shown = sorted({*HORIZONS, *horizons_to_count(log_days)})
    return tuple(support(days, log_days, buyers.get(days, 0)) for days in shown)


def support(days: int, log_days: int, buyers: int | None = None) -> HorizonSupport:
    """Return what a log allows for one horizon, by the rule that training itself follows.

    Args:
        days: the horizon.
        log_days: days from the first to the last event.
        buyers: such customers of the last ``days``; None where they were not counted.
    """
    params: dict[str, int] = {"days": days, "found": log_days}
    needed = days + history_days(days)
    if log_days < needed:
        return HorizonSupport(days, "too_short", Message("horizon.too_short", {**params, "needed": needed}))
    needed += days
    if log_days < needed:
        return HorizonSupport(days, "unmeasured", Message("horizon.unmeasured", {**params, "needed": needed}))
    if buyers is not None and buyers < BUYERS_TO_MEASURE:
        few = {"days": days, "found": buyers, "needed": BUYERS_TO_MEASURE}
        return HorizonSupport(days, "unmeasured", Message("horizon.few_buyers", few))
    return HorizonSupport(days, "measured", Message("horizon.measured", {"days": days}))


@dataclass(frozen=True)
class RecommendedHorizon:
    """The horizon to begin with.

    Args:
        days: the horizon.
        reason: why this one, and none longer.
    """

    days: int
    reason: Message


SIZES_FILE: Final = "holdout_sizes.json"
"""In a version's folder: ``{timezone, log_end, sizes: {days: [customers, buyers]}}``."""


class HoldoutSize(NamedTuple):
    """Whom a model can be tested on when the last days of a log are held out.

    Args:
        customers: seen before these days.
        buyers: those of them whose orders less returns in these days come to more than 0.
    """

    customers: int
    buyers: int


def recommended(log_days: int, customers: int, sizes: Mapping[int, HoldoutSize]) -> RecommendedHorizon:
    """Return the longest usual horizon that is tested on most customers and on enough buyers.

    Where too few buy for that, it is the one with the most buyers. Where the log holds no usual one three times, it is
    the longest that its past can test, of a week or more.

    Args:
        log_days: days from the first to the last event.
        customers: of the log.
        sizes: the holdout of each of :func:`horizons_to_count`.
    """
    roomy = [days for days in USUAL_HORIZONS if WINDOWS_TO_MEASURE * days <= log_days]
    if not roomy:
        return _short(log_days, sizes)
    enough = [days for days in roomy if sizes[days].buyers >= ENOUGH_BUYERS]
    most = [days for days in enough if sizes[days].customers >= MOST_CUSTOMERS * customers]
    best = max(most or enough) if enough else max(roomy, key=lambda days: (sizes[days].buyers, days))
    longer = min((days for days in roomy if days > best), default=0)
    params: dict[str, int | float] = {"days": best, "every": customers, **sizes[best]._asdict()}
    if not enough and sizes[best].buyers < BUYERS_TO_MEASURE:
        params["needed"] = BUYERS_TO_MEASURE
        return RecommendedHorizon(best, Message("horizon.recommended.none", params))
    if not enough:
        return RecommendedHorizon(best, Message("horizon.recommended.few", params))
    if not most:
        return RecommendedHorizon(best, Message("horizon.recommended.new", params))
    if not longer:
        return RecommendedHorizon(best, Message("horizon.recommended", params))
    params["longer"] = longer
    if sizes[longer].buyers < ENOUGH_BUYERS:
        params["found"] = sizes[longer].buyers
        return RecommendedHorizon(best, Message("horizon.recommended.buyers", params))
    params["later"] = 1 - sizes[longer].customers / customers
    return RecommendedHorizon(best, Message("horizon.recommended.growing", params))


def _short(log_days: int, sizes: Mapping[int, HoldoutSize]) -> RecommendedHorizon:
    month, week = USUAL_HORIZONS[0], HORIZONS[0]
    tested = longest_measured(log_days, {days: size.buyers for days, size in sizes.items()})
    if tested >= week:
        days = min(tested, month)
        return RecommendedHorizon(days, Message("horizon.recommended.short", {"days": days, "found": log_days}))
    days = max(1, min(month, log_days // WINDOWS_TO_TRAIN))
    return RecommendedHorizon(days, Message("horizon.recommended.untested", {"days": days, "found": log_days}))


def recommended_horizon(dataset: Dataset) -> RecommendedHorizon:
    """Return :func:`recommended` of a dataset; a day where the log is shorter than any."""
    days = (dataset.log_end - dataset.log_start).days
    return recommended(days, dataset.manifest.customers, holdout_sizes(dataset, horizons_to_count(days)))


def count_holdouts(
    connection: duckdb.DuckDBPyConnection, events: Path, timezone: str, log_end: str, horizons: Sequence[int]
) -> dict[int, HoldoutSize]:
    """Return the size of the holdout by forecast period.

    Args:
        connection: to read with.
        events: a log's events, Parquet, times in UTC.
        timezone: in which its days begin.
        log_end: midnight after the last event, ISO day.
        horizons: days.
    """
    # Converting the few cutoffs to UTC takes a third of the time of converting each event's time to the log's zone.
    zone, end = text(timezone), f"TIMESTAMP '{log_end}'"
    begins = {days: f"timezone('UTC', timezone({zone}, {end} - INTERVAL {days} DAY))" for days in horizons}
    money = f"{EVENT_TYPE} IN ({', '.join(text(kind) for kind in MONEY_TYPES)})"
    sums = [f"sum({AMOUNT}) FILTER ({money} AND {EVENT_TIME} >= {begins[days]}) AS net_{days}" for days in horizons]
    counts = [
        f"count(*) FILTER (first < {begins[days]}{bought})"
        for days in horizons
        for bought in ("", f" AND round(net_{days}, 6) > 0")
    ]
    # Inner: each customer's first event and net spend since every cutoff. Outer: customers before it, and buyers.
    row = connection.execute(
        f"SELECT {', '.join(counts)} FROM (SELECT min({EVENT_TIME}) AS first, {', '.join(sums)}"
        f" FROM {file_text(events)} GROUP BY {CUSTOMER_ID})"
    ).fetchone()
    numbers = list(map(int, row or ()))
    return {days: HoldoutSize(*numbers[2 * place : 2 * place + 2]) for place, days in enumerate(horizons)}


def holdout_sizes(dataset: Dataset, horizons: Sequence[int]) -> dict[int, HoldoutSize]:
    """Return :func:`count_holdouts` of a dataset, saved with its version: a large log takes seconds."""
    facts, path = dataset.manifest, dataset.folder / SIZES_FILE
    key = {"timezone": facts.timezone, "log_end": facts.log_end}  # the same rows may be read again in another zone
    saved = read_json(path) if path.is_file() else {}
    valid = {name: saved.get(name) for name in key} == key
    sizes = {int(days): HoldoutSize(*size) for days, size in saved["sizes"].items()} if valid else {}
    missing = [days for days in horizons if days not in sizes]
    if missing:
        with temporary_folder("clv-") as folder, connect(folder) as connection:
            sizes |= count_holdouts(connection, dataset.events_path, facts.timezone, facts.log_end, missing)
        with ignore_unwritable():
            write_json(path, {**key, "sizes": sizes})
    return {days: sizes[days] for days in horizons}


RHYTHM_FILE: Final = "payment_rhythm.json"
"""In a version's folder: ``{timezone, log_end, rhythm: [never_paid, usual_gap, long_gap]}``."""


class PaymentRhythm(NamedTuple):
    """How customers of a log pay: what a forecast period, and a log, have to be long enough for.

    Args:
        never_paid: share of customers without any purchase.
        usual_gap: half of the repeat purchases come within so many days of the one before; 0 where nobody came back.
        long_gap: nine in ten do.
    """

    never_paid: float
    usual_gap: int
    long_gap: int


def payment_rhythm(dataset: Dataset) -> PaymentRhythm:
    """Return how customers of a dataset pay, saved with its version: a large log takes seconds."""
    facts, path = dataset.manifest, dataset.folder / RHYTHM_FILE
    key = {"timezone": facts.timezone, "log_end": facts.log_end}
    saved = read_json(path) if path.is_file() else {}
    if {name: saved.get(name) for name in key} == key:
        return PaymentRhythm(*saved["rhythm"])
    day = f"timezone({text(facts.timezone)}, timezone('UTC', {EVENT_TIME}))::DATE"
    bought = f"{file_text(dataset.events_path)} WHERE {EVENT_TYPE} = {text(PURCHASE)}"
    # Innermost: the days on which each customer bought. Then: the gap before each. Outermost: how long gaps are.
    query = f"""
        SELECT quantile_disc(gap, 0.5), quantile_disc(gap, 0.9), count(DISTINCT customer) FROM (
            SELECT customer, day - lag(day) OVER (PARTITION BY customer ORDER BY day) AS gap FROM (
                SELECT DISTINCT {CUSTOMER_ID} AS customer, {day} AS day FROM {bought}
            )
        )"""
    with temporary_folder("clv-") as folder, connect(folder) as connection:
        usual, long, buyers = connection.execute(query).fetchone() or (None, None, 0)
    rhythm = PaymentRhythm(1 - buyers / max(1, facts.customers), int(usual or 0), int(long or 0))
    with ignore_unwritable():
        write_json(path, {**key, "rhythm": list(rhythm)})
    return rhythm
