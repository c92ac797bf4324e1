"""What is made from a dataset: scores, explanations, backtests, views. It lies in the dataset's own folder.

datasets/<name>/made/<version>/
  explored/                              tables behind the Explore page
  tuning-<settings>.json                 searches for settings; they name no customer
  <model>/
    scores-<cutoff>[-<terms>].parquet    scored customers
    history-, embedding-<cutoff>.parquet, rhythm-<cutoff>.json, directions.json
    explanation, explanation-<customer>  backtest  recommendations  pricing  monitoring
    serving-<cutoff>.json                what the API knows of the log; names no customer

So it is renamed and deleted with the dataset, and the path says which version and model it is of. Beside it a dataset
has models (``models/``), runs (``jobs/``) and states of trainings that were cut off (``runs/``).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clv_core import jobs
from clv_core.collection.stored.dataset import MADE, Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.errors import Refused
from clv_core.training.states import check_no_run
from clv_core.workspace import Workspace

SCORES, HISTORY, EMBEDDING, RHYTHM = "scores", "history", "embedding", "rhythm"
EXPLANATION, BACKTEST, MONITORING, SERVING, TUNING = "explanation", "backtest", "monitoring", "serving", "tuning"
RECOMMENDATIONS, PRICING, EXPLORED = "recommendations", "pricing", "explored"
PREDICTIONS: Final = (SCORES, HISTORY, EMBEDDING, RHYTHM)
REMOVING: Final = ".gone-"
"""Folders of this name are being removed; what a crash leaves of them goes with the next deletion."""


@dataclass(frozen=True)
class Artifact:
    """A file or folder that was made from a dataset.

    Args:
        kind: how its name begins: :data:`SCORES`, :data:`EXPLANATION`, ...
        version: of the dataset.
        model: id of the bundle that made it; "" for what needs no model.
        path: where it is.
    """

    kind: str
    version: str
    model: str
    path: Path


def artifact_folder(dataset: Dataset, bundle: Bundle) -> Path:
    """Return the folder of what a model makes from a version of a dataset."""
    return dataset.made_folder / bundle.id


def artifacts(workspace: Workspace, name: str) -> list[Artifact]:
    """Return all that was made from the dataset ``name``, of whichever version and model."""
    found = []
    for path in sorted(workspace.place("datasets", name, MADE).glob("*/[!.]*")):
        alone = _kind(path) in (EXPLORED, TUNING)
        inner = [path] if alone else sorted(path.glob("[!.]*"))
        found += [Artifact(_kind(one), path.parent.name, "" if alone else path.name, one) for one in inner]
    return found


def _kind(path: Path) -> str:
    return path.name.partition("-")[0].partition(".")[0]


def remove(path: Path) -> None:
    """Remove a file or folder; nobody sees it half removed."""
    gone = path.with_name(REMOVING + path.name)
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(FileNotFoundError):
        os.replace(path, gone)
    if gone.is_dir():
        shutil.rmtree(gone, ignore_errors=True)
    else:
        gone.unlink(missing_ok=True)


def remove_made_by(workspace: Workspace, model_id: str) -> None:
    """Remove all that a model made, of whichever dataset: it names customers."""
    for path in workspace.place("datasets").glob(f"*/{MADE}/*/{model_id}"):
        remove(path)
    remove(workspace.place("alerts", model_id))


def jobs_of(workspace: Workspace, name: str) -> Iterator[jobs.Job]:
    """Yield the records of runs whose command names the dataset; a run may name a customer."""
    yield from (job for job in jobs.jobs(workspace) if _names(job, name))


def check_idle(workspace: Workspace, name: str) -> None:
    """Refuse while another run works on the dataset ``name``: what it makes would be left under a name that is gone.

    Raises:
        Refused: there is such a run.
    """
    for job in jobs_of(workspace, name):
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
