"""Sales by product and week: price, depth of the discount, and pieces that each tier bought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from clv_core.collection.store import Dataset
from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    PRODUCT_ID,
    PURCHASE,
    QUANTITY,
    UNIT_PRICE,
)
from clv_core.errors import NotEnoughData
from clv_core.features import DAY_SECONDS, Engine, day_of
from clv_core.strategy.segments import TIER

ALL: Final = 0
"""Number of the tier of all customers."""
ALL_PRODUCTS: Final = ""
"""The one category of a log that has none: its products are estimated together."""
PRODUCT: Final = [CATEGORY, PRODUCT_ID]
"""What has a price: a product that is sold under another category, as in sales, has another price there."""
YEAR_DAYS: Final = 365
"""Days before the cutoff whose sales a rule is applied to."""
MIN_PERIODS: Final = 12
"""Periods in which a product has to be sold: a quarter of a year of weeks; a guess."""
MIN_COVERAGE: Final = 0.6
"""A product is used where it was sold in at least this share of the weeks between its first and its last: a week
without a sale has no price, and leaving many out would hide that expensive weeks sell nothing."""


@dataclass(frozen=True, eq=False)
class Panel:
    """What was sold, by product and period.

    Args:
        prices: category, product_id, period, price (median of a piece), depth (discount as a share of the full price,
            NaN where the log has no discounts); one row a category, product and period with a sale.
        units: category, product_id, period, tier, units; tiers without a sale are left out; 0 is all customers.
        spend: category, tier, amount (money of the last year before the cutoff, of all products), depth (discounts of
            that year as a share of the full price; a line without one has none).
        period_days: 7 or 28.
    """

    prices: pd.DataFrame
    units: pd.DataFrame
    spend: pd.DataFrame
    period_days: int


def panels(dataset: Dataset, tiered: pd.DataFrame, cutoff: date, periods: tuple[int, ...]) -> list[Panel]:
    """Return the panel of each period length; the log is read once.

    Args:
        dataset: the log; nothing at or after the cutoff is read.
        tiered: customer_id and tier, one row a customer.
        cutoff: local midnight.
        periods: lengths in days.

    Raises:
        NotEnoughData: the log has no products or pieces.
    """
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        bought = events.filter(events[EVENT_TYPE] == PURCHASE, events[EVENT_TIME] < ibis.timestamp(cutoff.isoformat()))
        if not _check(bought, dataset.name):
            bought = bought.mutate(**{CATEGORY: ibis.literal(ALL_PRODUCTS)})
        pieces = bought[QUANTITY].fill_null(1.0)
        bought = bought.filter(bought[AMOUNT] > 0, pieces > 0, bought[PRODUCT_ID].notnull(), bought[CATEGORY].notnull())
        day = (bought[EVENT_TIME].epoch_seconds() // DAY_SECONDS).cast("int32")
        age = day_of(cutoff) - 1 - day
        people = ibis.memtable(pa.table({CUSTOMER_ID: pa.array(tiered[CUSTOMER_ID], pa.string()), TIER: tiered[TIER]}))
        rows = bought.select(
            CUSTOMER_ID, PRODUCT_ID, CATEGORY, AMOUNT, DISCOUNT, age=age, units=pieces, price=bought[AMOUNT] / pieces
        )
        sold = engine.connection.create_table("sold", rows.inner_join(people, CUSTOMER_ID), temp=True)
        return [_panel(sold, days) for days in periods]
    finally:
        engine.close()


def check_columns(dataset: Dataset) -> None:
    """Refuse a log without a column of products.

    Raises:
        NotEnoughData: it is missing.
    """
    if PRODUCT_ID not in dataset.manifest.columns:
        raise NotEnoughData("price_no_columns", dataset=dataset.name, missing=[PRODUCT_ID])


def _check(bought: Any, name: str) -> bool:
    """Refuse a log without products, or both pieces and prices of a piece; return whether it has categories."""
    columns = (PRODUCT_ID, CATEGORY, QUANTITY, UNIT_PRICE)
    (count,) = bought.aggregate(**{name: bought[name].count() for name in columns}).to_pyarrow().to_pylist()
    missing = [] if count[PRODUCT_ID] else [PRODUCT_ID]
    if not count[QUANTITY] and not count[UNIT_PRICE]:
        missing.append(QUANTITY)
    if missing:
        raise NotEnoughData("price_no_columns", dataset=name, missing=missing)
    return bool(count[CATEGORY])


def _panel(sold: Any, days: int) -> Panel:
    # Periods are counted back from the cutoff, so that the last one is complete.
    rows = sold.mutate(period=-(sold.age // days).cast("int32"))
    key = [*PRODUCT, "period"]
    by_week = rows.group_by(*key).agg(
        price=rows.price.median(), amount=rows[AMOUNT].sum(), discount=rows[DISCOUNT].sum()
    )
    prices = by_week.order_by(*key).to_pyarrow().to_pandas()
    discount = prices["discount"].to_numpy(np.float64, na_value=np.nan)
    prices["depth"] = discount / (prices["amount"].to_numpy(np.float64) + discount)
    prices = prices[_steady(prices)].drop(columns=["amount", "discount"]).reset_index(drop=True)
    units = rows.group_by(*key, TIER).agg(units=rows.units.sum())
    by_tier = units.order_by(*key, TIER).to_pyarrow().to_pandas()
    everyone = by_tier.groupby(key, as_index=False)["units"].sum().assign(**{TIER: ALL})
    by_tier = pd.concat([everyone, by_tier], ignore_index=True)
    recent = rows.filter(rows.age < YEAR_DAYS)
    off = recent[DISCOUNT].fill_null(0.0).sum()
    spend = recent.group_by(CATEGORY, TIER).agg(amount=recent[AMOUNT].sum(), depth=off / (recent[AMOUNT].sum() + off))
    return Panel(
        prices,
        by_tier[by_tier[PRODUCT_ID].isin(set(prices[PRODUCT_ID]))].reset_index(drop=True),
        spend.order_by(CATEGORY, TIER).to_pyarrow().to_pandas(),
        days,
    )


def _steady(prices: pd.DataFrame) -> np.ndarray:
    """Return which rows are of products that were sold in most periods of their life."""
    period = prices.groupby(PRODUCT)["period"]
    count, life = period.transform("count"), period.transform("max") - period.transform("min") + 1
    return ((count >= MIN_PERIODS) & (count >= MIN_COVERAGE * life)).to_numpy()
