"""The first rows of a file, as text, before it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def filled(rows: Sequence[Mapping[str, Any]], column: str) -> list[str]:
    """Return what stands in a source column, without blanks around it and without blank cells."""
    return [text for row in rows if row[column] is not None and (text := str(row[column]).strip())]
