"""Scored customers of the model in use: saved ones, else those of a run that is shown."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import score_snapshot, snapshot_of
from clv_core.deployment.saved_scores import ScoredDataset
from clv_core.deployment.terms import LIFETIME, Terms
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import NoProgress
from clv_core.strategy.purchase_history import join_history, load_history
from pages.ui import progress, state
from pages.ui.saying import t
from pages.ui.terms import working

IN_PAGE: Final = 100_000
"""So many customers are predicted anew while the person waits; more are a run of their own."""
SCORES: Final = ("horizon_days", "p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90")


def need_scores(dataset: Dataset, bundle: Bundle, terms: Terms) -> pd.DataFrame:
    """Return all customers with scores and purchase history; while they are missing, show the run that makes them.

    Args:
        dataset: who is scored.
        bundle: the model.
        terms: horizon, discount and margin.

    Returns:
        ``score``'s columns and those of :mod:`clv_core.strategy.purchase_history`, one row a customer.
        Shared by all sessions: not to be written to.
    """
    trained = _read(dataset, bundle, Terms(bundle.record["horizon_days"]))
    if terms.plain(bundle.record["horizon_days"]):
        return trained
    if len(trained) > IN_PAGE:
        return _read(dataset, bundle, terms)
    with st.spinner(working(len(trained), terms)):
        return _worked_out(bundle.id, dataset.name, dataset.version, terms, bundle, dataset, trained)


def _read(dataset: Dataset, bundle: Bundle, terms: Terms) -> pd.DataFrame:
    """Return the saved scores; a run makes missing ones."""
    scored = state.scored(dataset, bundle)
    path = scored.scores_path(terms)
    out = state.workspace().place("exports") / f"{bundle.id}-scores.parquet"
    command = ["score", dataset.name, "--model", bundle.id, "--out", str(out)]
    label = bundle.id
    if not terms.plain(bundle.record["horizon_days"]):
        label = f"{bundle.id} {terms.mark}"
        command += ["--horizon-days", LIFETIME if terms.lifetime else str(terms.horizon_days)]
        command += ["--discount-rate", str(terms.discount_rate), "--margin-rate", str(terms.margin_rate)]
    progress.need(path.exists(), command, label, t("scored.wait"))
    return _customers(str(path), path.stat().st_mtime, scored)


@st.cache_resource(max_entries=2, show_spinner=False)
def _customers(path: str, written: float, _scored: ScoredDataset) -> pd.DataFrame:
    """Return the scores at ``path`` with each customer's purchase history before the same cutoff."""
    return join_history(pd.read_parquet(path), load_history(_scored), _scored.as_of)


@st.cache_resource(max_entries=8, show_spinner=False)
def _worked_out(
    model_id: str, name: str, version: str, terms: Terms, _bundle: Bundle, _dataset: Dataset, _trained: pd.DataFrame
) -> pd.DataFrame:
    """Return ``_trained`` with the scores for other terms."""
    known, snapshot = _prepared(model_id, name, version, _bundle, _dataset)
    found = score_snapshot(known, snapshot, _dataset.log_end, terms)
    rows = pd.Index(found[CUSTOMER_ID]).get_indexer(pd.Index(_trained[CUSTOMER_ID]))
    return _trained.assign(**{column: found[column].to_numpy()[rows] for column in SCORES})


@st.cache_resource(max_entries=1, show_spinner=False)
def _prepared(model_id: str, name: str, version: str, _bundle: Bundle, _dataset: Dataset) -> tuple[Bundle, Snapshot]:
    """Return the loaded model and the customers as it sees them: the same for all terms."""
    return _bundle, snapshot_of(_bundle, _dataset, None, NoProgress())
