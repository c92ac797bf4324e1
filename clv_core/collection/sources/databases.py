"""Rows of a database as Arrow batches: read-only, encrypted, and ended by the server where they take too long.

Each function connects and yields what runs one query. Batches are fetched as they are asked for, so that no result is
in memory whole. The log is read as text afterwards, so MySQL and SQLite hand over the text of each value.
"""

from __future__ import annotations

import sqlite3
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from threading import Timer
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import pyarrow as pa

from clv_core.collection.sources.source import LOCAL_HOSTS, Source
from clv_core.errors import ClvError

TIMEOUT_SECONDS: Final = 3600
"""Longest that a statement may take."""
CONNECT_SECONDS: Final = 15
ROWS: Final = 50_000
"""Rows of a batch, where the driver does not choose."""
Fetch = Callable[[str], pa.RecordBatchReader]


@contextmanager
def postgresql(source: Source, password: str) -> Iterator[Fetch]:
    """Connect to PostgreSQL; rows come by binary COPY."""
    import adbc_driver_postgresql.dbapi as driver

    parts = urlsplit(source.where)
    user = ":".join(quote(one, safe="") for one in (unquote(parts.username or ""), password) if one)
    port = f":{parts.port}" if parts.port else ""
    settings = f"-c default_transaction_read_only=on -c statement_timeout={TIMEOUT_SECONDS * 1000} -c TimeZone=UTC"
    options = {"sslmode": "verify-full" if source.ca else "require" if source.tls else "prefer"}
    if parts.hostname in (None, *LOCAL_HOSTS) and not source.ca:
        options["sslmode"] = "prefer"  # within one machine nobody listens, and servers there often have no certificate
    options |= {"sslrootcert": source.ca} if source.ca else {}
    options |= {"connect_timeout": str(CONNECT_SECONDS), "options": settings, "application_name": "clv-studio"}
    said = "&".join(f"{key}={quote(value, safe='')}" for key, value in options.items())
    with driver.connect(f"postgresql://{user}@{parts.hostname or ''}{port}{parts.path}?{said}") as connection:
        with connection.cursor() as cursor:
            yield _arrow(cursor)


@contextmanager
def mysql(source: Source, password: str) -> Iterator[Fetch]:
    """Connect to MySQL or MariaDB."""
    import pymysql

    parts = urlsplit(source.where)
    local = parts.hostname in (None, *LOCAL_HOSTS) and not source.ca
    context = None
    if source.tls and not local:
        context = ssl.create_default_context(cafile=source.ca or None)
        if not source.ca:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with closing(
        pymysql.connect(
            host=parts.hostname or "localhost",
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=password.encode(),
            database=unquote(parts.path.strip("/")),
            charset="utf8mb4",
            ssl=context,
            ssl_disabled=context is None and not source.tls,
            connect_timeout=CONNECT_SECONDS,
            conv=pymysql.converters.encoders.copy(),  # no decoders: values stay texts
            cursorclass=pymysql.cursors.SSCursor,
        )
    ) as connection:
        with connection.cursor() as cursor:
            for statement in ("SET SESSION TRANSACTION READ ONLY", "SET time_zone = '+00:00'"):
                cursor.execute(statement)
            try:
                cursor.execute(f"SET SESSION max_statement_time = {TIMEOUT_SECONDS}")  # MariaDB
            except pymysql.err.MySQLError:
                cursor.execute(f"SET SESSION max_execution_time = {TIMEOUT_SECONDS * 1000}")
            cursor.execute("START TRANSACTION READ ONLY")
        with connection.cursor() as cursor:
            yield _texts(cursor)


@contextmanager
def sqlite(source: Source, _: str) -> Iterator[Fetch]:
    """Open a file of SQLite."""
    address = f"file:{quote(str(Path(source.where).absolute()))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
        connection.execute("PRAGMA query_only = ON")
        with _until_timeout(connection.interrupt):
            yield _texts(connection.cursor())


@contextmanager
def duckdb(source: Source, _: str) -> Iterator[Fetch]:
    """Open a file of DuckDB; a query reads no other files, and installs nothing."""
    import duckdb as driver

    settings: dict[str, Any] = {"enable_external_access": False, "autoinstall_known_extensions": False}
    with driver.connect(source.where, read_only=True, config=settings) as connection:
        with _until_timeout(connection.interrupt):
            yield lambda sql: connection.execute(sql).to_arrow_reader(ROWS)


@contextmanager
def snowflake(source: Source, password: str) -> Iterator[Fetch]:
    """Connect to Snowflake, which is always encrypted."""
    import adbc_driver_snowflake.dbapi as driver

    user, _, rest = source.where.removeprefix("snowflake://").partition("@")
    with driver.connect(f"{user}:{quote(password, safe='')}@{rest}") as connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {TIMEOUT_SECONDS}, TIMEZONE = 'UTC'")
        yield _arrow(cursor)


@contextmanager
def bigquery(source: Source, password: str) -> Iterator[Fetch]:
    """Connect to BigQuery by the key of a service account as JSON, or without one as this machine's account."""
    import adbc_driver_bigquery.dbapi as driver
    from adbc_driver_bigquery import DatabaseOptions

    parts = urlsplit(source.where)
    options = {DatabaseOptions.PROJECT_ID.value: parts.netloc, DatabaseOptions.DATASET_ID.value: parts.path.strip("/")}
    if password:
        options[DatabaseOptions.AUTH_TYPE.value] = DatabaseOptions.AUTH_VALUE_JSON_CREDENTIAL_STRING.value
        options[DatabaseOptions.AUTH_CREDENTIALS.value] = password
    with driver.connect(options) as connection, connection.cursor() as cursor:
        yield _arrow(cursor)


CONNECT: Final[dict[str, Callable[[Source, str], AbstractContextManager[Fetch]]]] = {
    "postgresql": postgresql,
    "mysql": mysql,
    "sqlite": sqlite,
    "duckdb": duckdb,
    "snowflake": snowflake,
    "bigquery": bigquery,
}


def _arrow(cursor: Any) -> Fetch:
    def fetch(sql: str) -> pa.RecordBatchReader:
        cursor.execute(sql)
        return cursor.fetch_record_batch()

    return fetch


def _texts(cursor: Any) -> Fetch:
    def fetch(sql: str) -> pa.RecordBatchReader:
        cursor.execute(sql)
        schema = pa.schema([(column[0], pa.string()) for column in cursor.description])

        def batches() -> Iterator[pa.RecordBatch]:
            while rows := cursor.fetchmany(ROWS):
                columns = [pa.array(map(_text, values), pa.string()) for values in zip(*rows, strict=True)]
                yield pa.record_batch(columns, schema)

        return pa.RecordBatchReader.from_batches(schema, batches())

    return fetch


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    return str(value)


@contextmanager
def _until_timeout(interrupt: Callable[[], None]) -> Iterator[None]:
    """Interrupt what runs too long in a library that has no timeout of its own."""
    expired: list[bool] = []

    def stop() -> None:
        expired.append(True)
        interrupt()

    timer = Timer(TIMEOUT_SECONDS, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if expired:
            raise ClvError("source_timeout", seconds=TIMEOUT_SECONDS) from error
        raise
    finally:
        timer.cancel()
