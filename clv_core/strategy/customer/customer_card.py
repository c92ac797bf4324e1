"""The card of one customer: past and predicted value, the next order, the tier, reasons, and similar customers.

:func:`find_customers` finds a customer by the id or a part of it, :func:`load_card` makes the card. Two sentences on it
say why the predicted value is what it is (:func:`explain_value`): the model's reasons if they are saved, else facts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.collection.privacy import SuppressionList
from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored, find_explanation
from clv_core.errors import NotFound
from clv_core.evaluation.explain import SECOND, Explanation, level, move, part_name
from clv_core.i18n import DEFAULT_LANGUAGE, say_money, say_share, translate
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.strategy.customer.next_order import DAY, NextOrder, Rhythm, Timeline, load_rhythm, next_order, timeline
from clv_core.strategy.purchase_history import (
    DAYS_SINCE_LAST,
    HISTORIC_VALUE,
    PURCHASE_DAYS,
    purchase_history,
    with_history,
)
from clv_core.strategy.recommend.ranking import WITH_BOUGHT
from clv_core.strategy.recommend.recommendations import recommendations_of_model
from clv_core.strategy.segments import P_PURCHASE, TIER, VALUE
from clv_core.strategy.segments.clusters import FIGURES, comparable_figures
from clv_core.strategy.segments.saved_segments import load_labels, tier_labels
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, assign_tiers

MAX_HITS: Final = 20
"""Ids that a search proposes."""
MAX_CONTAINING: Final = 5
"""Ids that an error proposes for one that does not exist."""
MODEL: Final = "model"
FACTS: Final = "facts"


@dataclass(frozen=True)
class Card:
    """One customer; money in the log's currency.

    Args:
        customer_id: who.
        as_of: the cutoff; nothing at or after it is read.
        horizon_days: length of the predicted span from the cutoff on.
        model: which predicted.
        currency: of the log; may be empty.
        historic: net value so far.
        predicted: expected net value in the horizon (the mean).
        low: lower end of the prediction's 80% interval.
        high: upper end.
        p_purchase: chance of a net value above 0 in the horizon, 0 to 1.
        days_since_last: last purchase to cutoff, days; None for a never-buyer.
        rank: place by predicted value among all customers, 1 is the highest.
        customers: how many there are.
        tier: 1 is the highest.
        tier_name: in the chosen language.
        action: suggested for the tier or for never-buyers, in that language.
        next_order: when the next order is expected.
        why: two sentences.
        similar: of :func:`similar_customers`.
        history: what the customer did.
        recommended: products for the customer, of
            :meth:`clv_core.strategy.recommend.recommendations.StoredRecommendations.of_customer`; empty if
            there are none.
    """

    customer_id: str
    as_of: date
    horizon_days: int
    model: str
    currency: str
    historic: float
    predicted: float
    low: float
    high: float
    p_purchase: float
    days_since_last: float | None
    rank: int
    customers: int
    tier: int
    tier_name: str
    action: str
    next_order: NextOrder
    why: Why
    similar: pd.DataFrame
    history: Timeline
    recommended: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def total(self) -> float:
        """Historic plus predicted value."""
        return self.historic + self.predicted

    @property
    def total_low(self) -> float:
        """Lower end of the total's 80% interval; the historic value is certain."""
        return self.historic + self.low

    @property
    def total_high(self) -> float:
        """Upper end."""
        return self.historic + self.high

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary: days as ISO dates, null for missing values."""
        figures = ("historic", "predicted", "low", "high", "total", "total_low", "total_high", "p_purchase")
        return {
            "customer_id": self.customer_id,
            "as_of": self.as_of.isoformat(),
            "horizon_days": self.horizon_days,
            "model": self.model,
            "currency": self.currency,
            **{name: getattr(self, name) for name in figures},
            "days_since_last": self.days_since_last,
            "rank": self.rank,
            "customers": self.customers,
            "tier": self.tier,
            "tier_name": self.tier_name,
            "action": self.action,
            "next_order": self.next_order.to_json(),
            "why": asdict(self.why),
            "similar": _records(self.similar),
            "recommended": _records(self.recommended.drop(columns=["customer_id", "tier"], errors="ignore")),
            "history": _records(self.history.days),
            "events": _records(self.history.kinds),
        }


def load_card(scored: Scored, customer: str, *, language: str = DEFAULT_LANGUAGE, progress: Progress) -> Card:
    """Return the card of one customer.

    Raises:
        NotFound: no customer of that id was seen before the cutoff, or she is on the suppression list, or objected.
    """
    dataset, as_of = scored.dataset, scored.as_of
    stop = SuppressionList.of(scored.workspace, dataset)
    stop.check(customer)
    scored.check_customer(customer)
    scores = scored.trained.scores(progress)
    row_of_customer(scores[CUSTOMER_ID], customer, as_of.isoformat())
    tiered = stop.without(assign_tiers(with_history(scores, purchase_history(dataset, as_of), as_of)))
    advice = recommendations_of_model(scored) if as_of == dataset.log_end else None
    return make_card(
        scored,
        tiered,
        customer,
        rhythm=load_rhythm(scored),
        explanation=find_explanation(scored, customer),
        recommended=None if advice is None else advice.of_customer(customer, WITH_BOUGHT),
        language=language,
    )


def make_card(
    scored: Scored,
    customers: pd.DataFrame,
    customer: str,
    *,
    rhythm: Rhythm,
    explanation: Explanation | None,
    recommended: pd.DataFrame | None = None,
    language: str,
) -> Card:
    """Return the card of one customer from all customers' scores.

    Args:
        scored: dataset, model and cutoff.
        customers: scores with purchase history and default tier, one row a customer.
        customer: the id.
        rhythm: of all customers.
        explanation: of these scores, if one is saved.
        recommended: products for the customer, if recommendations are saved.
        language: of the sentences.

    Raises:
        NotFound: no customer of that id was seen before the cutoff.
    """
    dataset, cutoff = scored.dataset, scored.as_of
    row = row_of_customer(customers[CUSTOMER_ID], customer, cutoff.isoformat())
    mine, history = customers.iloc[row], timeline(dataset, customer, cutoff)
    chance, horizon_days, tier = float(mine[P_PURCHASE]), int(mine["horizon_days"]), int(mine[TIER])
    return Card(
        customer_id=customer,
        as_of=cutoff,
        horizon_days=horizon_days,
        model=str(mine["model"]),
        currency=scored.currency,
        historic=float(mine[HISTORIC_VALUE]),
        predicted=float(mine[VALUE]),
        low=float(mine["clv_p10"]),
        high=float(mine["clv_p90"]),
        p_purchase=chance,
        days_since_last=None if pd.isna(mine[DAYS_SINCE_LAST]) else float(mine[DAYS_SINCE_LAST]),
        rank=1 + int((customers[VALUE].to_numpy() > mine[VALUE]).sum()),
        customers=len(customers),
        tier=tier,
        tier_name=tier_labels(dataset, DEFAULT_SCHEME.tiers, language)[tier - 1],
        action=_action(dataset, tier, language, bought=len(history.purchase_days) > 0),
        next_order=next_order(history, chance, horizon_days, cutoff, rhythm),
        why=explain_value(customers, row, explanation, currency=scored.currency, language=language),
        similar=similar_customers(customers, row),
        history=history,
        recommended=pd.DataFrame() if recommended is None else recommended,
    )


def _action(dataset: Dataset, tier: int, language: str, *, bought: bool) -> str:
    """Return the suggested action, as a person wrote it or by tier; actions for tiers are for buyers only."""
    if not bought:
        return translate("card.action.never", language)
    label = load_labels(dataset, DEFAULT_SCHEME.names_key).get(str(tier))
    if label is not None and label.description:
        return label.description
    return DEFAULT_SCHEME.segments[tier - 1].description(language)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON types: days as ISO dates, null for missing values."""
    days = frame.assign(**{DAY: frame[DAY].dt.strftime("%Y-%m-%d")}) if DAY in frame else frame
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()} for row in days.to_dict("records")
    ]


def find_customers(ids: pd.Series, text: str, most: int = MAX_HITS) -> list[str]:
    """Return the id that equals a text, else those that begin with it; case does not matter.

    Args:
        ids: of all customers, text [n].
        text: to search for; blanks around it do not count.
        most: hits at most, in the order of ``ids``.
    """
    wanted = text.strip()
    if not wanted:
        return []
    if (ids == wanted).any():
        return [wanted]
    begins = ids.str[: len(wanted)].str.lower() == wanted.lower()
    return [str(customer) for customer in ids[begins].head(most)]


def ids_containing(ids: pd.Series, text: str) -> list[str]:
    """Return the first ids that contain a text (``10053`` is in ``0010053``); case does not matter.

    Args:
        ids: of the customers who may be offered, text [n].
        text: to search for; blanks around it do not count.
    """
    wanted = text.strip().lower()
    if not wanted:
        return []
    holds = ids.str.lower().str.contains(wanted, regex=False)
    return [str(customer) for customer in ids[holds].head(MAX_CONTAINING)]


def row_of_customer(ids: pd.Series, customer: str, as_of: str) -> int:
    """Return the position of a customer among ``ids``.

    Raises:
        NotFound: there is none of that id; the error names ids that begin with it, if there are any.
    """
    places = np.flatnonzero((ids == customer).to_numpy())
    if len(places):
        return int(places[0])
    candidates = find_customers(ids, customer, 5)
    if candidates:
        raise NotFound("customer_unknown_like", customer=customer, cutoff=as_of, known=candidates)
    raise NotFound("customer_unknown", customer=customer, cutoff=as_of)


def similar_customers(customers: pd.DataFrame, row: int, count: int = 5) -> pd.DataFrame:
    """Return the customers nearest to one, the nearest first; among equals, in their order.

    They are compared by :func:`~clv_core.strategy.segments.clusters.comparable_figures`, each divided by its standard
    deviation over all customers.

    Args:
        customers: scores with purchase history and tier, one row a customer, [n].
        row: position of the one.
        count: how many; fewer if there are fewer others.

    Returns:
        customer_id, tier, :data:`FIGURES`, and distance (in standard deviations).
    """
    squares = np.zeros(len(customers))
    for figure in comparable_figures(customers).T:
        deviation = figure.std()
        if deviation > 0:
            squares += ((figure - figure[row]) / deviation) ** 2
    squares[row] = np.inf
    count = min(count, len(customers) - 1)
    if count <= 0:
        nearest = np.empty(0, np.int64)
    else:
        near = np.flatnonzero(squares <= np.partition(squares, count - 1)[count - 1])
        nearest = near[np.argsort(squares[near], kind="stable")[:count]]
    columns = [CUSTOMER_ID, TIER, *FIGURES]
    rows = customers[columns].iloc[nearest].reset_index(drop=True)
    return rows.assign(distance=np.sqrt(squares[nearest]))


@dataclass(frozen=True)
class Why:
    """Two sentences.

    Args:
        sentences: in the chosen language.
        source: ``model`` for the model's own reasons; ``facts`` for the customer compared with all others.
    """

    sentences: tuple[str, ...]
    source: str


def explain_value(
    customers: pd.DataFrame, row: int, explanation: Explanation | None, *, currency: str, language: str
) -> Why:
    """Return why a customer has the predicted value.

    Args:
        customers: scores with purchase history, one row a customer, [n].
        row: position of the one.
        explanation: of these scores; without one of this customer, the sentences are facts.
        currency: of the log; may be empty.
        language: of the sentences.
    """
    customer = str(customers[CUSTOMER_ID].iloc[row])
    if explanation is not None and customer in explanation.customer_ids:
        return Why(_reasons(explanation, customer, currency, language), MODEL)
    return Why(_facts(customers, row, currency, language), FACTS)


def _reasons(explanation: Explanation, customer: str, currency: str, language: str) -> tuple[str, ...]:
    steps = explanation.waterfall(customer)
    difference = explanation.predicted_of(customer) - explanation.base
    compared = translate(
        "card.why.more" if difference >= 0 else "card.why.less",
        language,
        difference=move(difference, VALUE, currency, language),
        base=level(explanation.base, VALUE, currency, language),
    )
    two = steps.head(2)
    effects = [_effect(step, currency, language) for step in two.to_dict("records")]
    if len(effects) < 2 or abs(two["value"].iloc[1]) < SECOND * abs(two["value"].iloc[0]):
        return compared, translate("card.why.parts.one", language, first=effects[0])
    return compared, translate("card.why.parts", language, first=effects[0], second=effects[1])


def _effect(step: dict[Any, Any], currency: str, language: str) -> str:
    effect = move(step["value"], VALUE, currency, language, sign=True)
    return translate("card.why.part", language, name=part_name(step["part"], language), effect=effect)


def _facts(customers: pd.DataFrame, row: int, currency: str, language: str) -> tuple[str, ...]:
    days = customers[PURCHASE_DAYS].to_numpy()
    bought = days > 0
    if not bought[row]:
        value = customers[VALUE].to_numpy()
        return (
            translate("card.fact.never", language, share=say_share(1 - bought.mean())),
            translate("card.fact.value", language, share=say_share((value < value[row]).mean())),
        )
    since, spent = customers[DAYS_SINCE_LAST].to_numpy(), customers[HISTORIC_VALUE].to_numpy()
    return (
        translate(
            "card.fact.purchases",
            language,
            days=f"{days[row]:,}",
            share=say_share((days[bought] <= days[row]).mean()),
            since=f"{since[row]:,.0f}",
            typical=f"{float(np.median(since[bought])):,.0f}",
        ),
        translate(
            "card.fact.spent",
            language,
            spent=say_money(spent[row], currency, language),
            typical=say_money(float(np.median(spent[bought])), currency, language),
        ),
    )
