"""Prices of a piece or of a line, pieces that are called amounts, and what is taken off."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from clv_core.collection.engine import name
from clv_core.collection.infer.columns.proposal import filled
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.parse.cell_texts import number_cells
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


def settle_price(log: LogTable, chosen: dict[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the role of such a price decided, and what is to be said of it.

    Args:
        log: the file.
        chosen: canonical name -> source column.

    Raises:
        NeedsAnswer: nothing tells.
    """
    if {AMOUNT, QUANTITY, UNIT_PRICE} <= set(chosen) and AMOUNT not in log.answers.mapping and _paid_each(log, chosen):
        each = {key: value for key, value in chosen.items() if key not in (AMOUNT, PRICE, DISCOUNT)}
        each[UNIT_PRICE] = chosen[AMOUNT]
        return each, (Message("warning.price_is_unit_price", {"column": chosen[AMOUNT]}),)
    column = _price(chosen)
    rest = {key: value for key, value in chosen.items() if key != PRICE}
    if AMOUNT not in chosen and QUANTITY in chosen and fold(chosen.get(UNIT_PRICE, "")) == ITEM_PRICE:
        return _of_item(log, rest)
    if column is None:
        if PRICE in chosen and UNIT_PRICE not in chosen:
            rest[UNIT_PRICE] = chosen[PRICE]
        return rest, ()
    if QUANTITY not in chosen:
        return {**rest, UNIT_PRICE: column}, ()
    role = evidence(log, column, chosen)
    if role is None:
        raise NeedsAnswer("price_of_what", column=column, quantity=chosen[QUANTITY])
    return {**rest, role: column}, (Message(f"warning.price_is_{role}", {"column": column}),)


def before_promotion(chosen: Mapping[str, str]) -> bool:
    """Say whether the amount is one from which the discount is still to be taken off."""
    return AMOUNT in chosen and fold(chosen.get(DISCOUNT, "")) == PROMOTION


def _paid_each(log: LogTable, chosen: Mapping[str, str]) -> bool:
    """Say whether an amount that is called a price is that of one piece: of several, it is no more than one costs."""
    key = fold(chosen[AMOUNT])
    if not PRICED.search(key) or OF_ALL.search(key):
        return False
    for decimal in ("point", "comma"):
        paid, asked, pieces = number_cells((chosen[AMOUNT], chosen[UNIT_PRICE], chosen[QUANTITY]), decimal)
        told, under = log.one(
            f"SELECT count(*), count(*) FILTER (a <= p * 1.001) FROM (SELECT {paid} AS a, {asked} AS p, {pieces} AS q"
            f" FROM {log.relation} LIMIT {JUDGED_ROWS}) WHERE a > 0 AND p > 0 AND q > 1",
        )
        if told >= FEWEST and under >= NEARLY_ALL * told:
            return True
    return False


def _of_item(log: LogTable, chosen: dict[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with an item's price as the line's, where the file or its quantities say so."""
    column = chosen[UNIT_PRICE]
    amazon = AMAZON in map(fold, log.columns)
    if not amazon and evidence(log, column, chosen) != AMOUNT:
        return chosen, ()
    rest = {key: value for key, value in chosen.items() if key != UNIT_PRICE}
    promotion = next((name for name in log.columns if amazon and fold(name) == PROMOTION), None)
    if promotion is not None:
        rest[DISCOUNT] = promotion
    return {**rest, AMOUNT: column}, (Message("warning.price_is_amount", {"column": column}),)


def evidence(log: LogTable, column: str, chosen: Mapping[str, str]) -> str | None:
    """Look at products sold in several quantities: a unit price stays, a line's price grows with the quantity.

    Args:
        log: the file.
        column: the price.
        chosen: canonical name -> source column, the quantity among them.

    Returns:
        ``unit_price``, ``amount``, or None where nothing tells.
    """
    item = chosen.get(PRODUCT_ID) or chosen.get(CATEGORY)  # prices of one category mostly differ, and tell nothing
    if item is None:
        return None
    roles = {_role(log, item, chosen[QUANTITY], column, decimal) for decimal in ("point", "comma")}
    found = roles - {None}
    return found.pop() if len(found) == 1 else None


def _role(log: LogTable, item: str, quantity: str, price: str, decimal: str) -> str | None:
    """Return what the prices are of, their numbers read with a ``decimal`` mark where three digits follow one."""
    pieces, paid = number_cells((quantity, price), decimal)
    products, stays, grows = log.one(
        f"SELECT count(*), count(*) FILTER (high <= low * 1.001), count(*) FILTER (high_each <= low_each * 1.001) FROM"
        f" (SELECT min(p) AS low, max(p) AS high, min(p / q) AS low_each, max(p / q) AS high_each FROM"
        f" (SELECT {name(item)} AS item, abs({pieces}) AS q, {paid} AS p"
        f" FROM {log.relation} LIMIT {JUDGED_ROWS}) WHERE q > 0 AND p > 0 GROUP BY item HAVING min(q) < max(q))",
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


WHOLE: Final = re.compile(r"[+-]?\d{1,4}(\.0+)?")
USUAL_PIECES: Final = 3
TIMES: Final = 3
"""A price is as many times the pieces, or more."""
PRICE_NAME: Final = re.compile(r"(?i)price|preis|prix|precio|prezzo|preço|价|價|単価|価格|가격|단가|цена")
FIGURE: Final = re.compile(r"\d+([.,]\d+)?")


def settle_pieces(log: LogTable, chosen: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with such an amount as the quantity and the price as what it is, and what is to be said.

    Args:
        log: the file.
        chosen: canonical name -> source column.

    Raises:
        NeedsAnswer: nothing tells whether the price is that of a piece or of the line.
    """
    if AMOUNT not in chosen or QUANTITY in chosen or AMOUNT in log.answers.mapping:
        return dict(chosen), ()
    column = chosen[AMOUNT]
    pieces = log.filled(column)
    if not pieces or not all(WHOLE.fullmatch(piece) for piece in pieces):
        return dict(chosen), ()
    usual = median(abs(float(piece)) for piece in pieces)
    if not 0 < usual <= USUAL_PIECES:
        return dict(chosen), ()
    price = next(
        (
            item.column
            for item in sorted(log.proposals, key=lambda item: item.canonical not in (PRICE, UNIT_PRICE))
            if item.canonical in (None, PRICE, UNIT_PRICE)
            and PRICE_NAME.search(item.column)
            and _usual(log.rows, item.column) >= TIMES * usual
        ),
        None,
    )
    if price is None:
        return dict(chosen), ()
    rest = {key: value for key, value in chosen.items() if key not in (AMOUNT, PRICE, UNIT_PRICE)}
    rest[QUANTITY] = column
    role = evidence(log, price, rest)
    if role is None:
        raise NeedsAnswer("amount_of_pieces", column=column, price=price)
    return {**rest, role: price}, (Message(f"warning.pieces_and_{role}", {"column": column, "price": price}),)


def _usual(rows: Sequence[Mapping[str, Any]], column: str) -> float:
    """Return the median of a column's plain numbers, 0 where there are none."""
    texts = [text for text in filled(rows, column) if FIGURE.fullmatch(text)]
    return median(float(text.replace(",", ".")) for text in texts) if texts else 0.0


MONEY, UNIT, PERCENT = "amount", "unit", "percent"
DISCOUNTS: Final = (MONEY, UNIT, PERCENT)
"""What a discount can be said to be."""
NAMED: Final = re.compile(
    r"(?i)(?:discount|disc\b|rabatt|remise|descuento|desconto|sconto|скидк|折扣|优惠|割引|할인).*(?:%|percent|pct|rate|prozent|率)"
    r"|折扣率|(?:%|percent|pct)\W*(?:off|discount|disc\b)"
)
OF_PIECES: Final = re.compile(
    r"(?i)(?:^|[\W_])(?:per|je|pro|par|por)?[\W_]*(?:unit|each|piece|item|pcs?|stück|stueck|pièce|unité|unidad|unidade"
    r"|pezzo|unitario|unitaire)(?:$|[\W_])|单件|单品|每件|単価|개당|за шт"
)
"""What the name of a discount holds that is money off each piece."""
STEP: Final = 5
MOST: Final = 95
FEW: Final = 8
"""So few different discounts, all of them multiples of five: percentages look so, and so do vouchers."""


def in_percent(column: str) -> bool:
    """Say whether a column is called one of discounts in percent."""
    return bool(NAMED.search(column))


def of_rates(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, str], mapping: Mapping[str, str]
) -> dict[str, str]:
    """Return the columns with that of discounts in percent, where amounts are made of prices and no other is known.

    Args:
        columns: source columns.
        rows: the first rows as text.
        chosen: canonical name -> source column.
        mapping: the same, as the person said.
    """
    if DISCOUNT in {*chosen, *mapping} or AMOUNT in chosen or UNIT_PRICE not in chosen:
        return dict(chosen)
    free = (column for column in columns if column not in chosen.values() and in_percent(column))
    found = next((column for column in free if _above(filled(rows, column))), None)
    return dict(chosen) if found is None else {**chosen, DISCOUNT: found}


def discount_kind(
    rows: Sequence[Mapping[str, Any]], chosen: dict[str, str], largest: float, said: str | None
) -> tuple[str, dict[str, str], tuple[Message, ...]]:
    """Return which of :data:`DISCOUNTS` a column of discounts holds, the columns, and what is to be said of it.

    A sign or word of percent, or shares that never exceed 1, make it a percentage; a word for pieces in its name, money
    off each. Percentages without either may be money: that is a doubt. Beside amounts, percentages are no discount in
    money and stay a column of their own.

    Args:
        rows: the first rows as text.
        chosen: canonical name -> source column.
        largest: discount of the whole file, in size.
        said: what the person said of it.
    """
    if DISCOUNT not in chosen or before_promotion(chosen):
        return MONEY, chosen, ()
    column = chosen[DISCOUNT]
    values = filled(rows, column)
    signed = bool(values) and all(value.endswith("%") or not re.search("[1-9]", value) for value in values)
    if AMOUNT in chosen or UNIT_PRICE not in chosen:
        if signed or in_percent(column) or largest <= 1:
            others = {canonical: other for canonical, other in chosen.items() if canonical != DISCOUNT}
            return MONEY, others, (Message("warning.discount_rate", {"column": column}),)
        return MONEY, chosen, ()
    if said:
        return said, chosen, ()
    if signed or in_percent(column) or largest <= 1:
        return PERCENT, chosen, (Message("warning.discount_percent", {"column": column}),)
    if OF_PIECES.search(column):
        return UNIT, chosen, (Message("warning.discount_unit", {"column": column}),)
    given = _above(values)
    different = sorted(set(given))
    steps = all(value % STEP == 0 and value <= MOST for value in different)
    if len(given) < FEWEST or not 2 <= len(different) <= FEW or not steps:
        return MONEY, chosen, ()
    found = [f"{value:g}" for value in different]
    return MONEY, chosen, (Message("warning.maybe_percent", {"column": column, "found": found}),)


def _above(values: Sequence[str]) -> list[float]:
    """Return the numbers above zero among texts; none where one is no number."""
    plain = [value.removesuffix("%").strip().replace(",", ".") for value in values]
    if not all(re.fullmatch(r"\d+(?:\.\d+)?", value) for value in plain):
        return []
    return [number for value in plain if (number := float(value)) > 0]
