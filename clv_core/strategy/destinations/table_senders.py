"""Scores written where they are analysed: a table of PostgreSQL, a file in a bucket. Both are replaced as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import urlencode, urlsplit

from clv_core.collection.sources.files import s3_system
from clv_core.collection.sources.source import LOCAL_HOSTS
from clv_core.errors import UsageError
from clv_core.strategy.destinations.destination import Destination, Row, Send, SendError

UNANSWERED: Final = ("NETWORK_CONNECTION", "REQUEST_TIMEOUT", "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE", "SLOW_DOWN")
"""Errors of S3 that pass."""


@contextmanager
def postgresql(target: Destination, secret: str, _: Callable[[float], None]) -> Iterator[Send]:
    """Replace the dataset's rows of a table in one transaction; the table is made where it is not there."""
    try:
        from adbc_driver_postgresql import dbapi
    except ModuleNotFoundError as error:
        raise UsageError("extra_missing", extra="postgresql") from error
    import pyarrow as pa

    def send(rows: Sequence[Row], about: Row) -> dict[int, str]:
        data = pa.Table.from_pylist([{**about, **row} for row in rows])
        options = {"connect_timeout": "10", **({"password": secret} if secret else {})}
        if urlsplit(target.address).hostname not in LOCAL_HOSTS and "sslmode=" not in target.address:
            options["sslmode"] = "require"
        address = f"{target.address}{'&' if '?' in target.address else '?'}{urlencode(options)}"
        try:
            with closing(dbapi.connect(address)) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SELECT to_regclass($1)::text", (target.table,))
                if cursor.fetchone()[0] is not None:
                    cursor.execute(f"DELETE FROM {target.table} WHERE dataset = $1", (about["dataset"],))
                cursor.adbc_ingest(target.table, data, mode="create_append")
                connection.commit()
        except dbapi.Error as error:  # its text and trace may hold the address with the password
            raise SendError("push_refused", error.sqlstate or type(error).__name__) from None
        return {}

    yield send


@contextmanager
def bucket(target: Destination, secret: str, _: Callable[[float], None]) -> Iterator[Send]:
    """Write one Parquet file, ``<dataset>/scores.parquet``, below an address such as s3://bucket/folder?region=eu-1.

    Access keys are those of the environment, or ``KEY:SECRET`` of the secret. They need ``s3:PutObject`` alone.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import fs

    def send(rows: Sequence[Row], about: Row) -> dict[int, str]:
        out = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist([{**about, **row} for row in rows]), out)
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
            found = re.search(r"AWS Error (\w+)", str(error))
            reason = found[1] if found else type(error).__name__
            raise SendError("push_unanswered" if reason in UNANSWERED else "push_refused", reason) from None
        return {}

    yield send
