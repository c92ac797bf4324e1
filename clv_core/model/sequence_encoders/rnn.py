"""Simple memory (RNN)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import nn

LABELS: Final = {"en": "Simple memory (RNN)", "zh": "简单循环网络（RNN）"}
COST: Final = 0.33
"""Time of a training step relative to a GRU's: one gate instead of three."""


def make(width_in: int, width: int, layers: int, dropout: float) -> nn.Module:
    """Return the recurrent layers, with dropout between them."""
    from torch import nn

    return nn.RNN(width_in, width, num_layers=layers, dropout=dropout if layers > 1 else 0.0)
