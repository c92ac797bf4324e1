"""The events of a log, summed by customer and day: what features and sequences are made from.

:class:`ColumnStore` holds them as sorted columns in memory or in mapped files; :class:`~clv_core.features.warehouse
.Warehouse` as tables of an engine that is not ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from clv_core.errors import Refused
from clv_core.features.columnar.column import MILLIONTHS, Column
from clv_core.features.columnar.rows import Rows
from clv_core.features.columnar.table_files import TablesFile
from clv_core.features.duckdb_engine import each
from clv_core.features.expressions import aggregate, total
from clv_core.features.filling import fill_features
from clv_core.features.lines import NUMBERS, VOCABULARIES, Events
from clv_core.features.relations import RELATIONS, Tables
from clv_core.features.sequences import ORDER, Steps, pack_steps
from clv_core.workspace import read_json

if TYPE_CHECKING:
    import ibis

T = TypeVar("T")

FACTS: Final = "shards.json"
CUSTOMERS: Final = "customers"
LARGEST_SUM: Final = 9e12
"""Bound of the sum of a customer's absolute amounts: millionths of it fit 63 bits."""


class CustomerEventStore(Protocol):
    """The events of some customers."""

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return the distinct texts of a column of ``VOCABULARIES`` by their code."""

    def steps(self, first: int = 0, stop: int | None = None) -> Steps:
        """Return the steps of the customers ``first <= customer < stop``, ordered by customer and time.

        Args:
            first: the first customer.
            stop: one past the last customer; None takes all.
        """

    def features(
        self,
        cutoff_day: int,
        horizon_days: int,
        customers: NDArray[np.int64],
        columns: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Fill in the features that come from relations: NaN for unknown, text as codes.

        Args:
            cutoff_day: the cutoff in days since 1970-01-01.
            horizon_days: length of the predicted span.
            customers: numbers of customers seen before the cutoff, ascending, [n]; none of them is left out between the
                first and the last.
            columns: the features that are wanted, by name, each of shape [n].
        """


class EventStore(CustomerEventStore, Protocol):
    """The events of all customers of a log."""

    @property
    def customer_ids(self) -> NDArray[np.object_]:
        """Text ids of the customers by their number, sorted, [c]."""

    def customers_table(self, connection: ibis.BaseBackend) -> ibis.Table:
        """Return customer_id and customer, its number, as a table of ``connection``."""

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last day of the log in days since 1970-01-01; None where it is empty."""

    def seen(self, cutoff_day: int) -> NDArray[np.int64]:
        """Return the numbers of the customers with any event before the cutoff, ascending."""

    def net_value(self, first: int, end: int) -> NDArray[np.float64]:
        """Return each customer's net value on days ``first <= day < end``, [c]."""

    def orders_by_day(self, first: int, end: int) -> NDArray[np.float64]:
        """Return how many of those who had bought before ``first`` bought on each day from then to ``end``, [days]."""


@dataclass(frozen=True)
class Shard:
    """The relations of the customers ``first <= customer < stop``."""

    first: int
    stop: int
    tables: Tables


class ColumnStore:
    """An :class:`EventStore` of sorted columns, a shard of customers at a time, on all processors.

    Args:
        shards: of consecutive customers.
        ids: of the customers by number, an array of texts, [c].
        vocabularies: the distinct texts of each of ``VOCABULARIES`` by code.
        days: first and last day of the log; None where it is empty.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        ids: Any,
        vocabularies: Mapping[str, NDArray[np.object_]],
        days: tuple[int, int] | None,
    ) -> None:
        self.shards, self._ids, self._vocabularies, self._days = shards, ids, vocabularies, days

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Return the store that ``relation_cache.write_shards`` wrote; its files may be removed."""
        facts = read_json(folder / FACTS)
        shards = [
            Shard(first, stop, TablesFile(folder / file_of(number), facts["places"][number]))
            for number, (first, stop) in enumerate(pairwise(facts["bounds"]))
        ]
        vocabularies = {name: np.asarray(_texts(folder / f"{name}.arrow"), object) for name in VOCABULARIES}
        days = None if facts["days"] is None else tuple(facts["days"])
        return cls(shards, _texts(folder / f"{CUSTOMERS}.arrow"), vocabularies, days)

    @classmethod
    def of_events(cls, events: Events) -> Self:
        """Return a store of events in memory; its customers are called by their number.

        Raises:
            Refused: a number or a customer's sum is absurdly large.
        """
        return cls.of_lines(np.arange(events.customers), *events.lines())

    @classmethod
    def of_lines(cls, ids: Any, lines: Rows, vocabularies: Mapping[str, NDArray[np.object_]]) -> Self:
        """Return a store of the relation ``lines`` in memory, in any order; each customer has at least one.

        Args:
            ids: of the customers by number, [c].
            lines: of all of them.
            vocabularies: the distinct texts of each of ``VOCABULARIES`` by code.

        Raises:
            Refused: a customer's sum is absurdly large.
        """
        days = lines["day"].values
        shard = Shard(0, len(ids), Relations(lines))
        return cls([shard], ids, vocabularies, (int(days.min()), int(days.max())))

    @cached_property
    def customer_ids(self) -> NDArray[np.object_]:
        """Text ids of the customers by their number, sorted, [c]."""
        return np.asarray(self._ids, object)

    def customers_table(self, connection: ibis.BaseBackend) -> ibis.Table:
        """Return customer_id and customer, its number, as a table of ``connection``."""
        import ibis
        import pyarrow as pa

        numbers = np.arange(len(self._ids), dtype=np.int32)
        return ibis.memtable(pa.table({"customer_id": self._ids, "customer": numbers}))

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return the distinct texts of a column of ``VOCABULARIES`` by their code."""
        return self._vocabularies[name]

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last day of the log in days since 1970-01-01; None where it is empty."""
        return self._days

    def seen(self, cutoff_day: int) -> NDArray[np.int64]:
        """Return the numbers of the customers with any event before the cutoff, ascending."""

        def work(shard: Shard) -> NDArray[np.int64]:
            steps = shard.tables["steps"]
            return np.unique(steps.customer.values[steps.day.values < cutoff_day]).astype(np.int64)

        return np.concatenate([np.empty(0, np.int64), *self._each(work)])

    def steps(self, first: int = 0, stop: int | None = None) -> Steps:
        """Return steps, ordered by customer and time (:class:`CustomerEventStore`)."""
        ids = self.customer_ids[first:stop]
        end = first + len(ids)
        shards = [shard for shard in self.shards if shard.first < end and shard.stop > first]
        parts = [shard.tables["steps"].between("customer", first, end) for shard in shards]
        steps = pack_steps(parts, ids, (self.texts("type"), self.texts("category")), first)
        for shard in shards:
            _release(shard)
        return steps

    def features(
        self,
        cutoff_day: int,
        horizon_days: int,
        customers: NDArray[np.int64],
        columns: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Fill in the features that come from relations (:class:`CustomerEventStore`)."""

        def work(shard: Shard) -> None:
            start, stop = customers.searchsorted([shard.first, shard.stop]).tolist()
            if stop > start:
                parts = {name: values[start:stop] for name, values in columns.items()}
                fill_features(parts, shard.tables, cutoff_day, horizon_days, customers[start:stop])

        self._each(work)

    def net_value(self, first: int, end: int) -> NDArray[np.float64]:
        """Return each customer's net value on days ``first <= day < end``, [c]."""
        values = np.zeros(len(self._ids))

        def work(shard: Shard) -> None:
            days = shard.tables["money_days"]
            inside = days.filter((days.day >= first) & (days.day < end))
            sums = aggregate(inside, ("customer",), lambda rows: {"net": total(rows.net)})
            values[sums.customer.values] = sums.net.values

        self._each(work)
        return values

    def orders_by_day(self, first: int, end: int) -> NDArray[np.float64]:
        """Return how many of those who had bought before ``first`` bought on each day from then to ``end``, [days]."""

        def work(shard: Shard) -> NDArray[np.float64]:
            days = shard.tables["purchase_days"]
            customer, day = days.customer.values, days.day.values
            inside = np.isin(customer, customer[day < first]) & (day >= first) & (day < end)
            return np.bincount(day[inside] - first, minlength=end - first).astype(np.float64)

        return sum(self._each(work), np.zeros(end - first))

    def _each(self, work: Callable[[Shard], T]) -> list[T]:
        def once(shard: Shard) -> T:
            result = work(shard)
            _release(shard)
            return result

        return each(once, self.shards)


class Relations(dict[str, Rows]):
    """``RELATIONS`` of lines in memory by name, sorted as models read them, each made at its first use.

    Args:
        lines: the relation ``lines``, in any order.

    Raises:
        Refused: a customer's sum is absurdly large.
    """

    def __init__(self, lines: Rows) -> None:
        super().__init__(lines=lines.sorted_by(("customer", "day", "type")))
        _refuse_absurd_sums(self["lines"])  # before anything is added up: a sum of a day may not fit 63 bits either

    def __missing__(self, name: str) -> Rows:
        """Make a relation of the one that it comes from."""
        origin, make = RELATIONS[name]
        made: Rows = make(self[origin])
        self[name] = made = made.sorted_by(ORDER) if name == "steps" else made
        return made


def _refuse_absurd_sums(lines: Rows) -> None:
    for name in NUMBERS:
        sizes = lines[name].abs()
        if int(sizes.values.max(initial=0)) * lines.size <= LARGEST_SUM * MILLIONTHS:
            continue
        units = Column(sizes.values // MILLIONTHS, sizes.valid)
        sums = lines.mutate(units=units).aggregate(("customer",), lambda rows: {"units": rows.units.sum()}).units
        if sums.fill_null(0).values.max(initial=0) > LARGEST_SUM:
            raise Refused("number_absurd", column=name, value=str(sums.values.max()), largest=LARGEST_SUM)


def file_of(number: int) -> str:
    """Return the name of a shard's file."""
    return f"{number:05}.tables"


def _release(shard: Shard) -> None:
    if isinstance(shard.tables, TablesFile):
        shard.tables.release()


def _texts(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.ipc as ipc

    with pa.memory_map(str(path)) as file:
        return ipc.open_file(file).read_all().column("text")
