"""A million customers scored, ``make bench-million``: from the stored Parquet to the file of predictions, on two cores.

The log is that of ``bench-large``, 20 events a customer. The model is trained on a fiftieth of one of the same shape:
how long scoring takes does not depend on what its weights are. ``score`` runs as anyone would start it, bound to two
cores; once without anything kept from before, once more with the relations kept. Seconds and memory (the largest
resident size of the one process, mapped files included) are the whole command's, imports and all. The first look by the
pre-trained network comes before it. Writes
``tests/bench/results/million.md``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from clv_core.features.relation_cache import FOLDER as RELATIONS
from tests.bench.large_log import make
from tests.bench.process import command

RESULTS = Path(__file__).resolve().parent / "results" / "million.md"
ROWS = 20_000_000
SAMPLE = 50
CORES = 2
BOUND_SECONDS, BOUND_MB = 120, 4000
LOOK_SECONDS = 60
HORIZON_DAYS = "182"


def prepared(folder: Path, rows: int, workspace: list[str]) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    """Make, read and train on what is not there yet; return the model's id and what each command took."""
    took = []
    for name, size in (("million", rows), ("sample", rows // SAMPLE)):
        if not (folder / "workspace" / "datasets" / name / "current.json").exists():
            make(folder / f"{name}.csv", size)
            took.append(
                (
                    f"`ingest` {size:,} rows",
                    command(["ingest", str(folder / f"{name}.csv"), "--name", name, *workspace], CORES),
                )
            )
            (folder / f"{name}.csv").unlink()
    if not (folder / "model.txt").exists():
        trained = command(["train", "sample", "--horizon-days", HORIZON_DAYS, *workspace], CORES)
        took.append((f"`train` on {rows // SAMPLE:,} rows", trained))
        (folder / "model.txt").write_text(trained["model"], encoding="utf-8")
    return (folder / "model.txt").read_text(encoding="utf-8"), took


def main() -> None:
    """Score ``--repeat`` times without and with relations kept, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--folder", type=Path, default=Path("build/million"))
    parser.add_argument("--repeat", type=int, default=2)
    options = parser.parse_args()
    folder: Path = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    workspace = ["--workspace", str(folder / "workspace")]
    model, took = prepared(folder, options.rows, workspace)
    out = folder / "scores.parquet"
    words = ["score", "million", "--model", model, "--out", str(out), *workspace]
    look = ["look", "million", "--horizon-days", HORIZON_DAYS, *workspace]
    runs = (
        ("`look`, nothing kept", look, True),
        ("`score`, nothing kept", words, True),
        ("`score`, relations kept", words, False),
    )
    for _ in range(options.repeat):
        for name, asked, anew in runs:
            if anew:
                shutil.rmtree(folder / "workspace" / "datasets" / "million" / RELATIONS, ignore_errors=True)
            took.append((name, command(asked, CORES)))
            print(name, json.dumps({key: took[-1][1][key] for key in ("seconds", "processor", "memory_mb", "load")}))
    scores = pq.read_table(out)
    customers = took[-1][1]["customers"]
    if scores.num_rows != customers or not pc.all(pc.is_finite(scores["predicted_clv"])).as_py():
        sys.exit("the file of predictions is not complete")
    text = report(took, options.rows, customers, out.stat().st_size)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


def report(took: list[tuple[str, dict[str, Any]]], rows: int, customers: int, size: int) -> str:
    """Return the results as Markdown."""
    scored = [one for name, one in took if name.startswith("`score`")]
    looked = [one for name, one in took if name.startswith("`look`")]
    held = max(one["seconds"] for one in scored) < BOUND_SECONDS, max(one["memory_mb"] for one in scored) < BOUND_MB
    seen = max((one["seconds"] for one in looked), default=0.0) < LOOK_SECONDS
    lines = [
        "# A million customers scored",
        "",
        f"{rows:,} events of {customers:,} customers, from the dataset's Parquet to a Parquet of predictions "
        f"({size / 1e6:.0f} MB), {CORES} cores, {date.today().isoformat()}. "
        f"Under {BOUND_SECONDS} s in every run: {'yes' if held[0] else 'no'}; under {BOUND_MB:,} MB: "
        f"{'yes' if held[1] else 'no'}; a first look (untrained, values of everyone) under {LOOK_SECONDS} s: "
        f"{'yes' if seen else 'no'}. Load is the machine's average over the last minute at the end of a command: "
        f"above {CORES}, others had their share of the {CORES} cores, and processor seconds say more.",
        "",
        "| command | seconds | processor seconds | peak MB | load |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {one['seconds']:.1f} | {one['processor']:.1f} | {one['memory_mb']:,.0f} | {one['load']:.1f} |"
            for name, one in took
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
