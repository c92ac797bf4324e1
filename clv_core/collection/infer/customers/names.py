"""Which of several columns says best who bought, by their names and by what they hold: an id before a person's name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clv_core.collection.vocabulary.column_names import CUSTOMER_RANKS, fold

MASK: Final = re.compile(r".*(?:[*＊•●]{2}|\w[*＊]|[*＊]\w).*")
"""What stands for letters and digits that an export hides: 138****1234, 张*三, J***n."""
HIDDEN: Final = 0.5
UNIT: Final = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
FULL_NAME: Final = re.compile(r"[^\W\d_][\w.'’-]* [\w.'’ -]*[^\W\d_][\w.'’-]*")
NAMED: Final = 0.8
PLAIN, PERSON = 1, 4
"""Ranks of a column that may hold ids or names, such as ``customer``, and of one of people's names."""


def masked(values: Sequence[str]) -> bool:
    """Say whether most values have stars in place of letters or digits, so that different people look alike."""
    return bool(values) and sum(bool(MASK.fullmatch(value)) for value in values) > HIDDEN * len(values)


def are_full_names(values: Sequence[str]) -> bool:
    """Say whether values are names of people, in two words or more."""
    return bool(values) and sum(bool(FULL_NAME.fullmatch(value)) for value in values) >= NAMED * len(values)


def rank(column: str, values: Sequence[str]) -> int:
    """Return how much less surely than an id, which is 0, a column says who bought.

    Args:
        column: the source column.
        values: some of its values.
    """
    key = fold(column) if fold(column) in CUSTOMER_RANKS else fold(UNIT.sub("", column).rpartition(".")[2])
    found = CUSTOMER_RANKS.get(key, 0)
    return PERSON if found == PLAIN and are_full_names(values) else found


def says_the_same(rows: Sequence[Mapping[str, Any]], one: str, other: str) -> bool:
    """Say whether two columns name the same people: each value of one stands beside one value of the other, and again.

    Args:
        rows: the first rows as text.
        one: a source column.
        other: another one.
    """
    pairs = [(row[one], row[other]) for row in rows if row.get(one) is not None or row.get(other) is not None]
    if any(None in pair for pair in pairs):
        return False
    different = set(pairs)
    ones, others = {pair[0] for pair in different}, {pair[1] for pair in different}
    return 1 < len(different) < len(pairs) and len(ones) == len(others) == len(different)
