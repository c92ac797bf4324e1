"""A whole shop as one log: events by customer and day before the cutoff, and what each customer was worth after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import CART, PURCHASE, RATING_EVENT, RETURN, VIEW
from clv_core.training.prior.order_times import Orders, draw_customers, draw_orders
from clv_core.training.prior.order_values import draw_spend
from clv_core.training.prior.renewals import draw_renewals
from clv_core.training.prior.shop_traits import LARGEST_RATIO, Traits, draw_traits
from clv_core.training.prior.side_events import (
    Happenings,
    draw_carts,
    draw_ratings,
    draw_returns,
    draw_views,
)

Floats = NDArray[np.float64]

SIGN_UP: Final = "signup"
KINDS: Final = (CART, PURCHASE, RATING_EVENT, RETURN, SIGN_UP, VIEW)
"""Event types of a shop by their code: sorted, as the vocabulary of a real log is."""
SHORTEST_RATIO: Final = 0.05


@dataclass(frozen=True)
class ShopLog:
    """What a simulated shop knew at its cutoff, and what came after it.

    Rows are summed by customer, day and kind, ordered by customer, day and kind, as a real log's steps are.

    Args:
        traits: what was drawn of the shop.
        offsets: rows of customer i are ``offsets[i]:offsets[i + 1]``, int64 [c + 1]; each has one at least.
        day: days since 1970-01-01, before the cutoff, int32 [s].
        kind: position in :data:`KINDS`, int32 [s].
        amount: in mean orders, negative for returns, NaN where there is none, [s].
        lines: how many events a row stands for, [s].
        rating: mean rating, NaN where there is none, [s].
        ratios: lengths of two spans after the cutoff in horizons, the first 1, [2].
        values: net value of each customer in them, [c, 2].
    """

    traits: Traits
    offsets: NDArray[np.int64]
    day: NDArray[np.int32]
    kind: NDArray[np.int32]
    amount: Floats
    lines: Floats
    rating: Floats
    ratios: Floats
    values: Floats


def simulate_shop(seed: Sequence[int]) -> ShopLog:
    """Return the shop of a seed; at least one customer was seen before its cutoff.

    Args:
        seed: whole numbers, not negative; the same ones give the same shop.
    """
    random = np.random.default_rng(list(seed))
    while True:
        found = _simulate(draw_traits(random), random)
        if found is not None:
            return found


def _simulate(traits: Traits, random: np.random.Generator) -> ShopLog | None:
    people = draw_customers(traits, random)
    nothing = Happenings.none()
    sign_ups = nothing
    if traits.renewal is None:
        orders = looked_for = draw_orders(traits, people, random)
        amount = draw_spend(traits, people, orders, random)
    else:
        people, orders, starts, amount = draw_renewals(traits, people, random)
        looked_for = Orders(orders.customer[starts], orders.day[starts], orders.bad[starts], orders.left)
        if traits.renewal.signs_up:
            sign_ups = Happenings(np.arange(len(people.arrival)), people.arrival, np.full(len(people.arrival), np.nan))
    returns = draw_returns(traits, people, orders, amount, random)
    views = draw_views(traits, people, looked_for, random) if traits.kinds[0] else nothing
    carts = draw_carts(traits, people, views, looked_for, random) if traits.kinds[1] else nothing
    ratings = draw_ratings(traits, people, orders, random) if traits.kinds[2] else nothing
    parts = {
        CART: carts,
        PURCHASE: Happenings(orders.customer, orders.day, amount),
        RATING_EVENT: ratings,
        RETURN: returns,
        SIGN_UP: sign_ups,
        VIEW: views,
    }
    return _packed(traits, parts, orders, np.exp(random.uniform(np.log(SHORTEST_RATIO), np.log(LARGEST_RATIO))))


def _packed(traits: Traits, parts: dict[str, Happenings], orders: Orders, ratio: float) -> ShopLog | None:
    customer = np.concatenate([part.customer for part in parts.values()])
    day = np.floor(np.concatenate([part.day for part in parts.values()])).astype(np.int64)
    kind = np.repeat(np.arange(len(KINDS)), [len(parts[name].day) for name in KINDS])
    value = np.concatenate([part.value for part in parts.values()])
    money = np.isin(kind, (KINDS.index(PURCHASE), KINDS.index(RETURN)))
    known = (day >= -traits.history_days) & (day < 0)
    seen = np.unique(customer[known])
    if not len(seen) or not (known & money).any():
        return None
    ratios = np.array([1.0, ratio])
    values = np.zeros((len(orders.left), 2))
    for column, days in enumerate(ratios * traits.horizon_days):
        span = money & (day >= 0) & (day < round(days))
        values[:, column] = np.bincount(customer[span], weights=value[span], minlength=len(values))
    customer, day, kind, value, money = customer[known], day[known], kind[known], value[known], money[known]
    key = ((customer * (traits.history_days + 1) + day + traits.history_days) * len(KINDS)) + kind
    rows, row = np.unique(key, return_inverse=True)
    lines = np.bincount(row).astype(np.float64)
    total = np.bincount(row, weights=np.nan_to_num(value))
    first = np.zeros(len(rows), np.int64)
    first[row] = np.arange(len(row))
    of_row, number = kind[first], np.searchsorted(seen, customer[first])
    rated = of_row == KINDS.index(RATING_EVENT)
    return ShopLog(
        traits=traits,
        offsets=np.concatenate([[0], np.cumsum(np.bincount(number, minlength=len(seen)))]).astype(np.int64),
        day=(day[first] + traits.cutoff_day).astype(np.int32),
        kind=of_row.astype(np.int32),
        amount=np.where(money[first], total, np.nan),
        lines=lines,
        rating=np.where(rated, total / lines, np.nan),
        ratios=ratios,
        values=values[seen],
    )
