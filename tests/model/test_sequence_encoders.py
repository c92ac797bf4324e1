"""Convolutions over packed steps against those of torch; what every encoder does: ``tests/contracts``."""

from __future__ import annotations

import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from clv_core.model.sequence_encoders import sequence_encoder


@torch.no_grad()
def test_convolutions_over_packed_steps_are_those_of_torch_over_each_row() -> None:
    torch.manual_seed(0)
    encoder = sequence_encoder("tcn").make(5, 4, 1, 0.0).eval()
    rows = [torch.randn(length, 5) for length in (13, 30, 1, 6)]
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    packed = pack_padded_sequence(
        padded, torch.tensor([len(row) for row in rows]), batch_first=True, enforce_sorted=False
    )
    found = encoder(packed)[1][-1][packed.unsorted_indices]
    for row, last in zip(rows, found, strict=True):
        hidden = row.T.unsqueeze(0)
        for depth, layer in enumerate(encoder.layers):
            weight = layer.weight.unflatten(1, (3, -1)).transpose(1, 2).flip(-1)  # the latest tap comes first
            new = F.silu(F.conv1d(F.pad(hidden, (2 * 3**depth, 0)), weight, layer.bias, dilation=3**depth))
            hidden = new if depth == 0 else hidden + new
        torch.testing.assert_close(last, hidden[0, :, -1])
