"""The relations as tables of an engine that is not ours, such as a company's warehouse: only results leave it.

A log's features are a query of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clv_core.errors import Refused
from clv_core.features.behaviour import FEATURES
from clv_core.features.columnar.column import EXACT, MILLIONTHS, Column
from clv_core.features.columnar.rows import Rows
from clv_core.features.expressions import aggregate
from clv_core.features.lines import LARGEST, NUMBERS, Lines, number_lines
from clv_core.features.relations import RELATIONS, SOURCES
from clv_core.features.sequences import ORDER, Steps, pack_steps

if TYPE_CHECKING:
    import ibis


class Warehouse:
    """The relations of a log as tables of an Ibis engine.

    Args:
        events: canonical columns, ``event_time`` naive in the log's time zone.
        connection: the engine that holds ``events``; the relations become tables of it.

    Raises:
        Refused: a number is absurdly large.
    """

    def __init__(self, events: ibis.Table, connection: ibis.BaseBackend) -> None:
        self.connection = connection
        _refuse_absurd_numbers(events, connection)
        self.lines: Lines = number_lines(events, connection)
        exact = {name: self.lines.table[name].cast(EXACT) for name in NUMBERS}
        self.tables: dict[str, ibis.Table] = {
            "lines": connection.create_table("lines", self.lines.table.mutate(**exact), overwrite=True)
        }
        for name, (source, make) in RELATIONS.items():
            self.tables[name] = connection.create_table(name, make(self.tables[source]), overwrite=True)
        del self.tables["lines"]
        connection.drop_table("lines")

    @cached_property
    def customer_ids(self) -> NDArray[np.object_]:
        """Text ids of the customers by their number, sorted, [c]."""
        return self._ordered(self.lines.customers, "customer", "customer_id")

    def customers_table(self, connection: ibis.BaseBackend) -> ibis.Table:
        """Return customer_id and customer, its number."""
        return self.lines.customers.select("customer_id", "customer")

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return the distinct texts of a column of ``VOCABULARIES`` by their code."""
        return self._ordered(self.lines.vocabularies[name], "code", "text")

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last day of the log in days since 1970-01-01; None where it is empty."""
        steps = self.tables["steps"]
        days = self.connection.to_pyarrow(steps.aggregate(first=steps.day.min(), last=steps.day.max())).to_pylist()[0]
        return None if days["first"] is None else (days["first"], days["last"])

    def seen(self, cutoff_day: int) -> NDArray[np.int64]:
        """Return the numbers of the customers with any event before the cutoff, ascending."""
        steps = self.tables["steps"]
        table = self.connection.to_pyarrow(steps.filter(steps.day < cutoff_day).select("customer").distinct())
        return np.sort(table["customer"].to_numpy().astype(np.int64))

    def steps(self, first: int = 0, stop: int | None = None) -> Steps:
        """Return steps, ordered by customer and time (:class:`~clv_core.features.event_store.EventStore`)."""
        ids = self.customer_ids[first:stop]
        steps = self.tables["steps"]
        steps = steps.filter(steps.customer >= first, steps.customer < first + len(ids))
        millionths = {name: (steps[name] * MILLIONTHS).cast("int64") for name in NUMBERS}
        table = self.connection.to_pyarrow(steps.mutate(**millionths))
        columns = {}
        for name in table.column_names:
            array = table[name].combine_chunks()
            valid = array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else None
            values = array.fill_null(0).to_numpy(zero_copy_only=False)
            columns[name] = Column(values, valid, MILLIONTHS if name in NUMBERS else 1, zeroed=True)
        rows = Rows.of(columns).sorted_by(ORDER)
        return pack_steps([rows], ids, (self.texts("type"), self.texts("category")), first)

    def features(
        self,
        cutoff_day: int,
        horizon_days: int,
        customers: NDArray[np.int64],
        columns: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Fill in the features that come from relations (:class:`~clv_core.features.event_store.EventStore`)."""
        table = self.connection.to_pyarrow(self._features(tuple(columns), cutoff_day, horizon_days))
        customer = table["customer"].to_numpy()
        wanted = (customer >= customers[0]) & (customer <= customers[-1])
        rows = np.searchsorted(customers, customer[wanted])
        for name, values in columns.items():
            values[rows] = table[name].to_numpy()[wanted]

    def _features(self, names: tuple[str, ...], cutoff_day: int, horizon_days: int) -> ibis.Table:
        """Return customer and features that come from relations, float64, of all seen before the cutoff."""
        steps = self.tables["steps"]
        joined = steps.filter(steps.day < cutoff_day).select("customer").distinct()
        for source, relation in SOURCES.items():
            features = [FEATURES[name] for name in names if FEATURES[name].source == source]
            if not features:
                continue
            rows = relation(self.tables, cutoff_day, horizon_days)
            sums = rows.group_by("customer").aggregate(
                **{feature.name: feature.expr(rows).cast("float64") for feature in features}
            )
            joined = joined.left_join(sums, "customer").drop("customer_right")
            filled = {f.name: joined[f.name].fill_null(f.empty) for f in features if f.empty is not None}
            joined = joined.mutate(**filled)
        return joined.select("customer", *names)

    def net_value(self, first: int, end: int) -> NDArray[np.float64]:
        """Return each customer's net value on days ``first <= day < end``, [c]."""
        days = self.tables["money_days"]
        inside = days.filter((days.day >= first) & (days.day < end))
        sums = aggregate(inside, ("customer",), lambda rows: {"net": rows.net.sum().cast("float64")})
        table = self.connection.to_pyarrow(sums)
        values = np.zeros(len(self.customer_ids))
        values[table["customer"].to_numpy()] = table["net"].to_numpy()
        return values

    def orders_by_day(self, first: int, end: int) -> NDArray[np.float64]:
        """Return how many of those who had bought before ``first`` bought on each day from then to ``end``, [days]."""
        days = self.tables["purchase_days"]
        earlier_buyers = days.filter(days.day < first).select("customer").distinct()
        inside = days.filter((days.day >= first) & (days.day < end)).semi_join(earlier_buyers, "customer")
        table = self.connection.to_pyarrow(inside.group_by("day").aggregate(orders=inside.count()))
        orders = np.zeros(end - first)
        orders[table["day"].to_numpy() - first] = table["orders"].to_numpy()
        return orders

    def _ordered(self, table: ibis.Table, number: str, text: str) -> NDArray[np.object_]:
        column = self.connection.to_pyarrow(table.order_by(number).select(text))[text]
        texts: NDArray[np.object_] = column.to_pandas().to_numpy(object)
        return texts


def _refuse_absurd_numbers(events: ibis.Table, connection: ibis.BaseBackend) -> None:
    largest = connection.to_pyarrow(events.aggregate(**{name: events[name].abs().max() for name in NUMBERS}))
    for name, value in largest.to_pylist()[0].items():
        if value is not None and not value < LARGEST:
            raise Refused("number_absurd", column=name, value=str(value), largest=LARGEST)
