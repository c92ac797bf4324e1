"""Demand by product and category in the coming weeks, with ranges, and how well that went on past dates.

At each past date at which the shop's forecast was tested, each method (:mod:`.methods`) says what it expects by what
lies before it. What was closest for categories there gives their sums, what was closest for products says how they
share these: customers' purchases, or a simple method where that was closer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from clv_core.records import JsonRecord
from clv_core.strategy.demand.baskets import (
    BLOCK,
    FEWEST_WEEKS,
    NEW_WEEKS,
    Flags,
    by_category,
    quantile,
    sells_weekly,
)
from clv_core.strategy.demand.methods import (
    CUSTOMERS,
    Ahead,
    Expectation,
    Methods,
    Shown,
    price_of,
    share_of,
    simple_methods,
)
from clv_core.strategy.demand.product_days import WEEK, Floats, Ints, LeftOut, ProductDays
from clv_core.strategy.forecast import Forecast, PastForecast

LOW, HIGH = 0.1, 0.9
MOST_TESTS: Final = 12
"""Past dates beyond these are of another shop; a guess."""
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
        errors: sum of the products' absolute errors by method, each alone, weighed.
        shown_error: the same of what was shown then: by the methods that had been best on the dates before.
        group_errors: absolute error of each category's sum by method, weighed, a list by category.
        shown_group_error: their sum of what was shown then.
        weekly_value: pieces that came of products that sold weekly then, weighed.
        weekly_errors: sum of their absolute errors by method, weighed.
        shown_weekly_error: the same of what was shown then.
        inside: of these products, how many came within their range.
        ranged: of how many.
        shared_errors: the products' error by whose sums categories have, then by who shares them (:class:`Shown`).
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
    shared_errors: dict[str, dict[str, float]] = field(default_factory=dict)

    def share_off(self, method: str = "") -> float | None:
        """Return the products' weighted error by a method, "" for what was shown; None where nothing came."""
        error = self.errors.get(method) if method else self.shown_error
        return None if error is None or self.value <= 0 else error / self.value


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
        products_by: by what products share these, as well.
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
    products_by: str
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


def make_demand(days: ProductDays, made: Forecast, tests: Sequence[DemandTest] = ()) -> Demand:
    """Return demand as of the log's end.

    Args:
        days: what was sold; its newcomers hold the span of the forecast's horizon before the end.
        made: the shop's forecast.
        tests: forecasts of demand as of past dates (:func:`past_demands`); they decide what is shown.
    """
    category, names = _categories(days)
    units, shop = days.weekly(days.end)
    methods = Methods.of(days, days.end, Ahead.of(made), category)
    by = best_methods(tests, methods.names)
    answer = methods.expected(by)
    weekly = sells_weekly(units)
    day = days.day_of(days.end)
    year, recent = days.sums(max(day - 365, 0), day), days.sums(max(day - BLOCK * WEEK, 0), day)
    ranged, in_groups = ranged_products(answer, weekly), ranged_groups(answer)
    some = year["units"] > 0
    group_year = {name: _grouped(sums, category, len(names)) for name, sums in year.items()}
    group_returned = share_of(group_year["returned"], group_year["units"])
    pull = SMALL_RETURNS * group_returned[category]
    kept = 1 - np.clip(
        (year["refunded"] + pull * price_of(year)) / (year["revenue"] + SMALL_RETURNS * price_of(year) + 1e-9), 0, 1
    )
    products = days.products.assign(
        state=_states(units, year["units"]),
        price=price_of(year),
        returned=np.minimum((year["returned"] + pull) / (year["units"] + SMALL_RETURNS), 1.0),
        kept=kept,
        recent=recent["units"],
    )
    categories = pd.DataFrame(
        {
            "category": names,
            "price": price_of(group_year),
            "returned": group_returned,
            "kept": 1 - share_of(group_year["refunded"], group_year["revenue"]),
            "recent": np.bincount(category, recent["units"], minlength=len(names)),
        }
    )
    kept_rows = Ranged(*(getattr(ranged, name)[some] for name in Ranged.__dataclass_fields__))
    return Demand(
        days.end,
        made.currency,
        *by,
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
        methods = Methods.of(days, cutoff, Ahead.of_past(test).until(weeks), category)
        answers = {by: methods.mean(by).sum(axis=1) for by in methods.choices}
        groups = {by: methods.learned.summed(mean[:, None])[:, 0] for by, mean in answers.items()}
        by = best_methods(found, methods.names)
        ranged = ranged_products(methods.expected(by), weekly)
        alone = {CUSTOMERS: answers[Shown()]}
        alone |= {name: mean.sum(axis=1) for name, mean in simple_methods(before, weeks).items()}
        off = {name: worth * np.abs(mean - came) for name, mean in alone.items()}
        off_shown = {each: worth * np.abs(mean - came) for each, mean in answers.items()}
        off_groups = {each: group_worth * np.abs(group - truth) for each, group in groups.items()}
        inside = (ranged.block_low <= came) & (came <= ranged.block_high)
        found.append(
            DemandTest(
                cutoff=test.cutoff,
                weeks=weeks,
                units=float(came.sum()),
                value=float((worth * came).sum()),
                categories=list(names),
                errors={name: float(each.sum()) for name, each in off.items()},
                shown_error=float(off_shown[by].sum()),
                group_errors={name: off_groups[Shown(name)].tolist() for name in methods.names},
                shown_group_error=float(off_groups[by].sum()),
                weekly_value=float((worth * came)[weekly].sum()),
                weekly_errors={name: float(each[weekly].sum()) for name, each in off.items()},
                shown_weekly_error=float(off_shown[by][weekly].sum()),
                inside=int(inside[weekly].sum()),
                ranged=int(weekly.sum()),
                shared_errors={
                    name: {other: float(off_shown[Shown(name, other)].sum()) for other in methods.names}
                    for name in methods.names
                },
            )
        )
    return found


def weights_of(days: ProductDays, category: Ints) -> tuple[Floats, Floats]:
    """Return what a piece of each product, [p], and of each category, [c], brought: errors are weighed by it."""
    ever = days.sums(0, days.day_of(days.end))
    by_group = {name: _grouped(sums, category, int(category.max()) + 1) for name, sums in ever.items()}
    return price_of(ever), price_of(by_group)


def spans_of(made: Forecast, end: date) -> list[tuple[date, date]]:
    """Return the spans of which :func:`make_demand` and :func:`past_demands` ask what new customers bought."""
    ends = [(end, made.horizon_days), *((date.fromisoformat(test.cutoff), test.days) for test in made.tests)]
    return [(stop - timedelta(days=days), stop) for stop, days in ends]


def best_methods(tests: Sequence[DemandTest], names: Sequence[str]) -> Shown:
    """Return what is shown: what had the smallest sum of errors on past dates, of categories and of products.

    One date decides: waiting for a second was worse on six of six logs (``tests/bench/demand.py``). Each is one for all
    categories: choosing for each by itself was worse. Of equals, and on no date, it is customers' purchases.

    Args:
        tests: past dates; methods count that answered on all of them.
        names: methods that can answer now.
    """
    if not tests:
        return Shown()
    usable = [name for name in names if all(name in test.group_errors for test in tests)]

    def least(sums: Mapping[str, float]) -> str:
        return min(usable, key=lambda name: (sums[name], name != CUSTOMERS))

    categories = least({name: sum(sum(test.group_errors[name]) for test in tests) for name in usable})
    return Shown(
        categories, least({name: sum(test.shared_errors[categories][name] for test in tests) for name in usable})
    )


def ranged_products(answer: Expectation, weekly: Flags) -> Ranged:
    """Return expected pieces of products with their ranges."""
    block = answer.mean[:, :BLOCK].sum(axis=1)
    week_variance = answer.spreads.week.variance(answer.mean, weekly) + answer.mean**2 * answer.week_error
    block_variance = answer.spreads.block.variance(block, weekly) + block**2 * answer.block_error
    return Ranged.of(answer.mean, week_variance, block_variance)


def ranged_groups(answer: Expectation) -> Ranged:
    """Return expected pieces of categories, with ranges by how far categories were off."""
    spreads = replace(answer.spreads, block=answer.spreads.groups, week=answer.spreads.group_week)
    groups = replace(answer, mean=answer.baskets.summed(answer.mean), spreads=spreads)
    return ranged_products(groups, np.ones(len(groups.mean), bool))


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


def _grouped(values: Floats, category: Ints, count: int) -> Floats:
    grouped: Floats = np.bincount(category, values, minlength=count).astype(np.float64)
    return grouped
