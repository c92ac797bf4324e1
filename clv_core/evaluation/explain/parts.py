"""What a prediction is divided among, whom customers are compared with, and how a part of a customer is hidden.

Parts are groups of features, and the channels of the event sequence that belong to them. Hiding a part of a customer
means taking it from a background customer instead: the columns of a feature group, and those channels. Such a mixed
customer is described by one origin for each part, the row of the pool that the part is taken from. It is
model-agnostic: whatever predicts snapshots can be explained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.evaluation.explain.shapley import distinct_rows
from clv_core.features import FEATURES, GROUPS, STEP_CODES, STEP_GROUPS, STEP_VALUES, TIMING, Snapshot, Steps, Windows


@dataclass(frozen=True)
class Part:
    """One player of the game that Shapley values divide a prediction among; its text is ``feature_group.<id>``.

    Args:
        id: name of a feature group.
        features: columns of the feature table, at least one.
        values: columns of the steps' values.
        codes: columns of the steps' codes.
        timing: whether it is when the steps were, and how many.
    """

    id: str
    features: tuple[str, ...]
    values: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    timing: bool = False

    @property
    def in_steps(self) -> bool:
        """Whether channels of the event sequence belong to it."""
        return bool(self.values or self.codes or self.timing)


def _part(group: str) -> Part:
    return Part(
        group,
        tuple(name for name, feature in FEATURES.items() if feature.group == group),
        tuple(name for name in STEP_VALUES if STEP_GROUPS[name] == group),
        tuple(name for name in STEP_CODES if STEP_GROUPS[name] == group),
        group == TIMING,
    )


PARTS: Final = tuple(_part(group) for group in GROUPS)
"""All columns and channels of any snapshot, each in exactly one part."""


def parts_of(snapshot: Snapshot) -> tuple[Part, ...]:
    """Return :data:`PARTS` with the snapshot's own columns: in the part of their group, or in one after the others."""
    signals: dict[str, list[str]] = {}
    for name, column in snapshot.signals.items():
        signals.setdefault(column.group, []).append(name)
    with_signals = (replace(part, features=(*part.features, *signals.pop(part.id, ()))) for part in PARTS)
    return (*with_signals, *(Part(group, tuple(names)) for group, names in signals.items()))


def representatives(snapshot: Snapshot, predicted: NDArray[np.float64]) -> dict[str, str]:
    """Return for each part the name of the one feature that represents it in charts.

    It is the feature that orders the customers most like the predictions do (largest absolute Spearman correlation),
    the first of the table among equals.

    Args:
        snapshot: customers, at least one.
        predicted: their predicted value, [n].
    """
    numbers = snapshot.features.select_dtypes("number")
    ranks = numbers.rank().to_numpy()
    other = pd.Series(predicted).rank().to_numpy()
    finite = np.isfinite(ranks)
    strength = {
        str(name): _correlation(ranks[rows, position], other[rows])
        for position, (name, rows) in enumerate(zip(numbers.columns, finite.T, strict=True))
    }
    return {part.id: max(part.features, key=lambda name: strength.get(name, 0.0)) for part in parts_of(snapshot)}


def readings(snapshot: Snapshot, features: dict[str, str]) -> pd.DataFrame:
    """Return the representative feature of each part, in its own unit, [n, parts]; text stays text.

    Args:
        snapshot: the customers, n rows.
        features: of :func:`representatives`.
    """
    columns: dict[str, Any] = {part: snapshot.features[name].to_numpy() for part, name in features.items()}
    return pd.DataFrame(columns)


def _correlation(ranks: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if len(ranks) < 3 or np.ptp(ranks) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(abs(np.corrcoef(ranks, other)[0, 1]))


BACKGROUND: Final = 20
"""Every prediction of an explanation is made once for each: ranks are those of a run 20 times as large (``explain`` in
``tests/bench/README.md``)."""
NEAREST: Final = 10
"""Customers of a slice to draw from: few enough to be near its mean, enough to differ from seed to seed. A guess."""
DRAWS: Final = 100
"""Backgrounds that are tried where several answers are explained."""


def background_rows(predicted: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Return customers who together represent all: one from each of :data:`BACKGROUND` equal slices of the ranking.

    Of each slice one of the ten customers nearest to the slice's mean is drawn, so that the background's mean, which
    explanations start from, is close to the mean of all. A slice of like value holds very different chances to buy:
    where there are further answers, of :data:`DRAWS` backgrounds the one is taken whose means are nearest for all.

    Args:
        predicted: predicted value, [n], or all answers of which it is the first, [n, answers].
        seed: of the draw.
    """
    generator = np.random.default_rng(seed)
    answers = predicted.reshape(len(predicted), -1)
    value, near = answers[:, 0], []
    for part in np.array_split(np.argsort(value, kind="stable"), min(BACKGROUND, len(value))):
        near.append(part[np.argsort(np.abs(value[part] - value[part].mean()), kind="stable")[:NEAREST]])
    draws = 1 if answers.shape[1] == 1 else DRAWS
    drawn = np.array([[generator.choice(rows) for rows in near] for _ in range(draws)], np.int64)
    mean = answers.mean(axis=0)
    off = np.abs(answers[drawn].mean(axis=1) - mean) / np.maximum(np.abs(mean), 1e-300)  # [draws, answers]
    best: NDArray[np.int64] = drawn[off.sum(axis=1).argmin()]
    return best


def sample_rows(predicted: NDArray[np.float64], seed: int, size: int) -> NDArray[np.int64]:
    """Return ``size`` customers evenly spread over the ranking by predicted value, in the order of the rows.

    Args:
        predicted: predicted value, [n].
        seed: of the first place taken.
        size: how many; all where there are fewer customers.
    """
    count = len(predicted)
    if size >= count:
        return np.arange(count)
    step = count / size
    places = (np.random.default_rng(seed).random() * step + step * np.arange(size)).astype(np.int64)
    return np.sort(np.argsort(predicted, kind="stable")[np.minimum(places, count - 1)])


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
        """The parts of the pool's customers, its own columns included."""
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
        """Return an order of the mixed customers in which those with the same steps follow each other, [N].

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
        timing_steps = np.where(position < 0, first[timing][row], start[timing][row] + position)
        before_last = length[row] - 1 - position
        values = np.empty((len(timing_steps), len(STEP_VALUES)), np.float32)
        codes = np.empty((len(timing_steps), len(STEP_CODES)), np.int32)
        for number, part in enumerate(self.parts):
            if not part.values and not part.codes:
                continue
            origin = origins[:, number][row]
            taken = stop[origin] - 1 - before_last % (stop - start)[origin]
            taken = np.where(origin == timing[row], timing_steps, taken)
            for name in part.values:
                column = STEP_VALUES.index(name)
                values[:, column] = steps.values[taken, column]
            for name in part.codes:
                column = STEP_CODES.index(name)
                codes[:, column] = steps.codes[taken, column]
        mixed = Steps(
            customer_ids=np.full(len(origins), "", object),
            offsets=offsets,
            day=steps.day[timing_steps],
            gap_days=steps.gap_days[timing_steps],
            values=values,
            codes=codes,
            vocabularies=steps.vocabularies,
        )
        return Windows(mixed, offsets[:-1] + before, offsets[1:], windows.cutoff_day[timing])

    def _content(self, part: Part) -> NDArray[np.float64]:
        """The content of a part as numbers, one row for each row of the pool."""
        columns = [_numbers(self.pool.features[name]) for name in part.features]
        return np.column_stack([*columns, *self._channels(part)] if part.in_steps else columns)

    def _channels(self, part: Part) -> list[NDArray[np.float64]]:
        """The steps of a part: their number, [p], and channels from the latest step back, [p, longest]."""
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
