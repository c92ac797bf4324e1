"""What a source holds comes to this machine: rows of a database as one Parquet file, files as they are."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from clv_core.collection.engine import connect_memory, file_text, name, one
from clv_core.collection.sources.query import select
from clv_core.collection.sources.source import KINDS, REPLACE, Source, SourceState, unreachable
from clv_core.errors import ClvError, Message, Refused, UsageError
from clv_core.jobs import Progress
from clv_core.secrets_by_reference import secret

DRIVERS: Final = ("adbc_driver_postgresql", "adbc_driver_snowflake", "adbc_driver_bigquery", "pymysql")
ROWS_OF_GROUP: Final = 200_000
"""Rows that are held until they are written as one row group."""


@dataclass(frozen=True)
class Pulled:
    """What was fetched.

    Args:
        paths: of files to read; none where nothing is new.
        rows: of a database; 0 for files.
        watermark: the latest time in ``time_column``, an ISO time; empty without one.
        files: name -> fingerprint of the files that were fetched.
        warnings: what was left out.
    """

    paths: tuple[Path, ...]
    rows: int = 0
    watermark: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Message, ...] = ()


def pull(source: Source, target: Path, state: SourceState, progress: Progress, *, limit: int = 0) -> Pulled:
    """Fetch what is new since ``state`` into the folder ``target``; of a source that is replaced, everything.

    Args:
        source: which.
        target: an empty folder.
        state: how far the source has been read; an empty one fetches everything.
        progress: who listens.
        limit: at most so many rows, or the newest file; 0 is all.

    Raises:
        UsageError: a driver is not installed, or the secret is not where the reference says.
        ClvError: the source cannot be reached or refuses; the secret is not in the error.
        Refused: its query is not a SELECT, its columns have no times, or two have one name.
    """
    value = secret(source.secret) if source.secret else ""
    progress.report("fetch", 0, 1)
    with _drivers(source, value):
        if KINDS[source.kind].dialect:
            return _pull_rows(source, value, target, state, progress, limit)
        return _pull_files(source, value, target, state, progress, limit)


def check_role(source: Source) -> list[Message]:
    """Return what is to be said of what a source's role may do in its database beside reading.

    Nothing where it may only read, or where files are read. A database that cannot be reached is not checked, which is
    said, too.
    """
    if not KINDS[source.kind].dialect or KINDS[source.kind].is_local:
        return []
    try:
        value = secret(source.secret) if source.secret else ""
        with _drivers(source, value):
            from clv_core.collection.sources import databases

            with databases.CONNECT[source.kind](source, value) as fetch:
                found = databases.powers(source.kind, fetch)
    except ClvError:
        return [Message("warning.source_unreached", {"source": source.name})]
    if found is None:
        return [Message("warning.source_role_unknown", {"kind": KINDS[source.kind].title})]
    role, powers = found
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


def _pull_rows(source: Source, value: str, target: Path, state: SourceState, progress: Progress, limit: int) -> Pulled:
    import pyarrow.parquet as pq

    from clv_core.collection.sources import databases

    since = None
    if state.watermark and source.time_column and source.grows != REPLACE:
        since = date.fromisoformat(state.watermark[:10]) - timedelta(days=source.look_back_days)
    dialect = KINDS[source.kind].dialect
    sql = select(source.what, dialect, time_column=source.time_column, since=since, limit=limit)
    path, rows = target / f"{source.name}.parquet", 0
    with databases.CONNECT[source.kind](source, value) as fetch, fetch(sql) as fetched:
        reader = databases.readable(source, fetched)
        names = reader.schema.names
        if repeated := {one for one in names if names.count(one) > 1}:
            raise Refused("source_columns_repeated", source=source.name, columns=sorted(repeated))
        if source.time_column and source.time_column not in names:
            raise UsageError("source_no_column", column=source.time_column, columns=names)
        with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
            held: list[Any] = []
            for batch in reader:
                held.append(batch)
                rows += batch.num_rows
                if sum(one.num_rows for one in held) >= ROWS_OF_GROUP:
                    _write(writer, held)
                    progress.report("fetch", rows, max(rows, state.rows), rows=rows)
            _write(writer, held)
    watermark = _watermark(source, path) if rows and not limit else ""
    return Pulled((path,) if rows else (), rows, max(watermark, state.watermark))


def _write(writer: Any, held: list[Any]) -> None:
    import pyarrow as pa

    if held:
        writer.write_table(pa.Table.from_batches(held))
        held.clear()


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
        found, left = listed.files, {"source": source.name, "links": list(listed.links)}
        if not found and listed.links and not state.files:
            raise Refused("source_links", **left)
        if not found and not state.files:
            raise Refused("source_no_files", source=source.name, pattern=source.what or "-", host=source.host)
        for number, file in enumerate(found[-1:] if limit else found):
            progress.report("fetch", number, len(found))
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
