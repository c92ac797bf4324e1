"""Break-even uplift: how many customers must buy because of an offer, who would not have, before it pays.

What a known customer is predicted to bring comes without the offer, so it is no ceiling of what to spend on her. An
offer pays by those who buy because of it. With a cost c, a share p who buy anyway and a contribution b of a buyer, the
uplift u is a share of all customers who get the offer:

    paid for everyone who gets it    u b = c           u = c / b
    paid for each who buys           u b = c (p + u)   u = c p / (b - c)

The second line counts the non-incremental redeemers: a voucher is also paid to those who would have bought without it.
All of them are assumed to use it, and a buyer who is won to bring what buyers of the group bring: both are assumptions,
and no break-even is a measured figure. What an experiment measured is :func:`measured_gain`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv_core.errors import Message, UsageError
from clv_core.records import JsonObject
from clv_core.strategy.plans.offers import MONEY, Offer
from clv_core.strategy.segments.segmentation import P_PURCHASE, TIER, VALUE

EVERYONE: Final = "everyone"
BUYERS: Final = "buyers"
PAID: Final = (EVERYONE, BUYERS)
"""For whom an offer is paid: all who get it (a letter, a gift), or those of them who buy (a voucher)."""
BREAK_EVEN_UPLIFT: Final = "break_even_uplift"
"""Column of lists: percentage points of purchase probability as a share, 0 to 1; missing where no uplift pays."""
MAX_AS_ONE_IN: Final = 0.2
"""Largest uplift that is said as "1 in 5": of larger ones the rounding would be a fifth of the figure and more."""
ROUNDING: Final = 1e-9
"""Guards "1 in 8" against a quotient of 7.9999999, and three of three against 3.0000001."""


@dataclass(frozen=True)
class BreakEven:
    """What an offer must achieve with some customers before it pays.

    Args:
        cost: money per customer for whom it is paid.
        paid: one of :data:`PAID`.
        p_purchase: share of the customers who buy without the offer, 0 to 1.
        buyer_value: contribution of one buyer in the horizon, money after the margin; NaN where nobody is expected to
            buy.
    """

    cost: float
    paid: str
    p_purchase: float
    buyer_value: float

    @property
    def uplift(self) -> float | None:
        """Share of all customers who must buy because of the offer; None where no share of the others is enough."""
        uplift = float(_uplift(self.cost, self.paid, np.array([self.p_purchase]), np.array([self.buyer_value]))[0])
        return None if math.isnan(uplift) else uplift

    def message(self) -> Message:
        """Return it in words: ``1 in 14``, or as a percentage where that is more than 1 in 5."""
        uplift = self.uplift
        if uplift is None:
            known = self.buyer_value > 0
            return Message("break_even.never" if known else "break_even.nobody")
        if uplift == 0:
            return Message("break_even.free")
        if uplift <= MAX_AS_ONE_IN:
            return Message("break_even.one_in", {"number": math.floor(1 / uplift * (1 + ROUNDING))})
        return Message("break_even.of_100", {"number": math.ceil(100 * uplift * (1 - ROUNDING))})


@dataclass(frozen=True)
class OfferCost:
    """What an offer costs, whose effect nobody knows yet.

    Args:
        cost: money per customer for whom it is paid.
        paid: one of :data:`PAID`.
        margin_rate: share of predicted values that is contribution, in (0, 1]; 1 for values after the margin.

    Raises:
        UsageError: a cost below 0, another word, or a margin out of bounds.
    """

    cost: float
    paid: str = EVERYONE
    margin_rate: float = 1.0

    def __post_init__(self) -> None:
        """Check the three."""
        if not (math.isfinite(self.cost) and self.cost >= 0):
            raise UsageError("offer_cost", name="–", cost=f"{self.cost:g}")
        if self.paid not in PAID:
            raise UsageError("offer_paid", paid=self.paid, known=list(PAID))
        if not 0 < self.margin_rate <= 1:
            raise UsageError("setting_bounds", setting="margin_rate", value=self.margin_rate, low=0, high=1)

    @property
    def settings(self) -> JsonObject:
        """It as JSON types, for the side file of a list."""
        margin = {} if self.margin_rate == 1 else {"offer_margin_rate": self.margin_rate}
        return {"offer_cost": self.cost, "offer_paid": self.paid, **margin}

    @property
    def notes(self) -> tuple[Message, ...]:
        """What a break-even assumes, as warnings."""
        revenue = (Message("warning.break_even_revenue"),) if self.margin_rate == 1 else ()
        return (Message("warning.break_even"), *revenue)

    def of(self, p_purchase: float, value: float) -> BreakEven:
        """Return the break-even of customers by their mean purchase probability and mean predicted value."""
        buyer_value = value * self.margin_rate / p_purchase if p_purchase > 0 else math.nan
        return BreakEven(self.cost, self.paid, p_purchase, buyer_value)

    def of_group(self, customers: pd.DataFrame) -> BreakEven:
        """Return the break-even of customers with ``p_purchase`` and ``predicted_clv`` of one horizon."""
        if customers.empty:
            return self.of(0.0, 0.0)
        return self.of(float(customers[P_PURCHASE].mean()), float(customers[VALUE].mean()))

    def column(self, p_purchase: npt.ArrayLike, value: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the break-even uplift of each customer, or group by its means, [n]; NaN where no uplift pays."""
        chance, values = np.asarray(p_purchase, float), np.asarray(value, float) * self.margin_rate
        buyer_value = np.divide(values, chance, out=np.full(chance.shape, np.nan), where=chance > 0)
        return _uplift(self.cost, self.paid, chance, buyer_value)

    def added_to(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Return a list of customers with :data:`BREAK_EVEN_UPLIFT` as its last column."""
        return customers.assign(**{BREAK_EVEN_UPLIFT: self.column(customers[P_PURCHASE], customers[VALUE])})

    def added_to_groups(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return a table of segments with :data:`BREAK_EVEN_UPLIFT` as its last column."""
        return rows.assign(**{BREAK_EVEN_UPLIFT: self.column(rows["p_purchase_mean"], rows["value_mean"])})


def _uplift(
    cost: float, paid: str, p_purchase: npt.NDArray[np.float64], buyer_value: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the uplift of the module's formulas; NaN where it is more than all who would not buy anyway."""
    above, below = (cost, buyer_value) if paid == EVERYONE else (cost * p_purchase, buyer_value - cost)
    uplift = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    return np.where(uplift <= 1 - p_purchase + ROUNDING, uplift, np.nan)


@dataclass(frozen=True)
class MeasuredGain:
    """What an offer brought, by an experiment: incremental margin less cost, money per customer who got it.

    Args:
        gain: effect less cost.
        low: lower end of its 90% interval, by the effect alone.
        high: upper end.
    """

    gain: float
    low: float
    high: float


def measured_gain(offer: Offer, tier: int) -> MeasuredGain | None:
    """Return what an experiment measured of an offer on a tier, less its cost; None where nothing was measured."""
    effect = offer.effect_on(tier)
    if effect is None or effect.unit != MONEY or effect.low is None or effect.high is None:
        return None
    return MeasuredGain(effect.value - offer.cost, effect.low - offer.cost, effect.high - offer.cost)


def offer_break_evens(people: pd.DataFrame, offer: Offer, segments: int, paid: str = EVERYONE) -> dict[int, BreakEven]:
    """Return the break-even of an offer in each segment that gets it and has customers, by the segment's number.

    Args:
        people: all customers who may get an offer, with the number of their segment.
        offer: of a plan.
        segments: how many there are.
        paid: one of :data:`PAID`.
    """
    cost = OfferCost(offer.cost, paid)
    groups = {
        number: people[people[TIER] == number]
        for number in range(1, segments + 1)
        if offer.effect_on(number) is not None
    }
    return {number: cost.of_group(group) for number, group in groups.items() if len(group)}


def easiest_break_even(
    people: pd.DataFrame, offers: Sequence[Offer], segments: int
) -> tuple[Offer, int, BreakEven] | None:
    """Return the dearest offer for most segments, and the segment in which it must achieve least; None if none pays.

    Arguments as of :func:`offer_break_evens`.
    """
    offer = max(offers, key=lambda one: (len(one.effects), one.cost))
    found = {
        number: (point.uplift, point)
        for number, point in offer_break_evens(people, offer, segments).items()
        if point.uplift is not None
    }
    if not found:
        return None
    number = min(found, key=lambda one: found[one][0])
    return offer, number, found[number][1]
