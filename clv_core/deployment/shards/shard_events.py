"""The events of one shard of a folder of Parquet files, read by the engine of this process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from clv_core.collection.privacy import SuppressionList, erased_list, objection_list
from clv_core.collection.store import EVENTS, canonical_events, open_dataset
from clv_core.columns import COLUMNS, CUSTOMER_ID, EVENT_TIME
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.shards.shard_folder import DIGITS, Plan, Shard
from clv_core.errors import NotEnoughData, NotFound, Refused, UsageError
from clv_core.features import Engine, EventLog, LogContents, read_sql
from clv_core.workspace import Workspace, atomic_path

if TYPE_CHECKING:
    import ibis

REMOTE: Final = "://"
"""In the address of a folder that is not a path of this machine."""
NEEDED: Final = (CUSTOMER_ID, EVENT_TIME)
MEMORY_LIMIT_MB: Final = 512
"""Of the engine, as for a log of the workspace."""
PARTITION: Final = "customer_md5"
"""Name of partitions by the first digits of the customer's hash (``customer_md5=0f/``): a shard reads its own alone."""
IDS_AT_ONCE: Final = 65_536
"""Customers that are held against the list of objections at a time."""


@dataclass(frozen=True)
class Excluded:
    """Whom no shard reads, by id: those who objected to profiling, and those who were erased and are in the folder.

    Args:
        objected: the list of objections.
        erased: the ledger of erasures, of all datasets and of the one that the model learned from.
    """

    objected: SuppressionList
    erased: SuppressionList

    @classmethod
    def of(cls, workspace: Workspace, bundle: Bundle) -> Excluded:
        """Return both lists as they are now.

        Raises:
            Refused: there is a list, and the key that it was made with is missing.
        """
        return cls(objection_list(workspace), erased_list(workspace, bundle.record.dataset.name))

    def __bool__(self) -> bool:
        """Return whether anybody is on a list."""
        return bool(self.objected.hashes or self.erased.hashes)

    def portable(self) -> Excluded:
        """Return the lists for processes that do not see the workspace."""
        return Excluded(self.objected.portable(), self.erased.portable())

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str], list[str]]:
        """Return the rows of everybody else, and the ids of those who objected and of those who were erased."""
        erased = self.erased.hides(frame)
        objected = self.objected.hides(frame) & ~erased
        rest = frame[~(erased | objected)].reset_index(drop=True)
        return rest, frame.loc[objected, CUSTOMER_ID].tolist(), frame.loc[erased, CUSTOMER_ID].tolist()


@dataclass(frozen=True)
class EventFiles:
    """A folder of Parquet files in canonical columns, ``event_time`` in UTC, or one such file.

    Args:
        source: its path, as it was named.
        paths: the files, sorted.
    """

    source: str
    paths: tuple[Path, ...]

    @classmethod
    def find(cls, source: str) -> EventFiles:
        """Return the files of a path: a version of a dataset, a file, or a folder, also a partitioned one.

        Raises:
            NotFound: there is no Parquet file.
            Refused: it is an address that this machine does not see as a path.
        """
        if REMOTE in source:
            raise Refused("shard_remote", path=source)
        path = Path(source)
        if (path / EVENTS).exists():
            path = path / EVENTS
        paths = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
        if not paths or not all(file.is_file() for file in paths):
            raise NotFound("no_events_folder", path=source)
        return cls(source, tuple(paths))

    @property
    def size(self) -> tuple[int, int]:
        """How many files there are, and how many bytes they are together."""
        return len(self.paths), sum(path.stat().st_size for path in self.paths)

    @property
    def is_partitioned(self) -> bool:
        """Whether all files are in partitions by the customer's hash."""
        return all(_prefix(path) is not None for path in self.paths)

    def of(self, shard: Shard) -> EventFiles:
        """Return the files that may hold customers of a shard: all, but of a folder partitioned by their hash."""
        some = tuple(path for path in self.paths if (found := _prefix(path)) is None or shard.may_hold(found))
        return EventFiles(self.source, some or self.paths[:1])

    def table(self, connection: ibis.BaseBackend, zone: str) -> ibis.Table:
        """Return the canonical columns of all rows, ``event_time`` naive in a time zone; nothing is read yet.

        Raises:
            NotFound: a file is no Parquet file.
            Refused: the files lack a column of customers or of times.
        """
        import duckdb

        connection.raw_sql("SET TimeZone = 'UTC'")
        paths = [str(path) for path in self.paths]
        try:
            stored = connection.read_parquet(
                paths, union_by_name=True, hive_partitioning=True, hive_types_autocast=False
            )
        except duckdb.Error as error:
            raise NotFound("no_events_folder", path=self.source) from error
        if missing := [name for name in NEEDED if name not in stored.columns]:
            raise Refused("events_columns", path=self.source, missing=missing, found=list(stored.columns[:20]) or "-")
        stored = stored.mutate(**{EVENT_TIME: stored[EVENT_TIME].cast("timestamp")})
        table = canonical_events(stored, zone)
        columns = [column.name for column in COLUMNS] + ([PARTITION] if PARTITION in stored.columns else [])
        return table.select(*columns).filter(table[CUSTOMER_ID].notnull())

    def check_partitions(self, table: ibis.Table, connection: Any) -> None:
        """Refuse partitions by another hash than the customer's: shards would miss rows.

        Raises:
            Refused: there is such a row.
        """
        if PARTITION not in table.columns:
            return
        prefix = table[PARTITION].cast("string")
        digits = table[CUSTOMER_ID].hexdigest("md5").lower().left(prefix.length())
        wrong = connection.to_pyarrow(table.filter(digits != prefix).select(prefix=prefix).limit(1))
        if wrong.num_rows:
            raise Refused("shard_partition", path=self.source, partition=f"{PARTITION}={wrong['prefix'][0]}")

    def end(self, zone: str, excluded: Excluded) -> date:
        """Return the first midnight after the last event of anyone who is not excluded.

        Raises:
            NotFound: there is no such event.
        """
        engine = Engine(MEMORY_LIMIT_MB)
        try:
            last = self._last(self.table(engine.connection, zone), engine.connection, excluded)
        finally:
            engine.close()
        if last is None:
            raise NotFound("no_events_folder", path=self.source)
        end: date = last.date() + timedelta(days=1)
        return end

    def _last(self, table: ibis.Table, connection: Any, excluded: Excluded) -> pd.Timestamp | None:
        if not excluded:
            last = connection.to_pyarrow(table.aggregate(last=table[EVENT_TIME].max()))["last"][0].as_py()
            return None if last is None else pd.Timestamp(last)
        latest = table.group_by(CUSTOMER_ID).aggregate(last=table[EVENT_TIME].max())
        latest = latest.order_by(latest["last"].desc())
        for batch in read_sql(connection, connection.compile(latest), latest.schema(), IDS_AT_ONCE):
            frame = excluded.split(batch.to_pandas())[0]
            if len(frame):
                return pd.Timestamp(frame["last"].max())
        return None


def _prefix(path: Path) -> str | None:
    """Return the first digits of the hashes of a file's customers; None where its path does not say."""
    found = re.search(rf"{PARTITION}=([0-9a-f]{{1,{DIGITS}}})/", path.as_posix())
    return None if found is None else found[1]


@dataclass(frozen=True, eq=False)
class ShardLog:
    """The events of a shard before the cutoff, without those who are excluded.

    Args:
        log: of them; None where nobody is left in the shard.
        objected: how many customers were left out because they objected.
        erased: how many because they were erased.
        types: the texts of ``event_type``, sorted.
    """

    log: EventLog | None
    objected: int
    erased: int
    types: tuple[str, ...]


@contextmanager
def open_shard(
    files: EventFiles, shard: Shard, plan: Plan, kept: Path, contents: LogContents, excluded: Excluded
) -> Iterator[ShardLog]:
    """Yield the log of a shard, in an engine of its own; its rows and relations are made once, for all rounds.

    Args:
        files: of all customers.
        shard: which of them.
        plan: of all shards.
        kept: folder of both between the rounds; what it lacks is written.
        contents: what is read of the log.
        excluded: whom no shard reads.
    """
    with ExitStack() as stack:
        engine = Engine(MEMORY_LIMIT_MB)
        stack.callback(engine.close)
        connection: Any = engine.connection
        rows = kept / EVENTS
        if not rows.exists():
            some = files.of(shard)
            table = some.table(connection, plan.timezone)
            some.check_partitions(table, connection)
            table = table.filter(shard.holds(table[CUSTOMER_ID]), table[EVENT_TIME] < pd.Timestamp(plan.as_of))
            with atomic_path(rows) as temporary:
                connection.to_parquet(table, str(temporary))
        yield read_shard(connection, plan, kept, contents, excluded)


def read_shard(connection: Any, plan: Plan, kept: Path, contents: LogContents, excluded: Excluded) -> ShardLog:
    """Return the log of a shard from its rows on disk; its relations are made once, for all rounds.

    Args:
        connection: engine that reads them.
        plan: of all shards.
        kept: folder of the rows and of the relations, which are written unless they are there.
        contents: what is read of the log.
        excluded: whom no shard reads.
    """
    table = connection.read_parquet(str(kept / EVENTS))
    objected, erased = _hidden(table, connection, excluded)
    if hidden := sorted([*objected, *erased]):
        table = table.filter(table[CUSTOMER_ID].notin(hidden))
    relations = kept / hashlib.sha256("\n".join(hidden).encode()).hexdigest()[:12]
    try:
        log = EventLog.from_table(table, connection, contents=contents, before=plan.as_of, cache=relations)
    except NotEnoughData:
        return ShardLog(None, len(objected), len(erased), ())
    return ShardLog(log, len(objected), len(erased), tuple(log.store.texts("type").tolist()))


def _hidden(table: ibis.Table, connection: Any, excluded: Excluded) -> tuple[list[str], list[str]]:
    """Return the ids of those in a table who objected to profiling, and of those who were erased."""
    objected: list[str] = []
    erased: list[str] = []
    if excluded:
        ids = table.select(CUSTOMER_ID).distinct()
        for batch in read_sql(connection, connection.compile(ids), ids.schema(), IDS_AT_ONCE):
            _, some_objected, some_erased = excluded.split(batch.to_pandas())
            objected, erased = objected + some_objected, erased + some_erased
    return objected, erased


def zone_of(workspace: Workspace, bundle: Bundle) -> str:
    """Return the time zone of a folder that names none: that of the dataset that the model learned from.

    Raises:
        UsageError: the dataset is not here.
    """
    try:
        return open_dataset(workspace, bundle.record.dataset.name).manifest.timezone
    except NotFound as error:
        raise UsageError("events_timezone", dataset=bundle.record.dataset.name, model=bundle.id) from error


def check_reads_folder(bundle: Bundle) -> None:
    """Refuse a model that learned from attributes of customers, which no folder of events holds.

    Raises:
        Refused: it did.
    """
    learned = bundle.record.signals.attributes
    if learned and bundle.record.train_config.attributes:
        raise Refused("events_attributes", model=bundle.id, names=", ".join(attribute.name for attribute in learned))
