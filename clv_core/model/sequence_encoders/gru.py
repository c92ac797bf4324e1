"""Light memory (GRU)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import nn

LABELS: Final = {"en": "Light memory (GRU)", "zh": "轻量记忆网络（GRU）"}
COST: Final = 1.0
"""Time of a training step relative to a GRU's."""


def make(width_in: int, width: int, layers: int, dropout: float) -> nn.Module:
    """Return the recurrent layers, with dropout between them."""
    from torch import nn

    return nn.GRU(width_in, width, num_layers=layers, dropout=dropout if layers > 1 else 0.0)
