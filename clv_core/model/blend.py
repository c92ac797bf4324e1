"""Several models as one: the weighted mean of what they expect, with the spread of the networks among them.

Source of the choice: the table in ``tests/bench/README.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray

from clv_core.features import Snapshot
from clv_core.model.boosting import Trees
from clv_core.model.calibrated import Floats, Law, NetworkModel, NetworkOutput, RawForecast, anchor_chance
from clv_core.model.deep import DeepModel
from clv_core.model.heads import SMALLEST_P
from clv_core.model.inputs import Inputs
from clv_core.model.instant.model import InstantModel
from clv_core.model.stacking import beginning_with
from clv_core.preprocessing import TableEncoder
from clv_core.records import JsonObject

SMALLEST: Final = 1e-12
"""Keeps logarithms and divisions finite; no value is that small."""
PARTS: Final = ("hybrid", "instant_tuned")
"""Members that are networks."""
WEIGHTS: Final = {"hybrid": 0.48, "instant_tuned": 0.48, "bgnbd": 0.04}
"""Of each member, chosen once on earlier origins (tests/bench/README.md, "The default's members and their weights"):
two strong models evenly, BG/NBD by a twenty-fifth. Models of earlier versions keep weights of their own, with trees
among them."""


@dataclass(frozen=True)
class SimpleMembers:
    """The members of a blend without networks, and how much each member counts.

    Args:
        money: in the log's currency, the unit of trees.
        never_value: prediction for never-buyers in BG/NBD's place, which has none: their mean in training windows.
        weights: of all members, by name; they sum to 1.
        trees: boosting of the value, on the hybrid's encoded features; only in models of earlier versions.
    """

    money: float
    never_value: float
    weights: Mapping[str, float]
    trees: Trees | None = None

    def added(self, inputs: Inputs, snapshot: Snapshot) -> Floats:
        """Return the weighted sum of these members, in the log's currency, [n]."""
        total = self.weights["bgnbd"] * np.where(snapshot.bought, snapshot.anchor_value, self.never_value)
        if self.trees is not None and self.weights["lightgbm"] > 0:
            total += self.weights["lightgbm"] * self.trees.rate(inputs.table.numpy()) * self.money
        return total


@dataclass(frozen=True)
class BlendModel(NetworkModel):
    """The hybrid, the tuned pre-trained network and BG/NBD; a member of ``MODELS``.

    Args:
        deep: the networks that were trained on the log alone.
        instant: those that were trained before and tuned to it.
        simple: the other members; None in blends of earlier versions, the geometric mean of the networks.
    """

    whole_past = True

    deep: DeepModel
    instant: InstantModel
    simple: SimpleMembers | None = None

    @property
    def sets_chance(self) -> bool:
        """Whether chances have a level."""
        return self.simple is not None

    @property
    def law(self) -> Law | None:
        """That of its networks."""
        return self.deep.law

    @property
    def weights(self) -> Mapping[str, float] | None:
        """How much each member counts, by name; None in blends of earlier versions."""
        return None if self.simple is None else self.simple.weights

    @property
    def largest(self) -> float:
        """Largest value in the horizon seen in training, in the log's currency."""
        return self.deep.largest

    @property
    def encoder(self) -> TableEncoder:
        """The encoder of the feature table."""
        return self.deep.encoder.table

    @torch.no_grad()
    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> RawForecast:
        """Return the uncalibrated forecast of every row; networks are moved to the common mean and chance."""
        inputs = self.deep.inputs(snapshot)
        parts = self.deep.read_inputs(inputs, snapshot, horizon_days), self.instant.read(snapshot, horizon_days)
        if self.simple is None:
            mean = np.sqrt(np.prod([np.maximum(part.mean, SMALLEST) for part in parts], axis=0))
            outputs = [_moved(part, mean) for part in parts]
            return replace(
                parts[0], outputs=outputs, money=1.0, mean=mean, chance=(parts[0].chance + parts[1].chance) / 2
            )
        weights = self.simple.weights
        share = [weights[name] + SMALLEST for name in PARTS]
        networks = sum((weight * part.mean for weight, part in zip(share, parts, strict=True)), np.zeros(len(snapshot)))
        mean = np.maximum(networks + self.simple.added(inputs, snapshot), SMALLEST)
        chance = np.average([part.chance for part in parts], axis=0, weights=share)
        if weights["bgnbd"] > 0:
            chance += weights["bgnbd"] * np.where(snapshot.bought, anchor_chance(snapshot) - chance, 0.0)
        outputs = [_moved(part, mean, chance, weight) for part, weight in zip(parts, share, strict=True)]
        return replace(parts[0], outputs=outputs, money=1.0, mean=mean, chance=chance)

    def without_networks(self, customer: Snapshot) -> float:
        """Return what the members without networks add to the mean of one customer, in the log's currency."""
        return 0.0 if self.simple is None else float(self.simple.added(self.deep.inputs(customer), customer)[0])

    def hidden(self, snapshot: Snapshot) -> list[NDArray[np.float32]]:
        """Return the last hidden layer of each network of both."""
        return [*self.deep.hidden(snapshot), *self.instant.hidden(snapshot)]

    def state(self) -> tuple[dict[str, NDArray[Any]], JsonObject]:
        """Return tensors by name, and a JSON-ready dictionary."""
        tensors: dict[str, NDArray[Any]] = {}
        state: JsonObject = {}
        for name, (arrays, described) in zip(PARTS, (self.deep.state(), self.instant.state()), strict=True):
            tensors |= {f"{name}.{key}": value for key, value in arrays.items()}
            state[name] = described
        if self.simple is not None:
            scales = {"money": self.simple.money, "never_value": self.simple.never_value}
            trees = {} if self.simple.trees is None else {"trees": self.simple.trees.state()}
            state["simple"] = {**trees, "weights": dict(self.simple.weights), **scales}
        return tensors, state

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: JsonObject) -> Self:
        """Return the model that :meth:`state` described."""
        hybrid, tuned = PARTS
        deep = DeepModel.from_state(beginning_with(tensors, hybrid), state[hybrid])
        instant = InstantModel.from_state(beginning_with(tensors, tuned), state[tuned])
        simple = state.get("simple")
        if simple is not None:
            trees = Trees.from_state(simple["trees"]) if "trees" in simple else None
            simple = SimpleMembers(**{**simple, "trees": trees})
        return cls(deep, instant, simple)


def _moved(part: RawForecast, mean: Floats, chance: Floats | None = None, weight: float = 1.0) -> NetworkOutput:
    """Return a part's output, moved to the ``mean`` [n] in currency, and to the ``chance`` where given."""
    (output,) = part.outputs
    lift = torch.from_numpy(np.log(mean / np.maximum(part.mean, SMALLEST) * part.money).astype(np.float32))
    params = {**output.params, "log_mean": output.params["log_mean"] + lift}
    if chance is not None:
        inside = torch.from_numpy(np.clip(chance, SMALLEST_P, 1 - SMALLEST_P))
        params["logit"] = torch.logit(inside).expand_as(params["logit"])
    return replace(output, params=params, weight=weight)
