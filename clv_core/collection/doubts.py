"""What about a checked file is so unlikely that a person should say yes to it before it is saved.

Every doubt is a warning with its figures. Nothing is refused: a file with twelve customers may be a shop of twelve.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd

from clv_core.collection.engine import connect_memory, file_text, local_time, one
from clv_core.collection.store.manifest import Manifest
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, RETURN
from clv_core.errors import Message

MIN_CUSTOMERS: Final = 20
"""Customers below which a file is rather a piece of one (a guess)."""
MIN_SHARE: Final = 0.5
"""Share of the revenue of one customer, from which on it is rather a counter or a wholesaler (a guess)."""
MIN_TIMES: Final = 10
"""A month's revenue, or a day's, by that of those before it, from which on a unit or a separator is wrong (a guess)."""
MONTHS: Final = (3, 12)
"""Months before a month that it is compared with, at least and at most: fewer than a quarter hold no usual month, and
more than a year ago the shop was another one (guesses)."""
MIN_DAYS: Final = 7
"""Days of a file below which its revenue by day may be that of one good day (a guess)."""
MIN_SPANS: Final = 3
"""Earlier spans without which there is no usual one (a guess)."""
GROWN: Final = 3
"""Revenue of the last span by that of the usual one, from which on the log's past is another shop's (a guess)."""
SINCE_LAST_YEAR: Final = 1.5
"""The same beside the span a year before, where the log has it: a season comes again, growth does not (a guess)."""
YEAR_DAYS: Final = 365
MIN_ROWS: Final = 10
"""First rows of a file of which so many have to be in a dataset before that says anything (a guess)."""
MIN_SHARE_HELD: Final = 0.9
"""Share of the first rows that have to be in a dataset, for the file's rows to be there (a guess)."""


def doubts_of(connection: duckdb.DuckDBPyConnection, events: str, manifest: Manifest) -> tuple[Message, ...]:
    """Return the doubts about a file by itself.

    Args:
        connection: where its rows are.
        events: table or view of its rows, times in the log's zone.
        manifest: what it would become.
    """
    doubts = []
    if 0 < manifest.customers < MIN_CUSTOMERS:
        doubts.append(Message("warning.few_customers", {"customers": manifest.customers}))
    worth = f"FROM {events} WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}')"
    customer, most, total = one(
        connection,
        f"SELECT arg_max(id, worth), max(worth), sum(worth) FROM (SELECT {CUSTOMER_ID} AS id, sum({AMOUNT}) AS worth"
        f" {worth} GROUP BY 1)",
    )
    if total and total > 0 and most >= MIN_SHARE * total:
        params = {"customer": str(customer)[:40], "share": most / total, "amount": most, "total": total}
        doubts.append(Message("warning.half_of_revenue", params))
    doubts += _high_month(connection, worth)
    return tuple(doubts)


def _high_month(connection: duckdb.DuckDBPyConnection, worth: str) -> list[Message]:
    """Return a doubt where the newest month, or the last full one, has many times the revenue of those before it."""
    months: list[tuple[str, float]] = connection.execute(
        f"SELECT strftime({EVENT_TIME}, '%Y-%m'), sum({AMOUNT}) {worth} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    at_least, at_most = MONTHS
    for at in (len(months) - 1, len(months) - 2):
        before = [revenue for _, revenue in months[max(0, at - at_most) : max(0, at)]]
        if len(before) < at_least:
            break
        usual = sorted(before)[len(before) // 2]
        if usual > 0 and months[at][1] >= MIN_TIMES * usual:
            params = {"month": months[at][0], "amount": months[at][1], "usual": usual, "times": months[at][1] / usual}
            return [Message("warning.high_month", params)]
    return []


def turn_of(connection: duckdb.DuckDBPyConnection, events: str, manifest: Manifest, days: int) -> tuple[Message, ...]:
    """Return a warning where the last span of a log is many times the usual one, or a small part of it.

    Args:
        connection: where its rows are.
        events: table or view of its rows, times in the log's zone.
        manifest: what it would become.
        days: length of the spans, counted back from the log's end.
    """
    log_days = _days(manifest)
    rows = connection.execute(
        f"SELECT DATE '{manifest.log_end}' - {EVENT_TIME}::DATE - 1 AS ago, sum({AMOUNT}) FROM {events}"
        f" WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}') GROUP BY 1"
    ).fetchall()
    by_day: dict[int, float] = dict(rows)

    def of_span(first: int) -> float:
        return sum(by_day.get(ago, 0.0) for ago in range(first, first + days))

    last, *earlier = map(of_span, range(0, log_days - days + 1, days))
    usual = sorted(earlier)[len(earlier) // 2] if len(earlier) >= MIN_SPANS else 0.0
    if usual <= 0:
        return ()
    grown, fallen = last >= GROWN * usual, last * GROWN <= usual
    if log_days >= YEAR_DAYS + days:
        year_ago = of_span(YEAR_DAYS)
        grown, fallen = grown and last >= SINCE_LAST_YEAR * year_ago, fallen and last * SINCE_LAST_YEAR <= year_ago
    about = {"days": days, "amount": last, "usual": usual, "times": last / usual}
    return (Message("warning.grown" if grown else "warning.fallen", about),) if grown or fallen else ()


@dataclass(frozen=True)
class Held:
    """How many of a file's first rows a dataset holds already.

    Args:
        rows: first rows that were looked for.
        here: those that it holds.
        renamed: those of the others whose time, type and amount it holds under another customer.
    """

    rows: int
    here: int
    renamed: int

    @property
    def is_here(self) -> bool:
        """Whether the file's rows are there already."""
        return self.rows >= MIN_ROWS and self.here >= MIN_SHARE_HELD * self.rows

    @property
    def is_renamed(self) -> bool:
        """Whether the file's rows are there under other ids."""
        return self.rows >= MIN_ROWS and self.renamed >= MIN_SHARE_HELD * self.rows


def rows_held(first_rows: pd.DataFrame, timezone: str, events: Path) -> Held:
    """Return how many of a checked file's first rows are in a dataset.

    Args:
        first_rows: as in :class:`~clv_core.collection.check.Check`, times in ``timezone``.
        timezone: the file's.
        events: Parquet file of the dataset's rows.
    """
    wanted = first_rows[[CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT]]
    same = f"n.{EVENT_TIME} = o.{EVENT_TIME} AND n.{EVENT_TYPE} = o.{EVENT_TYPE} AND n.{AMOUNT} = o.{AMOUNT}"
    with connect_memory() as connection:
        connection.register("wanted", wanted)
        local = local_time(EVENT_TIME, timezone)
        row = one(
            connection,
            f"WITH olds AS (SELECT {CUSTOMER_ID}, {local} AS {EVENT_TIME}, {EVENT_TYPE}, {AMOUNT}"
            f" FROM {file_text(events)}), news AS (SELECT *, row_number() OVER () AS place FROM wanted),"
            f" found AS (SELECT place, bool_or(n.{CUSTOMER_ID} = o.{CUSTOMER_ID}) AS mine FROM news n"
            f" JOIN olds o ON {same} GROUP BY 1) SELECT count(*) FILTER (mine), count(*) FILTER (NOT mine) FROM found",
        )
    return Held(len(wanted), *row)


def doubts_beside(new: Manifest, held: Held | None, old: Manifest) -> tuple[Message, ...]:
    """Return the doubts about a file beside the dataset that it goes on with.

    Args:
        new: what the file would become.
        held: how much of it the dataset holds; None where its ids cannot be compared.
        old: the dataset's manifest.
    """
    doubts = []
    if held is not None and held.is_renamed:
        about = {"rows": held.renamed, "every": held.rows, "name": old.name}
        doubts.append(Message("warning.rows_renamed", about))
    daily, usual = (item.net_revenue / _days(item) for item in (new, old))
    if _days(new) >= MIN_DAYS and usual > 0 and daily >= MIN_TIMES * usual and new.currency == old.currency:
        params = {"daily": daily, "usual": usual, "times": daily / usual, "name": old.name}
        doubts.append(Message("warning.high_daily", params))
    return tuple(doubts)


def _days(manifest: Manifest) -> int:
    """Return how many days a log covers, at least one."""
    return max(1, (date.fromisoformat(manifest.log_end) - date.fromisoformat(manifest.log_start)).days)
