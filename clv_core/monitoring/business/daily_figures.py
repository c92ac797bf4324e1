"""What came on each day of a log: all that the watch on the business reads, by one pass over its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Self

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.rows import order_key
from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CHANNEL, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES, ORDER_ID, PURCHASE
from clv_core.features import Engine

Floats = NDArray[np.float64]

REVENUE, TYPICAL, LINES, ORDERS, BUYERS, ACTIVE, NEW, RETURNING = (
    "revenue", "typical", "lines", "orders", "buyers", "active", "new", "returning",
)  # fmt: skip
EVENTS, CUSTOMERS, MONEY = "events:", "channel:", "revenue:"
"""Before the kind of event: how many came. Before a channel: customers of a day who came through it, and revenue."""

QUERY: Final = f"""
WITH log AS ({{log}}),
parts AS (
    SELECT {CUSTOMER_ID} AS customer, {EVENT_TIME}::DATE AS day, coalesce({EVENT_TYPE}, '') AS kind,
        coalesce(max({CHANNEL}), '') AS channel, count(*) AS n, coalesce(sum({AMOUNT}), 0) AS amount,
        sum(CASE WHEN {AMOUNT} > 0 THEN ln({AMOUNT}) END) AS log, count(*) FILTER ({AMOUNT} > 0) AS priced
    FROM log GROUP BY 1, 2, 3, {order_key(f"{EVENT_TIME}::DATE", ORDER_ID)}),
seen AS (SELECT customer, min(day) AS first FROM parts GROUP BY customer),
cells AS (
    SELECT customer, day, kind, channel, grouping(kind) AS of_all_kinds, grouping(channel) AS of_all_channels,
        sum(n) AS n, count(*) FILTER (kind = '{PURCHASE}') AS orders,
        coalesce(sum(n) FILTER (kind = '{PURCHASE}'), 0) AS lines,
        sum(log) FILTER (kind = '{PURCHASE}') AS log, sum(priced) FILTER (kind = '{PURCHASE}') AS priced,
        coalesce(sum(amount) FILTER (kind IN {MONEY_TYPES}), 0) AS revenue
    FROM parts GROUP BY GROUPING SETS ((customer, day), (customer, day, kind), (customer, day, channel)))
SELECT day, kind, channel, of_all_kinds, of_all_channels, count(*) AS active,
    count(*) FILTER (day = first) AS new, count(*) FILTER (orders > 0) AS buyers, sum(n)::DOUBLE AS n,
    sum(orders)::DOUBLE AS orders, sum(lines)::DOUBLE AS lines, sum(lines) * exp(sum(log) / sum(priced)) AS typical,
    sum(revenue)::DOUBLE AS revenue
FROM cells JOIN seen USING (customer) GROUP BY day, kind, channel, of_all_kinds, of_all_channels
ORDER BY ALL
"""
"""``parts`` has one row an order, of other events one a customer, day and kind; ``cells`` sums these over a customer's
day: all of it, by kind, by channel."""


@dataclass(frozen=True, eq=False)
class DailyFigures:
    """Figures of each day; money in the log's currency.

    Args:
        start: first day.
        end: the midnight at which the log ends.
        values: by name, [days] each: ``revenue`` (less returns), ``lines`` (rows of purchases), ``typical`` (these
            times their geometric mean, which no single large amount moves), ``orders``, ``buyers``, ``active``
            (customers with any event), of them ``new`` (first seen that day) and ``returning``; ``events:<kind>``,
            ``channel:<name>`` (its active customers), ``revenue:<channel>``.
    """

    start: date
    end: date
    values: dict[str, Floats]

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Read a dataset."""
        engine = Engine()
        try:
            return cls.of_events(dataset.events(engine.connection), dataset.log_start, dataset.log_end)
        finally:
            engine.close()

    @classmethod
    def of_events(cls, events: ibis.Table, start: date, end: date) -> Self:
        """Read events, a table with the canonical columns."""
        engine: Any = events.get_backend()
        found = engine.raw_sql(QUERY.format(log=ibis.to_sql(events, dialect="duckdb"))).df()
        days = (end - start).days
        place = (found["day"].to_numpy().astype("datetime64[D]") - np.datetime64(start, "D")).astype(np.int64)

        def by_day(rows: NDArray[np.bool_], column: str) -> Floats:
            sums = np.bincount(place[rows], found[column].fillna(0.0).to_numpy(np.float64)[rows], minlength=days)
            return sums.astype(np.float64)

        all_kinds, all_channels = found["of_all_kinds"].to_numpy() == 1, found["of_all_channels"].to_numpy() == 1
        whole = all_kinds & all_channels
        values = {name: by_day(whole, name) for name in (REVENUE, TYPICAL, LINES, ORDERS, BUYERS, ACTIVE, NEW)}
        values[RETURNING] = values[ACTIVE] - values[NEW]
        for kind in _names(found["kind"], ~all_kinds):
            values[EVENTS + kind] = by_day((found["kind"] == kind).to_numpy() & ~all_kinds, "n")
        for channel in _names(found["channel"], ~all_channels):
            of_it = (found["channel"] == channel).to_numpy() & ~all_channels
            values[CUSTOMERS + channel] = by_day(of_it, "active")
            values[MONEY + channel] = by_day(of_it, REVENUE)
        return cls(start, end, values)

    @property
    def days(self) -> int:
        """Length of the log."""
        return (self.end - self.start).days

    def before(self, end: date) -> Self:
        """Return the same as of an earlier midnight."""
        days = (end - self.start).days
        return type(self)(self.start, end, {name: daily[:days] for name, daily in self.values.items()})

    def named(self, prefix: str) -> list[str]:
        """Return what follows a prefix, of every figure that has it, the largest first."""
        found = [name for name in self.values if name.startswith(prefix)]
        return [name[len(prefix) :] for name in sorted(found, key=lambda name: -float(self.values[name].sum()))]

    def date_of(self, day: int) -> date:
        """Return a day by its date."""
        return self.start + timedelta(days=day)


def _names(column: pd.Series, rows: NDArray[np.bool_]) -> list[str]:
    return sorted(name for name in column[rows].dropna().unique() if name)
