"""Customers placed by a scheme: shared by all that the segments page shows of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.stored.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.embedding import embedding_path
from clv_core.deployment.terms import Terms
from clv_core.errors import UsageError
from clv_core.evaluation.levels import SharedError
from clv_core.evaluation.sums import Summands
from clv_core.strategy.schemes.clusters import Clusters
from clv_core.strategy.schemes.figures import segment_table
from clv_core.strategy.schemes.known import with_known
from clv_core.strategy.schemes.rules import Rules
from clv_core.strategy.schemes.saved import last_written
from clv_core.strategy.schemes.segmentation import Fitted, Floats, Placed, Segmentation
from clv_core.strategy.schemes.settle import called, needs_embedding, points_of, settle
from clv_core.strategy.segments import VALUE
from pages.ui import progress, state, tiers
from pages.ui.saying import t


@dataclass(frozen=True, eq=False)
class Scene:
    """Customers in segments, and what is known of both.

    Args:
        dataset: the log.
        bundle: the model.
        terms: what the values speak of.
        customers: scores for these terms with history, [n]; not to be written to.
        trained: the same for the trained horizon, in the same order.
        scheme: as it was asked for.
        fitted: with its cuts.
        placed: where the customers are, the segments called as a person calls them.
        table: one row a segment (:func:`~clv_core.strategy.schemes.figures.segment_table`).
        summands: of all customers; None where no past origin is known.
    """

    dataset: Dataset
    bundle: Bundle
    terms: Terms
    customers: pd.DataFrame
    trained: pd.DataFrame
    scheme: Segmentation
    fitted: Fitted
    placed: Placed
    table: pd.DataFrame
    summands: Summands | None

    @property
    def currency(self) -> str:
        """Of the amounts."""
        return str(self.bundle.record["currency"])

    @property
    def names(self) -> list[str]:
        """Of the segments, in the scheme's order."""
        return self.table["name"].tolist()


def need_points(scheme: Segmentation, dataset: Dataset, bundle: Bundle, cutoff: date | None = None) -> None:
    """Wait for the run that keeps how the networks see customers, where a scheme needs it."""
    if needs_embedding(scheme, bundle):
        path = embedding_path(bundle, dataset, cutoff)
        command, label = ["embed", dataset.name, "--model", bundle.id], bundle.id
        if cutoff is not None:
            command, label = [*command, "--cutoff", cutoff.isoformat()], f"{bundle.id} {cutoff}"
        progress.need(path.exists(), command, label, t("segments.embedding.wait"))


def scene(
    dataset: Dataset, bundle: Bundle, terms: Terms, scheme: Segmentation, customers: pd.DataFrame, trained: pd.DataFrame
) -> Scene:
    """Return the customers in the segments of a scheme; worked out once for what it depends on."""
    shared, written = tiers.what_past_origins_say(bundle, terms)
    settled = last_written(dataset)
    mark = (bundle.id, str(bundle.record["created"]), dataset.version, terms)
    fitted, placed = _placed(mark, str(scheme), settled, scheme, bundle, dataset, customers, trained)
    summands = None if shared is None else _summands(mark, written, customers, shared)
    table = _table(mark, str(scheme), settled, written, state.language(), customers, placed, summands)
    return Scene(dataset, bundle, terms, customers, trained, scheme, fitted, placed, table, summands)


def place(
    scheme: Segmentation,
    fitted: Fitted,
    dataset: Dataset,
    bundle: Bundle,
    customers: pd.DataFrame,
    cutoff: date | None = None,
) -> Placed:
    """Return where customers, of whatever day, are by settled cuts; segments called as a person calls them."""
    points = points_of(state.workspace(), scheme, bundle, dataset, customers, cutoff)
    asked = scheme.columns if isinstance(scheme, Rules) else ()
    known = with_known(customers, dataset, cutoff or dataset.log_end, asked)
    return called(fitted.place(known, points), scheme, bundle, dataset)


def fit(scheme: Segmentation, dataset: Dataset, bundle: Bundle, customers: pd.DataFrame) -> Fitted:
    """Return a scheme with its cuts, settled by the customers at the log's end."""
    points: Floats | None = points_of(state.workspace(), scheme, bundle, dataset, customers)
    if needs_embedding(scheme, bundle) and points is None:
        raise UsageError("clusters_need_embedding")
    return settle(scheme, bundle, dataset, customers, points)


@st.cache_resource(max_entries=6, show_spinner=False)
def _placed(
    mark: tuple[object, ...],
    scheme: str,
    settled: int,
    _scheme: Segmentation,
    _bundle: Bundle,
    _dataset: Dataset,
    _customers: pd.DataFrame,
    _trained: pd.DataFrame,
) -> tuple[Fitted, Placed]:
    """Place customers; clusters by the trained horizon's scores, which their centres were found on."""
    own = _trained if isinstance(_scheme, Clusters) else _customers
    fitted = fit(_scheme, _dataset, _bundle, own)
    return fitted, place(_scheme, fitted, _dataset, _bundle, own)


@st.cache_resource(max_entries=2, show_spinner=False)
def _summands(mark: tuple[object, ...], written: float, _customers: pd.DataFrame, _shared: SharedError) -> Summands:
    return Summands.of(_customers, _shared)


@st.cache_resource(max_entries=16, show_spinner=False)
def _table(
    mark: tuple[object, ...],
    scheme: str,
    settled: int,
    written: float,
    language: str,
    _customers: pd.DataFrame,
    _placed: Placed,
    _summands: Summands | None,
) -> pd.DataFrame:
    return segment_table(_customers, _placed, _summands, language)


@st.cache_resource(max_entries=2, show_spinner=False)
def by_value(model_id: str, version: str, terms: Terms, _customers: pd.DataFrame) -> np.ndarray:
    """Return the places of customers, the most valuable first, [n]."""
    return np.argsort(-_customers[VALUE].to_numpy(), kind="stable")
