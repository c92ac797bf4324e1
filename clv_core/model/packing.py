"""Which step of which row comes when in a packed batch, straight from the rows' slices of flat arrays."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

FEW_ROWS: Final = 32
"""Up to so many rows, comparing slices in Python is faster than ``torch.unique``."""


class Packed(NamedTuple):
    """The slices of B rows, longest first, time-major; rows may share one.

    Args:
        step: place of each packed step in the flat arrays, int64 [total].
        row: a row of the batch that it belongs to, int64 [total].
        batch_sizes: slices still alive at each position, int64 on the CPU [longest].
        unsort: where each row's slice lies in the sorted order, int64 [B].
    """

    step: Tensor
    row: Tensor
    batch_sizes: Tensor
    unsort: Tensor


def pack(start: Tensor, stop: Tensor, seen_from: Tensor) -> Packed:
    """Return the packed batch of the slices of B rows, none of them empty.

    Slices that are the same, seen from the same place, are read once: mixed customers share most of theirs. Only slices
    of the longest row stay as many as they are, because its copies were put there on purpose (``predict_batches``).

    Args:
        start: first step of each row, int64 [B].
        stop: the step after its last, int64 [B].
        seen_from: number of what else a step's reading depends on, its cutoff or log, not negative, [B].
    """
    rows = torch.arange(len(start), device=start.device)
    length = stop - start
    if len(start) <= FEW_ROWS and _all_differ(start, length, seen_from):
        return _packed(start, length, rows, rows)
    key = (start * (length.max() + 1) + length) * (seen_from.max() + 1) + seen_from
    key = torch.where(key == key[length.argmax()], -1 - rows, key)
    kinds, kind = torch.unique(key, return_inverse=True)
    if len(kinds) == len(rows):
        return _packed(start, length, rows, rows)
    representative = torch.empty_like(kinds).scatter_(0, kind, rows)
    return _packed(start[representative], length[representative], representative, kind)


def _all_differ(start: Tensor, length: Tensor, seen_from: Tensor) -> bool:
    """Return whether no slice but the longest occurs twice."""
    slices = list(zip(start.tolist(), length.tolist(), seen_from.tolist(), strict=True))
    return len(set(slices)) + slices.count(slices[int(length.argmax())]) == len(slices) + 1


def _packed(start: Tensor, length: Tensor, row: Tensor, kind: Tensor) -> Packed:
    length, order = torch.sort(length, descending=True, stable=True)
    alive = torch.arange(int(length[0]), device=length.device).unsqueeze(1) < length  # [longest, B]
    position, place = alive.nonzero(as_tuple=True)
    slot = order.index_select(0, place)
    step, step_row = start.index_select(0, slot) + position, row.index_select(0, slot)
    return Packed(step, step_row, alive.sum(1).cpu(), torch.argsort(order).index_select(0, kind))
