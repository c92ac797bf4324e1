"""Searches for settings, kept by dataset, by its version, and by the settings that each started from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clv_core.collection.stored.store import Dataset
from clv_core.config import TrainConfig
from clv_core.deployment.artifacts import TUNING
from clv_core.evaluation.tuned import Tuning
from clv_core.training.states import identity
from clv_core.workspace import read_json, write_json


def keep_tuning(dataset: Dataset, config: TrainConfig, found: Tuning) -> None:
    """Keep what a search of ``dataset`` found that started from ``config``, in place of an earlier one from there."""
    about = {"version": dataset.version, "config": config.to_json()}
    write_json(_file(dataset, config), {**about, **found.to_json()})


def find_tuning(dataset: Dataset, config: TrainConfig) -> dict[str, Any] | None:
    """Return the kept search that started from ``config``, else one that ended at it, else None.

    Returns:
        ``{version, config}`` and what :meth:`~clv_core.evaluation.tuned.Tuning.to_json` returns.
    """
    own = _file(dataset, config)
    if own.is_file():
        return dict(read_json(own))
    others = (read_json(path) for path in sorted(own.parent.glob(f"{TUNING}-*.json")))
    return next((found for found in others if {**found["config"], **found["settings"]} == config.to_json()), None)


def _file(dataset: Dataset, config: TrainConfig) -> Path:
    return dataset.made_folder / f"{TUNING}-{identity(config.to_json())}.json"
