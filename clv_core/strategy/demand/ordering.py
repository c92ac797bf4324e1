"""Demand as a table to order by: product and week, expected pieces with their range, and how long the stock lasts.

Also who stands behind a product: what is lost, and with whom, when it is out of stock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.read import read_text_table
from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    MONEY_TYPES,
    PRODUCT_ID,
)
from clv_core.deployment import Scored
from clv_core.errors import Message, NotFound, Refused, UsageError
from clv_core.features import Engine
from clv_core.jobs import NoProgress, Progress
from clv_core.records import JsonObject
from clv_core.strategy.demand.baskets import BLOCK
from clv_core.strategy.demand.methods import MOST_AHEAD
from clv_core.strategy.demand.product_days import WEEK, Floats
from clv_core.strategy.demand.product_demand import RARE, Demand
from clv_core.strategy.demand.saved_demand import demand, demand_notes, find_demand
from clv_core.strategy.segments import TIER, assign_tiers

PRODUCT: Final = "product"
BY: Final = (PRODUCT, CATEGORY)
LEAST_WEEKS: Final = 4
STOCK: Final = "stock"
COVER: Final = "cover_weeks"
ORDER: Final = "order"
YEAR_DAYS: Final = 365


@dataclass(frozen=True)
class AskedDemand:
    """Demand as it was asked for.

    Args:
        made: the demand.
        by: ``product`` or ``category``.
        weeks: how far ahead.
        stock: pieces by product id; None where none was given.
        notes: what is to be known of it.
    """

    made: Demand
    by: str
    weeks: int
    stock: pd.Series | None
    notes: Sequence[Message]

    def table(self) -> pd.DataFrame:
        """Return one row a product or category and week (:func:`ordering_table`)."""
        return ordering_table(self.made, self.weeks, self.by, self.stock)

    def rows(self, most: int) -> list[JsonObject]:
        """Return the table's rows without those of stock, of the first ``most`` products or categories.

        A category's row has no product_id, name and state: they are None.
        """
        table = ordering_table(self.made, self.weeks, self.by).head(most * self.weeks)
        none = dict.fromkeys((PRODUCT_ID, "name", "state"))
        return [none | {str(name): value for name, value in row.items()} for row in table.to_dict("records")]

    def to_json(self) -> JsonObject:
        """Return the sums of the span, the categories' rows, tests on past dates and notes."""
        made = self.made
        return {
            "cutoff": made.cutoff.isoformat(),
            "currency": made.currency,
            "weeks": self.weeks,
            "by": self.by,
            "method": made.by,
            "products": len(made.products),
            "units": float(made.by_category.units[:, : self.weeks].sum()),
            "revenue": float(made.revenue("categories")[:, : self.weeks].sum()),
            "categories": ordering_table(made, self.weeks, CATEGORY).to_dict("records"),
            "tests": [{**test.to_json(), "error": test.share_off()} for test in made.tests],
            "notes": [{"code": note.code, "params": note.params} for note in self.notes],
        }


def ask_demand(
    scored: Scored, progress: Progress, *, weeks: int = BLOCK, by: str = PRODUCT, stock: Path | None = None
) -> AskedDemand:
    """Return the demand that is asked for, from the saved one or one that is made and saved.

    Args:
        scored: the log and the model.
        progress: listener.
        weeks: how far ahead, 4 to 13.
        by: ``product`` or ``category``.
        stock: a table of ``product_id`` and ``stock`` (:func:`read_stock`).

    Raises:
        UsageError: there is no such table, it does not go so far, or stock goes with categories.
        NotFound: there is no such file.
        Refused: the file is no table of stock.
        NotEnoughData: the log names no products.
    """
    _check(weeks, by)
    if stock is not None and by != PRODUCT:
        raise UsageError("demand_stock_by")
    held = None if stock is None else read_stock(stock)
    made = demand(scored, progress)
    notes = demand_notes(made)
    if held is not None:
        notes += unknown_stock(made, held)
    return AskedDemand(made, by, weeks, held, notes)


def find_asked_demand(scored: Scored, *, weeks: int = BLOCK, by: str = PRODUCT) -> AskedDemand:
    """Return the demand that is asked for, from the saved one; nothing is made. Arguments: :func:`ask_demand`.

    Raises:
        NotFound: none is saved for the log's end.
        UsageError: as :func:`ask_demand`.
    """
    _check(weeks, by)
    made = find_demand(scored)
    if made is None:
        raise NotFound("demand_not_saved", dataset=scored.dataset.name, model=scored.model.id)
    return AskedDemand(made, by, weeks, None, demand_notes(made))


def _check(weeks: int, by: str) -> None:
    """Refuse rows or a span that no demand has.

    Raises:
        UsageError: it has none such.
    """
    if by not in BY:
        raise UsageError("demand_by", value=str(by)[:60], known=list(BY))
    if not LEAST_WEEKS <= weeks <= MOST_AHEAD:
        raise UsageError("demand_weeks", weeks=weeks, least=LEAST_WEEKS, most=MOST_AHEAD)


def read_stock(path: Path) -> pd.Series:
    """Return pieces in stock by product id; rows of a product add up.

    Args:
        path: a table with columns ``product_id`` and ``stock``, or with two columns that are these: CSV, workbook, JSON
            Lines or Parquet.

    Raises:
        NotFound: there is no such file.
        Refused: it has other columns, lines that are no rows, or stock that is no number.
    """
    if not path.is_file():
        raise NotFound("demand_stock_missing", file=path.name)
    table, rejects = read_text_table(path)
    if not {PRODUCT_ID, STOCK} <= set(table) and table.shape[1] == 2:
        table.columns = [PRODUCT_ID, STOCK]
    if rejects or not {PRODUCT_ID, STOCK} <= set(table):
        raise Refused("demand_stock_columns", file=path.name, found=[str(name) for name in table.columns][:20])
    held = pd.to_numeric(table[STOCK], errors="coerce")
    bad = held.isna() | ~np.isfinite(held.fillna(0.0))
    if bad.any():
        raise Refused(
            "demand_stock_number", file=path.name, rows=int(bad.sum()), value=str(table[STOCK][bad].iloc[0])[:60]
        )
    by_product: pd.Series = held.groupby(table[PRODUCT_ID].fillna("").str.strip()).sum()
    return by_product


def unknown_stock(made: Demand, stock: pd.Series) -> list[Message]:
    """Return a note on the products of a stock table of which nothing is expected, as nothing was sold in a year."""
    missing = int((~stock.index.isin(made.products[PRODUCT_ID])).sum())
    return [Message("demand.stock_unknown", {"products": missing})] if missing else []


def ordering_table(made: Demand, weeks: int, by: str = PRODUCT, stock: pd.Series | None = None) -> pd.DataFrame:
    """Return one row a product or category and week, those of the highest expected revenue first.

    Products that are too rare for a row are in their category's figures only.

    Args:
        made: the demand.
        weeks: how far ahead.
        by: ``product`` or ``category``.
        stock: pieces by product id.

    Returns:
        product_id, name and state of products; category; week (from 1), first and until (ISO dates, the day after the
        last), expected (pieces that are sold), low, high (80% range), returns (of these), net (pieces less returns),
        revenue (net); with stock also stock, cover_weeks, and order: pieces of the week that stock does not cover.
    """
    if by == PRODUCT:
        listed = (made.products["state"] != RARE).to_numpy()
        rows, ranged, money = made.products[listed], made.by_product, made.revenue()[listed]
        names = [PRODUCT_ID, "name", CATEGORY, "state"]
    else:
        listed = np.ones(len(made.categories), bool)
        rows, ranged, money = made.categories, made.by_category, made.revenue("categories")
        names = [CATEGORY]
    expected = ranged.units[listed]
    order = np.argsort(-money[:, :weeks].sum(axis=1), kind="stable")
    place = np.repeat(order, weeks)
    week = np.tile(np.arange(weeks), len(order))
    days = [made.cutoff + timedelta(days=WEEK * number) for number in range(weeks + 1)]
    about = rows.iloc[place].reset_index(drop=True)
    figure = expected[place, week]
    table = about[names].assign(
        week=week + 1,
        first=np.array([day.isoformat() for day in days], dtype=object)[week],
        until=np.array([day.isoformat() for day in days], dtype=object)[week + 1],
        expected=figure.round(2),
        low=ranged.low[listed][place, week],
        high=ranged.high[listed][place, week],
        returns=(figure * about["returned"]).round(2),
        net=(figure * (1 - about["returned"])).round(2),
        revenue=money[place, week].round(2),
    )
    if stock is None:
        return table
    held = stock.reindex(rows[PRODUCT_ID]).to_numpy(np.float64)
    uncovered = np.maximum(np.cumsum(expected, axis=1) - np.maximum(held, 0.0)[:, None], 0.0)
    to_order = np.diff(uncovered, axis=1, prepend=0.0)
    return table.assign(
        **{STOCK: held[place], COVER: cover(held, expected)[place].round(1), ORDER: to_order[place, week].round(2)}
    )


def cover(stock: Floats, expected: Floats) -> Floats:
    """Return for how many weeks stock lasts, [p]; NaN where it is unknown, or where nothing is expected.

    Beyond the weeks that are expected, the last four of them go on.

    Args:
        stock: pieces, [p]; NaN where unknown.
        expected: pieces by week, [p, w].
    """
    until = np.cumsum(expected, axis=1)
    weeks = expected.shape[1]
    before = np.concatenate([np.zeros((len(stock), 1)), until], axis=1)
    held = np.maximum(stock, 0.0)
    whole = (until <= held[:, None]).sum(axis=1)
    inside = whole < weeks
    at = np.minimum(whole, weeks - 1)
    rows = np.arange(len(stock))
    later = expected[:, -BLOCK:].mean(axis=1)
    rate = np.where(inside, expected[rows, at], later)
    left = held - before[rows, whole]
    lasts = whole + np.divide(left, rate, out=np.full(len(stock), np.nan), where=rate > 0)
    return np.where(np.isnan(stock), np.nan, lasts)


@dataclass(frozen=True)
class Behind:
    """Who stands behind a product; money in the log's currency.

    Args:
        revenue: net revenue that is expected of it in four weeks.
        tiers: tier (1 is the highest), share (of its revenue of the last year), customers (who bought it then), revenue
            (of the four weeks); customers that the model does not know are tier 0.
    """

    revenue: float
    tiers: pd.DataFrame


def customers_behind(scored: Scored, made: Demand, product: str) -> Behind:
    """Return what a month without a product costs by tier: its expected revenue, as its buyers of the last year shared.

    Args:
        scored: the log and the model; tiers are of its scores.
        made: the demand.
        product: id.

    Raises:
        NotFound: demand has no such product.
    """
    import ibis

    place = np.flatnonzero((made.products[PRODUCT_ID] == product).to_numpy())
    if not len(place):
        raise NotFound("demand_product", product=product[:60])
    expected = float(made.revenue()[place[0], :BLOCK].sum())
    since = made.cutoff - timedelta(days=YEAR_DAYS)
    engine = Engine()
    try:
        events = scored.dataset.events(engine.connection)
        bought = events.filter(
            events[PRODUCT_ID].strip() == product,
            events[EVENT_TYPE].isin(MONEY_TYPES),
            events[EVENT_TIME] >= ibis.timestamp(since.isoformat()),
            events[EVENT_TIME] < ibis.timestamp(made.cutoff.isoformat()),
        )
        money = bought.group_by(CUSTOMER_ID).agg(value=bought[AMOUNT].cast("float64").sum()).to_pyarrow().to_pandas()
    finally:
        engine.close()
    tiered = assign_tiers(scored.trained.scores(NoProgress())).set_index(CUSTOMER_ID)[TIER]
    money = money[money["value"] > 0]
    tier = tiered.reindex(money[CUSTOMER_ID]).fillna(0).to_numpy(np.int64)
    by_tier = money.assign(**{TIER: tier}).groupby(TIER)["value"].agg(["sum", "size"]).reset_index()
    share = by_tier["sum"] / max(float(by_tier["sum"].sum()), 1e-9)
    tiers = pd.DataFrame(
        {TIER: by_tier[TIER], "share": share, "customers": by_tier["size"], "revenue": share * expected}
    )
    return Behind(expected, tiers)
