"""The relations at hand: sorted columns in files, a shard of customers at a time, on all processors.

customers.arrow         the ids by number
<column>.arrow          the texts of a column of ``VOCABULARIES`` by code
<shard>.<relation>.arrow   the rows of one shard
shards.json             first customer of each shard, first and last day, bytes of each file
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
from numpy.typing import NDArray

from clv_core.features.columnar.files import TablesFile
from clv_core.features.expressions import aggregate, total
from clv_core.features.filling import fill_features
from clv_core.features.lines import VOCABULARIES
from clv_core.features.pack import pack_steps
from clv_core.features.sequences import Steps
from clv_core.workspace import read_json

if TYPE_CHECKING:
    import ibis

T = TypeVar("T")

FACTS: Final = "shards.json"
CUSTOMERS: Final = "customers"


@dataclass(frozen=True)
class Shard:
    """The relations of the customers ``first <= customer < stop``.

    Args:
        first: its first customer.
        stop: one past its last customer.
        tables: its relations by name.
    """

    first: int
    stop: int
    tables: TablesFile


class Shards:
    """The relations of a log in the folder that :func:`~clv_core.features.sharding.shard` filled.

    Args:
        folder: where the files lie; they may go as soon as this is made.
    """

    def __init__(self, folder: Path) -> None:
        facts = read_json(folder / FACTS)
        self.first_day, self.last_day = facts["days"]
        self._texts = {name: _texts(folder / f"{name}.arrow") for name in (CUSTOMERS, *VOCABULARIES)}
        self.shards = [
            Shard(first, stop, TablesFile(folder / file_of(number), facts["places"][number]))
            for number, (first, stop) in enumerate(pairwise(facts["bounds"]))
        ]

    @cached_property
    def customer_ids(self) -> NDArray[np.object_]:
        """Text ids of the customers by their number, sorted, [c]."""
        return self.texts(CUSTOMERS)

    def customers_table(self, connection: ibis.BaseBackend) -> ibis.Table:
        """Return customer_id and customer, its number, as a table of ``connection``."""
        import ibis

        ids = self._texts[CUSTOMERS]
        return ibis.memtable(pa.table({"customer_id": ids, "customer": np.arange(len(ids), dtype=np.int32)}))

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return the distinct texts of a column of ``VOCABULARIES`` by their code."""
        texts: NDArray[np.object_] = self._texts[name].to_numpy().astype(object)
        return texts

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last day of the log in days since 1970-01-01; None where it is empty."""
        return None if self.first_day is None else (self.first_day, self.last_day)

    def seen(self, cutoff_day: int) -> NDArray[np.int64]:
        """Return the numbers of the customers with any event before the cutoff, ascending."""

        def work(shard: Shard) -> NDArray[np.int64]:
            steps = shard.tables["steps"]
            return np.unique(steps.customer.values[steps.day.values < cutoff_day]).astype(np.int64)

        return np.concatenate([np.empty(0, np.int64), *self._each(work)])

    def steps(self, first: int = 0, stop: int | None = None) -> Steps:
        """Return steps, ordered by customer and time (:class:`~clv_core.features.holder.Holder`)."""
        ids = self.customer_ids[first:stop]
        shards = [shard for shard in self.shards if shard.first < first + len(ids) and shard.stop > first]
        parts = [shard.tables["steps"].between("customer", first, first + len(ids)) for shard in shards]
        steps = pack_steps(parts, ids, (self.texts("type"), self.texts("category")), each, first)
        for shard in shards:
            shard.tables.let_go()
        return steps

    def features(
        self,
        cutoff_day: int,
        horizon_days: int,
        customers: NDArray[np.int64],
        columns: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Fill in the features that come from relations (:class:`~clv_core.features.holder.Holder`)."""

        def work(shard: Shard) -> None:
            start, stop = np.searchsorted(customers, [shard.first, shard.stop]).tolist()
            if stop > start:
                parts = {name: values[start:stop] for name, values in columns.items()}
                fill_features(parts, shard.tables, cutoff_day, horizon_days, customers[start:stop])

        self._each(work)

    def net_value(self, first: int, end: int) -> NDArray[np.float64]:
        """Return each customer's net value on days ``first <= day < end``, [c]."""
        values = np.zeros(self.shards[-1].stop if self.shards else 0)

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
            return orders_by_day(days.customer.values, days.day.values, first, end)

        return sum(self._each(work), np.zeros(end - first))

    def _each(self, work: Callable[[Shard], T]) -> list[T]:
        def once(shard: Shard) -> T:
            found = work(shard)
            shard.tables.let_go()
            return found

        return each(once, self.shards)


def orders_by_day(customer: NDArray[np.int32], day: NDArray[np.int32], first: int, end: int) -> NDArray[np.float64]:
    """Return how many of those who had bought before ``first`` bought on each day from then to ``end``, [days].

    Args:
        customer: of each row of ``purchase_days``.
        day: likewise.
        first: a day since 1970-01-01.
        end: the day after the last one.
    """
    known = np.isin(customer, customer[day < first])
    inside = known & (day >= first) & (day < end)
    return np.bincount(day[inside] - first, minlength=end - first).astype(np.float64)


def file_of(number: int) -> str:
    """Return the name of a shard's file."""
    return f"{number:05}.tables"


def complete(folder: Path) -> bool:
    """Return whether ``folder`` holds relations, each file as long as it was when it was written."""
    try:
        sizes = read_json(folder / FACTS)["bytes"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except FileNotFoundError:
        return False


def _texts(path: Path) -> pa.ChunkedArray:
    with pa.memory_map(str(path)) as file:
        return ipc.open_file(file).read_all().column("text")


def each(work: Callable[[Any], T], items: list[Any]) -> list[T]:
    """Return ``work`` of all ``items``, one thread a processor: numpy lets go of Python's lock while it computes."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))
