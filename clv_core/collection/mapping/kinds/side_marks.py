"""A column that says by Dr and Cr, or by 收入 and 支出, on which side of an account the amount beside it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.columns.proposed import ENOUGH, SURE, Proposal
from clv_core.collection.mapping.kinds.event_names import are_event_names
from clv_core.collection.parse.numbers import BELOW
from clv_core.collection.vocabulary.column_names import LIKELY_NAMES, MISSING, SURE_NAMES, fold
from clv_core.collection.vocabulary.row_types import BOOKED, BOOKED_MARKS, MARK_NAMES, PAID_MARKS
from clv_core.columns import AMOUNT, EVENT_TYPE, PURCHASE, RETURN
from clv_core.errors import Message, NeedsAnswer

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
    for pairs, plain in ((PAID_MARKS, True), ((*BOOKED_MARKS, *BOOKED), False)):
        for out, into in pairs:
            if {out, into} <= set(words) and len(words) <= 2 + OTHERS:
                return words[out], words[into], plain
    return None


def _of_kinds(column: str) -> bool:
    return EVENT_TYPE in (SURE_NAMES.get(fold(column)), LIKELY_NAMES.get(fold(column)))


def _signed(rows: Sequence[Mapping[str, Any]], proposals: Sequence[Proposal]) -> bool:
    """Say whether amounts have signs of their own."""
    amounts = [item.column for item in proposals if item.canonical == AMOUNT]
    return any(re.search(BELOW, value) for column in amounts for value in filled(rows, column))
