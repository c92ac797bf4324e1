"""Trackers tell of an order by several amounts, and of its refund by one: then that one is the amount of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.columns.money import NAMED
from clv_core.collection.mapping.columns.proposed import Proposal
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, fold
from clv_core.columns import AMOUNT, EVENT_TYPE, PURCHASE, RETURN
from clv_core.errors import Message

FEWEST: Final = 3
"""Returns without the amount, before that is no accident."""


def settle_returns(
    rows: Sequence[Mapping[str, Any]],
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with an amount that returns have too, where the chosen one is blank in all of them.

    Args:
        rows: the first rows as text.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        mapping: what the person said of columns; an amount that was said stays.
    """
    found = dict(chosen)
    if not {AMOUNT, EVENT_TYPE} <= set(chosen) or AMOUNT in mapping:
        return found, ()
    kind, amount = chosen[EVENT_TYPE], chosen[AMOUNT]
    sold, back = ([row for row in rows if _is(row[kind], event)] for event in (PURCHASE, RETURN))
    if len(back) < FEWEST or filled(back, amount):
        return found, ()
    others = [item.column for item in proposals if item.money >= NAMED and item.column not in chosen.values()]
    told = [*sold, *back]
    whole = [column for column in others if len(filled(told, column)) == len(told)]
    if len(whole) != 1:
        return found, ()
    found[AMOUNT] = whole[0]
    params = {"column": amount, "other": whole[0], "rows": len(back)}
    return found, (Message("warning.amount_of_returns", params),)


def _is(event: Any, kind: str) -> bool:
    return event is not None and EVENT_NAMES.get(fold(str(event))) == kind
