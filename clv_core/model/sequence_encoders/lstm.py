"""Long memory (LSTM)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import nn

LABELS: Final = {"en": "Long memory (LSTM)", "zh": "长记忆网络（LSTM）"}
COST: Final = 1.33
"""Time of a training step relative to a GRU's: four gates instead of three."""


def make(width_in: int, width: int, layers: int, dropout: float) -> nn.Module:
    """Return the recurrent layers, with dropout between them."""
    from torch import nn

    return nn.LSTM(width_in, width, num_layers=layers, dropout=dropout if layers > 1 else 0.0)
