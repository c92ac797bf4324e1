"""What a source holds comes to this machine: rows of a database as one Parquet file, files as they are."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from clv_core.collection.engine import connect_memory, file_text, name, one
from clv_core.collection.sources.query import count_days, literals, select, select_orders
from clv_core.collection.sources.saved_sources import KINDS, NO_ORDERS, REPLACE, Source, SourceState, unreachable
from clv_core.errors import ClvError, Message, Refused, UsageError
from clv_core.jobs import Progress
from clv_core.secrets_by_reference import secret

if TYPE_CHECKING:
    import pyarrow as pa

    from clv_core.collection.sources.databases import Fetch

DRIVERS: Final = ("adbc_driver_postgresql", "adbc_driver_snowflake", "adbc_driver_bigquery", "pymysql")
ROWS_OF_GROUP: Final = 200_000
"""Rows that are held until they are written as one row group."""


BATCH: Final = 5_000
"""Orders that one query asks for: some 60 kB of SQL."""
Days = Mapping[str, tuple[int, float | None]]
"""Day, ISO -> its rows, and what they come to; the day is empty for rows without a time."""


@dataclass(frozen=True)
class Held:
    """What the dataset that a source fills has already, for queries besides the one of new rows.

    Args:
        order_column: the source's column with the number of an order; empty: older lines are not fetched.
        orders: numbers of the orders that the dataset has in the look-back.
        event_column: the source's column of the event time; empty: days are not counted.
        amounts: the source's columns whose product is the amount; empty for no sums.
    """

    order_column: str = ""
    orders: Sequence[str] = ()
    event_column: str = ""
    amounts: Sequence[str] = ()


@dataclass(frozen=True)
class Pulled:
    """What was fetched.

    Args:
        paths: of files to read; none where nothing is new.
        rows: of a database; 0 for files.
        watermark: the latest time in ``time_column``, an ISO time; empty without one.
        files: name -> fingerprint of the files that were fetched.
        warnings: what was left out.
        since: first day of the look-back, ISO; empty where everything was fetched.
        orders: of how many orders older lines were requested.
        has_orders: whether orders are complete: the column with their numbers is there.
        gone: numbers of orders in :attr:`Held.orders` that the source does not have.
        days: day -> rows and amount of all rows of the source; None where it was not counted.
    """

    paths: tuple[Path, ...]
    rows: int = 0
    watermark: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Message, ...] = ()
    since: str = ""
    orders: int = 0
    has_orders: bool = False
    gone: tuple[str, ...] = ()
    days: Days | None = None


def first_day(source: Source, state: SourceState) -> date | None:
    """Return the first day of the look-back; None where everything is fetched."""
    if not state.watermark or not source.time_column or source.grows == REPLACE:
        return None
    return date.fromisoformat(state.watermark[:10]) - timedelta(days=source.look_back_days)


def pull(
    source: Source,
    target: Path,
    state: SourceState,
    progress: Progress,
    *,
    limit: int = 0,
    stored: Held = Held(),
) -> Pulled:
    """Fetch what is new since ``state`` into the folder ``target``; of a source that is replaced, everything.

    Args:
        source: which.
        target: an empty folder.
        state: how far the source has been read; an empty one fetches everything.
        progress: who listens.
        limit: at most so many rows, or the newest file; 0 is all.
        stored: what the dataset has of a database's rows: then the older lines of all orders that were fetched, and of
            those that the dataset has in the look-back, are fetched too, and the source's days are counted.

    Raises:
        UsageError: a driver is not installed, or there is no secret where the reference points.
        ClvError: the source cannot be reached or refuses; the secret is not in the error.
        Refused: its query is not a SELECT, its columns have no times, or two have one name.
    """
    value = secret(source.secret) if source.secret else ""
    progress.report("fetch", 0, 1)
    with _drivers(source, value):
        if KINDS[source.kind].dialect:
            return _pull_rows(source, value, target, state, progress, limit, stored)
        return _pull_files(source, value, target, state, progress, limit)


def check_role(source: Source) -> list[Message]:
    """Return warnings about the privileges of a source's role besides reading.

    Nothing where it may only read, or where files are read. A database that cannot be reached is not checked: a
    warning says so.
    """
    if not KINDS[source.kind].dialect or KINDS[source.kind].is_local:
        return []
    try:
        value = secret(source.secret) if source.secret else ""
        with _drivers(source, value):
            from clv_core.collection.sources import databases

            with databases.CONNECT[source.kind](source, value) as fetch:
                grants = databases.powers(source.kind, fetch)
    except ClvError:
        return [Message("warning.source_unreached", {"source": source.name})]
    if grants is None:
        return [Message("warning.source_role_unknown", {"kind": KINDS[source.kind].title})]
    role, powers = grants
    return [Message("warning.source_role", {"role": role, "powers": powers})] if powers else []


@contextmanager
def _drivers(source: Source, value: str) -> Iterator[None]:
    """Turn what drivers raise into errors of ours."""
    try:
        yield
    except (ClvError, KeyboardInterrupt):
        raise
    except ModuleNotFoundError as error:
        if error.name not in DRIVERS:
            raise
        raise UsageError("extra_missing", extra=KINDS[source.kind].extra) from error
    except Exception as error:
        of_driver = type(error).__module__.partition(".")[0] in (*DRIVERS, "adbc_driver_manager", "sqlite3", "_duckdb")
        if not of_driver and not isinstance(error, OSError):
            raise
        raise unreachable(source, error, {value: "***"}) from None  # its trace holds the address with the secret


def _pull_rows(
    source: Source, value: str, target: Path, state: SourceState, progress: Progress, limit: int, stored: Held
) -> Pulled:
    from clv_core.collection.sources import databases

    since, dialect = first_day(source, state), KINDS[source.kind].dialect
    sql = select(source.what, dialect, time_column=source.time_column, since=since, limit=limit)
    path, days, warnings = target / f"{source.name}.parquet", None, []
    with databases.CONNECT[source.kind](source, value) as fetch:
        with fetch(sql) as fetched:
            reader = databases.readable(source, fetched)
            _check_columns(source, reader.schema.names)
            stored = _in_source(stored, reader.schema.names)
            column = stored.order_column if since is not None else ""
            with _Rows(path, reader.schema, column, progress, state.rows) as rows:
                for batch in reader:
                    rows.add(batch)
                if since is not None and stored.order_column:
                    deleted = _pull_older(source, fetch, rows, since, stored)
                else:
                    deleted = ()
        if since is not None and stored.event_column:
            progress.report("reconcile", 0, 1)
            try:
                with _drivers(source, value):
                    days = _count_days(source, fetch, stored)
            except ClvError:  # a text that is no day, or an amount that the database cannot add up
                warnings.append(Message("warning.source_not_compared", {"source": source.name}))
    watermark = _watermark(source, path) if rows.count and not limit else ""
    return Pulled(
        (path,) if rows.count else (),
        rows.count,
        max(watermark, state.watermark),
        since="" if since is None else str(since),
        orders=len(rows.orders),
        warnings=tuple(warnings),
        has_orders=bool(stored.order_column),
        gone=deleted,
        days=days,
    )


def _in_source(stored: Held, names: Sequence[str]) -> Held:
    """Return ``stored`` without columns that the source itself does not have: those made of parts of others."""
    order, event = (column if column in names else "" for column in (stored.order_column, stored.event_column))
    amounts = stored.amounts if {*stored.amounts} <= {*names} else ()
    return Held(order, stored.orders if order else (), event, amounts)


def _check_columns(source: Source, names: list[str]) -> None:
    if repeated := {column for column in names if names.count(column) > 1}:
        raise Refused("source_columns_repeated", source=source.name, columns=sorted(repeated))
    if source.time_column and source.time_column not in names:
        raise UsageError("source_no_column", column=source.time_column, columns=names)
    if source.order_column not in ("", NO_ORDERS, *names):
        raise UsageError("source_no_order_column", column=source.order_column, columns=names)


def _pull_older(source: Source, fetch: Fetch, rows: _Rows, since: date, stored: Held) -> tuple[str, ...]:
    """Add the older lines of the orders in ``rows`` and of ``held.orders``; return those of which nothing came."""
    from clv_core.collection.sources import databases

    dialect, seen = KINDS[source.kind].dialect, {str(value): value for value in rows.orders}
    missing = [order for order in stored.orders if order not in seen]
    sample = next(iter(seen.values()), None)
    if isinstance(sample, int):
        missing = [order for order in missing if order.isdigit()]
    wanted: list[object] = [*seen.values(), *(map(int, missing) if isinstance(sample, int) else missing)]
    rows.orders = set()

    def fetch_orders(ids: Sequence[object], before: date | None) -> pa.RecordBatchReader:
        sql = select_orders(
            source.what,
            dialect,
            order_column=stored.order_column,
            ids=(mark := token_hex(16)),
            time_column=source.time_column,
            before=before,
        )
        return fetch(sql.replace(f"'{mark}'", literals(ids, dialect)))

    for begin in range(0, len(wanted), BATCH):
        with fetch_orders(wanted[begin : begin + BATCH], since) as fetched:
            for batch in databases.readable(source, fetched):
                rows.add(batch)
    fetched_ids = {str(value) for value in rows.orders}
    deleted = tuple(order for order in missing if order not in fetched_ids)
    if deleted and sample is not None:  # an order that exists must match its number
        with fetch_orders([sample], None) as fetched:
            deleted = deleted if any([batch.num_rows for batch in fetched]) else ()
    elif not fetched_ids:
        deleted = ()
    rows.orders = set(wanted)
    return deleted


def _count_days(source: Source, fetch: Fetch, stored: Held) -> Days:
    """Return rows and amount of each day of the source, as the database counts them."""
    dialect = KINDS[source.kind].dialect
    sql = count_days(source.what, dialect, time_column=stored.event_column, amounts=stored.amounts)
    days: dict[str, tuple[int, float | None]] = {}
    with fetch(sql) as counted:
        for row in counted.read_all().to_pylist():
            day = "" if row["day"] is None else str(row["day"])[:10]
            days[day] = int(row["n"]), None if row["amount"] is None else float(row["amount"])
    return days


class _Rows:
    """Rows that are written to a Parquet file as they come, some at a time, and the numbers of their orders."""

    def __init__(self, path: Path, schema: pa.Schema, order_column: str, progress: Progress, expected: int) -> None:
        import pyarrow.parquet as pq

        self.writer = pq.ParquetWriter(path, schema, compression="zstd")
        self.at = schema.names.index(order_column) if order_column else -1
        self.schema, self.progress, self.expected = schema, progress, expected
        self.held: list[Any] = []
        self.count, self.waiting = 0, 0
        self.orders: set[object] = set()

    def __enter__(self) -> _Rows:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self.write()
        finally:
            self.writer.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch; it is written with those before it once they are :data:`ROWS_OF_GROUP` rows."""
        import pyarrow as pa

        if self.at >= 0:
            column = batch.column(self.at)
            storage = getattr(column, "storage", column)  # numbers of PostgreSQL are texts with a type of their own
            values = column if pa.types.is_fixed_size_binary(storage.type) else storage.unique()  # or UUIDs
            self.orders |= {value for value in values.to_pylist() if value is not None}
        self.held.append(batch)
        self.count += batch.num_rows
        self.waiting += batch.num_rows
        if self.waiting >= ROWS_OF_GROUP:
            self.write()
            self.progress.report("fetch", self.count, max(self.count, self.expected), rows=self.count)

    def write(self) -> None:
        """Write what was taken."""
        import pyarrow as pa

        if self.held:
            self.writer.write_table(pa.Table.from_batches(self.held, self.schema))
        self.held, self.waiting = [], 0


def _watermark(source: Source, path: Path) -> str:
    """Return the latest time of the time column that is not in the future, as an ISO time.

    A row that is dated to 2099 would hide all that come after it.

    Raises:
        Refused: it holds something else than times, or texts that do not begin with a year.
    """
    if not source.time_column:
        return ""
    column = name(source.time_column)
    text = f"{column}::VARCHAR"
    when = f"TRY_CAST({text} AS TIMESTAMP)"
    unlike = f"{column} IS NOT NULL AND (NOT regexp_matches({text}, '^\\d{{4}}-\\d\\d-\\d\\d') OR {when} IS NULL)"
    with connect_memory() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar_print = false")
        (kind,) = connection.sql(f"SELECT {column} FROM {file_text(path)} LIMIT 0").types
        if str(kind).startswith(("DATE", "TIMESTAMP")):
            when, unlike = f"{column}::TIMESTAMP", "false"
        latest, odd = one(
            connection,
            f"SELECT max({when}) FILTER ({when} <= now()::TIMESTAMP + INTERVAL 1 DAY), count(*) FILTER ({unlike})"
            f" FROM {file_text(path)}",
        )
    if odd or latest is None:
        raise Refused("source_no_times", source=source.name, column=source.time_column)
    return f"{latest:%Y-%m-%dT%H:%M:%S}"


def _pull_files(source: Source, value: str, target: Path, state: SourceState, progress: Progress, limit: int) -> Pulled:
    if source.kind == "shopify":
        from clv_core.collection.sources.shopify import shopify

        latest = state.watermark[:10]
        day = date.fromisoformat(latest) - timedelta(days=source.look_back_days) if latest else ""
        opened = shopify(source, value, str(day) if source.grows != REPLACE else "")
    else:
        opened = getattr(importlib.import_module("clv_core.collection.sources.files"), source.kind)(source, value)
    paths, files = [], {}
    with opened as listed:
        listing, left = listed.files, {"source": source.name, "links": list(listed.links)}
        if not listing and listed.links and not state.files:
            raise Refused("source_links", **left)
        if not listing and not state.files:
            raise Refused("source_no_files", source=source.name, pattern=source.what or "-", host=source.host)
        for number, file in enumerate(listing[-1:] if limit else listing):
            progress.report("fetch", number, len(listing))
            if source.grows != REPLACE and file.fingerprint and state.files.get(file.name) == file.fingerprint:
                continue
            folder = target / f"file-{number}"
            folder.mkdir()
            path = file.fetch(folder)
            files[file.name] = file.fingerprint
            if path.stat().st_size:
                paths.append(path)
    watermark = _watermark_of_shop(paths) if source.kind == "shopify" else ""
    warnings = (Message("warning.source_links", left),) if listed.links else ()
    return Pulled(tuple(paths), 0, watermark or state.watermark, files, warnings)


def _watermark_of_shop(paths: list[Path]) -> str:
    with connect_memory() as connection:
        queries = [f"SELECT max(updated_at)::VARCHAR FROM read_json({file_text(path)})" for path in paths]
        days = [one(connection, query)[0] for query in queries]
    return max(map(str, days), default="")
