"""Scored customers of the model in use: saved ones, else those of a run that is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Bundle, Scored, score_snapshot, snapshot_of
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


def need_scores(scored: Scored) -> pd.DataFrame:
    """Return all customers with scores and purchase history; while they are missing, show the run that makes them.

    Returns:
        ``score``'s columns and those of :mod:`clv_core.strategy.purchase_history`, one row a customer.
        Shared by all sessions: not to be written to.
    """
    trained = _read(scored.trained)
    if scored.is_trained:
        return trained
    if len(trained) > IN_PAGE:
        return _read(scored)
    with st.spinner(working(len(trained), scored.terms)):
        return _at_terms(scored, trained)


def _read(scored: Scored) -> pd.DataFrame:
    """Return the saved scores; a run makes missing ones."""
    path, terms, label = scored.scores_path, scored.terms, scored.model.id
    out = session.workspace().place("exports") / f"{label}-scores.parquet"
    command = ["score", scored.dataset.name, "--model", label, "--out", str(out)]
    if not scored.is_trained:
        label = f"{label} {terms.mark}"
        command += ["--horizon-days", terms.option]
        command += ["--discount-rate", str(terms.discount_rate), "--margin-rate", str(terms.margin_rate)]
    progress.need_result(path.exists(), command, label, t("scored.wait"))
    return _customers(path, scored)


@cached(CUSTOMERS)
def _customers(path: Path, scored: Scored) -> pd.DataFrame:
    """Return the scores at ``path`` with each customer's purchase history before the same cutoff."""
    return join_history(pd.read_parquet(path), load_history(scored), scored.as_of)


@cached(CUSTOMERS)
def _at_terms(scored: Scored, _trained: pd.DataFrame) -> pd.DataFrame:
    """Return ``_trained`` with the scores for other terms."""
    bundle, snapshot = _prepared(scored.trained)
    scores = score_snapshot(bundle, snapshot, scored.dataset.log_end, scored.terms)
    rows = pd.Index(scores[CUSTOMER_ID]).get_indexer(pd.Index(_trained[CUSTOMER_ID]))
    return _trained.assign(**{column: scores[column].to_numpy()[rows] for column in SCORES})


@cached(1)
def _prepared(scored: Scored) -> tuple[Bundle, Snapshot]:
    """Return the loaded model and the customers as it sees them: the same for all terms."""
    return scored.model, snapshot_of(scored.model, scored.dataset, None, NoProgress())
