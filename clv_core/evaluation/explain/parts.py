"""What a prediction is divided among (groups of features, the event sequence), and whom customers are compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.features import FEATURES, GROUPS, STEP_CODES, STEP_GROUPS, STEP_VALUES, TIMING, Snapshot


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
        """Whether the event sequence says something of it."""
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
"""Everything that any snapshot says of a customer, each thing in exactly one part."""


def parts_of(snapshot: Snapshot) -> tuple[Part, ...]:
    """Return :data:`PARTS` with the snapshot's own columns: in the part of their group, or in one after the others."""
    own: dict[str, list[str]] = {}
    for name, column in snapshot.signals.items():
        own.setdefault(column.group, []).append(name)
    known = (replace(part, features=(*part.features, *own.pop(part.id, ()))) for part in PARTS)
    return (*known, *(Part(group, tuple(names)) for group, names in own.items()))


def representatives(snapshot: Snapshot, predicted: NDArray[np.float64]) -> dict[str, str]:
    """Return for each part the name of the one feature that stands for it in charts.

    It is the feature that orders the customers most like the predictions do (largest absolute Spearman correlation),
    the first of the table among equals.

    Args:
        snapshot: customers, at least one.
        predicted: their predicted value, [n].
    """
    numbers = snapshot.features.select_dtypes("number")
    ranks = numbers.rank().to_numpy()
    other = pd.Series(predicted).rank().to_numpy()
    known = np.isfinite(ranks)
    strength = {
        str(name): _correlation(ranks[rows, position], other[rows])
        for position, (name, rows) in enumerate(zip(numbers.columns, known.T, strict=True))
    }
    return {part.id: max(part.features, key=lambda name: strength.get(name, 0.0)) for part in parts_of(snapshot)}


def readings(snapshot: Snapshot, chosen: dict[str, str]) -> pd.DataFrame:
    """Return what stands for each part, in its own unit, [n, parts]; text stays text.

    Args:
        snapshot: the customers, n rows.
        chosen: of :func:`representatives`.
    """
    columns: dict[str, Any] = {part: snapshot.features[name].to_numpy() for part, name in chosen.items()}
    return pd.DataFrame(columns)


def _correlation(ranks: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if len(ranks) < 3 or np.ptp(ranks) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(abs(np.corrcoef(ranks, other)[0, 1]))


BACKGROUND: Final = 20
NEAREST: Final = 10
DRAWS: Final = 100
"""Backgrounds that are tried where several answers are explained."""


def background_rows(predicted: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Return customers who together stand for all: one from each of :data:`BACKGROUND` equal slices of the ranking.

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
