"""The rounds of a shard in a task of Spark: the code of :mod:`clv_core.deployment.shards`, in a folder of the worker.

A task gets the rows of its shard and returns files: statistics, or sums; and, in the first round, the rows themselves
as a Parquet file, which Spark keeps for the next rounds. What was made of them stays in the worker's folder. A task
that does not find it there, since another worker had the shard before, makes it again. The folder lies in one of
Spark's and goes with it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pandas as pd

from clv_core.collection.store import EVENTS, canonical_events
from clv_core.deployment.bundle import MODEL_FILES, Bundle
from clv_core.deployment.model_record import ModelRecord
from clv_core.deployment.population_context import PopulationContext, Predictor
from clv_core.deployment.shards import (
    MEMORY_LIMIT_MB,
    STATISTICS,
    SUMS,
    Excluded,
    Fit,
    Plan,
    ShardFolder,
    ShardLog,
    Sums,
    read_shard,
    shard_sums,
    write_statistics,
)
from clv_core.errors import ClvError
from clv_core.features import Engine, LogContents
from clv_core.workspace import atomic_path

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import Accumulator, Broadcast

SHARD: Final = "shard"
"""Column of the shard's number, from 1."""
FILES: Final = f"{SHARD} long, name string, content binary"
"""Spark schema of files; one that is larger than :data:`CHUNK_BYTES` is several rows, in order."""
CHUNK_BYTES: Final = 4 << 20
LEFT_OUT: Final = "left_out"
"""Name of the file that says how many of a shard had objected, and how many were erased."""
SCORES: Final = (
    "customer_id string, as_of string, horizon_days long, p_purchase double, predicted_clv double, "
    "clv_p10 double, clv_p50 double, clv_p90 double, model string"
)
"""Spark schema of :func:`scores`: the columns of ``score``."""
LAST: Final = "last timestamp_ntz"
"""Spark schema of :func:`last_events`."""
ERROR: Final = "clv-error:"
"""Begins the line of a task's failure that holds an error of ours as JSON."""

Batches = Iterator["pa.RecordBatch"]


@dataclass(frozen=True)
class ShardJob:
    """What all tasks of a run have in common; bytes and texts, so that any process can receive it.

    Args:
        run: a name that no other run has.
        bundle: the bundle's name.
        record: its record, as JSON.
        files: what the model is loaded from, by name.
        plan: of the shards, as JSON.
        excluded: whom no shard reads; the lists' keys go with them.
    """

    run: str
    bundle: str
    record: str
    files: tuple[tuple[str, bytes], ...]
    plan: str
    excluded: Excluded

    @classmethod
    def of(cls, run: str, bundle: Bundle, plan: Plan, excluded: Excluded) -> Self:
        """Return the value to broadcast; files pass their checksums first.

        Raises:
            Refused: a file is missing or was changed.
        """
        files = tuple((name, bundle.read(name)) for name in MODEL_FILES)
        record, plan_json = (json.dumps(part.to_json()) for part in (bundle.record, plan))
        return cls(run, bundle.id, record, files, plan_json, excluded.portable())

    @property
    def folder(self) -> Path:
        """Where the tasks of this worker keep their shards."""
        return _local_folder() / f"clv-{self.run}"


@lru_cache(maxsize=2)
def load_bundle(job: ShardJob) -> Bundle:
    """Return the model, loaded; files pass their checksums again after the transfer.

    Raises:
        Refused: a file was changed.
    """
    with tempfile.TemporaryDirectory(prefix="clv-bundle-") as scratch:
        folder = Path(scratch) / job.bundle
        folder.mkdir()
        for name, content in job.files:
            (folder / name).write_bytes(content)
        bundle = Bundle(folder, ModelRecord.from_json(json.loads(job.record)))
        assert bundle.model is not None
    return bundle


def last_events(excluded: Excluded, batches: Batches) -> Batches:
    """Yield the last event of those who are not excluded, of each batch of ``customer_id`` and ``last``."""
    for batch in batches:
        frame = excluded.split(batch.to_pandas())[0]
        if len(frame):
            yield _batch(pd.DataFrame({"last": [frame["last"].max()]}))


def statistics(variable: Broadcast[ShardJob], batches: Batches) -> Batches:
    """Do a shard's first round; ``batches`` are its events, with its number in the column :data:`SHARD`.

    Yields:
        :data:`FILES`: the statistics, how many were left out, and the rows.
    """
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None
    job, number = variable.value, context.partitionId() + 1
    plan, kept = _plan(job), job.folder / str(number)
    folder = ShardFolder(kept)
    with _open(job, plan, number, events=_events(batches, number)) as shard:
        made = folder.path(STATISTICS, number)
        shutil.rmtree(made, ignore_errors=True)  # of a task that Spark repeats
        write_statistics(folder, plan, number, shard, load_bundle(job))
        for path in sorted(made.iterdir()):
            yield from _sent(number, path.name, path.read_bytes())
        yield from _sent(number, LEFT_OUT, json.dumps([shard.objected, shard.erased]).encode())
    if (kept / EVENTS).exists():
        with (kept / EVENTS).open("rb") as file:
            while content := file.read(CHUNK_BYTES):
                yield from _sent(number, EVENTS, content)


def sums(variable: Broadcast[ShardJob], fit: str, batches: Batches) -> Batches:
    """Do a shard's second round; ``batches`` are the files of its first, ``fit`` is of all shards, as JSON.

    Yields:
        :data:`FILES`: the sums.
    """
    job = variable.value
    plan, fitted = _plan(job), Fit.from_json(json.loads(fit))
    number, chunks = _chunks(batches)
    with _open(job, plan, number, chunks=chunks) as shard:
        made = Sums() if shard.log is None else shard_sums(shard.log, plan, load_bundle(job), fitted)
        yield from _sent(number, SUMS, json.dumps(made.to_json()).encode())


def scores(variable: Broadcast[ShardJob], population: str, gaps: Accumulator[int], batches: Batches) -> Batches:
    """Do a shard's third round; ``batches`` are the files of its first, ``population`` is what all share, as JSON.

    Yields:
        The predictions, :data:`SCORES`; ``gaps`` gets how many customers have a gap that is filled.
    """
    job = variable.value
    plan, context = _plan(job), PopulationContext.from_json(json.loads(population))
    number, chunks = _chunks(batches)
    with _open(job, plan, number, chunks=chunks) as shard:
        if shard.log is not None:
            filled: list[int] = []
            for frame in Predictor(load_bundle(job), context).score_parts(shard.log, plan.as_of, plan.terms, filled):
                yield _batch(frame)
            gaps.add(sum(filled))
    shutil.rmtree(job.folder / str(number), ignore_errors=True)


@contextmanager
def _open(
    job: ShardJob,
    plan: Plan,
    number: int,
    *,
    events: pa.RecordBatchReader | None = None,
    chunks: Iterable[bytes] = (),
) -> Iterator[ShardLog]:
    """Yield a shard's log; its rows are written to this worker unless they are there.

    Args:
        job: of all tasks.
        plan: of all shards.
        number: of the shard.
        events: its rows, in the first round; None: it has none.
        chunks: the Parquet file of its rows, in the other rounds; all is read, so that Spark keeps the process.

    Raises:
        RuntimeError: it carries an error of ours, :data:`ERROR`.
    """
    tempfile.tempdir = str(_local_folder())
    kept, engine = job.folder / str(number), Engine(MEMORY_LIMIT_MB)
    connection: Any = engine.connection
    connection.raw_sql("SET threads = 1")  # a task has one processor
    rows = kept / EVENTS
    try:
        if events is not None:
            connection.con.register("arrived", events)
            with atomic_path(rows) as temporary:
                connection.to_parquet(canonical_events(connection.table("arrived"), plan.timezone), str(temporary))
        _write_missing(rows, iter(chunks))
        if rows.exists():
            contents = LogContents(**load_bundle(job).record.train_config.of_log())
            yield read_shard(connection, plan, kept, contents, job.excluded)
        else:
            yield ShardLog(None, 0, 0, ())
    except ClvError as error:
        told = {"kind": type(error).__name__, "code": error.code, "params": error.params}
        raise RuntimeError(ERROR + json.dumps(told)) from error
    finally:
        engine.close()


def _events(batches: Batches, number: int) -> pa.RecordBatchReader | None:
    """Return the rows of a shard without its number; None where it has none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first = next(batches, None)
    if first is None:
        return None

    def own() -> Batches:
        for batch in chain([first], batches):
            if not pc.all(pc.equal(batch.column(SHARD), number)).as_py():
                raise AssertionError("a row of another shard")
            yield batch.drop_columns([SHARD])

    return pa.RecordBatchReader.from_batches(first.drop_columns([SHARD]).schema, own())


def _chunks(batches: Batches) -> tuple[int, Iterator[bytes]]:
    """Return the number of the shard whose files these are, and its rows' Parquet file."""
    first = next(batches)
    rows = (row for batch in chain([first], batches) for row in batch.to_pylist())
    return first.column(SHARD)[0].as_py(), (row["content"] for row in rows if row["name"] == EVENTS)


def _write_missing(rows: Path, chunks: Iterator[bytes]) -> None:
    first = next(chunks, None)
    if first is None:
        return
    if rows.exists():
        for _ in chunks:
            pass
        return
    with atomic_path(rows) as temporary, temporary.open("wb") as file:
        for content in chain([first], chunks):
            file.write(content)


def _sent(number: int, name: str, content: bytes) -> Batches:
    import pyarrow as pa

    yield pa.RecordBatch.from_pydict({SHARD: [number], "name": [name], "content": [content]})


def _batch(frame: pd.DataFrame) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pandas(frame, preserve_index=False)


def _plan(job: ShardJob) -> Plan:
    return Plan.from_json(json.loads(job.plan))


def _local_folder() -> Path:
    """Return a folder of Spark's on this worker, which Spark removes when it ends."""
    return Path(os.environ["SPARK_LOCAL_DIRS"].split(",")[0])
