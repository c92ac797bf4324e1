"""What reading a log costs beside the engine's own copy of it: ``python -m tests.bench.reading [FILE or FOLDER ...]``.

Without arguments: a Shopify export of 389 rows, CDNOW, sign-ups of 119,000 rows with few payments, and a log of a
million rows; with ``--all``, all shops' exports of the tests and the logs with known totals too. A folder is searched
for CSV files. Each log is read in a process of its own; beside it, there, DuckDB
copies the file to Parquet. Seconds are of the processor, imports aside; scans are tables of the file in the queries.
A log may take 30 times the copy and two seconds.
"""

from __future__ import annotations

import csv
import hashlib
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from unittest.mock import patch

import duckdb
import pandas as pd

from clv_core.collection.answers import Answers
from clv_core.collection.engine import file_text
from clv_core.collection.read.source import Source
from clv_core.collection.rows.log_loader import load_log
from clv_core.errors import ClvError
from clv_core.jobs import NoProgress
from tests.bench.known_logs.test_known_logs import CASES
from tests.bench.large_log import make
from tests.collection.shop_exports import SYSTEMS, orders, shopify
from tests.collection.shop_exports_asian import ASIAN
from tests.collection.shop_exports_chinese import CHINESE
from tests.collection.shop_exports_western import WESTERN

EXPORTS: Final = {**ASIAN, **CHINESE, **WESTERN}
TIMES: Final = 30
SECONDS: Final = 2
MILLION: Final = 1_000_000
SIGN_UPS: Final = 119_000


def main() -> None:
    """Print a row a log; exit with 1 where one takes longer than it may."""
    with tempfile.TemporaryDirectory() as folder:
        given = [Path(word) for word in sys.argv[1:] if word != "--all"]
        found = [file for path in given for file in (sorted(path.rglob("*.csv")) if path.is_dir() else [path])]
        logs = found or [*_made(Path(folder)), *(_tests_logs(Path(folder)) if "--all" in sys.argv else ())]
        print("| log | rows | processor s | DuckDB's copy s | ratio | scans | peak MB | outcome |")
        print("|---|---|---|---|---|---|---|---|")
        slow = [log for log in logs if not _print_row(log)]
    sys.exit(f"{len(slow)} too slow: {', '.join(map(str, slow))}" if slow else 0)


def _made(folder: Path) -> list[Path]:
    shopify(folder / "shopify.csv", orders(240))
    sign_ups(folder / "sign_ups.csv", SIGN_UPS)
    make(folder / "million.csv", MILLION)
    made = [folder / f"{name}.csv" for name in ("shopify", "sign_ups", "million")]
    spec = find_spec("lifetimes")
    if spec is not None and spec.origin:
        master = Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"
        columns = ["customer_id", "date", "quantity", "amount"]
        pd.read_csv(master, sep=r"\s+", names=columns, dtype=str).to_csv(folder / "cdnow.csv", index=False)
        made.insert(1, folder / "cdnow.csv")
    return made


def _tests_logs(folder: Path) -> list[Path]:
    """Write the exports of shops and the logs with known totals of the tests."""
    made, logs = orders(240), []
    for name, write in [*SYSTEMS.items(), *((key, export.write) for key, export in EXPORTS.items())]:
        write(folder / f"{name}.csv", made)
        logs.append(folder / f"{name}.csv")
    for name, case in CASES.items():
        (folder / name).mkdir()
        paths, _, _ = case(folder / name)
        logs += paths
    return logs


def sign_ups(path: Path, rows: int) -> None:
    """Write a log of free sign-ups, days watched and few payments; only payments have amount, pieces and order."""
    draw = random.Random(365)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id", "event_time", "event_type", "amount", "quantity", "order_id"])
        for row in range(rows):
            customer = hashlib.blake2b(str(draw.randrange(rows * 41 // 119)).encode(), digest_size=6).hexdigest()
            day = date(2021, 12, 1) + timedelta(days=draw.randrange(334))
            kind = draw.choices(("view", "signup", "purchase"), (62, 35, 3))[0]
            writer.writerow([customer, day, kind, *((1.0, 1.0, row) if kind == "purchase" else ("", "", ""))])


def _print_row(log: Path) -> bool:
    """Measure a log in a process of its own, print it, and say whether it is quick enough."""
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    process = context.Process(target=lambda: results.put(measure(log)))
    process.start()
    rows, took, copied, scans, peak, outcome = results.get()
    process.join()
    figures = f"{took:.2f} | {copied:.3f} | {took / copied:.1f} | {scans} | {peak:.0f}"
    name = log.name if log.parent.name not in CASES else f"{log.parent.name}/{log.name}"
    print(f"| {name} | {rows:,} | {figures} | {outcome} |", flush=True)
    return took <= TIMES * copied + SECONDS


def measure(log: Path) -> tuple[int, float, float, int, float, str]:
    """Return rows, processor seconds of reading and of the engine's copy, scans, peak memory in MB, and the outcome."""
    scans = 0
    table = Source._table

    def counted(source: Source, record: bool) -> str:
        nonlocal scans
        scans += 1
        return table(source, record)

    with tempfile.TemporaryDirectory() as folder, patch.object(Source, "_table", counted):
        began = time.process_time()
        try:
            reading = load_log(log, Answers(), Path(folder), NoProgress())
            rows, outcome = reading.rows_read, "read"
        except ClvError as error:
            rows, outcome = 0, error.code
        took = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = time.process_time()
        copy = (
            f"COPY (FROM read_csv({file_text(log)}, ignore_errors = true)) TO '{folder}/copy.parquet' (FORMAT parquet)"
        )
        try:
            with duckdb.connect() as connection:
                connection.execute(copy)
        except duckdb.Error:
            outcome += ", no copy"
    return rows, took, time.process_time() - began, scans, peak, outcome


if __name__ == "__main__":
    main()
