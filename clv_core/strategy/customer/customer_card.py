"""The card of one customer: past and predicted value, the next order, the tier, reasons, and similar customers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from clv_core.collection.privacy import SuppressionList
from clv_core.collection.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.deployment import Scored, find_explanation
from clv_core.evaluation.explain import Explanation
from clv_core.i18n import DEFAULT_LANGUAGE, translate
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.strategy.customer.customer_lookup import row_of_customer, similar_customers
from clv_core.strategy.customer.next_order import NextOrder, Rhythm, load_rhythm, next_order
from clv_core.strategy.customer.timeline import DAY, Timeline, timeline
from clv_core.strategy.customer.why_sentences import Why, explain_value
from clv_core.strategy.purchase_history import DAYS_SINCE_LAST, HISTORIC_VALUE, purchase_history, with_history
from clv_core.strategy.recommend.ranking import WITH_BOUGHT
from clv_core.strategy.recommend.stored_recommendations import recommendations_of_model
from clv_core.strategy.segments import P_PURCHASE, TIER, VALUE
from clv_core.strategy.segments.saved_segments import load_labels, tier_labels
from clv_core.strategy.segments.value_tiers import DEFAULT_SCHEME, assign_tiers


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
        similar: of :func:`~clv_core.strategy.customer.customer_lookup.similar_customers`.
        history: what the customer did.
        recommended: products for the customer, of
            :meth:`clv_core.strategy.recommend.stored_recommendations.StoredRecommendations.of_customer`; empty if
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
        NotFound: no customer of that id was seen before the cutoff, or she is on the suppression list.
    """
    dataset, as_of = scored.dataset, scored.as_of
    stop = SuppressionList.of(scored.workspace, dataset)
    stop.check(customer)
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
