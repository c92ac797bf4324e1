"""What of each unit of a shop's revenue goes to which product, how that is weighed, and how far it is off.

Pieces of a product in a coming week are the shop's revenue of that week times pieces per revenue. That rate is seen in
several ways: in the last four weeks, the last quarter, the last year, in the same weeks of last year, and in the last
quarter moved by its category's season. How much each counts is learned on past dates (empirical Bayes: least squares
with weights that may not be negative, pulled to usual ones by what :data:`PRIOR_UNITS` pieces would say), from what the
shop did take then, so that errors of its forecast are not mixed in.

A product without a sale for long fades: by how likely so long a silence is while it is sold, against how often products
end. One that is new counts from the week after its first, and is pulled to what new products of its category sell.

What comes varies around its expectation as a negative binomial: its variance is ``phi * mean + tau2 * mean**2``, both
learned on the same past dates. Beside it varies the shop's own revenue.

Source: Efron, Morris (1973), Stein's estimation rule and its competitors, JASA 68, for the pull to a common rate;
Croston (1972), Forecasting and stock control for intermittent demands, Operational Research Quarterly 23, for sales and
their gaps as two things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.strategy.demand.product_days import YEAR_WEEKS, Floats, Ints

Flags = NDArray[np.bool_]

BLOCK: Final = 4
"""Weeks that weights are learned for, and that tests are about: a month of orders."""
SPANS: Final = (4, 13, 52)
"""Weeks back that a rate is seen in."""
QUARTER: Final = 13
KINDS: Final = ("last_4", "last_13", "last_52", "last_year", "category_season")
USUAL: Final = np.array([0.2, 0.35, 0.25, 0.1, 0.1])
"""Weights before any past date is seen: a guess, and what weights are pulled to."""
PRIOR_UNITS: Final = 40.0
"""How many pieces the usual weights count as (`tests/bench/demand.py`: with 40, errors of the
categories of two shops were 11% and 14% lower than with 200; chosen on these)."""
SEASON_UNITS: Final = 20.0
"""Pieces of a category at its usual course that its season is pulled to; a guess."""
MOST_DATES: Final = 13
"""Past dates, four weeks apart, that weights are learned on: a year."""
FEWEST_WEEKS: Final = 13
"""History that a past date needs: a quarter."""
OFTEN: Final = 9
"""A product sells weekly if it was sold in at least so many of the last 13 weeks: two of three."""
ENDS_A_WEEK: Final = 0.003
"""Share of products that end in a week, before any is seen to: one of seven a year; a guess."""
ENDS_WEIGHT: Final = 500.0
"""Product-weeks that this guess counts as."""
NEW_WEEKS: Final = 13
"""A product is new for its first quarter."""
NEW_PRIOR: Final = 4.0
"""Weeks of its category's new products that a new product is pulled to; a guess."""
USUAL_PHI, USUAL_TAU2 = 1.5, 0.1
"""What comes around its mean, before any past date is seen: a guess."""
SPREAD_PRIOR: Final = 20.0
"""Residuals that these count as."""
KNOWN_UNITS: Final = 50.0
"""Pieces that the shop's share of products sold before counts as in a category; a guess."""
MOST_MOVED: Final = 3.0
"""Products are moved to their category's sum by this factor at most; a guess."""
FEW: Final = 0.05
"""Fewer expected pieces tell nothing of how far errors go."""


def baskets(units: Floats, shop: Floats, category: Ints, ahead: int, price: Floats | None = None) -> Floats:
    """Return pieces of each product per revenue of the shop, by :data:`KINDS`, product and week ahead, [k, p, ahead].

    Args:
        units: pieces by product and week, up to a cutoff, [p, w].
        shop: net revenue by week, [w].
        category: number of each product's category, [p].
        ahead: weeks ahead, 52 at most.
        price: what a piece of each brings, [p]; None where all bring the same.
    """
    count, weeks = units.shape
    total = np.concatenate([[0.0], np.cumsum(np.maximum(shop, 0.0))])
    sold = units > 0
    first = np.where(sold.any(axis=1), sold.argmax(axis=1), weeks)
    rates = [_rate(units, total, first, span) for span in SPANS]
    new = (first > weeks - NEW_WEEKS) & (first < weeks) & (weeks > NEW_WEEKS)
    if new.any():
        as_new = _new_rates(units, total, first, new, category, price)
        rates = [np.where(new, as_new, rate) for rate in rates]
    found = np.repeat(np.array(rates)[:, :, None], ahead, axis=2)
    quarter = found[1]
    year = quarter.copy()
    season = np.ones((count, ahead))
    begin = weeks - YEAR_WEEKS
    if begin - QUARTER >= 0:
        groups = by_category(units, category)
        cumulated, of_groups = _cumulated(units), _cumulated(groups)
        before = of_groups[:, begin] - of_groups[:, begin - QUARTER]
        usual = before / max(total[begin] - total[begin - QUARTER], 1e-9)
        for week in range(ahead):
            low, high = max(begin + week - 1, 0), min(begin + week + 3, weeks)
            money = max(total[high] - total[low], 1e-9)
            year[:, week] = np.where(first <= begin, (cumulated[:, high] - cumulated[:, low]) / money, year[:, week])
            came, expected = of_groups[:, high] - of_groups[:, low], usual * money
            season[:, week] = np.clip((came + SEASON_UNITS) / (expected + SEASON_UNITS), 0.2, 5.0)[category]
    fading = alive(units)
    stacked: Floats = np.concatenate([found, year[None], (quarter * season)[None]]) * fading[None, :, None]
    return stacked


def alive(units: Floats) -> Floats:
    """Return how likely each product is still sold, by the weeks since its last sale, [p].

    A product that was sold in most weeks and is silent for two is likely gone; one that is bought twice a year is not.
    """
    count, weeks = units.shape
    sold = units > 0
    any_sale = sold.any(axis=1)
    first = np.where(any_sale, sold.argmax(axis=1), weeks)
    last = np.where(any_sale, weeks - 1 - sold[:, ::-1].argmax(axis=1), -1)
    gap = weeks - 1 - last
    life = np.maximum(last - first + 1, 1)
    begin = np.maximum(first, last - YEAR_WEEKS + 1)
    before = _cumulated(sold.astype(np.float64))
    rows = np.arange(count)
    in_year = before[rows, np.maximum(last + 1, 0)] - before[rows, np.minimum(begin, weeks)]
    often = (in_year + 0.5) / (np.minimum(life, YEAR_WEEKS) + 1.0)
    silent = (1 - often) ** gap
    ended = any_sale & (silent < 0.01)
    hazard = (ended.sum() + ENDS_A_WEEK * ENDS_WEIGHT) / (life[any_sale].sum() + ENDS_WEIGHT)
    over = 1 - (1 - hazard) ** gap
    return np.where(any_sale, silent / np.maximum(silent + over, 1e-300), 0.0)


def sells_weekly(units: Floats) -> Flags:
    """Return which products were sold in most of the last 13 weeks, [p]."""
    weekly: Flags = (units[:, -QUARTER:] > 0).sum(axis=1) >= OFTEN
    return weekly


@dataclass(frozen=True, eq=False)
class Spread:
    """How far what comes is off: variance is ``phi * mean + tau2 * mean**2``.

    Args:
        phi: by whether products sell weekly, [2].
        tau2: as well, [2].
    """

    phi: Floats
    tau2: Floats

    def variance(self, mean: Floats, weekly: Flags) -> Floats:
        """Return the variance of what comes around ``mean``, [p] or [p, w]."""
        kind = weekly.astype(np.int64)
        shape = (-1,) + (1,) * (mean.ndim - 1)
        variance: Floats = self.phi[kind].reshape(shape) * mean + self.tau2[kind].reshape(shape) * mean**2
        return variance

    @classmethod
    def of(cls, mean: Floats, came: Floats, weekly: Flags) -> Self:
        """Learn it from expectations and what came, [n] each."""
        from scipy.optimize import nnls

        phi, tau2 = np.full(2, USUAL_PHI), np.full(2, USUAL_TAU2)
        for kind in (False, True):
            some = (weekly == kind) & (mean > FEW)
            squares = (came[some] - mean[some]) ** 2 / mean[some]
            weight = 1 / (1 + USUAL_TAU2 * mean[some])
            terms = np.column_stack([np.ones(some.sum()), mean[some]]) * weight[:, None]
            level = np.array([1.0, 5.0 if kind else 0.5])  # usual means of both kinds: where the guesses are told apart
            prior = np.sqrt(SPREAD_PRIOR) * np.diag(level / (1 + USUAL_TAU2 * level))
            target = np.concatenate([squares * weight, prior @ [USUAL_PHI, USUAL_TAU2]])
            phi[int(kind)], tau2[int(kind)] = nnls(np.vstack([terms, prior]), target)[0]
        return cls(phi, tau2)


@dataclass(frozen=True, eq=False)
class Past:
    """What a method expected of :data:`BLOCK` weeks after a past date, and what came.

    Args:
        mean: expected pieces, [p, BLOCK].
        came: pieces that came, [p, BLOCK].
        weekly: which products sold weekly then, [p].
        seen: which had been sold by then, [p].
    """

    mean: Floats
    came: Floats
    weekly: Flags
    seen: Flags


@dataclass(frozen=True, eq=False)
class Spreads:
    """How far a method is off.

    Args:
        block: over four weeks, of products.
        week: over one, of products.
        groups: over four weeks, of categories.
        group_week: over one, of categories.
    """

    block: Spread
    week: Spread
    groups: Spread
    group_week: Spread

    @classmethod
    def of(cls, pasts: Sequence[Past], category: Ints, known: Floats) -> Self:
        """Learn them from past dates; of none, they are the usual ones.

        Args:
            pasts: what was expected, and what came.
            category: number of each product's category, [p].
            known: share of each category's pieces that products sold before bring, [c].
        """
        empty = [np.empty((0, BLOCK))]
        mean = np.concatenate([*empty, *(past.mean[past.seen] for past in pasts)])
        came = np.concatenate([*empty, *(past.came[past.seen] for past in pasts)])
        weekly = np.concatenate([np.zeros(0, bool), *(past.weekly[past.seen] for past in pasts)])
        group = np.concatenate([*empty, *(by_category(past.mean, category) / known[:, None] for past in pasts)])
        group_came = np.concatenate([*empty, *(by_category(past.came, category) for past in pasts)])
        always = np.ones(len(group), bool)
        return cls(
            Spread.of(mean.sum(axis=1), came.sum(axis=1), weekly),
            Spread.of(mean.ravel(), came.ravel(), np.repeat(weekly, BLOCK)),
            Spread.of(group.sum(axis=1), group_came.sum(axis=1), always),
            Spread.of(group.ravel(), group_came.ravel(), np.repeat(always, BLOCK)),
        )


@dataclass(frozen=True, eq=False)
class Baskets:
    """How much each way to see a rate counts, learned on past dates, and how far what comes is off then.

    Categories are learned by their own sums, where there is less chance; products share what their category gets.

    Args:
        products: weight of each of :data:`KINDS`, by whether products sell weekly, [2, k].
        categories: the same of categories, [2, k].
        known: share of each category's pieces that products sold before bring; the rest is of products still to come,
            [c].
        pasts: what was expected on past dates, had the shop's revenue been known.
        category: number of each product's category, [p].
        price: what a piece of each product brings, [p]; None where all bring the same.
    """

    products: Floats
    categories: Floats
    known: Floats
    pasts: Sequence[Past]
    category: Ints
    price: Floats | None = None

    @classmethod
    def of(cls, units: Floats, shop: Floats, category: Ints, price: Floats | None = None) -> Self:
        """Learn them from weeks up to a cutoff; nothing after it is read.

        Args:
            units: pieces by product and week, [p, w].
            shop: net revenue by week, [w].
            category: number of each product's category, [p].
            price: what a piece of each product brings, [p]; None where all bring the same.
        """
        groups = by_category(units, category)
        products, found = _learned(units, shop, category, price)
        categories, found_groups = _learned(groups, shop, np.arange(len(groups)), None)
        known, pasts = _known_share([past for _, past in found], category), []
        for (rates, past), (group_rates, group_past) in zip(found, found_groups, strict=True):
            wanted = _weighed(categories, group_rates, group_past.weekly)
            mean = shared(_weighed(products, rates, past.weekly), wanted * known[:, None], category)
            pasts.append(replace(past, mean=mean))
        return cls(products, categories, known, pasts, category, price)

    @property
    def spreads(self) -> Spreads:
        """How far what comes is off where the shop's revenue is known."""
        return Spreads.of(self.pasts, self.category, self.known)

    def expected(self, units: Floats, shop: Floats, revenue: Floats) -> Floats:
        """Return expected pieces of each product and week ahead, [p, ahead].

        Args:
            units: pieces by product and week, up to the cutoff, [p, w].
            shop: net revenue by week, [w].
            revenue: the shop's net revenue of each week ahead, [ahead].
        """
        groups, money = by_category(units, self.category), np.maximum(revenue, 0.0)
        of_groups = baskets(groups, shop, np.arange(len(groups)), len(money)) * money
        wanted = _weighed(self.categories, of_groups, sells_weekly(groups))
        rates = baskets(units, shop, self.category, len(money), self.price) * money
        return self.shared(_weighed(self.products, rates, sells_weekly(units)), wanted)

    def shared(self, mean: Floats, wanted: Floats) -> Floats:
        """Return pieces of products, [p, w], moved to what their categories sell in all, [c, w]."""
        return shared(mean, wanted * self.known[:, None], self.category)

    def summed(self, mean: Floats) -> Floats:
        """Return what categories sell in all, [c, w], products still to come too."""
        sums: Floats = by_category(mean, self.category) / self.known[:, None]
        return sums


def _learned(
    units: Floats, shop: Floats, category: Ints, price: Floats | None
) -> tuple[Floats, list[tuple[Floats, Past]]]:
    """Return the weights, [2, k], and by past date what each way to see a rate gave, with what came."""
    from scipy.optimize import nnls

    kinds = len(KINDS)
    moment, target = np.zeros((2, kinds, kinds)), np.zeros((2, kinds))
    kept = []
    for end in past_ends(units.shape[1]):
        before, money = units[:, :end], np.maximum(shop[end : end + BLOCK], 0.0)
        seen, weekly = np.asarray(before.any(axis=1)), sells_weekly(before)
        rates = baskets(before, shop[:end], category, BLOCK, price) * money
        terms, came = rates.sum(axis=2), units[:, end : end + BLOCK]
        usual = USUAL @ terms
        weight = 1 / (USUAL_PHI * usual + USUAL_TAU2 * usual**2 + 0.5)
        for kind in (0, 1):
            some = seen & (weekly == kind)
            scaled = terms[:, some] * weight[some]
            moment[kind] += scaled @ terms[:, some].T
            target[kind] += scaled @ came[some].sum(axis=1)
        kept.append((rates, Past(np.zeros(came.shape), came, weekly, seen)))
    both = moment.sum(axis=0)
    learned = np.tile(USUAL, (2, 1))
    if both.any():
        scale = both * PRIOR_UNITS / (USUAL @ both @ USUAL)
        prior = scale + np.eye(kinds) * np.trace(scale) / kinds
        for kind in (0, 1):
            root = np.linalg.cholesky(moment[kind] + prior)
            learned[kind] = nnls(root.T, np.linalg.solve(root, target[kind] + prior @ USUAL))[0]
    return learned, kept


def _known_share(pasts: Sequence[Past], category: Ints) -> Floats:
    """Return what part of each category's pieces products brought that had been sold before, on past dates, [c]."""
    count = int(category.max()) + 1
    came, seen = np.zeros(count), np.zeros(count)
    for past in pasts:
        pieces = past.came.sum(axis=1)
        came += np.bincount(category, pieces, minlength=count)
        seen += np.bincount(category, pieces * past.seen, minlength=count)
    usual = seen.sum() / came.sum() if came.sum() > 0 else 1.0
    return np.maximum((seen + KNOWN_UNITS * usual) / (came + KNOWN_UNITS), 0.1)


def _weighed(weight: Floats, found: Floats, weekly: Flags) -> Floats:
    weighed: Floats = np.einsum("pk,kpw->pw", weight[weekly.astype(np.int64)], found)
    return weighed


def shared(mean: Floats, wanted: Floats, category: Ints) -> Floats:
    """Return pieces of products, [p, w], whose sums are those that their categories get, [c, w]."""
    sums = by_category(mean, category)
    factor = np.divide(wanted, sums, out=np.ones(sums.shape), where=sums > 0)
    moved: Floats = mean * np.clip(factor, 1 / MOST_MOVED, MOST_MOVED)[category]
    return moved


def past_ends(weeks: int) -> list[int]:
    """Return the past dates, as weeks since the start, that so long a history allows: four weeks apart."""
    ends = range(weeks - BLOCK, FEWEST_WEEKS - 1, -BLOCK)
    return list(ends)[:MOST_DATES]


def quantile(mean: Floats, variance: Floats, probability: float) -> Floats:
    """Return a quantile of negative binomials, or of Poisson distributions where the variance is no larger."""
    from scipy import stats

    safe = np.maximum(mean, 1e-12)
    more = variance > safe * 1.0001
    ratio = np.where(more, safe / np.where(more, variance, 1.0), 0.5)
    size = np.where(more, safe * ratio / (1 - ratio), 1.0)
    ends = np.where(more, stats.nbinom.ppf(probability, size, ratio), stats.poisson.ppf(probability, safe))
    return np.where(mean > 0, ends, 0.0)


def _cumulated(table: Floats) -> Floats:
    """Return sums over the weeks before each, [p, w + 1]."""
    return np.concatenate([np.zeros((len(table), 1)), np.cumsum(table, axis=1)], axis=1)


def by_category(table: Floats, category: Ints) -> Floats:
    """Return the sums of each category's products, [c, w]."""
    from scipy.sparse import csr_array

    count = len(category)
    member = csr_array((np.ones(count), (category, np.arange(count))), shape=(int(category.max()) + 1, count))
    return np.asarray(member @ table)


def _rate(units: Floats, total: Floats, first: Ints, span: int) -> Floats:
    """Return pieces per revenue of the last weeks, from the week after a product's first on, [p].

    That a product was sold in its first week is how that week was found: it tells nothing of how much it sells.
    """
    weeks = units.shape[1]
    begin = np.maximum(max(weeks - span, 0), _after(first, weeks))
    cumulated, rows = _cumulated(units), np.arange(len(units))
    money = total[weeks] - total[begin]
    return np.divide(cumulated[:, -1] - cumulated[rows, begin], money, out=np.zeros(len(units)), where=money > 0)


def _new_rates(units: Floats, total: Floats, first: Ints, new: Flags, category: Ints, price: Floats | None) -> Floats:
    """Return pieces per revenue of new products, pulled to what new products of their category sell, [p].

    In pieces or in money, whichever is less: where one sells grams by the thousand, a gift card does not, and where one
    sells gift cards, grams do not bring as much.
    """
    weeks = units.shape[1]
    begin, cumulated = _after(first, weeks), _cumulated(units)
    since, money = cumulated[:, -1] - cumulated[np.arange(len(units)), begin], total[weeks] - total[begin]
    exposed = np.bincount(category[new], money[new], minlength=int(category.max()) + 1)

    def usual(sold: Floats) -> Floats:
        sums = np.bincount(category[new], sold[new], minlength=len(exposed))
        return np.divide(sums, exposed, out=np.zeros(len(exposed)), where=exposed > 0)[category]

    pull = usual(since) if price is None else np.minimum(usual(since), usual(since * price) / price)
    prior = NEW_PRIOR * (total[weeks] - total[max(weeks - QUARTER, 0)]) / min(weeks, QUARTER)
    rates: Floats = (since + prior * pull) / np.maximum(money + prior, 1e-9)
    return rates


def _after(first: Ints, weeks: int) -> Ints:
    """Return the week after each product's first; of those that the log begins with, its beginning."""
    return np.where(first == 0, 0, np.minimum(first + 1, weeks))
