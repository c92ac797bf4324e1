"""Seconds and memory of each stage on a simulated log, each stage a process of its own: ``make bench``.

Prints one line a stage: wall seconds, peak memory, and events a second.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.bench.process import command


def main() -> None:
    """Time simulate, ingest, train and score on one log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--horizon-days", type=int, default=182)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = ["--workspace", str(Path(folder) / "workspace")]
        log = Path(folder) / "log"
        sizes = ["--customers", str(options.customers), "--days", str(options.days), "--seed", "1"]
        horizon = ["--horizon-days", str(options.horizon_days)]
        model = ""
        for stage in ("simulate", "ingest", "train", "score"):
            words = {
                "simulate": ["simulate", "--scenario", "browsing", *sizes, *horizon, "--out", str(log)],
                "ingest": ["ingest", str(log / "events.csv"), "--name", "bench", *workspace],
                "train": ["train", "bench", *horizon, *workspace],
                "score": [
                    "score",
                    "bench",
                    "--model",
                    model,
                    "--out",
                    str(Path(folder) / "scores.parquet"),
                    *workspace,
                ],
            }[stage]
            result = command(words)
            seconds, memory = result["seconds"], result["memory_mb"]
            if stage == "simulate":
                rows = int(result["rows"])
                print(f"{rows:,} events of {options.customers:,} customers\n")
                print(f"{'stage':<10}{'seconds':>9}{'MB':>8}{'events/s':>12}")
            model = str(result.get("model", model))
            print(f"{stage:<10}{seconds:>9.1f}{memory:>8.0f}{rows / seconds:>12,.0f}", flush=True)


if __name__ == "__main__":
    main()
