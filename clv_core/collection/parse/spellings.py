"""The usual spellings of times and numbers, which are read quickly; a column that has others is asked for all of them.

A query that knows every spelling takes a tenth of a second to be understood before it reads a row. So what a sample
shows in usual spellings is first counted by them alone; if the whole table has others, it is counted again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

OTHERWISE: Final = "otherwise"
"""The form of a value that has no usual spelling."""


def are_usual(values: Iterable[object], spelling: re.Pattern[str]) -> bool:
    """Say whether sample values (None where missing) seem to have a usual spelling; the table may yet have others."""
    return all(value is None or spelling.fullmatch(str(value).strip()) for value in values)
