"""Predictions for past days that leave: each row is a customer, so the export log knows of them as it does of lists."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.registry import Registry, Version
from clv_core.strategy.exports.export import Exported, Side, log_export, log_taken
from clv_core.workspace import Workspace

PREDICTIONS: Final = "predictions"
"""What the export log calls the predictions of a backtest; its name for people is the key ``export.predictions``."""
MODEL: Final = "model_holdout"
"""What it calls a model that took its holdout along."""


def log_backtest(workspace: Workspace, dataset: Dataset, horizon_days: int, found: pd.DataFrame, path: Path) -> None:
    """Note the predictions of a backtest in the export log, where they were written outside the workspace.

    Args:
        workspace: whose log; what lies in it is looked through by an erasure anyway.
        dataset: whose customers they are.
        horizon_days: predicted span.
        found: ``customer_id, origin, model`` and more, one row a customer, origin and model.
        path: where they were written.
    """
    if path.resolve().is_relative_to(workspace.root.resolve()):
        return
    models = ", ".join(dict.fromkeys(found["model"].astype("str")))
    cutoff, currency = str(found["origin"].max())[:10], dataset.manifest.currency
    side = Side(dataset.name, dataset.version, models, cutoff, horizon_days, currency)
    made = Exported((path,), path.with_name("backtest.json"), len(found), int(found[CUSTOMER_ID].nunique()))
    log_export(workspace, made, PREDICTIONS, side)


def log_holdout(workspace: Workspace, version: Version, out: Path | None) -> None:
    """Note in the export log that a model left with the predictions that it was measured by.

    Args:
        workspace: whose log.
        version: which model; one without a holdout names nobody, and nothing is noted.
        out: the file; None where it was handed over and does not stay here.
    """
    record, rows = version.record, Registry(workspace).open(version).holdout(columns=[CUSTOMER_ID])
    if rows is None:
        return
    side = Side(
        dataset=record["dataset"]["name"],
        dataset_version=record["dataset"]["version"],
        model=version.bundle,
        cutoff=record["holdout"]["cutoff"] if record["holdout"] else record["cutoff"],
        horizon_days=record["horizon_days"],
        currency=record["currency"],
    )
    customers = int(rows[CUSTOMER_ID].nunique())
    if out is None:
        log_taken(workspace, MODEL, side, len(rows), customers)
    else:
        log_export(workspace, Exported((out,), out.with_name(f"{out.name}.json"), len(rows), customers), MODEL, side)
