"""Mixed customers: snapshots whose parts come from different rows.

Hiding a part of a customer means taking that part from a background customer instead: the columns of a feature group,
and the channels of the event sequence that say the same. A mixed customer is described by one origin for each part,
the row of the pool that the part is taken from. It is model-agnostic: whatever predicts snapshots can be explained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.evaluation.explain.parts import Part, parts_of
from clv_core.evaluation.explain.shapley import distinct_rows
from clv_core.features import STEP_CODES, STEP_VALUES, Snapshot, Steps, Windows

Origins = NDArray[np.int64]
"""For each mixed customer and each part the row of the pool that the part comes from, [N, parts]."""


@dataclass(frozen=True)
class Mixer:
    """Builds mixed customers from a pool of real ones.

    Args:
        pool: the customers to explain and the background, all at one cutoff, p rows.

    Raises:
        ValueError: the rows have different cutoffs.
    """

    pool: Snapshot

    def __post_init__(self) -> None:
        """Refuse rows of different cutoffs: their days do not mean the same."""
        if len(np.unique(self.pool.cutoff_day)) > 1:
            raise ValueError("a pool has one cutoff")

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What the pool says of a customer, each thing in exactly one part."""
        return parts_of(self.pool)

    @cached_property
    def codes(self) -> Origins:
        """For each row and part the first row of the pool with the same content, int64 [p, parts].

        A row's own codes are a description of itself; equal codes mean that hiding the part changes nothing.
        """
        return np.column_stack([_first_equal(self._content(part)) for part in self.parts])

    @cached_property
    def _sequence(self) -> list[int]:
        """Positions of the parts that steps are made of."""
        return [number for number, part in enumerate(self.parts) if part.in_steps]

    def side_by_side(self, origins: Origins) -> NDArray[np.int64]:
        """Return an order of the mixed customers in which those with the same steps stand together, [N].

        Networks read steps that rows of a batch share once, and reading them is most of their work.
        """
        return np.lexsort(origins[:, self._sequence].T)

    def snapshot(self, origins: Origins) -> Snapshot:
        """Return the mixed customers, [N]."""
        return replace(self.pool, table=self._features(origins), windows=self._windows(origins), target=None)

    def _features(self, origins: Origins) -> pd.DataFrame:
        frame = self.pool.features
        columns: dict[str, object] = {}
        for position, part in enumerate(self.parts):
            rows = origins[:, position]
            columns |= {name: frame[name].array.take(rows) for name in part.features}
        return pd.DataFrame(columns, copy=False)[list(frame.columns)]

    def _windows(self, origins: Origins) -> Windows:
        """The steps of mixed customers; those whose sequence parts have the same origins share a slice."""
        first, kind = distinct_rows(origins[:, self._sequence])
        return self._mixed(origins[first]).take(kind)

    def _mixed(self, origins: Origins) -> Windows:
        """Sequences whose timing comes from one row and whose other channels from others, aligned at the latest step.

        A row with fewer steps than the timing asks for is read over again. Where a window does not reach back to the
        timing row's first step ever, that step is kept before it, because models may read how long ago it was.
        """
        windows = self.pool.windows
        steps, start, stop, first = windows.steps, windows.start, windows.stop, windows.first
        timing = origins[:, next(number for number, part in enumerate(self.parts) if part.timing)]
        length, before = stop[timing] - start[timing], (start > first)[timing].astype(np.int64)
        offsets = np.concatenate([[0], np.cumsum(length + before)])
        row = np.repeat(np.arange(len(origins)), length + before)
        position = np.arange(offsets[-1]) - offsets[:-1][row] - before[row]
        own = np.where(position < 0, first[timing][row], start[timing][row] + position)
        before_last = length[row] - 1 - position
        values = np.empty((len(own), len(STEP_VALUES)), np.float32)
        codes = np.empty((len(own), len(STEP_CODES)), np.int32)
        for number, part in enumerate(self.parts):
            if not part.values and not part.codes:
                continue
            origin = origins[:, number][row]
            taken = stop[origin] - 1 - before_last % (stop - start)[origin]
            taken = np.where(origin == timing[row], own, taken)
            for name in part.values:
                column = STEP_VALUES.index(name)
                values[:, column] = steps.values[taken, column]
            for name in part.codes:
                column = STEP_CODES.index(name)
                codes[:, column] = steps.codes[taken, column]
        mixed = Steps(
            customer_ids=np.full(len(origins), "", object),
            offsets=offsets,
            day=steps.day[own],
            gap_days=steps.gap_days[own],
            values=values,
            codes=codes,
            vocabularies=steps.vocabularies,
        )
        return Windows(mixed, offsets[:-1] + before, offsets[1:], windows.cutoff_day[timing])

    def _content(self, part: Part) -> NDArray[np.float64]:
        """All that a part says, as numbers, one row for each row of the pool."""
        said = [_numbers(self.pool.features[name]) for name in part.features]
        return np.column_stack([*said, *self._channels(part)] if part.in_steps else said)

    def _channels(self, part: Part) -> list[NDArray[np.float64]]:
        """What a part says in the steps: their number, [p], and channels from the latest step back, [p, longest]."""
        windows = self.pool.windows
        steps, length = windows.steps, windows.stop - windows.start
        back = np.arange(int(length.max()))
        inside = back < length[:, None]
        at = np.where(inside, windows.stop[:, None] - 1 - back, windows.stop[:, None] - 1)
        if part.timing:
            began = steps.day[windows.first]
            channels = [steps.day[at], steps.gap_days[at], np.broadcast_to(began[:, None], at.shape)]
        else:
            channels = [steps.values[at, STEP_VALUES.index(name)] for name in part.values]
            channels += [steps.codes[at, STEP_CODES.index(name)] for name in part.codes]
        return [length.astype(np.float64), *(np.where(inside, channel, np.nan) for channel in channels)]


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(np.float64)
    return np.asarray(pd.factorize(column)[0], np.float64)


def _first_equal(content: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position of the first row with the same numbers, [p]; unknown equals unknown."""
    same = np.ascontiguousarray(np.where(np.isnan(content), np.nan, content) + 0.0)
    first, kind = distinct_rows(same)
    return np.asarray(first[kind], np.int64)
