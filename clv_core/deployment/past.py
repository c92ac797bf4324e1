"""What past origins showed of a model: its holdout, and the comparison on rolling origins where one was made."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.collection.stored.dataset import MADE
from clv_core.deployment.artifacts import BACKTEST
from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.beside import BASELINES, ROWS, in_order
from clv_core.evaluation.levels import SharedError
from clv_core.workspace import Workspace

PREDICTIONS: Final = "predictions.parquet"
NEEDED: Final = ("p_purchase", "predicted_clv", "actual")


def comparison_folder(workspace: Workspace, bundle: Bundle) -> Path:
    """Return where the comparison of a model with others on rolling origins is kept."""
    dataset = bundle.record["dataset"]
    return workspace.place("datasets", dataset["name"], MADE, dataset["version"], bundle.id, BACKTEST)


def past_origins(workspace: Workspace, bundle: Bundle) -> dict[str, pd.DataFrame]:
    """Return what was predicted and what came true, by origin (ISO date), the holdout's origin among them.

    Returns:
        ``p_purchase``, ``predicted_clv`` and ``actual``, one row a customer; empty where the log was too short.
    """
    found = {}
    path = comparison_folder(workspace, bundle) / PREDICTIONS
    if path.is_file():
        rows = pd.read_parquet(path, columns=["origin", *NEEDED], filters=[("model", "==", bundle.record["model"])])
        found = {str(origin): frame[list(NEEDED)] for origin, frame in rows.groupby("origin")}
    holdout = bundle.holdout(bundle.record["model"], NEEDED)
    if holdout is not None:
        found[str(bundle.record["holdout"]["cutoff"])] = holdout
    return found


def held_out(bundle: Bundle) -> dict[str, pd.DataFrame]:
    """Return what a model and the simple ones beside it predicted on the span held out, and what came true.

    Returns:
        :data:`~clv_core.evaluation.beside.ROWS` by model, in the order of customers; none where they are not kept. The
            model's own are always among them, without a row where it was not measured.
    """
    rows = bundle.holdout(None, ("model", *ROWS))
    if rows is None:
        return {}
    model, models = bundle.record["model"], rows.pop("model")
    found = {str(name): in_order(own) for name, own in rows.groupby(models, sort=False) if name in (model, *BASELINES)}
    return {model: rows[:0], **found}


def shared_error(workspace: Workspace, bundle: Bundle) -> SharedError | None:
    """Return what past origins say of the errors that customers share; None where there are none."""
    return SharedError.of(list(past_origins(workspace, bundle).values()))
