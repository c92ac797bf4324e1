"""What the rows of a log amount to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import fetch, file_text, local_time, one
from clv_core.collection.infer.plan.reading_plan import is_total
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID, PURCHASE, RETURN
from clv_core.jobs import Progress
from clv_core.records import JsonObject

TOTAL_OFF: Final = 0.01
"""The share by which rows of totals may miss the sum of the others, which those of months and of all hold twice."""


@dataclass(frozen=True)
class LogSummary:
    """Sums over the kept rows.

    Args:
        rows: kept rows.
        customers: distinct customers.
        orders: orders (:func:`order_key`).
        purchases: purchase rows, which people know as lines.
        returns: return rows.
        first_event: earliest event, UTC.
        last_event: latest event, UTC.
        log_start: local date of the first event.
        log_end: first local midnight after the last event.
        net_revenue: purchases and returns, to the cent.
        event_types: rows by event type.
        example_customer: one customer id.
    """

    rows: int
    customers: int
    orders: int
    purchases: int
    returns: int
    first_event: datetime
    last_event: datetime
    log_start: date
    log_end: date
    net_revenue: float
    event_types: dict[str, int]
    example_customer: str

    @classmethod
    def empty(cls, last: datetime) -> LogSummary:
        """Return the sums of a file that holds only voided orders; it ends at their last one."""
        return cls(0, 0, 0, 0, 0, last, last, last.date(), last.date(), 0.0, {}, "")

    def recorded(self) -> JsonObject:
        """Return what a manifest records of the kept rows, by its fields' names."""
        return {
            "rows_kept": self.rows,
            "customers": self.customers,
            "orders": self.orders,
            "purchases": self.purchases,
            "first_event": self.first_event.isoformat(timespec="seconds") + "Z",
            "last_event": self.last_event.isoformat(timespec="seconds") + "Z",
            "log_start": self.log_start.isoformat(),
            "log_end": self.log_end.isoformat(),
            "net_revenue": self.net_revenue,
            "event_types": self.event_types,
        }


def order_key(day: str, order_id: str = ORDER_ID) -> str:
    """Return SQL for what identifies an order of one customer, two columns: the order id, without one the day.

    An order is what a customer bought under one order id, on whatever days; purchases without an id are one a day.

    Args:
        day: SQL of the local day.
        order_id: SQL of the order id, NULL or blank where there is none.
    """
    return f"coalesce({order_id}, ''), CASE WHEN coalesce({order_id}, '') = '' THEN {day} END"


def summarize(connection: duckdb.DuckDBPyConnection, events: Path, timezone: str, progress: Progress) -> LogSummary:
    """Return the sums of a Parquet file of events; money is added in decimals, so that it is exact to the cent."""
    file = file_text(events)
    first, last = (f"{local_time(f'{edge}({EVENT_TIME})', timezone)}::DATE" for edge in ("min", "max"))
    row = one(
        connection,
        f"SELECT count(*), min({EVENT_TIME}), max({EVENT_TIME}), {first}, {last} + 1, sum({AMOUNT}::DECIMAL(38, 6))"
        f" FILTER ({EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}')), any_value({CUSTOMER_ID}) FROM {file}",
    )
    distinct = f"SELECT count(*) FROM (SELECT DISTINCT {CUSTOMER_ID} FROM {file})"
    customers = fetch(connection, distinct, progress, "figures")[0][0]
    columns = {column for column, *_ in connection.execute(f"DESCRIBE FROM {file}").fetchall()}
    order = order_key(f"{local_time(EVENT_TIME, timezone)}::DATE", ORDER_ID if ORDER_ID in columns else "NULL")
    bought = f"SELECT DISTINCT {CUSTOMER_ID}, {order} FROM {file} WHERE {EVENT_TYPE} = '{PURCHASE}'"
    orders = fetch(connection, f"SELECT count(*) FROM ({bought})", progress, "figures")[0][0]
    types = f"SELECT {EVENT_TYPE}, count(*) FROM {file} GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 1000"
    counts = {str(kind): int(rows) for kind, rows in connection.execute(types).fetchall()}
    return LogSummary(
        rows=int(row[0]),
        customers=int(customers),
        orders=int(orders),
        purchases=counts.get(PURCHASE, 0),
        returns=counts.get(RETURN, 0),
        first_event=row[1],
        last_event=row[2],
        log_start=row[3],
        log_end=row[4],
        net_revenue=round(float(row[5] or 0), 2),
        event_types=counts,
        example_customer=str(row[6]),
    )


def has_totals(connection: duckdb.DuckDBPyConnection, events: Path) -> bool:
    """Return whether customers are called totals and have bought about as much as all others together."""
    rows, theirs, rest = one(
        connection,
        "SELECT count(*) FILTER (total), sum(amount) FILTER (total), sum(amount) FILTER (NOT total) FROM"
        f" (SELECT {AMOUNT} AS amount, {is_total(CUSTOMER_ID)} AS total FROM {file_text(events)}"
        f" WHERE {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}'))",
    )
    return bool(rows and rest) and any(abs(theirs - times * rest) <= TOTAL_OFF * abs(rest) for times in (1, 2))
