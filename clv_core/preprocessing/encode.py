"""One feature to a few columns of small finite numbers: gaps filled, numbers by log and spread, texts by one-hot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.records import JsonRecord

IMPUTE: Final = ("mean", "median", "max", "constant", "delete")
"""What becomes of a gap; with ``delete`` training windows were left out before, and any other gap gets the median."""


def fill_value(values: NDArray[np.float64], how: str, constant: float = 0.0) -> float:
    """Return the number that fills the gaps of a column.

    Args:
        values: the finite values of the column in training, in the feature's own unit, float64 [k], k > 0.
        how: one of :data:`IMPUTE`.
        constant: the filling of ``constant``.

    Raises:
        ValueError: ``how`` is none of :data:`IMPUTE`.
    """
    if how == "mean":
        return mean_and_spread(values)[0]
    if how in ("median", "delete"):
        return _median(values)
    if how == "max":
        return float(values.max())
    if how == "constant":
        return float(constant)
    raise ValueError(f"unknown way to fill gaps: {how!r}")


def mean_and_spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation, without overflow for any finite values, float64 [k], k > 0."""
    largest = float(np.abs(values).max())
    if largest == 0:
        return 0.0, 0.0
    shrunk = values / largest
    return float(shrunk.mean()) * largest, float(shrunk.std()) * largest


def _median(values: NDArray[np.float64]) -> float:
    return float(np.quantile(values, 0.5, method="lower"))


CLIP: Final = 8.0
"""No encoded number is larger than this, in standard deviations."""

MAX_CATEGORIES: Final = 30
"""Columns of one text feature, the most frequent texts first; a guess that keeps a row small."""
FEW_ROWS: Final = 32
"""Of so few rows, finding those with the same text takes longer than looking each up."""
MIN_ROWS: Final = 10
"""A text has a column of its own when at least this many training rows have it; rarer ones share the column of others.
A guess: of fewer rows a network learns the customers, not the text."""

LOG: Final = "log"
PLAIN: Final = "plain"


@dataclass(frozen=True)
class NumberEncoder(JsonRecord):
    """A number: its gaps filled, by its logarithm or not, in standard deviations from the mean, within ±8.

    A value beyond those of the training rows is taken as the nearest of them: a network trained on customers of up to
    three months has learned nothing of a year, and a straight line through the unknown was wrong by a factor of two.

    Args:
        name: the feature.
        group: its group.
        scale: ``log``: sign(x) log1p(|x| / unit); ``linear``: x; ``plain``: x, and not standardised.
        unit: the median size of a value that is not 0, in the feature's unit.
        fill: what a gap becomes, in the feature's unit.
        mean: mean of the training rows after filling and scaling.
        spread: their standard deviation.
        flagged: whether a column marks unknown values.
        low: smallest encoded number of the training rows.
        high: largest encoded number of the training rows.
    """

    name: str
    group: str
    scale: str
    unit: float
    fill: float
    mean: float
    spread: float
    flagged: bool
    low: float = -CLIP
    high: float = CLIP

    @classmethod
    def fit(cls, name: str, group: str, scale: str, values: pd.Series, impute: str, constant: float) -> Self | None:
        """Return the encoder of a column, or None where it holds no information: no value, or the same everywhere."""
        numbers = _numbers(values)
        finite = np.isfinite(numbers)
        if not finite.any():
            return None
        sizes = np.abs(numbers[finite & (numbers != 0)])
        unit = float(np.quantile(sizes, 0.5, method="lower")) if len(sizes) else 1.0
        fill = fill_value(numbers[finite], impute, constant)
        bare = cls(name, group, scale, unit, fill, 0.0, 1.0, not bool(finite.all()))
        scaled = bare._scaled(numbers)
        if scaled.min() == scaled.max():
            return None if finite.all() else bare
        mean, spread = (0.0, 1.0) if scale == PLAIN else mean_and_spread(scaled)
        if spread == 0:
            return None
        with np.errstate(over="ignore"):
            low, high = (float(np.clip((edge - mean) / spread, -CLIP, CLIP)) for edge in (scaled.min(), scaled.max()))
        return replace(bare, mean=mean, spread=spread, low=low, high=high)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it makes."""
        return (self.name, f"{self.name}:unknown") if self.flagged else (self.name,)

    def transform(self, values: pd.Series) -> list[NDArray[np.float32]]:
        """Return the columns, float32 [n] each, finite for any input."""
        numbers = _numbers(values)
        with np.errstate(all="ignore"):
            standard = (self._scaled(numbers) - self.mean) / self.spread
        encoded = np.clip(standard, self.low, self.high).astype(np.float32)
        return [encoded, (~np.isfinite(numbers)).astype(np.float32)] if self.flagged else [encoded]

    def _scaled(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        filled = np.where(np.isfinite(numbers), numbers, self.fill)
        if self.scale != LOG:
            return filled
        with np.errstate(over="ignore"):
            relative = np.minimum(np.abs(filled) / self.unit, np.finfo(np.float64).max)
        return np.sign(filled) * np.log1p(relative)


@dataclass(frozen=True)
class CategoryEncoder(JsonRecord):
    """A text: one column for each frequent text, one for all others, and one for none where training had gaps.

    Args:
        name: the feature.
        group: its group.
        texts: those with a column of their own, sorted.
        flagged: whether a column marks rows without a text.
    """

    name: str
    group: str
    texts: tuple[str, ...]
    flagged: bool

    @classmethod
    def fit(cls, name: str, group: str, values: pd.Series) -> Self | None:
        """Return the encoder of a column, or None where it holds no information."""
        gaps = bool(values.isna().any())
        counts = values.dropna().astype(str).value_counts()
        if counts.empty or (len(counts) == 1 and not gaps):
            return None
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        texts = [str(text) for text, rows in ranked[:MAX_CATEGORIES] if rows >= MIN_ROWS]
        return cls(name, group, tuple(sorted(texts)), gaps)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it makes."""
        names = (*(f"{self.name}={text}" for text in self.texts), f"{self.name}:other")
        return (*names, f"{self.name}:unknown") if self.flagged else names

    def transform(self, values: pd.Series | NDArray[np.object_]) -> list[NDArray[np.float32]]:
        """Return the columns, float32 [n] each: exactly one of them is 1 in every row."""
        encoded = np.zeros((len(self.texts) + 1 + self.flagged, len(values)), np.float32)
        if len(values) <= FEW_ROWS:
            codes = np.array([self._code(text) for text in values], np.int64)
        else:
            places, distinct = pd.factorize(values)
            codes = np.array([self._code(text) for text in (*distinct, None)], np.int64)[places]
        encoded[codes, np.arange(len(values))] = 1
        return list(encoded)

    def _code(self, text: Any) -> int:
        """Return the place of a text's column."""
        code = self._code_of.get(text)
        if code is None:
            other = len(self.texts)
            code = other + self.flagged if pd.isna(text) else self._code_of.get(str(text), other)
        return code

    @cached_property
    def _code_of(self) -> dict[str, int]:
        return {text: code for code, text in enumerate(self.texts)}


def _numbers(values: pd.Series) -> NDArray[np.float64]:
    return values.to_numpy(dtype=np.float64, na_value=np.nan)
