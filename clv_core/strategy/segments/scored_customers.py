"""Scored customers in the segments of a scheme, from the text of the scheme to the columns of a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.deployment import Bundle, Scored
from clv_core.errors import NotEnoughData, UsageError
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy.purchase_history import purchase_history, with_history
from clv_core.strategy.segments.clusters import CLUSTERS, Clusters, fit_scheme, load_points
from clv_core.strategy.segments.conditions import Condition, select
from clv_core.strategy.segments.customer_attributes import with_attributes
from clv_core.strategy.segments.rfm_and_quadrant import CELL, QUADRANT, RFM, FittedRfm, Quadrant, Rfm
from clv_core.strategy.segments.saved_segments import load_labels, load_rules, tier_labels, with_labels
from clv_core.strategy.segments.segment_rules import RULES, Rules
from clv_core.strategy.segments.segmentation import (
    MEMBER,
    SEGMENT,
    SEGMENT_NAME,
    TIER,
    VALUE,
    Assignment,
    Bools,
    FittedScheme,
    Segmentation,
)
from clv_core.strategy.segments.value_tiers import COST, DEFAULT_SCHEME, METHODS, CostTiers, ValueTiers, assign_tiers

KINDS: Final = (*METHODS, COST, QUADRANT, RFM, CLUSTERS, RULES)
KEYS: Final = re.compile(r"\s*\w+(\s*,\s*\w+)*\s*")
TIER_NAME: Final = "tier_name"
MAX_CHOICES: Final = 30
"""Values of a column that a message can list."""


def parse_scheme(text: str, dataset: Dataset) -> Segmentation:
    """Return the scheme of a text.

    Args:
        text: ``quantile:10,30,60``, ``share:50,80,95``, ``thresholds:500,100``, ``cost:5:10,3,1``, ``quadrant``,
            ``quadrant:value=50,p=0.3,by=predicted``, ``rfm``, ``clusters:5``, ``rules:NAME`` or ``rules:FILE.json``.
        dataset: whose saved rules can be named.

    Raises:
        UsageError: it is the text of no scheme.
        NotFound: there are no such rules.
    """
    kind, _, rest = text.strip().partition(":")
    kind, rest = kind.strip().lower(), rest.strip()
    if kind in METHODS:
        return ValueTiers.parse(text)
    if kind == COST:
        return CostTiers.parse(rest)
    if kind == QUADRANT:
        return Quadrant.parse(rest)
    if kind == CLUSTERS:
        return Clusters.parse(rest)
    if kind == RULES:
        return load_rules(dataset, rest)
    if kind == RFM and not rest:
        return Rfm()
    raise UsageError("scheme_unknown", text=text[:80], known=list(KINDS))


def parse_condition(text: str, scheme: Segmentation) -> Condition:
    """Return the condition of a text; words alone are segments of the scheme, ``1,2`` or ``protect``.

    Raises:
        UsageError: it is no condition.
    """
    if isinstance(scheme, ValueTiers) or not KEYS.fullmatch(text):
        return Condition.parse(text)
    keys = tuple(part.strip() for part in text.split(","))
    if not (isinstance(scheme, Rules) and scheme.overlapping):
        return Condition(SEGMENT, "=", keys)
    if len(keys) > 1:
        raise UsageError("rules_one_segment", text=text[:80])
    return Condition(f"{MEMBER}{keys[0]}", "=", ("yes",))


@dataclass(frozen=True, eq=False)
class ScoredCustomers:
    """Customers with scores, purchase history, tier and segment.

    Args:
        frame: the most valuable first, [n].
        assignment: their segments; None if the scheme is one of value tiers.
        count: number of tiers or segments.
    """

    frame: pd.DataFrame
    assignment: Assignment | None
    count: int

    def numbered(self) -> pd.DataFrame:
        """Return them with ``tier``: the number, from 1, of the tier or segment that offers have effects for."""
        return self.frame if self.assignment is None else self.frame.assign(**{TIER: self.assignment.where + 1})

    def names(self, dataset: Dataset, language: str = DEFAULT_LANGUAGE) -> list[str]:
        """Return the names of the tiers or segments, in the scheme's order."""
        if self.assignment is None:
            return tier_labels(dataset, self.count, language)
        return [segment.name(language) for segment in self.assignment.segments]


def load_scored_customers(
    scored: Scored,
    scheme: Segmentation,
    *,
    conditions: Sequence[Condition] = (),
    language: str = DEFAULT_LANGUAGE,
    progress: Progress,
) -> ScoredCustomers:
    """Return all scored customers with their tier, or their segment of another scheme.

    Their values are those for the trained horizon, whatever the terms. The columns that ``conditions`` need are added.
    """
    scores, history = scored.trained.scores(progress), purchase_history(scored.dataset, scored.as_of)
    scores = with_history(scores, history, scored.as_of)
    columns = {condition.column for condition in conditions}
    columns |= scheme.columns if isinstance(scheme, Rules) else set()
    tiers = scheme if isinstance(scheme, ValueTiers) else DEFAULT_SCHEME
    customers = with_attributes(_with_tiers(scores, tiers, scored, language), scored.dataset, scored.as_of, columns)
    if isinstance(scheme, ValueTiers):
        return ScoredCustomers(customers, None, scheme.tiers)
    points = load_points(scheme, scored, customers, progress)
    fitted = fit_scheme(scheme, scored, customers, points)
    assignment = apply_labels(fitted.place(customers, points), scheme, scored)
    return ScoredCustomers(with_segments(customers, assignment, fitted, language), assignment, assignment.count)


def choose(customers: pd.DataFrame, conditions: Sequence[Condition]) -> pd.DataFrame:
    """Return the customers who fulfil all conditions.

    Raises:
        NotEnoughData: nobody does; the error lists the values of a column that has few, as the condition's may be
            misspelt.
        UsageError: a condition on a missing column, or that does not fit its column.
    """
    chosen = select(customers, conditions)
    if chosen.empty:
        for one in conditions:
            choices = _choices(customers[one.column])
            if one.operator == "=" and choices and not one.holds(customers).any():
                raise NotEnoughData("segment_value", column=one.column, value=list(one.values), known=choices)
        raise NotEnoughData("segment_empty", segment=" ".join(map(str, conditions)) or "-")
    return chosen


def labels_key(scheme: Segmentation, bundle: Bundle) -> str:
    """Return the key of the labels of a scheme's segments; those of clusters belong to one model."""
    return f"{scheme.names_key}:{bundle.id}" if isinstance(scheme, Clusters) else scheme.names_key


def apply_labels(assignment: Assignment, scheme: Segmentation, scored: Scored) -> Assignment:
    """Return the same with the labels that people gave the segments."""
    labels = load_labels(scored.dataset, labels_key(scheme, scored.model))
    return replace(assignment, segments=with_labels(assignment.segments, labels))


def with_segments(
    customers: pd.DataFrame, assignment: Assignment, fitted: FittedScheme, language: str = DEFAULT_LANGUAGE
) -> pd.DataFrame:
    """Return customers with ``segment`` (its key) and ``segment_name``; of RFM also the cell, ``543``.

    If segments overlap, ``segment`` is the first of a customer, ``segment_name`` has the names of all, and ``in_<key>``
    is true for the members of each.
    """
    names = pd.Series([one.name(language) for one in assignment.segments], dtype="str")
    keys = pd.Series([one.key for one in assignment.segments], dtype="str")
    inside = assignment.inside
    columns = {
        SEGMENT: keys.to_numpy()[assignment.where],
        SEGMENT_NAME: names.to_numpy()[assignment.where] if inside is None else _all_names(inside, names),
    }
    if isinstance(fitted, FittedRfm):
        columns[CELL] = fitted.cells(customers).to_numpy()
    if inside is not None:
        columns |= {f"{MEMBER}{one.key}": row for one, row in zip(assignment.segments, inside, strict=True)}
    return customers.assign(**columns)


def _with_tiers(scores: pd.DataFrame, scheme: ValueTiers, scored: Scored, language: str) -> pd.DataFrame:
    """Return the scored customers with tier and the tier's name, the most valuable first."""
    tiered = assign_tiers(scores, scheme)
    names = dict(enumerate(tier_labels(scored.dataset, scheme.tiers, language), start=1))
    tiered = tiered.assign(**{TIER_NAME: tiered[TIER].map(names)})
    return tiered.sort_values(VALUE, ascending=False, kind="stable", ignore_index=True)


def _all_names(inside: Bools, names: pd.Series[str]) -> NDArray[Any]:
    """Return the names of all segments of each customer, joined; one text for each combination."""
    place, combinations = pd.factorize(inside.T @ (1 << np.arange(len(names))))
    texts = ["; ".join(names[[bool(int(bits) >> n & 1) for n in range(len(names))]]) for bits in combinations]
    return pd.Series(texts, dtype="str").to_numpy()[place]


def _choices(column: pd.Series[Any]) -> list[str]:
    """Return the sorted values of a column that has few, else nothing."""
    values = column.dropna().drop_duplicates()
    return values.sort_values().astype("str").tolist() if len(values) <= MAX_CHOICES else []
