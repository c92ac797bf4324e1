"""Whether a column called "amount" holds money or pieces: small whole numbers beside a price that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

import duckdb

from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.mapping.money.price import evidence
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import PRICE
from clv_core.columns import AMOUNT, QUANTITY, UNIT_PRICE
from clv_core.errors import Message, NeedsAnswer

WHOLE: Final = re.compile(r"[+-]?\d{1,4}(\.0+)?")
USUAL_PIECES: Final = 3
TIMES: Final = 3
"""A price is as many times the pieces, or more."""
PRICE_NAME: Final = re.compile(r"(?i)price|preis|prix|precio|prezzo|preço|价|價|単価|価格|가격|단가|цена")
FIGURE: Final = re.compile(r"\d+([.,]\d+)?")


def settle_pieces(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: Sequence[Mapping[str, Any]],
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with such an amount as the quantity and the price as what it is, and what is to be said.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        mapping: what the person said of columns.

    Raises:
        NeedsAnswer: nothing tells whether the price is that of a piece or of the line.
    """
    if AMOUNT not in chosen or QUANTITY in chosen or AMOUNT in mapping:
        return dict(chosen), ()
    column = chosen[AMOUNT]
    pieces = filled(rows, column)
    if not pieces or not all(WHOLE.fullmatch(piece) for piece in pieces):
        return dict(chosen), ()
    usual = median(abs(float(piece)) for piece in pieces)
    if not 0 < usual <= USUAL_PIECES:
        return dict(chosen), ()
    price = next(
        (
            item.column
            for item in sorted(proposals, key=lambda item: item.canonical not in (PRICE, UNIT_PRICE))
            if item.canonical in (None, PRICE, UNIT_PRICE)
            and PRICE_NAME.search(item.column)
            and _usual(rows, item.column) >= TIMES * usual
        ),
        None,
    )
    if price is None:
        return dict(chosen), ()
    rest = {key: value for key, value in chosen.items() if key not in (AMOUNT, PRICE, UNIT_PRICE)}
    rest[QUANTITY] = column
    role = evidence(connection, source, price, rest)
    if role is None:
        raise NeedsAnswer("amount_of_pieces", column=column, price=price)
    return {**rest, role: price}, (Message(f"warning.pieces_and_{role}", {"column": column, "price": price}),)


def _usual(rows: Sequence[Mapping[str, Any]], column: str) -> float:
    """Return the median of a column's plain numbers, 0 where there are none."""
    texts = [text for text in filled(rows, column) if FIGURE.fullmatch(text)]
    return median(float(text.replace(",", ".")) for text in texts) if texts else 0.0
