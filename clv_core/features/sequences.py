"""Event sequences: flat arrays of steps, and windows into them.

A step is one customer, one day, one event type: lines of the same kind on the same day are summed first, so that an
order and its same-day cancellation weigh what they are worth together. All steps of a log lie in one set of flat
arrays, ordered by customer and time; what a model may know at a cutoff is a slice ``[start, stop)`` of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.features.columnar.column import Column
from clv_core.features.columnar.rows import Rows
from clv_core.features.duckdb_engine import each

STEP_VALUES: Final = ("amount", "quantity", "lines", "discount", "rating", "review_length")
"""Numeric columns of a step, in the log's units; NaN where the log has no value."""

STEP_CODES: Final = ("event_type", "category")
"""Categorical columns of a step, as text codes into :attr:`Steps.vocabularies`; -1 where the log has no value."""

TIMING: Final = "timing"
STEP_GROUPS: Final = {
    "amount": "basket",
    "quantity": "basket",
    "lines": "actions",
    "discount": "discount",
    "rating": "ratings",
    "review_length": "ratings",
    "event_type": "actions",
    "category": "categories",
}
"""The group of features with the information of a column of the steps; of their times it is :data:`TIMING`."""


OF_STEP: Final = ("day", "gap_days", "values", "codes")
"""Fields of :class:`Steps` with a row a step."""


def bounds_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the steps of each of c customers begin, and the last one's end, int64 [c + 1]."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@dataclass(frozen=True)
class Steps:
    """All steps of a log, ordered by customer, day, time of day, event type.

    Args:
        customer_ids: text ids of the customers, sorted, shape [c].
        offsets: steps of customer i are ``offsets[i]:offsets[i + 1]``, int64, shape [c + 1].
        day: days since 1970-01-01 in the log's time zone, int32, shape [s].
        gap_days: days since the customer's previous step (0 at the first), float32, shape [s].
        values: :data:`STEP_VALUES`, float32, shape [s, len(STEP_VALUES)].
        codes: :data:`STEP_CODES`, int32, shape [s, len(STEP_CODES)].
        vocabularies: for each of :data:`STEP_CODES` the texts of its codes, sorted.
    """

    customer_ids: NDArray[np.object_]
    offsets: NDArray[np.int64]
    day: NDArray[np.int32]
    gap_days: NDArray[np.float32]
    values: NDArray[np.float32]
    codes: NDArray[np.int32]
    vocabularies: tuple[tuple[str, ...], ...]

    def select(self, rows: NDArray[Any], customer_ids: NDArray[np.object_], counts: NDArray[np.int64]) -> Steps:
        """Return the steps at ``rows`` (positions or marks): of other customers, ``counts`` [c] of them each."""
        arrays = {name: getattr(self, name)[rows] for name in OF_STEP}
        return replace(self, customer_ids=customer_ids, offsets=bounds_of(counts), **arrays)

    @classmethod
    def joined(cls, parts: Sequence[Steps]) -> Steps:
        """Return the steps of different customers of one log as one."""
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in ("customer_ids", *OF_STEP)
        }
        counts = np.concatenate([np.diff(part.offsets) for part in parts])
        return replace(parts[0], offsets=bounds_of(counts), **arrays)


@dataclass(frozen=True)
class Windows:
    """The history of each of n (customer, cutoff) pairs: a slice of steps strictly before the cutoff.

    Args:
        steps: the log's steps.
        start: first step of the window, int64, shape [n].
        stop: one past its last step, int64, shape [n]; ``stop > start`` for every row.
        cutoff_day: the cutoff in days since 1970-01-01, int32, shape [n].
    """

    steps: Steps
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    cutoff_day: NDArray[np.int32]

    def __len__(self) -> int:
        """Return n."""
        return len(self.start)

    @property
    def first(self) -> NDArray[np.int64]:
        """The first step of each customer, inside the window or before it, [n]."""
        return self.steps.offsets[np.searchsorted(self.steps.offsets, self.start, side="right") - 1]

    def latest(self, steps: int) -> Windows:
        """Return the windows cut to their last ``steps`` steps."""
        return replace(self, start=np.maximum(self.start, self.stop - steps))

    def take(self, rows: NDArray[np.int64]) -> Windows:
        """Return the windows at ``rows``."""
        return replace(self, start=self.start[rows], stop=self.stop[rows], cutoff_day=self.cutoff_day[rows])


def windows_at(steps: Steps, cutoff_day: int, max_steps: int) -> tuple[NDArray[np.int64], Windows]:
    """Return the customers with any step before ``cutoff_day``, and their last ``max_steps`` steps before it.

    Returns:
        Positions in ``steps.customer_ids`` [n], and their windows [n].
    """
    before = np.concatenate([[0], np.cumsum(steps.day < cutoff_day)])
    counts = before[steps.offsets[1:]] - before[steps.offsets[:-1]]
    customers = np.flatnonzero(counts > 0)
    stop = steps.offsets[customers] + counts[customers]
    start = np.maximum(steps.offsets[customers], stop - max_steps)
    return customers, Windows(steps, start, stop, np.full(len(customers), cutoff_day, np.int32))


NO_CODE: Final = -1
"""Code of a step without a value."""
ORDER: Final = ("customer", "day", "second", "type")
"""What steps are sorted by."""


def pack_steps(
    parts: Sequence[Rows],
    customer_ids: NDArray[np.object_],
    vocabularies: tuple[NDArray[np.object_], NDArray[np.object_]],
    first: int = 0,
) -> Steps:
    """Return the steps of ``parts`` as flat arrays.

    Args:
        parts: rows of the relation ``steps``, sorted by :data:`ORDER` within and across parts.
        customer_ids: text ids of the customers.
        vocabularies: event types and categories.
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
        offsets=bounds_of(counts),
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
