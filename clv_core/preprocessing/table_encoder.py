"""The encoder of the feature table: learned from training snapshots, JSON state, never NaN or infinite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.preprocessing.block import FewRows, NumberBlock, Table
from clv_core.preprocessing.encode import IMPUTE, CategoryEncoder, NumberEncoder
from clv_core.preprocessing.review_encoder import ReviewEncoder
from clv_core.records import JsonRecord

TextEncoder = CategoryEncoder | ReviewEncoder
Encoder = NumberEncoder | TextEncoder

CATEGORY: Final = "category"
TEXT: Final = "text"
AUTO: Final = "auto"
WIDE_SPREAD: Final = 10.0
"""A number whose largest size is over this many times its median size is read by its logarithm."""


class Described(Protocol):
    """What the encoder has to know of a feature."""

    @property
    def group(self) -> str:
        """The named group that explanations speak of."""

    @property
    def scale(self) -> str:
        """``log``, ``linear``, ``plain``, ``auto`` (log or linear, by the training rows), ``category`` or ``text``."""


@dataclass(frozen=True)
class TableEncoder(JsonRecord):
    """A fitted encoder; make one with :meth:`fit`.

    Args:
        encoders: one encoder for each feature that says something, in the order of the features.
        kept: positions of the columns that are kept, of all columns that the encoders make: columns that repeat
            another one in every training row are left out.
    """

    encoders: tuple[Encoder, ...]
    kept: tuple[int, ...]

    @classmethod
    def fit(
        cls, features: pd.DataFrame, table: Mapping[str, Described], impute: str = "median", constant: float = 0.0
    ) -> Self:
        """Learn how to encode the features of ``table`` from training rows.

        Args:
            features: training rows, numbers with NaN or texts with None for unknown, [n, f], n > 0.
            table: the features to use, by column name, such as ``Snapshot.described``.
            impute: what a gap becomes: ``mean``, ``median``, ``max``, ``constant``; with ``delete`` the median.
            constant: the filling of ``constant``, in the feature's unit.

        Raises:
            ValueError: an unknown way to impute, or no rows.
        """
        if impute not in IMPUTE or len(features) == 0:
            raise ValueError(f"cannot learn from {len(features)} rows with impute={impute!r}")
        found = (_fitted(name, feature, features[name], impute, constant) for name, feature in table.items())
        encoders = [encoder for encoder in found if encoder is not None]
        return cls(tuple(encoders), _telling(encoders, features))

    @property
    def columns_(self) -> tuple[str, ...]:
        """Names of the output columns [d]."""
        names = [column for encoder in self.encoders for column in encoder.columns]
        return tuple(names[position] for position in self.kept)

    def transform(self, features: Table) -> NDArray[np.float32]:
        """Return the encoded rows, float32 [n, d], all within ±8.

        Args:
            features: the columns that :meth:`fit` saw, in any order; one that is not there, or is no longer of its
                kind (a text that was a number), counts as unknown; others are ignored, [n, f].
        """
        encoded = np.empty((len(features), len(self.kept)), np.float32)
        numbers, texts = self._places
        numbers.transform(features, encoded)
        for encoder, places in texts:
            columns = encoder.transform(_texts(encoder.name, features))
            for at, place in places:
                encoded[:, place] = columns[at]
        return encoded

    @cached_property
    def _places(self) -> tuple[NumberBlock, list[tuple[TextEncoder, list[tuple[int, int]]]]]:
        """The numbers, and each encoder of a text with which of its columns goes where; no others are kept."""
        target = {position: place for place, position in enumerate(self.kept)}
        texts: list[tuple[TextEncoder, list[tuple[int, int]]]] = []
        position = 0
        for encoder in self.encoders:
            own = enumerate(range(position, position := position + len(encoder.columns)))
            places = [(at, target[column]) for at, column in own if column in target]
            if places and not isinstance(encoder, NumberEncoder):
                texts.append((encoder, places))
        return NumberBlock.of(self.encoders, target), texts

    def review_themes(self) -> tuple[tuple[str, ...], ...]:
        """Return the strongest n-grams of each theme of review texts; empty where there is none."""
        return tuple(theme for one in self.encoders if isinstance(one, ReviewEncoder) for theme in one.strongest())


def _fitted(name: str, feature: Described, values: pd.Series, impute: str, constant: float) -> Encoder | None:
    if feature.scale == CATEGORY:
        return CategoryEncoder.fit(name, feature.group, values)
    if feature.scale == TEXT:
        return ReviewEncoder.fit(name, feature.group, values)
    scale = _scale_of(values) if feature.scale == AUTO else feature.scale
    return NumberEncoder.fit(name, feature.group, scale, values, impute, constant)


def _scale_of(values: pd.Series) -> str:
    """Return ``log`` where a few values are far larger than most, else ``linear``."""
    sizes = np.abs(values.to_numpy(dtype=np.float64, na_value=np.nan))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return "log" if len(sizes) and sizes.max() > WIDE_SPREAD * np.median(sizes) else "linear"


def _texts(name: str, features: Table) -> pd.Series | NDArray[np.object_]:
    """Return a column of texts, [n]; all unknown where there is none of its name, or it holds numbers."""
    if isinstance(features, FewRows):
        if name in features.texts:
            return features.texts[name]
    elif name in features and not pd.api.types.is_numeric_dtype(features[name]):
        return features[name]
    return np.full(len(features), None, object)


def _telling(encoders: list[Encoder], features: pd.DataFrame) -> tuple[int, ...]:
    """Return the positions of the columns that vary and do not repeat an earlier one."""
    seen: set[bytes] = set()
    kept = []
    position = 0
    for encoder in encoders:
        for column in encoder.transform(features[encoder.name]):
            key = column.tobytes()
            if column.min() != column.max() and key not in seen:
                seen.add(key)
                kept.append(position)
            position += 1
    return tuple(kept)
