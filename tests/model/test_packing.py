"""A packed batch reads each slice once, and says of every row what an RNN says of her alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from clv_core.model.packing import pack

START = torch.tensor([0, 7, 2, 7, 0, 2, 2])
STOP = torch.tensor([4, 9, 8, 9, 4, 8, 5])


@pytest.mark.parametrize(
    ("seen_from", "read"),
    [
        ([0] * 7, 4 + 2 + 6 + 6 + 3),  # of the longest, both; of each other slice, one
        ([0, 1, 0, 1, 3, 0, 0], 4 + 4 + 2 + 6 + 6 + 3),  # the same steps seen from another cutoff are read again
    ],
)
def test_rows_that_share_a_slice_are_read_once_and_answered_each(seen_from: list[int], read: int) -> None:
    steps, places = torch.randn(9, 3, generator=torch.Generator().manual_seed(2)), torch.tensor(seen_from)
    torch.manual_seed(1)
    gru, packed = nn.GRU(4, 6), pack(START, STOP, places)
    own = torch.cat([steps[packed.step], places[packed.row].float()[:, None]], dim=1)
    together = gru(PackedSequence(own, packed.batch_sizes))[1][-1][packed.unsort]
    rows = [
        torch.cat([steps[start:stop], place.float().expand(int(stop - start), 1)], dim=1)[:, None]
        for start, stop, place in zip(START, STOP, places, strict=True)
    ]
    torch.testing.assert_close(together, torch.cat([gru(row)[1][-1] for row in rows]), rtol=0, atol=1e-6)
    assert len(packed.step) == read


def test_copies_of_the_longest_row_stay_beside_it() -> None:
    rows = torch.tensor([0, 2, 2, 2, 2])
    assert pack(START[rows], STOP[rows], 0 * rows).batch_sizes.tolist() == [5, 5, 5, 5, 4, 4]
