"""What shards will take, before they start, and what they took: processor seconds, memory, disk, and money at a price.

With ``events`` and ``customers`` in millions::

    shards       = the larger of events / 1.25 and customers / .0625, rounded up
    core seconds = 2.7 x (3 x shards + 1) + 6.5 x events + .15 x events x shards + 1.5 x customers
    memory a run = 1,000 MB + 100 MB x events / shards
    disk         = 52 MB x events, in the folder that all shards share, until they are done

The third term is the reading of what is others', and a folder that is partitioned by the customer's hash has none. The
constants are those of the default model, the blend; models without networks take less. Money is core hours times a
price that the user gives: there is no price here.
"""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow.parquet as pq

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.shards.shard_events import MEMORY_LIMIT_MB, EventFiles
from clv_core.deployment.shards.shard_folder import MAX_SHARDS, ROUNDS, Plan, Shard, ShardFolder
from clv_core.features import Engine
from clv_core.records import Amount, Count, JsonRecord, StoredRecord
from clv_core.training import peak_memory_mb
from clv_core.workspace import read_json, write_json

EVENTS_A_SHARD, CUSTOMERS_A_SHARD = 1_250_000, 62_500
"""Those of a log of 20 events a customer whose shards take about 1 GB a process (tests/bench/shards.py)."""
SECONDS_A_RUN: Final = 2.7
"""Of a process that starts and opens a shard, and of the merge."""
SECONDS_A_MILLION: Final = 6.5
"""Of a million events in all three rounds."""
SECONDS_A_MILLION_READ: Final = 0.15
"""Of a million events that a shard reads to find its own."""
SECONDS_A_MILLION_MERGED: Final = 1.5
"""Of a million customers that the merge orders and writes."""
MEMORY_MB, MEMORY_MB_A_MILLION = 1_000.0, 100.0
"""Of a process, and for each million events of its shard."""
DISK_MB_A_MILLION: Final = 52.0
"""Of a million events, rows and relations, until their shard is done; scores take less. These constants are of
the blend on two busy cores: 1, 4 and 8 million events in 1, 4 and 7 shards took 13, 67 and 119 core seconds, estimated
as 18, 64 and 120, and at most 1,025, 1,034 and 1,096 MB (tests/bench/shards.py). LightGBM took 326 for 20 million in 16
shards, idle runs and ends of processes included, where the formula says 312."""
COUNTED_ROWS: Final = 20_000_000
"""Rows of which customers are counted exactly; of more they are counted by a sketch, which errs by a few percent, or in
some partitions by hash. A guess: a second or two of one core."""


@dataclass(frozen=True)
class FolderSize(JsonRecord):
    """How large a folder of events is.

    Args:
        files: Parquet files.
        mb: their size.
        events: rows, by the files' metadata.
        customers: distinct ids; of a large folder about.
        partitioned: whether each shard finds its customers in files of their own.
    """

    files: Count
    mb: Amount
    events: Count
    customers: Count
    partitioned: bool

    @classmethod
    def of(cls, files: EventFiles) -> FolderSize:
        """Return the size of a folder; of its rows only ids are read, and not all of those where some will do.

        Raises:
            NotFound: a file is no Parquet file.
            Refused: the files lack a column of customers or of times.
        """
        engine = Engine(MEMORY_LIMIT_MB)
        try:
            connection: Any = engine.connection
            files.table(connection, "UTC")  # refuses what is no folder of events
            rows = _rows(files)
            part = files.of(Shard(1, max(1, min(rows // COUNTED_ROWS, MAX_SHARDS))))
            share = _rows(part) / rows if rows else 1.0
            ids = part.table(connection, "UTC")[CUSTOMER_ID]
            count = ids.nunique() if rows * share <= COUNTED_ROWS else ids.approx_nunique()
            customers = round(int(connection.to_pyarrow(count).as_py()) / share)
        finally:
            engine.close()
        number, size = files.size
        return cls(number, size / 1e6, rows, customers, files.is_partitioned)


def shards_of(events: int, customers: int, least: int = 1) -> int:
    """Return of how many shards a log is: of a size that memory holds, and ``least`` at least."""
    needed = math.ceil(max(events / EVENTS_A_SHARD, customers / CUSTOMERS_A_SHARD))
    return min(max(least, needed), MAX_SHARDS)


def _rows(files: EventFiles) -> int:
    return sum(pq.read_metadata(path).num_rows for path in files.paths)


@dataclass(frozen=True)
class Estimate(StoredRecord):
    """What all shards of a folder will take, by the formula of this module.

    Args:
        shards: how many there are.
        core_seconds: processor seconds of all runs and the merge.
        memory_mb: the largest memory of a run.
        disk_mb: the most that the shared folder holds.
    """

    FILE: ClassVar[str] = "estimate.json"

    shards: Count
    core_seconds: Amount
    memory_mb: Amount
    disk_mb: Amount

    @classmethod
    def of(cls, size: FolderSize, shards: int | None = None) -> Estimate:
        """Return the estimate of a folder, in as many shards as its size asks for where their number is not given."""
        events, customers = size.events / 1e6, size.customers / 1e6
        if shards is None:
            shards = shards_of(size.events, size.customers)
        read = 0.0 if size.partitioned else SECONDS_A_MILLION_READ * events * shards
        runs = SECONDS_A_RUN * (len(ROUNDS) * shards + 1)
        seconds = runs + SECONDS_A_MILLION * events + read + SECONDS_A_MILLION_MERGED * customers
        memory = MEMORY_MB + MEMORY_MB_A_MILLION * events / shards
        return cls(shards, round(seconds, 1), round(memory, 1), round(DISK_MB_A_MILLION * events, 1))

    @classmethod
    def saved(cls, folder: ShardFolder, files: EventFiles, plan: Plan) -> Estimate:
        """Return the estimate of a plan as a run saved it before the first round, else make and save it."""
        path = folder.root / cls.FILE
        if not path.exists():
            write_json(path, cls.of(FolderSize.of(files), plan.shards).to_json())
        return cls.from_json(read_json(path))


@dataclass(frozen=True)
class RoundCost(StoredRecord):
    """What a shard took for a round: of the run that ended it; a run that was killed leaves no record.

    Args:
        core_seconds: processor seconds, user and system, all threads; of the first round of a run with its start.
        seconds: by the clock, likewise.
        memory_mb: the largest memory of the process so far.
        disk_mb: what the shard keeps for its other rounds.
    """

    FILE: ClassVar[str] = "costs"

    core_seconds: Amount
    seconds: Amount
    memory_mb: Amount
    disk_mb: Amount = 0.0


class Meter:
    """Measures this process, lap by lap.

    Args:
        with_start: whether the process was started for what is measured, so that its imports are part of the first
            lap. One thread imports, so its processor seconds are taken for seconds of the clock.
    """

    def __init__(self, *, with_start: bool) -> None:
        self._processor, self._clock = _processor_seconds(), time.monotonic()
        if with_start:
            self._processor, self._clock = 0.0, self._clock - self._processor

    def lap(self, kept: Path | None = None) -> RoundCost:
        """Return what was taken since the last lap, and begin the next; ``kept`` is the folder that a shard keeps."""
        processor, clock = _processor_seconds(), time.monotonic()
        disk = 0 if kept is None else sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
        took = RoundCost(
            round(processor - self._processor, 3),
            round(clock - self._clock, 3),
            round(peak_memory_mb(), 1),
            round(disk / 1e6, 3),
        )
        self._processor, self._clock = processor, clock
        return took


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass(frozen=True)
class Taken(JsonRecord):
    """What some rounds of some shards took together.

    Args:
        recorded: how many rounds of a shard left a record.
        core_seconds: their sum.
        slowest_seconds: of the slowest one, by the clock.
        memory_mb: of the largest one.
        disk_mb: what the shards kept at once at most.
    """

    recorded: Count
    core_seconds: Amount
    slowest_seconds: Amount
    memory_mb: Amount
    disk_mb: Amount

    @classmethod
    def of(cls, costs: Iterable[RoundCost]) -> Taken:
        """Return the sums and maxima of records."""
        costs = list(costs)
        return cls(
            len(costs),
            round(sum(cost.core_seconds for cost in costs), 1),
            max((cost.seconds for cost in costs), default=0.0),
            max((cost.memory_mb for cost in costs), default=0.0),
            round(sum(cost.disk_mb for cost in costs), 1),
        )


@dataclass(frozen=True)
class Comparison(JsonRecord):
    """What shards took beside what was estimated; runs that had nothing to do, or were killed, are in neither.

    Args:
        estimated: before the first round.
        taken: by all recorded rounds and the merge.
        rounds: the same by round.
        unrecorded: rounds of a shard that left no record: their run was killed, or an earlier version's.
    """

    estimated: Estimate | None
    taken: Taken
    rounds: dict[str, Taken]
    unrecorded: Count

    @classmethod
    def of(cls, folder: ShardFolder, plan: Plan, merge: RoundCost) -> Comparison:
        """Return what is recorded in a folder, and of its merge."""
        numbers, rounds = range(1, plan.shards + 1), {}
        kept: dict[int, float] = {}
        for step in ROUNDS:
            paths = {number: folder.cost_path(step, number) for number in numbers}
            costs = {n: RoundCost.from_json(read_json(path)) for n, path in paths.items() if path.exists()}
            kept |= {n: max(kept.get(n, 0.0), cost.disk_mb) for n, cost in costs.items()}
            rounds[step] = Taken.of(costs.values())
        every = list(rounds.values())
        taken = Taken(
            recorded=sum(one.recorded for one in every),
            core_seconds=round(sum(one.core_seconds for one in every) + merge.core_seconds, 1),
            slowest_seconds=max(merge.seconds, *(one.slowest_seconds for one in every)),
            memory_mb=max(merge.memory_mb, *(one.memory_mb for one in every)),
            disk_mb=round(sum(kept.values()), 1),
        )
        path = folder.root / Estimate.FILE
        estimated = Estimate.from_json(read_json(path)) if path.exists() else None
        return cls(estimated, taken, rounds, len(ROUNDS) * plan.shards - taken.recorded)


def money(core_seconds: float, core_hour_price: float | None) -> float | None:
    """Return what processor seconds cost at a price of a core hour, in the price's currency; None without a price."""
    return None if core_hour_price is None else core_seconds / 3600 * core_hour_price
