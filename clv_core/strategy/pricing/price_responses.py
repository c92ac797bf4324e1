"""How sales answer prices and discounts, by category and tier, measured from the variation in the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.columns import CATEGORY, PRODUCT_ID
from clv_core.errors import NotEnoughData
from clv_core.jobs import Progress
from clv_core.strategy.pricing.panel import ALL, SOLD, Panel, panels
from clv_core.strategy.pricing.poisson import Estimate, fit_fixed_effects_poisson
from clv_core.strategy.pricing.together import COLUMNS, shared_errors
from clv_core.strategy.segments import TIER, VALUE

PERIODS: Final = (7, 28)
SHARE: Final = 0.9
"""Of the intervals."""
FEWEST_PRODUCTS: Final = 10
FEWEST_ROWS: Final = 100
FEWEST_UNITS: Final = 100.0
SMALLEST_VARIATION: Final = 0.03
"""Standard deviation of log price within products: about 3%."""
SHORT: Final = {"few_products": FEWEST_PRODUCTS, "few_sales": FEWEST_ROWS, "steady_prices": SMALLEST_VARIATION}
UNTOLD: Final = "untold"
LEFT_OUT: Final = {**SHORT, UNTOLD: FEWEST_UNITS}
"""Why a category is left out, and the least that it would need; the first that fits is said."""
USUAL_RANGE: Final = 0.95
ELASTICITY, DISCOUNT_EFFECT = "elasticity", "discount_effect"


@dataclass(frozen=True, eq=False)
class Responses:
    """What was measured, and what could not be.

    Args:
        table: one row a category and tier (0: all customers): category, tier, elasticity (percent of pieces for one
            percent of price), low and high (90% interval), error (standard error), discount_effect (change of the log
            of pieces for a discount of the whole price; NaN where the log has no discounts), discount_low,
            discount_high, products, rows (product-periods), variation (standard deviation of log price within
            products), range (log price changes up to which were seen: 95% of them).
        left_out: category, reason (of :data:`LEFT_OUT`), products, variation.
        spend: category, tier, amount, depth: money of the last year, and its discounts as a share of the full price.
        tiers: tier, customers, value: customers and predicted value of each tier.
        together: category, tier, other, elasticity, discount_effect: for two tiers of a category, the correlation of
            the errors of each response.
        period_days: 7 or 28.
        cutoff: nothing at or after it was read.
    """

    table: pd.DataFrame
    left_out: pd.DataFrame
    spend: pd.DataFrame
    tiers: pd.DataFrame
    together: pd.DataFrame
    period_days: int
    cutoff: date


def estimate_responses(
    dataset: Dataset, tiered: pd.DataFrame, tiers: int, cutoff: date, progress: Progress
) -> Responses:
    """Return the responses of all categories whose prices vary enough, by weeks, or by four weeks where sales are few.

    Args:
        dataset: the log.
        tiered: customer_id, tier and predicted_clv, one row a customer.
        tiers: how many tiers there are.
        cutoff: local midnight; nothing at or after it is read.
        progress: listener.

    Raises:
        NotEnoughData: the log has no products, categories or pieces, or no category whose prices vary enough.
    """
    progress.report("price_reading", 0, 1)
    found = panels(dataset, tiered, cutoff, PERIODS)
    facts = [_facts(panel) for panel in found]
    chosen = next((place for place, rows in enumerate(facts) if (rows["reason"] == "").any()), None)
    if chosen is None:
        raise _refusal(pd.concat(facts), dataset.name, int(found[0].spend[CATEGORY].nunique()))
    panel, rows = found[chosen], facts[chosen]
    usable = rows[rows["reason"] == ""]
    lines: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    for place, fact in enumerate(usable.to_dict("records")):
        progress.report("price_measuring", place, len(usable))
        measured, shared = _category(panel, {str(name): value for name, value in fact.items()}, tiers)
        lines, pairs = lines + measured, pairs + shared
    table = pd.DataFrame(lines)
    if table.empty:
        raise NotEnoughData("price_nothing_measured", dataset=dataset.name, categories=len(usable))
    untold = (rows["reason"] == "") & ~rows[CATEGORY].isin(table[CATEGORY])
    rows = rows.assign(reason=rows["reason"].mask(untold, UNTOLD))
    people = tiered.groupby(TIER).agg(customers=(VALUE, "size"), value=(VALUE, "sum")).reset_index()
    left_out = rows.loc[rows["reason"] != "", [CATEGORY, "reason", "products", "variation"]]
    together = pd.DataFrame(pairs, columns=[*COLUMNS, ELASTICITY, DISCOUNT_EFFECT])
    return Responses(table, left_out.reset_index(drop=True), panel.spend, people, together, panel.period_days, cutoff)


def _refusal(rows: pd.DataFrame, dataset: str, categories: int) -> NotEnoughData:
    """Return why no category can be measured: what the one that came nearest lacks, and how much of it was found.

    Args:
        rows: of :func:`_facts`, of all period lengths.
        dataset: name of the log.
        categories: how many it has.
    """
    said = {"dataset": dataset, "categories": categories}
    enough = rows[rows["products"] >= FEWEST_PRODUCTS]
    if enough.empty:
        most = 0 if rows.empty else int(rows["products"].max())
        return NotEnoughData("price_few_products", **said, found=most, needed=FEWEST_PRODUCTS)
    sold = enough[enough["rows"] >= FEWEST_ROWS]
    if sold.empty:
        return NotEnoughData("price_few_sales", **said, found=int(enough["rows"].max()), needed=FEWEST_ROWS)
    widest = round(100 * float(sold["variation"].max()), 1)
    return NotEnoughData("price_no_variation", **said, found=widest, needed=100 * SMALLEST_VARIATION)


def _facts(panel: Panel) -> pd.DataFrame:
    """Return one row a category: products, rows, variation, range, and why it is left out ("" where it is not)."""
    prices = panel.prices.assign(log_price=np.log(panel.prices["price"]))
    centred = prices["log_price"] - prices.groupby(SOLD)["log_price"].transform("mean")
    by_category = prices.assign(off=centred).groupby(CATEGORY)
    rows = pd.DataFrame(
        {
            "products": by_category[PRODUCT_ID].nunique(),
            "rows": by_category.size(),
            "variation": by_category["off"].std(),
            "range": by_category["off"].apply(lambda off: float(np.quantile(np.abs(off), USUAL_RANGE))),
        }
    ).reindex(sorted(panel.spend[CATEGORY].unique()))
    rows[["products", "rows"]] = rows[["products", "rows"]].fillna(0).astype("int64")
    short = [rows["products"] < FEWEST_PRODUCTS, rows["rows"] < FEWEST_ROWS, rows["variation"] < SMALLEST_VARIATION]
    reason = np.select(short, list(SHORT), "")
    return rows.assign(reason=reason).rename_axis(CATEGORY).reset_index()


def _category(panel: Panel, fact: dict[str, Any], tiers: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of one category, all customers and each tier that bought enough, and what their errors share."""
    prices = panel.prices[panel.prices[CATEGORY] == fact[CATEGORY]].reset_index(drop=True)
    product = pd.factorize(prices[PRODUCT_ID])[0].astype(np.int64)
    period = pd.factorize(prices["period"])[0].astype(np.int64)
    key = pd.MultiIndex.from_frame(prices[[PRODUCT_ID, "period"]])
    sold = panel.units[panel.units[CATEGORY] == fact[CATEGORY]]
    log_price = np.log(prices["price"].to_numpy(np.float64))
    depth = prices["depth"].to_numpy(np.float64)
    lines = []
    measured: dict[str, dict[int, Estimate]] = {ELASTICITY: {}, DISCOUNT_EFFECT: {}}
    for tier in range(ALL, tiers + 1):
        mine = sold[sold[TIER] == tier].set_index([PRODUCT_ID, "period"])["units"]
        units = mine.reindex(key).fillna(0.0).to_numpy(np.float64)
        if units.sum() < FEWEST_UNITS:
            continue
        found = fit_fixed_effects_poisson(units, log_price, product, period)
        if found is None or found.clusters < FEWEST_PRODUCTS:
            continue
        low, high = found.interval(SHARE)
        line = {CATEGORY: fact[CATEGORY], TIER: tier, ELASTICITY: found.value, "low": low, "high": high}
        measured[ELASTICITY][tier] = found
        discount = _discount(units, depth, product, period)
        if discount is not None:
            measured[DISCOUNT_EFFECT][tier] = discount
        line |= {"error": found.error, **_discount_line(discount)}
        line |= {"products": found.clusters, "rows": found.rows}
        lines.append(line | {"variation": fact["variation"], "range": fact["range"]})
    return lines, shared_errors(fact[CATEGORY], measured)


def _discount(units: np.ndarray, depth: np.ndarray, product: np.ndarray, period: np.ndarray) -> Estimate | None:
    """Return what a discount does beyond the usual of the product, where the log has discounts."""
    known = np.isfinite(depth)
    found: Estimate | None = None
    if known.sum() >= FEWEST_ROWS and np.ptp(depth[known]) > 0:
        found = fit_fixed_effects_poisson(units[known], depth[known], product[known], period[known])
    return None if found is None or found.clusters < FEWEST_PRODUCTS else found


def _discount_line(found: Estimate | None) -> dict[str, float]:
    value, low, high = (np.nan,) * 3 if found is None else (found.value, *found.interval(SHARE))
    return {DISCOUNT_EFFECT: value, "discount_low": low, "discount_high": high}
