"""Rows pulled from PostgreSQL: seconds against the database's own COPY TO, and peak memory.

    python -m tests.bench.sources --rows 2000000

Starts a server of its own from Debian's package ``postgresql`` under the account ``postgres``; needs root.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from clv_core.collection.sources import Source, SourceState, pull
from clv_core.jobs import NoProgress

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


if __name__ == "__main__":
    main()
