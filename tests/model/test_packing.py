"""A packed batch reads each slice once, and says of every row what an RNN says of her alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from clv_core.model.packing import Packed, pack

START = torch.tensor([0, 7, 2, 7, 0, 2, 2])
STOP = torch.tensor([4, 9, 8, 9, 4, 8, 5])
HERE = torch.zeros(7, dtype=torch.int64)


def read(packed: Packed, steps: Tensor, seen_from: Tensor) -> Tensor:
    """Return what a GRU says of each row whose steps are seen from somewhere."""
    torch.manual_seed(1)
    gru = nn.GRU(4, 6)
    own = torch.cat([steps[packed.step], seen_from[packed.row].float()[:, None]], dim=1)
    last: Tensor = gru(PackedSequence(own, packed.batch_sizes))[1][-1][packed.unsort]
    return last


def alone(steps: Tensor, seen_from: Tensor) -> Tensor:
    """Return the same, each row by herself and without packing."""
    torch.manual_seed(1)
    gru = nn.GRU(4, 6)
    return torch.cat(
        [
            gru(torch.cat([steps[start:stop], place.float().expand(int(stop - start), 1)], dim=1)[:, None])[1][-1]
            for start, stop, place in zip(START, STOP, seen_from, strict=True)
        ]
    )


def test_rows_that_share_a_slice_are_read_once_and_answered_each() -> None:
    steps = torch.randn(9, 3, generator=torch.Generator().manual_seed(2))
    packed = pack(START, STOP, HERE)
    torch.testing.assert_close(read(packed, steps, HERE), alone(steps, HERE), rtol=0, atol=1e-6)
    assert len(packed.step) == 4 + 2 + 6 + 6 + 3  # of the longest, both; of each other slice, one


def test_the_same_steps_seen_from_another_cutoff_are_read_again() -> None:
    steps = torch.randn(9, 3, generator=torch.Generator().manual_seed(2))
    cutoffs = torch.tensor([0, 1, 0, 1, 3, 0, 0])
    packed = pack(START, STOP, cutoffs)
    torch.testing.assert_close(read(packed, steps, cutoffs), alone(steps, cutoffs), rtol=0, atol=1e-6)
    assert len(packed.step) == 4 + 4 + 2 + 6 + 6 + 3


def test_copies_of_the_longest_row_stay_beside_it() -> None:
    rows = torch.tensor([0, 2, 2, 2, 2])
    assert pack(START[rows], STOP[rows], HERE[rows]).batch_sizes.tolist() == [5, 5, 5, 5, 4, 4]
