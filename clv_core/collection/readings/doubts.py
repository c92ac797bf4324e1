"""What the money of customers seldom does: only rise from purchase to purchase, only flow back, come through one id."""

from __future__ import annotations

from typing import Final

import duckdb

from clv_core.collection.engine import one, text
from clv_core.collection.readings.similar_ids import similar_phones
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, RETURN
from clv_core.errors import Message

JUDGED_ROWS: Final = 200_000
LONG_ENOUGH: Final = 4
"""Purchases of a customer, each larger than the one before it: of amounts as they come, one customer in 24."""
FEWEST: Final = 10
NEARLY_ALL: Final = 0.95
MUCH: Final = 0.03
"""Share of all purchases that comes back from people who never bought, before it is told."""
FEWEST_BACK: Final = 3
CROWD: Final = 20
"""As many customers, and as many times what the next one bought, before one id looks like many people."""
LARGE: Final = 0.05


def doubts(connection: duckdb.DuckDBPyConnection, file: str, column: str) -> list[Message]:
    """Return warnings about amounts and customers that are hardly what they were read as.

    Args:
        connection: the engine.
        file: SQL of the file of kept events.
        column: the source column of amounts; empty where they are made of several.
    """
    found = _running(connection, file, column) + _back_only(connection, file)
    return found + _many_in_one(connection, file) + similar_phones(connection, file)


def _running(connection: duckdb.DuckDBPyConnection, file: str, column: str) -> list[Message]:
    """Return a warning where amounts look like running totals or balances: nearly everybody's only rise."""
    if not column:
        return []
    days = (
        f"SELECT {CUSTOMER_ID} AS person, {EVENT_TIME} AS moment, max({AMOUNT}) AS worth FROM (SELECT * FROM {file}"
        f" WHERE {EVENT_TYPE} = '{PURCHASE}' AND {AMOUNT} > 0 LIMIT {JUDGED_ROWS}) GROUP BY 1, 2"
    )
    steps = f"SELECT person, worth, lag(worth) OVER (PARTITION BY person ORDER BY moment) AS before FROM ({days})"
    people, rising = one(
        connection,
        f"SELECT count(*), count(*) FILTER (rises) FROM (SELECT bool_and(before IS NULL OR worth > before) AS rises"
        f" FROM ({steps}) GROUP BY person HAVING count(*) >= {LONG_ENOUGH})",
    )
    if people < FEWEST or rising < NEARLY_ALL * people:
        return []
    params = {"column": column, "customers": int(people), "rising": int(rising)}
    return [Message("warning.running_totals", params)]


def _back_only(connection: duckdb.DuckDBPyConnection, file: str) -> list[Message]:
    """Return a warning where much flows back to people who never bought anything: suppliers, fees, other accounts."""
    people, back, sold = one(
        connection,
        f"SELECT count(*) FILTER (sold = 0), coalesce(-sum(back) FILTER (sold = 0), 0), coalesce(sum(worth), 0) FROM"
        f" (SELECT count(*) FILTER ({EVENT_TYPE} = '{PURCHASE}') AS sold, sum({AMOUNT}) FILTER ({EVENT_TYPE} ="
        f" '{RETURN}') AS back, sum({AMOUNT}) FILTER ({EVENT_TYPE} = '{PURCHASE}') AS worth FROM {file}"
        f" WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}') GROUP BY {CUSTOMER_ID})",
    )
    if people < FEWEST_BACK or not sold or back < MUCH * sold:
        return []
    params = {"customers": int(people), "amount": float(back), "share": float(back / sold)}
    return [Message("warning.returns_only", params)]


def _many_in_one(connection: duckdb.DuckDBPyConnection, file: str) -> list[Message]:
    """Return a warning where one id bought so much more often than any other that it may stand for many people."""
    lines = connection.execute(
        f"SELECT person, lines, count(*) OVER (), sum(lines) OVER () FROM (SELECT {CUSTOMER_ID} AS person,"
        f" count(*) AS lines FROM {file} WHERE {EVENT_TYPE} = '{PURCHASE}' GROUP BY 1)"
        f" ORDER BY lines DESC, person LIMIT 2"
    ).fetchall()
    if len(lines) < 2 or lines[0][2] < CROWD or lines[0][1] < LARGE * lines[0][3]:
        return []
    person, other, every = str(lines[0][0]), str(lines[1][0]), float(lines[0][3])
    times, second = one(
        connection,
        f"SELECT count(DISTINCT {EVENT_TIME}) FILTER ({CUSTOMER_ID} = {text(person)}),"
        f" count(DISTINCT {EVENT_TIME}) FILTER ({CUSTOMER_ID} = {text(other)}) FROM {file}"
        f" WHERE {EVENT_TYPE} = '{PURCHASE}' AND {CUSTOMER_ID} IN ({text(person)}, {text(other)})",
    )
    if times < CROWD * second:
        return []
    share = int(lines[0][1]) / every
    params = {"customer": person[:40], "purchases": int(times), "next": int(second), "share": share}
    return [Message("warning.many_in_one", params)]
