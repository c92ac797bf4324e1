"""A log of 20 million rows: ``make bench-large``. Reading it, and its snapshot, as ratios to plain DuckDB in one run.

Every stage is a process of its own; seconds are of its work without start-up, memory is its largest resident size.
Writes ``tests/bench/results/large.md``. ``ROWS=2000000`` is a tenth of it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from clv_core.collection.ingest import ingest
from clv_core.collection.inspect import inspect_file
from clv_core.collection.store.version_store import open_dataset
from clv_core.features.log import open_log
from clv_core.features.relation_cache import FOLDER as RELATIONS
from clv_core.training.pool import peak_memory_mb
from clv_core.workspace import Workspace
from tests.bench.large_log import make

RESULTS = Path(__file__).resolve().parent / "results" / "large.md"
HORIZON_DAYS = 182
CANCEL_AFTER_SECONDS = 0.5
BTYD_FOUR = """
select customer_id, count(*) - 1 as frequency, max(day) - min(day) as recency, date '{cutoff}' - min(day) as T,
    (sum(net) - arg_min(net, day)) / nullif(count(*) - 1, 0) as monetary_value
from (
    select customer_id, event_time::date as day, sum(amount) as net from '{events}'
    where event_type in ('purchase', 'return') and event_time < date '{cutoff}' group by all having sum(amount) > 0
) group by customer_id
"""
"""Net first: purchases and same-day returns together, then the four figures by customer."""


SUMS = "sum(amount::decimal(18, 6)), sum(quantity::decimal(18, 6)), sum(discount::decimal(18, 6))"
FLOOR = (
    "select customer_id, event_time::date as day, event_type, min(event_time) as first, count(*), " + SUMS + ","
    " sum(rating::decimal(18, 6)), count(rating), min(category) from '{events}' group by all"
    " order by customer_id, day, first",
    f"select customer_id, event_time::date, order_id, count(*), {SUMS} from '{{events}}'"
    " where event_type = 'purchase' group by all",
    "select customer_id, category, event_time::date, count(*) filter (event_type = 'purchase'), count(*)"
    " from '{events}' group by all",
)
"""What sequences and features cannot do without: the ordered steps, the baskets, the categories of each day."""


def main() -> None:
    """Run all stages, or one of them where a stage is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build/large"))
    parser.add_argument("--repeat", type=int, default=2, help="times that both sides of a ratio run; the best counts")
    parser.add_argument("--stage", choices=sorted(STAGES))
    options = parser.parse_args()
    folder = options.folder.absolute()
    if options.stage:
        started = time.monotonic()
        found = STAGES[options.stage](folder)
        found.setdefault("seconds", time.monotonic() - started)
        print(json.dumps({**found, "memory_mb": peak_memory_mb()}))
        return
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"log-{options.rows}.csv"
    truth_file = folder / f"truth-{options.rows}.json"
    if not truth_file.exists():
        truth_file.write_text(json.dumps(asdict(make(log, options.rows))), encoding="utf-8")
    (folder / "log.csv").unlink(missing_ok=True)
    (folder / "log.csv").symlink_to(log)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in STAGES}
    for _ in range(options.repeat):
        for name in STAGES:
            runs[name].append(run(name, folder))
            print(f"{name}: {json.dumps(runs[name][-1])}", flush=True)
    best = {name: min(found, key=lambda one: float(one["seconds"])) for name, found in runs.items()}
    text = report(best, json.loads(truth_file.read_text(encoding="utf-8")), log.stat().st_size, options.repeat)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


def run(stage: str, folder: Path) -> dict[str, Any]:
    """Run a stage in a process of its own and return what it said."""
    command = [sys.executable, "-m", "tests.bench.large", "--stage", stage, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def copy(folder: Path) -> dict[str, Any]:
    """DuckDB alone: the file as text to Parquet."""
    with duckdb.connect() as connection:
        source, target = folder / "log.csv", folder / "copy.parquet"
        connection.execute(f"COPY (SELECT * FROM read_csv('{source}', all_varchar=true)) TO '{target}'")
    return {}


def read(folder: Path) -> dict[str, Any]:
    """The same file through ``ingest``."""
    shutil.rmtree(folder / "workspace", ignore_errors=True)
    manifest = ingest(Workspace(folder / "workspace"), folder / "log.csv", "large")
    names = ("rows_read", "rows_kept", "customers", "purchases", "net_revenue")
    return {name: getattr(manifest, name) for name in names}


def look(folder: Path) -> dict[str, Any]:
    """The first verdict that the upload page shows."""
    return {"columns": len(inspect_file(folder / "log.csv").columns)}


def cancel(folder: Path) -> dict[str, Any]:
    """Stop an ingest in the middle: how long it takes to go, and what it leaves."""
    workspace = folder / "cancelled"
    shutil.rmtree(workspace, ignore_errors=True)
    words = ["ingest", str(folder / "log.csv"), "--name", "large", "--workspace", str(workspace)]
    child = subprocess.Popen([sys.executable, "-m", "clv_core", *words], stdout=subprocess.DEVNULL)
    while child.poll() is None and not list(workspace.glob("datasets/.reading-*")):
        time.sleep(0.01)
    time.sleep(CANCEL_AFTER_SECONDS)
    running = child.poll() is None
    asked = time.monotonic()
    child.send_signal(signal.SIGTERM)
    child.wait()
    left = [path.name for path in (workspace / "datasets").iterdir()] if (workspace / "datasets").exists() else []
    return {"seconds": time.monotonic() - asked, "was_running": running, "left": left}


def four(folder: Path) -> dict[str, Any]:
    """DuckDB alone: the BTYD four of every customer on the stored Parquet."""
    dataset = open_dataset(Workspace(folder / "workspace"), "large")
    cutoff = dataset.log_end - timedelta(days=HORIZON_DAYS)
    started = time.monotonic()
    with duckdb.connect() as connection:
        query = BTYD_FOUR.format(events=dataset.events_path, cutoff=cutoff)
        connection.execute(f"CREATE TABLE four AS {query}")
    return {"seconds": time.monotonic() - started}


def floor(folder: Path) -> dict[str, Any]:
    """DuckDB alone: three of the relations that sequences and features stand on, and no feature yet."""
    events = open_dataset(Workspace(folder / "workspace"), "large").events_path
    started = time.monotonic()
    for number, query in enumerate(FLOOR):
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE floor_{number} AS {query.format(events=events)}")
    return {"seconds": time.monotonic() - started}


def snapshot(folder: Path) -> dict[str, Any]:
    """Open the log cold, read the sequences, and make the snapshot with all features and the target."""
    workspace = Workspace(folder / "workspace")
    shutil.rmtree(workspace.datasets / "large" / RELATIONS, ignore_errors=True)
    return _snapshot(workspace)


def again(folder: Path) -> dict[str, Any]:
    """The same once more, the relations being kept from before."""
    return _snapshot(Workspace(folder / "workspace"))


def _snapshot(workspace: Workspace) -> dict[str, Any]:
    dataset = open_dataset(workspace, "large")
    started = time.monotonic()
    log = open_log(dataset)
    opened = time.monotonic()
    steps = len(log.steps.day)
    stepped = time.monotonic()
    made = log.snapshot(dataset.log_end - timedelta(days=HORIZON_DAYS), HORIZON_DAYS)
    ended = time.monotonic()
    log.close()
    parts = {"open": opened - started, "steps": stepped - opened, "features": ended - stepped}
    return {"seconds": ended - started, **parts, "customers": len(made), "step_rows": steps}


STAGES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "copy": copy,
    "read": read,
    "look": look,
    "cancel": cancel,
    "four": four,
    "floor": floor,
    "snapshot": snapshot,
    "again": again,
}


def report(best: dict[str, dict[str, Any]], truth: dict[str, int], size: int, repeat: int) -> str:
    """Return the results as Markdown."""
    read_, made = best["read"], best["snapshot"]
    exact = read_["rows_kept"] == truth["rows"] and read_["customers"] == truth["customers"]
    exact = exact and read_["purchases"] == truth["purchases"] and round(read_["net_revenue"] * 100) == truth["cents"]
    rows = [
        ("DuckDB's COPY of the file as text", best["copy"], ""),
        ("`ingest`", read_, f"{read_['seconds'] / best['copy']['seconds']:.2f} times the COPY (bound 2.5), bound 2 GB"),
        ("first verdict", best["look"], "bound 3 s"),
        ("cancel in the middle", best["cancel"], f"left behind: {best['cancel']['left'] or 'nothing'}"),
        ("DuckDB's group-by of the BTYD four", best["four"], ""),
        (
            "DuckDB's ordered steps, baskets and categories by day alone",
            best["floor"],
            f"{best['floor']['seconds'] / best['four']['seconds']:.1f} times the group-by: the floor of the next line",
        ),
        (
            "log, sequences and snapshot, cold",
            made,
            f"{made['seconds'] / best['four']['seconds']:.1f} times the group-by (bound 12), bound 4 GB; "
            f"open {made['open']:.1f} s, steps {made['steps']:.1f} s, features {made['features']:.1f} s",
        ),
        ("the same, relations kept", best["again"], f"{best['again']['seconds'] / best['four']['seconds']:.1f} times"),
    ]
    lines = [
        "# A large log",
        "",
        f"{truth['rows']:,} rows, {truth['customers']:,} customers, {size / 1e9:.2f} GB as CSV; best of {repeat} runs. "
        f"Totals of the dataset equal those that the log was made with, to the cent: {'yes' if exact else 'NO'}.",
        "",
        "| stage | seconds | peak MB | |",
        "|---|---|---|---|",
        *(f"| {name} | {one['seconds']:.1f} | {one['memory_mb']:,.0f} | {note} |" for name, one, note in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
