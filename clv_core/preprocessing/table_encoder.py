"""The encoder of the feature table: learned from training snapshots, JSON state, never NaN or infinite.

Texts are encoded one by one, all numbers together (:class:`NumberBlock`). A table of few rows need not be a frame,
which would take longer to make than to encode (:class:`FewRows`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.preprocessing.encode import IMPUTE, LOG, CategoryEncoder, NumberEncoder
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
        encoders: one encoder for each feature with information, in the order of the features.
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
        candidates = (_fitted(name, feature, features[name], impute, constant) for name, feature in table.items())
        encoders = [encoder for encoder in candidates if encoder is not None]
        return cls(tuple(encoders), _varying_columns(encoders, features))

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
            columns = enumerate(range(position, position := position + len(encoder.columns)))
            places = [(at, target[column]) for at, column in columns if column in target]
            if places and not isinstance(encoder, NumberEncoder):
                texts.append((encoder, places))
        return NumberBlock.of(self.encoders, target), texts

    def review_themes(self) -> tuple[tuple[str, ...], ...]:
        """Return the strongest n-grams of each theme of review texts; empty where there is none."""
        return tuple(
            theme for encoder in self.encoders if isinstance(encoder, ReviewEncoder) for theme in encoder.strongest()
        )


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


def _varying_columns(encoders: list[Encoder], features: pd.DataFrame) -> tuple[int, ...]:
    """Return the positions of the columns that vary and do not repeat an earlier one."""
    seen: set[bytes] = set()
    positions = []
    position = 0
    for encoder in encoders:
        for column in encoder.transform(features[encoder.name]):
            key = column.tobytes()
            if column.min() != column.max() and key not in seen:
                seen.add(key)
                positions.append(position)
            position += 1
    return tuple(positions)


class FewRows:
    """n rows of named columns.

    Args:
        numeric: names of the numbers, [k].
        block: their values, NaN for unknown, float64 [k, n].
        texts: the other columns by name, None for unknown, object [n] each.
    """

    def __init__(
        self, numeric: tuple[str, ...], block: NDArray[np.float64], texts: Mapping[str, NDArray[np.object_]]
    ) -> None:
        self.texts = texts
        self._numeric, self._block = numeric, block

    def __len__(self) -> int:
        """Return n."""
        return int(self._block.shape[1])

    def numbers(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """Return columns as numbers, NaN for unknown, for one that is not there and for one that is no number, [m, n].

        Args:
            names: of m columns.
        """
        places, absent = _places(self._numeric, names)
        values: NDArray[np.float64] = self._block[places]
        if len(absent):
            values[absent] = np.nan
        return values

    def with_columns(self, columns: Mapping[str, NDArray[Any]]) -> FewRows:
        """Return the rows with more columns, float64 or texts, [n] each."""
        texts = {name: values for name, values in columns.items() if values.dtype == object}
        numbers = {name: values for name, values in columns.items() if name not in texts}
        block = np.vstack([self._block, *numbers.values()]) if numbers else self._block
        return FewRows((*self._numeric, *numbers), block, {**self.texts, **texts})

    def frame(self, order: Sequence[str] = ()) -> pd.DataFrame:
        """Return the same as a frame, rows counted from 0; numbers first unless ``order`` names all columns."""
        frame = pd.DataFrame(self._block.T, columns=list(self._numeric), copy=False)
        for place, name in enumerate(order or (*self._numeric, *self.texts)):
            if name in self.texts:
                frame.insert(place, name, pd.Series(self.texts[name], dtype=object))
        return frame


@lru_cache(maxsize=64)
def _places(numeric: tuple[str, ...], names: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each of ``names`` lies, 0 for one that does not, [m]; and which of them do not."""
    place: dict[str, Any] = {name: at for at, name in enumerate(numeric)}
    positions = np.array([place.get(name, -1) for name in names], np.int64)
    return np.maximum(positions, 0), np.flatnonzero(positions < 0)


Table = pd.DataFrame | FewRows
"""Features of n customers; few of them need no frame."""

ROWS_AT_ONCE: Final = 8192
"""A part of the block stays in the processor's caches."""


class NumberBlock:
    """Number encoders of a table, with what each writes where.

    Args:
        encoders: k of them.
        values: place of each one's numbers among the output columns, -1 where they are left out, [k].
        unknown: place of its column that marks unknown values, -1 where there is none, [k].
    """

    def __init__(self, encoders: Sequence[NumberEncoder], values: Sequence[int], unknown: Sequence[int]) -> None:
        read = [at for at, places in enumerate(zip(values, unknown, strict=True)) if max(places) >= 0]
        order = sorted(read, key=lambda at: encoders[at].scale != LOG)  # logarithms first, side by side
        ordered = [encoders[at] for at in order]
        self._names = tuple(encoder.name for encoder in ordered)
        self._logs = sum(encoder.scale == LOG for encoder in ordered)
        self._fill, self._unit, self._mean, self._spread, self._low, self._high = (
            np.array([[getattr(encoder, name)] for encoder in ordered]).reshape(-1, 1)
            for name in ("fill", "unit", "mean", "spread", "low", "high")
        )
        self._values, self._unknown = (np.array([places[at] for at in order], np.int64) for places in (values, unknown))

    def transform(self, features: Table, encoded: NDArray[np.float32]) -> None:
        """Fill in the columns of ``encoded`` [n, d] that these encoders make.

        Args:
            features: a column that is not there, or is no number, counts as unknown, [n, f].
            encoded: all output columns.
        """
        if isinstance(features, FewRows) or len(features) <= ROWS_AT_ONCE:
            self._part(numbers_of(features, self._names), encoded)
            return
        for begin in range(0, len(features), ROWS_AT_ONCE):
            rows = slice(begin, begin + ROWS_AT_ONCE)
            self._part(numbers_of(features.iloc[rows], self._names), encoded[rows])

    def _part(self, numbers: NDArray[np.float64], encoded: NDArray[np.float32]) -> None:
        finite = np.isfinite(numbers)
        scaled = np.where(finite, numbers, self._fill)
        logs = scaled[: self._logs]
        with np.errstate(all="ignore"):
            relative = np.minimum(np.abs(logs) / self._unit[: self._logs], np.finfo(np.float64).max)
            scaled[: self._logs] = np.sign(logs) * np.log1p(relative)
            standard = (scaled - self._mean) / self._spread
        clipped = np.clip(standard, self._low, self._high).astype(np.float32)
        for places, block in ((self._values, clipped), (self._unknown, ~finite)):
            some = places >= 0
            encoded[:, places[some]] = block[some].T

    @classmethod
    def of(cls, encoders: Sequence[object], target: dict[int, int]) -> Self:
        """Return the block of all number encoders among ``encoders``.

        Args:
            encoders: of a table, each making one or more columns, in their order.
            target: place among the output columns, by position among all columns that the encoders make.
        """
        numbers, values, unknown, position = [], [], [], 0
        for encoder in encoders:
            width = len(encoder.columns)  # type: ignore[attr-defined]
            if isinstance(encoder, NumberEncoder):
                numbers.append(encoder)
                values.append(target.get(position, -1))
                unknown.append(target.get(position + 1, -1) if encoder.flagged else -1)
            position += width
        return cls(numbers, values, unknown)


def numbers_of(features: Table, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Return columns as numbers, NaN for unknown, for one that is not there and for one that is no number, [k, n]."""
    if isinstance(features, FewRows):
        return features.numbers(names)
    places = features.columns.get_indexer(pd.Index(names, dtype=object))
    if (places >= 0).all():
        block = features.take(places, axis=1).to_numpy()
        if block.dtype == np.float64:
            return block.T
    numbers = np.full((len(names), len(features)), np.nan)
    for row, name in zip(numbers, names, strict=True):
        if name in features and pd.api.types.is_numeric_dtype(features[name]):
            row[:] = features[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers
