"""How sales answer prices and discounts, by category and tier, estimated from the variation in the log.

They are made once by a run and read by the page:
pricing/<model>-<version>/  responses.json  table, left_out, spend, tiers, together: .parquet
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import scipy

from clv_core.collection.store import Dataset
from clv_core.columns import CATEGORY, PRODUCT_ID
from clv_core.deployment import ArtifactKind, Scored
from clv_core.errors import NotEnoughData
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.strategy.pricing.panel import ALL, PRODUCT, Panel, panels
from clv_core.strategy.pricing.poisson import Estimate, Floats, Ints, fit_fixed_effects_poisson
from clv_core.strategy.segments import TIER, VALUE
from clv_core.workspace import atomic_path, read_json, write_json

PERIODS: Final = (7, 28)
"""Days of a period: weeks, or four weeks where sales by week are too sparse."""
SHARE: Final = 0.9
"""Of the intervals."""
MIN_PRODUCTS: Final = 10
"""Products of a category, by which errors are clustered: with 10 to 50 the 90% intervals held 85% to 94%
(:mod:`clv_core.strategy.pricing.poisson`)."""
MIN_ROWS: Final = 100
"""Products by periods of a category, and of a tier: a guess."""
MIN_UNITS: Final = 100.0
"""Pieces that a category, or a tier, has to have sold: a guess."""
MIN_VARIATION: Final = 0.03
"""Standard deviation of log price within products: about 3%."""
CHECKS: Final = {"few_products": MIN_PRODUCTS, "few_sales": MIN_ROWS, "steady_prices": MIN_VARIATION}
NOT_ESTIMATED: Final = "untold"
LEFT_OUT: Final = {**CHECKS, NOT_ESTIMATED: MIN_UNITS}
"""Why a category is left out, and the least that it would need; the first that fits counts."""
USUAL_RANGE: Final = 0.95
"""Share of prices within the range about their product's mean; a rule that goes beyond it extrapolates."""
ELASTICITY, DISCOUNT_EFFECT = "elasticity", "discount_effect"
OTHER_TIER: Final = "other"
RECORD: Final = "responses.json"
FRAMES: Final = ("table", "left_out", "spend", "tiers", "together")


@dataclass(frozen=True, eq=False)
class Responses:
    """What was estimated, and what could not be.

    Args:
        table: one row a category and tier (0: all customers): category, tier, elasticity (percent of pieces for one
            percent of price), low and high (90% interval), error (standard error), discount_effect (change of the log
            of pieces for a discount of the full price; NaN where the log has no discounts), discount_low,
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
        NotEnoughData: the log has no products or pieces, or no category whose prices vary enough.
    """
    progress.report("price_reading", 0, 1)
    checked = [(panel, _check_categories(panel)) for panel in panels(dataset, tiered, cutoff, PERIODS)]
    usable = [(panel, rows) for panel, rows in checked if (rows["reason"] == "").any()]
    if not usable:
        every = pd.concat([rows for _, rows in checked])
        raise _refusal(every, dataset.name, int(checked[0][0].spend[CATEGORY].nunique()))
    panel, rows = usable[0]
    facts = rows[rows["reason"] == ""]
    lines: list[JsonObject] = []
    pairs: list[JsonObject] = []
    for place, category in enumerate(facts[CATEGORY]):
        progress.report("price_measuring", place, len(facts))
        estimates = _estimate_category(panel, category, tiers)
        lines += [_line(category, tier, by_response) for tier, by_response in estimates.items()]
        pairs += shared_errors(category, estimates)
    if not lines:
        raise NotEnoughData("price_nothing_measured", dataset=dataset.name, categories=len(facts))
    table = pd.DataFrame(lines).merge(facts[[CATEGORY, "variation", "range"]], on=CATEGORY)
    failed = (rows["reason"] == "") & ~rows[CATEGORY].isin(table[CATEGORY])
    rows = rows.assign(reason=rows["reason"].mask(failed, NOT_ESTIMATED))
    left_out = rows.loc[rows["reason"] != "", [CATEGORY, "reason", "products", "variation"]].reset_index(drop=True)
    people = tiered.groupby(TIER).agg(customers=(VALUE, "size"), value=(VALUE, "sum")).reset_index()
    together = pd.DataFrame(pairs, columns=[CATEGORY, TIER, OTHER_TIER, ELASTICITY, DISCOUNT_EFFECT])
    return Responses(table, left_out, panel.spend, people, together, panel.period_days, cutoff)


def _refusal(rows: pd.DataFrame, dataset: str, categories: int) -> NotEnoughData:
    """Return why no category can be used: what the one that came nearest lacks, and how much of it there is.

    ``rows`` are of :func:`_check_categories`, of all period lengths; ``categories`` is how many the log has.
    """
    about = {"dataset": dataset, "categories": categories}
    enough = rows[rows["products"] >= MIN_PRODUCTS]
    if enough.empty:
        most = 0 if rows.empty else int(rows["products"].max())
        return NotEnoughData("price_few_products", **about, found=most, needed=MIN_PRODUCTS)
    sold = enough[enough["rows"] >= MIN_ROWS]
    if sold.empty:
        return NotEnoughData("price_few_sales", **about, found=int(enough["rows"].max()), needed=MIN_ROWS)
    widest = round(100 * float(sold["variation"].max()), 1)
    return NotEnoughData("price_no_variation", **about, found=widest, needed=100 * MIN_VARIATION)


def _check_categories(panel: Panel) -> pd.DataFrame:
    """Return one row a category: products, rows, variation, range, and why it is left out ("" where it is not)."""
    prices = panel.prices.assign(log_price=np.log(panel.prices["price"]))
    centred = prices["log_price"] - prices.groupby(PRODUCT)["log_price"].transform("mean")
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
    short = [rows["products"] < MIN_PRODUCTS, rows["rows"] < MIN_ROWS, rows["variation"] < MIN_VARIATION]
    return rows.assign(reason=np.select(short, list(CHECKS), "")).rename_axis(CATEGORY).reset_index()


def _estimate_category(panel: Panel, category: str, tiers: int) -> dict[int, dict[str, Estimate]]:
    """Return the estimates by tier and response; tiers that bought too little are left out."""
    prices = panel.prices[panel.prices[CATEGORY] == category].reset_index(drop=True)
    product, period = (pd.factorize(prices[name])[0].astype(np.int64) for name in (PRODUCT_ID, "period"))
    key = pd.MultiIndex.from_frame(prices[[PRODUCT_ID, "period"]])
    sold = panel.units[panel.units[CATEGORY] == category]
    log_price, depth = np.log(prices["price"].to_numpy(np.float64)), prices["depth"].to_numpy(np.float64)
    estimates: dict[int, dict[str, Estimate]] = {}
    for tier in range(ALL, tiers + 1):
        mine = sold[sold[TIER] == tier].set_index([PRODUCT_ID, "period"])["units"]
        units = mine.reindex(key).fillna(0.0).to_numpy(np.float64)
        elasticity = _estimate(units, log_price, product, period) if units.sum() >= MIN_UNITS else None
        if elasticity is not None:
            discount = _estimate(units, depth, product, period)
            estimates[tier] = {ELASTICITY: elasticity} | ({} if discount is None else {DISCOUNT_EFFECT: discount})
    return estimates


def _estimate(units: Floats, x: Floats, product: Ints, period: Ints) -> Estimate | None:
    """Return the response of units to ``x``, NaN where it is missing; None where there is too little to estimate it."""
    present = np.isfinite(x)
    if present.sum() < MIN_ROWS:
        return None
    estimate = fit_fixed_effects_poisson(units[present], x[present], product[present], period[present])
    return None if estimate is None or estimate.clusters < MIN_PRODUCTS else estimate


def _line(category: str, tier: int, by_response: Mapping[str, Estimate]) -> JsonObject:
    price, discount = by_response[ELASTICITY], by_response.get(DISCOUNT_EFFECT)
    low, high = price.interval(SHARE)
    discount_low, discount_high = (np.nan, np.nan) if discount is None else discount.interval(SHARE)
    return {
        CATEGORY: category,
        TIER: tier,
        ELASTICITY: price.value,
        "low": low,
        "high": high,
        "error": price.error,
        DISCOUNT_EFFECT: np.nan if discount is None else discount.value,
        "discount_low": discount_low,
        "discount_high": discount_high,
        "products": price.clusters,
        "rows": price.rows,
    }


def shared_errors(category: str, estimates: Mapping[int, Mapping[str, Estimate]]) -> list[JsonObject]:
    """Return the correlation of the errors of each response, one row a pair of tiers.

    An error is by how much leaving out each product moves a response: the same product is left out of each tier. In a
    dense log of groceries nearly all of it is shared, in a sparse one hardly anything.

    Returns:
        category, tier, other (tier), and the correlation by response that both were estimated for.
    """
    rows = []
    for tier, other in combinations(sorted(estimates), 2):
        row: JsonObject = {CATEGORY: category, TIER: tier, OTHER_TIER: other}
        for response in estimates[tier].keys() & estimates[other].keys():
            first, second = estimates[tier][response], estimates[other][response]
            both = first.error * second.error
            row[response] = float(first.moves @ second.moves) / both if both > 0 else 0.0
        rows.append(row)
    return rows


def differ_significantly(rows: pd.DataFrame) -> bool:
    """Return whether the strongest of these responses is another than the weakest, by Tukey and Kramer's test.

    Of fifteen equal categories, the intervals of the strongest and the weakest are disjoint in every second log.
    Source: Kramer (1956), Extension of multiple range tests to group means with unequal numbers of replications.

    Args:
        rows: elasticity, error and products of two categories at least, of one tier.
    """
    elasticity, error = rows["elasticity"].to_numpy(float), rows["error"].to_numpy(float)
    ends = [int(elasticity.argmin()), int(elasticity.argmax())]
    gap, off = float(np.ptp(elasticity)), float(np.sqrt(np.mean(error[ends] ** 2)))
    freedom = max(int(rows["products"].iloc[ends].min()) - 1, 1)
    p_value = float(scipy.stats.studentized_range.sf(gap / max(off, 1e-12), len(rows), freedom))
    return gap > 0 and p_value < 1 - SHARE


def responses_folder(scored: Scored) -> Path:
    """Return the folder of the responses in a dataset, by the tiers of a model as of the log's end."""
    return scored.folder / ArtifactKind.PRICING


def store_responses(responses: Responses, folder: Path, about: JsonObject) -> None:
    """Write responses; the record is written last, so that a folder with one is complete."""
    (folder / RECORD).unlink(missing_ok=True)
    for name in FRAMES:
        with atomic_path(folder / f"{name}.parquet") as temporary:
            getattr(responses, name).to_parquet(temporary, index=False)
    about = {**about, "cutoff": responses.cutoff.isoformat(), "period_days": responses.period_days}
    write_json(folder / RECORD, about)


def load_responses(folder: Path) -> Responses | None:
    """Return the responses in a folder; None where there are none, or those of a version without today's discounts."""
    if not (folder / RECORD).is_file():
        return None
    record = read_json(folder / RECORD)
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in FRAMES}
    if "depth" not in frames["spend"]:
        return None
    return Responses(**frames, period_days=record["period_days"], cutoff=date.fromisoformat(record["cutoff"]))
