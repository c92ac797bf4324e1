"""Which of two amounts is the one to read, where sums within the rows tell what stands between them.

A column that is another one less what was paid back has been reduced already: the refund would be taken off twice. A
column from which a discount leads to another one is what was asked for, and the other one what was paid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

import duckdb

from clv_core.collection.engine import one
from clv_core.collection.mapping.columns.money import FRACTIONS, NAMED
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.parse.cell_texts import number_cells
from clv_core.collection.read.source import Source
from clv_core.columns import AMOUNT, DISCOUNT, QUANTITY, REFUND, UNIT_PRICE
from clv_core.errors import Message

JUDGED_ROWS: Final = 20_000
FEWEST: Final = {REFUND: 3, DISCOUNT: 5}
"""Rows with a refund or a discount, before a sum that holds in them is no accident."""
POSTAGE: Final = re.compile(
    r"shipping|postage|freight|delivery|versand|frete|fracht|livraison|envío|envio|spedizione|kargo|运费|送料|배송비"
)
"""What the name of a column of postage holds."""
NEARLY_ALL: Final = 0.95
CENT: Final = 0.011
LOWER: Final = {"warning.lower_amount": "p * q", "warning.lower_price": "p"}
"""What is charged for a line of q pieces at p: by the line, or by the piece."""
SAME: Final = 0.1
"""Share of lines of several pieces that cost no less than was charged; a cost or a tax is always less."""


def settle_amount(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the amount before refunds and after discounts, and what is to be said of it.

    Args:
        connection: the engine.
        source: the file.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        mapping: what the person said of columns; an amount that was said stays.
    """
    found, notes = dict(chosen), []
    unused = [item for item in proposals if item.column not in chosen.values()]
    others = [item.column for item in unused if item.money >= NAMED]
    if (
        AMOUNT not in chosen
        and {QUANTITY, UNIT_PRICE} <= set(chosen)
        and not {AMOUNT, UNIT_PRICE, DISCOUNT} & {*mapping}
    ):
        numbers = [item.column for item in unused if item.money >= FRACTIONS]  # whatever it is called
        return found, () if DISCOUNT in chosen else _lower(connection, source, chosen, numbers)
    if AMOUNT not in chosen or AMOUNT in mapping:
        return found, ()
    if REFUND in chosen:
        amount, back = found[AMOUNT], found[REFUND]
        before = next((item for item in others if _reduced(connection, source, back, item, amount)), None)
        if before is not None:
            found[AMOUNT] = before
            notes.append(Message("warning.amount_left", {"column": amount, "other": before, "refund": back}))
    if DISCOUNT in chosen:
        amount, off = found[AMOUNT], found[DISCOUNT]
        after = next((item for item in others if _holds(connection, source, DISCOUNT, off, amount, item)), None)
        if after is not None:
            found[AMOUNT] = after
            notes.append(Message("warning.amount_after", {"column": amount, "other": after, "discount": off}))
        elif sent := _with_postage(connection, source, off, amount, others):
            found[AMOUNT] = sent[0]
            params = {"column": amount, "other": sent[0], "discount": off, "postage": sent[1]}
            notes.append(Message("warning.amount_with_postage", params))
        elif {QUANTITY, UNIT_PRICE} <= set(chosen) and _asked_for(connection, source, found, others):
            notes.append(Message("warning.discount_not_off", {"column": amount, "discount": off}))
    return found, tuple(notes)


def _lower(
    connection: duckdb.DuckDBPyConnection, source: Source, chosen: Mapping[str, str], others: Sequence[str]
) -> tuple[Message, ...]:
    """Return what is to be said of another column that is what was charged, or less: of the line, or of one piece."""
    price, pieces = chosen[UNIT_PRICE], chosen[QUANTITY]
    for other, decimal, (code, charged) in product(others, ("point", "comma"), LOWER.items()):
        a, p, q = number_cells((other, price, pieces), decimal)
        told, less, above, several, same = one(
            connection,
            f"SELECT count(*), count(*) FILTER (g <= -{CENT}), count(*) FILTER (g >= {CENT}), count(*) FILTER (q > 1),"
            f" count(*) FILTER (q > 1 AND abs(g) < {CENT}) FROM (SELECT a - {charged} AS g, q FROM (SELECT {a} AS a,"
            f" {p} AS p, {q} AS q FROM {source.relation()} LIMIT {JUDGED_ROWS}) WHERE a > 0 AND p > 0 AND q > 0)",
        )
        if above <= (1 - NEARLY_ALL) * told and same >= max(1, SAME * several) and less >= FEWEST[DISCOUNT]:
            return (Message(code, {"column": other, "quantity": pieces, "price": price, "rows": int(less)}),)
    return ()


def _with_postage(
    connection: duckdb.DuckDBPyConnection, source: Source, off: str, before: str, others: Sequence[str]
) -> tuple[str, str] | None:
    """Return the amount that is ``before`` less the discount and with postage, and the column of postage, if any is."""
    posted = [column for column in source.columns if POSTAGE.search(column.casefold())]
    for after in others:
        for postage in posted:
            columns = (before, after, postage)
            if postage != after and _true(connection, source, DISCOUNT, off, columns, "a - d + c - b"):
                return after, postage
    return None


def _asked_for(
    connection: duckdb.DuckDBPyConnection, source: Source, chosen: Mapping[str, str], others: Sequence[str]
) -> bool:
    """Say whether amounts are quantity x unit price in rows with a discount too, and no other price is higher by it."""
    amount, off, pieces, price = (chosen[column] for column in (AMOUNT, DISCOUNT, QUANTITY, UNIT_PRICE))
    if not _true(connection, source, DISCOUNT, off, (amount, pieces, price), "a - b * c"):
        return False
    return not any(
        _true(connection, source, DISCOUNT, off, (amount, pieces, item), gap)
        for item in others
        for gap in ("a - b * c + d", "a - c + d")
    )


def _reduced(connection: duckdb.DuckDBPyConnection, source: Source, back: str, before: str, after: str) -> bool:
    """Say whether ``before`` less the refund is ``after``, and the two are one where nothing was paid back.

    What was asked back is the refund and nothing is left of either in rows of refunds alone: it was never an amount.
    """
    if not _holds(connection, source, REFUND, back, before, after):
        return False
    return _true(connection, source, REFUND, back, (before, after, after), "a - b", rows="coalesce(d, 0) = 0", fewest=0)


def _holds(
    connection: duckdb.DuckDBPyConnection, source: Source, kind: str, part: str, before: str, after: str
) -> bool:
    """Say whether ``before`` less ``part`` is ``after``, in nearly all rows that have such a part."""
    return _true(connection, source, kind, part, (before, after, after), "a - d - b")


def _true(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    kind: str,
    part: str,
    columns: tuple[str, str, str],
    gap: str,
    *,
    rows: str = "d > 0",
    fewest: int | None = None,
) -> bool:
    """Say whether a gap between amounts is nothing in nearly all rows of a kind, in one reading of them.

    Args:
        connection: the engine.
        source: the file.
        kind: canonical name of the part.
        part: its column.
        columns: what ``a``, ``b`` and ``c`` are in the gap.
        gap: SQL of these and of the part, ``d``.
        rows: SQL that tells the rows; those with a part above zero by default.
        fewest: as many there have to be; by default what makes it no accident.
    """
    least = FEWEST[kind] if fewest is None else fewest
    for decimal in ("point", "comma"):
        cells = number_cells((*columns, part), decimal)
        values = ", ".join(f"abs({cell}) AS {letter}" for cell, letter in zip(cells, "abcd", strict=True))
        told, true = one(
            connection,
            f"SELECT count(*), count(*) FILTER (abs({gap}) < {CENT}) FROM (SELECT {values} FROM"
            f" (SELECT * FROM {source.relation()} LIMIT {JUDGED_ROWS})) WHERE {rows} AND ({gap}) IS NOT NULL",
        )
        if told >= least and true >= NEARLY_ALL * told:
            return True
    return False
