"""How value builds up over time: the share of a horizon's value by any day, never falling, and 1 at the horizon.

C(r) = sum_k w_k B_k(r) / sum_k w_k B_k(1) with r in horizons, weights w_k > 0 that add up to 1, and basis curves that
rise from 0: saturating ones for customers about to leave, an even one, and one that starts late.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

SATURATIONS: Final = (0.15, 0.5, 1.5, 4.0)
"""Horizons after which a saturating curve has reached 1 - 1/e."""
WIDTH: Final = len(SATURATIONS) + 2
START: Final = (-1.0, -1.0, 0.0, 1.0, 1.0, -1.0)
"""Log weights before anything is learned: nearly even."""


def basis(ratio: Tensor) -> Tensor:
    """Return the basis curves at ``ratio`` horizons [B], shape [B, WIDTH]."""
    rising = [-torch.expm1(-ratio / tau) for tau in SATURATIONS]
    return torch.stack([*rising, ratio, ratio**2 / (1 + ratio**2)], dim=-1)


def share(weights: Tensor, ratio: Tensor) -> Tensor:
    """Return C(ratio) [B] of curves with ``weights`` [B, WIDTH], positive."""
    at_horizon = basis(torch.ones_like(ratio))
    return (weights * basis(ratio)).sum(-1) / (weights * at_horizon).sum(-1)
