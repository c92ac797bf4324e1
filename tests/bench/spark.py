"""What scoring costs on this machine, by DuckDB and by Spark in local mode: ``python -m tests.bench.spark``.

The log is that of ``bench-large``, 20 events a customer, in two sizes, so that what is paid once a run and what is paid
for each event can be told apart: processor seconds = once + each x million events. Both score with the same model on
the same two cores, imports, JVM and all; processor seconds are summed over the processes of a command, the JVM and its
Python workers among them. Both answers are held together. What the figures come to for a billion events, and at which
price, is worked out in ``assets/docs/scale.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clv_core.collection.store.version_store import open_dataset
from clv_core.features.relation_cache import FOLDER as RELATIONS
from clv_core.features.spark import why_not
from clv_core.workspace import Workspace
from tests.bench.large_log import make
from tests.bench.process import command

CORES = 2
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Took:
    """What a command took; seconds of the clock and of processors, and the machine's load at its end."""

    said: dict[str, Any]
    seconds: float
    processor: float
    load: float


def measured(words: list[str]) -> Took:
    """Run a command in a session of its own and sum the processor time of all its processes."""
    allowed, started = sorted(os.sched_getaffinity(0))[:CORES], time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "clv_core", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),  # noqa: PLW1509 - no thread runs here
    )
    used: dict[int, int] = {}
    while process.poll() is None:
        used.update(_ticks(process.pid))
        time.sleep(0.2)
    assert process.stdout is not None
    output = process.stdout.read()
    if process.returncode:
        sys.exit(f"{words[0]} ended with exit code {process.returncode}: {output}")
    seconds = time.monotonic() - started
    return Took(json.loads(output.splitlines()[-1]), seconds, sum(used.values()) / TICK, os.getloadavg()[0])


def _ticks(session: int) -> dict[int, int]:
    """Return the processor time so far of each process of a session, in ticks."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == session:
            found[int(path.parent.name)] = int(fields[11]) + int(fields[12])
    return found


def prepared(folder: Path, sizes: list[int], kind: str) -> tuple[Workspace, str]:
    """Make and read the logs that are not there yet, train on the smallest, and return the model's id."""
    workspace = Workspace(folder / "workspace")
    words = ["--workspace", str(workspace.root)]
    for rows in sizes:
        if not (workspace.datasets / f"log{rows}" / "current.json").exists():
            make(folder / "log.csv", rows)
            command(["ingest", str(folder / "log.csv"), "--name", f"log{rows}", *words])
            (folder / "log.csv").unlink()
    chosen = folder / f"{kind}.txt"
    if not chosen.exists():
        trained = command(["train", f"log{sizes[0]}", "--horizon-days", "182", "--model", kind, *words])
        chosen.write_text(trained["model"], encoding="utf-8")
    return workspace, chosen.read_text(encoding="utf-8")


def main() -> None:
    """Score each size by both and print what it took."""
    if (missing := why_not()) is not None:
        sys.exit(f"Spark cannot run here: {missing}")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs=2, default=[1_000_000, 4_000_000])
    parser.add_argument("--model", default="hybrid")
    parser.add_argument("--folder", type=Path, default=Path("build/spark"))
    options = parser.parse_args()
    folder: Path = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    workspace, model = prepared(folder, options.rows, options.model)
    found: dict[str, list[Took]] = {"DuckDB": [], "Spark": []}
    print("| engine | events | customers | seconds | processor seconds | load |\n|---|---|---|---|---|---|")
    for rows in options.rows:
        dataset, here, there = open_dataset(workspace, f"log{rows}"), folder / "here.parquet", folder / "there"
        shutil.rmtree(dataset.folder.parent / RELATIONS, ignore_errors=True)
        shutil.rmtree(there, ignore_errors=True)
        words = ["--model", model, "--workspace", str(workspace.root), "--out"]
        found["DuckDB"].append(measured(["score", dataset.name, *words, str(here)]))
        folder_words = ["--events", str(dataset.folder), "--master", f"local[{CORES}]", *words, str(there)]
        found["Spark"].append(measured(["score", *folder_words]))
        for engine, took in found.items():
            last = took[-1]
            figures = f"{last.seconds:.0f} | {last.processor:.0f} | {last.load:.1f}"
            print(f"| {engine} | {rows:,} | {last.said['customers']:,} | {figures} |", flush=True)
        print(f"largest difference of predicted_clv, relative: {difference(here, there):.1e}", flush=True)
    for engine, (small, large) in found.items():
        each = (large.processor - small.processor) / (options.rows[1] - options.rows[0]) * 1e6
        once = small.processor - each * options.rows[0] / 1e6
        print(f"{engine}: {once:.0f} processor seconds a run and {each:.1f} a million events")


def difference(here: Path, there: Path) -> float:
    """Return the largest relative difference of two files of scores."""
    ours, theirs = (
        pd.read_parquet(path).set_index("customer_id")["predicted_clv"].sort_index() for path in (here, there)
    )
    if not ours.index.equals(theirs.index):
        sys.exit("not the same customers")
    return float(np.max(np.abs(ours - theirs) / np.maximum(1, np.abs(ours))))


if __name__ == "__main__":
    main()
