"""Normal draws that are spread evenly over all that may be: scrambled points of Sobol', taken back to normals.

They are those of ``scipy.stats.qmc.MultivariateNormalQMC``, to the last digit; that package takes half a second to
import, and a page that adds up values needs nothing else of it.

Source: Joe and Kuo (2008), Constructing Sobol sequences with better two-dimensional projections, SIAM J. Sci. Comput.
30(5), whose directions these are; Matousek (1998), On the L2-discrepancy for anchored boxes, for the scrambling.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Words = NDArray[np.uint32]

DIRECTIONS: Final = ((0, 0, (1,)), (1, 0, (1,)), (2, 1, (1, 3)), (3, 1, (1, 3, 1)), (3, 2, (1, 1, 1)))
"""Of each dimension the degree of a polynomial, the bits within it, and the numbers to begin with."""
BITS: Final = 30
_POWERS: Final = 2 ** np.arange(BITS, dtype=np.uint32)


def spread_normals(count: int, rng: np.random.Generator) -> Floats:
    """Return standard normal draws, [count, 5]; most even where ``count`` is a power of 2.

    Args:
        count: how many, up to 2^30.
        rng: of the scrambling; it draws from a generator that is spawned from this one.
    """
    own, size = rng.spawn(1)[0], (len(DIRECTIONS), BITS)
    point = own.integers(2, size=size, dtype=np.uint32) @ _POWERS
    steps = _scrambled(np.array([_directions(*one) for one in DIRECTIONS], np.uint32), own)
    points = np.tile(point, (count, 1))
    place = np.arange(count)
    gray = place ^ place >> 1
    for bit in range(max(count - 1, 0).bit_length()):
        points[gray >> bit & 1 == 1] ^= steps[:, bit]
    drawn: Floats = ndtri(0.5 + (1 - 1e-10) * (points / 2**BITS - 0.5))
    return drawn


def _directions(degree: int, within: int, first: tuple[int, ...]) -> list[int]:
    """Return the direction numbers of one dimension, [BITS]; a polynomial of degree 0 is that of bits reversed."""
    found = list(first) if degree else [1] * BITS
    for place in range(len(found), BITS):
        new = found[place - degree] ^ found[place - degree] << degree
        for back in range(1, degree):
            new ^= (within >> degree - 1 - back & 1) * found[place - back] << back
        found.append(new)
    return [number << BITS - 1 - place for place, number in enumerate(found)]


def _scrambled(directions: Words, rng: np.random.Generator) -> Words:
    """Return direction numbers, [dimensions, BITS], each times a random lower triangular matrix of bits."""
    mixing = np.tril(rng.integers(2, size=(len(directions), BITS, BITS), dtype=np.uint32))
    mixing[:, np.arange(BITS), np.arange(BITS)] = 1
    highest_first = _POWERS[::-1, None]
    bits = (directions[:, None, :] & highest_first > 0).astype(np.uint32)
    mixed: Words = (mixing @ bits % 2 * highest_first).sum(axis=1, dtype=np.uint32)
    return mixed
