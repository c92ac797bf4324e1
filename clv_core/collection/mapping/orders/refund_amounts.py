"""How much was paid back, where a time says that something was: told by a column that is filled beside it alone.

Taken for a refund of everything, an order of which a part was paid back would be lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb

from clv_core.collection.engine import one
from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.columns.proposed import TIME, Proposal
from clv_core.collection.mapping.plan.orders import ended
from clv_core.collection.mapping.states.words import are_words
from clv_core.collection.parse.cell_texts import number_cells
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import fold
from clv_core.collection.vocabulary.order_statuses import PARTLY, REFUNDED, VOID_TIME_NAMES, YES
from clv_core.columns import AMOUNT, EVENT_TYPE, REFUND
from clv_core.errors import Message

JUDGED_ROWS: Final = 20_000
FEWEST: Final = 3
"""Orders with a time of a refund, before what another column has beside these alone is no accident."""
NEARLY_ALL: Final = 0.95
CENT: Final = 0.011


def settle_refund(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: Sequence[Mapping[str, Any]],
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with the one that says how much was paid back, and what is to be said of it.

    It has an amount up to that of the order, less than it at least once, wherever the time of a refund is filled, and
    nothing elsewhere.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        mapping: what the person said of columns.
    """
    found = dict(chosen)
    if AMOUNT not in chosen or {REFUND} & {*chosen, *mapping} or EVENT_TYPE in chosen:
        return found, ()
    times = [column for column in source.columns if of_refunds(column, rows) and column not in chosen.values()]
    others = [item.column for item in proposals if item.money > 0 and item.column not in chosen.values()]
    for time in times:
        back = next((item for item in others if _tells(connection, source, time, item, chosen[AMOUNT])), None)
        if back is not None:
            found[REFUND] = back
            return found, (Message("warning.refund_beside_time", {"column": back, "time": time}),)
    return found, ()


def of_refunds(column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a column has the times of refunds."""
    if VOID_TIME_NAMES.get(fold(column)) != REFUNDED:
        return False
    times = [value for value in filled(rows, column) if any(mark in "123456789" for mark in value)]
    return bool(times) and all(TIME.fullmatch(value) for value in times)


def told_partly(rows: Sequence[Mapping[str, Any]], time: str) -> str:
    """Return the column that says of rows with the time of a refund that only a part was paid back, "" where none does.

    Args:
        rows: the first rows as text.
        time: the column of times of refunds.
    """
    back = [row for row in rows if any(mark in "123456789" for mark in str(row[time] or ""))]
    for column in back[0] if back else ():
        values = filled(back, column)
        flag = PARTLY.search(column) and any(value.lower() in YES for value in values)
        if column != time and (flag or (are_words(values) and any(map(PARTLY.search, values)))):
            return column
    return ""


def _tells(connection: duckdb.DuckDBPyConnection, source: Source, time: str, back: str, amount: str) -> bool:
    told = ended(time, when_filled=True)
    for decimal in ("point", "comma"):
        paid, given = number_cells((amount, back), decimal)
        refunds, within, partly, elsewhere = one(
            connection,
            f"SELECT count(*) FILTER (t), count(*) FILTER (t AND b > 0 AND b <= a + {CENT}),"
            f" count(*) FILTER (t AND b > 0 AND b < a - {CENT}), count(*) FILTER (NOT t AND b <> 0) FROM"
            f" (SELECT {told} AS t, {paid} AS a, abs({given}) AS b FROM {source.relation()} LIMIT {JUDGED_ROWS})",
        )
        if refunds >= FEWEST and within >= NEARLY_ALL * refunds and partly and not elsewhere:
            return True
    return False
