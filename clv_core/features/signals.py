"""Columns of the feature table that one log has and another has not: customers' attributes, and review texts.

``FEATURES`` can be computed from any event log; a signal is a column of one dataset. Models learn from both, and
the contract is the same: what is dated at or after a cutoff changes nothing, nor does the order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection import one_file
from clv_core.collection.customers import NUMBER, TEXT
from clv_core.collection.store import Attribute
from clv_core.columns import CUSTOMER_ID
from clv_core.features.relations import EPOCH

if TYPE_CHECKING:
    import ibis

    from clv_core.collection.store import Dataset


ATTRIBUTES: Final = "attributes"
REVIEW_TEXT: Final = "review_text"
"""Name and group of the column of review texts."""
PREFIX: Final = "attribute:"
"""Before an attribute's own name, so that it cannot be taken for a feature."""


@dataclass(frozen=True)
class SignalColumn:
    """What the encoder and explanations have to know of a signal.

    Args:
        group: the named group that explanations speak of.
        scale: ``auto`` (a number, by its logarithm where it is spread widely), ``category`` or ``text``.
    """

    group: str
    scale: str


REVIEWED: Final = SignalColumn("ratings", "text")
"""What review texts are: they say in words what the ratings say in stars."""


class Signal(Protocol):
    """A column that a log brings along."""

    @property
    def name(self) -> str:
        """Name of the column."""

    @property
    def column(self) -> SignalColumn:
        """What it is."""

    def at(self, cutoff_day: int, customers: NDArray[np.int64]) -> Any:
        """Return the signal of ``customers`` at a cutoff, a pandas column [n].

        Args:
            cutoff_day: the cutoff in days since 1970-01-01.
            customers: numbers of customers in the log, ascending, [n]; none of them who was seen by then is left out
                between the first and the last.
        """


ALWAYS: Final = int(np.iinfo(np.int32).min)
"""The day of a static value: before any cutoff."""


@dataclass(frozen=True, eq=False)
class AttributeValues:
    """All values of an attribute, ordered by customer and day.

    Args:
        attribute: which.
        customer: number of the customer in the log, int32 [v].
        day: days since 1970-01-01 of the value's date, :data:`ALWAYS` for a static one, int32 [v].
        value: the number, or the position of the text in ``texts``, float64 [v].
        texts: the distinct texts; empty for numbers.
    """

    attribute: Attribute
    customer: NDArray[np.int32]
    day: NDArray[np.int32]
    value: NDArray[np.float64]
    texts: NDArray[np.object_]

    @property
    def name(self) -> str:
        """Name of the column in the feature table, ``attribute:age``."""
        return PREFIX + self.attribute.name

    @property
    def column(self) -> SignalColumn:
        """A number whose scale its training values decide, or a category."""
        return SignalColumn(ATTRIBUTES, "auto" if self.attribute.kind == NUMBER else "category")

    def at(self, cutoff_day: int, customers: NDArray[np.int64]) -> Any:
        """Return the latest value dated before the cutoff of each of ``customers`` [n], unknown where there is none.

        Args:
            cutoff_day: the cutoff in days since 1970-01-01.
            customers: numbers of customers in the log, [n].
        """
        past = np.flatnonzero(self.day < cutoff_day)
        owner = self.customer[past]
        last = np.searchsorted(owner, customers, side="right") - 1
        some = last >= 0
        some[some] = owner[last[some]] == customers[some]
        value = np.full(len(customers), np.nan)
        value[some] = self.value[past[last[some]]]
        if self.attribute.kind == NUMBER:
            return value
        texts = np.array([*self.texts, None], object)
        return pd.Series(texts[np.where(some, value, len(self.texts)).astype(np.int64)], dtype=object).array


def attributes_of(dataset: Dataset) -> list[Attribute]:
    """Return the attributes of a dataset's customers table that are on; none where it has no such table."""
    table = dataset.manifest.customers_table
    return [] if table is None else list(table.attributes)


def read_attribute(
    connection: ibis.BaseBackend, dataset: Dataset, customers: ibis.Table, attribute: Attribute
) -> AttributeValues:
    """Return all values of an attribute for customers of the log.

    Of several values of one customer and date, and of several static ones, the largest is taken (of texts, the last in
    the order of characters), so that the order of rows does not matter.

    Args:
        connection: the engine.
        dataset: whose customers table is read.
        customers: the log's customers with their numbers.
        attribute: which.
    """
    import ibis

    rows = connection.read_parquet(one_file(dataset.customers_path))
    value = rows[attribute.name].cast("float64" if attribute.kind == NUMBER else "string")
    day = (
        ibis.literal(ALWAYS, "int32")
        if attribute.dated_by is None
        else rows[attribute.dated_by].cast("date").delta(ibis.date(EPOCH), unit="day").cast("int32")
    )
    rows = rows.select(CUSTOMER_ID, value=value, day=day)
    rows = rows.filter(rows.value.notnull(), rows.day.notnull())
    if attribute.kind == NUMBER:
        rows = rows.filter(~(rows.value.isnan() | rows.value.isinf()))
    rows = rows.inner_join(customers.select(CUSTOMER_ID, "customer"), CUSTOMER_ID)
    table = connection.to_pyarrow(rows.group_by("customer", "day").aggregate(value=rows.value.max()))
    customer, days = (table[name].to_numpy().astype(np.int32) for name in ("customer", "day"))
    order = np.lexsort((days, customer))
    column, texts = table["value"].combine_chunks(), np.empty(0, object)
    if attribute.kind == TEXT:
        coded = column.dictionary_encode()
        column, texts = coded.indices, coded.dictionary.to_pandas().to_numpy(object)
    values = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return AttributeValues(attribute, customer[order], days[order], values[order], texts)
