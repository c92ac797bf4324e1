"""Rows of a database as Arrow batches: read-only, encrypted, and ended by the server where they take too long.

Each function connects and yields what runs one query. Batches are fetched as they are consumed, so that no result is
entirely in memory. The log is read as text afterwards, so MySQL and SQLite hand over the text of each value.
"""

from __future__ import annotations

import re
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import pyarrow as pa
from sqlglot import exp

from clv_core.collection.sources.saved_sources import KINDS, LOCAL_HOSTS, Source
from clv_core.errors import ClvError, Refused

TIMEOUT_SECONDS: Final = 3600
"""Longest that a statement may take."""
CONNECT_SECONDS: Final = 15
"""Longest wait for a connection: a firewall that drops packets never answers."""
ROWS: Final = 50_000
"""Rows of a batch, where the driver does not choose."""
Fetch = Callable[[str], pa.RecordBatchReader]
TYPE: Final = b"POSTGRESQL:type"
"""Key of a column's metadata under which its driver, and :func:`_texts`, puts the database's own type."""
INEXACT: Final = {"money": "numeric", "FLOAT": "double"}
"""Types whose values do not arrive as they are -> what to cast them to: PostgreSQL hands over ``money`` in cents, MySQL
six digits of a ``FLOAT``."""
PRINTED: Final = [chr(b) if 32 <= b < 127 and chr(b) not in "\\'\"" else f"\\x{b:02X}" for b in range(256)]
READS: Final = {"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS", "REPLICATION CLIENT", "BINLOG MONITOR"}
"""Privileges of MySQL and MariaDB that change nothing."""
FLOAT: Final = 4
"""Number of the type in MySQL's protocol."""
NAMED: Final = 3
"""Privileges quoted in a message."""
GRANT: Final = re.compile(r"GRANT (?P<powers>.+) ON (?P<on>.+?) TO ")
POWERS: Final = """
    SELECT current_user::text AS role, CASE WHEN rolsuper THEN ARRAY['SUPERUSER'] ELSE
        array_remove(ARRAY[CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
            CASE WHEN has_database_privilege(current_database(), 'CREATE') THEN 'CREATE ON DATABASE' END], NULL)
        || ARRAY(SELECT rolname::text FROM pg_roles p WHERE pg_has_role(p.oid, 'USAGE') AND rolname IN
            ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_write_all_data'))
        || ARRAY(SELECT 'CREATE ON SCHEMA ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_'
            AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'CREATE') ORDER BY nspname LIMIT 3)
        || ARRAY(SELECT 'INSERT, UPDATE or DELETE ON ' || c.oid::regclass FROM pg_class c JOIN pg_namespace n
            ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname !~ '^pg_'
            AND nspname <> 'information_schema' AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
            OR has_any_column_privilege(c.oid, 'INSERT, UPDATE')) ORDER BY c.relname LIMIT 3) END AS powers
    FROM pg_roles WHERE rolname = current_user"""
"""What a role of PostgreSQL may do besides reading; of schemas and tables the first three."""


@contextmanager
def postgresql(source: Source, password: str) -> Iterator[Fetch]:
    """Connect to PostgreSQL; rows come by binary COPY."""
    import adbc_driver_postgresql.dbapi as driver

    parts = urlsplit(source.where)
    user = ":".join(quote(part, safe="") for part in (unquote(parts.username or ""), password) if part)
    port = f":{parts.port}" if parts.port else ""
    settings = f"-c default_transaction_read_only=on -c statement_timeout={TIMEOUT_SECONDS * 1000} -c TimeZone=UTC"
    settings += r" -c default_transaction_isolation=repeatable\ read"  # all queries of a run see the same rows
    settings += " -c standard_conforming_strings=on"  # in which a backslash is no escape, as the query was checked
    options = {"sslmode": "verify-full" if source.ca else "require" if source.tls else "prefer"}
    if parts.hostname in (None, *LOCAL_HOSTS) and not source.ca:
        options["sslmode"] = "prefer"  # within one machine nobody listens, and servers there often have no certificate
    options |= {"sslrootcert": source.ca} if source.ca else {}
    options |= {"connect_timeout": str(CONNECT_SECONDS), "options": settings, "application_name": "clv-studio"}
    parameters = "&".join(f"{key}={quote(value, safe='')}" for key, value in options.items())
    with driver.connect(f"postgresql://{user}@{parts.hostname or ''}{port}{parts.path}?{parameters}") as connection:
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
            conv={**pymysql.converters.encoders, pymysql.constants.FIELD_TYPE.BIT: _bits},  # other values stay texts
            cursorclass=pymysql.cursors.SSCursor,
        )
    ) as connection:
        with connection.cursor() as cursor:
            isolation = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
            for statement in (isolation, "SET time_zone = '+00:00'"):
                cursor.execute(statement)
            try:
                cursor.execute(f"SET SESSION max_statement_time = {TIMEOUT_SECONDS}")  # MariaDB
            except pymysql.err.MySQLError:
                cursor.execute(f"SET SESSION max_execution_time = {TIMEOUT_SECONDS * 1000}")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        with connection.cursor() as cursor:
            yield _texts(cursor)


@contextmanager
def sqlite(source: Source, _: str) -> Iterator[Fetch]:
    """Open a file of SQLite."""
    address = f"file:{quote(str(Path(source.where).absolute()))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")  # all queries of a run see the same rows
        with _until_timeout(connection.interrupt):
            yield _texts(connection.cursor())


@contextmanager
def duckdb(source: Source, _: str) -> Iterator[Fetch]:
    """Open a file of DuckDB; a query reads no other files, and installs nothing."""
    import duckdb as driver

    settings: dict[str, Any] = {"enable_external_access": False, "autoinstall_known_extensions": False}
    with driver.connect(source.where, read_only=True, config=settings) as connection:
        connection.execute("BEGIN")
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


def powers(kind: str, fetch: Fetch) -> tuple[str, list[str]] | None:
    """Return the role that a source reads as, and its privileges besides reading, in SQL's words; None: unknown."""
    if kind == "postgresql":
        row = fetch(POWERS).read_all().to_pylist()[0]
        return str(row["role"]), [str(power) for power in row["powers"]]
    if kind == "mysql":
        (role,) = fetch("SELECT current_user() AS role").read_all().column(0).to_pylist()
        grants = [GRANT.match(line) for line in fetch("SHOW GRANTS").read_all().column(0).to_pylist()]
        return role, [grant_power for grant in grants if grant and (grant_power := _privilege(grant))]
    return None


def _privilege(grant: re.Match[str]) -> str:
    names = re.sub(r" ?\([^)]*\)", "", grant["powers"]).split(", ")  # without columns
    left = [name for name in names if name not in READS]
    more = ["..."] if len(left) > NAMED else []
    return f"{', '.join([*left[:NAMED], *more])} ON {grant['on']}" if left else ""


def readable(source: Source, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Return what a query gave with enums and other types that users made as texts.

    Raises:
        Refused: a column has a unit of its own that gets lost on the way (money, intervals), or is an array of numbers;
            the error names the column, its type and the cast that reads it exactly.
    """
    refused = [column for column in reader.schema if _is_inexact(column)]
    if refused:
        raise _refusal(source, refused)
    opaque = [at for at, column in enumerate(reader.schema) if _is_opaque(column.type)]
    if not opaque:
        return reader
    schema = reader.schema
    for at in opaque:
        schema = schema.set(at, pa.field(schema.field(at).name, pa.string()))

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            columns = batch.columns
            for at in opaque:
                columns[at] = pa.array(map(_own_text, columns[at].storage.to_pylist()), pa.string())
            yield pa.record_batch(columns, schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _own_text(value: bytes | None) -> str | None:
    """Return the bytes of an enum or the like as text; those of another type as the database engine writes bytes."""
    if value is None:
        return None
    with suppress(UnicodeDecodeError):
        if (text := value.decode()).isprintable():
            return text
    return "".join(PRINTED[byte] for byte in value)


def _is_inexact(column: pa.Field) -> bool:
    kind, type_name = column.type, _type(column)
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        item = getattr(kind.value_type, "storage_type", kind.value_type)
        return (
            type_name == "_numeric"
            or pa.types.is_integer(item)
            or pa.types.is_floating(item)
            or pa.types.is_decimal(item)
        )
    return type_name in INEXACT or pa.types.is_interval(kind) or pa.types.is_duration(kind)


def _is_opaque(kind: pa.DataType) -> bool:
    """Return whether PostgreSQL hands a type over in bytes of its own, which are the text for enums and the like."""
    return isinstance(kind, pa.OpaqueType) and pa.types.is_binary(kind.storage_type)


def _type(column: pa.Field) -> str:
    """Return a type as the database calls it; as Arrow does where the driver does not return it."""
    type_name: bytes = (column.metadata or {}).get(TYPE, str(column.type).encode())
    return type_name.decode()


def _refusal(source: Source, columns: list[pa.Field]) -> Refused:
    casts = []
    for column in columns:
        name = exp.column(column.name, quoted=not re.fullmatch(r"[a-z_][a-z0-9_]*", column.name))
        cast: exp.Expression = exp.cast(name, INEXACT.get(_type(column), "text"))
        if pa.types.is_interval(column.type) or pa.types.is_duration(column.type):
            cast = exp.Extract(this=exp.var("epoch"), expression=name)
        casts.append(exp.alias_(cast, name.this).sql(KINDS[source.kind].dialect))
    named = [f"{column.name} ({_type(column)})" for column in columns]
    return Refused("source_types", source=source.name, columns=named, casts=casts)


def _arrow(cursor: Any) -> Fetch:
    def fetch(sql: str) -> pa.RecordBatchReader:
        cursor.execute(sql)
        return cursor.fetch_record_batch()

    return fetch


def _texts(cursor: Any) -> Fetch:
    def fetch(sql: str) -> pa.RecordBatchReader:
        cursor.execute(sql)
        types = {FLOAT: {TYPE: b"FLOAT"}}
        schema = pa.schema(
            [pa.field(column[0], pa.string(), metadata=types.get(column[1])) for column in cursor.description]
        )

        def batches() -> Iterator[pa.RecordBatch]:
            while rows := cursor.fetchmany(ROWS):
                columns = [pa.array(map(_text, values), pa.string()) for values in zip(*rows, strict=True)]
                yield pa.record_batch(columns, schema)

        return pa.RecordBatchReader.from_batches(schema, batches())

    return fetch


def _bits(value: bytes) -> str:
    return str(int.from_bytes(value, "big"))


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
