"""Scores written where they are analysed: a table of PostgreSQL, a file in a bucket. Both are replaced completely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from clv_core.collection.sources import LOCAL_HOSTS, s3_system
from clv_core.collection.vocabulary import CONSENT
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, UsageError
from clv_core.strategy.destinations.destination import Destination, Row, Send, SendError, Tell

if TYPE_CHECKING:
    import pyarrow as pa

FIND_TABLE: Final = """
    SELECT nspname::text, ARRAY(
        SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    )
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = to_regclass($1)
"""
"""Schema and columns of a table; of one named without its schema, the first on the search path.

The inner query lists the columns of one table that were not dropped; the outer one finds the table and its schema."""
UNANSWERED: Final = ("NETWORK_CONNECTION", "REQUEST_TIMEOUT", "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE", "SLOW_DOWN")
"""Errors of S3 that pass."""


@contextmanager
def postgresql(target: Destination, secret: str, _: Callable[[float], None], tell: Tell) -> Iterator[Send]:
    """Replace the dataset's rows of a table in one transaction; the table is made where it is not there.

    One that is there is not altered: without a column ``consent``, its rows get none, and ``tell`` gets a warning.
    Its name is quoted: ``Scores`` is not ``scores``, and ``order`` may be one.
    """
    try:
        from adbc_driver_postgresql import dbapi
    except ModuleNotFoundError as error:
        raise UsageError("extra_missing", extra="postgresql") from error

    def send(rows: Sequence[Row], about: Row) -> dict[int, str]:
        schema, _, table = target.table.rpartition(".")
        options = {"connect_timeout": "10", **({"password": secret} if secret else {})}
        if urlsplit(target.address).hostname not in LOCAL_HOSTS and "sslmode=" not in target.address:
            options["sslmode"] = "require"
        address = f"{target.address}{'&' if '?' in target.address else '?'}{urlencode(options)}"
        try:
            with closing(dbapi.connect(address)) as connection, closing(connection.cursor()) as cursor:
                cursor.execute(FIND_TABLE, (_quoted(table, schema),))
                data = _arrow(rows, about)
                if existing := cursor.fetchone():
                    schema, columns = existing
                    cursor.execute(f"DELETE FROM {_quoted(table, schema)} WHERE dataset = $1", (about["dataset"],))
                    if CONSENT in data.column_names and CONSENT not in columns:
                        data = data.drop_columns(CONSENT)
                        unmarked = sum(row[CONSENT] != "yes" for row in rows)
                        tell(Message("warning.push_no_consent_column", {"table": target.table, "customers": unmarked}))
                if rows:
                    cursor.adbc_ingest(table, data, mode="create_append", db_schema_name=schema or None)
                connection.commit()
        except dbapi.Error as error:  # its text and trace may hold the address with the password
            raise SendError("push_refused", error.sqlstate or type(error).__name__) from None
        return {}

    yield send


def _quoted(table: str, schema: str) -> str:
    from sqlglot import exp

    return exp.table_(table, db=schema or None, quoted=True).sql(dialect="postgres")


def _arrow(rows: Sequence[Row], about: Row) -> pa.Table:
    """Return the rows behind what they mean, with every column that one of them has."""
    import pyarrow as pa

    names = dict.fromkeys(name for row in rows for name in row)
    if not rows:  # nobody is left, and who reads the file still finds whose ids would be there
        return pa.Table.from_pylist([{**about, CUSTOMER_ID: ""}]).slice(0, 0)
    return pa.Table.from_pylist([{**about, **dict.fromkeys(names), **row} for row in rows])


@contextmanager
def bucket(target: Destination, secret: str, _: Callable[[float], None], __: Tell) -> Iterator[Send]:
    """Write one Parquet file, ``<dataset>/scores.parquet``, below an address such as s3://bucket/folder?region=eu-1.

    Access keys are those of the environment, or ``KEY:SECRET`` of the secret. They need ``s3:PutObject`` alone.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import fs

    def send(rows: Sequence[Row], about: Row) -> dict[int, str]:
        out = pa.BufferOutputStream()
        pq.write_table(_arrow(rows, about), out)
        try:
            if target.address.startswith("s3:"):
                system, folder = s3_system(target.address, secret)
                path = part = f"{folder}/{about['dataset']}/scores.parquet"
            else:
                system, folder = fs.FileSystem.from_uri(target.address)
                system.create_dir(f"{folder}/{about['dataset']}")
                path = f"{folder}/{about['dataset']}/scores.parquet"
                part = f"{path}.part"
            # In one call: a stream that is closed after an error would put half a file in the place of the last one.
            with system.open_output_stream(part) as stream:
                stream.write(out.getvalue())
            if part != path:
                system.move(part, path)
        except (OSError, pa.ArrowInvalid) as error:
            match = re.search(r"AWS Error (\w+)", str(error))
            reason = match[1] if match else type(error).__name__
            raise SendError("push_unanswered" if reason in UNANSWERED else "push_refused", reason) from None
        return {}

    yield send
