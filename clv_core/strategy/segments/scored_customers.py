"""Scored customers in the segments of a scheme, from the text of the scheme to the columns of a list.

Rules and conditions may name columns that are neither scores nor purchase history (:func:`with_attributes`): the value
tier, the attributes of the customers table, and from the log before the cutoff the day of the first purchase, the last
channel and country, the category bought most often, and the behaviour features. Only the columns that are needed are
read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.customers import NUMBER
from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CATEGORY, CHANNEL, COUNTRY, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE
from clv_core.deployment import Bundle, Scored
from clv_core.errors import NotEnoughData, UsageError
from clv_core.features import FEATURES, SOURCES, TEXTS, Engine, attributes_of, day_of, decoded, open_log
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.jobs import Progress
from clv_core.strategy.purchase_history import FIRST_PURCHASE, history_of, purchase_history, with_history
from clv_core.strategy.segments.clusters import CLUSTERS, Clusters, fit_scheme, load_points
from clv_core.strategy.segments.rfm_and_quadrant import CELL, QUADRANT, RFM, FittedRfm, Quadrant, Rfm
from clv_core.strategy.segments.saved_segments import load_labels, load_rules, tier_labels, with_labels
from clv_core.strategy.segments.segment_rules import RULES, Condition, Rules, select
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
FEATURE_OF: Final = {CHANNEL: "last_channel", COUNTRY: "country"}
"""Columns of the log whose last text before the cutoff is a feature."""
BEHAVIOUR: Final = tuple(
    name for name, feature in FEATURES.items() if feature.source in SOURCES and feature.group != "season"
)
"""Features of one customer's events: not those of the anchor, of the calendar and of the horizon."""


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
    selected = select(customers, conditions)
    if selected.empty:
        for condition in conditions:
            choices = _choices(customers[condition.column])
            if condition.operator == "=" and choices and not condition.holds(customers).any():
                raise NotEnoughData(
                    "segment_value", column=condition.column, value=list(condition.values), known=choices
                )
        raise NotEnoughData("segment_empty", segment=" ".join(map(str, conditions)) or "-")
    return selected


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
    names = pd.Series([segment.name(language) for segment in assignment.segments], dtype="str")
    keys = pd.Series([segment.key for segment in assignment.segments], dtype="str")
    inside = assignment.inside
    columns = {
        SEGMENT: keys.to_numpy()[assignment.where],
        SEGMENT_NAME: names.to_numpy()[assignment.where] if inside is None else _all_names(inside, names),
    }
    if isinstance(fitted, FittedRfm):
        columns[CELL] = fitted.cells(customers).to_numpy()
    if inside is not None:
        columns |= {f"{MEMBER}{segment.key}": row for segment, row in zip(assignment.segments, inside, strict=True)}
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


def condition_columns(customers: pd.DataFrame, dataset: Dataset) -> list[str]:
    """Return the names of all columns that conditions can use, those of ``customers`` first."""
    texts = [name for name in (CHANNEL, COUNTRY, CATEGORY) if name in dataset.manifest.columns]
    behaviour = [name for name in BEHAVIOUR if name not in FEATURE_OF.values() and TEXTS.get(name) in (None, *texts)]
    attributes = [attribute.name for attribute in attributes_of(dataset)]
    return list(dict.fromkeys([*customers, TIER, *attributes, FIRST_PURCHASE, *texts, *behaviour]))


def with_attributes(customers: pd.DataFrame, dataset: Dataset, cutoff: date, columns: Iterable[str]) -> pd.DataFrame:
    """Return customers with the attributes among ``columns`` that they lack, as of the cutoff.

    Contact fields are never among them. A missing value is NaN; names that are no attributes are ignored.

    Args:
        customers: ``score``'s columns, one row each, [n].
        dataset: whose log and customers table are read.
        cutoff: as of when.
        columns: names that conditions use.
    """
    lacking = [name for name in dict.fromkeys(columns) if name not in customers]
    customers = assign_tiers(customers) if TIER in lacking else customers
    ids = pd.Index(customers[CUSTOMER_ID])
    values = _table_attributes(ids, dataset, cutoff, lacking)
    behaviour = {name: FEATURE_OF.get(name, name) for name in lacking if name not in values}
    behaviour = {name: feature for name, feature in behaviour.items() if feature in BEHAVIOUR}
    if behaviour:
        features = _features(dataset, cutoff, set(behaviour.values())).reindex(ids)
        values |= {name: features[feature].array for name, feature in behaviour.items()}
    if CATEGORY in lacking and CATEGORY not in values and CATEGORY in dataset.manifest.columns:
        values[CATEGORY] = _favourite_category(dataset, cutoff).reindex(ids).array
    if FIRST_PURCHASE in lacking and FIRST_PURCHASE not in values:
        history = history_of(customers[CUSTOMER_ID], purchase_history(dataset, cutoff))
        values[FIRST_PURCHASE] = history[FIRST_PURCHASE].array
    added = pd.DataFrame({name: values[name] for name in lacking if name in values}, index=customers.index)
    return pd.concat([customers, added], axis=1) if len(added.columns) else customers


def _table_attributes(ids: pd.Index[Any], dataset: Dataset, cutoff: date, names: Collection[str]) -> dict[str, Any]:
    """Return those of ``names`` that are enabled attributes; of a dated one, the latest value before the cutoff."""
    wanted = [attribute for attribute in attributes_of(dataset) if attribute.name in names]
    if not wanted:
        return {}
    dates = {attribute.dated_by for attribute in wanted if attribute.dated_by}
    rows = pd.read_parquet(
        dataset.customers_path, columns=[CUSTOMER_ID, *(attribute.name for attribute in wanted), *dates]
    )
    values = {}
    for attribute in wanted:
        dated = rows[rows[attribute.name].notna()]
        if attribute.dated_by:
            day = pd.to_datetime(dated[attribute.dated_by])
            dated = dated.assign(**{attribute.dated_by: day})[day < pd.Timestamp(cutoff)].sort_values(
                attribute.dated_by, kind="stable"
            )
        latest = dated.drop_duplicates(CUSTOMER_ID, keep="last").set_index(CUSTOMER_ID)[attribute.name]
        column = latest.reindex(ids)
        values[attribute.name] = column.to_numpy(float) if attribute.kind == NUMBER else column.astype("str").to_numpy()
    return values


def _features(dataset: Dataset, cutoff: date, names: Collection[str]) -> pd.DataFrame:
    """Return behaviour features at the cutoff, by customer id."""
    log = open_log(dataset, before=dataset.log_end, attributes=False, review_text=False)
    try:
        store, day = log.store, day_of(cutoff)
        customers = store.seen(day)
        values = {name: np.empty(len(customers)) for name in names}
        horizon_days = 1  # read by the features of the season alone
        store.features(day, horizon_days, customers, values)
        decoded_values: dict[str, Any] = {
            name: pd.array(decoded(column, store.texts(TEXTS[name])), dtype="str") if name in TEXTS else column
            for name, column in values.items()
        }
        return pd.DataFrame(decoded_values, index=pd.Index(store.customer_ids[customers], dtype="str"))
    finally:
        log.close()


def _favourite_category(dataset: Dataset, cutoff: date) -> pd.Series[str]:
    """Return the category of most lines that each customer bought before the cutoff; of equals, that of most money."""
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        bought = events.filter(
            events[EVENT_TIME] < datetime.combine(cutoff, time()),
            events[EVENT_TYPE] == PURCHASE,
            events[CATEGORY].notnull(),
        )
        sums = bought.group_by(CUSTOMER_ID, CATEGORY).agg(lines=bought.count(), paid=bought[AMOUNT].sum().round(6))
        frame = sums.to_pyarrow().to_pandas()
    finally:
        engine.close()
    order = [CUSTOMER_ID, "lines", "paid", CATEGORY]
    first = frame.sort_values(order, ascending=[True, False, False, True]).drop_duplicates(CUSTOMER_ID)
    category: pd.Series[str] = first.set_index(CUSTOMER_ID)[CATEGORY].astype("str")
    return category
