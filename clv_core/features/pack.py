"""From the relation of steps to the flat arrays of :class:`Steps`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.features.columnar.column import Column
from clv_core.features.columnar.rows import Rows
from clv_core.features.sequences import STEP_VALUES, Steps

NO_CODE: Final = -1
ORDER: Final = ("customer", "day", "second", "type")
"""What steps are sorted by."""

Each = Callable[[Callable[[Any], Any], list[Any]], list[Any]]


def pack_steps(
    parts: Sequence[Rows],
    customer_ids: NDArray[np.object_],
    vocabularies: tuple[NDArray[np.object_], NDArray[np.object_]],
    each: Each,
    first: int = 0,
) -> Steps:
    """Return the steps of ``parts`` as flat arrays.

    Args:
        parts: rows of the relation ``steps``, sorted by :data:`ORDER` within and across parts.
        customer_ids: text ids of the customers.
        vocabularies: event types and categories.
        each: calls a function for each item of a list, perhaps several at once.
        first: number of the first of the customers.
    """
    stops = np.cumsum([part.size for part in parts], dtype=np.int64)
    total = int(stops[-1]) if len(stops) else 0
    day, gap = np.empty(total, np.int32), np.zeros(total, np.float32)
    values = np.empty((total, len(STEP_VALUES)), np.float32)
    codes = np.empty((total, 2), np.int32)
    counts = np.zeros(len(customer_ids), np.int64)

    @np.errstate(all="ignore")  # of unknown ratings
    def fill(item: tuple[Rows, int]) -> None:
        part, stop = item
        if not part.size:
            return
        rows = slice(stop - part.size, stop)
        grouped = part.grouped(["customer"])
        assert grouped.groups is not None
        starts = grouped.groups.starts
        counts[part["customer"].values[starts] - first] = grouped.groups.sizes()
        day[rows] = part["day"].values
        gap[rows][1:] = np.diff(part["day"].values)
        gap[rows][starts] = 0
        for position, name in enumerate(STEP_VALUES):
            values[rows, position] = _value(part, name)
        for position, name in enumerate(("type", "category")):
            codes[rows, position] = part[name].fill_null(NO_CODE).values

    each(fill, list(zip(parts, stops.tolist(), strict=True)))
    return Steps(
        customer_ids=customer_ids,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        day=day,
        gap_days=gap,
        values=values,
        codes=codes,
        vocabularies=(tuple(vocabularies[0]), tuple(vocabularies[1])),
    )


def _value(part: Rows, name: str) -> NDArray[np.float64]:
    column: Column = part[name]
    if name == "rating":
        column = column.cast("float64") / part["ratings"].cast("float64").nullif(0)
    return column.floats()
