"""What one source column seems to be, how sure that is, and how numbers and times look."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clv_core.collection.parse.currencies import BEHIND, IN_FRONT, SIGNS
from clv_core.collection.parse.numbers import SCALE_WORDS

EXACT: Final = 0.99
SURE: Final = 0.95
CERTAIN: Final = 0.9
"""A likely name, and values that are nothing else; from here on there is nothing to warn of."""

LIKELY: Final = 0.7
SLIGHTLY: Final = 0.01
"""What a name with a unit loses against the bare name."""
ENOUGH: Final = 0.6
"""Below this confidence the person is asked."""

MOST_SAMPLES: Final = 5

NUMBER: Final = re.compile(
    rf"\(?[\s{SIGNS}]*[+-]?(?:[A-Z]{{3}}\s|{IN_FRONT})?[\s{SIGNS}]*[+-]?"
    rf"\d[\d.,' \u00a0]*([eE][+-]?\d+|(?:{SCALE_WORDS})\.?)?(?:\s?{BEHIND}\.?|[\s\w{SIGNS}.]{{0,5}})\)?[-–—]{{0,2}}"
)
TIME: Final = re.compile(
    r"\d{1,4}[-/.年]\s?(\d{1,2}|[A-Za-z]{3,9})[-/.月]\s?\d{1,4}.*|(19|20)\d{6}|1\d{9}(\d{3}){0,3}(\.\d+)?"
    r"|([A-Za-z]{3,9},? )?(\d{1,2}[ /-][A-Za-z]{3,9}[ /-]\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})\b.*"
    r"|(19|20)\d{6}[T ]?\d\d:?\d\d.*|[A-Za-z]{3}-\d{1,2}-\d{2,4}"
    r"|([^\W\d](?:[^\W\d]|[ -])*[.,،]* )?"
    r"\d{1,2}(\.|º|er|st|nd|rd|th)?[ ./-](de )?[^\W\d]{3,12}\.?,?[ ./-](del? )?\d{2,4}\b.*"
    r"|\d{4}[. /-]+[^\W\d]{3,12}[. /-]+\d{1,2}\b.*|(?i:(.* )?\d{1,2},? (tháng|thg\.?) \d{1,2}\b.* \d{4}\b.*)"
    r"|[A-Za-z]{3,9}\.? \d{1,2}(st|nd|rd|th),? \d{4}\b.*"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d .*\d{4}"
    r"|\d{4}\s?년\s?\d{1,2}\s?월.*|\d{1,2} [ก-๏.]{3,12} \d{4}\b.*"
)


@dataclass(frozen=True)
class Proposal:
    """What one source column seems to be.

    Args:
        column: the source column.
        canonical: the canonical column, ``price``, ``currency``, or None for an extra.
        confidence: 0 to 1; 1 where the person said so.
        samples: a few different values.
        never_repeats: whether many values were seen, and none twice.
        money: how much speaks for its holding amounts
            (:func:`~clv_core.collection.infer.columns.money.money_likelihood`).
        masked: whether its name is that of the customer and its values are hidden by stars.
        rank: how much less surely than an id a column of customers says who they are.
        same_as: the column before it that names the same customers, row by row; empty where there is none.
    """

    column: str
    canonical: str | None
    confidence: float
    samples: tuple[str, ...] = ()
    never_repeats: bool = False
    money: float = 0.0
    masked: bool = False
    rank: int = 0
    same_as: str = ""


def filled(rows: Sequence[Mapping[str, Any]], column: str) -> list[str]:
    """Return what stands in a source column, without blanks around it and without blank cells."""
    return [text for row in rows if row[column] is not None and (text := str(row[column]).strip())]
