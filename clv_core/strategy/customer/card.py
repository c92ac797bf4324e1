"""The card of one customer: what was spent, what is expected and when, in which tier, why, and who is alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.columns import CUSTOMER_ID
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.i18n import translate
from clv_core.strategy.customer.find import place_of
from clv_core.strategy.customer.next_order import NextOrder, next_order
from clv_core.strategy.customer.rhythm import Rhythm
from clv_core.strategy.customer.timeline import DAY, Timeline, timeline
from clv_core.strategy.customer.why import Why, why
from clv_core.strategy.history import DAYS_SINCE_LAST, HISTORIC_VALUE
from clv_core.strategy.schemes.saved import given_names, names_of_tiers
from clv_core.strategy.segments import P_PURCHASE, TIER, VALUE
from clv_core.strategy.similar import similar
from clv_core.strategy.tiers import DEFAULT_SCHEME, NAMES, Scheme


@dataclass(frozen=True)
class Card:
    """One customer; money in the log's currency.

    Args:
        customer_id: who.
        as_of: the cutoff; nothing at or after it is known.
        horizon_days: length of the predicted span from the cutoff on.
        model: whose prediction it is.
        currency: of the log; may be empty.
        historic: net value so far.
        predicted: expected net value in the horizon (the mean).
        low: lower end of the prediction's 80% interval.
        high: upper end.
        p_purchase: chance of a net value above 0 in the horizon, 0 to 1.
        days_since_last: last purchase to cutoff, days; None for a never-buyer.
        rank: place by predicted value among all customers, 1 is the highest.
        customers: how many these are.
        tier: 1 is the highest.
        tier_name: in the language that was asked for.
        action: what is suggested for the tier or for never-buyers, in that language; empty where tiers are numbered.
        next_order: when the next order is expected.
        why: two sentences.
        similar: customers who look alike, of :func:`clv_core.strategy.similar.similar`.
        history: what the customer did.
        recommended: products for the customer, of
            :meth:`clv_core.strategy.recommend.stored_recommendations.StoredRecommendations.of_customer`; empty where
            none were looked for.
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
        """Historic and predicted value together."""
        return self.historic + self.predicted

    @property
    def total_low(self) -> float:
        """Lower end of the total's 80% interval: what was spent is certain."""
        return self.historic + self.low

    @property
    def total_high(self) -> float:
        """Upper end."""
        return self.historic + self.high

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary: days as ISO dates, null for what is unknown."""
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


def card(
    customers: pd.DataFrame,
    customer: str,
    dataset: Dataset,
    cutoff: date,
    *,
    rhythm: Rhythm,
    explanation: Explanation | None,
    currency: str,
    language: str,
    scheme: Scheme = DEFAULT_SCHEME,
    recommended: pd.DataFrame | None = None,
) -> Card:
    """Return the card of one customer.

    Args:
        customers: scores as of the cutoff with history and tier, one row a customer.
        customer: the id.
        dataset: the log.
        cutoff: local midnight; nothing at or after it is read.
        rhythm: of all customers at the same cutoff.
        explanation: of these scores, where one is kept.
        currency: of the log.
        language: of the sentences.
        scheme: that the tiers were cut by.
        recommended: products for the customer, where recommendations are kept.

    Raises:
        NotFound: no customer of that id was seen before the cutoff.
    """
    row = place_of(customers[CUSTOMER_ID], customer, cutoff.isoformat())
    mine, history = customers.iloc[row], timeline(dataset, customer, cutoff)
    chance, horizon_days, tier = float(mine[P_PURCHASE]), int(mine["horizon_days"]), int(mine[TIER])
    return Card(
        customer_id=customer,
        as_of=cutoff,
        horizon_days=horizon_days,
        model=str(mine["model"]),
        currency=currency,
        historic=float(mine[HISTORIC_VALUE]),
        predicted=float(mine[VALUE]),
        low=float(mine["clv_p10"]),
        high=float(mine["clv_p90"]),
        p_purchase=chance,
        days_since_last=None if pd.isna(mine[DAYS_SINCE_LAST]) else float(mine[DAYS_SINCE_LAST]),
        rank=1 + int((customers[VALUE].to_numpy() > mine[VALUE]).sum()),
        customers=len(customers),
        tier=tier,
        tier_name=names_of_tiers(dataset, scheme.tiers, language)[tier - 1],
        action=_action(dataset, tier, scheme, language, bought=len(history.purchase_days) > 0),
        next_order=next_order(history, chance, horizon_days, cutoff, rhythm),
        why=why(customers, row, explanation, currency=currency, language=language),
        similar=similar(customers, row),
        history=history,
        recommended=pd.DataFrame() if recommended is None else recommended,
    )


def _action(dataset: Dataset, tier: int, scheme: Scheme, language: str, *, bought: bool) -> str:
    """Return what to do, as a person wrote it or by tier; what is said of tiers speaks of orders: of buyers only."""
    if not bought:
        return translate("card.action.never", language)
    given = given_names(dataset, f"tiers:{scheme.tiers}").get(str(tier))
    if given is not None and given.description:
        return given.description
    names = NAMES.get(scheme.tiers, ())
    return translate(f"segments.action.{names[tier - 1]}", language) if names else ""


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON types: days as ISO dates, null for unknown."""
    days = frame.assign(**{DAY: frame[DAY].dt.strftime("%Y-%m-%d")}) if DAY in frame else frame
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()} for row in days.to_dict("records")
    ]
