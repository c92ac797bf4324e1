"""One run of a shard: it does all that can be done now; and the merge of all shards into what ``score`` writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

import pandas as pd

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.dataset_scoring import CUSTOMERS_AT_ONCE
from clv_core.deployment.population_context import PopulationContext, Predictor
from clv_core.deployment.saved_scores import table_file
from clv_core.deployment.shards.shard_cost import Comparison, Estimate, FolderSize, Meter
from clv_core.deployment.shards.shard_events import (
    EventFiles,
    Excluded,
    ShardLog,
    check_reads_folder,
    open_shard,
    zone_of,
)
from clv_core.deployment.shards.shard_folder import ROUNDS, SCORES, STATISTICS, SUMS, Plan, Shard, ShardFolder
from clv_core.deployment.shards.shard_statistics import (
    Fit,
    Sums,
    fit_shards,
    population_of,
    shard_sums,
    write_statistics,
)
from clv_core.deployment.terms import Terms
from clv_core.errors import NotEnoughData, NotReady
from clv_core.features import Engine, LogContents, read_sql
from clv_core.jobs import Progress
from clv_core.records import JsonRecord, StoredRecord
from clv_core.workspace import Workspace, read_json, write_json

R = TypeVar("R", bound=JsonRecord)

FIT: Final = "anchor.json"
POPULATION: Final = "population.json"
PARQUET: Final = ".parquet"
EVENTS: Final = "events"
MEMORY_LIMIT_MB: Final = 512
"""Of the engine that sorts the merged scores."""
NAMED: Final = 20
"""Missing shards that an error lists."""


@dataclass(frozen=True)
class ShardScores(StoredRecord):
    """About the scores of a shard.

    Args:
        customers: how many were predicted.
        objected: how many were left out because they objected to profiling.
        gaps: how many have a gap that kept windows out of training; it is filled.
        erased: how many were left out because they were erased in the workspace.
    """

    FILE = "scores"

    customers: int
    objected: int
    gaps: int
    erased: int = 0


@dataclass(frozen=True)
class ShardRun:
    """What a run of a shard did.

    Args:
        written: the rounds that it wrote.
        waits_for: the shards that have to do the round before the shard's next one; none: the shard is done.
        round: the one that they have to do; of a shard that is done, the last.
        customers: how many are scored, of a shard that is done.
        progress: how many shards are done with each round.
        estimate: what all of them were estimated to take.
    """

    written: tuple[str, ...]
    waits_for: tuple[int, ...]
    round: str
    customers: int | None
    progress: dict[str, int]
    estimate: Estimate


@dataclass(frozen=True)
class FolderRequest:
    """What is asked of a folder of events; the same of all shards.

    Args:
        events: Parquet files in canonical columns, ``event_time`` in UTC: a folder or a file.
        model: the bundle's id.
        timezone: that days are counted in; None is that of the dataset that the model learned from.
        cutoff: as of when; None is the first midnight after the last event.
        terms: horizon, discount and margin; None is the trained horizon without discount or margin.
    """

    events: str
    model: str
    timezone: str | None = None
    cutoff: date | None = None
    terms: Terms | None = None


def score_shard(
    workspace: Workspace,
    request: FolderRequest,
    shard: Shard,
    out: Path,
    *,
    progress: Progress,
    own_process: bool = False,
) -> ShardRun:
    """Do all rounds of a shard that can be done now: the first at once, each other when all shards did the one before.

    Args:
        workspace: where the model is.
        request: what is asked of all shards.
        shard: which part of the customers.
        out: the folder in which the runs of all shards meet (:mod:`.shard_folder`).
        progress: listener.
        own_process: whether the process was started for this run, whose cost then includes the start.

    Raises:
        NotFound: no model, or no events.
        NotEnoughData: the log ends before the cutoff, or begins after it.
        Refused: the model learned from attributes of customers; the log has no purchase; ``out`` holds something else,
            or a plan with other options or of other events.
        UsageError: the time zone is neither given nor that of a dataset here.
    """
    meter = Meter(with_start=own_process)
    bundle, folder = _open_model(workspace, request), ShardFolder(out)
    files, excluded = EventFiles.find(request.events), Excluded.of(workspace, bundle)
    zone, terms = request.timezone or zone_of(workspace, bundle), request.terms or Terms(bundle.record.horizon_days)
    plan, as_of = folder.plan, request.cutoff
    if plan is None:
        progress.report("features", 0, 1)
        end = files.end(zone, excluded)
        if as_of is not None and as_of > end:
            raise NotEnoughData("cutoff_after_log", cutoff=as_of.isoformat(), end=end.isoformat())
        as_of = as_of or end
        folder.begin(Plan(bundle.id, request.events, files.size, zone, shard.of, as_of, terms))
        plan = folder.open_plan()
    plan.check_same(Plan(bundle.id, request.events, files.size, zone, shard.of, as_of or plan.as_of, terms))
    estimate = Estimate.saved(folder, files, plan)
    with _ShardTask(folder, plan, shard, bundle, files, excluded, progress) as task:
        return task.run(meter, estimate)


def estimate_shards(
    workspace: Workspace, request: FolderRequest, shards: int | None = None
) -> tuple[FolderSize, Estimate]:
    """Return the size of a folder, and what all its shards and their merge will take; nothing is written.

    Args:
        workspace: where the model is.
        request: what would be asked of all shards.
        shards: how many; None is as many as the folder's size asks for.

    Raises:
        NotFound: no model, or no events.
        Refused: the model learned from attributes of customers; the files lack a column.
    """
    _open_model(workspace, request)
    size = FolderSize.of(EventFiles.find(request.events))
    return size, Estimate.of(size, shards)


def _open_model(workspace: Workspace, request: FolderRequest) -> Bundle:
    bundle = open_bundle(workspace, request.model)
    bundle.check()
    check_reads_folder(bundle)
    return bundle


class _ShardTask(ExitStack):
    """A run of a shard; its log is opened at the first step that reads it, and closed with the run."""

    def __init__(
        self,
        folder: ShardFolder,
        plan: Plan,
        shard: Shard,
        bundle: Bundle,
        files: EventFiles,
        excluded: Excluded,
        progress: Progress,
    ) -> None:
        super().__init__()
        self.folder, self.plan, self.shard, self.bundle = folder, plan, shard, bundle
        self.files, self.excluded, self.progress = files, excluded, progress
        self.opened: ShardLog | None = None

    def run(self, meter: Meter, estimate: Estimate) -> ShardRun:
        """Do all that can be done now, and record what each round took."""
        number, written = self.shard.number, []
        steps: dict[str, Callable[[], None]] = {
            STATISTICS: self._statistics,
            SUMS: self._sums,
            SCORES: self._scores,
        }
        for step in ROUNDS:
            if not self.folder.is_done(step, number):
                steps[step]()
                write_json(self.folder.cost_path(step, number), meter.lap(self.kept).to_json())
                written.append(step)
            missing = self.folder.missing(step, self.plan.shards)
            if missing and step != SCORES:
                return ShardRun(tuple(written), tuple(missing), step, None, self._done(), estimate)
        scored = ShardScores.from_json(read_json(self.folder.path(SCORES, number)))
        return ShardRun(tuple(written), (), SCORES, scored.customers, self._done(), estimate)

    def _done(self) -> dict[str, int]:
        return self.folder.progress(self.plan.shards)

    @property
    def log(self) -> ShardLog:
        """The shard's events."""
        if self.opened is None:
            self.progress.report("features", 0, 1)
            contents = LogContents(**self.bundle.record.train_config.of_log())
            opened = open_shard(self.files, self.shard, self.plan, self.kept, contents, self.excluded)
            self.opened = self.enter_context(opened)
        return self.opened

    @property
    def kept(self) -> Path:
        """Where the shard's rows and relations are between its rounds."""
        return self.folder.root / EVENTS / str(self.shard.number)

    def _statistics(self) -> None:
        write_statistics(self.folder, self.plan, self.shard.number, self.log, self.bundle)

    def _sums(self) -> None:
        fit, log = self._fit(), self.log.log
        sums = Sums() if log is None else shard_sums(log, self.plan, self.bundle, fit)
        write_json(self.folder.path(SUMS, self.shard.number), sums.to_json())

    def _scores(self) -> None:
        population = self._made(
            POPULATION, PopulationContext, lambda: population_of(self.folder, self.plan, self.bundle, self._fit())
        )
        number, log, gaps, customers = self.shard.number, self.log.log, [0], 0
        if log is not None:
            parts = Predictor(self.bundle, population).score_parts(log, self.plan.as_of, self.plan.terms, gaps)
            with table_file(self.folder.path(SCORES, number, PARQUET)) as write:
                for frame in parts:
                    write(frame)
                    customers += len(frame)
                    self.progress.report("scoring", customers, len(log.store.customer_ids))
        about = ShardScores(customers, self.log.objected, sum(gaps), self.log.erased)
        write_json(self.folder.path(SCORES, number), about.to_json())
        shutil.rmtree(self.kept, ignore_errors=True)

    def _fit(self) -> Fit:
        return self._made(FIT, Fit, lambda: fit_shards(self.folder, self.plan, self.bundle))

    def _made(self, file: str, kind: type[R], make: Callable[[], R]) -> R:
        """Return what all shards share: as another run saved it, else made and saved."""
        path = self.folder.root / file
        if not path.exists():
            write_json(path, make().to_json())
        return kind.from_json(read_json(path))


@dataclass(frozen=True)
class MergedScores:
    """Summary of merged scores.

    Args:
        plan: of the shards.
        customers: how many were predicted.
        total: sum of their predicted_clv.
        objected: customers of the folder who objected to profiling, by id, and are left out.
        gaps: how many have a gap that kept windows out of training; it is filled.
        erased: customers of the folder who were erased in the workspace, by id, and are left out.
        cost: what all rounds and the merge took, beside what was estimated.
    """

    plan: Plan
    customers: int
    total: float
    objected: int
    gaps: int
    erased: int
    cost: Comparison


def merge_shards(
    workspace: Workspace, shards: Path, out: Path, *, progress: Progress, own_process: bool = False
) -> MergedScores:
    """Write the scores of all shards as one table, ordered by customer, as ``score`` does.

    Whoever has objected to profiling, or was erased, since a shard was scored is left out.

    Args:
        workspace: whose list of objections counts.
        shards: folder of :func:`score_shard`.
        out: a .csv or .parquet file.
        progress: listener.
        own_process: whether the process was started for the merge, whose cost then includes the start.

    Raises:
        NotFound: no shard has run yet.
        NotReady: some shards are not done.
        NotEnoughData: everybody objected.
    """
    meter, folder = Meter(with_start=own_process), ShardFolder(shards)
    plan = folder.open_plan()
    for step in ROUNDS:
        if missing := folder.missing(step, plan.shards):
            raise not_ready(missing, step, folder.progress(plan.shards), plan.shards)
    numbers = range(1, plan.shards + 1)
    about = [ShardScores.from_json(read_json(folder.path(SCORES, number))) for number in numbers]
    excluded = Excluded.of(workspace, open_bundle(workspace, plan.model))
    everyone = sum(part.customers for part in about)
    paths = [path for number in numbers if (path := folder.path(SCORES, number, PARQUET)).exists()]
    customers, total = 0, 0.0
    objected, erased = sum(part.objected for part in about), sum(part.erased for part in about)
    with table_file(out) as write:
        for part in _ordered(paths):
            frame, some_objected, some_erased = excluded.split(part)
            write(frame)
            objected, erased = objected + len(some_objected), erased + len(some_erased)
            customers, total = customers + len(frame), total + float(frame["predicted_clv"].sum())
            progress.report("scoring", customers, everyone)
        if customers == 0:
            raise NotEnoughData("log_empty_before", before=plan.as_of.isoformat())
    shutil.rmtree(shards / EVENTS, ignore_errors=True)  # of runs that were killed
    cost, gaps = Comparison.of(folder, plan, meter.lap()), sum(part.gaps for part in about)
    return MergedScores(plan, customers, total, objected, gaps, erased, cost)


def not_ready(missing: Sequence[int], step: str, progress: dict[str, int], shards: int) -> NotReady:
    """Return the error that names the shards that are not done with a round; its result is how many are with each."""
    some = ", ".join([*map(str, missing[:NAMED]), *(["…"] if len(missing) > NAMED else [])])
    params = {"shards": some, "missing": len(missing), "of": shards}
    error = NotReady("shards_missing", **params, round=ROUNDS.index(step) + 1, rounds=len(ROUNDS))
    error.result = {"progress": {"shards": shards, **progress}}
    return error


def _ordered(paths: list[Path]) -> Iterator[pd.DataFrame]:
    """Yield the rows of Parquet files ordered by customer, some at a time."""
    engine = Engine(MEMORY_LIMIT_MB)
    connection: Any = engine.connection
    try:
        if paths:
            table = connection.read_parquet([str(path) for path in paths]).order_by(CUSTOMER_ID)
            for batch in read_sql(connection, connection.compile(table), table.schema(), CUSTOMERS_AT_ONCE):
                yield batch.to_pandas()
    finally:
        engine.close()
