"""The rows of a log that name a product, with customers and products as numbers, as a table of the engine."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.collection.vocabulary import fold
from clv_core.columns import (
    AMOUNT,
    BY_NAME,
    CATEGORY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    PRODUCT_ID,
    PURCHASE,
    QUANTITY,
    RETURN,
)
from clv_core.errors import NotEnoughData
from clv_core.features import DAY_SECONDS

if TYPE_CHECKING:
    import ibis

YEAR_DAYS: Final = 365
"""Days before the cutoff whose prices are recent."""
MIN_PRODUCTS: Final = 5
"""With fewer products there is nothing to choose from."""
NAME_HEADERS: Final = (
    "product_name item_name lineitem_name goods_name sku_name product_title item_title title product"
    " product_description item_description stock_description description"
    " 商品名称 商品名 商品标题 产品名称 宝贝标题 宝贝名称 商品名稱"
).split()
"""Columns that hold names of products in addition to ids, the surest first."""
MAX_NAMES: Final = 3
"""A product has at most so many names on average: a text of each order is no name."""

MIN_SHARE: Final = 0.1
"""An extra, such as insurance, is in at least this share of the orders of several products."""
MIN_TIMES_MEDIAN: Final = 5.0
"""And in so many times as many of them as the median product."""
MAX_PRICE_QUANTILE: Final = 0.25
"""Its usual price is in the cheapest quarter of all products."""
MIN_PARTNERS: Final = 0.5
"""It was bought in one order with at least this share of the other products."""
ORDER: Final = [CUSTOMER_ID, "day", "order"]


@dataclass(frozen=True, eq=False)
class Interactions:
    """Purchases and views by customer and product.

    Args:
        table: customer and product (row numbers of the ids), day (since 1970), bought (False: seen), order (text, ""
            where it has no id), price (of a piece), amount.
        customer_ids: sorted, [n].
        product_ids: sorted, [p].
        excluded: products that were left out: product_id, name; of :func:`find_extras` also its other columns.
    """

    table: Any
    customer_ids: NDArray[np.object_]
    product_ids: NDArray[np.object_]
    excluded: pd.DataFrame

    @classmethod
    def before(
        cls, dataset: Dataset, connection: ibis.BaseBackend, end: date, exclude: Collection[str] | None = None
    ) -> Interactions:
        """Read what happened before local midnight of ``end``; returns are left out.

        Args:
            dataset: the log.
            connection: of the engine.
            end: local midnight.
            exclude: ids of products that are left out; None: those that lie in orders whatever else is bought.

        Raises:
            NotEnoughData: the log names fewer than :data:`MIN_PRODUCTS` products.
        """
        import ibis

        events = dataset.events(connection)
        named = events.filter(
            events[EVENT_TIME] < ibis.timestamp(end.isoformat()),
            events[PRODUCT_ID].notnull(),
            events[PRODUCT_ID].strip() != "",
            events[EVENT_TYPE] != RETURN,
        )
        bought = (named[EVENT_TYPE] == PURCHASE).fill_null(False)
        pieces = ibis.ifelse(named[QUANTITY] > 0, named[QUANTITY], 1.0)
        rows = named.select(
            CUSTOMER_ID,
            PRODUCT_ID,
            CATEGORY,
            day=(named[EVENT_TIME].epoch_seconds() // DAY_SECONDS).cast("int32"),
            bought=bought,
            order=named[ORDER_ID].fill_null(""),
            price=ibis.ifelse(bought & (named[AMOUNT] > 0), named[AMOUNT] / pieces, ibis.null("float64")),
            amount=ibis.ifelse(bought, named[AMOUNT].fill_null(0.0), 0.0),
            name=named[column].fill_null("").strip() if (column := name_column(dataset)) else ibis.literal(""),
        )
        rows = connection.create_table("product_rows", rows, temp=True)
        excluded = find_extras(rows) if exclude is None else pd.DataFrame({PRODUCT_ID: sorted(exclude)}, dtype="str")
        if len(excluded):
            apart = rows[PRODUCT_ID].isin(excluded[PRODUCT_ID].tolist())
            names = _names(rows.filter(apart), PRODUCT_ID)
            rows = rows.filter(~apart)
            excluded.insert(1, "name", excluded[PRODUCT_ID].map(names).fillna(""))
        customers, customer_ids = _numbered(connection, rows, CUSTOMER_ID, "customer")
        products, product_ids = _numbered(connection, rows, PRODUCT_ID, "product")
        _check(dataset, len(product_ids))
        joined = rows.join(customers, CUSTOMER_ID).join(products, PRODUCT_ID)
        columns = ("customer", "product", CATEGORY, "day", "bought", "order", "price", "amount", "name")
        table = connection.create_table("interactions", joined.select(*columns), temp=True)
        return cls(table, customer_ids, product_ids, excluded)

    def products(self, cutoff_day: int) -> pd.DataFrame:
        """Return name, category and usual price of each product, by what was bought before a day.

        ``cutoff_day`` counts from 1970; nothing at or after it is read.

        Returns:
            One row a product, in order of its number: product_id, name and category ("" where there is none), price
            (median of a piece in the last year, else ever; NaN where it has none).
        """
        rows = self.table.filter(self.table.bought, self.table.day < cutoff_day)
        facts = rows.group_by("product").agg(
            category=rows.category.max(),
            recent=rows.price.median(where=rows.day >= cutoff_day - YEAR_DAYS),
            ever=rows.price.median(),
        )
        names = _names(rows, "product")
        frame = facts.to_pyarrow().to_pandas().set_index("product").reindex(np.arange(len(self.product_ids)))
        return pd.DataFrame(
            {
                "product_id": self.product_ids,
                "name": names.reindex(frame.index).fillna("").astype("str").to_numpy(),
                "category": frame["category"].fillna("").astype("str").to_numpy(),
                "price": frame["recent"].fillna(frame["ever"]).to_numpy(np.float64),
            }
        )


def name_column(dataset: Dataset) -> str | None:
    """Return the column of a log that holds names of products; None where there is none."""
    by_name = {fold(name): name for name in dataset.manifest.columns if name not in BY_NAME}
    return next((by_name[key] for key in map(fold, NAME_HEADERS) if key in by_name), None)


def _names(rows: ibis.Table, key: str) -> pd.Series[str]:
    """Return the most frequent name of each product; none at all where a product has many: they are no names."""
    named = rows.filter(rows.name != "")
    counts = named.group_by(key, "name").agg(lines=named.count()).to_pyarrow().to_pandas()
    counts = counts.sort_values(["lines", "name"], ascending=[False, True])
    names: pd.Series[str] = counts.drop_duplicates(key).set_index(key)["name"]
    return names if len(counts) <= MAX_NAMES * len(names) else names.iloc[:0]


def check_columns(dataset: Dataset) -> None:
    """Refuse a log without a column of products.

    Raises:
        NotEnoughData: there is none.
    """
    if PRODUCT_ID not in dataset.manifest.columns:
        _check(dataset, 0)


def _check(dataset: Dataset, products: int) -> None:
    if products < MIN_PRODUCTS:
        raise NotEnoughData("recommend_no_products", dataset=dataset.name, products=products, needed=MIN_PRODUCTS)


def _numbered(connection: ibis.BaseBackend, rows: Any, column: str, name: str) -> tuple[Any, NDArray[np.object_]]:
    """Return a table of a column's values and their numbers, in order of the values, and the sorted values."""
    import ibis

    distinct = rows.select(column).distinct()
    numbers = distinct.mutate(**{name: ibis.row_number().over(order_by=column).cast("int32")})
    table = connection.create_table(f"{name}_numbers", numbers, temp=True)
    ids = table.order_by(name)[[column]].to_pyarrow()[column].to_pandas()
    return table, np.asarray(ids.to_numpy(), np.object_)


def find_extras(rows: ibis.Table) -> pd.DataFrame:
    """Return the products that are bought with nearly everything and cost little, the most frequent first.

    Args:
        rows: customer_id, product_id, day, order, bought and price, one row a line of the log.

    Returns:
        product_id, share (of the orders of several products that have it), partners (share of the other products that
        were bought in one order with it), price (median).
    """
    bought = rows.filter(rows.bought)
    price = _by_product(bought.group_by(PRODUCT_ID).agg(value=bought.price.median()))
    lines = bought.select(*ORDER, PRODUCT_ID).distinct()
    several = lines.group_by(*ORDER).agg(size=lines.count()).filter(lambda orders: orders.size > 1)
    lines = lines.semi_join(several, ORDER)
    orders = int(several.count().to_pyarrow().as_py())
    share = _by_product(lines.group_by(PRODUCT_ID).agg(value=lines.count())) / max(orders, 1)
    least = max(MIN_SHARE, MIN_TIMES_MEDIAN * float(share.median())) if orders else 1.0
    cheap = price.index[price <= price.quantile(MAX_PRICE_QUANTILE)]
    often = share.index[share >= least].intersection(cheap)
    if often.empty:
        return pd.DataFrame({PRODUCT_ID: [], "share": [], "partners": [], "price": []})
    mine = lines.filter(lines[PRODUCT_ID].isin(often.tolist())).rename(extra=PRODUCT_ID)
    pairs = mine.inner_join(lines, ORDER).filter(lambda both: both.extra != both[PRODUCT_ID])
    counts = pairs.group_by("extra").agg(value=pairs[PRODUCT_ID].nunique()).rename({PRODUCT_ID: "extra"})
    partners = _by_product(counts) / max(len(price) - 1, 1)
    extras = pd.DataFrame(
        {"share": share[often], "partners": partners.reindex(often).fillna(0.0), "price": price[often]}
    )
    extras = extras[extras["partners"] >= MIN_PARTNERS].sort_values("share", ascending=False, kind="stable")
    return extras.rename_axis(PRODUCT_ID).reset_index()


def _by_product(table: Any) -> pd.Series[float]:
    """Return the column ``value`` by product, in order of the ids."""
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame.set_index(PRODUCT_ID)["value"].astype(float).sort_index()
