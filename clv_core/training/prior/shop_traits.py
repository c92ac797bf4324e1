"""What is drawn of a shop before its customers are: the prior, in one place.

Times are counted in horizons or days as named, money in mean orders. Where a trait is often absent, its chance to be
there comes first, and its range when it is there second. The ranges were chosen to hold what public logs and reports of
the field show with room to spare; none was fitted to a log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

LARGEST_RATIO: Final = 2.0
"""How many horizons after its cutoff a shop is simulated."""
MAX_ORDERS_EACH: Final = 300
"""Expected orders of a customer in the history; frequent buyers have a shorter one."""
SIZES: Final = (100.0, 1500.0)
"""Fewest and most customers of a shop."""
LARGE_SIZES: Final = (1500.0, 12_000.0)
"""Of a large shop: logs of thousands of customers."""
LARGE: Final = 0.12
"""Chance of a large shop."""
ACQUISITIONS: Final = ("even", "burst", "growing", "settled", "mixed")
DROPOUTS: Final = ("none", "by_order", "by_repeat", "gamma", "weibull")
"""By repeat, unlike by order, nobody leaves after her first order, as BG/NBD has it."""
STEADY: Final = 0.06
"""Chance of a shop in which nothing moves a customer's rate but her leaving."""
TEXTBOOK: Final = 0.08
"""Chance of one that is also otherwise as the field's models have it: Poisson orders at gamma rates, spend apart."""
TEXTBOOK_DROPOUTS: Final = ("by_repeat", "by_order", "gamma")
"""BG/NBD, its modified form, Pareto/NBD."""
SUBSCRIPTIONS: Final = 0.15
"""Chance of a shop that sells subscriptions, most of them after free sign-ups."""
FREEMIUM_SIZES: Final = (400.0, 5000.0)
"""Sign-ups; only a few of them pay."""


@dataclass(frozen=True)
class Renewal:
    """What is drawn of a shop that sells subscriptions.

    Args:
        period_days: of the shorter plan; ``times`` is how many of them the longer one takes, ``longer`` its share of
            starts and ``cheaper`` its price for a period relative to the shorter one's.
        converts: share of sign-ups who ever pay; ``at_once`` of them do so on the day of the sign-up, the others after
            a delay of scale ``delay_days`` whose tail falls with the power ``fades``.
        free_days: for how long those who do not pay look around, on average.
        leaving: mean chance to cancel at a renewal, by plan; ``leaving_alike`` how little customers differ in it.
        late: share of renewals that are paid some days late.
        returns: starts in a horizon after a cancellation.
        discount: share off the first payment; ``region`` the log deviation of customers' prices.
        shows: share of cancellations before which customers stop looking.
        signs_up: whether the log holds sign-ups as events of their own.
    """

    period_days: float
    times: float
    longer: float
    cheaper: float
    converts: float
    at_once: float
    delay_days: float
    fades: float
    free_days: float
    leaving: tuple[float, float]
    leaving_alike: float
    late: float
    returns: float
    discount: float
    region: float
    shows: float
    signs_up: bool


@dataclass(frozen=True)
class Traits:
    """One shop's traits.

    Args:
        history_days: from the log's first day to the cutoff.
        horizon_days: length of the predicted span.
        customers: how many are simulated; those not seen before the cutoff go.
        cutoff_day: days since 1970-01-01.
        acquisition: one of :data:`ACQUISITIONS`; ``burst_share`` is the share of the history that a burst takes, and
            ``older_days`` how long before the log the settled ones came.
        rate: orders of customers in a horizon, on average; ``rate_kind`` is ``gamma`` or ``lognormal`` with
            ``rate_spread`` its shape or log deviation.
        one_time_share: customers who never come back.
        dropout: one of :data:`DROPOUTS`; ``life`` is the scale of a lifetime in horizons, ``life_shape`` how little
            lives differ.
        bad_leaves: chance that a bad order is the last one; ``bad_share`` how many orders are bad.
        regularity: shape of the gamma gaps, 1 is Poisson.
        mood_deviation: of a customer's log rate over time, and ``mood_days`` how long a mood lasts; ``rest_share`` the
            share of time in which she does not buy at all, in rests of about ``rest_days``.
        intent_deviation: of what else moves her log rate: carts depend on it, views do not.
        slow_down: power of the fall of the rate with age.
        cohort_slope: change of the log rate from the first to the last customer who came.
        season: amplitude of the yearly sine, ``season_turn`` its phase; ``christmas`` the peak's height;
            ``seasonal_share`` the share of customers who buy in a season of their own only.
        trend: change of the log rate a year; ``shock`` the deviation of monthly shocks.
        spend_kind: how orders scatter about a customer's lognormal mean, ``gamma_gamma`` or ``lognormal``; ``between``
            and ``within`` are the log deviations of customers' means and of orders about them; ``spend_rate`` the
            correlation of log spend and log rate.
        whales: share of customers with spend far above; ``whale_height`` how far, in logs.
        price_drift: change of log prices a year.
        returned: share of orders that come back; ``returned_spread`` how customers differ in it.
        kinds: which of views, carts and ratings the log holds.
        signal: how much views depend on the rate, 0 to 1.
        views: a customer's views in a mean gap between orders; ``cart_share`` of them end in a cart.
        rated_share: share of orders that are rated.
        visitors: share of customers whose first event is a visit, not an order.
        renewal: of a shop that sells subscriptions; the traits of orders above then have no effect.
    """

    history_days: int
    horizon_days: int
    customers: int
    cutoff_day: int
    acquisition: str
    burst_share: float
    older_days: float
    rate: float
    rate_kind: str
    rate_spread: float
    one_time_share: float
    dropout: str
    life: float
    life_shape: float
    bad_leaves: float
    bad_share: float
    regularity: float
    mood_deviation: float
    mood_days: float
    rest_share: float
    rest_days: float
    intent_deviation: float
    slow_down: float
    cohort_slope: float
    season: float
    season_turn: float
    christmas: float
    seasonal_share: float
    trend: float
    shock: float
    spend_kind: str
    between: float
    within: float
    spend_rate: float
    whales: float
    whale_height: float
    price_drift: float
    returned: float
    returned_spread: float
    kinds: tuple[bool, bool, bool]
    signal: float
    views: float
    cart_share: float
    rated_share: float
    visitors: float
    renewal: Renewal | None = None


def draw_traits(random: np.random.Generator) -> Traits:
    """Return the traits of a shop nobody has seen."""
    traits = _any_traits(random)
    rates = ("bad_leaves", "mood_deviation", "rest_share", "intent_deviation", "slow_down", "cohort_slope")
    calendar = ("season", "christmas", "seasonal_share", "trend", "shock", "price_drift")
    kind = random.uniform()
    if kind < STEADY + TEXTBOOK:
        still: dict[str, Any] = dict.fromkeys((*rates, *calendar), 0.0)
        traits = replace(traits, **still)
    if kind < TEXTBOOK:
        alone: dict[str, Any] = dict.fromkeys(("one_time_share", "spend_rate", "whales"), 0.0)
        dropout = str(random.choice(TEXTBOOK_DROPOUTS))
        traits = replace(traits, rate_kind="gamma", regularity=1.0, dropout=dropout, **alone)
    return _with_renewal(traits, random) if random.uniform() < SUBSCRIPTIONS else traits


def _with_renewal(traits: Traits, random: np.random.Generator) -> Traits:
    """Return the shop as one that sells subscriptions, a quarter of them to everyone who comes."""

    def between(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    def log_between(low: float, high: float) -> float:
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    freemium = random.uniform() < 0.75
    views = freemium and random.uniform() < 0.8
    first = between(0.05, 0.5)
    renewal = Renewal(
        period_days=float(random.choice((7, 28, 30, 30.4375, 31, 91), p=(0.08, 0.1, 0.32, 0.34, 0.08, 0.08))),
        times=float(random.choice((3, 6, 12), p=(0.2, 0.15, 0.65))),
        longer=between(0.05, 0.7) if random.uniform() < 0.75 else 0.0,
        cheaper=between(0.4, 0.95),
        converts=log_between(0.01, 0.4) if freemium else 1.0,
        at_once=between(0.1, 0.8) if freemium else 1.0,
        delay_days=log_between(1, 30),
        fades=between(0.3, 1.5),
        free_days=log_between(1, 60),
        leaving=(first, float(np.clip(first * between(1, 3), 0.1, 0.9))),
        leaving_alike=log_between(0.5, 8),
        late=between(0, 0.25) if random.uniform() < 0.6 else 0.0,
        returns=log_between(0.02, 0.6),
        discount=between(0, 0.5) if random.uniform() < 0.4 else 0.0,
        region=between(0, 0.5) if random.uniform() < 0.6 else 0.0,
        shows=between(0, 1),
        signs_up=freemium and (not views or random.uniform() < 0.5),
    )
    carts = views and random.uniform() < 0.2
    return replace(
        traits,
        history_days=round(max(traits.history_days, 60)),
        customers=round(log_between(*FREEMIUM_SIZES)) if freemium else traits.customers,
        kinds=(views, carts, False),
        signal=between(0.3, 1.0),
        views=log_between(1, 12),
        visitors=0.0,
        one_time_share=0.0,
        returned=0.0 if random.uniform() < 0.7 else float(random.beta(1, 20)),
        renewal=renewal,
    )


def _any_traits(random: np.random.Generator) -> Traits:

    def between(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    def log_between(low: float, high: float) -> float:
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    def maybe(chance: float, value: float, otherwise: float = 0.0) -> float:
        return value if random.uniform() < chance else otherwise

    horizon = log_between(28, 400)
    rate = log_between(0.04, 60)
    history = float(np.clip(horizon * log_between(0.2, 12), 14, 3650))
    history = float(max(30, min(history, MAX_ORDERS_EACH * horizon / rate)))
    behaves = random.uniform() < 0.45
    kinds = tuple(bool(behaves and random.uniform() < chance) for chance in (0.95, 0.7, 0.55))
    rests = random.uniform() < (0.5 if behaves else 0.2)
    rate_kind = "gamma" if random.uniform() < 0.6 else "lognormal"
    return Traits(
        history_days=round(history),
        horizon_days=round(horizon),
        customers=round(maybe(LARGE, log_between(*LARGE_SIZES), log_between(*SIZES))),
        cutoff_day=int(random.integers(14_000, 20_000)),
        acquisition=str(random.choice(ACQUISITIONS, p=(0.25, 0.25, 0.15, 0.2, 0.15))),
        burst_share=log_between(0.03, 0.6),
        older_days=log_between(100, 2500),
        rate=rate,
        rate_kind=rate_kind,
        rate_spread=log_between(0.2, 6) if rate_kind == "gamma" else between(0.3, 1.7),
        one_time_share=maybe(0.5, between(0.0, 0.7)),
        dropout=str(random.choice(DROPOUTS, p=(0.15, 0.18, 0.17, 0.3, 0.2))),
        life=log_between(0.3, 20),
        life_shape=log_between(0.4, 4),
        bad_leaves=maybe(0.6 if behaves else 0.2, between(0.0, 0.6)),
        bad_share=float(random.beta(1.2, 6)),
        regularity=maybe(0.6, log_between(0.5, 15), 1.0),
        mood_deviation=maybe(0.7, between(0.1, 1.6 if behaves else 1.0)),
        mood_days=horizon * log_between(0.1, 3),
        rest_share=between(0.2, 0.85) if rests else 0.0,
        rest_days=horizon * log_between(0.1, 1.5),
        intent_deviation=maybe(0.6, between(0.2, 1.5)) if behaves else 0.0,
        slow_down=maybe(0.5, between(0.0, 1.0)),
        cohort_slope=maybe(0.5, float(random.normal(0, 0.5))),
        season=maybe(0.6, between(0.05, 0.6)),
        season_turn=between(0, 2 * np.pi),
        christmas=maybe(0.4, between(0.2, 3.0)),
        seasonal_share=maybe(0.15, between(0.05, 0.5)),
        trend=maybe(0.5, float(random.normal(0, 0.3))),
        shock=maybe(0.7, between(0.0, 0.3)),
        spend_kind="gamma_gamma" if random.uniform() < 0.5 else "lognormal",
        between=between(0.1, 1.2),
        within=between(0.1, 1.0),
        spend_rate=maybe(0.6, between(-0.6, 0.8)),
        whales=maybe(0.3, log_between(0.0005, 0.02)),
        whale_height=between(1.5, 3.5),
        price_drift=maybe(0.4, float(random.normal(0, 0.1))),
        returned=maybe(0.4, float(random.beta(1, 8))),
        returned_spread=between(0.0, 1.5),
        kinds=(kinds[0], kinds[1], kinds[2]),
        signal=maybe(0.85, between(0.0, 1.0)),
        views=log_between(0.5, 12),
        cart_share=between(0.02, 0.4),
        rated_share=between(0.05, 0.6),
        visitors=maybe(0.7, between(0.1, 1.0)) if kinds[0] else 0.0,
    )
