"""Budget: which customer gets which offer, so that the expected gain is highest within budget and capacities.

Maximise sum_ij gain_ij x_ij with sum_j x_ij <= 1, sum_ij cost_j x_ij <= budget, sum_i x_ij <= capacity_j, x in {0, 1}.
Prices of money and places (:mod:`clv_core.strategy.budget.prices`) say what each customer prefers; what the prices
leave over is filled greedily, the highest gain per coin first. The same prices bound every other allocation, so that a
plan carries the proof of how good it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from clv_core.errors import UsageError
from clv_core.strategy.budget.exchange import exchange
from clv_core.strategy.budget.filling import NOBODY, fill, fit
from clv_core.strategy.budget.prices import (
    HALVINGS,
    ROUGH_HALVINGS,
    Floats,
    Prices,
    bound,
    find_prices,
    jittered,
    reduced,
)

NEAR: Final = 1e-4
"""Share of the bound below which nothing better is looked for."""
NUDGES: Final = (1.0, 0.97, 1.03, 0.9, 1.1, 1.3)
"""Coin prices tried around the right one, where customers are so few that rounding matters."""
FEW: Final = 5000
CURVE_POINTS: Final = 24
CURVE_SAMPLE: Final = 20_000
LARGEST_SAMPLE: Final = 200_000
FEWEST_PLACES: Final = 50
"""Of an offer for fewer customers than this a sample has too few places to stand for them: it is larger then."""


@dataclass(frozen=True, eq=False)
class Allocation:
    """Who gets what.

    Args:
        offer: number of each customer's offer, -1 for none, [n].
        gain: expected gain after cost, money.
        spent: sum of costs, money.
        bound: what no allocation can exceed, money.
        prices: what the last coin and place bring.
        customers: of each offer, [k].
    """

    offer: npt.NDArray[np.int64]
    gain: float
    spent: float
    bound: float
    prices: Prices
    customers: npt.NDArray[np.int64]


def allocate(
    gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike | None, budget: float, *, refine: bool = True
) -> Allocation:
    """Give each customer at most one offer; an offer whose expected gain is not above 0 is never given.

    Args:
        gains: expected gain after cost, money, [n, k]; -inf where an offer must not be given.
        costs: per customer who gets the offer, money, >= 0, [k].
        capacities: most customers of each offer, may be infinite, [k]; None is no limit.
        budget: money, >= 0.
        refine: whether prices are exact and small remainders are used up by exchanges; False is faster.

    Raises:
        UsageError: a budget below 0 or not finite, or gains that are not numbers.
    """
    if not (np.isfinite(budget) and budget >= 0):
        raise UsageError("budget_bounds", budget=f"{budget:g}")
    gain = np.ascontiguousarray(np.asarray(gains, float).T)
    cost = np.asarray(costs, float)
    if np.isnan(gain).any() or (gain == np.inf).any():
        raise UsageError("budget_gains")
    places = np.full(len(cost), np.inf) if capacities is None else np.floor(np.asarray(capacities, float))
    places = np.minimum(places, gain.shape[1])
    # What is not worth its cost is not offered; so that ties are broken, hardly any two gains are alike.
    worth = jittered(np.where(gain > 0, gain, -np.inf))
    prices = find_prices(worth, cost, places, budget, HALVINGS if refine else ROUGH_HALVINGS)
    best = bound(np.maximum(gain, 0), cost, places, budget, prices)
    plans = []
    for nudge in NUDGES if refine else (1.0,):
        wanted = reduced(worth, cost, Prices(prices.coin * nudge, prices.place))
        choice = np.where(wanted.max(axis=0, initial=-np.inf) > 0, wanted.argmax(axis=0), NOBODY)
        offer = fill(worth, cost, places, budget, fit(choice, wanted, cost, places, budget))
        if refine:
            offer = exchange(worth, wanted, cost, places, budget, offer, best * (1 - NEAR))
        plans.append((worth_of(gain, offer), offer))
        if plans[-1][0] >= best * (1 - NEAR) or gain.shape[1] > FEW:
            break
    reached, offer = max(plans, key=lambda plan: plan[0])
    counts = np.bincount(offer[offer != NOBODY], minlength=len(cost)).astype(np.int64)
    return Allocation(offer, reached, float(counts @ cost), best, prices, counts)


def worth_of(gain: Floats, offer: npt.NDArray[np.int64]) -> float:
    """Return the sum of gains, [k, n], of what each customer gets, [n]."""
    given = np.flatnonzero(offer != NOBODY)
    return float(gain[offer[given], given].sum())


@dataclass(frozen=True, eq=False)
class Curve:
    """The expected gain of each budget.

    Args:
        budget: money, rising from 0, [m].
        gain: expected gain after cost, money, [m].
    """

    budget: Floats
    gain: Floats


def most_useful(gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike | None) -> float:
    """Return the budget above which more money changes nothing."""
    everything = float(np.asarray(costs, float).max(initial=0.0)) * len(np.asarray(gains))
    return allocate(gains, costs, capacities, everything, refine=False).spent


def marginal_curve(gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike | None, most: float) -> Curve:
    """Return the expected gain of budgets from 0 to ``most``, closer together where they are small.

    Of more than :data:`CURVE_SAMPLE` customers, so many are taken, evenly over all gains, and stand for the others;
    more, up to :data:`LARGEST_SAMPLE`, where an offer has few places.

    Args:
        gains: as :func:`allocate` takes them, [n, k].
        costs: [k].
        capacities: [k] or None.
        most: largest budget.
    """
    gain = np.asarray(gains, float)
    budget = most * np.linspace(0, 1, CURVE_POINTS) ** 1.5
    places = None if capacities is None else np.asarray(capacities, float)
    part = 1.0
    few = np.inf if places is None else places[places >= 1].min(initial=np.inf)
    size = int(np.clip(len(gain) * FEWEST_PLACES / few, CURVE_SAMPLE, LARGEST_SAMPLE))
    if len(gain) > size:
        part = size / len(gain)
        order = np.argsort(gain.max(axis=1), kind="stable")
        gain = gain[order[((np.arange(size) + 0.5) / part).astype(np.int64)]]
        places = None if places is None else np.round(places * part)
    reached = [allocate(gain, costs, places, part * one, refine=False).gain / part for one in budget.tolist()]
    return Curve(budget, np.maximum.accumulate(np.array(reached)))


@dataclass(frozen=True)
class NextCoin:
    """Where more money would go first.

    Args:
        offer: number of the offer.
        customer: row of the customer.
        per_coin: expected gain by each further unit of money.
    """

    offer: int
    customer: int
    per_coin: float


def next_coin(
    gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike | None, found: Allocation
) -> NextCoin | None:
    """Return the change of one customer's offer that brings most per coin beyond the budget; None where none does.

    Args:
        gains: as :func:`allocate` took them, [n, k].
        costs: [k].
        capacities: [k] or None.
        found: what it returned.
    """
    gain, cost = np.asarray(gains, float), np.asarray(costs, float)
    rows = np.arange(len(gain))
    has = found.offer != NOBODY
    now = np.where(has, gain[rows, found.offer], 0.0)
    paid = np.where(has, cost[found.offer], 0.0)
    extra = cost - paid[:, None]
    rate = np.where((extra > 0) & (gain > 0), (gain - now[:, None]) / np.where(extra > 0, extra, 1.0), -np.inf)
    if capacities is not None:
        rate[:, found.customers >= np.asarray(capacities, float)] = -np.inf
    if not rate.size or not (rate > 0).any():
        return None
    customer, offer = (int(place) for place in np.unravel_index(int(rate.argmax()), rate.shape))
    return NextCoin(offer, customer, float(rate[customer, offer]))
