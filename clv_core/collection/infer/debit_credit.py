"""Money in and out, in two columns or by a column of marks; which of debit and credit is a sale is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from clv_core.collection.engine import TextRow
from clv_core.collection.infer.columns.proposal import MIN_CONFIDENCE, SURE, Proposal, different, filled
from clv_core.collection.infer.event_names import are_event_names
from clv_core.collection.parse.numbers import BELOW
from clv_core.collection.read.derived_columns import LESS, pairs
from clv_core.collection.read.dialect import column_roles
from clv_core.collection.vocabulary.column_names import MISSING
from clv_core.collection.vocabulary.order_statuses import BOOKED, BOOKED_MARKS, MARK_NAMES, PAID_MARKS
from clv_core.columns import AMOUNT, EVENT_TYPE, PURCHASE, RETURN
from clv_core.errors import NeedsAnswer


def with_sides(proposals: Sequence[Proposal], mapping: Mapping[str, str]) -> list[Proposal]:
    """Return the proposals with what came in less what went out as the amount, where no other column is.

    Args:
        proposals: what each column seems to be.
        mapping: canonical name -> source column, as answered; an answered amount remains.
    """
    columns = [item.column for item in proposals]
    for out, into, is_plain in pairs(columns):
        amounts = {item.column for item in proposals if item.canonical == AMOUNT and item.confidence >= MIN_CONFIDENCE}
        if is_plain and AMOUNT not in mapping and into + LESS + out in columns and amounts <= {out, into}:
            remaining = [replace(item, canonical=None) if item.column in amounts else item for item in proposals]
            return _with(remaining, into + LESS + out, AMOUNT)
    return list(proposals)


def ledger_sides(columns: Sequence[str]) -> tuple[str, str] | None:
    """Return the two columns of one amount that either side of a ledger could be the sales of, None without such."""
    made = ((into + LESS + out, out + LESS + into) for out, into, plain in pairs(columns) if not plain)
    return next((both for both in made if set(both) <= set(columns)), None)


def _with(proposals: Sequence[Proposal], column: str, canonical: str) -> list[Proposal]:
    return [
        replace(item, canonical=canonical, confidence=SURE) if item.column == column else item for item in proposals
    ]


PLAIN_PAIRS: Final = tuple(set(pair) for pair in (*BOOKED, ("dr", "cr")))
"""All words of a column of kinds that can only be marks of sides: Credit and Debit, whatever it is called."""
MAX_OTHER_WORDS: Final = 3
"""Words besides the two of a pair: neither side. A guess."""


def with_marks(
    proposals: Sequence[Proposal],
    rows: Sequence[TextRow],
    mapping: Mapping[str, str],
    events: Mapping[str, str],
) -> tuple[list[Proposal], dict[str, str]]:
    """Return the proposals with a column of marks of unsigned amounts as that of events, and the event type of marks.

    Args:
        proposals: what each column seems to be.
        rows: the first rows as text.
        mapping: canonical name -> source column, as answered; an answered event type remains.
        events: event name -> event type, as answered.

    Raises:
        NeedsAnswer: which of debit and credit is a sale is not answered yet.
    """
    event_column = next(
        (item for item in proposals if item.canonical == EVENT_TYPE and item.confidence >= MIN_CONFIDENCE), None
    )
    if EVENT_TYPE in mapping or _are_signed(rows, proposals):
        return list(proposals), {}
    for marked in proposals:
        marks = _marks(marked.column, rows)
        if not marks or (event_column and event_column is not marked and are_event_names(event_column.samples)):
            continue
        out, into, is_plain = marks
        if not is_plain and not {out, into} <= set(events):
            raise NeedsAnswer("which_mark", column=marked.column, first=into, second=out)
        remaining = [replace(item, canonical=None) if item is event_column else item for item in proposals]
        return _with(remaining, marked.column, EVENT_TYPE), {into: PURCHASE, out: RETURN} if is_plain else {}
    return list(proposals), {}


def _marks(column: str, rows: Sequence[TextRow]) -> tuple[str, str, bool] | None:
    """Return the marks of money out and in as spelled in the file, and whether they are unambiguous."""
    is_named = bool(re.search(MARK_NAMES, column.casefold()))
    if not is_named and EVENT_TYPE not in column_roles(column):
        return None
    values = (value for value in reversed(different(rows[::-1], column)) if value)  # the last spelling of each counts
    words = {value.casefold(): value for value in values if value == "-" or value.lower() not in MISSING}
    if not is_named and set(words) not in PLAIN_PAIRS:
        return None
    for out, into in (*PAID_MARKS, *BOOKED_MARKS, *BOOKED):
        if {out, into} <= set(words) and len(words) <= 2 + MAX_OTHER_WORDS:
            return words[out], words[into], (out, into) in PAID_MARKS
    return None


def _are_signed(rows: Sequence[TextRow], proposals: Sequence[Proposal]) -> bool:
    """Return whether amounts have signs of their own."""
    amounts = [item.column for item in proposals if item.canonical == AMOUNT]
    return any(re.search(BELOW, value) for column in amounts for value in filled(rows, column))
