"""The two encoders: an MLP over behaviour features, and an RNN over the event sequence."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from clv_core.model.inputs import STEP_CHANNELS, Sequence
from clv_core.model.sequence_encoders import sequence_encoder

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
