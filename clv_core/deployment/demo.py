"""The demo: the sample log with a model, scores and explanations that ship with the program.

assets/demo/record.json        model, dataset and its version, settings, and how it was made
assets/demo/model/             the bundle (:mod:`clv_core.deployment.bundle`)
assets/demo/scores.parquet     all customers of the sample as the bundle scores them
assets/demo/explanation/       what drives them (:mod:`clv_core.evaluation.explain.store`)
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.registry.registry import Registry
from clv_core.deployment.saved_scores import scores_path
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.errors import NotFound, Refused
from clv_core.features.explore.build import build_cube
from clv_core.jobs import Progress
from clv_core.program_files import ASSETS
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

SAMPLE: Final = ASSETS / "sample" / "events.csv"
NAME: Final = "sample"
CURRENCY: Final = "USD"
"""Of the sample's amounts; nothing in the simulation depends on it."""
SHIPPED: Final = ASSETS / "demo"
RECORD: Final = "record.json"
SETTINGS: Final = TrainConfig(horizon_days=90, model="blend", ensemble=1)
"""The default model; one network of each kind instead of four keeps the bundle under 3 MB."""


def add_demo(workspace: Workspace, *, folder: Path = SHIPPED, progress: Progress) -> tuple[Dataset, Bundle]:
    """Ingest the sample log, and add the shipped model with its scores and explanations.

    Args:
        workspace: where they go; a dataset ``sample`` gets a new version.
        folder: what :func:`save_demo` wrote.
        progress: listener.

    Raises:
        NotFound: there is no such folder.
        Refused: it was made from another sample than the one that ships.
    """
    if not (folder / RECORD).is_file():
        raise NotFound("demo_missing", folder=str(folder))
    record = read_json(folder / RECORD)
    ingest(workspace, SAMPLE, NAME, currency=CURRENCY, progress=progress)
    dataset = open_dataset(workspace, NAME)
    if dataset.version != record["version"]:
        raise Refused("demo_other_sample", found=dataset.version, needed=record["version"])
    _put(folder / "model", workspace.models / record["model"])
    bundle = open_bundle(workspace, record["model"])
    Registry(workspace).register(bundle, source="imported")  # so that a running service finds it
    _put(folder / "scores.parquet", scores_path(bundle, dataset))
    _put(folder / "explanation", explanation_folder(bundle, dataset))
    build_cube(workspace, NAME, progress)
    return dataset, bundle


def save_demo(bundle: Bundle, dataset: Dataset, folder: Path, about: dict[str, Any]) -> None:
    """Write a bundle of the sample with its saved scores and explanations into ``folder``, replacing its content.

    Args:
        bundle: the model.
        dataset: the sample.
        folder: where to.
        about: how it was made, for the record.
    """
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        shutil.copytree(bundle.folder, temporary / "model")
        shutil.copy(scores_path(bundle, dataset), temporary / "scores.parquet")
        shutil.copytree(explanation_folder(bundle, dataset), temporary / "explanation")
        for path in temporary.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        write_json(
            temporary / RECORD, {"model": bundle.id, "dataset": dataset.name, "version": dataset.version, **about}
        )
        shutil.rmtree(folder, ignore_errors=True)


def _put(source: Path, target: Path) -> None:
    """Copy a file or a folder in one step, replacing the target."""
    copy: Callable[..., object] = shutil.copytree if source.is_dir() else shutil.copyfile
    with atomic_path(target) as temporary:
        copy(source, temporary)
        if target.is_dir():
            shutil.rmtree(target)
