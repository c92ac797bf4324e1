"""What Spark costs and survives on this machine: ``python -m tests.bench.spark``; LightGBM, the log of ``bench-large``.

``cost``    processor seconds of ``score`` by DuckDB and by Spark (``local[2]``), by turns, at two sizes: what is paid
            once a run, and what for each million events; of all processes of a command, JVM and imports included.
``kill``    on a standalone cluster of four workers of one core: one of them is killed while shards are counted, or
            while they are scored; the answer is held against that of ``score``.
``driver``  the largest memory of the driver's two processes, Python and JVM, on that cluster: five events a customer.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from clv_core.deployment.spark.spark_session import why_not
from tests.bench.large_log import COLUMNS, LOG, ROWS_PER_CUSTOMER, ROWS_PER_VISIT, make
from tests.bench.process import command

CORES = 2
WORKERS = 4
SAMPLE_ROWS = 20_000
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Took:
    """What a command said and took; processor seconds, and the largest memory of a process of each name, MB."""

    said: dict[str, Any]
    seconds: float
    processor: float
    memory_mb: dict[str, float]
    load: float


def measured(words: list[str], watch: Callable[[], None] = lambda: None, **environment: str) -> Took:
    """Run a command in a session of its own; ``watch`` is called again and again meanwhile."""
    allowed, started = sorted(os.sched_getaffinity(0))[:CORES], time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "clv_core", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),  # noqa: PLW1509 - no thread runs here
    )
    ticks: dict[int, int] = {}
    memory: dict[str, float] = {}
    while process.poll() is None:
        for number, (name, used, largest) in _processes(process.pid).items():
            ticks[number] = used
            memory[name] = max(memory.get(name, 0.0), largest)
        watch()
        time.sleep(0.2)
    assert process.stdout is not None
    output = process.stdout.read()
    if process.returncode:
        sys.exit(f"{words[0]} ended with exit code {process.returncode}: {output}")
    seconds, processor = time.monotonic() - started, sum(ticks.values()) / TICK
    return Took(json.loads(output.splitlines()[-1]), seconds, processor, memory, os.getloadavg()[0])


def _processes(session: int) -> dict[int, tuple[str, int, float]]:
    """Return name, processor time so far (ticks) and largest memory (MB) of each process of a session."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
            fields, status = rest.split(), (path.parent / "status").read_text()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == session and "VmHWM:" in status:
            largest = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
            found[int(path.parent.name)] = name, int(fields[11]) + int(fields[12]), largest
    return found


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Yield the address of a standalone cluster on this machine and its workers; all end with the block."""
    import pyspark

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    home, master = Path(pyspark.__file__).parent, f"spark://127.0.0.1:{port}"
    common = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
    common["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)

    def start(kind: str, place: Path, *words: str) -> subprocess.Popen[bytes]:
        place.mkdir(parents=True)
        line = ["bash", str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1"]
        own = {**os.environ, **common, "SPARK_LOCAL_DIRS": str(place / "local")}
        with (place / "log.txt").open("wb") as log:
            return subprocess.Popen([*line, *words], env=own, stdout=log, stderr=log, start_new_session=True)

    shutil.rmtree(folder, ignore_errors=True)
    begun = [start("master.Master", folder / "master", "--port", port, "--webui-port", "0")]
    try:
        time.sleep(5)
        for number in range(WORKERS):
            place = folder / f"worker{number}"
            words = ["--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir", str(place / "work"), master]
            begun.append(start("worker.Worker", place, *words))
        time.sleep(10)
        yield master, begun[1:]
    finally:
        for process in begun:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of the cluster and all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def log_of(folder: Path, rows: int, customers: int) -> Path:
    """Return a Parquet file of a log, made unless it is there."""
    events = folder / f"{rows}-{customers}.parquet"
    if not events.exists():
        with duckdb.connect(str(folder / "log.duckdb")) as connection:
            connection.execute(LOG.format(rows=rows, customers=customers, visits=-(-rows // ROWS_PER_VISIT)))
            connection.execute(
                f"copy (select {COLUMNS} from log) to '{events}' (format parquet, row_group_size 250000)"
            )
        (folder / "log.duckdb").unlink()
    return events


def prepared(folder: Path, kind: str) -> str:
    """Return the id of the model, trained unless it is there."""
    chosen, words = folder / f"{kind}.txt", ["--workspace", str(folder / "workspace")]
    if not chosen.exists():
        make(folder / "sample.csv", SAMPLE_ROWS)
        command(["ingest", str(folder / "sample.csv"), "--name", "sample", *words])
        chosen.write_text(command(["train", "sample", "--horizon-days", "182", "--model", kind, *words])["model"])
    return chosen.read_text(encoding="utf-8")


class Bench:
    """Runs of ``score``; each prints its row.

    Args:
        folder: of logs, model and scores.
        kind: of the model.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.workspace = folder, folder / "workspace"
        self.words = ["--model", prepared(folder, kind), "--workspace", str(self.workspace), "--out"]

    def here(self, rows: int) -> Took:
        """Score a log as a dataset, by DuckDB; its relations are made anew."""
        name, events = f"log{rows}", log_of(self.folder, rows, rows // ROWS_PER_CUSTOMER)
        if not (self.workspace / "datasets" / name / "current.json").exists():
            command(["ingest", str(events), "--name", name, "--workspace", str(self.workspace)])
        shutil.rmtree(self.workspace / "datasets" / name / ".relations", ignore_errors=True)
        return self._row("DuckDB", rows, measured(["score", name, *self.words, str(self.folder / "here.parquet")]))

    def there(self, rows: int, customers: int, master: str, watch: Callable[[], None] = lambda: None) -> Took:
        """Score a log as a folder, by Spark."""
        shutil.rmtree(self.folder / "there", ignore_errors=True)
        asked = ["score", "--events", str(log_of(self.folder, rows, customers)), "--master", master]
        took = measured([*asked, *self.words, str(self.folder / "there")], watch, SPARK_LOCAL_IP="127.0.0.1")
        return self._row(f"Spark {master.partition(':')[0]}", rows, took)

    def _row(self, engine: str, rows: int, took: Took) -> Took:
        memory = ", ".join(f"{name} {largest:.0f}" for name, largest in sorted(took.memory_mb.items()))
        figures = f"{took.seconds:.0f} | {took.processor:.1f} | {memory} | {took.load:.1f}"
        print(f"| {engine} | {rows:,} | {took.said['customers']:,} | {figures} |", flush=True)
        return took

    def cost(self, sizes: list[int], turns: int) -> None:
        """Score two sizes by both and print what each million events takes."""
        found: dict[tuple[str, int], list[float]] = {}
        for _ in range(turns):
            for rows in sizes:
                found.setdefault(("DuckDB", rows), []).append(self.here(rows).processor)
                spark = self.there(rows, rows // ROWS_PER_CUSTOMER, f"local[{CORES}]")
                found.setdefault(("Spark", rows), []).append(spark.processor)
                print(self.difference(), flush=True)
        for engine in ("DuckDB", "Spark"):
            small, large = (float(np.median(found[engine, rows])) for rows in sizes)
            each = (large - small) / (sizes[1] - sizes[0]) * 1e6
            once = small - each * sizes[0] / 1e6
            print(f"{engine}: {once:.1f} processor seconds a run and {each:.1f} a million events")

    def kill(self, rows: int) -> None:
        """Kill a worker in the middle, at two moments, and hold the answer against that of one machine."""
        self.here(rows)
        signs = {
            "counting": lambda place: any((place / "worker1" / "local").rglob("clv-*/*/events.parquet")),
            "scoring": lambda place: any(self.folder.glob(".there.*.tmp/**/part-*")),
        }
        for moment, is_there in signs.items():
            with cluster(self.folder / "cluster") as (master, workers):
                killed: list[float] = []

                def watch() -> None:
                    if not killed and is_there(self.folder / "cluster"):  # noqa: B023 - called in this turn alone
                        kill(workers[1])  # noqa: B023
                        killed.append(time.monotonic())  # noqa: B023

                self.there(rows, rows // ROWS_PER_CUSTOMER, master, watch)
                alive = sum(worker.poll() is None for worker in workers)
            assert killed and alive == WORKERS - 1, "nothing was killed"
            print(f"killed while {moment}: {self.difference()}", flush=True)

    def driver(self, customers: list[int]) -> None:
        """Score logs of five events a customer on the cluster; the driver's memory is in the rows."""
        for count in customers:
            with cluster(self.folder / "cluster") as (master, _):
                self.there(5 * count, count, master)

    def difference(self) -> str:
        """Say by how much the two files of scores differ at most, relative to each value or 1."""
        ours, theirs = (
            pd.read_parquet(self.folder / name).sort_values("customer_id", ignore_index=True)
            for name in ("here.parquet", "there")
        )
        if not ours["customer_id"].equals(theirs["customer_id"]):
            sys.exit("not the same customers")
        figures = ours.select_dtypes("float").columns
        largest = (ours[figures] - theirs[figures]).abs() / ours[figures].abs().clip(lower=1)
        return f"largest difference {largest.max().max():.1e}"


def main() -> None:
    """Run what is named."""
    if (missing := why_not()) is not None:
        sys.exit(f"Spark cannot run here: {missing}")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["cost", "kill", "driver"])
    parser.add_argument("--rows", type=int, nargs=2, default=[1_000_000, 4_000_000])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--customers", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--model", default="lightgbm")
    parser.add_argument("--folder", type=Path, default=Path("build/spark"))
    options = parser.parse_args()
    folder: Path = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(folder, options.model)
    print("| engine | events | customers | seconds | processor seconds | largest MB by process | load |")
    print("|---|---|---|---|---|---|---|")
    if "cost" in options.what:
        bench.cost(options.rows, options.turns)
    if "kill" in options.what:
        bench.kill(options.rows[0])
    if "driver" in options.what:
        bench.driver(options.customers)


if __name__ == "__main__":
    main()
