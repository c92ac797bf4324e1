"""Scored customers of the model in use: read where they are kept, made by a job where they are not."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.scoring import scores_path
from clv_core.strategy.history import purchase_history, with_history
from pages.ui import progress, state
from pages.ui.state import t


def need_scores(dataset: Dataset, bundle: Bundle) -> pd.DataFrame:
    """Return all customers with scores and history; while they are not there, show the run that makes them.

    Returns:
        ``score``'s columns and those of :mod:`clv_core.strategy.history`, one row a customer. Shared by all sessions:
        not to be written to.
    """
    path = scores_path(state.workspace(), bundle, dataset)
    out = state.workspace().exports / f"{bundle.id}-scores.parquet"
    command = ["score", dataset.name, "--model", bundle.id, "--out", str(out)]
    progress.need(path.exists(), command, bundle.id, t("scored.wait"))
    return _customers(str(path), path.stat().st_mtime, dataset)


@st.cache_resource(max_entries=2, show_spinner=False)
def _customers(path: str, written: float, _dataset: Dataset) -> pd.DataFrame:
    """Return the scores at ``path`` with each customer's history before the same cutoff."""
    frame, cutoff = pd.read_parquet(path), _dataset.log_end
    return with_history(frame, purchase_history(_dataset, cutoff), cutoff)
