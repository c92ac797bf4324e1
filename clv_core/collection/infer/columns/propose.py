"""Which source column is which canonical column, proposed from names and values, with a confidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from clv_core.collection.engine import TextRow
from clv_core.collection.infer.columns.by_name import by_name, share
from clv_core.collection.infer.columns.proposal import (
    LIKELY,
    MOST_SAMPLES,
    SURE,
    TIME,
    Proposal,
    different,
    money_likelihood,
)
from clv_core.collection.infer.customers import masked, rank
from clv_core.collection.infer.event_names import settles
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, MISSING, fold
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.collection.vocabulary.order_statuses import NEITHER, ROW_TYPE_COLUMNS, ROW_TYPE_NOUNS
from clv_core.columns import CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_STATUS, PURCHASE, READ, RETURN
from clv_core.errors import UsageError

MAX_KINDS: Final = 12


def _by_documents(proposals: list[Proposal], rows: Sequence[TextRow]) -> list[Proposal]:
    """Propose the column of kinds that holds a ledger's documents, payments beside invoices."""
    for at, item in enumerate(proposals):
        could_be = item.canonical in (None, EVENT_TYPE, ORDER_STATUS) and item.confidence < 1
        if not (could_be and fold(item.column) in ROW_TYPE_COLUMNS):
            continue
        words = set(different(rows, item.column))
        if len(words) <= MAX_KINDS and settles(words):
            others = [
                replace(one, canonical=None, confidence=0.0)
                if one.canonical == EVENT_TYPE and one.confidence <= SURE
                else one
                for one in proposals
            ]
            found = replace(item, canonical=EVENT_TYPE, confidence=SURE)
            return [*others[:at], found, *others[at + 1 :]]
    return proposals


def _by_kind(proposals: list[Proposal]) -> list[Proposal]:
    """Propose the column whose words tell sales from returns, where no name says what kind a row is of."""
    if any(item.canonical == EVENT_TYPE or fold(item.column) in ROW_TYPE_COLUMNS for item in proposals):
        return proposals
    for at, item in enumerate(proposals):
        words = set(map(fold, item.samples)) if len(item.samples) < MOST_SAMPLES else set()
        if (
            item.canonical is None
            and words - NEITHER <= ROW_TYPE_NOUNS
            and {EVENT_NAMES.get(word) for word in words - NEITHER} == {PURCHASE, RETURN}
        ):
            return [*proposals[:at], replace(item, canonical=EVENT_TYPE, confidence=LIKELY), *proposals[at + 1 :]]
    return proposals


BY_VALUES: Final = 0.5
ENOUGH_IDS: Final = 20
"""So many different ids, and no repetition, are those of orders rather than of customers."""
TIME_NAME: Final = re.compile(f"(?i)(?:{load_vocabulary().pattern('dates', 'time_columns')})$")


def propose(columns: tuple[str, ...], rows: Sequence[TextRow], answers: Mapping[str, str]) -> list[Proposal]:
    """Return one proposal a source column, in file order.

    Args:
        columns: source columns.
        rows: sample rows as text.
        answers: canonical name -> source column, as the person said; they outrank everything. An empty column says that
            there is none: what would be taken for it stays an extra.

    Raises:
        UsageError: an answer names a canonical or a source column that there is not, or two name one source column.
    """
    answered = _answers(columns, answers)
    proposals: list[Proposal] = []
    for column in columns:
        cells = [cell for row in rows if (cell := row.get(column)) is not None]
        texts = {cell: str(cell).strip() for cell in dict.fromkeys(cells)}
        said = {cell: text for cell, text in texts.items() if text.lower() not in MISSING}
        values = [said[cell] for cell in cells if cell in said]
        samples = tuple(islice(dict.fromkeys(value[:80] for value in said.values()), MOST_SAMPLES))
        canonical, confidence = answered.get(column), 1.0
        if canonical is None:
            canonical, confidence = by_name(column, values)
        if canonical in answers and column not in answered:
            canonical, confidence = None, 0.0
        hidden = canonical == CUSTOMER_ID and confidence < 1 and masked(values)
        if hidden:
            canonical, confidence = None, 0.0
        filled, distinct = len(values), len(set(values))
        never_repeats = ENOUGH_IDS <= filled == distinct
        money = money_likelihood(column, values)
        weaker = rank(column, values) if canonical == CUSTOMER_ID else 0
        item = Proposal(column, canonical, confidence, samples, never_repeats, money, hidden, weaker, filled, distinct)
        proposals.append(item)
    proposals = _by_values(proposals, rows)
    return proposals if EVENT_TYPE in answers else _by_kind(_by_documents(proposals, rows))


def _answers(columns: tuple[str, ...], answers: Mapping[str, str]) -> dict[str, str]:
    known = {column.lower(): column for column in columns}
    result: dict[str, str] = {}
    for canonical, column in answers.items():
        if canonical not in READ:
            raise UsageError("map_canonical", canonical=canonical[:60], known=list(READ))
        if not column:
            continue
        source = column if column in columns else known.get(column.strip().lower())
        if source is None:
            raise UsageError("map_column", canonical=canonical, column=column[:60], found=list(columns[:40]))
        if source in result:
            raise UsageError("map_twice", column=source[:60], first=result[source], second=canonical)
        result[source] = canonical
    return result


def _by_values(proposals: list[Proposal], rows: Sequence[TextRow]) -> list[Proposal]:
    """Propose the one column that looks like times, where no name says so.

    With the confidence of a guess; where its name ends like a time's, it is likely.
    """
    if any(item.canonical == EVENT_TIME for item in proposals) or not rows:
        return proposals
    timely = [item for item in proposals if item.canonical is None and item.samples]
    timely = [item for item in timely if share(TIME, list(item.samples)) == 1]
    named = [item for item in timely if TIME_NAME.search(item.column)]
    found, confidence = (named, LIKELY) if named else (timely, BY_VALUES)
    if len(found) != 1:
        return proposals
    return [
        replace(item, canonical=EVENT_TIME, confidence=confidence) if item is found[0] else item for item in proposals
    ]
