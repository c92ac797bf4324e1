"""Customers in the segments of a scheme: shared by the pages of segments, lists and budgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Bundle, Scored, embedding_path
from clv_core.errors import UsageError
from clv_core.evaluation import SharedError, Summands
from clv_core.strategy.audiences import Assumption, Side
from clv_core.strategy.plans import TIERS
from clv_core.strategy.segments import (
    CLUSTERS,
    CONTAINS,
    DEFAULT_COUNT,
    KINDS,
    QUADRANT,
    RFM,
    RULES,
    SEGMENT,
    TIER,
    VALUE,
    Assignment,
    Clusters,
    Condition,
    FittedScheme,
    Rule,
    Rules,
    Segmentation,
    ValueTiers,
    apply_labels,
    fit_scheme,
    last_written,
    load_points,
    needs_embedding,
    saved_rules,
    segment_table,
    with_attributes,
    with_segments,
)
from pages.ui import i18n, navigation, progress, session, tiers
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import t

GROUP: Final = "segments_group"
"""Session key of the group that the segments page shows alone: the dataset's name, and a rule."""


@dataclass(frozen=True, eq=False)
class SegmentedCustomers:
    """Customers in the segments of a scheme.

    Args:
        scored: dataset and model, as of the log's end, with the terms of the values.
        customers: scores at these terms with purchase history, [n]; not to be written to.
        trained: the same for the trained horizon, in the same order.
        scheme: of the segments.
        fitted: the scheme with its cuts.
        placed: the customers' segments with their labels.
        table: one row a segment (:func:`~clv_core.strategy.segments.segment_figures.segment_table`).
        summands: of all customers; None if there are no past origins.
    """

    scored: Scored
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
        return self.scored.model

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
        segmented: where they come from.
        segments: the selected ones, by place; empty for all.
        filters: conditions in addition to them.
        rows: their places, the most valuable first, [m].
    """

    segmented: SegmentedCustomers
    segments: list[int]
    filters: tuple[Condition, ...]
    rows: np.ndarray

    def frame(self, rows: np.ndarray | None = None) -> pd.DataFrame:
        """Return them, or some of them, with their segment; value tiers have ``tier`` and ``tier_name``."""
        segmented, rows = self.segmented, self.rows if rows is None else rows
        placed = replace(
            segmented.placed,
            where=segmented.placed.where[rows],
            inside=None if segmented.placed.inside is None else segmented.placed.inside[:, rows],
        )
        members = segmented.customers.iloc[rows]
        if isinstance(segmented.scheme, ValueTiers):
            names = np.array(segmented.names, dtype=object)
            return members.assign(**{TIER: placed.where + 1, "tier_name": names[placed.where]})
        tiered = tiers.tiered(segmented.scored, segmented.customers)
        members = members.assign(**{TIER: tiered[TIER].to_numpy()[rows]})
        return with_segments(members, placed, segmented.fitted, session.language())

    def side(self) -> Side:
        """Return what the numbers of a file of them mean."""
        segmented = self.segmented
        everyone = tiers.side(segmented.scored)
        column = TIER if isinstance(segmented.scheme, ValueTiers) else SEGMENT
        keys = tuple(segmented.placed.segments[place].key for place in self.segments)
        conditions = (Condition(column, "=", keys), *self.filters) if keys else self.filters
        notes = tiers.range_notes(segmented.customers.iloc[self.rows])
        assumptions = (*everyone.assumptions, *(Assumption.of(note, session.language()) for note in notes))
        segment = " ".join(map(str, conditions))
        return replace(everyone, scheme=str(segmented.scheme), segment=segment, assumptions=assumptions)

    @property
    def title(self) -> str:
        """What they are, for people: their segments, everybody, or some of everybody."""
        if self.segments:
            names = (self.segmented.placed.segments[place].name(session.language()) for place in self.segments)
            return i18n.join_names(names)
        return t("campaign.some" if self.filters else "campaign.everybody")

    @property
    def what(self) -> str:
        """Their part of a file name; a searched id is not in it, only that there was a search."""
        keys = "-".join(self.segmented.placed.segments[place].key for place in self.segments)
        word = "tier" if isinstance(self.segmented.scheme, ValueTiers) else f"{self.segmented.scheme.kind}-"
        filters = [
            condition.column if condition.operator == CONTAINS else f"{condition.column}-{condition.values[0]}"
            for condition in self.filters
        ]
        return "-".join([word + keys if keys else "customers", *filters])


def scheme_texts(dataset: Dataset) -> list[str]:
    """Return the texts of the schemes that are always offered."""
    return [TIERS, QUADRANT, RFM, f"{CLUSTERS}:{DEFAULT_COUNT}", *(f"{RULES}:{name}" for name in saved_rules(dataset))]


def scheme_name(by: str, dataset: Dataset) -> str:
    """Return what a scheme is called."""
    kind, _, name = by.partition(":")
    if by == TIERS or kind == RULES:
        return name or t("budget.by.tiers")
    scheme_title = t(f"scheme.{kind}")
    return scheme_title if by in scheme_texts(dataset) else t("budget.by.cuts", scheme=scheme_title)


def need_points(scheme: Segmentation, scored: Scored) -> None:
    """Show the run that computes the embedding, if a scheme needs it and it is missing."""
    if needs_embedding(scheme, scored):
        path = embedding_path(scored)
        command, label = ["embed", scored.dataset.name, "--model", scored.model.id], scored.model.id
        if scored.cutoff is not None:
            command, label = [*command, "--cutoff", scored.cutoff.isoformat()], f"{label} {scored.cutoff}"
        progress.need_result(path.exists(), command, label, t("segments.embedding.wait"))


def segment(scored: Scored, scheme: Segmentation, customers: pd.DataFrame, trained: pd.DataFrame) -> SegmentedCustomers:
    """Return the customers, scored at these terms and for the trained horizon, in the segments of a scheme."""
    shared, labelled = tiers.shared_error_of(scored), last_written(scored.dataset)
    predictions = tiers.predictions_of(scored.model)
    fitted, placed = _place(scored, str(scheme), labelled, scheme, customers, trained)
    summands = None if shared is None else _summands(scored, predictions, customers, shared)
    key = (scored, str(scheme), labelled, predictions, session.language())
    table = _table(key, customers, placed, summands)
    return SegmentedCustomers(scored, customers, trained, scheme, fitted, placed, table, summands)


def place(scheme: Segmentation, fitted: FittedScheme, scored: Scored, customers: pd.DataFrame) -> Assignment:
    """Return the labelled segments of customers, of any day, by fitted cuts."""
    points = load_points(scheme, scored, customers)
    columns = scheme.columns if isinstance(scheme, Rules) else ()
    customers = with_attributes(customers, scored.dataset, scored.as_of, columns)
    return apply_labels(fitted.place(customers, points), scheme, scored)


def _fit(scheme: Segmentation, scored: Scored, customers: pd.DataFrame) -> FittedScheme:
    """Return a scheme with its cuts, fitted to the customers at the log's end."""
    points = load_points(scheme, scored, customers)
    if needs_embedding(scheme, scored) and points is None:
        raise UsageError("clusters_need_embedding")
    return fit_scheme(scheme, scored, customers, points)


def open_group(group: Rule, dataset: Dataset) -> None:
    """Open the segments page with the customers of a group alone."""
    st.session_state[GROUP] = (dataset.name, group)
    st.session_state["segments_view"] = "overview"
    if st.session_state.get("scheme_kind") == RULES and not saved_rules(dataset):
        st.session_state["scheme_kind"] = KINDS[0]
    navigation.go("segments")


def opened_group(dataset: Dataset) -> Rule | None:
    """Return the group of a dataset's customers that the segments page shows alone; None for everybody."""
    name, group = st.session_state.get(GROUP, ("", None))
    return group if name == dataset.name else None


def holding(group: Rule, scored: Scored, customers: pd.DataFrame) -> np.ndarray:
    """Return which of the scored customers are in a group, bool [n]."""
    columns = tuple(sorted({condition.column for condition in group.conditions}))
    return group.holds(_with(columns, scored, customers))


@cached(CUSTOMERS)
def _with(columns: tuple[str, ...], scored: Scored, _customers: pd.DataFrame) -> pd.DataFrame:
    """Return the customers' ids with the columns of conditions."""
    known = _customers[[CUSTOMER_ID, *(column for column in columns if column in _customers)]]
    return with_attributes(known, scored.dataset, scored.as_of, columns)


@cached(CUSTOMERS)
def _place(
    scored: Scored,
    scheme: str,  # noqa: ARG001 - its text
    labelled: int,  # noqa: ARG001 - when labels or rules were last written
    _scheme: Segmentation,
    _customers: pd.DataFrame,
    _trained: pd.DataFrame,
) -> tuple[FittedScheme, Assignment]:
    """Assign customers; clusters by the trained horizon's scores, which their centres were fitted on."""
    customers_of = _trained if isinstance(_scheme, Clusters) else _customers
    fitted = _fit(_scheme, scored, customers_of)
    return fitted, place(_scheme, fitted, scored, customers_of)


@cached(CUSTOMERS)
def _summands(
    scored: Scored,  # noqa: ARG001 - names the customers
    predictions: Path,  # noqa: ARG001
    _customers: pd.DataFrame,
    _shared: SharedError,
) -> Summands:
    return Summands.of(_customers, _shared)


@cached()
def _table(
    key: tuple[Any, ...], _customers: pd.DataFrame, _placed: Assignment, _summands: Summands | None
) -> pd.DataFrame:
    """Return one row a segment; the key holds all that it depends on, the language last."""
    return segment_table(_customers, _placed, _summands, str(key[-1]))


@cached(CUSTOMERS)
def by_value(scored: Scored, _customers: pd.DataFrame) -> np.ndarray:  # noqa: ARG001
    """Return the rows of customers, the most valuable first, [n]."""
    return np.argsort(-_customers[VALUE].to_numpy(), kind="stable")
