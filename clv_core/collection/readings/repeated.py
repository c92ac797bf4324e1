"""Whether a file repeats the orders of another, and which lines an order does not have any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from clv_core.collection.engine import one
from clv_core.collection.readings.overlap import POSITION
from clv_core.collection.readings.withdrawn import FILE, ORDER
from clv_core.columns import EVENT_TIME

MOSTLY: Final = 0.5
"""Of a file's lines of orders that the log has, how many the log must hold exactly, if the file repeats them."""
WHOLLY: Final = 0.9
"""Of the orders of two files, how many must have all their lines in the newer, if a line that is not there is gone."""


def repeats(connection: duckdb.DuckDBPyConnection, new: str, old: str) -> bool:
    """Return whether most lines of orders that two files share are exactly the same.

    Args:
        connection: where it runs, with the table ``held`` of the new rows that the log holds exactly.
        new: table expression as :func:`~clv_core.collection.readings.withdrawn.lines_of` gives it.
        old: the same of the log.
    """
    common = f"SELECT * FROM {new} WHERE ({ORDER}) IN (SELECT {ORDER} FROM {old})"
    share = one(connection, f"SELECT avg(({POSITION} IN (FROM held))::INTEGER) FROM ({common})")[0]
    return share is not None and share >= MOSTLY


def dropped(line: Sequence[str], old: str, new: str, out: str) -> str:
    """Return the query of the ``old`` lines whose order, of the same time, is in ``new`` without them.

    They are none where more than a few orders lack a line: one file may hold some lines, and another the rest.

    Args:
        line: columns that make two rows the same line.
        old: table expression as :func:`~clv_core.collection.readings.withdrawn.lines_of` gives it.
        new: the same of the file that ends later.
        out: SQL test whether an old line does not count already.
    """
    key, order = ", ".join((*line, EVENT_TIME)), f"{ORDER}, {EVENT_TIME}"
    common = f"SELECT * FROM {old} WHERE ({order}) IN (SELECT {order} FROM {new})"
    copies = f"row_number() OVER (PARTITION BY {key} ORDER BY {FILE}, {POSITION}) AS clv_copy"
    counted = f"SELECT {key}, count(*) AS clv_named FROM {new} GROUP BY ALL"
    lines = (
        f"SELECT *, clv_copy > coalesce(clv_named, 0) AND NOT ({out}) AS clv_lacks"
        f" FROM (SELECT *, {copies} FROM ({common})) LEFT JOIN ({counted}) USING ({key})"
    )
    orders = f"SELECT NOT bool_or(clv_lacks) AS clv_whole FROM lines GROUP BY {order}"
    share = f"SELECT avg(clv_whole::INTEGER) FROM ({orders})"
    return f"WITH lines AS ({lines}) SELECT * FROM lines WHERE clv_lacks AND ({share}) >= {WHOLLY}"
