"""Customers in the segments of a scheme: shared by all views of the segments page."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.embedding import embedding_path
from clv_core.deployment.saved_scores import ScoredDataset
from clv_core.deployment.terms import Terms
from clv_core.errors import UsageError
from clv_core.evaluation.levels import SharedError
from clv_core.evaluation.sums import Summands
from clv_core.strategy.audiences.export import Side
from clv_core.strategy.plans.saved_offers import TIERS
from clv_core.strategy.segments import TIER, VALUE
from clv_core.strategy.segments.clusters import (
    CLUSTERS,
    DEFAULT_COUNT,
    Clusters,
    fit_scheme,
    load_points,
    needs_embedding,
)
from clv_core.strategy.segments.conditions import CONTAINS, Condition
from clv_core.strategy.segments.customer_attributes import with_attributes
from clv_core.strategy.segments.rfm_and_quadrant import QUADRANT, RFM
from clv_core.strategy.segments.saved_segments import last_written, saved_rules
from clv_core.strategy.segments.scored_customers import apply_labels, with_segments
from clv_core.strategy.segments.segment_figures import segment_table
from clv_core.strategy.segments.segment_rules import RULES, Rules
from clv_core.strategy.segments.segmentation import SEGMENT, Assignment, FittedScheme, Segmentation
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, ValueTiers
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


@dataclass(frozen=True, eq=False)
class Members:
    """The customers that pass the filters.

    Args:
        scene: where they come from.
        segments: that were asked for, by place; empty for all.
        filters: conditions that were asked for beside them.
        rows: their places, the most valuable first, [m].
    """

    scene: Scene
    segments: list[int]
    filters: tuple[Condition, ...]
    rows: np.ndarray

    def frame(self, rows: np.ndarray | None = None) -> pd.DataFrame:
        """Return them, or some of them, with their segment; value tiers have ``tier`` and ``tier_name``."""
        scene, rows = self.scene, self.rows if rows is None else rows
        placed = replace(
            scene.placed,
            where=scene.placed.where[rows],
            inside=None if scene.placed.inside is None else scene.placed.inside[:, rows],
        )
        own = scene.customers.iloc[rows]
        if isinstance(scene.scheme, ValueTiers):
            names = np.array(scene.names, dtype=object)
            return own.assign(**{TIER: placed.where + 1, "tier_name": names[placed.where]})
        mark = (scene.bundle.id, scene.dataset.version, scene.terms)
        tier = tiers.tiered(*mark, DEFAULT_SCHEME, scene.customers)[TIER].to_numpy()[rows]
        return with_segments(own.assign(**{TIER: tier}), placed, scene.fitted, state.language())

    def side(self) -> Side:
        """Return what the numbers of a file of them mean."""
        scene = self.scene
        plain = tiers.side(scene.dataset, scene.bundle, DEFAULT_SCHEME, [], scene.terms)
        column = TIER if isinstance(scene.scheme, ValueTiers) else SEGMENT
        keys = tuple(scene.placed.segments[place].key for place in self.segments)
        asked = (Condition(column, "=", keys), *self.filters) if keys else self.filters
        return replace(plain, scheme=str(scene.scheme), segment=" ".join(map(str, asked)))

    @property
    def what(self) -> str:
        """What a file of them is called; of an id that was searched for it only says that one was."""
        keys = "-".join(self.scene.placed.segments[place].key for place in self.segments)
        word = "tier" if isinstance(self.scene.scheme, ValueTiers) else f"{self.scene.scheme.kind}-"
        said = [one.column if one.operator == CONTAINS else f"{one.column}-{one.values[0]}" for one in self.filters]
        return "-".join([word + keys if keys else "customers", *said])


def scheme_texts(dataset: Dataset) -> list[str]:
    """Return the texts of the schemes that are always offered."""
    return [TIERS, QUADRANT, RFM, f"{CLUSTERS}:{DEFAULT_COUNT}", *(f"{RULES}:{name}" for name in saved_rules(dataset))]


def scheme_name(by: str, dataset: Dataset) -> str:
    """Return what a scheme is called."""
    kind, _, name = by.partition(":")
    if by == TIERS or kind == RULES:
        return name or t("budget.by.tiers")
    own = t(f"scheme.{kind}")
    return own if by in scheme_texts(dataset) else t("budget.by.cuts", scheme=own)


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
