"""Whether a price is that of one piece or of the line: products sold in several quantities say.

Asked of a column called only "price", and of one called "item price": in Amazon's order reports that is the line's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.parse.cell_texts import number_cells
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import PRICE, fold
from clv_core.columns import AMOUNT, CATEGORY, DISCOUNT, PRODUCT_ID, QUANTITY, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer

JUDGED_ROWS: Final = 200_000
ITEM_PRICE: Final = fold("item_price")
AMAZON: Final = fold("amazon_order_id")
PROMOTION: Final = fold("item_promotion_discount")
"""Amazon's discount, which its item price does not know of."""

PRICED: Final = re.compile(r"price$|pricepaid$|preis$|prix$|precio$|prezzo$|preço$|cena$|fiyatı?$|fiyati$|价$|単価$")
OF_ALL: Final = re.compile(r"total|sum|line|order|extended|gesamt|zeile|toplam|总|総|合計")
"""What the name of an amount that is a price ends with, and what it holds where it is that of all pieces."""
FEWEST: Final = 10
"""Rows of several pieces, before what is said of nearly all of them is no accident."""
NEARLY_ALL: Final = 0.95


def settle(
    connection: duckdb.DuckDBPyConnection, source: Source, chosen: dict[str, str], said: Mapping[str, str]
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the role of such a price decided, and what is to be said of it.

    Args:
        connection: the engine.
        source: the file.
        chosen: canonical name -> source column.
        said: the same, as the person said.

    Raises:
        NeedsAnswer: nothing tells.
    """
    if {AMOUNT, QUANTITY, UNIT_PRICE} <= set(chosen) and AMOUNT not in said and _paid_each(connection, source, chosen):
        each = {key: value for key, value in chosen.items() if key not in (AMOUNT, PRICE, DISCOUNT)}
        each[UNIT_PRICE] = chosen[AMOUNT]
        return each, (Message("warning.price_is_unit_price", {"column": chosen[AMOUNT]}),)
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


def _paid_each(connection: duckdb.DuckDBPyConnection, source: Source, chosen: Mapping[str, str]) -> bool:
    """Say whether an amount that is called a price is that of one piece: of several, it is no more than one costs."""
    key = fold(chosen[AMOUNT])
    if not PRICED.search(key) or OF_ALL.search(key):
        return False
    for decimal in ("point", "comma"):
        paid, asked, pieces = number_cells((chosen[AMOUNT], chosen[UNIT_PRICE], chosen[QUANTITY]), decimal)
        told, under = one(
            connection,
            f"SELECT count(*), count(*) FILTER (a <= p * 1.001) FROM (SELECT {paid} AS a, {asked} AS p, {pieces} AS q"
            f" FROM {source.relation()} LIMIT {JUDGED_ROWS}) WHERE a > 0 AND p > 0 AND q > 1",
        )
        if told >= FEWEST and under >= NEARLY_ALL * told:
            return True
    return False


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
    item = chosen.get(PRODUCT_ID) or chosen.get(CATEGORY)  # prices of one category mostly differ, and tell nothing
    if item is None:
        return None
    roles = {_role(connection, source, item, chosen[QUANTITY], column, decimal) for decimal in ("point", "comma")}
    found = roles - {None}
    return found.pop() if len(found) == 1 else None


def _role(
    connection: duckdb.DuckDBPyConnection, source: Source, item: str, quantity: str, price: str, decimal: str
) -> str | None:
    """Return what the prices are of, their numbers read with a ``decimal`` mark where three digits follow one."""
    pieces, paid = number_cells((quantity, price), decimal)
    products, stays, grows = one(
        connection,
        f"SELECT count(*), count(*) FILTER (high <= low * 1.001), count(*) FILTER (high_each <= low_each * 1.001) FROM"
        f" (SELECT min(p) AS low, max(p) AS high, min(p / q) AS low_each, max(p / q) AS high_each FROM"
        f" (SELECT {name(item)} AS item, abs({pieces}) AS q, {paid} AS p"
        f" FROM {source.relation()} LIMIT {JUDGED_ROWS}) WHERE q > 0 AND p > 0 GROUP BY item HAVING min(q) < max(q))",
    )
    if products < 5 or max(stays, grows) < 0.2 * products or stays == grows:
        return None
    if min(stays, grows) * 4 > max(stays, grows):
        return None
    return UNIT_PRICE if stays > grows else AMOUNT


def _price(chosen: Mapping[str, str]) -> str | None:
    """Return the source column whose name says only ``price``, where it has to stand for the money."""
    money = AMOUNT in chosen or UNIT_PRICE in chosen
    return None if money else chosen.get(PRICE)
