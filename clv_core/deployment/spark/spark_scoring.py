"""Score every customer of a folder of events on Spark, in shards.

Spark reads the events, brings those of each customer together, and runs the rounds of a shard as tasks
(:mod:`.spark_worker`); what was lost with a worker it makes again. The driver merges what the shards hand over, in
their order: no list of customers comes to it but the samples, whose size does not grow with the log.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from clv_core import errors
from clv_core.collection.store import EVENTS
from clv_core.columns import COLUMNS, CUSTOMER_ID, EVENT_TIME
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.shards import (
    DIGITS,
    REMOTE,
    STATISTICS,
    SUMS,
    Excluded,
    Plan,
    ShardFolder,
    check_reads_folder,
    fit_shards,
    population_of,
    shards_of,
    zone_of,
)
from clv_core.deployment.spark import spark_worker
from clv_core.deployment.spark.spark_session import LogFolder
from clv_core.deployment.spark.spark_worker import ERROR, FILES, LAST, LEFT_OUT, SCORES, SHARD, ShardJob
from clv_core.deployment.terms import Terms
from clv_core.errors import ClvError, NotEnoughData, NotFound, Refused
from clv_core.jobs import Progress
from clv_core.scratch import temporary_folder
from clv_core.workspace import Workspace, atomic_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class FolderScores:
    """Summary of the scores of a folder.

    Args:
        customers: how many were predicted.
        total: sum of their predicted_clv.
        as_of: the cutoff.
        timezone: that its days were counted in.
        objected: customers of the folder who objected to profiling, by id, and are left out.
        erased: those who were erased, likewise.
        gaps: how many have a gap that kept windows out of training; it is filled.
    """

    customers: int
    total: float
    as_of: date
    timezone: str
    objected: int
    erased: int
    gaps: int


@dataclass(frozen=True)
class _Size:
    """How large a log is: events, customers (about, within some percent), and the last moment, UTC."""

    events: int
    customers: int
    last: datetime | None


def score_folder(
    workspace: Workspace,
    folder: LogFolder,
    model_id: str,
    out: str,
    *,
    cutoff: date | None = None,
    terms: Terms | None = None,
    progress: Progress,
) -> FolderScores:
    """Predict the value of all customers of a folder that were seen before the cutoff.

    Args:
        workspace: where the model is.
        folder: the events; its time zone is, where it names none, that of the dataset that the model learned from.
        model_id: the bundle.
        out: folder of Parquet files that is made, in the columns of ``score``, in no order.
        cutoff: as of when; None is the first midnight after the last event.
        terms: horizon, discount and margin; None is the trained horizon without discount or margin.
        progress: listener.

    Raises:
        NotFound: no model, or no events.
        NotEnoughData: the log ends before the cutoff, or begins after it.
        Refused: the model learned from attributes of customers, which no folder of events holds; the log has no
            purchase, or an absurdly large number; ``out`` exists.
        UsageError: the time zone is neither given nor that of a dataset here.
    """
    bundle = open_bundle(workspace, model_id)
    bundle.check()
    terms = terms or Terms(bundle.record.horizon_days)
    zone = folder.timezone or zone_of(workspace, bundle)
    check_reads_folder(bundle)
    if REMOTE not in out and Path(out).exists():
        raise Refused("out_exists", path=out)
    progress.report("features", 0, 1)
    excluded = Excluded.of(workspace, bundle)
    events = _events(folder)
    with _our_errors():
        size = _size(events, excluded.portable())
        if size.last is None:
            raise NotFound("no_events_folder", path=folder.events)
        end = size.last.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
        as_of = cutoff or end
        if as_of > end:
            raise NotEnoughData("cutoff_after_log", cutoff=as_of.isoformat(), end=end.isoformat())
        cores = folder.spark.session.sparkContext.defaultParallelism
        plan = Plan(bundle.id, folder.events, (0, 0), zone, shards_of(size.events, size.customers, cores), as_of, terms)
        with temporary_folder("clv-shards-") as scratch:
            return _Rounds(folder, bundle, plan, ShardFolder(scratch), excluded, progress).run(events, out)


def _events(folder: LogFolder) -> DataFrame:
    """Return the canonical columns that are there, of all rows with a customer."""
    from pyspark.sql import functions as F

    stored = folder.spark.read(folder.events)
    events = stored.select(*(column.name for column in COLUMNS if column.name in stored.columns))
    texts = {CUSTOMER_ID: F.col(CUSTOMER_ID).cast("string"), EVENT_TIME: F.col(EVENT_TIME).cast("timestamp_ntz")}
    return events.withColumns(texts).filter(F.col(CUSTOMER_ID).isNotNull())


def _size(events: DataFrame, excluded: Excluded) -> _Size:
    """Return the log's size; its last moment is of someone who is not excluded."""
    from pyspark.sql import functions as F

    last = F.max(EVENT_TIME)
    found = events.agg(F.count("*"), F.approx_count_distinct(CUSTOMER_ID), last).collect()[0]
    if excluded:
        latest = events.groupBy(CUSTOMER_ID).agg(last.alias("last"))
        moments = latest.mapInArrow(partial(spark_worker.last_events, excluded), LAST)
        return _Size(found[0], found[1], moments.agg(F.max("last")).collect()[0][0])
    return _Size(*found)


class _Rounds:
    """The rounds of a folder's shards.

    Args:
        folder: the events.
        bundle: the model.
        plan: of all shards.
        merged: of the driver; what shards hand over is written there.
        excluded: whom no shard reads.
        progress: listener.
    """

    def __init__(
        self,
        folder: LogFolder,
        bundle: Bundle,
        plan: Plan,
        merged: ShardFolder,
        excluded: Excluded,
        progress: Progress,
    ) -> None:
        self.session: Any = folder.spark.session
        self.bundle, self.plan, self.merged, self.progress = bundle, plan, merged, progress
        self.job = self.session.sparkContext.broadcast(ShardJob.of(uuid.uuid4().hex, bundle, plan, excluded))
        self.gaps = self.session.sparkContext.accumulator(0)

    def run(self, events: DataFrame, out: str) -> FolderScores:
        """Run them and write the scores."""
        from pyspark import StorageLevel

        by_shard = events.withColumn(SHARD, self._shard()).repartitionById(self.plan.shards, self._partition())
        # kept, so that the next rounds need no shuffle; a lost part is made again from the events
        files = by_shard.mapInArrow(partial(spark_worker.statistics, self.job), FILES).persist(StorageLevel.DISK_ONLY)
        try:
            left_out = self._statistics(files)
            fit = fit_shards(self.merged, self.plan, self.bundle)
            self._sums(files.mapInArrow(partial(spark_worker.sums, self.job, _text(fit)), FILES))
            population = population_of(self.merged, self.plan, self.bundle, fit)
            self.progress.report("scoring", 0, 1)
            scores = partial(spark_worker.scores, self.job, _text(population), self.gaps)
            _save(files.mapInArrow(scores, SCORES), out)
        finally:
            files.unpersist()
        written = self.session.read.parquet(out).selectExpr("count(*)", "sum(predicted_clv)")
        ((customers, total),) = written.collect()
        self.progress.report("scoring", customers, customers)
        return FolderScores(customers, float(total), self.plan.as_of, self.plan.timezone, *left_out, self.gaps.value)

    def _shard(self) -> Any:
        """The number of a row's shard, by the bounds of :class:`~clv_core.deployment.shards.Shard`."""
        from pyspark.sql import functions as F

        digits = F.conv(F.substring(F.md5(CUSTOMER_ID), 1, DIGITS), 16, 10).cast("long")
        return F.shiftright((digits + 1) * self.plan.shards - 1, 4 * DIGITS) + 1

    def _partition(self) -> Any:
        from pyspark.sql import functions as F

        return (F.col(SHARD) - 1).cast("int")

    def _statistics(self, files: DataFrame) -> tuple[int, int]:
        """Bring the statistics here; return how many customers had objected, and how many were erased."""
        objected = erased = 0
        for number, name, content in files.filter(f"name <> '{EVENTS}'").collect():
            if name == LEFT_OUT:
                some_objected, some_erased = json.loads(content)
                objected, erased = objected + some_objected, erased + some_erased
            else:
                _write(self.merged.path(STATISTICS, number) / name, content)
        return objected, erased

    def _sums(self, files: DataFrame) -> None:
        for number, _, content in files.collect():
            _write(self.merged.path(SUMS, number), content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _text(record: Any) -> str:
    return json.dumps(record.to_json())


@contextmanager
def _our_errors() -> Iterator[None]:
    """Raise what a task refused as the error that it was."""
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        found = re.search(f"{ERROR}(\\{{.*\\}})", str(error))
        if found is None:
            raise
        told = json.loads(found[1])
        kind: type[ClvError] = getattr(errors, told["kind"])
        raise kind(told["code"], **told["params"]) from error


def _save(scores: DataFrame, out: str) -> None:
    """Write the files; a folder of this machine appears when all of them are in."""
    from pyspark.errors import AnalysisException

    if REMOTE not in out:
        with atomic_path(Path(out).absolute()) as temporary:
            scores.write.parquet(str(temporary))
        return
    try:
        scores.write.parquet(out)
    except AnalysisException as error:
        if error.getCondition() == "PATH_ALREADY_EXISTS":
            raise Refused("out_exists", path=out) from error
        raise
