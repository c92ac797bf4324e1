"""The trained ensemble of hybrid networks: encoder + networks, and the step that sets its level.

One network is an MLP over behaviour features + an RNN over the event sequence -> joint layers -> head.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from clv_core.config import TrainConfig
from clv_core.features import Snapshot
from clv_core.model.calibrated import (
    Law,
    NetworkModel,
    NetworkOutput,
    RawForecast,
    means_of,
    predict_batches,
    silent_floor,
)
from clv_core.model.heads import Params, make_head
from clv_core.model.horizon import HorizonTransfer, largest_allowed
from clv_core.model.inputs import STEP_CHANNELS, Batch, InputEncoder, Inputs, Sequence
from clv_core.model.sequence_encoders import sequence_encoder
from clv_core.model.stacking import StackedEnsemble, beginning_with, one_thread, scoring_device, weights_by_name
from clv_core.records import JsonObject, JsonRecord


@dataclass(frozen=True)
class DeepModel(NetworkModel):
    """An ensemble of networks on one encoder; a member of ``MODELS``.

    Another horizon than the trained one scales the mean by the ratio of the anchor's expected purchases.

    Args:
        config: what it was trained with; its horizon is the networks' own.
        encoder: turns snapshots into tensors.
        networks: in eval mode, on the CPU.
        largest: largest value in the horizon seen in training, in the log's currency; it bounds every prediction
            (:func:`~clv_core.model.horizon.largest_allowed`).
    """

    config: TrainConfig
    encoder: InputEncoder
    networks: tuple[Network, ...]
    largest: float
    sets_chance: bool = True
    law: Law | None = None

    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> RawForecast:
        """Return the networks' forecast of every row, uncalibrated."""
        return self.read_inputs(self.inputs(snapshot), snapshot, horizon_days)

    @torch.no_grad()
    def read_inputs(self, inputs: Inputs, snapshot: Snapshot, horizon_days: int | None = None) -> RawForecast:
        """Return :meth:`read` of a snapshot whose :meth:`inputs` are at hand."""
        one_thread()
        params, head = predict_batches(inputs, self._all, lambda network, batch: network(batch)), self._all.head
        horizon = horizon_days or self.config.horizon_days
        later = HorizonTransfer.of(snapshot, self.config.horizon_days, horizon)
        longer = np.ones(len(snapshot)) if later is None else later.exposure
        mean, chance = means_of(head, params)
        return RawForecast(
            outputs=[NetworkOutput(head, params, torch.from_numpy(longer.astype(np.float32)))],
            money=self.encoder.money,
            mean=mean * self.encoder.money,
            chance=chance,
            bought=snapshot.bought,
            cutoff_day=snapshot.cutoff_day,
            largest=largest_allowed(self.largest, self.config.horizon_days, horizon),
            residual=snapshot.last_year.residual,
            later=later,
            floor=silent_floor(snapshot, self.law),
        )

    @torch.no_grad()
    def hidden(self, snapshot: Snapshot) -> list[NDArray[np.float32]]:
        """Return the last hidden layer of each network, each [n, width]."""
        one_thread()
        inputs = self.inputs(snapshot)
        answers = predict_batches(inputs, self._all, lambda network, batch: {"hidden": network.hidden(batch)})
        return list(answers["hidden"].numpy())

    @cached_property
    def _all(self) -> StackedEnsemble[Network]:
        return StackedEnsemble(self.networks, scoring_device(self.config.device))

    def inputs(self, snapshot: Snapshot) -> Inputs:
        """Return the tensors that the networks read."""
        return self.encoder.transform(snapshot, self.config.max_steps_back)

    def state(self) -> tuple[dict[str, NDArray[Any]], JsonObject]:
        """Return tensors by name, and a JSON-ready dictionary."""
        return weights_by_name(self.networks), {
            "config": self.config.to_json(),
            "encoder": self.encoder.to_json(),
            "networks": len(self.networks),
            "largest": self.largest,
            **({"sets_chance": True} if self.sets_chance else {}),
            **({} if self.law is None else {"longest_silence": self.law.to_json()}),
        }

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: JsonObject) -> Self:
        """Return the model that :meth:`state` described."""
        config, encoder = TrainConfig.from_json(state["config"]), InputEncoder.from_json(state["encoder"])
        networks = []
        for number in range(state["networks"]):
            network = Network(Shape(len(encoder.table.columns_), encoder.vocabulary_sizes), config)
            weights = beginning_with(tensors, number)
            network.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
            networks.append(network.eval())
        sets_chance, law = state.get("sets_chance", False), Law.from_state(state)
        return cls(config, encoder, tuple(networks), state["largest"], sets_chance, law)


SEQUENCE_BRANCH: Final = "steps."
"""How the names of the sequence branch's parameters begin."""

ACTIVATIONS: Final[dict[str, type[nn.Module]]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
EMBEDDING_WIDTH: Final = 6
"""A guess: vocabularies hold 64 codes at most, and wider tables are learned by heart from small logs."""


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
        embedded = [table(codes) for table, codes in zip(self.embeddings, sequence.codes.T, strict=True)]
        return torch.cat([sequence.channels.expand(*embedded[0].shape[:-1], -1), *embedded], dim=-1)

    def read(self, embedded: Tensor, sequence: Sequence) -> Tensor:
        """Return the last state of each row, [B, width], whose steps are ``embedded`` [total, w]."""
        packed = PackedSequence(embedded, sequence.batch_sizes)
        state = self.rnn(packed)[1]
        last: Tensor = state[0][-1] if isinstance(state, tuple) else state[-1]
        return last.index_select(-2, sequence.unsort)


@dataclass(frozen=True)
class Shape(JsonRecord):
    """Sizes of a network's inputs.

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

        In training, some rows have their features zeroed: what the sequence alone predicts is learned too, and not left
        to the features, which learn faster and hold much of the same.
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
