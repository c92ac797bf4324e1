"""A feature table of few rows, read by the columns that an encoder wants: to build a frame would take far longer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


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
        found: NDArray[np.float64] = self._block[places]
        if len(absent):
            found[absent] = np.nan
        return found

    def frame(self) -> pd.DataFrame:
        """Return the same as a frame, numbers first, rows counted from 0."""
        frame = pd.DataFrame(self._block.T, columns=pd.Index(self._numeric, dtype=object), copy=False)
        return pd.concat([frame, pd.DataFrame(dict(self.texts), frame.index, dtype=object)], axis=1)


@lru_cache(maxsize=64)
def _places(numeric: tuple[str, ...], names: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each of ``names`` lies, 0 for one that does not, [m]; and which of them do not."""
    place: dict[str, Any] = {name: at for at, name in enumerate(numeric)}
    found = np.array([place.get(name, -1) for name in names], np.int64)
    return np.maximum(found, 0), np.flatnonzero(found < 0)
