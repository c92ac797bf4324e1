"""Which step of which row comes when in a packed batch, straight from the rows' slices of flat arrays."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Packed(NamedTuple):
    """B slices, longest first, time-major.

    Args:
        step: place of each packed step in the flat arrays, int64 [total].
        row: row of the batch that it belongs to, int64 [total].
        batch_sizes: rows still alive at each position, int64 on the CPU [longest].
        unsort: where each row of the batch lies in the sorted order, int64 [B].
    """

    step: Tensor
    row: Tensor
    batch_sizes: Tensor
    unsort: Tensor


def pack(start: Tensor, stop: Tensor) -> Packed:
    """Return the packed batch of the slices ``start`` to ``stop``, int64 [B], none of them empty."""
    length, order = torch.sort(stop - start, descending=True, stable=True)
    begin = start[order]
    longest = int(length[0])
    batch_sizes = torch.searchsorted(-length, -torch.arange(longest, device=length.device), side="left")
    position = torch.repeat_interleave(torch.arange(longest, device=length.device), batch_sizes)
    place = torch.arange(len(position), device=length.device) - (torch.cumsum(batch_sizes, 0) - batch_sizes)[position]
    return Packed(begin[place] + position, order[place], batch_sizes.cpu(), torch.argsort(order))
