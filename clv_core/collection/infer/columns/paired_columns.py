"""What some systems write in two columns: a date and its time of day, who paid and who was paid."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clv_core.collection.vocabulary.column_names import MISSING, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import CUSTOMER_ID, EVENT_TIME, PAYEE
from clv_core.errors import Message

CLOCK: Final = re.compile(
    r"\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s*[AaPp]\.?[Mm]\.?)?\s*|\s*\d{1,2}[時时]\s?\d{1,2}分(\s?\d{1,2}秒)?\s*"
)
CLOCK_NAME: Final = re.compile(f"({load_vocabulary().pattern('dates', 'clock_columns')})$")
DATE_ONLY: Final = re.compile(r"[^:時时]*")


def find_clock(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, str]) -> str:
    """Return the column of the time of day, "" where the time's own column has it, or none or several could be it.

    Args:
        columns: source columns.
        rows: sample rows as text.
        chosen: canonical name -> source column.
    """
    if not _all(DATE_ONLY, rows, chosen[EVENT_TIME]):
        return ""
    free = [column for column in columns if column not in chosen.values() and CLOCK_NAME.search(fold(column))]
    found = [column for column in free if _all(CLOCK, rows, column)]
    return found[0] if len(found) == 1 else ""


def paired_column_warnings(chosen: Mapping[str, str], clock: str) -> tuple[Message, ...]:
    """Return what is to be said where two columns are read as one."""
    said = []
    if clock:
        said.append(Message("warning.date_and_clock", {"column": chosen[EVENT_TIME], "other": clock}))
    if PAYEE in chosen:
        said.append(Message("warning.counterparty", {"column": chosen[CUSTOMER_ID], "other": chosen[PAYEE]}))
    return tuple(said)


def _all(pattern: re.Pattern[str], rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    values = [
        str(row[column]) for row in rows if row[column] is not None and row[column].strip().lower() not in MISSING
    ]
    return bool(values) and all(pattern.fullmatch(value) for value in values)
