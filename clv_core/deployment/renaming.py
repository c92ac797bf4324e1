"""A dataset gets another name, and all that is of it follows: models, scores, views, searches, states of runs."""

from __future__ import annotations

from contextlib import suppress

from clv_core import jobs
from clv_core.collection.stored.renaming import names_to_follow, rename_dataset, renamed
from clv_core.collection.stored.store import MANIFEST, open_dataset
from clv_core.deployment.artifacts import PREDICTIONS, artifacts, check_idle, renamed_words
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.record import RECORD, read_record, write_record
from clv_core.deployment.registry import Registry
from clv_core.errors import NotFound, Refused
from clv_core.training.states import move_states
from clv_core.workspace import Workspace, read_json, write_json


def rename(workspace: Workspace, name: str, new: str) -> dict[str, int]:
    """Call the dataset ``name`` ``new``; its models stay attached to it.

    One move of the dataset's folder turns the old name into the new one for every reader
    (:func:`~clv_core.collection.stored.renaming.names_to_follow`); what is written after it may be cut off at any point
    and is finished by the next call, with the same names or any others.

    Returns:
        How many ``models`` and files of ``predictions`` are attached to it.

    Raises:
        NotFound: there is no such dataset.
        Refused: the new name cannot be one or is taken, or a run is working on the dataset.
    """
    counts = _follow(workspace)
    try:
        open_dataset(workspace, name)
    except NotFound:
        if (name, new) in counts:
            return counts[name, new]
        raise
    check_idle(workspace, name)
    rename_dataset(workspace, name, new)
    return _follow(workspace)[name, new.strip()]


def _follow(workspace: Workspace) -> dict[tuple[str, str], dict[str, int]]:
    """Let all that bears the old name of a renamed dataset bear the new one; return counts by (old, new)."""
    done = {}
    for old, new in names_to_follow(workspace).items():
        for folder in sorted(path.parent for path in workspace.models.glob(f"*/{RECORD}")):
            with suppress(Refused):
                record = read_record(folder)
                if record["dataset"]["name"] == old:
                    write_record(folder, {**record, "dataset": {**record["dataset"], "name": new}})
        Registry(workspace).rename(old, new)
        move_states(workspace, old, new)
        _tell_jobs(workspace, old, new)
        for path in (workspace.datasets / new).glob(f"*/{MANIFEST}"):
            write_json(path, {**read_json(path), "name": new})
        renamed(workspace, new)
        done[old, new] = {
            "models": len(list_bundles(workspace, new)),
            "predictions": sum(one.kind in PREDICTIONS for one in artifacts(workspace, new)),
        }
    return done


def _tell_jobs(workspace: Workspace, old: str, new: str) -> None:
    """Let the records of runs name the dataset as it is called now: a run that was cut off can be started again."""
    for job in jobs.jobs(workspace):
        status = job.status()
        words = renamed_words(status.get("args", ()), old, new)
        if words != list(status.get("args", ())):
            label = new if status.get("label") == old else status.get("label", "")
            jobs.update_status(job.folder, args=words, label=label)
