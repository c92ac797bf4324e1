"""Two models as one: the geometric mean of what they expect, with the spread of both.

A mean that two models disagree about is nearer the smaller one than their average would be, which suits values that are
off by factors rather than by sums. Source of the choice: the table in ``tests/bench/README.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clv_core.features.snapshot import Snapshot
from clv_core.model.deep import DeepModel
from clv_core.model.heads import Head, Params
from clv_core.model.instant.model import InstantModel
from clv_core.model.levelled import Levelled, Read

SMALLEST: Final = 1e-12
PARTS: Final = ("hybrid", "instant_tuned")


@dataclass(frozen=True)
class BlendModel(Levelled):
    """The hybrid and the tuned pre-trained network; a member of ``MODELS``.

    Args:
        deep: the networks that were trained on the log alone.
        instant: those that were trained before and tuned to it.
    """

    whole_past = True

    deep: DeepModel
    instant: InstantModel

    @property
    def heads(self) -> list[Head]:
        """The head of each network."""
        return [*self.deep.heads, *self.instant.heads]

    @property
    def largest(self) -> float:
        """Largest value in the horizon seen in training, in the log's currency."""
        return self.deep.largest

    @torch.no_grad()
    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> Read:
        """Return what both say of every row, before any level; each network's mean is moved to the common one."""
        parts = self.deep.read(snapshot, horizon_days), self.instant.read(snapshot, horizon_days)
        mean = np.sqrt(np.prod([np.maximum(part.mean, SMALLEST) for part in parts], axis=0))
        members: list[Params] = []
        for part in parts:
            lift = torch.from_numpy(np.log(mean / np.maximum(part.mean, SMALLEST) * part.money).astype(np.float32))
            members += [{**params, "log_mean": params["log_mean"] + lift} for params in part.members]
        first = parts[0]
        return Read(
            members=members,
            money=1.0,
            mean=mean,
            anchor_value=first.anchor_value,
            bought=first.bought,
            cutoff_day=first.cutoff_day,
            longer=_both(parts, "longer"),
            plain=_both(parts, "plain"),
            largest=first.largest,
            residual=first.residual,
        )

    def hidden(self, snapshot: Snapshot) -> list[NDArray[np.float32]]:
        """Return the last hidden layer of each network of both."""
        return [*self.deep.hidden(snapshot), *self.instant.hidden(snapshot)]

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return tensors by name, and a JSON-ready dictionary."""
        tensors: dict[str, NDArray[Any]] = {}
        state: dict[str, Any] = {}
        for name, (own, described) in zip(PARTS, (self.deep.state(), self.instant.state()), strict=True):
            tensors |= {f"{name}.{key}": value for key, value in own.items()}
            state[name] = described
        return tensors, state

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: dict[str, Any]) -> Self:
        """Return the model that :meth:`state` described."""

        def own(name: str) -> dict[str, NDArray[Any]]:
            start = f"{name}."
            return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}

        deep, instant = PARTS
        return cls(DeepModel.from_state(own(deep), state[deep]), InstantModel.from_state(own(instant), state[instant]))


def _both(parts: tuple[Read, Read], name: str) -> list[Tensor]:
    return [factor for part in parts for factor in getattr(part, name)]
