"""Customers in the segments of a scheme: shared by all views of the segments page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.stored.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.embedding import embedding_path
from clv_core.deployment.saved_scores import ScoredDataset
from clv_core.deployment.terms import Terms
from clv_core.errors import UsageError
from clv_core.evaluation.levels import SharedError
from clv_core.evaluation.sums import Summands
from clv_core.strategy.segments import VALUE
from clv_core.strategy.segments.clusters import Clusters, fit_scheme, load_points, needs_embedding
from clv_core.strategy.segments.customer_attributes import with_attributes
from clv_core.strategy.segments.saved_segments import last_written
from clv_core.strategy.segments.scored_customers import apply_labels
from clv_core.strategy.segments.segment_figures import segment_table
from clv_core.strategy.segments.segment_rules import Rules
from clv_core.strategy.segments.segmentation import Assignment, FittedScheme, Segmentation
from pages.ui import progress, state, tiers
from pages.ui.saying import t


@dataclass(frozen=True, eq=False)
class Scene:
    """Customers in segments.

    Args:
        scored: dataset and model, as of the log's end.
        terms: horizon, discount and margin of the values.
        customers: scores for these terms with purchase history, [n]; not to be written to.
        trained: the same for the trained horizon, in the same order.
        scheme: of the segments.
        fitted: the scheme with its cuts.
        placed: the customers' segments with their labels.
        table: one row a segment (:func:`~clv_core.strategy.segments.segment_figures.segment_table`).
        summands: of all customers; None if there are no past origins.
    """

    scored: ScoredDataset
    terms: Terms
    customers: pd.DataFrame
    trained: pd.DataFrame
    scheme: Segmentation
    fitted: FittedScheme
    placed: Assignment
    table: pd.DataFrame
    summands: Summands | None

    @property
    def dataset(self) -> Dataset:
        """The log."""
        return self.scored.dataset

    @property
    def bundle(self) -> Bundle:
        """The model."""
        return self.scored.bundle

    @property
    def currency(self) -> str:
        """Of the amounts."""
        return self.scored.currency

    @property
    def names(self) -> list[str]:
        """Of the segments, in the scheme's order."""
        return self.table["name"].tolist()


def need_points(scheme: Segmentation, scored: ScoredDataset) -> None:
    """Show the run that computes the embedding, if a scheme needs it and it is missing."""
    if needs_embedding(scheme, scored):
        path = embedding_path(scored.bundle, scored.dataset, scored.cutoff)
        command, label = ["embed", scored.dataset.name, "--model", scored.bundle.id], scored.bundle.id
        if scored.cutoff is not None:
            command, label = [*command, "--cutoff", scored.cutoff.isoformat()], f"{label} {scored.cutoff}"
        progress.need(path.exists(), command, label, t("segments.embedding.wait"))


def scene(
    scored: ScoredDataset, terms: Terms, scheme: Segmentation, customers: pd.DataFrame, trained: pd.DataFrame
) -> Scene:
    """Return the customers in the segments of a scheme; cached."""
    shared, written = tiers.what_past_origins_say(scored.bundle, terms)
    labelled = last_written(scored.dataset)
    mark = (scored.bundle.id, str(scored.bundle.record["created"]), scored.dataset.version, terms)
    fitted, placed = _placed(mark, str(scheme), labelled, scheme, scored, customers, trained)
    summands = None if shared is None else _summands(mark, written, customers, shared)
    table = _table(mark, str(scheme), labelled, written, state.language(), customers, placed, summands)
    return Scene(scored, terms, customers, trained, scheme, fitted, placed, table, summands)


def place(scheme: Segmentation, fitted: FittedScheme, scored: ScoredDataset, customers: pd.DataFrame) -> Assignment:
    """Return the labelled segments of customers, of any day, by fitted cuts."""
    points = load_points(scheme, scored, customers)
    columns = scheme.columns if isinstance(scheme, Rules) else ()
    customers = with_attributes(customers, scored.dataset, scored.as_of, columns)
    return apply_labels(fitted.place(customers, points), scheme, scored)


def _fit(scheme: Segmentation, scored: ScoredDataset, customers: pd.DataFrame) -> FittedScheme:
    """Return a scheme with its cuts, fitted to the customers at the log's end."""
    points = load_points(scheme, scored, customers)
    if needs_embedding(scheme, scored) and points is None:
        raise UsageError("clusters_need_embedding")
    return fit_scheme(scheme, scored, customers, points)


@st.cache_resource(max_entries=6, show_spinner=False)
def _placed(
    mark: tuple[object, ...],
    scheme: str,
    labelled: int,
    _scheme: Segmentation,
    _scored: ScoredDataset,
    _customers: pd.DataFrame,
    _trained: pd.DataFrame,
) -> tuple[FittedScheme, Assignment]:
    """Assign customers; clusters by the trained horizon's scores, which their centres were fitted on."""
    own = _trained if isinstance(_scheme, Clusters) else _customers
    fitted = _fit(_scheme, _scored, own)
    return fitted, place(_scheme, fitted, _scored, own)


@st.cache_resource(max_entries=2, show_spinner=False)
def _summands(mark: tuple[object, ...], written: float, _customers: pd.DataFrame, _shared: SharedError) -> Summands:
    return Summands.of(_customers, _shared)


@st.cache_resource(max_entries=16, show_spinner=False)
def _table(
    mark: tuple[object, ...],
    scheme: str,
    labelled: int,
    written: float,
    language: str,
    _customers: pd.DataFrame,
    _placed: Assignment,
    _summands: Summands | None,
) -> pd.DataFrame:
    return segment_table(_customers, _placed, _summands, language)


@st.cache_resource(max_entries=2, show_spinner=False)
def by_value(model_id: str, version: str, terms: Terms, _customers: pd.DataFrame) -> np.ndarray:
    """Return the rows of customers, the most valuable first, [n]."""
    return np.argsort(-_customers[VALUE].to_numpy(), kind="stable")
