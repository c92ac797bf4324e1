"""Whether a column of times is that of events, and not a date of the customer, as the day of a registration is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.mapping.columns.proposed import ENOUGH, TIME, Proposal
from clv_core.collection.mapping.customers.ids import JUDGED_ROWS
from clv_core.collection.mapping.proposals.by_values import share
from clv_core.collection.mapping.proposals.choosing import preferred
from clv_core.collection.read.source import Source
from clv_core.columns import CUSTOMER_ID, EVENT_TIME, ORDER_ID
from clv_core.errors import Message, NeedsAnswer

MIN_CUSTOMERS: Final = 10
"""Customers with several orders, before it is no accident that each has one date."""
NEARLY_ALL: Final = 0.95
VARYING: Final = 0.5
"""Share of these customers who have several times in another column, from which on it may be that of events."""


def settle_time(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with a time that differs between a customer's orders, where the one that was taken never does.

    Args:
        connection: the engine.
        source: the file.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        mapping: what the person said of columns.

    Raises:
        NeedsAnswer: several other columns may be that of the time.
    """
    used = set(chosen.values())
    free = [item for item in proposals if item.samples and item.column not in used]
    others = [item for item in free if item.canonical in (None, EVENT_TIME) and share(TIME, list(item.samples)) == 1]
    if EVENT_TIME in mapping or not others:
        return dict(chosen), ()
    column = chosen[EVENT_TIME]
    times = [name(column), *(name(item.column) for item in others)]
    order = f"count(DISTINCT {name(chosen[ORDER_ID])})" if ORDER_ID in chosen else "count(*)"
    each = ", ".join(f"count(DISTINCT {time}) AS t{place}" for place, time in enumerate(times))
    varying = ", ".join(f"count(*) FILTER (t{place} > 1)" for place in range(len(times)))
    customers, own, *rest = one(
        connection,
        f"SELECT count(*), {varying} FROM (SELECT {order} AS orders, {each} FROM (SELECT * FROM {source.relation()}"
        f" LIMIT {JUDGED_ROWS}) GROUP BY {name(chosen[CUSTOMER_ID])}) WHERE orders > 1",
    )
    if customers < MIN_CUSTOMERS or own > (1 - NEARLY_ALL) * customers:
        return dict(chosen), ()
    found = [item for item, several in zip(others, rest, strict=True) if several >= VARYING * customers]
    named = [item for item in found if item.canonical == EVENT_TIME and item.confidence >= ENOUGH] or found
    best = preferred(EVENT_TIME, named) if named else None
    if named and best is None:
        raise NeedsAnswer(
            "two_columns", canonical=EVENT_TIME, columns=[item.column for item in named], first=named[0].column
        )
    if best is None:
        return dict(chosen), ()
    params = {"column": column, "other": best.column, "customers": int(customers)}
    return {**chosen, EVENT_TIME: best.column}, (Message("warning.customer_date", params),)
