"""What happened in each chunk: counts of events, values, gaps and orders, and a sample of the amounts.

Counts are rows ``{chunk, subject, value, rows, customers}``:

    event_type, category, channel, country   one row a value; value "" is all that have one
    missing:purchase, missing:other          one row a column, ``rows`` without it; value "" is all rows of that scope
    orders                                   ``rows`` purchase days of customers, ``customers`` who purchased

No row tells of a single customer by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
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
from clv_core.features.engine import Engine
from clv_core.monitoring.drift.chunks import Chunk

if TYPE_CHECKING:
    import ibis

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
        rows = engine.connection.create_view("rows_of_chunks", rows)  # each of many queries is short to put together
        stored = [name for name in dataset.manifest.columns if name in BY_NAME]
        parts = [_labels(rows, name) for name in LABELS if name in stored or name == EVENT_TYPE]
        parts += [_missing(rows, scope, stored) for scope in ("purchase", "other")]
        parts.append(_orders(rows))
        some = [part for part in parts if len(part)]  # a part without rows has no types
        counts = pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=COUNTS)
        prices = pd.concat([_prices(rows, name, len(chunks)) for name in PRICES if name in stored or name == AMOUNT])
    finally:
        engine.close()
    counts = counts.sort_values(COUNTS[:3], ignore_index=True)
    return Profile(counts[COUNTS], prices.reset_index(drop=True), tuple(chunks))


def _labels(rows: ibis.Table, name: str) -> pd.DataFrame:
    """Count a column's values; customers first, since distinct counts over all rows are slow."""
    known = rows.filter(rows[name].notnull()).mutate(value=rows[name])
    each = known.group_by("chunk", "value", CUSTOMER_ID).agg(rows=known.count())
    values = each.group_by("chunk", "value").agg(rows=each.rows.sum(), customers=each.count())
    whole = each.group_by("chunk", CUSTOMER_ID).agg(rows=each.rows.sum())
    total = whole.group_by("chunk").agg(rows=whole.rows.sum(), customers=whole.count())
    frame = _frame(values)
    if frame["value"].nunique() > MOST_VALUES:
        frame = frame.iloc[:0]
    every = _frame(total).assign(value="")
    return pd.concat([frame, every] if len(frame) else [every]).assign(subject=name)


def _missing(rows: ibis.Table, scope: str, stored: list[str]) -> pd.DataFrame:
    names = [name for name in stored if name not in WITHOUT_GAPS and (scope == "purchase" or name in OF_OTHERS)]
    about = rows.filter(
        rows[EVENT_TYPE] == PURCHASE if scope == "purchase" else ~rows[EVENT_TYPE].isin((PURCHASE, RETURN))
    )
    sums = {f"gap_{place}": about[name].isnull().sum() for place, name in enumerate(names)}
    wide = _frame(about.group_by("chunk").agg(every=about.count(), **sums))
    wide = wide.rename(columns={"every": "", **{f"gap_{place}": name for place, name in enumerate(names)}})
    return wide.melt("chunk", var_name="value", value_name="rows").assign(subject=f"missing:{scope}", customers=0)


def _orders(rows: ibis.Table) -> pd.DataFrame:
    bought = rows.filter(rows[EVENT_TYPE] == PURCHASE)
    days = bought.group_by("chunk", CUSTOMER_ID, "day").agg()
    each = days.group_by("chunk", CUSTOMER_ID).agg(days=days.count())
    found = each.group_by("chunk").agg(rows=each.days.sum(), customers=each.count())
    return _frame(found).assign(subject="orders", value="")


def _prices(rows: ibis.Table, name: str, chunks: int) -> pd.DataFrame:
    """Return the amounts of a sample of purchase rows that is the same whenever it is drawn."""
    bought = rows.filter((rows[EVENT_TYPE] == PURCHASE) & (rows[name] > 0))
    every = max(1, int(bought.count().to_pyarrow().as_py()) // (SAMPLE * chunks))
    if every > 1:
        mark = (bought[CUSTOMER_ID] + bought[EVENT_TIME].cast("string") + bought[name].cast("string")).hash()
        bought = bought.filter(mark % every == 0)
    sample = bought.select("chunk", number=bought[name]).order_by("chunk", "number")
    return _frame(sample).assign(subject=name)[["chunk", "subject", "number"]]


def _frame(table: ibis.Table) -> pd.DataFrame:
    found: pd.DataFrame = table.to_pyarrow().to_pandas()
    return found
