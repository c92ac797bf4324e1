"""Where customers may be outside the datasets and the models: what goes whole, and what is looked through."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from clv_core import jobs
from clv_core.audit import FOLDER as AUDIT
from clv_core.collection.privacy.erased import LEDGER
from clv_core.collection.privacy.stoplist import FILE as STOPLIST
from clv_core.collection.stored.store import UNFINISHED, ever_versions, list_datasets, versions
from clv_core.deployment.artifacts import (
    BACKTEST,
    EXPLANATION,
    EXPLORED,
    PREDICTIONS,
    PRICING,
    RECOMMENDATIONS,
    REMOVING,
    Artifact,
    artifacts,
    remove,
)
from clv_core.deployment.bundle import STAGING, list_bundles
from clv_core.deployment.saved_scores import saved_score_files
from clv_core.erasing.certificate import FOLDER as CERTIFICATES
from clv_core.erasing.files import clean, holds, unsure_in
from clv_core.erasing.wanted import ToErase, Unsure
from clv_core.errors import Refused
from clv_core.features.kept import FOLDER as RELATIONS
from clv_core.scratch import FOLDER as SCRATCH
from clv_core.scratch import READING, held_elsewhere, sweep_killed
from clv_core.strategy.audiences.export import LOG
from clv_core.strategy.audiences.export_records import export_log, exported_files
from clv_core.strategy.segments.saved_segments import FOLDER as SEGMENTS
from clv_core.training.states import states_of
from clv_core.workspace import Workspace

APART: Final = ("datasets", "models", "jobs", "uploads", "exports", SCRATCH)
"""Folders that are not looked through file by file, but for what is of no dataset and no model in the first two."""

HALVES: Final = (
    f"datasets/{READING}*",
    *(f"datasets/*/{one}" for one in UNFINISHED),
    f"models/{STAGING}*",
    f"**/{REMOVING}*",
    "**/.*.tmp",
)
"""What a killed run leaves half made, or half removed."""

REMADE: Final = {
    **dict.fromkeys(PREDICTIONS, "predictions"),
    EXPLANATION: "explanations",
    **{kind: kind for kind in (EXPLORED, RECOMMENDATIONS, PRICING)},
}
"""Kinds of artifacts that can be made again, and what a certificate counts them as."""

NO_TEXT: Final = (".safetensors", ".lock", ".sqlite-wal", ".sqlite-shm")
KEYED: Final = (LEDGER, STOPLIST, AUDIT)
"""Files and folders that hold hashes only."""


def check_free(workspace: Workspace) -> None:
    """Refuse while a job works in the workspace, and name it; what else runs is held off by its lock.

    Raises:
        Refused: there is such a job.
    """
    for job in jobs.jobs(workspace):
        status = job.status()
        if jobs.runs_elsewhere(status):
            raise Refused("workspace_busy", command=status["command"], job=job.id)


def remove_made(workspace: Workspace, name: str) -> dict[str, int]:
    """Remove what is made again from a dataset: scores, explanations, views; return counts by kind.

    Batches of plain scores stay, for :func:`clean_others` to take the customers out: they are looked up by a service,
    and held against what came true, which scores that are made later cannot be. States of trainings that were cut off
    go too: they would go on with the customers among the rest.
    """
    batch, states = set(batches(workspace, name)), states_of(workspace, name)
    found = [one for one in artifacts(workspace, name) if one.kind in REMADE and one.path not in batch]
    for path in (*states, *(one.path for one in found)):
        remove(path)
    counts = Counter({"states": len(states)}) + Counter(REMADE[one.kind] for one in found)
    return {kind: counts[kind] for kind in (*dict.fromkeys(REMADE.values()), "states")}


def batches(workspace: Workspace, name: str) -> list[Path]:
    """Return the files of a dataset's customers as models scored them, on the plain terms of each model."""
    models = {one.model for one in artifacts(workspace, name)}
    return [path for model in sorted(models - {""}) for _, path in saved_score_files(workspace, model, name)]


def clear_uploads(workspace: Workspace) -> int:
    """Remove our copies of files that were sent by a browser; whoever is about to read one sends it again."""
    uploads = [path for path in (workspace.root / "uploads").glob("*") if path.is_dir()]
    for path in uploads:
        shutil.rmtree(path, ignore_errors=True)
    return len(uploads)


def clear_records(workspace: Workspace, wanted: ToErase) -> int:
    """Remove the records of runs that name a customer, in their words, their result or what they printed."""
    count = 0
    for job in jobs.jobs(workspace):
        files = [path for path in job.folder.rglob("*") if path.is_file()]
        if job.status().get("pid") != os.getpid() and (_asked(job, wanted) or any(holds(one, wanted) for one in files)):
            remove(job.folder)
            count += 1
    return count


def clear_exports(workspace: Workspace, wanted: ToErase, names: Collection[str] | None) -> list[str]:
    """Remove kept lists that name or reach a customer, with their side files; return their names.

    Args:
        workspace: whose.
        wanted: the customers.
        names: of whose datasets; None for all lists.
    """
    folder = workspace.root / "exports"
    chosen: set[Path] | None = None
    if names is not None:
        own = (path for name in names for path in exported_files(workspace, name, ever_versions(workspace, name)))
        chosen = {path.absolute() for path in own}
    gone = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != LOG and (chosen is None or path.absolute() in chosen):
            if holds(path, wanted, exported=True):
                path.unlink()
                path.with_name(f"{path.name}.json").unlink(missing_ok=True)
                gone.append(path.name)
    return gone


def of_processes(workspace: Workspace) -> Iterator[str]:
    """Yield the folders of running processes with intermediate files, which cannot be looked through."""
    yield from (str(path.relative_to(workspace.root)) for path in held_elsewhere(workspace))


def elsewhere(workspace: Workspace, wanted: ToErase) -> Iterator[str]:
    """Yield exported files outside the workspace that are still there and name a customer."""
    yield from (str(path) for path in _exported_elsewhere(workspace) if holds(path, wanted, exported=True))


def _exported_elsewhere(workspace: Workspace) -> Iterator[Path]:
    found = (Path(entry["folder"]) / file for entry in reversed(export_log(workspace)) for file in entry["files"])
    yield from (path for path in dict.fromkeys(found) if path.is_file() and not path.is_relative_to(workspace.root))


def unsure(workspace: Workspace, wanted: ToErase, source: Path | None, *, whole: bool) -> Iterator[Unsure]:
    """Yield where short ids stand, outside the datasets, and may mean something else.

    Args:
        workspace: whose.
        wanted: the customers.
        source: the file that names them.
        whole: whether all files are looked through, or models and exported files elsewhere only.
    """
    if not wanted.everywhere.short:
        return
    own = {job.folder for job in jobs.jobs(workspace) if job.status().get("pid") == os.getpid()}
    folders = [one.folder for one in list_bundles(workspace)]
    folders += [workspace.root / "jobs", workspace.root / "exports"] if whole else []
    inside = [path for folder in folders if folder.is_dir() for path in _files(workspace, folder)]
    inside += [*others(workspace, source), *sorted(workspace.datasets.glob("*/*/*.json"))] if whole else []
    for path in dict.fromkeys(inside):
        certificate = path.parent.name == CERTIFICATES and path.suffix in (".json", ".md")
        if not certificate and own.isdisjoint(path.parents):
            yield from unsure_in(path, wanted, str(path.relative_to(workspace.root)))
    for path in _exported_elsewhere(workspace):
        yield from unsure_in(path, wanted, str(path))


def clear_halves(workspace: Workspace) -> None:
    """Remove what killed runs left, which nobody uses; no run may be going on in the workspace."""
    sweep_killed(workspace)
    for path in [path for pattern in HALVES for path in workspace.root.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def others(workspace: Workspace, source: Path | None) -> Iterator[Path]:
    """Yield the files that are looked through one by one: all but the one that names whom to erase."""
    for folder in sorted(path for path in workspace.root.iterdir() if path.name not in APART):
        yield from (path for path in _files(workspace, folder) if source is None or path.resolve() != source.resolve())
    log = workspace.root / "exports" / LOG
    if log.exists():
        yield log
    known = {one.folder for dataset in list_datasets(workspace) for one in versions(workspace, dataset.name)}
    known |= {folder.parent / RELATIONS for folder in known} | {bundle.folder for bundle in list_bundles(workspace)}
    for place in (workspace.datasets, workspace.models):
        yield from (path for path in _files(workspace, place) if known.isdisjoint(path.parents))


def clean_others(
    workspace: Workspace, wanted: ToErase, names: Collection[str] | None, source: Path | None
) -> dict[str, int]:
    """Make all other files free of the customers; return what had to go by file.

    Args:
        workspace: whose.
        wanted: the customers.
        names: datasets whose files alone are changed; None for all.
        source: the file that names the customers, which a run that goes on from here has to read again.
    """
    chosen = others(workspace, source)
    if names is not None:
        found = (one for name in names for one in artifacts(workspace, name))
        folders = [one.path for one in found if one.kind == BACKTEST]
        folders += [workspace.datasets / name / SEGMENTS for name in names]  # who was put in by hand
        folders += [path for name in names for path in batches(workspace, name)]
        chosen = (path for folder in folders for path in _files(workspace, folder))
    if names is None:
        for one in _folders_remade(workspace):  # of versions that are gone
            if any(holds(path, wanted) for path in _files(workspace, one.path)):
                remove(one.path)
    counts = {str(path.relative_to(workspace.root)): clean(path, wanted) for path in chosen}
    return {path: count for path, count in counts.items() if count}


def _folders_remade(workspace: Workspace) -> list[Artifact]:
    names = [path.name for path in workspace.place("datasets").glob("*") if path.is_dir()]
    found = [one for name in names for one in artifacts(workspace, name)]
    return [one for one in found if one.kind in REMADE and one.path.is_dir()]


def _files(workspace: Workspace, place: Path) -> Iterator[Path]:
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        own = str(path.relative_to(workspace.root))
        if path.is_file() and path.suffix not in NO_TEXT and not own.startswith(KEYED):
            yield path


def _asked(job: jobs.Job, wanted: ToErase) -> bool:
    """Say whether a run was asked about one of the customers, whatever the id looks like."""
    words = [str(word) for word in job.status().get("args", ())]
    after = [words[place + 1] for place, word in enumerate(words[:-1]) if word == "--customer"]
    joined = [word.removeprefix("--customer=") for word in words if word.startswith("--customer=")]
    return any(wanted.names(word) for word in [*after, *joined])
