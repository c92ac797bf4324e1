"""Small expressions that relations and features share, on the tables of an engine as on rows in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from clv_core.features.columnar.column import Column
from clv_core.features.columnar.rows import Rows


def total(values: Any, where: Any = None) -> Any:
    """Return the exact sum of ``values`` as float64; NULL where no row qualifies."""
    return values.sum(where=where).cast("float64")


def ratio(part: Any, of: Any) -> Any:
    """Return ``part / of``, unknown where ``of`` is 0."""
    return part.cast("float64") / of.cast("float64").nullif(0)


def standard_deviation(values: Any) -> Any:
    """Return the sample standard deviation of integers, from exact sums; unknown below two values."""
    count, first, second = values.count().cast("float64"), total(values), total(values.cast("int64") * values)
    return ((second - first * first / count) / (count - 1).nullif(0)).abs().sqrt()


def once(rows: Any, make: Callable[[Any], Any]) -> Any:
    """Return ``make(rows)``; of rows in memory it is worked out once, whichever features ask for it."""
    return rows.once(make) if isinstance(rows, Rows) else make(rows)


def aggregate(rows: Any, keys: Sequence[str], values: Callable[[Any], Mapping[str, Any]]) -> Any:
    """Return one row for each different ``keys``, with the aggregates that ``values`` makes of its rows."""
    if isinstance(rows, Rows):
        return rows.aggregate(keys, values)
    return rows.group_by(*keys).aggregate(**values(rows))


def succession(rows: Any) -> Any:
    """Return the rows with ``number``, from 1 in the order of days within each customer, and ``gap`` to the one before.

    Args:
        rows: one row for each customer and day; rows in memory are sorted by both.
    """
    if isinstance(rows, Rows):
        grouped = rows.grouped(["customer"])
        assert grouped.groups is not None
        starts, days = grouped.groups.starts, rows["day"].values
        number = np.arange(1, rows.size + 1) - grouped.groups.repeat(starts)
        later = np.ones(rows.size, bool)
        later[starts] = False
        gap = np.diff(days, prepend=days[:1])
        gap[starts] = 0
        return rows.mutate(number=Column(number.astype(np.int32)), gap=Column(gap, later, zeroed=True))
    import ibis

    window = ibis.window(group_by=rows["customer"], order_by=rows["day"])
    number = ibis.row_number().over(window).cast("int32") + 1
    return rows.mutate(number=number, gap=rows["day"] - rows["day"].lag().over(window))
