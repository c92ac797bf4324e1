"""What shards take, held against the estimate that is made before they start: ``python -m tests.bench.shards``.

The log is that of ``bench-large``, 20 events a customer, as one Parquet file; the model learned from a small one of the
same shape. All shards run one after the other, each round a process of its own. What they took is what they recorded
and, to check that, what the system says of every process, also of those that had nothing to do. The constants of
``clv_core/deployment/shards/shard_cost.py`` and the figures of ``assets/docs/scale.md`` are from here.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import duckdb

from tests.bench.large_log import COLUMNS, LOG, ROWS_PER_CUSTOMER, ROWS_PER_VISIT, make
from tests.bench.process import command

SAMPLE_ROWS = 20_000


def prepared(folder: Path, rows: int, kind: str) -> tuple[Path, str]:
    """Make the log and train the model that are not there yet; return the log's file and the model's id."""
    events, chosen = folder / f"{rows}.parquet", folder / f"{kind}.txt"
    words = ["--workspace", str(folder / "workspace")]
    if not chosen.exists():
        make(folder / "sample.csv", SAMPLE_ROWS)
        command(["ingest", str(folder / "sample.csv"), "--name", "sample", *words])
        chosen.write_text(command(["train", "sample", "--horizon-days", "182", "--model", kind, *words])["model"])
    if not events.exists():
        with duckdb.connect(str(folder / "log.duckdb")) as connection:
            sizes = {"customers": rows // ROWS_PER_CUSTOMER, "visits": -(-rows // ROWS_PER_VISIT)}
            connection.execute(LOG.format(rows=rows, **sizes))
            connection.execute(f"copy (select {COLUMNS} from log) to '{events}' (format parquet)")
        (folder / "log.duckdb").unlink()
    return events, chosen.read_text()


def main() -> None:
    """Score logs in shards, and print for each what was estimated and what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[4_000_000, 8_000_000])
    parser.add_argument("--shards", type=int, help="how many; as many as the estimate says where it is not given")
    parser.add_argument("--model", default="blend")
    parser.add_argument("--folder", type=Path, default=Path("build/shards"))
    options = parser.parse_args()
    folder: Path = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    print("| customers | shards | by round | core seconds | slowest, seconds | largest, MB | disk, MB | load |")
    print("|---|---|---|---|---|---|---|---|")
    for rows in options.rows:
        events, model = prepared(folder, rows, options.model)
        words = ["--model", model, "--workspace", str(folder / "workspace")]
        estimate = command(["score", "--events", str(events), "--estimate", *words], 2)
        shards = options.shards or estimate["shards"]
        out = folder / f"out{rows}"
        shutil.rmtree(out, ignore_errors=True)
        runs: list[dict[str, Any]] = []
        while not runs or not all(run["done"] for run in runs[-shards:]):
            for number in range(1, shards + 1):
                asked = ["score", "--events", str(events), "--shard", f"{number}/{shards}", "--out", str(out)]
                runs.append(command([*asked, *words], 2))
        merged = command(["merge", str(out), "--out", str(out.with_suffix(".parquet")), *words[2:]], 2)
        begins, load = f"| {merged['customers']:,} | {shards}", f"{merged['load']:.1f} |"
        cost = merged["cost"]
        for name, took in [*cost["rounds"].items(), ("all, recorded", cost["taken"])]:
            figures = f"{took['core_seconds']:.1f} | {took['slowest_seconds']:.1f} | {took['memory_mb']:,.0f}"
            print(f"{begins} | {name} | {figures} | {took['disk_mb']:,.0f} | {load}", flush=True)
        seconds = sum(run["processor"] for run in [*runs, merged])
        largest = max(run["memory_mb"] for run in [*runs, merged])
        print(f"{begins} | all {len(runs) + 1} processes | {seconds:.1f} | | {largest:,.0f} | | {load}", flush=True)
        foreseen = cost["estimated"]
        figures = f"{foreseen['core_seconds']:.1f} | | {foreseen['memory_mb']:,.0f} | {foreseen['disk_mb']:,.0f}"
        print(f"{begins} | estimated in {estimate['processor']:.1f} s | {figures} | |", flush=True)


if __name__ == "__main__":
    main()
