"""Which side of a ledger holds its sales: debit and credit say so only with the words that stand beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from clv_core.collection.mapping.columns.proposed import ENOUGH, SURE, Proposal
from clv_core.collection.mapping.kinds.documents import MEANT
from clv_core.collection.mapping.states.meanings import meaning_of
from clv_core.collection.mapping.states.words import FEW
from clv_core.collection.read.derived_columns import LESS, pairs
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, fold
from clv_core.collection.vocabulary.order_statuses import REFUNDED, SOLD
from clv_core.collection.vocabulary.row_types import PAYMENTS
from clv_core.columns import AMOUNT, PURCHASE, RETURN
from clv_core.errors import Message

FEWEST: Final = 3
"""Rows whose words say on which side their amounts stand, before that is no accident."""
NEARLY_ALL: Final = 0.95


def with_sides(
    proposals: Sequence[Proposal], rows: Sequence[Mapping[str, Any]], mapping: Mapping[str, str]
) -> tuple[list[Proposal], tuple[Message, ...]]:
    """Return the proposals with the amount that is made of two columns, where no other one is, and what is to be said.

    Args:
        proposals: what each column seems to be.
        rows: the first rows as text.
        mapping: what the person said of columns; an amount that was said stays.
    """
    found = list(proposals)
    columns = [item.column for item in found]
    for out, into, plain in pairs(columns):
        sides, made = {out, into}, (into + LESS + out, out + LESS + into)
        others = [item for item in found if item.canonical == AMOUNT and item.confidence >= ENOUGH]
        if AMOUNT in mapping or made[0] not in columns or any(item.column not in sides for item in others):
            continue
        best = made[0] if plain else _told(rows, columns, out, into)
        if best:
            found = [replace(item, canonical=None) if item in others else item for item in found]
            found = [
                replace(item, canonical=AMOUNT, confidence=SURE) if item.column == best else item for item in found
            ]
            more, less = best.split(LESS, 1)
            code = "warning.sides_plain" if plain else "warning.sides_told"
            other = made[1] if best == made[0] else made[0]
            return found, (Message(code, {"column": more, "less": less, "other": other}),)
    return found, ()


def both_ways(columns: Sequence[str]) -> tuple[str, str] | None:
    """Return the two columns of one amount that either side of a ledger could be the sales of, None without such."""
    made = ((into + LESS + out, out + LESS + into) for out, into, plain in pairs(columns) if not plain)
    return next((both for both in made if set(both) <= set(columns)), None)


def _told(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], out: str, into: str) -> str:
    """Return the amount whose sales stand where a column's words say, "" where none does or they contradict."""
    for column in columns:
        words = {str(row[column]).strip() for row in rows if row[column] is not None}
        kinds = {word: _kind(word) for word in words} if 0 < len(words) <= FEW else {}
        if not any(kinds.values()):
            continue
        votes = {into: 0, out: 0}
        for row in rows:
            kind = kinds.get(str(row[column]).strip()) if row[column] is not None else None
            side = next((one for one in (out, into) if any(mark in "123456789" for mark in str(row[one] or ""))), None)
            if kind and side:
                votes[side if kind == PURCHASE else into if side == out else out] += 1
        side = max(votes, key=lambda one: votes[one])
        if votes[side] >= FEWEST and votes[side] >= NEARLY_ALL * sum(votes.values()):
            return side + LESS + (out if side == into else into)
    return ""


def _kind(word: str) -> str | None:
    """Return whether a word is one of sales or of returns; a payment may be either side's."""
    key = fold(word)
    if key in PAYMENTS:
        return None
    known = MEANT.get(key) or EVENT_NAMES.get(key)
    if known in (PURCHASE, RETURN):
        return known
    return {SOLD: PURCHASE, REFUNDED: RETURN}.get(meaning_of(word) or "")
