"""What was sold of each product by day: all that a forecast of demand reads of a log.

The log's rows of purchases and returns become entries of product and day in one pass, streamed; whatever weeks are
asked for, from any past day back, are sums of them. What cannot be used is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    MONEY_TYPES,
    PRODUCT_ID,
    PURCHASE,
    QUANTITY,
)
from clv_core.errors import NotEnoughData
from clv_core.features import DAY_SECONDS, Engine, day_of
from clv_core.strategy.recommend import name_column

if TYPE_CHECKING:
    import ibis

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEEK: Final = 7
YEAR_WEEKS: Final = 52
"""Back to the same weekday of last year."""
MOST_WEEKS: Final = 182
"""History that is read: a year for the season, another for what came after it, and a year and a half of past dates."""


@dataclass(frozen=True)
class LeftOut:
    """Rows of purchases and returns that could not be used as they are, and products that have no row of their own.

    Args:
        rows: purchases and returns in all.
        without_product: rows that name no product.
        unknown_quantity: purchases whose quantity is not known; each counts as one piece.
        returns_by_money: returns whose quantity is not known; their pieces are their money over the usual price.
        revenue_share: share of the shop's net revenue that has a product.
    """

    rows: int
    without_product: int
    unknown_quantity: int
    returns_by_money: int
    revenue_share: float


@dataclass(frozen=True, eq=False)
class ProductDays:
    """Sales by product and day; days are counted from the first that is read, money in the log's currency.

    Args:
        start: the first day that is read.
        end: the midnight at which the log ends.
        products: product_id, name ("" where there is none), category ("" where there is none), one row a product, [p].
        product: row number in ``products`` of an entry, int32 [m].
        day: its day, int32 [m].
        units: pieces sold, [m].
        revenue: what they brought, [m].
        returned: pieces that came back that day, [m].
        refunded: what was paid back, [m].
        shop: net revenue of the whole shop by day, rows without product too, [days].
        left_out: what could not be used.
        newcomers: for each span that was asked for, pieces of each product sold in it to customers first seen in it.
    """

    start: date
    end: date
    products: pd.DataFrame
    product: NDArray[np.int32]
    day: NDArray[np.int32]
    units: Floats
    revenue: Floats
    returned: Floats
    refunded: Floats
    shop: Floats
    left_out: LeftOut
    newcomers: dict[tuple[date, date], tuple[Floats, float]]

    @classmethod
    def of(cls, dataset: Dataset, spans: Sequence[tuple[date, date]] = ()) -> Self:
        """Read a dataset.

        Args:
            dataset: the log.
            spans: first days and the days after the last, of which is asked what customers first seen in them bought.

        Raises:
            NotEnoughData: no purchase names a product.
        """
        check_columns(dataset)
        end = dataset.log_end
        start = max(dataset.log_start, end - timedelta(days=WEEK * MOST_WEEKS))
        engine = Engine()
        try:
            lines = _lines(dataset, engine.connection, start)
            counts = _counts(lines)
            products = _products(lines)
            if products.empty:
                raise NotEnoughData("demand_no_products", dataset=dataset.name)
            entries = _entries(lines, products)
            by_day = lines.group_by("day").agg(value=lines.amount.sum()).to_pyarrow()
            seen = _first_seen(dataset, engine.connection) if spans else None
            new = {span: _newcomers(seen, lines, products, span, start) for span in spans}
        finally:
            engine.close()
        days = (end - start).days
        shop = np.bincount(by_day["day"].to_numpy(), by_day["value"].to_numpy(), minlength=days)[:days]
        usual = _usual_price(entries, len(products))
        back = np.where(np.isnan(entries["returned"]), 0.0, entries["returned"])
        back = back + np.divide(
            entries["unknown_refund"],
            usual[entries["product"]],
            out=np.zeros(len(back)),
            where=usual[entries["product"]] > 0,
        )
        named = float((entries["revenue"] - entries["refunded"]).sum())
        left_out = LeftOut(**counts, revenue_share=named / shop.sum() if shop.sum() > 0 else 1.0)
        return cls(
            start,
            end,
            products,
            entries["product"].astype(np.int32),
            entries["day"].astype(np.int32),
            entries["units"],
            entries["revenue"],
            back,
            entries["refunded"],
            shop.astype(np.float64),
            left_out,
            new,
        )

    def day_of(self, cutoff: date) -> int:
        """Return a midnight as days since the start."""
        return (cutoff - self.start).days

    def weekly(self, cutoff: date, ahead: int = 0) -> tuple[Floats, Floats]:
        """Return pieces sold by product and week, [p, weeks + ahead], and the shop's net revenue, [weeks + ahead].

        Weeks are counted from the cutoff, so that the last one before it is complete.

        Args:
            cutoff: a midnight.
            ahead: weeks after it; those that the log does not hold are 0.
        """
        at = self.day_of(cutoff)
        weeks = at // WEEK
        first, last = at - weeks * WEEK, min(at + ahead * WEEK, len(self.shop))
        inside = (self.day >= first) & (self.day < last)
        cell = self.product[inside].astype(np.int64) * (weeks + ahead) + (self.day[inside] - first) // WEEK
        shape = len(self.products), weeks + ahead
        units = np.bincount(cell, self.units[inside], minlength=shape[0] * shape[1]).reshape(shape)
        days = np.zeros((weeks + ahead) * WEEK)
        days[: last - first] = self.shop[first:last]
        return units.astype(np.float64), days.reshape(-1, WEEK).sum(axis=1)

    def sums(self, first: int, stop: int) -> dict[str, Floats]:
        """Return ``units``, ``revenue``, ``returned`` and ``refunded`` of each product from a day to before another."""
        inside = (self.day >= first) & (self.day < stop)
        product, count = self.product[inside], len(self.products)
        names = ("units", "revenue", "returned", "refunded")
        sums = {name: np.bincount(product, getattr(self, name)[inside], minlength=count) for name in names}
        return {name: values[:count].astype(np.float64) for name, values in sums.items()}


def check_columns(dataset: Dataset) -> None:
    """Refuse a log without a column of products.

    Raises:
        NotEnoughData: there is none.
    """
    if PRODUCT_ID not in dataset.manifest.columns:
        raise NotEnoughData("demand_no_products", dataset=dataset.name)


def _lines(dataset: Dataset, connection: ibis.BaseBackend, start: date) -> Any:
    """Return purchases and returns: customer, product (or null), day, whether it is a sale, pieces and amount."""
    import ibis

    events = dataset.events(connection)
    money = events.filter(
        events[EVENT_TYPE].isin(MONEY_TYPES),
        events[EVENT_TIME] >= ibis.timestamp(start.isoformat()),
        events[EVENT_TIME] < ibis.timestamp(dataset.log_end.isoformat()),
    )
    amount = money[AMOUNT].cast("float64").fill_null(0.0)
    pieces = money[QUANTITY].cast("float64").abs()
    name = money[column].fill_null("").strip() if (column := name_column(dataset)) else ibis.literal("")
    lines = money.select(
        customer=money[CUSTOMER_ID],
        product=money[PRODUCT_ID].strip().nullif(""),
        category=money[CATEGORY].strip().nullif(""),
        name=name.nullif(""),
        day=((money[EVENT_TIME].epoch_seconds() // DAY_SECONDS) - day_of(start)).cast("int32"),
        sale=(money[EVENT_TYPE] == PURCHASE) & (amount >= 0),
        pieces=ibis.ifelse(pieces > 0, pieces, ibis.null("float64")),
        amount=amount,
    )
    return connection.create_table("demand_lines", lines, temp=True)


def _counts(lines: Any) -> dict[str, int]:
    named, unknown = lines["product"].notnull(), lines.pieces.isnull()
    (found,) = (
        lines.aggregate(
            rows=lines.count(),
            without_product=lines.count(where=~named),
            unknown_quantity=lines.count(where=named & unknown & lines.sale),
            returns_by_money=lines.count(where=named & unknown & ~lines.sale),
        )
        .to_pyarrow()
        .to_pylist()
    )
    return {name: int(number) for name, number in found.items()}


def _products(lines: Any) -> pd.DataFrame:
    """Return the products that were sold, by id, with the name and the category of their last day."""
    sold = lines.filter(lines["product"].notnull(), lines.sale)
    facts = sold.group_by(product_id=sold["product"]).agg(
        name=sold.name.argmax(sold.day), category=sold.category.argmax(sold.day)
    )
    frame: pd.DataFrame = facts.order_by("product_id").to_pyarrow().to_pandas()
    return frame.assign(**{name: frame[name].fillna("").astype("str") for name in ("name", "category")})


def _entries(lines: Any, products: pd.DataFrame) -> dict[str, Any]:
    """Return the sums of each product and day; returns whose pieces are not known in money."""
    import ibis

    number = np.arange(len(products), dtype=np.int32)
    numbers = pa.table({"product": pa.array(products["product_id"], pa.string()), "number": number})
    numbered = lines.inner_join(ibis.memtable(numbers), "product")
    sale, known = numbered.sale, numbered.pieces.notnull()
    sums = numbered.group_by("number", "day").agg(
        units=numbered.pieces.fill_null(1.0).sum(where=sale),
        revenue=numbered.amount.sum(where=sale),
        returned=numbered.pieces.sum(where=~sale),
        refunded=-numbered.amount.sum(where=~sale),
        unknown_refund=-numbered.amount.sum(where=~sale & ~known),
    )
    entries = sums.order_by("number", "day").to_pyarrow()
    figures = ("units", "revenue", "returned", "refunded", "unknown_refund")
    found = {name: np.nan_to_num(entries[name].to_numpy().astype(np.float64)) for name in figures}
    return {**found, "product": entries["number"].to_numpy(), "day": entries["day"].to_numpy()}


def _usual_price(entries: dict[str, Any], count: int) -> Floats:
    """Return what a piece of each product brought on average, [p]."""
    units = np.bincount(entries["product"], entries["units"], minlength=count)
    revenue = np.bincount(entries["product"], entries["revenue"], minlength=count)
    return np.divide(revenue, units, out=np.zeros(count), where=units > 0)


def _first_seen(dataset: Dataset, connection: ibis.BaseBackend) -> Any:
    """Return on which day each customer was first seen, by any event."""
    events = dataset.events(connection)
    seen = events.group_by(customer=events[CUSTOMER_ID]).agg(first=events[EVENT_TIME].min().date())
    return connection.create_table("demand_seen", seen, temp=True)


def _newcomers(
    seen: Any, lines: Any, products: pd.DataFrame, span: tuple[date, date], start: date
) -> tuple[Floats, float]:
    """Return pieces by product, and the money, of sales in a span to customers who were first seen in it."""
    first, stop = (day_of(day) - day_of(start) for day in span)
    new = seen.filter(seen["first"] >= span[0], seen["first"] < span[1])
    bought = lines.filter(lines.day >= first, lines.day < stop).semi_join(new, "customer")
    money = bought.amount.sum().to_pyarrow().as_py() or 0.0
    sold = bought.filter(bought["product"].notnull(), bought.sale)
    units = (
        sold.group_by(product_id=sold["product"]).agg(units=sold.pieces.fill_null(1.0).sum()).to_pyarrow().to_pandas()
    )
    by_id = units.set_index("product_id")["units"].reindex(products["product_id"]).fillna(0.0)
    return by_id.to_numpy(np.float64), float(money)
