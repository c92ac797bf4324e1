"""Gauss-Jacobi quadrature under many beta densities at once."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NODES: Final = 64
_CHUNK: Final = 256


def beta_nodes(a: float, b: Floats) -> tuple[Floats, Floats]:
    """Return nodes and weights such that ``sum(weights * g(nodes), axis=1)`` is the mean of g(p) under Beta(a, b).

    Exact for polynomials of degree ``2 * NODES - 1`` and stable for any a, b > 0, however peaked the density: where a
    hypergeometric function of the same integral overflows or cancels, this does not.

    Args:
        a: first shape parameter.
        b: second shape parameter of each density, shape [u].

    Returns:
        Nodes in (0, 1) and weights that sum to 1, each of shape [u, :data:`NODES`].

    Source: Golub and Welsch 1969, Calculation of Gauss quadrature rules; Jacobi recurrence with exponents b - 1, a - 1.
    """
    points = np.empty((len(b), NODES))
    weights = np.empty((len(b), NODES))
    for begin in range(0, len(b), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        values, vectors = np.linalg.eigh(_jacobi_matrices(a, b[part]))
        points[part] = np.clip((values + 1) / 2, np.finfo(float).tiny, 1.0)
        weights[part] = vectors[:, 0, :] ** 2
    return points, weights


def kept_beta_nodes(a: float, b: Floats) -> tuple[Floats, Floats]:
    """Return :func:`beta_nodes`, each density's worked out once for as long as it is asked for."""
    if not len(b):
        return beta_nodes(a, b)
    found = [_nodes_of(a, float(one)) for one in b]
    return np.stack([nodes for nodes, _ in found]), np.stack([weights for _, weights in found])


@lru_cache(maxsize=2048)
def _nodes_of(a: float, b: float) -> tuple[Floats, Floats]:
    nodes, weights = beta_nodes(a, np.array([b]))
    return nodes[0], weights[0]


def _jacobi_matrices(a: float, b: Floats) -> Floats:
    left, right = a - 1.0, (b - 1.0)[:, None]
    total = left + right
    k = np.arange(1, NODES, dtype=np.float64)[None, :]
    matrices = np.zeros((len(b), NODES, NODES))
    diagonal = np.arange(NODES)
    matrices[:, 0, 0] = ((left - right) / (total + 2))[:, 0]
    matrices[:, diagonal[1:], diagonal[1:]] = (left - right) * total / ((2 * k + total) * (2 * k + total + 2))
    square = np.empty((len(b), NODES - 1))
    square[:, :1] = 4 * (1 + left) * (1 + right) / ((2 + total) ** 2 * (3 + total))
    k = k[:, 1:]
    square[:, 1:] = 4 * k * (k + left) * (k + right) * (k + total)
    square[:, 1:] /= (2 * k + total) ** 2 * (2 * k + total + 1) * (2 * k + total - 1)
    beside = np.sqrt(square)
    matrices[:, diagonal[1:], diagonal[:-1]] = beside
    matrices[:, diagonal[:-1], diagonal[1:]] = beside
    return matrices
