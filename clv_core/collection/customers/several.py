"""Several rows of one customer: repeats where rows have no date, consistency where they have."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from clv_core.collection.customers.names import TWICE, TYPED
from clv_core.collection.customers.values import Attribute
from clv_core.collection.engine import name, one
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, Refused


def set_twice_aside(connection: duckdb.DuckDBPyConnection, stored: Sequence[str]) -> None:
    """Set rows aside that repeat an id: of equal rows the first stays, of different ones none, as none is surer."""
    same = f"hash(row({', '.join(stored)}))"
    group = f"(PARTITION BY {CUSTOMER_ID}, reason IS NULL)"
    first = f"row_number() OVER (PARTITION BY {CUSTOMER_ID}, reason IS NULL ORDER BY clv_row)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {TYPED} AS SELECT * REPLACE (CASE WHEN reason IS NULL"
        f" AND (clv_first > 1 OR clv_low <> clv_high) THEN '{TWICE}' ELSE reason END AS reason) FROM"
        f" (SELECT *, {first} AS clv_first, min({same}) OVER {group} AS clv_low, max({same}) OVER {group} AS clv_high"
        f" FROM {TYPED})"
    )


def settle_dated(connection: duckdb.DuckDBPyConnection, attributes: Sequence[Attribute]) -> list[Message]:
    """Give each customer one value of every static attribute, and say which dated values cannot be told apart.

    Raises:
        Refused: a static attribute is different in two rows of one customer.
    """
    notes: list[Message] = []
    filled = []
    for attribute in attributes:
        column = name(attribute.name)
        if attribute.dated_by is None:
            varying = connection.execute(
                f"SELECT count(*), min({CUSTOMER_ID}) FROM (SELECT {CUSTOMER_ID} FROM {TYPED} WHERE reason IS NULL"
                f" GROUP BY {CUSTOMER_ID} HAVING count(DISTINCT {column}) > 1)"
            ).fetchone()
            if varying and varying[0]:
                params = {"column": attribute.name, "customers": int(varying[0]), "customer": str(varying[1])[:60]}
                raise Refused("customers_static_varies", **params)
            filled.append(f"max({column}) OVER (PARTITION BY {CUSTOMER_ID}, reason IS NULL) AS {column}")
            continue
        date = name(attribute.dated_by)
        undated = one(
            connection,
            f"SELECT count(*) FROM {TYPED} WHERE reason IS NULL AND {column} IS NOT NULL AND {date} IS NULL",
        )[0]
        if undated:
            params = {"column": attribute.name, "date": attribute.dated_by, "rows": int(undated)}
            notes.append(Message("warning.customers_undated", params))
        torn = one(
            connection,
            f"SELECT count(*) FROM (SELECT 1 FROM {TYPED} WHERE reason IS NULL AND {date} IS NOT NULL"
            f" GROUP BY {CUSTOMER_ID}, {date} HAVING count(DISTINCT {column}) > 1)",
        )[0]
        if torn:
            params = {"column": attribute.name, "date": attribute.dated_by, "cases": int(torn)}
            notes.append(Message("warning.customers_same_day", params))
    if filled:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {TYPED} AS SELECT * REPLACE ({', '.join(filled)}) FROM {TYPED}"
        )
    return notes
