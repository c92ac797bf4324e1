"""What is made from a dataset: scores, explanations, backtests, views. It lies in the dataset's own folder.

datasets/<name>/made/<version>/
  explored/                              tables behind the Explore page
  tuning-<settings>.json                 searches for settings; they name no customer
  watch.json                             figures by day against what was expected, and findings; names no customer
  <model>/
    scores-<cutoff>[-<terms>].parquet    scored customers
    gaps-<cutoff>[-<terms>].json         how many of them had a gap that was filled
    history-, origins-, embedding-<cutoff>.parquet, rhythm-<cutoff>.json, directions.json
    explanation, explanation-<customer>  backtest  recommendations  pricing  monitoring
    serving-<cutoff>.json                population context for the API; names no customer
    forecast-<cutoff>.json, .safetensors what the shop will take; names no customer
    demand-<cutoff>.json, .parquet       what will be bought of each product; names no customer

So it is renamed and deleted with the dataset, and the path names its version and model. A dataset also has models
(``models/``), runs (``jobs/``) and states of interrupted trainings (``runs/``).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from clv_core import jobs
from clv_core.collection.store import MADE, Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.errors import Refused
from clv_core.training import check_no_run
from clv_core.workspace import Workspace


class ArtifactKind(StrEnum):
    """Kind of an artifact: the first part of its file's or folder's name."""

    SCORES = "scores"
    HISTORY = "history"
    EMBEDDING = "embedding"
    RHYTHM = "rhythm"
    GAPS = "gaps"
    ORIGINS = "origins"
    EXPLANATION = "explanation"
    BACKTEST = "backtest"
    RECOMMENDATIONS = "recommendations"
    PRICING = "pricing"
    MONITORING = "monitoring"
    SERVING = "serving"
    TUNING = "tuning"
    EXPLORED = "explored"
    FORECAST = "forecast"
    WATCH = "watch"
    DEMAND = "demand"


PREDICTION_KINDS: Final = (
    *(ArtifactKind.SCORES, ArtifactKind.HISTORY, ArtifactKind.EMBEDDING),
    *(ArtifactKind.RHYTHM, ArtifactKind.GAPS, ArtifactKind.ORIGINS),
)
"""Kinds with predictions, or with facts about them, one row a customer."""
REMOVING: Final = ".gone-"
"""Prefix of paths that are being removed; the next deletion removes what a crash left of them."""


@dataclass(frozen=True)
class Artifact:
    """A file or folder that was made from a dataset.

    Args:
        kind: one of :class:`ArtifactKind`; what an earlier version made may be of another.
        version: of the dataset.
        model: id of the bundle that made it; "" for what needs no model.
        path: where it is.
    """

    kind: str
    version: str
    model: str
    path: Path


def artifact_folder(dataset: Dataset, bundle: Bundle) -> Path:
    """Return the folder of a model's artifacts from a version of a dataset."""
    return dataset.made_folder / bundle.id


def artifacts(workspace: Workspace, name: str) -> list[Artifact]:
    """Return the artifacts of all versions of the dataset ``name``, by any model."""
    made = []
    for path in sorted(workspace.place("datasets", name, MADE).glob("*/[!.]*")):
        needs_no_model = (
            path.name == ArtifactKind.EXPLORED or path.suffix == ".json"
        )  # not a model of a dataset called "tuning"
        model, paths = ("", [path]) if needs_no_model else (path.name, sorted(path.glob("[!.]*")))
        made += [Artifact(_kind(file), path.parent.name, model, file) for file in paths]
    return made


def _kind(path: Path) -> str:
    return path.name.partition("-")[0].partition(".")[0]


def remove(path: Path) -> None:
    """Remove a file or folder in one step: it is renamed first."""
    renamed = path.with_name(REMOVING + path.name)
    shutil.rmtree(renamed, ignore_errors=True)
    with suppress(FileNotFoundError):
        os.replace(path, renamed)
    if renamed.is_dir():
        shutil.rmtree(renamed, ignore_errors=True)
    else:
        renamed.unlink(missing_ok=True)


def remove_model_artifacts(workspace: Workspace, model_id: str) -> None:
    """Remove all that a model made of any dataset: it names customers."""
    for path in workspace.place("datasets").glob(f"*/{MADE}/*/{model_id}"):
        remove(path)
    remove(workspace.place("alerts", model_id))


def jobs_of(workspace: Workspace, name: str) -> Iterator[jobs.Job]:
    """Yield the records of runs whose command names the dataset; a run may name a customer."""
    yield from (job for job in jobs.jobs(workspace) if _names(job, name))


def check_idle(workspace: Workspace, name: str) -> None:
    """Refuse while another run works on the dataset ``name``: its output would be left under the old name.

    Raises:
        Refused: there is such a run.
    """
    for job in jobs_of(workspace, name):
        status = job.status()
        if status.runs_elsewhere:
            raise Refused("dataset_busy", name=name, command=status.command, job=job.id)
    check_no_run(workspace, name)


def check_unused(workspace: Workspace, model_id: str) -> None:
    """Refuse while another run works with a model: its output would be left after the model is removed.

    Raises:
        Refused: there is such a run.
    """
    for job in jobs.jobs(workspace):
        status = job.status()
        if model_id in status.args and status.runs_elsewhere:
            raise Refused("model_busy", model=model_id, command=status.command, job=job.id)


def rename_in_command(words: Sequence[str], old: str, new: str) -> tuple[str, ...]:
    """Return a run's command with another name for a dataset, wherever it names it.

    A command names a dataset among its first words, or as ``--name`` or ``--dataset``.
    """
    options = [place for place, word in enumerate(words) if word.startswith("--")]
    places = set(range(1, options[0] if options else len(words)))
    places |= {place + 1 for place in options if words[place] in ("--name", "--dataset")}
    return tuple(new if word == old and place in places else word for place, word in enumerate(words))


def _names(job: jobs.Job, name: str) -> bool:
    words = job.status().args
    return rename_in_command(words, name, "") != words
