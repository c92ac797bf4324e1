"""The feature groups that explain a prediction, each with the matching channels of the event sequence.

What a customer did is told to a model more than once: her ratings are in the feature table and in the steps. Shapley
values of things that say the same share one effect among them, each looking weak; so they are one part.

Source: Jullum, Redelmeier, Aas (2021), groupShapley: efficient prediction explanation with Shapley values for feature
groups, arXiv 2106.12228.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.features.behaviour import FEATURES, GROUPS
from clv_core.features.sequences import STEP_CODES, STEP_GROUPS, STEP_VALUES, TIMING
from clv_core.features.snapshot import Snapshot


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
