"""Logs of sessions: a row tells of a visit, and of what was paid where something was. Rows of nothing are views."""

from __future__ import annotations

from typing import Final

import duckdb

from clv_core.collection.engine import T, one
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.read.source import Source
from clv_core.columns import EVENT_TYPE, SESSION_ID
from clv_core.errors import Message

SHARE: Final = 0.2
"""Where fewer rows say nothing of money, amounts are missing rather than visits told."""


def of_visits(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan
) -> tuple[bool, tuple[Message, ...]]:
    """Say whether rows without an amount are visits, and what is to be said of them.

    They are where each row names its session, and many have no amount.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read.
    """
    if EVENT_TYPE in plan.chosen or SESSION_ID not in plan.chosen or not plan.has_money:
        return False, ()
    rows, unnamed, visits = one(
        connection,
        f"SELECT count(*), count(*) FILTER ({T}{SESSION_ID} IS NULL), count(*) FILTER ({plan.nothing_paid})"
        f" FROM {plan.judged(source.relation())}",
    )
    if unnamed or visits < SHARE * rows or visits == rows:
        return False, ()
    return True, (Message("warning.visits", {"rows": visits, "column": plan.chosen[SESSION_ID]}),)
