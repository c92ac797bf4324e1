"""Whether a price is that of one piece or of the line: products sold in several quantities say.

Asked of a column called only "price", and of one called "item price": in Amazon's order reports that is the line's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb

from clv_core.collection.engine import name
from clv_core.collection.files.source import Source
from clv_core.collection.words.aliases import PRICE, fold
from clv_core.columns import AMOUNT, DISCOUNT, PRODUCT_ID, QUANTITY, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer

JUDGED_ROWS: Final = 200_000
ITEM_PRICE: Final = fold("item_price")
AMAZON: Final = fold("amazon_order_id")
PROMOTION: Final = fold("item_promotion_discount")
"""Amazon's discount, which its item price does not know of."""


def settle(
    connection: duckdb.DuckDBPyConnection, source: Source, chosen: dict[str, str]
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the role of such a price decided, and what is to be said of it.

    Args:
        connection: the engine.
        source: the file.
        chosen: canonical name -> source column.

    Raises:
        NeedsAnswer: nothing tells.
    """
    column = _price(chosen)
    rest = {key: value for key, value in chosen.items() if key != PRICE}
    if AMOUNT not in chosen and QUANTITY in chosen and fold(chosen.get(UNIT_PRICE, "")) == ITEM_PRICE:
        return _of_item(connection, source, rest)
    if column is None:
        if PRICE in chosen and UNIT_PRICE not in chosen:
            rest[UNIT_PRICE] = chosen[PRICE]
        return rest, ()
    if QUANTITY not in chosen:
        return {**rest, UNIT_PRICE: column}, ()
    role = evidence(connection, source, column, chosen)
    if role is None:
        raise NeedsAnswer("price_of_what", column=column, quantity=chosen[QUANTITY])
    return {**rest, role: column}, (Message(f"warning.price_is_{role}", {"column": column}),)


def before_promotion(chosen: Mapping[str, str]) -> bool:
    """Say whether the amount is one from which the discount is still to be taken off."""
    return AMOUNT in chosen and fold(chosen.get(DISCOUNT, "")) == PROMOTION


def _of_item(
    connection: duckdb.DuckDBPyConnection, source: Source, chosen: dict[str, str]
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with an item's price as the line's, where the file or its quantities say so."""
    column = chosen[UNIT_PRICE]
    amazon = AMAZON in map(fold, source.columns)
    if not amazon and evidence(connection, source, column, chosen) != AMOUNT:
        return chosen, ()
    rest = {key: value for key, value in chosen.items() if key != UNIT_PRICE}
    promotion = next((name for name in source.columns if amazon and fold(name) == PROMOTION), None)
    if promotion is not None:
        rest[DISCOUNT] = promotion
    return {**rest, AMOUNT: column}, (Message("warning.price_is_amount", {"column": column}),)


def evidence(
    connection: duckdb.DuckDBPyConnection, source: Source, column: str, chosen: Mapping[str, str]
) -> str | None:
    """Look at products sold in several quantities: a unit price stays, a line's price grows with the quantity.

    Args:
        connection: the engine.
        source: the file.
        column: the price.
        chosen: canonical name -> source column, the quantity among them.

    Returns:
        ``unit_price``, ``amount``, or None where nothing tells.
    """
    if PRODUCT_ID not in chosen:
        return None
    product, quantity, price = (name(item) for item in (chosen[PRODUCT_ID], chosen[QUANTITY], column))
    row = connection.execute(
        f"SELECT count(*), count(*) FILTER (high <= low * 1.001), count(*) FILTER (high_each <= low_each * 1.001) FROM"
        f" (SELECT min(p) AS low, max(p) AS high, min(p / q) AS low_each, max(p / q) AS high_each FROM"
        f" (SELECT {product} AS item, abs(try_cast({quantity} AS DOUBLE)) AS q, try_cast({price} AS DOUBLE) AS p"
        f" FROM {source.relation()} LIMIT {JUDGED_ROWS}) WHERE q > 0 AND p > 0 GROUP BY item HAVING min(q) < max(q))"
    ).fetchone()
    products, stays, grows = row or (0, 0, 0)
    if products < 5 or max(stays, grows) < 0.2 * products or stays == grows:
        return None
    if min(stays, grows) * 4 > max(stays, grows):
        return None
    return UNIT_PRICE if stays > grows else AMOUNT


def _price(chosen: Mapping[str, str]) -> str | None:
    """Return the source column whose name says only ``price``, where it has to stand for the money."""
    money = AMOUNT in chosen or UNIT_PRICE in chosen
    return None if money else chosen.get(PRICE)
