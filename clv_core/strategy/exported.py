"""Files that were exported and are still where the export log says: they hold customer ids, wherever they are."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from clv_core.workspace import Workspace


def exported_files(workspace: Workspace, name: str, versions: Collection[str]) -> list[Path]:
    """Return the exported files of a dataset that are still there, the oldest first.

    Args:
        workspace: whose export log is read.
        name: the dataset's name; under an earlier name it is known by its versions.
        versions: its versions.
    """
    log = workspace.exports / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    entries = [json.loads(line) for line in lines if line.strip()]
    own = [entry for entry in entries if entry["dataset"] == name or entry["dataset_version"] in versions]
    files = dict.fromkeys(Path(entry["folder"]) / file for entry in own for file in entry["files"])
    return [path for path in files if path.exists()]
