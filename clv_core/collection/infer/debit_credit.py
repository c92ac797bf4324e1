"""Which side of an account holds its sales: of two columns of amounts, or by a mark beside one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from clv_core.collection.infer.columns.proposal import ENOUGH, SURE, Proposal, filled
from clv_core.collection.infer.event_names import MEANT, are_event_names
from clv_core.collection.infer.state_words import FEW, meaning_of
from clv_core.collection.parse.numbers import BELOW
from clv_core.collection.read.derived_columns import LESS, pairs
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, LIKELY_NAMES, MISSING, SURE_NAMES, fold
from clv_core.collection.vocabulary.order_statuses import REFUNDED, SOLD
from clv_core.collection.vocabulary.row_types import BOOKED, BOOKED_MARKS, MARK_NAMES, PAID_MARKS, PAYMENTS
from clv_core.columns import AMOUNT, EVENT_TYPE, PURCHASE, RETURN
from clv_core.errors import Message, NeedsAnswer

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


PLAIN_PAIRS: Final = tuple(set(pair) for pair in (*BOOKED, ("dr", "cr")))
"""All words of a column of kinds that can only be marks of sides: Credit and Debit, whatever it is called."""
OTHERS: Final = 3
"""Words beside the two of a pair: neither side."""


def with_marks(
    proposals: Sequence[Proposal],
    rows: Sequence[Mapping[str, Any]],
    mapping: Mapping[str, str],
    events: Mapping[str, str],
) -> tuple[list[Proposal], dict[str, str], tuple[Message, ...]]:
    """Return the proposals with such a column as that of events, what its words mean, and what is to be said.

    Args:
        proposals: what each column seems to be.
        rows: the first rows as text.
        mapping: what the person said of columns; an event type that was said stays.
        events: what the person said of events: event name -> event type.

    Raises:
        NeedsAnswer: the words do not say which side is that of sales.
    """
    found = list(proposals)
    if EVENT_TYPE in mapping:
        return found, {}, ()
    known = next((item for item in found if item.canonical == EVENT_TYPE and item.confidence >= ENOUGH), None)
    for item in found:
        sides = _sides(item.column, filled(rows, item.column))
        if sides is None or _signed(rows, found) or (known and known is not item and are_event_names(known.samples)):
            continue
        out, into, plain = sides
        if not plain and not {out, into} <= set(events):
            raise NeedsAnswer("which_mark", column=item.column, first=into, second=out)
        found = [replace(other, canonical=None) if other is known else other for other in found]
        found = [
            replace(other, canonical=EVENT_TYPE, confidence=SURE) if other.column == item.column else other
            for other in found
        ]
        if not plain:
            return found, {}, ()
        params = {"column": item.column, "first": into, "second": out}
        return found, {into: PURCHASE, out: RETURN}, (Message("warning.side_marks", params),)
    return found, {}, ()


def _sides(column: str, values: Sequence[str]) -> tuple[str, str, bool] | None:
    """Return the words of what went out and came in as they stand in the file, and whether they say which is which."""
    words = {value.casefold(): value for value in values if value == "-" or value.lower() not in MISSING}
    if not re.search(MARK_NAMES, column.casefold()) and not (_of_kinds(column) and set(words) in PLAIN_PAIRS):
        return None
    for marks, plain in ((PAID_MARKS, True), ((*BOOKED_MARKS, *BOOKED), False)):
        for out, into in marks:
            if {out, into} <= set(words) and len(words) <= 2 + OTHERS:
                return words[out], words[into], plain
    return None


def _of_kinds(column: str) -> bool:
    return EVENT_TYPE in (SURE_NAMES.get(fold(column)), LIKELY_NAMES.get(fold(column)))


def _signed(rows: Sequence[Mapping[str, Any]], proposals: Sequence[Proposal]) -> bool:
    """Say whether amounts have signs of their own."""
    amounts = [item.column for item in proposals if item.canonical == AMOUNT]
    return any(re.search(BELOW, value) for column in amounts for value in filled(rows, column))
