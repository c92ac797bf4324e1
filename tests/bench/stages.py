"""Seconds and memory of each stage on a simulated log, each stage a process of its own: ``make bench``.

Prints one line a stage: wall seconds, peak memory, and events a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def run(words: list[str]) -> tuple[dict[str, Any], float, float]:
    """Run one command and return its JSON, its wall seconds and its peak memory in MB (children included)."""
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "clv_core", *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{words[0]} ended with exit code {process.returncode}: {output}")
    return json.loads(output.splitlines()[-1]), time.monotonic() - started, usage.ru_maxrss / 1024


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
            result, seconds, memory = run(words)
            if stage == "simulate":
                rows = int(result["rows"])
                print(f"{rows:,} events of {options.customers:,} customers\n")
                print(f"{'stage':<10}{'seconds':>9}{'MB':>8}{'events/s':>12}")
            model = str(result.get("model", model))
            print(f"{stage:<10}{seconds:>9.1f}{memory:>8.0f}{rows / seconds:>12,.0f}", flush=True)


if __name__ == "__main__":
    main()
