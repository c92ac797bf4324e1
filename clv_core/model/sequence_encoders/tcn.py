"""Dilated causal convolutions over the steps: nothing is read one after the other.

Source: Bai, Kolter, Koltun (2018), An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence
Modeling, arXiv 1803.01271.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import nn

LABELS: Final = {"en": "Convolutions (TCN)", "zh": "时间卷积（TCN）"}
COST: Final = 0.7
"""Time of a training step relative to a GRU's (.69 to .71, tests/bench/README.md)."""
TAPS: Final = 3
"""Steps that a convolution reads, and the factor between dilations; a usual choice."""
LAYERS: Final = 3
"""Where the settings want one recurrent layer: with dilations 1, 3 and 9 they see 27 steps."""


def make(width_in: int, width: int, layers: int, dropout: float) -> nn.Module:
    """Return the convolutions."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional as F
    from torch.nn.utils.rnn import PackedSequence

    class TemporalConvolution(nn.Module):
        """A packed batch of B rows -> nothing, and the hidden layer at the last step of each, [1, ..., B, width]."""

        def __init__(self) -> None:
            super().__init__()
            widths = [width_in, *[width] * (LAYERS + layers - 2)]
            self.layers = nn.ModuleList(nn.Linear(TAPS * size, width) for size in widths)
            self.drop = nn.Dropout(dropout)

        def forward(self, packed: PackedSequence) -> tuple[None, Tensor]:
            sizes = packed.batch_sizes.to(packed.data.device)
            begin, rows = sizes.cumsum(0) - sizes, torch.arange(int(sizes[0]), device=sizes.device)
            time = torch.arange(len(sizes), device=sizes.device).repeat_interleave(sizes)
            row = torch.arange(len(time), device=sizes.device) - begin[time]
            hidden = packed.data
            for depth, layer in enumerate(self.layers):
                taps = [hidden]
                for tap in range(1, TAPS):
                    earlier = time - tap * TAPS**depth
                    before = hidden.index_select(-2, begin[earlier.clamp(min=0)] + row)
                    taps.append(before * (earlier >= 0).unsqueeze(-1))
                new = F.silu(layer(torch.cat(taps, dim=-1)))
                hidden = new if depth == 0 else hidden + self.drop(new)
            length = (sizes.unsqueeze(1) > rows).sum(0)
            return None, hidden.index_select(-2, begin[length - 1] + rows).unsqueeze(0)

    return TemporalConvolution()
