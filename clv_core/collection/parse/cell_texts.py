"""The text of a cell, without blanks around it, NULL where it means nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from clv_core.collection.engine import name, text
from clv_core.collection.parse import numbers, time_texts
from clv_core.collection.vocabulary.column_names import MISSING
from clv_core.columns import Kind

INVISIBLE: Final = ("\u200b", "\ufeff", "\u2060")


def cell_text(raw: str, kind: Kind) -> str:
    """Return SQL for the text of a cell of a column of this kind.

    Texts that are plainly something (no blank around them, and no first letter of a word for "nothing") are recognised
    by one quick test; only the others are trimmed and looked up.

    Args:
        raw: SQL for the cell as it is.
        kind: what the column holds.
    """
    missing = ", ".join(text(word) for word in (*MISSING, *INVISIBLE))
    written = time_texts.plain(raw) if kind is Kind.TIME else raw
    slow = (
        f"list_transform([trim({written}, ' \t\u00a0\u3000')], lambda w: CASE WHEN strlen(w) <= 9"
        f" AND lower(w) IN ({missing}) THEN NULL ELSE w END)[1]"
    )
    plain = {Kind.TIME: _plain_time, Kind.NUMBER: numbers.plain, Kind.TEXT: _plain_text}[kind](raw)
    return f"CASE WHEN {raw} IS NULL OR {plain} THEN {raw} ELSE {slow} END"


def number_cells(columns: Iterable[str], decimal: str) -> list[str]:
    """Return SQL for the numbers in some columns of a file.

    Args:
        columns: source columns.
        decimal: ``point`` or ``comma``.
    """
    reading = numbers.NumberReading(decimal)
    return [reading.value(cell_text(name(column), Kind.NUMBER)) for column in columns]


def _plain_time(column: str) -> str:
    """Tell 2024-01-31 10:11:12 and 2024-01-31, which most logs have, by their marks."""
    figures = " AND ".join(f"{column}[{at}] BETWEEN '0' AND '9'" for at in (1, -1))
    date = f"strlen({column}) = 10 AND {column} LIKE '____-__-__' AND {figures}"
    return f"({time_texts.plainest(column)} OR ({date}))"


def _plain_text(column: str) -> str:
    """Tell ASCII texts with no blank around them that cannot be a word for "nothing", by comparisons only."""
    starts = [("0", ":"), ("A", "N"), ("O", "["), ("a", "n"), ("o", "{")]
    first = " OR ".join(f"{column} BETWEEN '{low}' AND '{high}'" for low, high in starts)
    words = "".join(f" AND {column} NOT BETWEEN '{w}e' AND '{w}f'" for w in ("undefin", "Undefin", "UNDEFIN"))
    ends = f" AND NOT ends_with({column}, ' ') AND NOT ends_with({column}, '\t')"
    return f"(({first}) AND strlen({column}) = length({column}){ends}{words})"
