"""Another id that groups the customer's: a person with several devices, an account that was merged into another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from os.path import commonprefix
from typing import Final

from clv_core.collection.engine import name
from clv_core.collection.infer.columns.column_choice import CUSTOMERS, OF_CUSTOMERS
from clv_core.collection.infer.columns.proposal import FRACTIONS, TIME, Proposal
from clv_core.collection.infer.log_table import SEARCHED_ROWS, LogTable
from clv_core.collection.vocabulary.column_names import EMAIL, MISSING, contact_field
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, NeedsAnswer

_VOCABULARY: Final = load_vocabulary()
GROUPS: Final = re.compile(f"(?i){_VOCABULARY.pattern('customer_ids', 'groups')}")
"""What the name of a column whose ids group customers may hold, besides the names of customers."""
MERGED: Final = re.compile(f"(?i){_VOCABULARY.pattern('customer_ids', 'merged')}")
"""What one holds that is filled for ids alone that became another one's."""
ABOUT: Final = re.compile(f"(?i){_VOCABULARY.pattern('customer_ids', 'about')}")
"""What the name of a column holds that describes customers by letters and digits."""
ENDS: Final = re.compile(f"(?i)(?:{_VOCABULARY.pattern('customer_ids', 'ends')})s?$")
"""What the name of an id ends with; numbers under another one may be a score, an income or an age."""
ID: Final = re.compile(r"(?=.*\d)[^\s,;]{2,64}|[^@\s]+@[^@\s]+")
CODE: Final = re.compile(r"[0-9a-fA-F-]{16,}")
"""Ids that are long numbers drawn by chance, with hyphens or without."""
MIN_RETURNING: Final = 20
"""Ids in several rows, each with one value of the other column, before that is no accident. A guess."""
MIN_GROUPS: Final = 5
"""Values of the other column that several ids have, at least. A guess."""
MIN_PEOPLE, MAX_PEOPLE = 0.4, 0.95
"""Their number, as a share of the ids': cities, sales representatives and accounts of many users are fewer, another id
of each is as many. Guesses; one of the bench's 284 logs needs the rule (``tests/bench/results/detectors.md``)."""


def ask_grouped_ids(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Ask who the customer is where each id belongs to one value of another column that looks like an id too.

    Args:
        log: the file.
        column_of: canonical name -> source column.

    Raises:
        NeedsAnswer: there is such a column, which has fewer values.
    """
    customer = next(item for item in log.proposals if item.column == column_of[CUSTOMER_ID])
    used = set(column_of.values())
    if CUSTOMER_ID in log.answers.mapping or not customer.samples:
        return dict(column_of), ()
    for item in log.proposals:
        if item.column in used or item.canonical not in (None, CUSTOMER_ID) or item.never_repeats:
            continue
        if not _are_ids(item) or not (_is_named(item) or _have_same_form(customer, item)):
            continue
        ids, people, groups = _counts(log, customer.column, item.column)
        if groups >= MIN_GROUPS and MIN_PEOPLE * ids <= people <= MAX_PEOPLE * ids:
            merged = f"{item.column} | {customer.column}" if MERGED.search(item.column) else item.column
            params = {"column": customer.column, "other": merged, "ids": ids, "people": people}
            raise NeedsAnswer("customers_grouped", canonical=CUSTOMER_ID, columns=[merged, customer.column], **params)
    return dict(column_of), ()


def _counts(log: LogTable, column: str, other: str) -> tuple[int, int, int]:
    """Return how many ids there are, how many people they are by another column, and how many of these have several.

    All are 0 where an id has several values of the column, or few ids have several rows.

    ``cells`` reads both columns of the first rows, ``ids`` groups them by id, ``people`` groups the ids by person.
    """
    value = f"nullif(trim({name(other)}), '')"
    if MERGED.search(other):
        value = f"coalesce({value}, trim({name(column)}))"
    cells = f"SELECT nullif(trim({name(column)}), '') AS id, {value} AS person FROM {log.first(SEARCHED_ROWS)}"
    ids = (
        "SELECT count(*) AS rows, count(DISTINCT person) AS several, min(person) AS person"
        f" FROM ({cells}) WHERE id IS NOT NULL GROUP BY id"
    )
    people = f"SELECT count(*) AS ids FROM ({ids}) GROUP BY person"
    every, returning, parted, blank = log.fetch_one(
        "SELECT count(*), count(*) FILTER (rows > 1), count(*) FILTER (several > 1), count(*) FILTER (several = 0)"
        f" FROM ({ids})"
    )
    if returning < MIN_RETURNING or parted or blank:
        return 0, 0, 0
    persons, groups = log.fetch_one(f"SELECT count(*), count(*) FILTER (ids > 1) FROM ({people})")
    return int(every), int(persons), int(groups)


def _is_named(item: Proposal) -> bool:
    """Return whether a column is called one of customers or of groups of them, and as an id where it holds numbers."""
    is_called = any(pattern.search(item.column) for pattern in (CUSTOMERS, GROUPS, MERGED))
    are_numbers = all(map(str.isdecimal, item.samples))
    return item.canonical == CUSTOMER_ID or (is_called and (not are_numbers or bool(ENDS.search(item.column))))


def _are_ids(item: Proposal) -> bool:
    """Return whether a column's values may be ids: no money, no times, no names of people or places."""
    values = [value for value in item.samples if value.lower() not in MISSING]
    is_about = any(pattern.search(item.column) for pattern in (ABOUT, OF_CUSTOMERS))
    if not values or item.money >= FRACTIONS or is_about or contact_field(item.column) not in (None, EMAIL):
        return False
    return all(map(ID.fullmatch, values)) and not any(map(TIME.fullmatch, values))


def _have_same_form(customer: Proposal, other: Proposal) -> bool:
    """Return whether the values of two columns are ids of one form: one prefix, or long codes of one length."""
    pairs = product(customer.samples, other.samples)
    if all(CODE.fullmatch(value) for value in (*customer.samples, *other.samples)):
        return all(len(first) == len(second) for first, second in pairs)
    start = commonprefix([*customer.samples, *other.samples])
    return bool(re.match(r"[^\W\d_]", start)) and all(map(re.compile(r"[^\W\d_]{1,8}[\W_]?\d").match, other.samples))
