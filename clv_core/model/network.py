"""The hybrid network: MLP over behaviour features + RNN over the event sequence -> joint layers -> head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from clv_core.config import TrainConfig
from clv_core.model.heads import Params, make_head
from clv_core.model.inputs import STEP_CHANNELS, Batch, Sequence
from clv_core.model.sequence_encoders import sequence_encoder
from clv_core.records import JsonRecord

SEQUENCE_BRANCH: Final = "steps."
"""How the names of the sequence branch's parameters begin."""

ACTIVATIONS: Final[dict[str, type[nn.Module]]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
EMBEDDING_WIDTH: Final = 6


def mlp(width_in: int, width: int, layers: int, activation: str, dropout: float) -> nn.Sequential:
    """Return ``layers`` blocks of linear, activation, dropout: [B, width_in] -> [B, width]."""
    blocks: list[nn.Module] = []
    for layer in range(layers):
        blocks += [nn.Linear(width_in if layer == 0 else width, width), ACTIVATIONS[activation](), nn.Dropout(dropout)]
    return nn.Sequential(*blocks)


class SequenceEncoder(nn.Module):
    """Reads a customer's steps in order and returns its last state.

    Args:
        vocabulary_sizes: distinct codes of each categorical column of a step, the unknown bucket included.
        kind: name of a file in :mod:`clv_core.model.sequence_encoders`.
        width: hidden units.
        layers: stacked recurrent layers.
        dropout: between stacked layers.
    """

    def __init__(self, vocabulary_sizes: tuple[int, ...], kind: str, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, EMBEDDING_WIDTH) for size in vocabulary_sizes)
        width_in = len(STEP_CHANNELS) + EMBEDDING_WIDTH * len(vocabulary_sizes)
        self.rnn = sequence_encoder(kind).make(width_in, width, layers, dropout)

    def forward(self, sequence: Sequence) -> Tensor:
        """Return the last state of each row, [B, width], rows in the batch's own order."""
        return self.read(self.embed(sequence), sequence)

    def embed(self, sequence: Sequence) -> Tensor:
        """Return what the recurrent layers read of every step, [total, w]."""
        known = [table(codes) for table, codes in zip(self.embeddings, sequence.codes.T, strict=True)]
        return torch.cat([sequence.channels.expand(*known[0].shape[:-1], -1), *known], dim=-1)

    def read(self, embedded: Tensor, sequence: Sequence) -> Tensor:
        """Return the last state of each row, [B, width], whose steps are ``embedded`` [total, w]."""
        packed = PackedSequence(embedded, sequence.batch_sizes)
        state = self.rnn(packed)[1]
        last: Tensor = state[0][-1] if isinstance(state, tuple) else state[-1]
        return last.index_select(-2, sequence.unsort)


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
