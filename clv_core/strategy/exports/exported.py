"""What was exported: the export log, and the files that are still where it says; they hold customer ids."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from clv_core.workspace import Workspace, latest_records

LOG: Final = "log.jsonl"
"""The export log, in the folder of exports."""
OWN_SCORES: Final = re.compile(r".+-[0-9a-f]{12}-scores(-\d{4}-\d{2}-\d{2})?\.parquet")
"""Names of the files that the pages score into: a model's id, and the cutoff where it is not the log's end."""


def own_scores(name: str) -> bool:
    """Say whether a file is one that the pages scored customers into for themselves, which nobody took away."""
    return OWN_SCORES.fullmatch(name) is not None


def exports_of_people(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the lines of the export log but those of scores that the pages made for themselves, the newest first."""
    lines = export_log(workspace)
    return [line for line in lines if not (line["files"] and all(map(own_scores, line["files"])))]


def export_log(workspace: Workspace) -> list[dict[str, Any]]:
    """Return every line of the export log, the newest first: who, what, when, how many (``log_export``).

    A line without files is of what was handed over and not kept. One that was cut off while it was written is no entry.
    """
    return list(latest_records(workspace.place("exports") / LOG))


def exported_files(
    workspace: Workspace, name: str, versions: Collection[str], *, of_customers: bool = False
) -> list[Path]:
    """Return the exported files of a dataset that are still there, the oldest first.

    Args:
        workspace: whose export log is read.
        name: the dataset's name; under an earlier name it is known by its versions.
        versions: its versions.
        of_customers: only files whose rows are about customers: a table of prices names nobody.
    """
    entries = reversed(export_log(workspace))
    own = [entry for entry in entries if entry["dataset"] == name or entry["dataset_version"] in versions]
    own = [entry for entry in own if not of_customers or entry.get("customers", 0) is not None]
    files = dict.fromkeys(Path(entry["folder"]) / file for entry in own for file in entry["files"])
    return [path for path in files if path.exists()]
