"""The history of scored customers, kept beside their scores: it takes seconds to add up of a large log."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from clv_core.collection.stored.store import Dataset, open_dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.artifacts import HISTORY
from clv_core.deployment.bundle import open_bundle
from clv_core.deployment.saved_scores import companion_path, scores_path
from clv_core.deployment.table_file import write_table
from clv_core.disk import ignore_unwritable
from clv_core.strategy.history import FIRST_PURCHASE, HISTORY_COLUMNS, LAST_PURCHASE, of_customers, purchase_history
from clv_core.workspace import Workspace


def kept_history(scores: Path, dataset: Dataset, cutoff: date) -> pd.DataFrame:
    """Return the history of the customers of kept scores, row by row in their order.

    Where it is not kept, or is older than the scores, it is made.

    Args:
        scores: the file of a model's plain scores as of the cutoff, which other terms share.
        dataset: the log that they come from.
        cutoff: as for :func:`~clv_core.strategy.history.purchase_history`.

    Returns:
        :data:`~clv_core.strategy.history.HISTORY_COLUMNS`.
    """
    path = companion_path(scores, HISTORY)
    if not path.exists() or path.stat().st_mtime_ns < scores.stat().st_mtime_ns:
        customers = pd.read_parquet(scores, columns=[CUSTOMER_ID])[CUSTOMER_ID]
        found = of_customers(customers, purchase_history(dataset, cutoff))
        with ignore_unwritable():
            write_table(found.assign(**{CUSTOMER_ID: customers}), path)
        return found
    # Parquet knows no whole seconds and gives them back as milliseconds.
    kinds = dict.fromkeys((FIRST_PURCHASE, LAST_PURCHASE), "datetime64[s]")
    return pd.read_parquet(path, columns=list(HISTORY_COLUMNS)).astype(kinds)


def keep_history(workspace: Workspace, name: str, model_id: str) -> None:
    """Have the history of customers who were scored as of the log's end ready for the pages."""
    dataset = open_dataset(workspace, name)
    kept_history(scores_path(open_bundle(workspace, model_id), dataset), dataset, dataset.log_end)
