"""A ledger's documents as events: an invoice is the sale, a credit note takes it back, a payment only settles it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import duckdb

from clv_core.collection.engine import name, text
from clv_core.collection.parse.numbers import BELOW
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, MISSING, fold
from clv_core.collection.vocabulary.row_types import BILLS, CODES, CREDITS, PAYMENTS, RECEIPT, RECEIPT_LINES
from clv_core.columns import PURCHASE, RETURN

MOST: Final = 200
"""A column with more different words is hardly one of kinds of documents."""
MEANT: Final = dict.fromkeys(BILLS, PURCHASE) | dict.fromkeys(CREDITS, RETURN)
PARTS: Final = tuple(map(fold, RECEIPT_LINES.split()))
RECEIPTS: Final = frozenset((fold(RECEIPT), *PARTS))


def of_codes(names: Iterable[str]) -> dict[str, str]:
    """Return what the codes of a ledger's documents are taken for; nothing where they are not all those of one system.

    Args:
        names: all words of a column.
    """
    words = [word for word in names if word.lower() not in MISSING]
    for bills, credits, others in CODES:
        kinds = dict.fromkeys(bills.split(), PURCHASE) | dict.fromkeys(credits.split(), RETURN)
        beside = {code: kind for codes, kind in others.items() for code in codes.split()}
        told = {word: _own(word, {*kinds, *beside}) for word in words}
        both = {kinds.get(code) for code in told.values()} >= {PURCHASE, RETURN}
        if both and set(told.values()) <= {*kinds, *beside}:
            return {word: kinds.get(code) or beside[code] or word for word, code in told.items()}
    return {}


def _own(word: str, kinds: Collection[str]) -> str:
    """Return the code that a word is, or that a shop's own one is a copy of: ZF2 of F2."""
    key = fold(word)
    return key if key in kinds else key.removeprefix("z")


def of_documents(names: Iterable[str]) -> dict[str, str]:
    """Return what a ledger's words for its documents are taken for; nothing where they are not those of one.

    There are invoices among them, and nothing else is called a sale: a payment beside them is no second one, and stays
    an event under its own name, as do the lines of a till's receipts beside these. Where orders or sales stand beside
    invoices, both may be of one sale, and neither is touched.

    Args:
        names: all words of a column of events.
    """
    words = [word for word in names if word.lower() not in MISSING]
    if codes := of_codes(words):
        return codes
    if fold(RECEIPT) in map(fold, words) and PARTS[0] in map(fold, words):
        return {word: PURCHASE if fold(word) == fold(RECEIPT) else word for word in words if fold(word) in RECEIPTS}
    if not any(MEANT.get(fold(word)) == PURCHASE for word in words):
        return {}
    sales = [word for word in words if EVENT_NAMES.get(fold(word)) == PURCHASE and fold(word) not in PAYMENTS]
    if any(fold(word) not in MEANT for word in sales):
        return {}
    meant = {word: MEANT[fold(word)] for word in words if fold(word) in MEANT}
    return meant | {word: word for word in words if fold(word) in PAYMENTS}


def settles(names: Iterable[str]) -> bool:
    """Say whether the words of a column of kinds are those of a ledger with payments beside its invoices.

    Args:
        names: all words of the column.
    """
    meant = of_documents(names)
    return PURCHASE in meant.values() and any(fold(word) in PAYMENTS for word in meant)


def read_documents(connection: duckdb.DuckDBPyConnection, source: Source, column: str, money: str) -> dict[str, str]:
    """Return what the words of a column of events are taken for where it is a ledger whose invoices have amounts.

    Where credit notes stand below zero and refunds above, these only settle those.

    Args:
        connection: the engine.
        source: the file.
        column: of events.
        money: of amounts; empty where there is none.
    """
    word = f"trim({name(column)})"
    priced = f"count(nullif(trim({name(money)}), ''))" if money else "0"
    below = f"count(*) FILTER (regexp_matches({name(money)}, {text(BELOW)}))" if money else "0"
    rows = connection.execute(
        f"SELECT {word}, {priced}, {below} FROM {source.relation()} WHERE {word} IS NOT NULL GROUP BY 1"
        f" LIMIT {MOST + 1}"
    ).fetchall()
    meant = of_documents(str(row[0]) for row in rows) if len(rows) <= MOST else {}
    if not any(row[1] and meant.get(str(row[0])) == PURCHASE for row in rows):
        return {}
    credited = any(row[2] and meant.get(str(row[0])) == RETURN for row in rows)
    paid_back = [str(row[0]) for row in rows if EVENT_NAMES.get(fold(str(row[0]))) == RETURN and not row[2]]
    return meant | {word: word for word in paid_back if credited and word not in meant}
