"""Predictions of networks that were trained on simulated shops, in a log's currency and at its anchor's level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clv_core.features import LastYear, Snapshot
from clv_core.features.context import Context
from clv_core.model.calibrated import NetworkModel, NetworkOutput, RawForecast, means_of, predict_batches
from clv_core.model.chance import HorizonTransfer
from clv_core.model.heads import Params
from clv_core.model.horizon import Curve, Horizon, discounted, growth, largest_allowed
from clv_core.model.instant.pretrained_inputs import Batch, InstantInputs
from clv_core.model.instant.pretrained_network import InstantNetwork, Steering, curve_share
from clv_core.model.stacking import StackedEnsemble, beginning_with, one_thread, weights_by_name
from clv_core.records import JsonObject


@dataclass(frozen=True)
class InstantModel(NetworkModel):
    """Networks that need no training on a log; a member of ``MODELS``.

    A part of its own horizon scales the mean by each customer's curve (``curve_share``); chance and quantiles go by the
    anchor, as in all models. What comes after it grows as the anchor expects purchases to: the networks saw no value
    beyond a horizon, and their curves bend too early there (tests/bench/README.md).

    Args:
        horizon_days: the horizon that its inputs are counted in.
        networks: in eval mode.
        largest: largest value in the horizon seen in training windows, in the log's currency; None where it was never
            trained on the log: then what customers had in windows before the cutoff, which are shorter than the horizon
            where the log is short, bounds its predictions.
    """

    whole_past = True

    horizon_days: int
    networks: tuple[InstantNetwork, ...]
    largest: float | None = None
    sets_chance: bool = True

    @torch.no_grad()
    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> RawForecast:
        """Return what the networks say of every row, before any level."""
        one_thread()
        contexts, inputs = _inputs(snapshot)
        params, head = predict_batches(inputs, self._all, self._ask), self._all.whole.head
        weights = params.pop("curve")
        horizon = horizon_days or self.horizon_days
        after = cache(partial(growth, snapshot, self.horizon_days))
        longer = self._share(weights, horizon, after, snapshot.last_year)
        money = inputs.money(contexts)
        seen = [_seen(context) for context in contexts.values()]
        known = seen if self.largest is None else [(self.largest, self.horizon_days)]
        mean, chance = means_of(head, params)
        return RawForecast(
            said=[NetworkOutput(head, params, longer)],
            money=money,
            mean=mean * money,
            chance=chance,
            bought=snapshot.bought,
            cutoff_day=snapshot.cutoff_day,
            largest=max(largest_allowed(largest, days, horizon) for largest, days in known),
            residual=snapshot.last_year.residual,
            later=HorizonTransfer.of(snapshot, self.horizon_days, horizon),
        )

    @torch.no_grad()
    def hidden(self, snapshot: Snapshot) -> list[NDArray[np.float32]]:
        """Return the last hidden layer of each network, each [n, WIDTH]."""
        one_thread()
        _, inputs = _inputs(snapshot)
        said = predict_batches(inputs, self._all, lambda network, batch: {"hidden": network.hidden(batch)})
        return list(said["hidden"].numpy())

    @cached_property
    def _all(self) -> StackedEnsemble[InstantNetwork]:
        return StackedEnsemble(self.networks)

    def _ask(self, network: InstantNetwork, batch: Batch) -> Params:
        """Ask networks; what the logs make of them is kept: a service asks about customers of one log all day."""
        told = self._told.get(network)
        if told is None or not torch.equal(told[0], batch.logs):
            told = self._told[network] = batch.logs, network.steering(batch.logs)
        said: Params = network(batch, told[1])
        return said

    @cached_property
    def _told(self) -> dict[InstantNetwork, tuple[Tensor, Steering]]:
        """The logs that networks were asked about last, and how they are steered there."""
        return {}

    def _share(self, weights: Tensor, horizon_days: int, after: Callable[[], Curve], last_year: LastYear) -> Tensor:
        """Return what comes in ``horizon_days``, discounted, relative to the model's own horizon, float32.

        Args:
            weights: of each customer's curve in each network, [k, n, CURVE_WIDTH].
            horizon_days: days asked for.
            after: returns the anchor's curve, 1 at the model's own horizon; it holds from there on.
            last_year: how time runs.
        """
        if horizon_days == self.horizon_days and not Horizon.of(horizon_days).yearly_rate:
            return torch.ones(weights.shape[1])
        exact = weights.double()

        def grown(days: float) -> NDArray[np.float64]:
            if days > self.horizon_days:
                return after()(days)
            even = last_year.even_days(days, self.horizon_days)
            ratio = torch.full((exact.shape[1],), even / self.horizon_days, dtype=torch.float64)
            return curve_share(exact, ratio).numpy()

        return torch.from_numpy(discounted(grown, horizon_days).astype(np.float32))

    def state(self) -> tuple[dict[str, NDArray[Any]], JsonObject]:
        """Return tensors by name, and a JSON-ready dictionary."""
        return weights_by_name(self.networks), {
            "horizon_days": self.horizon_days,
            "networks": len(self.networks),
            "largest": self.largest,
            **({"sets_chance": True} if self.sets_chance else {}),
        }

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: JsonObject) -> Self:
        """Return the model that :meth:`state` described."""
        own = [beginning_with(tensors, number) for number in range(state["networks"])]
        networks = [InstantNetwork.of({name: torch.as_tensor(value) for name, value in one.items()}) for one in own]
        return cls(state["horizon_days"], tuple(networks), state["largest"], state.get("sets_chance", False))


def _inputs(snapshot: Snapshot) -> tuple[dict[int, Context], InstantInputs]:
    """Return what is known of the log at each cutoff, and what the networks read."""
    contexts = {day: snapshot.contexts[day].known for day in np.unique(snapshot.cutoff_day).tolist()}
    return contexts, InstantInputs.of(snapshot.windows, contexts, snapshot.anchors, snapshot.basis)


def _seen(context: Context) -> tuple[float, int]:
    """Return the largest value of a customer in a window, at least that of one order, and the days of the window."""
    return float(max(context.lookup.largest, context.usual["money"])), max(context.lookup.days, 1)
