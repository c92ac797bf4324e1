"""The export log: its lines, the exported files that are still there, and lines of files that are no lists.

Backtests and models with their holdout hold customer ids as lists do.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.registry import Registry, Version
from clv_core.strategy.audiences.export import LOG, Exported, ExportRecord, Side, log_download, log_export
from clv_core.workspace import Workspace, latest_records

PREDICTIONS: Final = "predictions"
"""Format of a backtest's predictions in the export log; its name for people is the key ``export.predictions``."""
MODEL: Final = "model_holdout"
"""Format of a model that left with its holdout."""
CACHED_SCORES: Final = re.compile(r".+-[0-9a-f]{12}-scores(-\d{4}-\d{2}-\d{2})?\.parquet")
"""Names of the files that the pages score into: a model's id, and the cutoff where it is not the log's end."""


def is_cached_scores(name: str) -> bool:
    """Return whether a file is a cache of scores that the pages made, which nobody took away."""
    return CACHED_SCORES.fullmatch(name) is not None


def customer_exports(workspace: Workspace) -> list[ExportRecord]:
    """Return the lines of the export log without cached scores, the newest first."""
    lines = export_log(workspace)
    return [line for line in lines if not (line.files and all(map(is_cached_scores, line.files)))]


def export_log(workspace: Workspace) -> list[ExportRecord]:
    """Return every line of the export log, the newest first: who, what, when, how many (``log_export``).

    A line without files is of a download that was not stored. A line that was not written to its end is left out.
    """
    return [ExportRecord.from_json(line) for line in latest_records(workspace.place("exports") / LOG)]


def exported_files(
    workspace: Workspace, name: str, versions: Collection[str], *, of_customers: bool = False
) -> list[Path]:
    """Return the exported files of a dataset that are still there, the oldest first.

    Args:
        workspace: whose export log is read.
        name: the dataset's name; records under an earlier name are matched by version.
        versions: its versions.
        of_customers: only files whose rows are about customers: a table of prices names nobody.
    """
    entries = reversed(export_log(workspace))
    of_dataset = [entry for entry in entries if entry.dataset == name or entry.dataset_version in versions]
    of_dataset = [entry for entry in of_dataset if not of_customers or entry.customers is not None]
    files = dict.fromkeys(path for entry in of_dataset for path in entry.paths)
    return [path for path in files if path.exists()]


def log_backtest(
    workspace: Workspace, dataset: Dataset, horizon_days: int, predictions: pd.DataFrame, path: Path
) -> None:
    """Note the predictions of a backtest in the export log, where they were written outside the workspace.

    Args:
        workspace: whose log; an erasure searches the workspace itself anyway.
        dataset: whose customers they are.
        horizon_days: predicted span.
        predictions: ``customer_id, origin, model`` and more, one row a customer, origin and model.
        path: where they were written.
    """
    if path.resolve().is_relative_to(workspace.root.resolve()):
        return
    models = ", ".join(dict.fromkeys(predictions["model"].astype("str")))
    cutoff, currency = str(predictions["origin"].max())[:10], dataset.manifest.currency
    side = Side(dataset.name, dataset.version, models, cutoff, horizon_days, currency)
    made = Exported((path,), path.with_name("backtest.json"), len(predictions), int(predictions[CUSTOMER_ID].nunique()))
    log_export(workspace, made, PREDICTIONS, side)


def log_holdout(workspace: Workspace, version: Version, out: Path | None) -> None:
    """Note in the export log that a model left with the predictions that it was measured by.

    Args:
        workspace: whose log.
        version: which model; one without a holdout names nobody, and nothing is noted.
        out: the file; None for a download that is not stored.
    """
    record, rows = version.record, Registry(workspace).open(version).holdout(columns=[CUSTOMER_ID])
    if rows is None:
        return
    side = Side(
        dataset=record.dataset.name,
        dataset_version=record.dataset.version,
        model=version.bundle,
        cutoff=(record.holdout or record).cutoff.isoformat(),
        horizon_days=record.horizon_days,
        currency=record.currency,
    )
    customers = int(rows[CUSTOMER_ID].nunique())
    if out is None:
        log_download(workspace, MODEL, side, len(rows), customers)
    else:
        log_export(workspace, Exported((out,), out.with_name(f"{out.name}.json"), len(rows), customers), MODEL, side)
