"""What a prediction is explained by: named groups of features, and channels of the event sequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import PURCHASE
from clv_core.features.behaviour import FEATURES, GROUPS
from clv_core.features.labels import label
from clv_core.features.sequences import STEP_CODES, STEP_VALUES, Windows
from clv_core.features.snapshot import Snapshot
from clv_core.i18n import DEFAULT_LANGUAGE, translate


@dataclass(frozen=True)
class Part:
    """One player of the game that Shapley values divide a prediction among; its text is ``feature_group.<id>``.

    Args:
        id: name of a feature group, or ``sequence_...``.
        features: columns of the feature table.
        values: columns of the steps' values.
        codes: columns of the steps' codes.
        timing: whether it is when the steps were, and how many.
    """

    id: str
    features: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    timing: bool = False


SEQUENCE_PARTS: Final = (
    Part("sequence_timing", timing=True),
    Part("sequence_types", codes=STEP_CODES),
    Part("sequence_money", values=("amount", "quantity", "lines", "discount")),
    Part("sequence_ratings", values=("rating", "review_length")),
)
PARTS: Final = (
    *(Part(group, tuple(name for name, one in FEATURES.items() if one.group == group)) for group in GROUPS),
    *SEQUENCE_PARTS,
)
"""Everything that any snapshot says of a customer, each thing in exactly one part."""


def parts_of(snapshot: Snapshot) -> tuple[Part, ...]:
    """Return :data:`PARTS`, and one part for each group of the snapshot's own columns."""
    own: dict[str, list[str]] = {}
    for name, column in snapshot.signals.items():
        own.setdefault(column.group, []).append(name)
    return (*PARTS, *(Part(group, tuple(names)) for group, names in own.items()))


def _timing(windows: Windows) -> NDArray[np.float64]:
    return np.asarray(windows.cutoff_day - windows.steps.day[windows.stop - 1], np.float64)


def _purchase_share(windows: Windows) -> NDArray[np.float64]:
    column = STEP_CODES.index("event_type")
    texts = windows.steps.vocabularies[column]
    code = texts.index(PURCHASE) if PURCHASE in texts else -2
    return _mean(windows, (windows.steps.codes[:, column] == code).astype(np.float64))


def _value_mean(name: str) -> Callable[[Windows], NDArray[np.float64]]:
    column = STEP_VALUES.index(name)
    return lambda windows: _mean(windows, windows.steps.values[:, column].astype(np.float64))


def _mean(windows: Windows, steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over each window's known steps, NaN where none is known, [n]."""
    known = np.isfinite(steps)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, steps, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    total, count = sums[windows.stop] - sums[windows.start], counts[windows.stop] - counts[windows.start]
    return np.asarray(np.divide(total, count, out=np.full(len(windows), np.nan), where=count > 0))


SEQUENCE_READINGS: Final[dict[str, Callable[[Windows], NDArray[np.float64]]]] = {
    "sequence_timing": _timing,
    "sequence_types": _purchase_share,
    "sequence_money": _value_mean("amount"),
    "sequence_ratings": _value_mean("rating"),
}
"""For each sequence part the number that stands for it in charts; its text is ``explain.reading.<part>``."""


def representatives(snapshot: Snapshot, predicted: NDArray[np.float64]) -> dict[str, str]:
    """Return for each part the name of the one feature that stands for it in charts; a sequence part has its own.

    Of a feature group it is the feature that orders the customers most like the predictions do (largest absolute
    Spearman correlation), the first of the table among equals.

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
    chosen = {
        part.id: max(part.features, key=lambda name: strength.get(name, 0.0))
        for part in parts_of(snapshot)
        if part.features
    }
    return {**chosen, **{part: part for part in SEQUENCE_READINGS}}


def readings(snapshot: Snapshot, chosen: dict[str, str]) -> pd.DataFrame:
    """Return what stands for each part, in its own unit, [n, parts]; text stays text.

    Args:
        snapshot: the customers, n rows.
        chosen: of :func:`representatives`.
    """
    columns: dict[str, Any] = {
        part.id: snapshot.features[chosen[part.id]].to_numpy() for part in parts_of(snapshot) if part.features
    }
    columns |= {part: read(snapshot.windows) for part, read in SEQUENCE_READINGS.items()}
    return pd.DataFrame(columns)


def _correlation(ranks: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if len(ranks) < 3 or np.ptp(ranks) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(abs(np.corrcoef(ranks, other)[0, 1]))


def reading_label(representative: str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return what a reading is, in words: the name of a feature, or of what is read off the event sequence."""
    if representative in SEQUENCE_READINGS:
        return translate(f"explain.reading.{representative}", language)
    return label(representative, language)
