"""Prices of a piece or of a line, and pieces that are called amounts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from clv_core.collection.engine import TextRow, name
from clv_core.collection.infer.columns.proposal import filled
from clv_core.collection.infer.log_table import MARKS, MIN_RULE_SHARE, SEARCHED_ROWS, LogTable
from clv_core.collection.parse.cell_texts import number_cells
from clv_core.collection.read.derived_columns import PER
from clv_core.collection.vocabulary.column_names import PRICE, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import AMOUNT, CATEGORY, DISCOUNT, PRODUCT_ID, QUANTITY, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer

_VOCABULARY: Final = load_vocabulary()

ITEM_PRICE: Final = fold("item_price")

PRICED: Final = re.compile(f"(?:{_VOCABULARY.pattern('prices', 'ends')})$")
OF_ALL: Final = re.compile(_VOCABULARY.pattern("prices", "of_line"))
"""What the name of an amount that is a price ends with, and what it holds where it is that of all pieces."""
MIN_ROWS: Final = 10
"""Rows of several pieces, before a rule that nearly all of them follow is no accident. A guess."""


def resolve_price(log: LogTable, column_of: dict[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the role of such a price decided, and warnings.

    Args:
        log: the file.
        column_of: canonical name -> source column.

    Raises:
        NeedsAnswer: no evidence decides, or another column may hold the pieces that it is for.
    """
    if (
        {AMOUNT, QUANTITY, UNIT_PRICE} <= set(column_of)
        and AMOUNT not in log.answers.mapping
        and _paid_each(log, column_of)
    ):
        each = {key: value for key, value in column_of.items() if key not in (AMOUNT, PRICE, DISCOUNT)}
        each[UNIT_PRICE] = column_of[AMOUNT]
        return each, (Message("warning.price_is_unit_price", {"column": column_of[AMOUNT]}),)
    column = None if {AMOUNT, UNIT_PRICE} & set(column_of) else column_of.get(PRICE)  # its name is only "price"
    rest = {key: value for key, value in column_of.items() if key != PRICE}
    if AMOUNT not in column_of and QUANTITY in column_of and fold(column_of.get(UNIT_PRICE, "")) == ITEM_PRICE:
        column = column_of[UNIT_PRICE]
        if evidence(log, column, rest) != AMOUNT:
            return rest, ()
        del rest[UNIT_PRICE]
        return {**rest, AMOUNT: column}, (Message("warning.price_is_amount", {"column": column}),)
    if column is None:
        if PRICE in column_of and UNIT_PRICE not in column_of:
            rest[UNIT_PRICE] = column_of[PRICE]
        return rest, ()
    if QUANTITY not in column_of:
        return {**rest, UNIT_PRICE: column}, ()
    role = evidence(log, column, column_of)
    per = [made for made, _ in log.source.made if made.startswith(f"{column}{PER}")]
    if role is None or (per and role == UNIT_PRICE):
        raise NeedsAnswer("price_of_what", column=column, quantity=column_of[QUANTITY], per=per)
    return {**rest, role: column}, (Message(f"warning.price_is_{role}", {"column": column}),)


def _paid_each(log: LogTable, column_of: Mapping[str, str]) -> bool:
    """Return whether an amount named a price is that of one piece: for several, it is no more than one costs."""
    key = fold(column_of[AMOUNT])
    if not PRICED.search(key) or OF_ALL.search(key):
        return False
    for decimal in MARKS:
        rows = log.numbers(decimal, {"a": column_of[AMOUNT], "p": column_of[UNIT_PRICE], "q": column_of[QUANTITY]})
        checked, under = log.fetch_one(
            f"SELECT count(*), count(*) FILTER (a <= p * 1.001) FROM {rows} WHERE a > 0 AND p > 0 AND q > 1"
        )
        if checked >= MIN_ROWS and under >= MIN_RULE_SHARE * checked:
            return True
    return False


def evidence(log: LogTable, column: str, column_of: Mapping[str, str]) -> str | None:
    """Look at products sold in several quantities: a unit price stays, a line's price grows with the quantity.

    Args:
        log: the file.
        column: the price.
        column_of: canonical name -> source column, the quantity among them.

    Returns:
        ``unit_price``, ``amount``, or None without evidence.
    """
    item = column_of.get(PRODUCT_ID) or column_of.get(
        CATEGORY
    )  # prices of one category mostly differ, and prove nothing
    if item is None:
        return None
    roles = {_role(log, item, column_of[QUANTITY], column, decimal) for decimal in MARKS}
    decided = roles - {None}
    return decided.pop() if len(decided) == 1 else None


def _role(log: LogTable, item: str, quantity: str, price: str, decimal: str) -> str | None:
    """Return what the prices are of, their numbers read with a ``decimal`` mark where three digits follow one.

    The innermost query reads item, pieces and price of the first rows; the one around it takes, by item of several
    quantities, the range of the price and of the price per piece; the outer one counts items in which either is
    constant (to a thousandth). It takes 5 items, a fifth of which decide, four to one; guesses.
    """
    pieces, paid = number_cells((quantity, price), decimal)
    products, stays, grows = log.fetch_one(
        f"SELECT count(*), count(*) FILTER (high <= low * 1.001), count(*) FILTER (high_each <= low_each * 1.001) FROM"
        f" (SELECT min(p) AS low, max(p) AS high, min(p / q) AS low_each, max(p / q) AS high_each FROM"
        f" (SELECT {name(item)} AS item, abs({pieces}) AS q, {paid} AS p"
        f" FROM {log.relation} LIMIT {SEARCHED_ROWS}) WHERE q > 0 AND p > 0 GROUP BY item HAVING min(q) < max(q))"
    )
    if products < 5 or max(stays, grows) < 0.2 * products or stays == grows:
        return None
    if min(stays, grows) * 4 > max(stays, grows):
        return None
    return UNIT_PRICE if stays > grows else AMOUNT


WHOLE: Final = re.compile(r"[+-]?\d{1,4}(\.0+)?")
MAX_USUAL_PIECES: Final = 3
"""Median up to which small integers may be pieces. A guess."""
MIN_PRICE_RATIO: Final = 3
"""A price is as many times the pieces, or more."""
PRICE_NAME: Final = re.compile(f"(?i){_VOCABULARY.pattern('prices', 'columns')}")
FIGURE: Final = re.compile(r"\d+([.,]\d+)?")


def resolve_pieces(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with such an amount as the quantity and the price as what it is, and warnings.

    Args:
        log: the file.
        column_of: canonical name -> source column.

    Raises:
        NeedsAnswer: no evidence decides whether the price is that of a piece or of the line.
    """
    if AMOUNT not in column_of or QUANTITY in column_of or AMOUNT in log.answers.mapping:
        return dict(column_of), ()
    column = column_of[AMOUNT]
    pieces = log.filled(column)
    if not pieces or not all(WHOLE.fullmatch(piece) for piece in pieces):
        return dict(column_of), ()
    usual = median(abs(float(piece)) for piece in pieces)
    if not 0 < usual <= MAX_USUAL_PIECES:
        return dict(column_of), ()
    price = next(
        (
            item.column
            for item in sorted(log.proposals, key=lambda item: item.canonical not in (PRICE, UNIT_PRICE))
            if item.canonical in (None, PRICE, UNIT_PRICE)
            and PRICE_NAME.search(item.column)
            and _usual(log.rows, item.column) >= MIN_PRICE_RATIO * usual
        ),
        None,
    )
    if price is None:
        return dict(column_of), ()
    rest = {key: value for key, value in column_of.items() if key not in (AMOUNT, PRICE, UNIT_PRICE)}
    rest[QUANTITY] = column
    role = evidence(log, price, rest)
    if role is None:
        raise NeedsAnswer("amount_of_pieces", column=column, price=price)
    return {**rest, role: price}, (Message(f"warning.pieces_and_{role}", {"column": column, "price": price}),)


def _usual(rows: Sequence[TextRow], column: str) -> float:
    """Return the median of a column's plain numbers, 0 where there are none."""
    texts = [text for text in filled(rows, column) if FIGURE.fullmatch(text)]
    return median(float(text.replace(",", ".")) for text in texts) if texts else 0.0
