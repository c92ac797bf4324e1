"""Whether a column of ids names customers that come back, and not each order's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import name, one
from clv_core.collection.mapping.columns.proposed import SURE, Proposal
from clv_core.collection.mapping.customers.emails import are_emails
from clv_core.collection.read.source import Source
from clv_core.columns import CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID
from clv_core.errors import Message, NeedsAnswer

JUDGED_ROWS: Final = 200_000
FEWEST: Final = 20
"""Orders, before an id that never comes back is strange."""
ONCE: Final = 0.99
"""Ids per order, from here on nobody seems to have bought twice."""
AGAIN: Final = 0.98
FEWEST_AGAIN: Final = 3
FEWEST_IDS: Final = 0.05
"""Ids of the other column per id of the first: fewer are hardly customers, but shops, groups or salespeople."""


def settle_customer(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with a customer that comes back, where the one that was taken never does, and what to say.

    Args:
        connection: the engine.
        source: the file.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        mapping: what the person said of columns.

    Raises:
        NeedsAnswer: another column comes back, and is only likely to be the customer.
    """
    column = chosen[CUSTOMER_ID]
    others = [item for item in proposals if item.canonical == CUSTOMER_ID and item.column != column and item.samples]
    if CUSTOMER_ID in mapping or not others:
        return dict(chosen), ()
    event = name(chosen[EVENT_TIME if EVENT_TYPE in chosen or ORDER_ID not in chosen else ORDER_ID])
    ids = name(column)
    counts = "".join(
        f", count(DISTINCT {other}), count(DISTINCT ({other}, {event})) FILTER ({other} IS NOT NULL),"
        f" count(DISTINCT ({ids}, {other})) FILTER ({ids} IS NOT NULL), count(*) FILTER ({other} IS NULL)"
        for other in (name(item.column) for item in others)
    )
    known, orders, *rest = one(
        connection,
        f"SELECT count(DISTINCT {ids}), count(DISTINCT ({ids}, {event})) FILTER ({ids} IS NOT NULL){counts}"
        f" FROM (SELECT * FROM {source.relation()} LIMIT {JUDGED_ROWS})",
    )
    if orders < FEWEST or known < ONCE * orders:
        return dict(chosen), ()
    for item, at in zip(others, range(0, len(rest), 4), strict=True):
        people, bought, pairs, blank = rest[at : at + 4]
        back = people <= AGAIN * bought and bought - people >= FEWEST_AGAIN
        if not back or blank or pairs != known or people < FEWEST_IDS * known:
            continue
        params = {"column": column, "other": item.column, "ids": known, "orders": orders, "people": people}
        if item.confidence < SURE and not are_emails(item.samples):
            raise NeedsAnswer("customer_once", canonical=CUSTOMER_ID, **params)
        return {**chosen, CUSTOMER_ID: item.column}, (Message("warning.customer_comes_back", params),)
    return dict(chosen), ()
