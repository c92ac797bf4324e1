"""Earlier versions of a dataset are removed to free disk space, with what can be made again from them."""

from __future__ import annotations

import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from clv_core import audit, jobs
from clv_core.collection.stored.store import Dataset, open_dataset, remove_versions, versions
from clv_core.deployment.artifacts import BACKTEST, TUNING, artifacts, check_idle, jobs_of, remove
from clv_core.deployment.kept_scores import kept_of
from clv_core.errors import UsageError
from clv_core.features.kept import FOLDER as RELATIONS
from clv_core.locks import changes
from clv_core.workspace import Workspace

KEEP: Final = 3
"""Versions that stay where nobody says how many."""
KEEP_JOBS_DAYS: Final = 90
KEEP_MONTHS: Final = 13
"""Months of which one set of scores a model stays, to be compared with what came true after its forecast period."""


@dataclass(frozen=True)
class Prunable:
    """What a pruning of a dataset would keep and remove.

    Args:
        kept: versions that stay, the newest first.
        gone: versions that go.
        outputs: files and folders made from versions that go, or that went before; none that cannot be made again.
        records: records of runs that ended over :data:`KEEP_JOBS_DAYS` days ago.
        size: bytes on disk that this frees; files that versions share are freed with the last of them.
    """

    kept: tuple[Dataset, ...]
    gone: tuple[Dataset, ...]
    outputs: tuple[Path, ...]
    records: tuple[Path, ...]
    size: int


def prunable(workspace: Workspace, name: str, keep: int = KEEP) -> Prunable:
    """Return what of the dataset ``name`` would be removed if ``keep`` versions stay.

    The version in use is one of them, then come the newest; a version that cleaning rules were applied to stays beside
    those that stay, and is not counted.

    Raises:
        NotFound: there is no such dataset.
        UsageError: fewer than one should stay.
    """
    if keep < 1:
        raise UsageError("keep_versions", keep=keep)
    current, every = open_dataset(workspace, name), versions(workspace, name)
    ranked = sorted(every, key=lambda one: one.version != current.version)
    stay = ranked[:keep]
    needed = {one.version for one in stay} | {one.manifest.raw_version for one in stay}
    gone = tuple(one for one in every if one.version not in needed)
    outputs = _outputs(workspace, name, needed)
    long_ago = time.time() - KEEP_JOBS_DAYS * 86_400
    ended = [job for job in jobs_of(workspace, name) if not jobs.runs_elsewhere(job.status())]
    records = tuple(job.folder for job in ended if float(job.status().get("updated") or 0) < long_ago)
    removed = [path for one in gone for path in one.folder.iterdir()]
    removed += [file for path in (*outputs, *records) for file in (path.rglob("*") if path.is_dir() else [path])]
    return Prunable(tuple(one for one in every if one.version in needed), gone, outputs, records, _freed(removed))


@changes
def prune(workspace: Workspace, name: str, *, keep: int = KEEP) -> Prunable:
    """Remove what :func:`prunable` names of the dataset ``name``, and note it in the audit log.

    Models stay, with their backtests, searches for settings, and one set of scores a month.

    Raises:
        NotFound: there is no such dataset.
        UsageError: fewer than one should stay.
        Refused: a run is working on it.
    """
    found = prunable(workspace, name, keep)
    check_idle(workspace, name)
    remove_versions(workspace, name, [one.version for one in found.gone])
    for path in (*found.outputs, *found.records):
        remove(path)
    for one in found.gone:
        for path in (workspace.datasets / name / RELATIONS).glob(f"{one.version}-*"):
            shutil.rmtree(path, ignore_errors=True)
    if found.gone:
        audit.note(workspace, "prune", dataset=name, outcome="done")
    return found


def _outputs(workspace: Workspace, name: str, needed: set[str]) -> tuple[Path, ...]:
    """Return what was made from versions that are not needed any more and does not stay."""
    made = [one for one in artifacts(workspace, name) if one.version not in needed]
    stay: set[Path] = set()
    for model in {one.model for one in made} - {""}:
        stay |= _one_a_month(kept_of(workspace, model, name))
    return tuple(one.path for one in made if one.kind not in (BACKTEST, TUNING) and one.path not in stay)


def _one_a_month(scores: Sequence[tuple[date, Path]]) -> set[Path]:
    """Return the latest scores of each of the last months in which there are any."""
    months: dict[tuple[int, int], list[tuple[date, Path]]] = defaultdict(list)
    for cutoff, path in scores:
        months[cutoff.year, cutoff.month].append((cutoff, path))
    return {max(months[month])[1] for month in sorted(months)[-KEEP_MONTHS:]}


def _freed(removed: Iterable[Path]) -> int:
    files = [path.stat() for path in removed if path.is_file()]
    links = Counter((file.st_dev, file.st_ino) for file in files)
    sizes = {(file.st_dev, file.st_ino): (file.st_size, file.st_nlink) for file in files}
    return sum(size for key, (size, named) in sizes.items() if links[key] == named)
