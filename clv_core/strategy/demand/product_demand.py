"""Demand by product and category in the coming weeks, with ranges, and how well that went on past dates.

Expected pieces are the shop's forecast by week (:mod:`clv_core.strategy.forecast`) times what such customers buy
(:mod:`.baskets`). Where more of the revenue is expected from customers still to be won than came from new ones lately,
products that new customers buy gain by that. At each past date at which the shop's forecast was tested the same is made
from what lies before it, beside simple methods that know no customers. Where one of these was closer, it gives
the sums of categories, which products share as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from clv_core.records import JsonRecord
from clv_core.strategy.demand.baskets import (
    BLOCK,
    FEWEST_WEEKS,
    NEW_WEEKS,
    Baskets,
    Flags,
    Spreads,
    by_category,
    past_ends,
    quantile,
    sells_weekly,
)
from clv_core.strategy.demand.product_days import WEEK, YEAR_WEEKS, Floats, Ints, LeftOut, ProductDays
from clv_core.strategy.forecast import LEAST_DATES, PARTS, Forecast, PastForecast

MOST_AHEAD: Final = 13
"""Weeks ahead that are forecast: a quarter; tests are about the first four."""
LOW, HIGH = 0.1, 0.9
NORMAL_80: Final = 1.2815515655446004
"""The 90% quantile of a standard normal distribution: half the width of an 80% range."""
CUSTOMERS: Final = PARTS
"""The method by the shop's forecast, called as there."""
SEASONAL_NAIVE, LAST_WEEKS = "seasonal_naive", "last_weeks"
SIMPLE: Final = (SEASONAL_NAIVE, LAST_WEEKS)
"""Last year's same weeks; the mean of the last eight weeks."""
MEAN_WEEKS: Final = 8
"""As the simple forecast of the shop has it."""
USUAL_ERROR: Final = 0.15
"""What the shop's forecast is off by where no past date shows it; the same guess as there."""
MOST_DATES: Final = 0.5
"""A simple method has to be closer on more than this share of past dates."""
MOST_TESTS: Final = 12
"""Past dates beyond these are of another shop; a guess."""
NEWCOMER_UNITS: Final = 30.0
"""Pieces of a product that its share of new customers is pulled to the shop's by; a guess."""
MOST_SHIFT: Final = 2.0
"""A change in the number of new customers moves a product by this factor at most; a guess."""
SHOWN_WEEKS: Final = 26
"""Weeks before the cutoff that a picture shows: half a year."""
FEWEST_UNITS: Final = 3.0
"""A product of which fewer pieces were sold in a year has no row of its own: a guess."""
NEW, FADING, RARE, STEADY = "new", "fading", "rare", ""
FADED: Final = 0.5
"""A product fades where it is more likely than not that it is not sold any more."""
SMALL_RETURNS: Final = 30.0
"""Pieces of a product's category that its share of returns is pulled to: a guess."""


@dataclass(frozen=True)
class DemandTest(JsonRecord):
    """The same forecast as of a past date, and what came in the weeks after it.

    Pieces are weighed by what one of the product usually brings: else fuel by the litre would drown all else.

    Args:
        cutoff: ISO date; nothing at or after it was used.
        weeks: how many after it.
        units: pieces that came.
        value: the same, weighed.
        categories: which there are.
        errors: sum of the products' absolute errors by method, weighed.
        shown_error: the same of what was shown then: by the methods that had been best on the dates before.
        group_errors: absolute error of each category's sum by method, weighed, a list by category.
        shown_group_error: their sum of what was shown then.
        weekly_value: pieces that came of products that sold weekly then, weighed.
        weekly_errors: sum of their absolute errors by method, weighed.
        shown_weekly_error: the same of what was shown then.
        inside: of these products, how many came within their range.
        ranged: of how many.
    """

    cutoff: str
    weeks: int
    units: float
    value: float
    categories: list[str]
    errors: dict[str, float]
    shown_error: float
    group_errors: dict[str, list[float]]
    shown_group_error: float
    weekly_value: float
    weekly_errors: dict[str, float]
    shown_weekly_error: float
    inside: int
    ranged: int

    def share_off(self, method: str = "") -> float | None:
        """Return the products' weighted error by a method, "" for what was shown; None where nothing came."""
        error = self.errors.get(method) if method else self.shown_error
        return None if error is None or self.value <= 0 else error / self.value


@dataclass(frozen=True, eq=False)
class Ahead:
    """What the shop is expected to take; money in the log's currency.

    Args:
        revenue: net revenue of each week, [w].
        won: share of customers still to be won in the revenue of ``span`` days.
        span: in days.
        week_error: relative variance of a week's revenue, [w].
        block_error: of the first four weeks' revenue.
    """

    revenue: Floats
    won: float
    span: int
    week_error: Floats
    block_error: float

    @classmethod
    def of(cls, made: Forecast) -> Ahead:
        """Read the weeks ahead of a forecast."""
        days = min(MOST_AHEAD * WEEK, made.days)
        total = made.known[:days] + made.won[:days]
        weeks = total.reshape(-1, WEEK).sum(axis=1)
        sums = made.sums()
        won = sums.won / sums.total if sums.total > 0 else 0.0
        if made.draws is None:
            return cls(weeks, won, made.horizon_days, np.full(len(weeks), USUAL_ERROR**2), USUAL_ERROR**2)
        courses = made.draws["total"][:, :days].reshape(len(made.draws["total"]), -1, WEEK).sum(axis=2)
        return cls(weeks, won, made.horizon_days, _relative(courses), float(_relative(courses[:, :BLOCK].sum(axis=1))))

    @classmethod
    def of_past(cls, test: PastForecast) -> Ahead:
        """Read the weeks of a forecast as of a past date."""
        weeks = np.array(test.expected[: test.days // WEEK])
        total = test.known + test.won
        error = USUAL_ERROR**2
        if test.low is not None and test.high is not None and test.low > 0:
            error = float(np.log(test.high / test.low) / (2 * NORMAL_80)) ** 2
        return cls(weeks, test.won / total if total > 0 else 0.0, test.days, np.full(len(weeks), error), error)


@dataclass(frozen=True, eq=False)
class Ranged:
    """Expected pieces with 80% ranges, by week and for the first four weeks together.

    Args:
        units: [n, w].
        low: [n, w].
        high: [n, w].
        block: of the first four weeks, [n].
        block_low: [n].
        block_high: [n].
    """

    units: Floats
    low: Floats
    high: Floats
    block: Floats
    block_low: Floats
    block_high: Floats

    @classmethod
    def of(cls, units: Floats, week_variance: Floats, block_variance: Floats) -> Ranged:
        """Return the ranges of negative binomials."""
        block = units[:, :BLOCK].sum(axis=1)
        ends = [quantile(units, week_variance, share) for share in (LOW, HIGH)]
        return cls(units, ends[0], ends[1], block, *(quantile(block, block_variance, share) for share in (LOW, HIGH)))


@dataclass(frozen=True, eq=False)
class Demand:
    """What will be bought from a cutoff on.

    Args:
        cutoff: the log's end.
        currency: of the log; may be empty.
        by: what gives the categories' sums: ``parts`` (customers' purchases) or a simple method.
        products: product_id, name, category, state (``new``, ``fading``, ``rare`` or ""), price (of a piece), returned
            (share of pieces that come back), kept (share of money that is not paid back), recent (pieces of the last
            four weeks), one row a product.
        categories: category, price, returned, kept, recent; one row a category.
        by_product: pieces sold, returns not taken off.
        by_category: as well; rare products are in it.
        before_products: pieces of each of the last weeks up to the cutoff, [n, :data:`SHOWN_WEEKS` or fewer].
        before_categories: as well.
        tests: forecasts as of past dates, the earliest first.
        left_out: what could not be used.
        ended: products without a sale for a year, which are left out.
    """

    cutoff: date
    currency: str
    by: str
    products: pd.DataFrame
    categories: pd.DataFrame
    by_product: Ranged
    by_category: Ranged
    before_products: Floats
    before_categories: Floats
    tests: Sequence[DemandTest]
    left_out: LeftOut
    ended: int

    @property
    def weeks(self) -> int:
        """How far it goes."""
        return int(self.by_product.units.shape[1])

    def revenue(self, of: str = "products") -> Floats:
        """Return expected net revenue of products or categories by week, [n, w]."""
        table, ranged = getattr(self, of), self.by_product if of == "products" else self.by_category
        money: Floats = ranged.units * (table["price"] * table["kept"]).to_numpy()[:, None]
        return money


@dataclass(frozen=True, eq=False)
class Expectation:
    """Expected pieces by a method with what its variances are, at one cutoff.

    Args:
        mean: [p, w].
        baskets: by what products share their categories' sums.
        spreads: how far it is off, but for the shop's revenue.
        week_error: relative variance by the shop's revenue, [w].
        block_error: of four weeks.
    """

    mean: Floats
    baskets: Baskets
    spreads: Spreads
    week_error: Floats
    block_error: float


def make_demand(days: ProductDays, made: Forecast, tests: Sequence[DemandTest] = ()) -> Demand:
    """Return demand as of the log's end.

    Args:
        days: what was sold; its newcomers hold the span of the forecast's horizon before the end.
        made: the shop's forecast.
        tests: forecasts of demand as of past dates (:func:`past_demands`); they decide what is shown.
    """
    category, names = _categories(days)
    units, shop = days.weekly(days.end)
    ahead = Ahead.of(made)
    answers = expectations(days, days.end, ahead, category)
    by = best_method(tests, answers)
    weekly = sells_weekly(units)
    day = days.day_of(days.end)
    year, recent = days.sums(max(day - 365, 0), day), days.sums(max(day - BLOCK * WEEK, 0), day)
    ranged, in_groups = _ranged(answers[by], weekly), _ranged_groups(answers[by])
    some = year["units"] > 0
    group_year = {name: _grouped(sums, category, len(names)) for name, sums in year.items()}
    group_returned = _share(group_year["returned"], group_year["units"])
    pull = SMALL_RETURNS * group_returned[category]
    kept = 1 - np.clip(
        (year["refunded"] + pull * _price(year)) / (year["revenue"] + SMALL_RETURNS * _price(year) + 1e-9), 0, 1
    )
    products = days.products.assign(
        state=_states(units, year["units"]),
        price=_price(year),
        returned=np.minimum((year["returned"] + pull) / (year["units"] + SMALL_RETURNS), 1.0),
        kept=kept,
        recent=recent["units"],
    )
    categories = pd.DataFrame(
        {
            "category": names,
            "price": _price(group_year),
            "returned": group_returned,
            "kept": 1 - _share(group_year["refunded"], group_year["revenue"]),
            "recent": np.bincount(category, recent["units"], minlength=len(names)),
        }
    )
    kept_rows = Ranged(*(getattr(ranged, name)[some] for name in Ranged.__dataclass_fields__))
    return Demand(
        days.end,
        made.currency,
        by,
        products[some].reset_index(drop=True),
        categories,
        kept_rows,
        in_groups,
        units[some, -SHOWN_WEEKS:],
        by_category(units[:, -SHOWN_WEEKS:], category),
        tests,
        days.left_out,
        int((~some).sum()),
    )


def past_demands(days: ProductDays, past: Sequence[PastForecast]) -> list[DemandTest]:
    """Return demand as of past dates, the earliest first; each reads only what lies before its date.

    Args:
        days: up to today; its newcomers hold the span before each date (:func:`spans_of`).
        past: the shop's forecasts as of these dates.
    """
    category, names = _categories(days)
    worth, group_worth = weights_of(days, category)
    found: list[DemandTest] = []
    for test in past[-MOST_TESTS:]:
        cutoff, weeks = date.fromisoformat(test.cutoff), min(BLOCK, test.days // WEEK)
        if days.day_of(cutoff) < FEWEST_WEEKS * WEEK or weeks < 1:
            continue
        units, _ = days.weekly(cutoff, weeks)
        before, came = units[:, :-weeks], units[:, -weeks:].sum(axis=1)
        truth, weekly = _grouped(came, category, len(names)), sells_weekly(before)
        answers = {
            name: _first(each, weeks)
            for name, each in expectations(days, cutoff, Ahead.of_past(test), category).items()
        }
        groups = {name: each.baskets.summed(each.mean).sum(axis=1) for name, each in answers.items()}
        by = best_method(found, answers)
        ranged = _ranged(answers[by], weekly)
        plain = {CUSTOMERS: answers[CUSTOMERS].mean} | simple_methods(before, weeks)
        off = {name: worth * np.abs(mean.sum(axis=1) - came) for name, mean in plain.items()}
        shown = worth * np.abs(ranged.block - came)
        inside = (ranged.block_low <= came) & (came <= ranged.block_high)
        found.append(
            DemandTest(
                cutoff=test.cutoff,
                weeks=weeks,
                units=float(came.sum()),
                value=float((worth * came).sum()),
                categories=list(names),
                errors={name: float(each.sum()) for name, each in off.items()},
                shown_error=float(shown.sum()),
                group_errors={name: (group_worth * np.abs(group - truth)).tolist() for name, group in groups.items()},
                shown_group_error=float((group_worth * np.abs(groups[by] - truth)).sum()),
                weekly_value=float((worth * came)[weekly].sum()),
                weekly_errors={name: float(each[weekly].sum()) for name, each in off.items()},
                shown_weekly_error=float(shown[weekly].sum()),
                inside=int(inside[weekly].sum()),
                ranged=int(weekly.sum()),
            )
        )
    return found


def weights_of(days: ProductDays, category: Ints) -> tuple[Floats, Floats]:
    """Return what a piece of each product, [p], and of each category, [c], brought: errors are weighed by it."""
    ever = days.sums(0, days.day_of(days.end))
    by_group = {name: _grouped(sums, category, int(category.max()) + 1) for name, sums in ever.items()}
    return _price(ever), _price(by_group)


def spans_of(made: Forecast, end: date) -> list[tuple[date, date]]:
    """Return the spans of which :func:`make_demand` and :func:`past_demands` ask what new customers bought."""
    ends = [(end, made.horizon_days), *((date.fromisoformat(test.cutoff), test.days) for test in made.tests)]
    return [(stop - timedelta(days=days), stop) for stop, days in ends]


def best_method(tests: Sequence[DemandTest], answers: Mapping[str, Expectation]) -> str:
    """Return what is shown: customers', or a simple method that was closer in sum, and on most past dates.

    It is one for all categories: choosing for each by itself was worse (``tests/bench/demand.py``).

    Args:
        tests: past dates; methods count that answered on all of them.
        answers: methods that can answer now.
    """
    if len(tests) < LEAST_DATES:
        return CUSTOMERS
    common = set(answers).intersection(*(test.group_errors for test in tests))
    errors = {name: np.array([sum(test.group_errors[name]) for test in tests]) for name in sorted(common)}
    ours = errors[CUSTOMERS]
    closer = {
        name: float(each.sum())
        for name, each in errors.items()
        if name == CUSTOMERS or (each < ours).mean() > MOST_DATES
    }
    return min(closer, key=lambda name: (closer[name], name != CUSTOMERS))


def expectations(days: ProductDays, cutoff: date, ahead: Ahead, category: Ints) -> dict[str, Expectation]:
    """Return what each method expects as of a cutoff; those that the log is too short for are left out.

    A simple method says what a category sells in all; products share that as customers' purchases say.
    """
    units, shop = days.weekly(cutoff)
    weeks = len(ahead.revenue)
    learned = Baskets.of(units, shop, category, _known_price(days, cutoff))
    mean = learned.expected(units, shop, ahead.revenue) * _newcomers_factor(days, cutoff, ahead)[:, None]
    found = {CUSTOMERS: Expectation(mean, learned, learned.spreads, ahead.week_error, ahead.block_error)}
    for name, wanted in simple_methods(by_category(units, category), weeks).items():
        pasts = []
        for end, past in zip(past_ends(units.shape[1]), learned.pasts, strict=True):
            then = simple_methods(by_category(units[:, :end], category), BLOCK).get(name)
            if then is not None:
                pasts.append(replace(past, mean=learned.shared(past.mean, then)))
        spreads = Spreads.of(pasts, category, learned.known)
        found[name] = Expectation(learned.shared(mean, wanted), learned, spreads, np.zeros(weeks), 0.0)
    return found


def simple_methods(units: Floats, ahead: int) -> dict[str, Floats]:
    """Return pieces of each product and week by methods that know no customers, [p, ahead] each.

    Args:
        units: pieces by product and week, up to a cutoff, [p, w].
        ahead: weeks.
    """
    found = {LAST_WEEKS: np.repeat(units[:, -MEAN_WEEKS:].mean(axis=1)[:, None], ahead, axis=1)}
    if units.shape[1] >= YEAR_WEEKS:
        begin = units.shape[1] - YEAR_WEEKS
        found[SEASONAL_NAIVE] = units[:, begin : begin + ahead]
    return found


def _known_price(days: ProductDays, cutoff: date) -> Floats:
    """Return what a piece of each product brought before a cutoff, [p]; what one of the shop did where that is 0."""
    sums = days.sums(0, days.day_of(cutoff))
    price, usual = _price(sums), sums["revenue"].sum() / max(float(sums["units"].sum()), 1e-9)
    return np.where(price > 0, price, usual if usual > 0 else 1.0)


def _newcomers_factor(days: ProductDays, cutoff: date, ahead: Ahead) -> Floats:
    """Return by how much a product gains where another share of revenue comes from new customers than lately, [p]."""
    span = cutoff - timedelta(days=ahead.span), cutoff
    even = np.ones(len(days.products))
    first = days.day_of(span[0])
    if span not in days.newcomers or first < 0:
        return even
    new, money = days.newcomers[span]
    stop = days.day_of(cutoff)
    sold, total = days.sums(first, stop)["units"], float(days.shop[first:stop].sum())
    lately = money / total if total > 0 else 0.0
    if not (0.01 < lately < 0.9 and 0 < ahead.won < 1 and sold.sum() > 0):
        return even
    usual = new.sum() / sold.sum()
    share = (new + NEWCOMER_UNITS * usual) / (sold + NEWCOMER_UNITS)
    factor = (1 - share) * (1 - ahead.won) / (1 - lately) + share * ahead.won / lately
    level = float((factor * sold).sum() / sold.sum())  # the shop's forecast has the level
    clipped: Floats = np.clip(factor / level, 1 / MOST_SHIFT, MOST_SHIFT)
    return clipped


def _ranged(answer: Expectation, weekly: Flags) -> Ranged:
    """Return expected pieces of products with their ranges."""
    block = answer.mean[:, :BLOCK].sum(axis=1)
    week_variance = answer.spreads.week.variance(answer.mean, weekly) + answer.mean**2 * answer.week_error
    block_variance = answer.spreads.block.variance(block, weekly) + block**2 * answer.block_error
    return Ranged.of(answer.mean, week_variance, block_variance)


def _ranged_groups(answer: Expectation) -> Ranged:
    """Return expected pieces of categories, with ranges by how far categories were off."""
    spreads = replace(answer.spreads, block=answer.spreads.groups, week=answer.spreads.group_week)
    groups = replace(answer, mean=answer.baskets.summed(answer.mean), spreads=spreads)
    return _ranged(groups, np.ones(len(groups.mean), bool))


def _states(units: Floats, year: Floats) -> np.ndarray:
    from clv_core.strategy.demand.baskets import alive

    sold = units > 0
    weeks = units.shape[1]
    first = np.where(sold.any(axis=1), sold.argmax(axis=1), weeks)
    state = np.full(len(units), STEADY, dtype=object)
    state[year < FEWEST_UNITS] = RARE
    state[(alive(units) < FADED) & (year >= FEWEST_UNITS)] = FADING
    state[(first > weeks - NEW_WEEKS) & (weeks > NEW_WEEKS)] = NEW
    return state


def _categories(days: ProductDays) -> tuple[Ints, list[str]]:
    names, number = np.unique(days.products["category"].to_numpy(dtype=str), return_inverse=True)
    return number.astype(np.int64), [str(name) for name in names]


def _first(answer: Expectation, weeks: int) -> Expectation:
    return replace(answer, mean=answer.mean[:, :weeks], week_error=answer.week_error[:weeks])


def _grouped(values: Floats, category: Ints, count: int) -> Floats:
    grouped: Floats = np.bincount(category, values, minlength=count).astype(np.float64)
    return grouped


def _price(sums: Mapping[str, Floats]) -> Floats:
    return _share(sums["revenue"], sums["units"])


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _relative(draws: Floats) -> Floats:
    mean = np.maximum(draws.mean(axis=0), 1e-9)
    relative: Floats = draws.var(axis=0) / mean**2
    return relative
