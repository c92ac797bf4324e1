"""What reading logs of several shapes costs beside the engine's own copy: ``python -m tests.bench.shapes [SHAPE ...]``.

A plain log of six columns, one of 300 columns, one with German numbers and addresses of two lines, one whose dates are
written in five ways, and one with a column of JSON; 100,000 rows each, the same at every run (``--rows``). Each is
ingested in a process of its own, after a log of a few rows, which loads what every log needs. There DuckDB copies the
same file to Parquet, all of it as text; the quickest of three copies counts. Seconds are of the processor, the engine
in one thread. A shape may take 12 times the copy and two seconds; the plain log is shown beside them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import duckdb

from clv_core.collection.engine import file_text
from clv_core.collection.ingest import ingest
from clv_core.collection.read.source import Source
from clv_core.errors import ClvError
from clv_core.workspace import Workspace

ROWS: Final = 100_000
WARM_ROWS: Final = 200
TIMES: Final = 12
SECONDS: Final = 2
COPIES: Final = 3
COLUMNS: Final = 300

ORDERS: Final = """
create table orders as
select
    i, 'c' || lpad((hash(i, 1) % {customers})::varchar, 6, '0') as customer, 'o' || (100000 + i)::varchar as id,
    timestamp '2022-01-01' + to_minutes(i * 1000000 // {rows}) + to_seconds((hash(i, 2) % 60)::bigint) as moment,
    'p' || (hash(i, 3) % 500)::varchar as product, 1 + (hash(i, 4) % 4)::bigint as pieces,
    199 + (hash(i, 5) % 250000)::bigint as cents
from range({rows}) t(i)
"""
"""Money in whole cents; each row is drawn by hashing its number, so that the same size gives the same file."""
PLAIN: Final = """
select customer as customer_id, strftime(moment, '%Y-%m-%d %H:%M:%S') as order_date, id as order_id,
    product as product_id, pieces as quantity, (cents / 100.0)::decimal(12, 2) as amount
from orders
"""
FURTHER: Final = (
    "['red', 'green', 'blue', 'black', 'white'][1 + (hash(i, {at}) % 5)::bigint]",
    "(hash(i, {at}) % 100000 / 100.0)::decimal(12, 2)",
    "hash(i, {at}) % 2",
    "substr(md5((i * {at})::varchar), 1, 12)",
    "if(hash(i, {at}) % 10 = 0, 'note ' || (hash(i, {at}) % 1000)::varchar, null)",
    "strftime(moment + to_days((hash(i, {at}) % 30)::bigint), '%Y-%m-%d')",
)
"""What stands in the further columns of a wide log, in turn: words, figures, yes or no, codes, remarks, days."""
WIDE: Final = ", ".join(f"{FURTHER[at % len(FURTHER)].format(at=at)} as attribute_{at}" for at in range(7, COLUMNS + 1))
GERMAN: Final = """
select customer as Kundennummer, strftime(moment, '%d.%m.%Y %H:%M') as Bestelldatum, id as Bestellnummer,
    'Haupt Straße ' || (hash(customer) % 200)::varchar || chr(10) || lpad((hash(customer, 1) % 100000)::varchar, 5, '0')
        || ' ' || ['Köln', 'Berlin', 'München'][1 + (hash(customer, 2) % 3)::bigint] as Rechnungsadresse,
    product as Artikelnummer, pieces as Menge,
    translate(format('{:,.2f}', cents / 100.0), ',.', '.,') as Gesamtbetrag
from orders
"""
DATES: Final = """
select customer as customer_id,
    case i % 5 when 0 then strftime(moment, '%Y-%m-%d %H:%M:%S') when 1 then strftime(moment, '%d.%m.%Y %H:%M')
        when 2 then strftime(moment, '%b %d, %Y %I:%M %p') when 3 then strftime(moment, '%d %B %Y %H:%M')
        else strftime(moment, '%Y-%m-%dT%H:%M:%S') || '+02:00' end as order_date,
    id as order_id, product as product_id, pieces as quantity, (cents / 100.0)::decimal(12, 2) as amount
from orders
"""
JSON: Final = """
select customer as customer_id, strftime(moment, '%Y-%m-%d %H:%M:%S') as order_date, id as order_id,
    (cents / 100.0)::decimal(12, 2) as amount,
    json_object('product', product, 'quantity', pieces, 'device', json_object('os', ['ios', 'android', 'web'][1 +
        (hash(i, 6) % 3)::bigint], 'version', hash(i, 7) % 20), 'campaign', if(hash(i, 8) % 4 = 0, 'spring', null),
        'tags', json_array('a', 'b')) as properties
from orders
"""
SHAPES: Final = {
    "plain": (PLAIN, ""),
    "wide": (f"select * exclude (i, moment), {WIDE} from ({PLAIN}) positional join (select i, moment from orders)", ""),
    "german": (GERMAN, ", delimiter ';'"),
    "dates": (DATES, ""),
    "json": (JSON, ""),
}
"""Name of a shape -> its query, and more options of the copy that writes it."""


def main() -> None:
    """Print a row a shape; exit with 1 where one takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shapes", nargs="*", default=list(SHAPES), metavar="SHAPE", help=", ".join(SHAPES))
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args()
    slow = []
    print("| shape | rows | MB | processor s | DuckDB's copy s | ratio | scans | peak MB | outcome |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for shape in options.shapes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            log, few = path / "log.csv", path / "few.csv"
            write(log, shape, options.rows)
            write(few, shape, min(WARM_ROWS, options.rows))
            took, copied, scans, peak, outcome = _measured(log, few, path)
            figures = f"{took:.2f} | {copied:.3f} | {took / copied:.1f} | {scans} | {peak:.0f}"
            print(
                f"| {shape} | {options.rows:,} | {log.stat().st_size / 1e6:.1f} | {figures} | {outcome} |", flush=True
            )
        if shape != "plain" and took > TIMES * copied + SECONDS:
            slow.append(shape)
    sys.exit(f"{len(slow)} too slow: {', '.join(slow)}" if slow else 0)


def write(path: Path, shape: str, rows: int) -> None:
    """Write a log of a shape of :data:`SHAPES` as CSV."""
    query, options = SHAPES[shape]
    with duckdb.connect() as connection:
        connection.execute(ORDERS.format(rows=rows, customers=max(1, rows // 6)))
        connection.execute(f"copy ({query}) to '{path}' (header{options})")


def _measured(log: Path, few: Path, folder: Path) -> tuple[float, float, int, float, str]:
    """Return what :func:`measure` finds in a process of its own."""
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    process = context.Process(target=lambda: results.put(measure(log, few, folder)))
    process.start()
    found: tuple[float, float, int, float, str] = results.get()
    process.join()
    return found


def measure(log: Path, few: Path, folder: Path) -> tuple[float, float, int, float, str]:
    """Return processor seconds of reading and of the engine's copy, scans, peak memory in MB, and the outcome.

    Args:
        log: a file.
        few: another of its shape with few rows, which is read first.
        folder: where what is read is stored.
    """
    scans, table = 0, Source._table

    def counted(source: Source, record: bool) -> str:
        nonlocal scans
        scans += 1
        return table(source, record)

    copies = []
    copy = f"COPY (FROM read_csv({file_text(log)}, all_varchar = true)) TO '{folder}/copy.parquet' (FORMAT parquet)"
    with patch.object(duckdb, "connect", partial(_one_thread, duckdb.connect)):
        _read(Workspace(folder / "first"), few)
        with patch.object(Source, "_table", counted):
            began = time.process_time()
            outcome = _read(Workspace(folder / "second"), log)
            took = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for _ in range(COPIES):
            began = time.process_time()
            with duckdb.connect() as connection:
                connection.execute(copy)
            copies.append(time.process_time() - began)
    return took, min(copies), scans, peak, outcome


def _one_thread(
    connect: Callable[..., duckdb.DuckDBPyConnection], *where: Any, **how: Any
) -> duckdb.DuckDBPyConnection:
    """Return a connection whose queries run in one thread."""
    connection = connect(*where, **how)
    connection.execute("SET threads = 1")
    return connection


def _read(workspace: Workspace, log: Path) -> str:
    """Ingest a log, and return how many customers it has, or why it cannot be read."""
    try:
        return f"{ingest(workspace, log, log.stem).customers:,} customers"
    except ClvError as error:
        return error.code


if __name__ == "__main__":
    main()
