"""Allocation: which customer gets which offer, so that the expected gain is highest within budget and capacities.

Maximise sum_ij gain_ij x_ij with sum_j x_ij <= 1, sum_ij cost_j x_ij <= budget, sum_i x_ij <= capacity_j, x in {0, 1}.

A plan starts from the Lagrangian dual (:class:`Dual`). For any prices p >= 0, one for a unit of budget and one for a
place of each offer,

    D(p) = sum_i max(0, max_j gain_ij - p cost_j - p_j) + p budget + sum_j p_j capacity_j

bounds every allocation from above: it also proves how good a plan is. D is minimised by cutting planes: each evaluation
gives a line below D, and a small linear programme finds where the lines are lowest. Its dual weights mix what customers
choose at the prices of the lines into a plan that uses the limits up.

Rounding is repaired by changes of single customers and, where it still matters, by exchanges of up to three at once.
No mixed-integer solver: HiGHS 1.12, the one in scipy, takes seconds for 250 customers with tied gains, and writes lines
of its own to standard output, where commands print JSON (https://github.com/ERGO-Code/HiGHS/issues/2783).
Sources: Everett (1963), Generalized Lagrange multiplier method; Kelley (1960), The cutting-plane method for solving
convex programs; Ben-Ameur, Neto (2007), Acceleration of cutting-plane and column generation algorithms (midpoints).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy

from clv_core.errors import UsageError

Floats = npt.NDArray[np.float64]
OfferNumbers = npt.NDArray[np.int64]

TOLERANCE: Final = 1e-6
"""Share of the bound within which prices are optimal."""
CURVE_TOLERANCE: Final = 1e-4
"""The same for the points of a curve, which is read off a chart."""
MAX_GAP: Final = 2e-5
"""Share of the bound within which a plan is not improved any further."""
BUDGET_PRICES: Final = (1.0, 0.97, 1.03, 0.9, 1.1, 1.3, 0.8, 0.99, 1.01, 0.95, 1.05, 1.2)
"""Factors of the optimal price of budget that plans of few customers start from."""
FEW_CUSTOMERS: Final = 20_000
"""Up to so many, the rounding of one customer is more than :data:`MAX_GAP`."""
MAX_FILLS: Final = 60
"""Rounds of :func:`_fill`; each takes all changes that fit at once."""
MAX_EXCHANGES: Final = 12
"""Rounds of :func:`_exchange`; with :data:`MAX_CANDIDATES` they bound its time."""
MAX_CANDIDATES: Final = 48
"""Changes of which all triples are compared, with none at all 49 cubed, against every limit."""
CURVE_POINTS: Final = 24
"""Budgets of a curve, denser at low ones, where it bends."""
CURVE_SAMPLE: Final = 200_000
"""Customers from which a curve is computed; plans use all."""
NO_OFFER: Final = -1
"""Number of the offer of those who get none."""
MAX_CUTS: Final = 200
"""Cutting planes, where :data:`TOLERANCE` does not end them before."""
CENT: Final = 1 + 1e-12
"""Sums of costs are compared with the budget times this: 0.1 + 0.2 is more than 0.3."""


@dataclass(frozen=True, eq=False)
class Allocation:
    """Who gets what.

    Args:
        offer: number of each customer's offer, -1 for none, [n].
        gain: expected gain after cost, money.
        spent: sum of costs, money.
        bound: what no allocation can exceed, money.
        shadow_price: gain by one more unit of budget; 0 where the budget is not used up.
        customers: of each offer, [k].
    """

    offer: OfferNumbers
    gain: float
    spent: float
    bound: float
    shadow_price: float
    customers: OfferNumbers


@dataclass(frozen=True, eq=False)
class Curve:
    """The expected gain of each budget.

    Args:
        budget: money, rising from 0, [m].
        gain: expected gain after cost, money, [m].
    """

    budget: Floats
    gain: Floats


def allocate(gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike, budget: float) -> Allocation:
    """Give each customer at most one offer; an offer whose expected gain is not above 0 is never given.

    Args:
        gains: expected gain after cost, money, [n, k]; -inf where an offer must not be given.
        costs: per customer who gets the offer, money, >= 0, [k].
        capacities: most customers of each offer, may be infinite, [k], or one number for all.
        budget: money, >= 0.

    Raises:
        UsageError: a budget below 0 or not finite, or gains that are not numbers.
    """
    problem = Problem.of(gains, costs, capacities, budget)
    customers = problem.gain.shape[1]
    if not (problem.gain > 0).any():
        nobody = np.full(customers, NO_OFFER)
        return Allocation(nobody, 0.0, 0.0, 0.0, 0.0, np.zeros(len(problem.cost), np.int64))
    dual = Dual(problem)
    prices, bound, weights = dual.minimise(problem.limits, TOLERANCE)
    enough = bound * (1 - MAX_GAP)
    plans: list[tuple[float, OfferNumbers]] = []
    for factor in (None, *BUDGET_PRICES):
        net = problem.net(prices * np.append(factor or 1.0, np.ones(len(prices) - 1)))
        offer = dual.mixed(weights) if factor is None else np.where(net.max(axis=0) > 0, net.argmax(axis=0), NO_OFFER)
        offer = _exchange(problem, net, _fill(problem, _trim(problem, net, offer)), enough)
        plans.append((total_gain(problem.gain, offer), offer))
        if plans[-1][0] >= enough or customers > FEW_CUSTOMERS:
            break
    gain, offer = max(plans, key=lambda plan: plan[0])
    counts = np.bincount(offer[offer != NO_OFFER], minlength=len(problem.cost)).astype(np.int64)
    return Allocation(offer, gain, float(counts @ problem.cost), bound, float(prices[0]), counts)


def total_gain(gain: Floats, offer: OfferNumbers) -> float:
    """Return the sum of gains, [k, n], of what each customer gets, [n]."""
    given = np.flatnonzero(offer != NO_OFFER)
    return float(gain[offer[given], given].sum())


def max_useful_budget(gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike) -> float:
    """Return the budget above which more money changes nothing."""
    everything = float(np.asarray(costs, float).max(initial=0.0)) * len(np.asarray(gains))
    return allocate(gains, costs, capacities, everything).spent


def gain_curve(gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike, most: float) -> Curve:
    """Return the expected gain of budgets from 0 to ``most``, denser where they are small.

    For more than :data:`FEW_CUSTOMERS` it is the bound of each budget, which differs from a plan by rounding only. Of
    more than :data:`CURVE_SAMPLE` so many, spaced evenly over all gains, count for all.

    Args:
        gains: as :func:`allocate` takes them, [n, k].
        costs: [k].
        capacities: [k].
        most: largest budget.
    """
    gain = np.asarray(gains, float)
    budgets = most * np.linspace(0, 1, CURVE_POINTS) ** 1.5
    places = np.broadcast_to(np.asarray(capacities, float), gain.shape[1])
    share = min(1.0, CURVE_SAMPLE / max(len(gain), 1))
    if share < 1:
        order = np.argsort(gain.max(axis=1), kind="stable")
        gain = gain[order[((np.arange(CURVE_SAMPLE) + 0.5) / share).astype(np.int64)]]
    problem = Problem.of(gain, costs, np.ceil(places * share), most)
    limits, dual = problem.limits, Dual(problem)
    limits[1:] = (places * share)[problem.scarce]
    totals = [allocate(gain, costs, places * share, 0.0).gain]
    for budget in budgets[1:].tolist() if dual.largest else ():
        limits[0] = budget * share
        prices, highest, weights = dual.minimise(limits, CURVE_TOLERANCE)
        if len(gain) <= FEW_CUSTOMERS:
            affordable = replace(problem, budget=budget)
            offer = _trim(affordable, problem.net(prices), dual.mixed(weights))
            highest = total_gain(problem.gain, _fill(affordable, offer))
        totals.append(highest)
    totals += [0.0] * (len(budgets) - len(totals))
    return Curve(budgets, np.maximum.accumulate(np.array(totals)) / share)


def marginal_return(
    gains: npt.ArrayLike, costs: npt.ArrayLike, capacities: npt.ArrayLike, allocation: Allocation
) -> tuple[int, int, float] | None:
    """Return the change of one customer's offer that brings most per unit of money; None where none brings anything.

    Args:
        gains: as :func:`allocate` took them, [n, k].
        costs: [k].
        capacities: [k].
        allocation: what it returned.

    Returns:
        Number of the new offer, row of the customer, and expected gain by each further unit of money.
    """
    gain, cost = np.asarray(gains, float), np.asarray(costs, float)
    has = allocation.offer != NO_OFFER
    now = np.where(has, gain[np.arange(len(gain)), allocation.offer], 0.0)
    extra = cost - np.where(has, cost[allocation.offer], 0.0)[:, None]
    rate = np.where((extra > 0) & (gain > 0), (gain - now[:, None]) / np.where(extra > 0, extra, 1.0), -np.inf)
    rate[:, allocation.customers >= np.asarray(capacities, float)] = -np.inf
    if not (rate > 0).any():
        return None
    customer, offer = (int(place) for place in np.unravel_index(int(rate.argmax()), rate.shape))
    return offer, customer, float(rate[customer, offer])


def _trim(problem: Problem, net: Floats, offer: OfferNumbers) -> OfferNumbers:
    """Return the plan without those who exceed a capacity or the budget, the lowest ``net`` gains, [k, n], first."""
    offer = offer.copy()
    for number, places in enumerate(problem.places.astype(np.int64).tolist()):
        customers = np.flatnonzero(offer == number)
        if len(customers) > places:
            offer[customers[np.argsort(-net[number, customers], kind="stable")[places:]]] = NO_OFFER
    if problem.left(offer)[0] < 0:
        paid = np.flatnonzero(offer != NO_OFFER)
        paid = paid[problem.cost[offer[paid]] > 0]
        paid = paid[np.argsort(-net[offer[paid], paid], kind="stable")]
        offer[paid[np.cumsum(problem.cost[offer[paid]]) > problem.budget * CENT]] = NO_OFFER
    return offer


def _fill(problem: Problem, offer: OfferNumbers) -> OfferNumbers:
    """Return the plan with changes of single customers that fit, the highest gain per unit of money first."""
    gain, cost = np.vstack([problem.gain, np.zeros(len(offer))]), np.append(problem.cost, 0.0)
    cheapest = 1e-9 * (float(cost.max()) or 1.0)
    offer, columns = offer.copy(), np.arange(len(offer))
    for _ in range(MAX_FILLS):
        money, places = problem.left(offer)
        more, extra = problem.gain - gain[offer, columns], problem.cost[:, None] - cost[offer]
        fits = (more > 0) & (extra <= money) & (places >= 1)[:, None]
        rate = np.where(fits, more / np.maximum(extra, cheapest), 0.0)
        customers = np.flatnonzero(rate.max(axis=0) > 0)
        if not len(customers):
            break
        new = rate[:, customers].argmax(axis=0)
        order = np.argsort(-rate[new, customers], kind="stable")
        customers, new = customers[order], new[order]
        taken = np.cumsum(np.maximum(extra[new, customers], 0)) <= money
        for number in np.flatnonzero(places < len(offer)):
            taken[np.flatnonzero(taken & (new == number))[int(places[number]) :]] = False
        offer[customers[taken]] = new[taken]
    return offer


def _exchange(problem: Problem, net: Floats, offer: OfferNumbers, enough: float) -> OfferNumbers:
    """Return the plan with changes of up to three customers at once, until it brings ``enough``.

    Of each kind of change, from one offer or none to another, the two customers with the lowest loss of ``net`` gain,
    [k, n], are candidates.
    """
    none = len(problem.cost)
    offer = np.where(offer == NO_OFFER, none, offer)
    gain, net = (np.vstack([rows, np.zeros(len(offer))]) for rows in (problem.gain, net))
    usage = np.vstack([np.append(problem.cost, 0.0), np.eye(none, none + 1)])
    for _ in range(MAX_EXCHANGES):
        if gain[offer, np.arange(len(offer))].sum() >= enough:
            break
        changes = []
        for old in range(none + 1):
            customers = np.flatnonzero(offer == old)
            for new in set(range(none + 1)) - {old}:
                loss = net[old, customers] - net[new, customers]
                first = np.argpartition(loss, 1)[:2] if len(loss) > 2 else range(len(loss))
                changes += [(loss[row], customers[row], old, new) for row in first if np.isfinite(loss[row])]
        # The last candidate is no change at all.
        who, old, new = np.array([change[1:] for change in sorted(changes)[:MAX_CANDIDATES]] + [(-1, none, none)]).T
        same = (who[:, None] == who) & (who >= 0)
        more = gain[new, who] - gain[old, who]
        worth = np.where(same[:, :, None] | same[:, None] | same, -np.inf, _sums_of_three(more))
        money, places = problem.left(np.where(offer == none, NO_OFFER, offer))
        for used, left in zip(usage[:, new] - usage[:, old], (money, *places), strict=True):
            worth[_sums_of_three(used) > left] = -np.inf
        best = list(np.unravel_index(int(worth.argmax()), worth.shape))
        if worth[tuple(best)] <= 1e-9 * np.abs(more).max():
            break
        changed = [row for row in best if who[row] >= 0]
        offer[who[changed]] = new[changed]
    return np.where(offer == none, NO_OFFER, offer)


def _sums_of_three(values: Floats) -> Floats:
    """Return the sums of all triples of values, [m, m, m]."""
    return np.asarray(values[:, None, None] + values[:, None] + values)


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
        # Multiples of the golden ratio are evenly spread: similar customers get each cut by its weight.
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
