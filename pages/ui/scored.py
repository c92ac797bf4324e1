"""Scored customers of the model in use: saved ones, else those of a run that is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Bundle, ScoredDataset, Terms, score_snapshot, snapshot_of
from clv_core.features import Snapshot
from clv_core.jobs import NoProgress
from clv_core.strategy import join_history, load_history
from pages.ui import progress, session
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import t
from pages.ui.terms import working

IN_PAGE: Final = 100_000
"""So many customers are predicted anew while the person waits; more are a run of their own."""
SCORES: Final = ("horizon_days", "p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90")


def need_scores(dataset: Dataset, bundle: Bundle, terms: Terms) -> pd.DataFrame:
    """Return all customers with scores and purchase history; while they are missing, show the run that makes them.

    Returns:
        ``score``'s columns and those of :mod:`clv_core.strategy.purchase_history`, one row a customer.
        Shared by all sessions: not to be written to.
    """
    trained = _read(dataset, bundle, Terms(bundle.record.horizon_days))
    if terms.plain(bundle.record.horizon_days):
        return trained
    if len(trained) > IN_PAGE:
        return _read(dataset, bundle, terms)
    with st.spinner(working(len(trained), terms)):
        return _at_terms(session.scored(dataset, bundle), terms, trained)


def _read(dataset: Dataset, bundle: Bundle, terms: Terms) -> pd.DataFrame:
    """Return the saved scores; a run makes missing ones."""
    data = session.scored(dataset, bundle)
    path = data.scores_path(terms)
    out = session.workspace().place("exports") / f"{bundle.id}-scores.parquet"
    command = ["score", dataset.name, "--model", bundle.id, "--out", str(out)]
    label = bundle.id
    if not terms.plain(bundle.record.horizon_days):
        label = f"{bundle.id} {terms.mark}"
        command += ["--horizon-days", terms.option]
        command += ["--discount-rate", str(terms.discount_rate), "--margin-rate", str(terms.margin_rate)]
    progress.need_result(path.exists(), command, label, t("scored.wait"))
    return _customers(path, data)


@cached(CUSTOMERS)
def _customers(path: Path, data: ScoredDataset) -> pd.DataFrame:
    """Return the scores at ``path`` with each customer's purchase history before the same cutoff."""
    return join_history(pd.read_parquet(path), load_history(data), data.as_of)


@cached(CUSTOMERS)
def _at_terms(data: ScoredDataset, terms: Terms, _trained: pd.DataFrame) -> pd.DataFrame:
    """Return ``_trained`` with the scores for other terms."""
    bundle, snapshot = _prepared(data)
    scores = score_snapshot(bundle, snapshot, data.dataset.log_end, terms)
    rows = pd.Index(scores[CUSTOMER_ID]).get_indexer(pd.Index(_trained[CUSTOMER_ID]))
    return _trained.assign(**{column: scores[column].to_numpy()[rows] for column in SCORES})


@cached(1)
def _prepared(data: ScoredDataset) -> tuple[Bundle, Snapshot]:
    """Return the loaded model and the customers as it sees them: the same for all terms."""
    return data.bundle, snapshot_of(data.bundle, data.dataset, None, NoProgress())
