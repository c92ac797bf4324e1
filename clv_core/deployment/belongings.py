"""What the workspace holds of a dataset outside its folder: scores, reasons, backtests, views, searches, models, jobs.

predictions/<model>/<name>-<version>-<cutoff>[-<terms>|-embedding|-history].parquet, -rhythm.json
explored/<name>/<version>                                         prepared views
explanations/<model>-<version>...                                 backtests/<model>-<version>
recommendations/<model>-<version>                                 pricing/<model>-<version>
serving/<model>/<version>-<cutoff>.json                           the log around who is served; names no customer
monitoring/<model>-<version>                                      reports of :mod:`clv_core.monitoring`
tuning/<name>/<version>-<settings>.json                           searches for settings; they name no customer
jobs/<id>, where the command names the dataset                    runs/<name>-<run>: states of trainings
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clv_core import jobs
from clv_core.collection.stored.store import VERSION, ever_versions
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.deployment.terms import MARK
from clv_core.errors import Refused
from clv_core.training.states import check_no_run, states_of
from clv_core.workspace import Workspace

OF_MODELS: Final = ("explanations", "backtests", "recommendations", "pricing", "monitoring")
EXPLORED: Final = "explored"
TUNING: Final = "tuning"
SERVING: Final = "serving"
EMBEDDING: Final = "-embedding"
"""How the names of files end that hold how networks see customers, rather than scores."""
HISTORY: Final = "-history"
"""How the names of files end that hold what scored customers bought before."""
RHYTHM: Final = "-rhythm"
"""How the names of files end that say how often and when in the year all of them buy."""
GONE: Final = ".gone-"
"""Folders of this name are on their way out; what a crash leaves of them goes with the next deletion."""


@dataclass(frozen=True)
class Belongings:
    """What there is of one dataset.

    Args:
        predictions: files of scored customers, of whichever model.
        made: folders that models made, by kind, each of :data:`OF_MODELS`; those of ``monitoring`` name no customer.
        explored: folders of prepared views.
        models: bundles trained on it.
        jobs: records of runs that name it; a run may name a customer.
        states: folders of trainings that were cut off.
    """

    predictions: tuple[Path, ...]
    made: dict[str, tuple[Path, ...]]
    explored: tuple[Path, ...]
    models: tuple[Bundle, ...]
    jobs: tuple[jobs.Job, ...]
    states: tuple[Path, ...]


def belongings(workspace: Workspace, name: str) -> Belongings:
    """Return what there is of the dataset ``name``."""
    models, versions = list_bundles(workspace), ever_versions(workspace, name)
    trained_on = {bundle.id: str(bundle.record["dataset"]["name"]) for bundle in models}
    return Belongings(
        predictions=tuple(predictions_of(workspace, name)),
        made={kind: _of_models(workspace, kind, name, versions, trained_on) for kind in OF_MODELS},
        explored=tuple(path for path in (workspace.root / EXPLORED / name).glob("*") if path.is_dir()),
        models=tuple(bundle for bundle in models if trained_on[bundle.id] == name),
        jobs=tuple(job for job in jobs.jobs(workspace) if _names(job, name)),
        states=tuple(states_of(workspace, name)),
    )


def predictions_of(workspace: Workspace, name: str) -> list[Path]:
    """Return the files of a dataset's scored customers, of their history and rhythm, and of how networks see them."""
    kinds = rf"(-{MARK}|{EMBEDDING}|{HISTORY})?\.parquet|{RHYTHM}\.json"
    own = re.compile(rf"{re.escape(name)}-{VERSION.pattern}-\d{{8}}({kinds})")
    return [path for path in sorted(workspace.predictions.glob("*/*")) if own.fullmatch(path.name)]


def remove(folder: Path) -> None:
    """Remove a folder; nobody sees it half."""
    gone = folder.with_name(GONE + folder.name)
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(FileNotFoundError):
        os.replace(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)


def remove_made(workspace: Workspace, model_id: str) -> None:
    """Remove all that a model scored and explained, on whatever dataset: it names customers; and its surroundings."""
    shutil.rmtree(workspace.predictions / model_id, ignore_errors=True)
    shutil.rmtree(workspace.root / SERVING / model_id, ignore_errors=True)
    for kind in OF_MODELS:
        for path in (workspace.root / kind).glob(f"{model_id}-*"):
            remove(path)


def check_idle(workspace: Workspace, name: str) -> None:
    """Refuse while another run works on the dataset ``name``: what it makes would be left under a name that is gone.

    Raises:
        Refused: there is such a run.
    """
    for job in jobs.jobs(workspace):
        if _names(job, name):
            status = job.status()
            if jobs.runs_elsewhere(status):
                raise Refused("dataset_busy", name=name, command=status["command"], job=job.id)
    check_no_run(workspace, name)


def check_unused(workspace: Workspace, model_id: str) -> None:
    """Refuse while another run works with a model: what it scores would be left behind once the model is gone.

    Raises:
        Refused: there is such a run.
    """
    for job in jobs.jobs(workspace):
        status = job.status()
        if model_id in status.get("args", ()) and jobs.runs_elsewhere(status):
            raise Refused("model_busy", model=model_id, command=status["command"], job=job.id)


def _of_models(
    workspace: Workspace, kind: str, name: str, versions: Sequence[str], trained_on: dict[str, str]
) -> tuple[Path, ...]:
    """Return the folders ``<model>-<version>...`` that are of this dataset; two datasets may hold the same version."""
    found = []
    for path in sorted((workspace.root / kind).glob("*")):
        for version in versions:
            model, mark, _ = path.name.partition(f"-{version}")
            if mark and trained_on.get(model, name) == name:
                found.append(path)
                break
    return tuple(found)


def renamed_words(words: Sequence[str], old: str, new: str) -> list[str]:
    """Return a run's command with another name for a dataset, wherever it names it.

    A command names a dataset among its first words, or as ``--name`` or ``--dataset``.
    """
    options = [place for place, word in enumerate(words) if word.startswith("--")]
    places = set(range(1, options[0] if options else len(words)))
    places |= {place + 1 for place in options if words[place] in ("--name", "--dataset")}
    return [new if word == old and place in places else word for place, word in enumerate(words)]


def _names(job: jobs.Job, name: str) -> bool:
    words = list(job.status().get("args", ()))
    return renamed_words(words, name, "") != words
