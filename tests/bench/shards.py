"""What a shard takes, round by round: ``python -m tests.bench.shards``; and what a larger log comes to at that.

The log is that of ``bench-large``, 20 events a customer, as one Parquet file; the model learned from a small one of the
same shape. All shards run one after the other, each round a process of its own. Once the log is one shard, once many.
The plan of a larger log (``assets/docs/scale.md``) is the slowest shard's seconds and memory, and the files' bytes.
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
    """Score the log as one shard and as many, and print what each round took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--model", default="lightgbm")
    parser.add_argument("--folder", type=Path, default=Path("build/shards"))
    options = parser.parse_args()
    folder: Path = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    events, model = prepared(folder, options.rows, options.model)
    words = ["--workspace", str(folder / "workspace")]
    print("| shards | round | processes | slowest, seconds | processor seconds, all | largest, MB | load |")
    print("|---|---|---|---|---|---|---|")
    for shards in options.shards:
        out = folder / f"out{shards}"
        shutil.rmtree(out, ignore_errors=True)
        done: dict[str, list[dict[str, Any]]] = {}
        while not all(took["done"] for took in done.get("last", [{"done": False}])):
            done["last"] = []
            for number in range(1, shards + 1):
                asked = ["score", "--events", str(events), "--shard", f"{number}/{shards}", "--model", model]
                took = command([*asked, "--out", str(out), *words], 2)
                done["last"].append(took)
                done.setdefault(" + ".join(took["written"]), []).append(took)
        del done["last"]
        merged = command(["merge", str(out), "--out", str(out.with_suffix(".parquet")), *words], 2)
        for name, runs in [*done.items(), ("merge", [merged])]:
            slowest, memory = (max(run[field] for run in runs) for field in ("seconds", "memory_mb"))
            processor = sum(run["processor"] for run in runs)
            figures = f"{slowest:.1f} | {processor:.1f} | {memory:.0f} | {runs[-1]['load']:.1f}"
            print(f"| {shards} | {name} | {len(runs)} | {figures} |", flush=True)
        print(f"{merged['customers']:,} customers, {merged['predicted_total']:.6f}", flush=True)


if __name__ == "__main__":
    main()
