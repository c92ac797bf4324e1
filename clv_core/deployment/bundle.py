"""A bundle: one trained model in one folder, safetensors and JSON only.

bundle.json          the record: dataset, cutoff, horizon, config, metrics, trust, cost, checksums
state.json           what the model needs beside its weights (encoders, vocabularies)
weights.safetensors  the weights
history.json         losses by seed and step
holdout.parquet      predictions of the model and the baselines at the holdout origin, with what came true
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from clv_core.collection.renaming import names_to_follow
from clv_core.errors import NotFound, Refused
from clv_core.workspace import Workspace, atomic_path, read_json

if TYPE_CHECKING:
    from clv_core.training.fit import Fitted, Model

CHECKED_FILES = ("state.json", "weights.safetensors")


@dataclass(frozen=True)
class Bundle:
    """One trained model on disk.

    Args:
        folder: the bundle's folder.
        record: what ``bundle.json`` says.
    """

    folder: Path
    record: dict[str, Any]

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def untrained(self) -> bool:
        """Whether it is a first look: the pre-trained network, which has not learned from the log."""
        return bool(self.record.get("untrained"))

    @cached_property
    def model(self) -> Model:
        """The model, after its files are held against their checksums.

        Raises:
            Refused: a file is missing or was changed.
        """
        from safetensors.numpy import load_file

        from clv_core.training.fit import MODELS

        for name, expected in self.record["checksums"].items():
            path = self.folder / name
            if not path.is_file() or _checksum(path) != expected:
                raise Refused("bundle_damaged", model=self.id, file=name)
        tensors = load_file(self.folder / "weights.safetensors")
        return MODELS[self.record["model"]].load(tensors, read_json(self.folder / "state.json"))

    def holdout(self) -> pd.DataFrame | None:
        """Return the holdout's predictions with ``actual``, or None where the log was too short for one."""
        path = self.folder / "holdout.parquet"
        return pd.read_parquet(path) if path.exists() else None

    def history(self) -> list[dict[str, float]]:
        """Return the losses of the final fit."""
        history: list[dict[str, float]] = read_json(self.folder / "history.json")
        return history


def save_bundle(
    workspace: Workspace, model_id: str, fitted: Fitted, record: dict[str, Any], holdout: pd.DataFrame | None
) -> Bundle:
    """Write a bundle atomically; one of the same id (the same data, config and code) is replaced."""
    from safetensors.numpy import save_file

    target = workspace.models / model_id
    tensors, state = fitted.model.state()
    with atomic_path(target) as temporary:
        temporary.mkdir()
        save_file(tensors, temporary / "weights.safetensors")
        _write(temporary / "state.json", state)
        _write(temporary / "history.json", fitted.history)
        if holdout is not None:
            holdout.to_parquet(temporary / "holdout.parquet", index=False)
        record = {**record, "checksums": {name: _checksum(temporary / name) for name in CHECKED_FILES}}
        _write(temporary / "bundle.json", record)
        if target.exists():
            shutil.rmtree(target)
    return Bundle(target, record)


def open_bundle(workspace: Workspace, model_id: str) -> Bundle:
    """Return the bundle ``model_id``.

    Raises:
        NotFound: there is none of that name.
    """
    path = workspace.models / model_id / "bundle.json"
    if Path(model_id).name != model_id or not path.is_file():
        known = ", ".join(bundle.id for bundle in list_bundles(workspace)) or "-"
        raise NotFound("no_model", model=model_id, known=known)
    return _open(path, names_to_follow(workspace))


def list_bundles(workspace: Workspace, dataset: str | None = None) -> list[Bundle]:
    """Return all bundles, the newest first, optionally of one dataset."""
    paths = [path for path in workspace.models.glob("*/bundle.json") if not path.parent.name.startswith(".")]
    moved = names_to_follow(workspace)
    bundles = [_open(path, moved) for path in paths]
    bundles.sort(key=lambda bundle: str(bundle.record["created"]), reverse=True)
    return [bundle for bundle in bundles if dataset is None or bundle.record["dataset"]["name"] == dataset]


def _open(path: Path, moved: dict[str, str]) -> Bundle:
    """Open a bundle; the dataset that it was trained on may bear another name by now."""
    record = read_json(path)
    name = record["dataset"]["name"]
    return Bundle(path.parent, {**record, "dataset": {**record["dataset"], "name": moved.get(name, name)}})


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
