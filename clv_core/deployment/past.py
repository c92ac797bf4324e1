"""What past origins showed of a model: its holdout, and the comparison on rolling origins where one was made."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.beside import ROWS, in_order
from clv_core.evaluation.levels import SharedError
from clv_core.workspace import Workspace

PREDICTIONS: Final = "predictions.parquet"
NEEDED: Final = ("p_purchase", "predicted_clv", "actual")


def comparison_folder(workspace: Workspace, bundle: Bundle) -> Path:
    """Return where the comparison of a model with others on rolling origins is kept."""
    return workspace.place("backtests") / f"{bundle.id}-{bundle.record['dataset']['version']}"


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


def held_out(bundle: Bundle, model: str) -> pd.DataFrame | None:
    """Return the predictions of one model on the span held out and what came true; None where they are not kept.

    Returns:
        :data:`~clv_core.evaluation.beside.ROWS`, in the order of customers; empty where the model was not measured.
    """
    rows = bundle.holdout(model, ROWS)
    return None if rows is None else in_order(rows)


def shared_error(workspace: Workspace, bundle: Bundle) -> SharedError | None:
    """Return what past origins say of the errors that customers share; None where there are none."""
    return SharedError.of(list(past_origins(workspace, bundle).values()))
