"""Rows pulled from PostgreSQL: seconds against the database's own COPY TO, and peak memory; then what a night costs.

    python -m tests.bench.sources --rows 2000000

A night looks back 7 days, and 1% of its orders are older: the query for their older lines is measured beside the whole
run, as is the count of the source's days.

Starts a server of its own from Debian's package ``postgresql`` under the account ``postgres``; needs root.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clv_core.collection.sources import Source, SourceState, add_source
from clv_core.collection.sources.pull import pull
from clv_core.jobs import NoProgress
from clv_core.preprocessing.refresh import refresh
from clv_core.workspace import Workspace

PORT = 54_329
ADDRESS = f"postgresql://postgres@127.0.0.1:{PORT}/postgres"
TABLE = """CREATE UNLOGGED TABLE orders AS SELECT 'c' || (i::bigint * 7919 % ({rows} / 20)) AS customer_id,
    timestamp '2022-01-01' + i * interval '{seconds} seconds' AS event_time, 'o' || i AS order_id,
    round((5 + i % 20000 / 100.0)::numeric, 2) AS amount, CASE i % 3 WHEN 0 THEN 'web' WHEN 1 THEN 'app' END AS channel
    FROM generate_series(1, {rows}) i"""


@contextmanager
def server(folder: Path) -> Iterator[None]:
    """Run a server whose files lie in ``folder``."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    shutil.chown(folder, "postgres")
    make = [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust"]
    subprocess.run(make, check=True, capture_output=True, user="postgres", cwd="/")
    run = [binaries / "postgres", "-D", folder / "data", "-p", str(PORT), "-k", folder, "-c", "fsync=off"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(run, stdout=quiet, stderr=quiet, user="postgres", cwd="/")
    while subprocess.run([binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(PORT)], stdout=quiet).returncode:
        time.sleep(0.2)
    yield
    process.terminate()
    process.wait(60)


def sql(*commands: str) -> float:
    """Run SQL and return the seconds that it took."""
    started = time.perf_counter()
    words = [word for command in commands for word in ("-c", command)]
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", ADDRESS, *words], check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--pull", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pull:
        source = Source("orders", "postgresql", ADDRESS, "orders", "orders", time_column="event_time")
        started = time.perf_counter()
        pulled = pull(source, Path(options.pull), SourceState(), NoProgress())
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu, memory = used.ru_utime + used.ru_stime, used.ru_maxrss // 1024
        size = pulled.paths[0].stat().st_size >> 20
        seconds = time.perf_counter() - started
        print(f"pull {pulled.rows:,} rows: {seconds:.1f} s ({cpu:.1f} of processor), {memory} MB, {size} MB of Parquet")
        return
    with TemporaryDirectory() as folder, server(Path(folder)):
        sql(TABLE.format(rows=options.rows, seconds=100_000_000 // options.rows))
        copy = sql(f"\\copy orders to '{folder}/orders.csv' csv")
        print(f"COPY TO a file as CSV: {copy:.1f} s", flush=True)
        target = Path(folder, "pulled")
        target.mkdir()
        again = [sys.executable, "-m", "tests.bench.sources", "--pull", str(target)]
        subprocess.run(again, check=True, env=dict(os.environ))
        night(Path(folder), options.rows)


def night(folder: Path, rows: int) -> None:
    """Print what a night's run costs, and the queries beside the one of new rows, as shares of it."""
    sql("ALTER TABLE orders ADD COLUMN line text DEFAULT 'a'", "CREATE INDEX ON orders (order_id)")
    sql("CREATE INDEX ON orders (event_time)", "ANALYZE orders")
    workspace = Workspace(folder / "workspace")
    source = Source("orders", "postgresql", ADDRESS, "orders", "orders", time_column="event_time", look_back_days=7)
    add_source(workspace, source)
    refresh(workspace, "orders")
    last = "(SELECT max(event_time) FROM orders)"
    share = f"SELECT order_id FROM orders WHERE event_time >= {last} - interval '7 days' ORDER BY random()"
    few = f"SELECT count(*) / 100 FROM orders WHERE event_time >= {last} - interval '7 days'"
    sql(
        "INSERT INTO orders SELECT customer_id, event_time - interval '200 days', order_id, 1.5, channel, 'b'"
        f" FROM orders WHERE order_id IN ({share} LIMIT ({few}))"
    )
    seconds = dict.fromkeys(("_pull_older", "_count_days"), 0.0)

    def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*args, **options)
            finally:
                seconds[name] += time.perf_counter() - started

        return run

    module: Any = importlib.import_module("clv_core.collection.sources.pull")
    for name in seconds:
        setattr(module, name, timed(name, getattr(module, name)))
    started = time.perf_counter()
    done = refresh(workspace, "orders")
    whole = time.perf_counter() - started
    first = whole - sum(seconds.values())
    print(f"night: {done.rows:,} rows, {done.new_rows:,} new, {whole:.1f} s, {first:.1f} s without the queries below")
    for name, value in seconds.items():
        print(f"{name}: {value:.2f} s, {value / first:.3f} of a night's load without it")


if __name__ == "__main__":
    main()
