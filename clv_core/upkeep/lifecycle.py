"""A dataset is renamed, pruned, or given another currency, with all that was made from it.

Deletion reads the export log too: :mod:`clv_core.upkeep.dataset_deletion`.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from clv_core import audit, jobs
from clv_core.collection.store import (
    MANIFEST,
    Dataset,
    Manifest,
    check_currency,
    names_to_follow,
    open_dataset,
    remove_versions,
    rename_dataset,
    renamed,
    set_currency,
    versions,
)
from clv_core.deployment import (
    PREDICTION_KINDS,
    RECORD,
    ArtifactKind,
    check_idle,
    jobs_of,
    list_bundles,
    read_record,
    remove,
    rename_in_command,
    saved_score_files,
    write_record,
)
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.registry import Registry
from clv_core.errors import NotFound, Refused, UsageError
from clv_core.features import FOLDER as RELATIONS
from clv_core.locks import changes
from clv_core.training import move_states
from clv_core.workspace import Workspace, read_json, write_json

KEEP: Final = 3
"""Versions that stay by default."""
KEEP_JOBS_DAYS: Final = 90
KEEP_MONTHS: Final = 13
"""Months of which one set of scores a model stays, to be compared with actual values after its forecast period."""


@dataclass(frozen=True)
class PrunePlan:
    """What pruning a dataset would keep and remove.

    Args:
        kept: versions that stay, the newest first.
        removed: versions that are removed.
        outputs: files and folders made from versions that are removed, or were before; all can be made again.
        records: records of runs that ended over :data:`KEEP_JOBS_DAYS` days ago.
        size: bytes on disk that this frees; files that versions share are freed with the last of them.
    """

    kept: tuple[Dataset, ...]
    removed: tuple[Dataset, ...]
    outputs: tuple[Path, ...]
    records: tuple[Path, ...]
    size: int


def plan_pruning(workspace: Workspace, name: str, keep: int = KEEP) -> PrunePlan:
    """Return what of the dataset ``name`` would be removed if ``keep`` versions stay.

    The version in use is one of them, then come the newest; the raw version behind a cleaned one that stays is kept as
    well, and is not counted.

    Raises:
        NotFound: there is no such dataset.
        UsageError: fewer than one should stay.
    """
    if keep < 1:
        raise UsageError("keep_versions", keep=keep)
    current, every = open_dataset(workspace, name), versions(workspace, name)
    newest = sorted(every, key=lambda dataset: dataset.version != current.version)[:keep]
    needed = {dataset.version for dataset in newest} | {dataset.manifest.raw_version for dataset in newest}
    kept = tuple(dataset for dataset in every if dataset.version in needed)
    removed = tuple(dataset for dataset in every if dataset.version not in needed)
    outputs = _removable_outputs(workspace, name, needed)
    before = time.time() - KEEP_JOBS_DAYS * 86_400
    ended = [job for job in jobs_of(workspace, name) if not job.status().runs_elsewhere]
    records = tuple(job.folder for job in ended if job.status().updated < before)
    files = [path for dataset in removed for path in dataset.folder.iterdir()]
    files += [file for path in (*outputs, *records) for file in (path.rglob("*") if path.is_dir() else [path])]
    return PrunePlan(kept, removed, outputs, records, _freed_bytes(files))


@changes
def prune(workspace: Workspace, name: str, *, keep: int = KEEP) -> PrunePlan:
    """Remove what :func:`plan_pruning` names of the dataset ``name``, and note it in the audit log.

    Models stay, with their backtests, searches for settings, and one set of scores a month.

    Raises:
        NotFound: there is no such dataset.
        UsageError: fewer than one should stay.
        Refused: a run is working on it.
    """
    plan = plan_pruning(workspace, name, keep)
    check_idle(workspace, name)
    remove_versions(workspace, name, [dataset.version for dataset in plan.removed])
    for path in (*plan.outputs, *plan.records):
        remove(path)
    for dataset in plan.removed:
        for path in (workspace.datasets / name / RELATIONS).glob(f"{dataset.version}-*"):
            shutil.rmtree(path, ignore_errors=True)
    if plan.removed:
        audit.note(workspace, "prune", dataset=name, outcome="done")
    return plan


def _removable_outputs(workspace: Workspace, name: str, needed: set[str]) -> tuple[Path, ...]:
    """Return what was made from versions that are not needed, but for what :func:`prune` leaves of models."""
    outputs = [output for output in artifacts(workspace, name) if output.version not in needed]
    kept: set[Path] = set()
    for model in {output.model for output in outputs} - {""}:
        kept |= _one_a_month(saved_score_files(workspace, model, name))
    return tuple(
        made.path
        for made in outputs
        if made.kind not in (ArtifactKind.BACKTEST, ArtifactKind.TUNING) and made.path not in kept
    )


def _one_a_month(scores: Sequence[tuple[date, Path]]) -> set[Path]:
    """Return the latest scores of each of the last months in which there are any."""
    months: dict[tuple[int, int], list[tuple[date, Path]]] = defaultdict(list)
    for cutoff, path in scores:
        months[cutoff.year, cutoff.month].append((cutoff, path))
    return {max(months[month])[1] for month in sorted(months)[-KEEP_MONTHS:]}


def _freed_bytes(removed: Iterable[Path]) -> int:
    files = [path.stat() for path in removed if path.is_file()]
    links = Counter((file.st_dev, file.st_ino) for file in files)
    sizes = {(file.st_dev, file.st_ino): (file.st_size, file.st_nlink) for file in files}
    return sum(size for key, (size, all_links) in sizes.items() if links[key] == all_links)


def rename(workspace: Workspace, name: str, new: str) -> dict[str, int]:
    """Rename the dataset ``name`` to ``new``; its models stay attached to it.

    One move of the dataset's folder turns the old name into the new one for every reader
    (:func:`~clv_core.collection.store.dataset_labels.names_to_follow`); what follows may be interrupted at any point
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
    """Finish renamings: models, jobs and states get the new name. Return counts by (old, new)."""
    counts = {}
    for old, new in names_to_follow(workspace).items():
        for folder in sorted(path.parent for path in workspace.models.glob(f"*/{RECORD}")):
            with suppress(Refused):
                record = read_record(folder)
                if record.dataset.name == old:
                    write_record(folder, record.named(new))
        Registry(workspace).rename(old, new)
        move_states(workspace, old, new)
        _rename_in_jobs(workspace, old, new)
        for path in (workspace.datasets / new).glob(f"*/{MANIFEST}"):
            write_json(path, {**read_json(path), "name": new})
        renamed(workspace, new)
        counts[old, new] = {
            "models": len(list_bundles(workspace, new)),
            "predictions": sum(artifact.kind in PREDICTION_KINDS for artifact in artifacts(workspace, new)),
        }
    return counts


def _rename_in_jobs(workspace: Workspace, old: str, new: str) -> None:
    """Rename the dataset in the commands of its runs, so that an interrupted run can be started again."""
    for job in jobs.jobs(workspace):
        status = job.status()
        words = rename_in_command(status.args, old, new)
        if words != status.args:
            label = new if status.label == old else status.label
            jobs.update_status(job.folder, args=words, label=label)


@changes
def relabel(workspace: Workspace, name: str, currency: str) -> tuple[Manifest, int]:
    """Set the currency of the dataset ``name`` and of its models, and add it to the audit log.

    The models come first, as a service reloads them once the dataset has a new version; after a crash, the same call
    does the rest. Files that were written before are not changed.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        currency: as :func:`~clv_core.collection.store.dataset_labels.set_currency` takes it.

    Returns:
        The dataset's manifest, and how many models were changed.

    Raises:
        NotFound: there is no such dataset.
        UsageError: it is too long, or no text of one line.
        Refused: a run is working on the dataset.
    """
    checked, before = check_currency(currency), open_dataset(workspace, name).version
    check_idle(workspace, name)
    models = 0
    for bundle in list_bundles(workspace, name):
        with suppress(Refused):  # a damaged one stays as it is, and is refused when it is opened
            record = read_record(bundle.folder)
            labelled = record.labelled(checked)
            if labelled != record:
                write_record(bundle.folder, labelled)
                models += 1
    manifest = set_currency(workspace, name, checked)
    if models or manifest.version != before:
        audit.note(workspace, "currency", dataset=name, version=manifest.version, outcome="done")
    return manifest, models
