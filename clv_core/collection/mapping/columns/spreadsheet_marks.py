"""What spreadsheets and data frames make of ids on their way: ="0012" that is to stay text, 17850.0 for a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from clv_core.collection.mapping.plan.names import GUARD
from clv_core.collection.parse.id_texts import WHOLE, odd_signs
from clv_core.columns import READ
from clv_core.errors import Message

MIN_FLOATS: Final = 3
"""Different ids of this form, before one such as 1.0 is no name of its own."""
MOST_SIGNS: Final = 5


def guarded(rows: list[dict[str, Any]], chosen: Mapping[str, str]) -> tuple[frozenset[str], tuple[Message, ...]]:
    """Return the canonical columns whose values are all guarded against spreadsheets, and what is to be said.

    Args:
        rows: the first rows as text.
        chosen: canonical name -> source column.
    """

    def all_are(column: str) -> bool:
        values = [str(row[column]) for row in rows if row[column] is not None and str(row[column]).strip()]
        return bool(values) and all(re.match(GUARD, value) for value in values)

    found = {canonical: column for canonical, column in chosen.items() if canonical in READ and all_are(column)}
    said = (Message("warning.guarded", {"columns": list(found.values())}),) if found else ()
    return frozenset(found), said


def float_ids(column: str, rows: list[dict[str, Any]]) -> tuple[bool, tuple[Message, ...]]:
    """Return whether ids are whole numbers written as 17850.0, which are read without the zero, and what is to be said.

    Args:
        column: of customers.
        rows: the first rows as text.
    """
    ids = {str(row[column]).strip() for row in rows if row[column] is not None}
    found = [id_ for id_ in ids if re.fullmatch(WHOLE, id_)]
    whole = len(found) >= min(MIN_FLOATS, len(ids)) > 0
    notes: tuple[Message, ...] = (Message("warning.float_ids", {"column": column}),) if whole else ()
    odd = [signs for signs in map(odd_signs, ids) if signs]
    if odd:
        shown = sorted({sign.encode("unicode_escape").decode() for signs in odd for sign in signs})[:MOST_SIGNS]
        notes += (Message("warning.odd_ids", {"customers": len(odd), "examples": shown}),)
    return whole, notes
