"""What happened in each chunk: counts of events, values, gaps and orders, and a sample of the amounts.

Counts are rows ``{chunk, subject, value, rows, customers}``:

    event_type, category, channel, country   one row a value; value "" is all that have one
    missing:purchase, missing:other          one row a column, ``rows`` without it; value "" is all rows of that scope
    orders                                   ``rows`` purchase days of customers, ``customers`` who purchased

No row tells of a single customer by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from clv_core.collection.stored.store import Dataset
from clv_core.columns import (
    AMOUNT,
    BY_NAME,
    CATEGORY,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    PRODUCT_ID,
    PURCHASE,
    RETURN,
    SESSION_ID,
    UNIT_PRICE,
)
from clv_core.features.engine import Engine, with_numbers
from clv_core.monitoring.drift.chunks import Chunk

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

LABELS: Final = (EVENT_TYPE, CATEGORY, CHANNEL, COUNTRY)
PRICES: Final = (AMOUNT, UNIT_PRICE)
MOST_VALUES: Final = 2000
"""A column with more values than this is not looked at value by value."""
SAMPLE: Final = 2000
"""About so many amounts of each chunk are kept for the comparison of distributions."""
COUNTS: Final = ["chunk", "subject", "value", "rows", "customers"]
WITHOUT_GAPS: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE)
OF_OTHERS: Final = (PRODUCT_ID, CATEGORY, CHANNEL, COUNTRY, SESSION_ID)
"""Columns whose gaps count also in events that are not about money; most others belong to one type of event."""
ROWS: Final = "rows_of_chunks"
EVERY: Final = 2_000_000_011
"""A whole number that stands in the written query for how many rows one is taken of."""


@dataclass(frozen=True, eq=False)
class Profile:
    """What happened in some chunks.

    Args:
        counts: columns :data:`COUNTS`.
        prices: ``chunk``, ``subject`` (of :data:`PRICES`), ``number``: amounts above 0 of a sample of purchase rows.
        chunks: the chunks, the earliest first.
    """

    counts: pd.DataFrame
    prices: pd.DataFrame
    chunks: tuple[Chunk, ...]

    def table(self, subject: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return rows and customers of a subject: one row a chunk, one column a value, 0 where there was none."""
        part = self.counts[self.counts["subject"] == subject]
        order = [chunk.number for chunk in self.chunks]
        rows, customers = (
            part.pivot_table(index="chunk", columns="value", values=kind, aggfunc="sum", fill_value=0)
            .reindex(order, fill_value=0)
            .astype("float64")
            for kind in ("rows", "customers")
        )
        return rows, customers


def profile(dataset: Dataset, chunks: Sequence[Chunk]) -> Profile:
    """Return what happened in ``chunks``; nothing outside them is read.

    Args:
        dataset: the log.
        chunks: consecutive ones, at least one.
    """
    import pyarrow as pa

    engine = Engine()
    try:
        days = pa.table(
            {
                "day": pa.array([chunk.begin + timedelta(day) for chunk in chunks for day in range(chunk.days)]),
                "chunk": np.repeat([chunk.number for chunk in chunks], [chunk.days for chunk in chunks]),
            }
        )
        events = dataset.events(engine.connection)
        events = events.mutate(day=events[EVENT_TIME].date())
        rows = events.inner_join(engine.connection.create_table("days", days), "day")
        rows = engine.connection.create_view(ROWS, rows)  # each of many queries is short to put together
        stored = [name for name in dataset.manifest.columns if name in BY_NAME]
        asked = _Asked(engine.connection, rows.schema())
        parts = [asked.labels(name) for name in LABELS if name in stored or name == EVENT_TYPE]
        parts += [asked.missing(scope, stored) for scope in ("purchase", "other")]
        parts.append(asked.orders())
        some = [part for part in parts if len(part)]  # a part without rows has no types
        counts = pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=COUNTS)
        prices = pd.concat([asked.prices(name, len(chunks)) for name in PRICES if name in stored or name == AMOUNT])
    finally:
        engine.close()
    counts = counts.sort_values(COUNTS[:3], ignore_index=True)
    return Profile(counts[COUNTS], prices.reset_index(drop=True), tuple(chunks))


@dataclass(frozen=True, eq=False)
class _Asked:
    """The answers of an engine that holds the rows, with their day and chunk, as the view :data:`ROWS`."""

    connection: ibis.BaseBackend
    schema: ibis.Schema

    def _frame(self, query: Callable[..., ibis.Table], *about: object, every: int = 1) -> pd.DataFrame:
        sql, kinds = _written(query, self.schema, *about)
        found: pd.DataFrame = (
            self.connection.raw_sql(with_numbers(sql, {EVERY: every})).to_arrow_table().cast(kinds).to_pandas()
        )
        return found

    def labels(self, name: str) -> pd.DataFrame:
        """Count a column's values."""
        frame = self._frame(_values, name)
        if frame["value"].nunique() > MOST_VALUES:
            frame = frame.iloc[:0]
        every = self._frame(_total, name).assign(value="")
        return pd.concat([frame, every] if len(frame) else [every]).assign(subject=name)

    def missing(self, scope: str, stored: Sequence[str]) -> pd.DataFrame:
        """Count gaps in the columns of a scope."""
        names = tuple(
            name for name in stored if name not in WITHOUT_GAPS and (scope == "purchase" or name in OF_OTHERS)
        )
        wide = self._frame(_gaps, scope, names)
        wide = wide.rename(columns={"every": "", **{f"gap_{place}": name for place, name in enumerate(names)}})
        return wide.melt("chunk", var_name="value", value_name="rows").assign(subject=f"missing:{scope}", customers=0)

    def orders(self) -> pd.DataFrame:
        """Count purchase days."""
        return self._frame(_purchase_days).assign(subject="orders", value="")

    def prices(self, name: str, chunks: int) -> pd.DataFrame:
        """Return the amounts of a sample of purchase rows that is the same whenever it is drawn."""
        count = int(self._frame(_priced_rows, name)["rows"].iloc[0])
        sample = self._frame(_sample, name, every=max(1, count // (SAMPLE * chunks)))
        return sample.assign(subject=name)[["chunk", "subject", "number"]]


@lru_cache(maxsize=64)
def _written(query: Callable[..., ibis.Table], schema: ibis.Schema, *about: object) -> tuple[str, pa.Schema]:
    """Return a query as SQL, and its columns."""
    import ibis

    asked = query(ibis.table(schema, name=ROWS), *about)
    return str(ibis.to_sql(asked, dialect="duckdb", pretty=False)), asked.schema().to_pyarrow()


def _each(rows: ibis.Table, name: str) -> ibis.Table:
    """Return the rows of each customer with a value; customers first, since distinct counts over all rows are slow."""
    known = rows.filter(rows[name].notnull()).mutate(value=rows[name])
    return known.group_by("chunk", "value", CUSTOMER_ID).agg(rows=known.count())


def _values(rows: ibis.Table, name: str) -> ibis.Table:
    each = _each(rows, name)
    return each.group_by("chunk", "value").agg(rows=each.rows.sum(), customers=each.count())


def _total(rows: ibis.Table, name: str) -> ibis.Table:
    each = _each(rows, name)
    whole = each.group_by("chunk", CUSTOMER_ID).agg(rows=each.rows.sum())
    return whole.group_by("chunk").agg(rows=whole.rows.sum(), customers=whole.count())


def _gaps(rows: ibis.Table, scope: str, names: tuple[str, ...]) -> ibis.Table:
    about = rows.filter(
        rows[EVENT_TYPE] == PURCHASE if scope == "purchase" else ~rows[EVENT_TYPE].isin((PURCHASE, RETURN))
    )
    sums = {f"gap_{place}": about[name].isnull().sum() for place, name in enumerate(names)}
    return about.group_by("chunk").agg(every=about.count(), **sums)


def _purchase_days(rows: ibis.Table) -> ibis.Table:
    bought = rows.filter(rows[EVENT_TYPE] == PURCHASE)
    days = bought.group_by("chunk", CUSTOMER_ID, "day").agg()
    each = days.group_by("chunk", CUSTOMER_ID).agg(days=days.count())
    return each.group_by("chunk").agg(rows=each.days.sum(), customers=each.count())


def _priced(rows: ibis.Table, name: str) -> ibis.Table:
    return rows.filter((rows[EVENT_TYPE] == PURCHASE) & (rows[name] > 0))


def _priced_rows(rows: ibis.Table, name: str) -> ibis.Table:
    priced = _priced(rows, name)
    return priced.aggregate(rows=priced.count())


def _sample(rows: ibis.Table, name: str) -> ibis.Table:
    bought = _priced(rows, name)
    mark = (bought[CUSTOMER_ID] + bought[EVENT_TIME].cast("string") + bought[name].cast("string")).hash()
    some = bought.filter(mark % EVERY == 0)
    return some.select("chunk", number=some[name]).order_by("chunk", "number")
