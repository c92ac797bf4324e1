"""What spreadsheets and data frames make of ids on their way: ="0012" that is to stay text, 17850.0 for a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clv_core.collection.mapping.plan.names import GUARD
from clv_core.collection.values.id_texts import WHOLE
from clv_core.columns import READ
from clv_core.errors import Message


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


def float_ids(column: str, rows: list[dict[str, Any]]) -> tuple[Message, ...]:
    """Return what is to be said where ids are whole numbers written as 17850.0, which all are read without the zero.

    Args:
        column: of customers.
        rows: the first rows as text.
    """
    found = any(re.fullmatch(WHOLE, str(row[column]).strip()) for row in rows if row[column] is not None)
    return (Message("warning.float_ids", {"column": column}),) if found else ()
