"""Gauss-Jacobi quadrature under many beta densities at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NODES: Final = 64
_CHUNK: Final = 256


def beta_nodes(a: float, b: Floats, nodes: int = NODES) -> tuple[Floats, Floats]:
    """Return nodes and weights such that ``sum(weights * g(nodes), axis=1)`` is the mean of g(p) under Beta(a, b).

    Exact for polynomials of degree ``2 * nodes - 1`` and stable for any a, b > 0, however peaked the density: where a
    hypergeometric function of the same integral overflows or cancels, this does not.

    Args:
        a: first shape parameter.
        b: second shape parameter of each density, shape [u].
        nodes: number of nodes m.

    Returns:
        Nodes in (0, 1) and weights that sum to 1, each of shape [u, m].

    Source: Golub and Welsch 1969, Calculation of Gauss quadrature rules; Jacobi recurrence with exponents b - 1, a - 1.
    """
    points = np.empty((len(b), nodes))
    weights = np.empty((len(b), nodes))
    for begin in range(0, len(b), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        values, vectors = np.linalg.eigh(_jacobi_matrices(a, b[part], nodes))
        points[part] = np.clip((values + 1) / 2, np.finfo(float).tiny, 1.0)
        weights[part] = vectors[:, 0, :] ** 2
    return points, weights


def _jacobi_matrices(a: float, b: Floats, nodes: int) -> Floats:
    left, right = a - 1.0, (b - 1.0)[:, None]
    total = left + right
    k = np.arange(1, nodes, dtype=np.float64)[None, :]
    matrices = np.zeros((len(b), nodes, nodes))
    diagonal = np.arange(nodes)
    matrices[:, 0, 0] = ((left - right) / (total + 2))[:, 0]
    matrices[:, diagonal[1:], diagonal[1:]] = (left - right) * total / ((2 * k + total) * (2 * k + total + 2))
    square = np.empty((len(b), nodes - 1))
    square[:, :1] = 4 * (1 + left) * (1 + right) / ((2 + total) ** 2 * (3 + total))
    k = k[:, 1:]
    square[:, 1:] = 4 * k * (k + left) * (k + right) * (k + total)
    square[:, 1:] /= (2 * k + total) ** 2 * (2 * k + total + 1) * (2 * k + total - 1)
    beside = np.sqrt(square)
    matrices[:, diagonal[1:], diagonal[:-1]] = beside
    matrices[:, diagonal[:-1], diagonal[1:]] = beside
    return matrices
