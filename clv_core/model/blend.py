"""Two models as one: the geometric mean of what they expect, with the spread of both.

A mean that two models disagree about is nearer the smaller one than their average would be, which suits values that are
off by factors rather than by sums. Source of the choice: the table in ``tests/bench/README.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray

from clv_core.features.snapshot import Snapshot
from clv_core.model.deep import DeepModel
from clv_core.model.instant.model import InstantModel
from clv_core.model.levelled import Floats, Levelled, Read, Said

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
    def largest(self) -> float:
        """Largest value in the horizon seen in training, in the log's currency."""
        return self.deep.largest

    @torch.no_grad()
    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> Read:
        """Return what both say of every row, before any level; the means of each are moved to the common one."""
        parts = self.deep.read(snapshot, horizon_days), self.instant.read(snapshot, horizon_days)
        deep, instant = (np.maximum(part.mean, SMALLEST) for part in parts)
        mean = np.sqrt(deep * instant)
        return replace(parts[0], said=[one for part in parts for one in _moved(part, mean)], money=1.0, mean=mean)

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


def _moved(part: Read, mean: Floats) -> Iterator[Said]:
    """Yield what was said with the networks' means lifted together, so that in currency they meet at ``mean`` [n]."""
    lift = torch.from_numpy(np.log(mean / np.maximum(part.mean, SMALLEST) * part.money).astype(np.float32))
    for said in part.said:
        yield replace(said, params={**said.params, "log_mean": said.params["log_mean"] + lift})
