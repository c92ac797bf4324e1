"""Freeze the workspace of a release: ``python -m tests.frozen.freeze`` in a clean checkout of its commit.

It writes ``tests/frozen/<version>``: a backup of a small workspace with its key, and what this version answers on it.
Never make the folder of an earlier release again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from clv_core import __version__
from clv_core.workspace import Workspace
from tests.commands.conftest import done

HERE = Path(__file__).parent
KINDS = ("naive", "bgnbd", "paretonbd", "lightgbm", "hybrid")
QUICK = ("--set", "ensemble=1", "--set", "steps=20", "--set", "cutoffs=3", "--set", "processes=1")


def answers(workspace: Workspace, folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the scores of every model, and what other commands answer that is to stay."""
    parts = []
    for version in range(1, len(KINDS) + 1):
        done(workspace, "score", "shop", "--model", f"shop@{version}", "--out", folder / "scores.csv")
        parts.append(pd.read_csv(folder / "scores.csv").drop(columns="model").assign(version=version))
    versions = done(workspace, "models", "list", "shop")["versions"]
    monitored = done(workspace, "monitor", "shop", "--model", "champion")
    return pd.concat(parts, ignore_index=True), {
        "versions": [one["made"] for one in done(workspace, "datasets", "shop")["versions"]],
        "models": {str(one["version"]): [one["kind"], one["role"]] for one in versions},
        "suppressed": done(workspace, "suppress", "list")["suppressed"],
        "lights": {part: one["light"] for part, one in monitored["lights"].items()},
        "alerts": [one["code"] for one in monitored["alerts"]],
        "realised": {name: monitored["realised"][-1][name] for name in ("until", "days", "realised", "expected")},
    }


if __name__ == "__main__":
    target = HERE / __version__
    with TemporaryDirectory() as name:
        folder, workspace = Path(name), Workspace(Path(name) / "workspace")
        done(workspace, *("simulate", "--scenario", "browsing", "--customers", 200, "--days", 420, "--seed", 7),
            "--out", folder / "log")  # fmt: skip
        log = pd.read_csv(folder / "log" / "events.csv", dtype=str)
        first = log["event_time"] < log["event_time"].sort_values().iloc[int(len(log) * 0.8)]
        log[first].to_csv(folder / "first.csv", index=False)
        log.to_csv(folder / "all.csv", index=False)
        done(workspace, "ingest", folder / "first.csv", "--name", "shop", "--currency", "EUR")
        for kind in KINDS:
            done(workspace, "train", "shop", "--horizon-days", 60, "--model", kind, *QUICK)
        done(workspace, "models", "promote", "shop", 2)
        done(workspace, "ingest", folder / "all.csv", "--name", "shop", "--append")
        done(workspace, "suppress", "add", log["customer_id"].iloc[0])
        done(workspace, "keys", "add", "shop-backend")
        scores, rest = answers(workspace, folder)
        done(workspace, "export", "shop", "--model", "champion", "--format", "csv", "--out", folder / "list.csv")
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        done(workspace, "backup", target / "workspace.zip")
        shutil.copy(folder / "workspace.key", target)
        scores.to_csv(target / "scores.csv", index=False)
        (target / "answers.json").write_text(json.dumps(rest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
