"""A wide GRU says what the GRUs in it say."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from clv_core.model.together import FEW_ROWS, Together

BATCH_SIZES = torch.tensor([5, 4, 4, 2])
UNSORT = torch.tensor([3, 0, 4, 1, 2])


def test_the_states_are_those_of_each_gru_in_the_order_of_the_batch() -> None:
    torch.manual_seed(0)
    grus = [nn.GRU(7, 6) for _ in range(3)]
    steps = [torch.randn(int(BATCH_SIZES.sum()), 7) for _ in grus]
    with torch.no_grad():
        found = Together(grus).last(steps, BATCH_SIZES, UNSORT)
        for state, gru, own in zip(found, grus, steps, strict=True):
            expected = gru(PackedSequence(own, BATCH_SIZES))[1][-1][UNSORT]
            torch.testing.assert_close(state, expected, rtol=0, atol=1e-6)


def test_many_rows_and_other_rnns_are_left_to_the_networks() -> None:
    together = Together([nn.GRU(7, 6), nn.GRU(7, 6)])
    assert together.few(torch.tensor([FEW_ROWS])) and not together.few(torch.tensor([FEW_ROWS + 1]))
    for rnns in ([None, None], [nn.LSTM(7, 6), nn.LSTM(7, 6)], [nn.GRU(7, 6, 2), nn.GRU(7, 6, 2)], [nn.GRU(7, 6)]):
        assert not Together(rnns).few(torch.tensor([1]))
