"""One source column for each canonical one: the best of several, or a question."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from clv_core.collection.mapping.columns.proposed import CERTAIN, ENOUGH, SLIGHTLY, SURE, Proposal
from clv_core.collection.mapping.proposals.asking import ask_missing, likely_customer
from clv_core.collection.mapping.proposals.by_name import UNIT, last_key
from clv_core.collection.vocabulary.column_names import CURRENCY, PREFERRED_NAMES, PRICE, fold
from clv_core.columns import (
    AMOUNT,
    CATEGORY,
    CUSTOMER_ID,
    DISCOUNT,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    ORDER_STATUS,
    PRODUCT_ID,
    QUANTITY,
    READ,
    REFUND,
    UNIT_PRICE,
)
from clv_core.errors import Message, NeedsAnswer

IDENTITY: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT)
MAKERS: Final = (QUANTITY, UNIT_PRICE, DISCOUNT)
"""Columns that the amount is made from where there is none."""
SHARED: Final = (ORDER_ID, PRODUCT_ID, CATEGORY)
"""What several rows have in common: a column that never repeats numbers the rows."""
NEARLY: Final = SLIGHTLY + 1e-9
ONE_INSTANT: Final = frozenset(map(fold, ("timestamp", "time_stamp", "datetime", "date_time", "ts")))
"""Names by which a record tells one instant in two ways: in seconds, and in words."""


def choose(proposals: list[Proposal], file: str) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return canonical -> source column, and what is to be said about it.

    Raises:
        NeedsAnswer: two columns are equally good, or none is good enough.
        Refused: there is nothing that could be an amount.
    """
    chosen: dict[str, str] = {}
    notes: list[Message] = []
    for canonical in [*READ, PRICE, CURRENCY]:
        tied = _likeliest(canonical, proposals)
        if not tied or tied[0].confidence < ENOUGH:
            continue
        best = tied[0] if len(tied) == 1 else preferred(canonical, tied)
        if best is None and canonical in (IDENTITY if AMOUNT in chosen else (*IDENTITY, *MAKERS)):
            names = [item.column for item in tied]
            raise NeedsAnswer("two_columns", canonical=canonical, columns=names, first=tied[0].column)
        best = best or tied[0]
        chosen[canonical] = best.column
        if canonical not in READ:
            continue  # a price has its own note once it is settled whose it is
        if len(tied) > 1:
            others = [item.column for item in tied if item is not best]
            params = {"canonical": canonical, "column": best.column, "others": others}
            notes.append(Message("warning.one_of_several", params))
        elif best.confidence < CERTAIN:
            params = {"canonical": canonical, "column": best.column}
            notes.append(Message("warning.mapped_by_guess", params))
    own = next((item for item in proposals if item.column == chosen.get(CUSTOMER_ID)), None)
    if own is not None and own.never_repeats and own.confidence < SURE and fold(own.column) == "id":
        del chosen[CUSTOMER_ID]  # it is one of rows: everybody would have bought once
    if own is not None and not own.samples and own.confidence < 1 and likely_customer(proposals):
        del chosen[CUSTOMER_ID]  # nobody is named there, and another column may do so
    _order_by_row(proposals, chosen)
    ask_missing(proposals, chosen, file)
    return chosen, tuple(notes)


def taken(proposals: list[Proposal]) -> list[Proposal]:
    """Return the proposals with one column for each canonical one, others as extras; several where nothing tells."""
    found = list(proposals)
    for canonical in [*READ, PRICE, CURRENCY]:
        tied = _likeliest(canonical, proposals)
        best = preferred(canonical, tied) if len(tied) > 1 else None
        stay = tied if best is None else [best]
        found = [
            replace(item, canonical=None, confidence=0.0)
            if item.canonical == canonical and not any(item is other for other in stay)
            else item
            for item in found
        ]
    return found


def _order_by_row(proposals: list[Proposal], chosen: dict[str, str]) -> None:
    """Take a column that is only called an id for that of orders, where no other is and each row is one order."""
    if ORDER_ID in chosen or EVENT_TYPE in chosen or not {ORDER_STATUS, REFUND} & set(chosen):
        return
    ids = [item for item in proposals if fold(item.column) == "id" and item.never_repeats]
    if len(ids) == 1 and ids[0].column not in chosen.values():
        chosen[ORDER_ID] = ids[0].column


def _likeliest(canonical: str, proposals: list[Proposal]) -> list[Proposal]:
    """Return the columns that are most likely a canonical one, a unit in a name aside, in file order.

    A blank one counts only where the others are blank too.
    """
    named = [item for item in proposals if item.canonical == canonical]
    named = [item for item in named if item.samples] or named
    confidence = max((item.confidence for item in named), default=0.0)
    return [item for item in named if item.confidence >= confidence - NEARLY]


def preferred(canonical: str, tied: list[Proposal]) -> Proposal | None:
    """Return the one of about equally good columns that is better still, if there is one."""
    tied = [item for item in tied if item.samples] or tied
    if len(tied) == 1:
        return tied[0]
    if canonical == CUSTOMER_ID:
        tied = [item for item in tied if not item.never_repeats]
        tied = [item for item in tied if len(item.samples) == max(len(other.samples) for other in tied)]
        columns = [item.column for item in tied]
        tied = [item for item in tied if item.rank == min(other.rank for other in tied) and item.same_as not in columns]
        return tied[0] if len(tied) == 1 else None
    if canonical == EVENT_TIME and {fold(last_key(item.column)) for item in tied} <= ONE_INSTANT:
        return tied[0]
    if canonical in SHARED:
        tied = [item for item in tied if not item.never_repeats] or tied
    named = {fold(last_key(UNIT.sub("", item.column))): item for item in reversed(tied)}
    known = next((named[known] for known in PREFERRED_NAMES.get(canonical, ()) if known in named), None)
    surest = [item for item in tied if item.confidence == max(other.confidence for other in tied)]
    return known or (surest[0] if len(surest) == 1 else None)
