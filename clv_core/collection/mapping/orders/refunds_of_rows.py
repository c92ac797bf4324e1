"""Whether what was paid back is said of a whole order, or of each of its rows for itself."""

from __future__ import annotations

from typing import Final

import duckdb

from clv_core.collection.engine import V, one
from clv_core.collection.mapping.plan.orders import BACK
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.read.source import Source
from clv_core.columns import REFUND

HALF: Final = 0.5


def of_rows(connection: duckdb.DuckDBPyConnection, source: Source, plan: ReadingPlan, key: str) -> bool:
    """Say whether rows of orders tell of different refunds, so that these are to be added up.

    Args:
        connection: the engine.
        source: the file.
        plan: how it is read, each row for itself.
        key: SQL for the text that names a row's order.
    """
    if REFUND not in plan.chosen:
        return False
    several, unlike = one(
        connection,
        f"SELECT count(*), count(*) FILTER ({V}different > 1) FROM (SELECT count(DISTINCT {BACK}) AS {V}different"
        f" FROM {plan.judged(source.relation())} WHERE {key} IS NOT NULL AND {V}{REFUND} IS NOT NULL"
        f" GROUP BY {key} HAVING count(*) > 1 AND max({BACK}) > 0)",
    )
    return bool(several and unlike >= HALF * several)
