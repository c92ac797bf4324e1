"""The Lagrangian dual of an allocation: prices of budget and places, and what no allocation can exceed.

For any prices p >= 0, one for a unit of budget and one for a place of each offer,

    D(p) = sum_i max(0, max_j gain_ij - p cost_j - p_j) + p budget + sum_j p_j capacity_j

bounds every allocation from above. D is minimised by cutting planes: each evaluation gives a line below D, and a small
linear programme finds where the lines are lowest. Its dual weights mix what customers choose at the prices of the lines
into a plan that uses the limits up.
Sources: Everett (1963), Generalized Lagrange multiplier method; Kelley (1960), The cutting-plane method for solving
convex programs; Ben-Ameur, Neto (2007), Acceleration of cutting-plane and column generation algorithms (midpoints).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

from clv_core.errors import UsageError

Floats = npt.NDArray[np.float64]
OfferNumbers = npt.NDArray[np.int64]

NO_OFFER: Final = -1
MAX_CUTS: Final = 200
CENT: Final = 1 + 1e-12
"""Sums of costs are compared with the budget times this: 0.1 + 0.2 is more than 0.3."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Gains with the limits; what is not worth its cost, too dear or without places has a gain of -inf.

    Args:
        gain: [k, n].
        cost: [k].
        places: of each offer, at most n, [k].
        budget: money.
    """

    gain: Floats
    cost: Floats
    places: Floats
    budget: float

    @classmethod
    def of(cls, gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike, budget: float) -> Problem:
        """Return the problem of what :func:`allocate` takes."""
        if not (np.isfinite(budget) and budget >= 0):
            raise UsageError("budget_bounds", budget=f"{budget:g}")
        gain, cost = np.ascontiguousarray(np.asarray(gains, float).T), np.asarray(costs, float)
        if np.isnan(gain).any() or (gain == np.inf).any():
            raise UsageError("budget_gains")
        places = np.broadcast_to(np.minimum(np.floor(np.asarray(capacities, float)), gain.shape[1]), len(cost))
        possible = (cost <= budget * CENT) & (places >= 1)
        return cls(np.where((gain > 0) & possible[:, None], gain, -np.inf), cost, places, budget)

    @property
    def scarce(self) -> OfferNumbers:
        """Numbers of the offers with fewer places than customers."""
        return np.flatnonzero(self.places < self.gain.shape[1])

    @property
    def usage(self) -> Floats:
        """What one customer's offer uses of each limit: budget, and a place of each scarce offer, [m, k]."""
        return np.vstack([self.cost, np.eye(len(self.cost))[self.scarce]])

    @property
    def limits(self) -> Floats:
        """Budget, and places of each scarce offer, [m]."""
        return np.append(self.budget, self.places[self.scarce])

    def net(self, prices: Floats) -> Floats:
        """Return gains less what the offers cost at these prices, [k, n]."""
        return self.gain - (prices @ self.usage)[:, None]

    def left(self, offer: OfferNumbers) -> tuple[float, Floats]:
        """Return the money and the places, [k], that a plan leaves."""
        counts = np.bincount(offer[offer != NO_OFFER], minlength=len(self.cost))
        return self.budget * CENT - float(counts @ self.cost), self.places - counts


class Dual:
    """The Lagrangian dual of a problem; its cuts hold for all limits, so several limits share them.

    Args:
        problem: whose gains and usage count.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.usage = problem, problem.usage
        self.largest = float(problem.gain.max(axis=0, initial=0.0).sum())
        self.offers: list[npt.NDArray[np.int8]] = []
        self.lines: list[tuple[float, Floats]] = []

    def minimise(self, limits: Floats, tolerance: float) -> tuple[Floats, float, Floats]:
        """Return the best prices, [m], the bound at them, and the weight of each cut in the optimal mix.

        Args:
            limits: [m].
            tolerance: share of the bound that it may be above the optimum.
        """
        # In units of the largest gain, and prices times limits: all numbers are of one size.
        scale = np.where(limits > 0, limits, 1.0) / self.largest
        best, bound, prices, weights = np.zeros(len(limits)), np.inf, np.zeros(len(limits)), np.ones(1)
        for _ in range(MAX_CUTS):
            if self.lines:
                lowest = scipy.optimize.linprog(
                    [*np.zeros(len(limits)), 1.0],
                    A_ub=[[*((limits - used) / scale / self.largest), -1.0] for _, used in self.lines],
                    b_ub=[-gain / self.largest for gain, _ in self.lines],
                    bounds=(0, 1),
                )
                if lowest.x is None or lowest.fun is None:  # any prices bound every plan, the best so far too
                    break
                weights, prices = -lowest.ineqlin.marginals, lowest.x[:-1] / scale
                if bound < np.inf and bound - lowest.fun * self.largest <= tolerance * bound:
                    break
                prices = (best + prices) / 2 if bound < np.inf else prices
            gain, used = self._cut(prices)
            value = gain + float(prices @ (limits - used))
            if value < bound:
                best, bound = prices, value
        return best, bound, weights

    def mixed(self, weights: Floats) -> OfferNumbers:
        """Return a plan in which each cut decides for its share of the customers whom cuts treat differently, [n]."""
        active = np.flatnonzero(weights > 1e-9)
        choices = np.array([self.offers[cut] for cut in active])
        offer: OfferNumbers = choices[0].astype(np.int64)
        undecided = np.flatnonzero((choices != choices[0]).any(axis=0))
        undecided = undecided[np.lexsort(choices[:, undecided])]
        even = (np.arange(len(undecided)) * 0.6180339887498949 + 0.5) % 1.0
        cut = np.searchsorted(np.cumsum(weights[active]) / weights[active].sum(), even)
        offer[undecided] = choices[np.minimum(cut, len(active) - 1), undecided]
        return offer

    def _cut(self, prices: Floats) -> tuple[float, Floats]:
        """Add what customers choose at these prices, and return its gain and what it uses, [m]."""
        net = self.problem.net(prices)
        offer, highest = net.argmax(axis=0).astype(np.int8), net.max(axis=0)
        offer[highest <= 0] = NO_OFFER
        used = self.usage @ np.bincount(offer[offer != NO_OFFER], minlength=len(net))
        self.offers.append(offer)
        self.lines.append((float(highest[highest > 0].sum() + prices @ used), used))
        return self.lines[-1]
