"""Which column says what kind of row each is: a ledger's documents, sales beside returns; and which one hardly does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from clv_core.collection.mapping.columns.proposed import LIKELY, MOST_SAMPLES, SURE, Proposal
from clv_core.collection.mapping.kinds.documents import of_codes, settles
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, fold
from clv_core.collection.vocabulary.order_statuses import PAID_FLAGS, ROW_TYPE_COLUMNS
from clv_core.collection.vocabulary.row_types import NEITHER, ROW_TYPE_NOUNS
from clv_core.columns import EVENT_TYPE, ORDER_STATUS, PURCHASE, RETURN

MOST_CODES: Final = 12


def of_kinds(proposals: list[Proposal], rows: list[dict[str, Any]], *, told: bool) -> list[Proposal]:
    """Return the proposals with the column of kinds that no name tells.

    Args:
        proposals: by names and values, one a column.
        rows: sample rows as text.
        told: whether the person said which column holds the kinds.
    """
    found = proposals if told else _by_kind(_by_codes(proposals, rows))
    return _paid_visits(found, rows)


def _by_codes(proposals: list[Proposal], rows: list[dict[str, Any]]) -> list[Proposal]:
    """Propose the column of a ledger's documents: their codes (SI and SC, F2 and G2), or payments beside invoices.

    A column of codes may be called anything; one of words is one of kinds.
    """
    for at, item in enumerate(proposals):
        words = {str(row[item.column]).strip() for row in rows if row.get(item.column) is not None}
        if item.canonical in (None, EVENT_TYPE, ORDER_STATUS) and item.confidence < 1 and _of_ledger(item, words):
            others = [
                replace(one, canonical=None, confidence=0.0)
                if one.canonical == EVENT_TYPE and one.confidence <= SURE
                else one
                for one in proposals
            ]
            found = replace(item, canonical=EVENT_TYPE, confidence=SURE)
            return [*others[:at], found, *others[at + 1 :]]
    return proposals


def _paid_visits(proposals: list[Proposal], rows: list[dict[str, Any]]) -> list[Proposal]:
    """Propose no state where a log of behaviour says of each event whether its visit was paid for."""
    events = [item.column for item in proposals if item.canonical == EVENT_TYPE]
    kinds = {EVENT_NAMES.get(fold(str(row[column]))) for column in events for row in rows if row.get(column)}
    if not kinds - {PURCHASE, RETURN, None}:
        return proposals
    return [
        replace(item, canonical=None, confidence=0.0)
        if item.canonical == ORDER_STATUS and item.confidence < 1 and fold(item.column) in PAID_FLAGS
        else item
        for item in proposals
    ]


def _of_ledger(item: Proposal, words: set[str]) -> bool:
    if len(words) > MOST_CODES:
        return False
    return bool(of_codes(words)) or (fold(item.column) in ROW_TYPE_COLUMNS and settles(words))


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
