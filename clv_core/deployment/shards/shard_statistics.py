"""What spans all customers, made in each shard so that it adds up.

A model's predictions need of everybody an anchor (also one of a year ago), sums that hold both against what came, and,
networks that read whole pasts, statistics of the log. ``score`` fits the anchor on at most
:data:`~clv_core.features.feature_table.FIT_CUSTOMERS` customers and makes those statistics of at most
:data:`~clv_core.features.context.context.MOST_CUSTOMERS`. So each shard hands over a sample of its own: its customers
with the lowest hashes, and of those all shards' lowest are taken. That is everybody, and what is fitted is that of
``score`` to the last bit, in a log of no more customers; of a larger one it is a sample of the same size, by hash. All
else are sums. No file and no process grows with the number of customers.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce
from operator import add
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.btyd import ParetoNBD
from clv_core.columns import CUSTOMER_ID, EVENT_TYPE, PURCHASE
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import CUSTOMERS_AT_ONCE
from clv_core.deployment.population_context import PopulationContext
from clv_core.deployment.shards.shard_events import ShardLog
from clv_core.deployment.shards.shard_folder import DIGITS, STATISTICS, SUMS, Plan, ShardFolder
from clv_core.errors import NotEnoughData, Refused
from clv_core.features import (
    EPOCH,
    FIT_CUSTOMERS,
    HISTORY,
    STEP_CODES,
    STEP_VALUES,
    Anchor,
    EventLog,
    LastYear,
    Steps,
    YearSums,
    day_of,
    has_last_year,
    year_before,
    year_sums,
)
from clv_core.features.context import MOST_CUSTOMERS, Context
from clv_core.model import CalibratedModel, ParetoNBDModel, Totals, counts_of
from clv_core.records import JsonRecord, StoredRecord
from clv_core.workspace import atomic_path, read_json, write_json

Ids = NDArray[np.object_]

FACTS: Final = "facts.json"
HISTORIES: Final = "history"
PAST: Final = "past"
STEPS: Final = "steps"
"""The samples: what the anchor reads, at the cutoff and one year before; of whom the log's statistics are made."""
SIGMAS: Final = 6
"""A shard's customers are a random part: so many standard deviations more than its share of a sample, it will never
have in a log of no more customers than the sample."""
HASH_DIGITS: Final = 12


@dataclass(frozen=True)
class Facts(StoredRecord):
    """Counts of a shard.

    Args:
        customers: how many were seen before the cutoff.
        first_day: the first day of the shard, in days since 1970-01-01; None of nobody.
        types: texts of ``event_type``.
        bounds: by sample the hash from which on customers are left out of it; none where it has all.
    """

    FILE: ClassVar[str] = FACTS

    customers: int
    first_day: int | None
    types: tuple[str, ...]
    bounds: dict[str, int]


@dataclass(frozen=True)
class Fit(JsonRecord):
    """What is fitted on the statistics of all shards.

    Args:
        anchor: fitted at the cutoff.
        past_anchor: fitted one year before it; None where the log has too little before that.
        counts: the Pareto/NBD fit, for that model only.
        context: what a network reads of the log.
    """

    anchor: Anchor
    past_anchor: Anchor | None
    counts: ParetoNBD | None
    context: Context | None

    def population(self, plan: Plan) -> PopulationContext:
        """Return the population context before its level and last year are known."""
        anchored = self.anchor, 1.0, LastYear(), self.counts, self.context
        return PopulationContext("", "", plan.as_of, plan.timezone, *anchored)


@dataclass(frozen=True)
class Sums(JsonRecord):
    """Sums over the customers of a shard, or of all.

    Args:
        year: what came in the year before the cutoff, and what was expected.
        totals: what the model and the anchor expect from the cutoff on.
    """

    year: YearSums = YearSums()
    totals: Totals = Totals(0.0, 0.0, 0.0, 0.0)

    def __add__(self, other: Sums) -> Sums:
        """Return the sums over the customers of both."""
        return Sums(self.year + other.year, Totals(*map(add, self.totals, other.totals)))


def write_statistics(folder: ShardFolder, plan: Plan, number: int, shard: ShardLog, bundle: Bundle) -> None:
    """Write the statistics of a shard, a folder that appears when complete; of two runs at once the first stays."""
    horizon, samples = bundle.record.horizon_days, {}
    if shard.log is not None:
        most = _share(FIT_CUSTOMERS, plan.shards)
        samples[HISTORIES] = _histories(shard.log, plan.as_of, horizon, most)
        samples[PAST] = _histories(shard.log, year_before(plan.as_of), horizon, most)
        if _reads_context(bundle):
            samples[STEPS] = _steps(shard.log, day_of(plan.as_of), _share(MOST_CUSTOMERS, plan.shards))
    bounds = {name: bound for name, (_, bound) in samples.items() if bound is not None}
    span = None if shard.log is None else shard.log.store.span()
    customers = 0 if shard.log is None else len(shard.log.store.seen(day_of(plan.as_of)))
    facts = Facts(customers, None if span is None else span[0], shard.types, bounds)
    try:
        with atomic_path(folder.path(STATISTICS, number)) as temporary:
            temporary.mkdir(parents=True)
            for name, (frame, _) in samples.items():
                frame.to_parquet(temporary / f"{name}.parquet", index=False)
            write_json(temporary / FACTS, facts.to_json())
    except OSError:
        if not folder.is_done(STATISTICS, number):
            raise


def _reads_context(bundle: Bundle) -> bool:
    return isinstance(bundle.model, CalibratedModel) and bundle.model.whole_past


def _share(most: int, shards: int) -> int:
    """Return of how many customers a shard hands over at most, for a sample of ``most`` of all."""
    share = most / shards
    return most if shards == 1 else math.ceil(share + SIGMAS * math.sqrt(share))


def _histories(log: EventLog, cutoff: date, horizon_days: int, most: int) -> tuple[pd.DataFrame, int | None]:
    day = day_of(cutoff)
    customers = np.asarray(log.store.seen(day), np.int64)
    columns = {name: np.empty(len(customers)) for name in HISTORY}
    if len(customers):
        log.store.features(day, horizon_days, customers, columns)
    ids = log.store.customer_ids[customers]
    rows, bound = _lowest(ids, most)
    return pd.DataFrame({CUSTOMER_ID: ids[rows], **{name: values[rows] for name, values in columns.items()}}), bound


def _steps(log: EventLog, cutoff_day: int, most: int) -> tuple[pd.DataFrame, int | None]:
    ids = log.store.customer_ids
    seen = log.store.seen(cutoff_day)
    rows, bound = _lowest(ids[seen], most)
    chosen = np.zeros(len(ids), bool)
    chosen[seen[rows]] = True
    parts = []
    for first in range(0, len(ids), CUSTOMERS_AT_ONCE):
        steps = log.store.steps(first, min(len(ids), first + CUSTOMERS_AT_ONCE))
        parts.append(_frame_of(steps, chosen[first : first + CUSTOMERS_AT_ONCE]))
    return pd.concat(parts, ignore_index=True), bound


def _frame_of(steps: Steps, chosen: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the steps of some customers, one row each, in their order; codes as their texts."""
    customer = np.repeat(np.arange(len(chosen)), np.diff(steps.offsets))
    rows = np.flatnonzero(chosen[customer])
    columns = {
        CUSTOMER_ID: steps.customer_ids[customer[rows]],
        "day": steps.day[rows],
        "gap_days": steps.gap_days[rows],
    }
    columns |= {name: steps.values[rows, place] for place, name in enumerate(STEP_VALUES)}
    for place, name in enumerate(STEP_CODES):
        texts = np.array([*steps.vocabularies[place], None], object)  # the last one is that of no code, -1
        columns[name] = texts[steps.codes[rows, place]]
    return pd.DataFrame(columns)


def _steps_of(frame: pd.DataFrame) -> Steps:
    """Return the steps of the rows of :func:`_frame_of`, ordered by customer."""
    ids, counts = np.unique(frame[CUSTOMER_ID].to_numpy(object), return_counts=True)
    codes, vocabularies = np.empty((len(frame), len(STEP_CODES)), np.int32), []
    for place, name in enumerate(STEP_CODES):
        codes[:, place], texts = pd.factorize(frame[name].to_numpy(object), sort=True)
        vocabularies.append(tuple(texts.tolist()))
    return Steps(
        customer_ids=ids,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        day=frame["day"].to_numpy(np.int32),
        gap_days=frame["gap_days"].to_numpy(np.float32),
        values=frame[list(STEP_VALUES)].to_numpy(np.float32),
        codes=codes,
        vocabularies=tuple(vocabularies),
    )


def _hashes(ids: Ids) -> NDArray[np.int64]:
    """Return a number of each id, by the digits of its hash behind those that choose the shard."""
    digests = (hashlib.md5(str(one).encode(), usedforsecurity=False).hexdigest() for one in ids)
    return np.array([int(digest[DIGITS : DIGITS + HASH_DIGITS], 16) for digest in digests], np.int64)


def _lowest(ids: Ids, most: int) -> tuple[NDArray[np.int64], int | None]:
    """Return the places of the ids with the lowest hashes, ascending, and the first hash left out; None of none."""
    if len(ids) <= most:
        return np.arange(len(ids)), None
    hashes = _hashes(ids)
    bound = int(np.partition(hashes, most)[most])
    return np.flatnonzero(hashes < bound), bound


def fit_shards(folder: ShardFolder, plan: Plan, bundle: Bundle) -> Fit:
    """Return what is fitted on the statistics of all shards, in the order of the shards.

    Raises:
        NotEnoughData: nobody was seen before the cutoff.
        Refused: the log has no purchase.
    """
    paths = [folder.path(STATISTICS, number) for number in range(1, plan.shards + 1)]
    facts = [Facts.from_json(read_json(path / FACTS)) for path in paths]
    first_days = [part.first_day for part in facts if part.first_day is not None]
    if not first_days:
        raise NotEnoughData("log_empty_before", before=plan.as_of.isoformat())
    types = sorted(set().union(*(part.types for part in facts)))
    if PURCHASE not in types:
        raise Refused("events_no_purchase", types=", ".join(types[:10]) or "-", column=EVENT_TYPE)
    history = _sample(paths, facts, HISTORIES)
    anchor, past_anchor, context = Anchor.fit(history[list(HISTORY)]), None, None
    if has_last_year(EPOCH + timedelta(days=min(first_days)), plan.as_of):
        past_anchor = Anchor.fit(_sample(paths, facts, PAST)[list(HISTORY)])
    if _reads_context(bundle):
        steps = _steps_of(_sample(paths, facts, STEPS))
        context = Context.of(steps, day_of(plan.as_of), bundle.record.horizon_days, anchor.counts)
    counts = counts_of(history) if isinstance(bundle.model, ParetoNBDModel) else None
    return Fit(anchor, past_anchor, counts, context)


def _sample(paths: Sequence[Path], facts: Sequence[Facts], name: str) -> pd.DataFrame:
    """Return the rows of the customers with the lowest hashes of all shards, ordered by customer."""
    files = [path / f"{name}.parquet" for path in paths]
    frame = pd.concat([pd.read_parquet(file) for file in files if file.exists()], ignore_index=True)
    bounds = [part.bounds[name] for part in facts if name in part.bounds]
    if bounds:
        ids = frame[CUSTOMER_ID].unique()
        frame = frame[frame[CUSTOMER_ID].isin(ids[_hashes(ids) < min(bounds)])]
    return frame.sort_values(CUSTOMER_ID, kind="stable", ignore_index=True)


def shard_sums(log: EventLog, plan: Plan, bundle: Bundle, fit: Fit) -> Sums:
    """Return the sums of a shard's customers.

    Args:
        log: of the shard.
        plan: of all shards.
        bundle: the model.
        fit: on the statistics of all shards.
    """
    config, day = bundle.record.train_config, day_of(plan.as_of)
    year, totals = YearSums(), Sums().totals
    if fit.past_anchor is not None and len(log.store.seen(day_of(year_before(plan.as_of)))):
        year = year_sums(log, plan.as_of, config.horizon_days, fit.past_anchor)
    if isinstance(bundle.model, CalibratedModel):
        contexts = fit.population(plan).context_at(day)
        parts = log.parts(
            plan.as_of,
            config.horizon_days,
            max_steps=config.max_steps_back,
            customers_at_once=CUSTOMERS_AT_ONCE,
            anchor=fit.anchor,
        )
        for part in parts:
            totals = Totals(*map(add, totals, bundle.model.totals(replace(part, contexts=contexts))))
    return Sums(year, totals)


def population_of(folder: ShardFolder, plan: Plan, bundle: Bundle, fit: Fit) -> PopulationContext:
    """Return what all predictions share, from the sums of all shards, in the order of the shards."""
    files = (folder.path(SUMS, number) for number in range(1, plan.shards + 1))
    sums = reduce(add, (Sums.from_json(read_json(file)) for file in files))
    population = fit.population(plan)
    if fit.past_anchor is not None:
        population = replace(population, last_year=sums.year.last_year())
    if isinstance(bundle.model, CalibratedModel):
        level = bundle.model.level_of(sums.totals, population.last_year.residual)
        population = replace(population, level=level.value, chance_level=level.chance)
    return population
