"""The hybrid network: MLP over features + RNN over steps -> joint layers -> head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from clv_core.config import TrainConfig
from clv_core.model.encoders import SequenceEncoder, mlp
from clv_core.model.heads import Params, make_head
from clv_core.model.inputs import Batch
from clv_core.records import JsonRecord

SEQUENCE_BRANCH: Final = "steps."
"""How the names of the sequence branch's parameters begin."""


@dataclass(frozen=True)
class Shape(JsonRecord):
    """What the network must know of its inputs.

    Args:
        table_width: columns of the encoded feature table.
        vocabulary_sizes: codes of each categorical column of a step, the unknown bucket included.
    """

    table_width: int
    vocabulary_sizes: tuple[int, ...]


class Network(nn.Module):
    """One network of the ensemble.

    Args:
        shape: widths of the inputs.
        config: ``model`` decides which branches exist: ``hybrid`` both, ``mlp`` features only, ``rnn`` steps only.
    """

    def __init__(self, shape: Shape, config: TrainConfig) -> None:
        super().__init__()
        width = config.mlp_width
        self.branch_dropout = config.branch_dropout
        self.head = make_head(config.head, config.point_loss)
        self.features = self.steps = None
        joined = 0
        if config.model != "rnn":
            self.features = mlp(shape.table_width, width, config.mlp_layers, config.activation, config.dropout)
            joined += width
        if config.model != "mlp":
            self.steps = SequenceEncoder(
                shape.vocabulary_sizes, config.rnn, config.rnn_width, config.rnn_layers, config.dropout
            )
            joined += config.rnn_width
        self.join = mlp(joined, width, 1, config.activation, config.dropout)
        self.out = nn.Linear(width, self.head.args_dim)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, batch: Batch) -> Params:
        """Return the head's parameters for a batch, each [B]."""
        return self._answer(self.hidden(batch), batch)

    def hidden(self, batch: Batch) -> Tensor:
        """Return the last hidden layer: each customer as the network sees her, [B, width]."""
        return self._joined(batch, None if self.steps is None else self.steps(batch.sequence))

    def answer(self, batch: Batch, embedded: Tensor) -> Params:
        """Return the head's parameters for a batch whose steps are read as ``embedded`` [total, w], each [B]."""
        assert self.steps is not None
        return self._answer(self._joined(batch, self.steps.read(embedded, batch.sequence)), batch)

    def _answer(self, hidden: Tensor, batch: Batch) -> Params:
        return self.head.domain_map(self.out(hidden), batch.base)

    def _joined(self, batch: Batch, last: Tensor | None) -> Tensor:
        """Return the last hidden layer, [B, width].

        In training, some rows go without their features: what the sequence alone can tell is learned too, and not left
        to the features, which learn faster and say the same again.
        """
        parts: list[Tensor] = []
        if self.features is not None:
            parts.append(self.features(batch.table))
        if last is not None:
            parts.append(last)
        if len(parts) == 2 and self.training:
            parts[0] = parts[0] * (torch.rand(len(parts[0]), 1, device=parts[0].device) >= self.branch_dropout)
        joined: Tensor = self.join(torch.cat(parts, dim=-1))
        return joined
