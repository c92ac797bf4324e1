"""Find identical rows, so that each is predicted once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distinct_rows(rows: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the place of one row of each kind, and the kind of each row [n]; equal bytes are the same kind.

    Args:
        rows: [n, m].
    """
    whole = np.ascontiguousarray(rows)
    lines = whole.view(np.dtype((np.void, whole.itemsize * whole.shape[1]))).ravel()
    _, first, kind = np.unique(lines, return_index=True, return_inverse=True)
    return first, kind
