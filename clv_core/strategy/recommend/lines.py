"""What was bought and looked at, line by line: customers and products as numbers, kept in the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.stored.store import Dataset
from clv_core.columns import (
    AMOUNT,
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
from clv_core.features.relations import DAY_SECONDS

if TYPE_CHECKING:
    import ibis

LONG: Final = 120.0
"""Days after which a purchase counts half where the long memory is asked."""
SHORT: Final = 30.0
YEAR_DAYS: Final = 365
FEWEST_PRODUCTS: Final = 5


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of a log that name a product.

    Args:
        connection: the engine.
        table: customer and product (int), day (since 1970), bought (bool: purchase; else seen), order (text), price
            (of a piece), amount.
        customer_ids: sorted, [n].
        product_ids: sorted, [p].
    """

    connection: ibis.BaseBackend
    table: Any
    customer_ids: NDArray[np.object_]
    product_ids: NDArray[np.object_]

    @classmethod
    def of(cls, dataset: Dataset, connection: ibis.BaseBackend, end: date) -> Lines:
        """Number customers and products of what lies before ``end``.

        Raises:
            NotEnoughData: the log names no product, or hardly any.
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
            named[CUSTOMER_ID],
            named[PRODUCT_ID],
            named[CATEGORY],
            day=(named[EVENT_TIME].epoch_seconds() // DAY_SECONDS).cast("int32"),
            bought=bought,
            order=named[ORDER_ID].fill_null(""),
            price=ibis.ifelse(bought & (named[AMOUNT] > 0), named[AMOUNT] / pieces, ibis.null("float64")),
            amount=ibis.ifelse(bought, named[AMOUNT].fill_null(0.0), 0.0),
        )
        rows = connection.create_table("product_lines", rows, temp=True)
        customers, products = (_numbered(connection, rows, name) for name in (CUSTOMER_ID, PRODUCT_ID))
        found = _ids(products, PRODUCT_ID)
        _check(dataset, len(found))
        numbered = rows.join(customers, CUSTOMER_ID).join(products, PRODUCT_ID)
        kept = numbered.select(
            "customer_id_code", "product_id_code", "category", "day", "bought", "order", "price", "amount"
        ).rename(customer="customer_id_code", product="product_id_code")
        table = connection.create_table("numbered_lines", kept, temp=True)
        return cls(connection, table, _ids(customers, CUSTOMER_ID), found)

    def products(self, cutoff_day: int) -> pd.DataFrame:
        """Return category and usual price of each product in the year before a day, by what was bought before it.

        Args:
            cutoff_day: nothing at or after it is read, since 1970.

        Returns:
            One row a product, in order of its number:
            product_id, category ("" where none is known), price (median of a piece, NaN where unknown).
        """
        since = cutoff_day - YEAR_DAYS
        rows = self.table.filter(self.table.bought, self.table.day < cutoff_day)
        facts = rows.group_by("product").agg(
            category=rows.category.max(),
            recent=rows.price.median(where=rows.day >= since),
            ever=rows.price.median(),
        )
        frame = facts.to_pyarrow().to_pandas().set_index("product").reindex(np.arange(len(self.product_ids)))
        return pd.DataFrame(
            {
                "product_id": self.product_ids,
                "category": frame["category"].fillna("").astype("str").to_numpy(),
                "price": frame["recent"].fillna(frame["ever"]).to_numpy(np.float64),
            }
        )


def check_columns(dataset: Dataset) -> None:
    """Refuse a log without a column of products.

    Raises:
        NotEnoughData: there is none.
    """
    if PRODUCT_ID not in dataset.manifest.columns:
        _check(dataset, 0)


def _check(dataset: Dataset, products: int) -> None:
    if products < FEWEST_PRODUCTS:
        raise NotEnoughData("recommend_no_products", dataset=dataset.name, products=products, needed=FEWEST_PRODUCTS)


def _numbered(connection: ibis.BaseBackend, rows: Any, name: str) -> Any:
    import ibis

    distinct = rows.select(name).distinct()
    numbers = distinct.mutate(**{f"{name}_code": (ibis.row_number().over(order_by=name)).cast("int32")})
    return connection.create_table(f"numbers_of_{name}", numbers, temp=True)


def _ids(numbers: Any, name: str) -> NDArray[np.object_]:
    frame = numbers.order_by(f"{name}_code").to_pyarrow().to_pandas()
    return np.asarray(frame[name].to_numpy(), np.object_)
