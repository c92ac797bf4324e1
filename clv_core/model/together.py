"""Several GRUs as one where rows are few: a step of an RNN costs its calls then, and hardly its arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

FEW_ROWS: Final = 32
"""Up to so many, one wide GRU takes about half the time of four."""


class Together:
    """The GRUs of an ensemble, side by side in a wide one: their weights in blocks, and zeros, which change no bit.

    Args:
        rnns: of the networks; None, or anything but GRUs of one layer, is left to the networks themselves.
    """

    def __init__(self, rnns: Sequence[nn.Module | None]) -> None:
        self._count = len(rnns)
        alike = [rnn for rnn in rnns if isinstance(rnn, nn.GRU) and rnn.num_layers == 1]
        self._wide = _wide(alike) if len(alike) == len(rnns) > 1 else None

    def few(self, batch_sizes: Tensor) -> bool:
        """Return whether a packed batch is read faster together."""
        return self._wide is not None and int(batch_sizes[0]) <= FEW_ROWS

    def last(self, steps: Sequence[Tensor], batch_sizes: Tensor, unsort: Tensor) -> tuple[Tensor, ...]:
        """Return each GRU's last state of each row, [B, width] each.

        Args:
            steps: what each GRU reads of a packed batch, [total, w] each.
            batch_sizes: rows still alive at each position, [longest].
            unsort: where each row lies in the packed order, [B].
        """
        assert self._wide is not None
        state: Tensor = self._wide(PackedSequence(torch.cat(list(steps), dim=1), batch_sizes))[1][-1][unsort]
        return state.chunk(self._count, dim=1)


@torch.no_grad()
def _wide(rnns: Sequence[nn.GRU]) -> nn.GRU:
    """Return a GRU whose state is the states of all, from what all read side by side."""
    width, size = rnns[0].hidden_size, rnns[0].input_size
    wide = nn.GRU(size * len(rnns), width * len(rnns))
    for name, joint in wide.named_parameters():
        gates = joint.zero_().view(3, len(rnns), width, -1)  # of all GRUs, then one GRU's units
        for at, rnn in enumerate(rnns):
            own = rnn.get_parameter(name).view(3, width, -1)
            begin = at * own.shape[2] if "weight" in name else 0
            gates[:, at, :, begin : begin + own.shape[2]] = own
    return wide.eval()
