"""The trained ensemble: encoder + networks, and the step that sets its level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from clv_core.config import TrainConfig
from clv_core.features import Snapshot
from clv_core.model.calibrated import NetworkModel, NetworkOutput, RawForecast, means_of, predict_batches
from clv_core.model.chance import HorizonTransfer
from clv_core.model.horizon import largest_allowed
from clv_core.model.inputs import InputEncoder, Inputs
from clv_core.model.network import Network, Shape
from clv_core.model.stacking import StackedEnsemble, beginning_with, one_thread, weights_by_name
from clv_core.records import JsonObject


@dataclass(frozen=True)
class DeepModel(NetworkModel):
    """An ensemble of networks on one encoder; a member of ``MODELS``.

    Another horizon than the trained one scales the mean by the ratio of the anchor's expected purchases.

    Args:
        config: what it was trained with; its horizon is the one that the networks know.
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

    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> RawForecast:
        """Return what the networks say of every row, before any level."""
        return self.read_inputs(self.inputs(snapshot), snapshot, horizon_days)

    @torch.no_grad()
    def read_inputs(self, inputs: Inputs, snapshot: Snapshot, horizon_days: int | None = None) -> RawForecast:
        """Return :meth:`read` of a snapshot whose :meth:`inputs` are at hand."""
        one_thread()
        params, head = predict_batches(inputs, self._all, lambda network, batch: network(batch)), self._all.whole.head
        horizon = horizon_days or self.config.horizon_days
        later = HorizonTransfer.of(snapshot, self.config.horizon_days, horizon)
        longer = np.ones(len(snapshot)) if later is None else later.exposure
        mean, chance = means_of(head, params)
        return RawForecast(
            said=[NetworkOutput(head, params, torch.from_numpy(longer.astype(np.float32)))],
            money=self.encoder.money,
            mean=mean * self.encoder.money,
            chance=chance,
            bought=snapshot.bought,
            cutoff_day=snapshot.cutoff_day,
            largest=largest_allowed(self.largest, self.config.horizon_days, horizon),
            residual=snapshot.last_year.residual,
            later=later,
        )

    @torch.no_grad()
    def hidden(self, snapshot: Snapshot) -> list[NDArray[np.float32]]:
        """Return the last hidden layer of each network, each [n, width]."""
        one_thread()
        inputs = self.inputs(snapshot)
        said = predict_batches(inputs, self._all, lambda network, batch: {"hidden": network.hidden(batch)})
        return list(said["hidden"].numpy())

    @cached_property
    def _all(self) -> StackedEnsemble[Network]:
        return StackedEnsemble(self.networks)

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
        }

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: JsonObject) -> Self:
        """Return the model that :meth:`state` described."""
        config, encoder = TrainConfig.from_json(state["config"]), InputEncoder.from_json(state["encoder"])
        networks = []
        for number in range(state["networks"]):
            network = Network(Shape(len(encoder.table.columns_), encoder.vocabulary_sizes), config)
            own = beginning_with(tensors, number)
            network.load_state_dict({name: torch.as_tensor(value) for name, value in own.items()})
            networks.append(network.eval())
        return cls(config, encoder, tuple(networks), state["largest"], state.get("sets_chance", False))
