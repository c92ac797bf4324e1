"""A dataset is pruned, renamed, given another currency or deleted, with all that was made from it.

A deletion lists what is left elsewhere, such as exported files: it reads the export log too.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from clv_core import audit, jobs
from clv_core.collection.privacy import made_without
from clv_core.collection.store import (
    MANIFEST,
    Dataset,
    Manifest,
    check_currency,
    delete_dataset,
    known_versions,
    list_datasets,
    made_from,
    names_to_follow,
    open_dataset,
    remove_versions,
    rename_dataset,
    renamed,
    set_currency,
    version_names,
    versions,
)
from clv_core.deployment import (
    HOLDOUT,
    PREDICTION_KINDS,
    RECORD,
    REMOVING,
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
from clv_core.jobs import Progress
from clv_core.locks import changes
from clv_core.records import JsonObject
from clv_core.strategy.audiences import exported_files
from clv_core.training import move_states, states_of
from clv_core.workspace import Workspace, check_name, read_json, write_json

KEEP: Final = 3
"""Versions that stay by default."""
KEEP_JOBS_DAYS: Final = 90
"""Records of runs that ended earlier are pruned. A guess: a quarter's history of who ran what."""
KEEP_MONTHS: Final = 13
"""Months of which one set of scores a model stays, to be compared with actual values after its forecast period."""


@dataclass(frozen=True)
class PrunePlan:
    """Versions and files that pruning a dataset keeps and removes.

    Args:
        kept: versions that stay, the newest first.
        removed: versions that are removed.
        outputs: files and folders made from versions that are removed, or were before; all can be made again.
        records: records of runs that ended over :data:`KEEP_JOBS_DAYS` days ago.
        size: bytes on disk that this frees; files that versions share are freed with the last of them.
        outdated: folders of datasets without those who objected, made from versions that are removed.
    """

    kept: tuple[Dataset, ...]
    removed: tuple[Dataset, ...]
    outputs: tuple[Path, ...]
    records: tuple[Path, ...]
    size: int
    outdated: tuple[Path, ...] = ()


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
    current, stored = open_dataset(workspace, name), versions(workspace, name)
    newest = sorted(stored, key=lambda dataset: dataset.version != current.version)[:keep]
    needed = {dataset.version for dataset in newest} | {dataset.manifest.raw_version for dataset in newest}
    needed = _with_those_made_of(workspace, needed)
    retained = tuple(dataset for dataset in stored if dataset.version in needed)
    removed = tuple(dataset for dataset in stored if dataset.version not in needed)
    outputs = _removable_outputs(workspace, name, needed)
    before = time.time() - KEEP_JOBS_DAYS * 86_400
    ended = [job for job in jobs_of(workspace, name) if not job.status().runs_elsewhere]
    records = tuple(job.folder for job in ended if job.status().updated < before)
    outdated = _outdated(workspace, name, needed)
    files = [path for folder in (*(dataset.folder for dataset in removed), *outdated) for path in folder.iterdir()]
    files += [file for path in (*outputs, *records) for file in (path.rglob("*") if path.is_dir() else [path])]
    return PrunePlan(retained, removed, outputs, records, _freed_bytes(files), outdated)


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
    removed = [dataset.version for dataset in plan.removed]
    _remove(workspace, name, removed, (*plan.outputs, *plan.records), plan.outdated)
    if plan.removed:
        audit.note(workspace, "prune", dataset=name, outcome="done")
    return plan


def remove_earlier(workspace: Workspace, name: str, removed: Sequence[str]) -> None:
    """Remove versions of a dataset, none of which is in use, with what :func:`prune` removes of what was made of them.

    The caller holds the dataset (:func:`~clv_core.locks.changing`).
    """
    stay = _with_those_made_of(workspace, {dataset.version for dataset in versions(workspace, name)} - {*removed})
    _remove(workspace, name, removed, _removable_outputs(workspace, name, stay), _outdated(workspace, name, stay))


def _with_those_made_of(workspace: Workspace, stay: set[str]) -> set[str]:
    """Return versions with the datasets without objectors that were made from them."""
    return stay | {version for version, parent in made_from(workspace).items() if parent in stay}


def _outdated(workspace: Workspace, name: str, stay: set[str]) -> tuple[Path, ...]:
    return tuple(folder for folder in made_without(workspace, name) if folder.name not in stay)


def _remove(
    workspace: Workspace, name: str, removed: Sequence[str], outputs: Iterable[Path], outdated: Sequence[Path]
) -> None:
    remove_versions(workspace, name, removed)
    for path in outputs:
        remove(path)
    for folder in outdated:
        shutil.rmtree(folder, ignore_errors=True)
    for version in (*removed, *(folder.name for folder in outdated)):
        for path in (workspace.datasets / name / RELATIONS).glob(f"{version}-*"):
            shutil.rmtree(path, ignore_errors=True)


def _removable_outputs(workspace: Workspace, name: str, needed: set[str]) -> tuple[Path, ...]:
    """Return what was made from versions that are not needed, but for what :func:`prune` leaves of models."""
    outputs = [output for output in artifacts(workspace, name) if output.version not in needed]
    retained: set[Path] = set()
    for model in {output.model for output in outputs} - {""}:
        retained |= _one_a_month(saved_score_files(workspace, model, name))
    return tuple(
        made.path
        for made in outputs
        if made.kind not in (ArtifactKind.BACKTEST, ArtifactKind.TUNING) and made.path not in retained
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


@changes
def delete(workspace: Workspace, name: str, *, models: bool = False, progress: Progress) -> JsonObject:
    """Delete the dataset ``name``: all versions, and all scores, explanations, backtests, views, searches for
    settings, records of runs and states of trainings that were cut off.

    The dataset itself is removed last, so that a deletion that was interrupted can be run again. The export log keeps
    its lines, which name no customer. Remembered mappings have column names only and stay.

    Args:
        workspace: where it is.
        name: the dataset.
        models: whether the models trained on it are deleted too, with all that they scored. If not, they stay usable;
            each has the ids of the customers that it was measured on.
        progress: listener.

    Returns:
        Counts of what was deleted (``versions, predictions, explanations, backtests, recommendations,
        pricing, explored, states, models, jobs``), and
        ``remains``: ``{kind, name}`` of what still has ids of its customers: ``model``, ``dataset`` (combined from
        it), ``export`` (files, where they were written).

    Raises:
        NotFound: there is no such dataset.
        Refused: a run is working on it.
    """
    name = check_name(name)
    folder = workspace.datasets / name
    if not folder.is_dir():
        open_dataset(workspace, name)
    check_idle(workspace, name)
    versions = version_names(workspace, name)
    remains = list(remaining(workspace, name, models=models))
    for left in [*workspace.root.glob(f"*/{REMOVING}*")]:
        shutil.rmtree(left, ignore_errors=True)
    progress.report("deleting", 0, 1)
    made = Counter(artifact.kind for artifact in artifacts(workspace, name))
    states = states_of(workspace, name)
    records = [job for job in jobs_of(workspace, name) if job.status().pid != os.getpid()]
    for path in (*states, *(job.folder for job in records)):
        remove(path)
    trained = list_bundles(workspace, name) if models else []
    if trained:
        Registry(workspace).forget([bundle.id for bundle in trained])
    delete_dataset(workspace, name)
    progress.report("deleting", 1, 1)
    return {
        "versions": len(versions),
        "predictions": sum(made[kind] for kind in PREDICTION_KINDS),
        "explanations": made[ArtifactKind.EXPLANATION],
        "backtests": made[ArtifactKind.BACKTEST],
        **{kind: made[kind] for kind in (ArtifactKind.RECOMMENDATIONS, ArtifactKind.PRICING, ArtifactKind.EXPLORED)},
        "states": len(states),
        "models": len(trained),
        "jobs": len(records),
        "remains": remains,
    }


def remaining(workspace: Workspace, name: str, *, models: bool) -> Iterator[dict[str, str]]:
    """Yield ``{kind, name}`` of what still has ids of the dataset's customers once it is deleted."""
    if not models:
        for bundle in list_bundles(workspace, name):
            if (bundle.folder / HOLDOUT).exists():
                yield {"kind": "model", "name": bundle.id}
    versions = known_versions(workspace, name)
    for dataset in list_datasets(workspace):
        if dataset.name != name and any(part.version in versions for part in dataset.manifest.parts):
            yield {"kind": "dataset", "name": dataset.name}
    for path in exported_files(workspace, name, versions, of_customers=True):
        yield {"kind": "export", "name": str(path)}
