"""One row a customer with all that is known of her: what an engine hands to a worker that sees some customers only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.features.behaviour import FEATURES
from clv_core.features.few_customers import closure
from clv_core.features.pack import pack_steps
from clv_core.features.reviews import ReviewTexts
from clv_core.features.sequences import Steps
from clv_core.features.shards import each
from clv_core.features.signals import REVIEW_TEXT, Signal
from clv_core.features.sources import SOURCES
from clv_core.features.warehouse import Warehouse, in_millionths, kinds_of, query, step_rows

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

STEPS: Final = "steps"
"""The column that holds a customer's steps, a list of structs in no order."""
PARTS: Final = (
    "day", "second", "type", "category",
    "lines", "amount", "quantity", "discount", "rating", "ratings", "review_length",
)  # fmt: skip
"""What is known of a step."""


def wide_rows(
    warehouse: Warehouse, names: frozenset[str], cutoff_day: int, horizon_days: int, signals: Iterable[Signal] = ()
) -> ibis.Table:
    """Return the customers seen before a cutoff as a query of the engine, in no order.

    Args:
        warehouse: of the log's relations; nothing at or after the cutoff is in it.
        names: the features that are read.
        cutoff_day: the cutoff in days since 1970-01-01.
        horizon_days: length of the predicted span.
        signals: of the log; of these, review texts become a column.

    Returns:
        customer_id; of the features those that come from relations, text as codes; :data:`STEPS`; the review texts.
    """
    import ibis

    related = tuple(name for name in closure(names) if FEATURES[name].source in SOURCES)
    schemas = tuple((name, table.schema()) for name, table in warehouse.tables.items())
    connection = warehouse.connection
    sql = query(connection.name, schemas, related, cutoff_day, horizon_days)
    rows = connection.sql(sql, schema=kinds_of(related))
    steps = in_millionths(warehouse.tables["steps"])
    parts = ibis.struct({name: steps[name] for name in PARTS}).collect()
    rows = rows.inner_join(steps.group_by("customer").aggregate(**{STEPS: parts}), "customer")
    for signal in signals:
        if isinstance(signal, ReviewTexts):
            written = signal.written(cutoff_day).rename({REVIEW_TEXT: "text"})
            rows = rows.left_join(written, "customer").drop("customer_right")
    ids = warehouse.lines.customers.select(CUSTOMER_ID, "customer")
    return rows.inner_join(ids, "customer").drop("customer")


class Wide:
    """Some rows of :func:`wide_rows`; a :class:`~clv_core.features.holder.CustomerRelations`.

    Args:
        rows: customers.
        texts: the log's texts of each of ``VOCABULARIES`` by their code.
    """

    def __init__(self, rows: pa.RecordBatch, texts: Mapping[str, NDArray[np.object_]]) -> None:
        self._rows, self._texts = rows, texts
        self.customer_ids: NDArray[np.object_] = rows.column(CUSTOMER_ID).to_numpy(zero_copy_only=False).astype(object)

    @property
    def reviews(self) -> pa.Array | None:
        """The review texts, [n]; None where the log has none."""
        return self._rows.column(REVIEW_TEXT) if REVIEW_TEXT in self._rows.schema.names else None

    def texts(self, name: str) -> NDArray[np.object_]:
        """Return the distinct texts of a column of ``VOCABULARIES`` by their code."""
        return self._texts[name]

    def steps(self, first: int = 0, stop: int | None = None) -> Steps:
        """Return steps, ordered by customer and time (:class:`~clv_core.features.holder.CustomerRelations`)."""
        ids = self.customer_ids[first:stop]
        lists = self._rows.column(STEPS).slice(first, len(ids))
        counts = lists.value_lengths().to_numpy(zero_copy_only=False)
        parts = dict(zip(PARTS, lists.flatten().flatten(), strict=True))
        parts["customer"] = _numbers(np.repeat(np.arange(first, first + len(ids)), counts))
        vocabularies = (self.texts("type"), self.texts("category"))
        return pack_steps([step_rows(parts)], ids, vocabularies, each, first)

    def features(
        self,
        cutoff_day: int,
        horizon_days: int,
        customers: NDArray[np.int64],
        columns: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Fill in the features that come from relations, at the cutoff and horizon of the rows."""
        for name, values in columns.items():
            values[:] = self._rows.column(name).to_numpy(zero_copy_only=False)[customers]


def _numbers(values: NDArray[np.int64]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values)
