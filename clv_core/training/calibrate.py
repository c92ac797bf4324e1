"""What a trained network still learns of its windows: how what came true lies about what its parameters say."""

from __future__ import annotations

import torch
from torch import Tensor

from clv_core.model.heads import Params
from clv_core.model.instant.network import InstantNetwork
from clv_core.model.levelled import Inputs
from clv_core.model.network import Network


@torch.no_grad()
def calibrate(
    network: Network | InstantNetwork, inputs: Inputs, target: Tensor, whole: Tensor, rows_at_once: int
) -> None:
    """Let the head of a network learn residuals, if it has any to learn.

    Args:
        network: in eval mode.
        inputs: of n windows.
        target: what they were worth, in the network's units, [n].
        whole: which of them cover the whole horizon, the only ones to learn from, bool [n].
        rows_at_once: how many windows the network reads at a time.
    """
    parts: list[Params] = [network(inputs.batch(rows)) for rows in inputs.in_parts(rows_at_once)]
    params = {name: torch.cat([part[name] for part in parts])[whole] for name in parts[0]}
    network.head.calibrate(target[whole], params)
