"""The ZILN paper's own network as a baseline: a plain MLP with p, mu and sigma as its parameters.

No anchor in its base, no sequence, no level step: what deep CLV is without them.
Source: Wang, Liu, Miao (2019), arXiv 1912.07753, and google/lifetime_value (``zero_inflated_lognormal.py``).
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor, nn
from torch.nn import functional as F

from clv_core.features import Snapshot
from clv_core.model.horizon import HorizonTransfer, below_one, largest_allowed
from clv_core.model.predictions import Predictions
from clv_core.model.predictive_distribution import PredictiveDistribution
from clv_core.model.stacking import one_thread, scoring_device
from clv_core.preprocessing import TableEncoder
from clv_core.records import JsonObject

ROWS_AT_ONCE: Final = 65_536
"""Rows of one pass, which bounds memory."""
WIDTHS: Final = (64, 32)
"""Of the paper's code."""
"""The quantiles that predictions have."""
LARGEST_LOG: Final = 60.0
"""Where a log of money is cut before it is raised: far beyond any bound, far within what a float can hold."""


class ZilnMlp(nn.Module):
    """Dense 64, dense 32, three logits: encoded features [B, d] -> raw p, mu, sigma [B, 3]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = WIDTHS
        self.layers = nn.Sequential(
            nn.Linear(width, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU(), nn.Linear(second, 3)
        )

    def forward(self, table: Tensor) -> Tensor:
        """Return the three logits [B, 3]."""
        logits: Tensor = self.layers(table)
        return logits


def scale_of(logits: Tensor) -> Tensor:
    """Return sigma [B]: softplus, at least the root of the machine epsilon, as in the paper's code."""
    return F.softplus(logits[:, 2]).clamp(min=math.sqrt(torch.finfo(logits.dtype).eps))


def ziln_loss(target: Tensor, logits: Tensor) -> Tensor:
    """Return the negative log-likelihood of the zero-inflated lognormal [B].

    Args:
        target: value in the horizon, negative values count as 0, [B].
        logits: raw p, mu, sigma, [B, 3].
    """
    bought = (target > 0).to(target.dtype)
    chance = F.binary_cross_entropy_with_logits(logits[:, 0], bought, reduction="none")
    log_target = torch.where(target > 0, target, torch.ones_like(target)).log()
    sigma = scale_of(logits)
    z = (log_target - logits[:, 1]) / sigma
    return chance + bought * (log_target + sigma.log() + 0.5 * math.log(2 * math.pi) + 0.5 * z**2)


@dataclass(frozen=True)
class ZilnMlpModel:
    """A fitted network on its encoder; a member of ``MODELS``.

    Args:
        encoder: turns features into columns.
        network: in eval mode, on the CPU.
        money: mean of the positive targets, in the log's currency: the network's unit.
        largest: largest value in the horizon seen in training; no prediction exceeds 3 times it.
        horizon_days: the horizon of the training windows.
        device: the setting that it was trained with.
    """

    encoder: TableEncoder
    network: ZilnMlp
    money: float
    largest: float
    horizon_days: int
    device: str = "auto"

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row (:meth:`distribution`)."""
        return self.distribution(snapshot, horizon_days).predictions()

    @torch.no_grad()
    def distribution(self, snapshot: Snapshot, horizon_days: int | None = None) -> PredictiveDistribution:
        """Return the law of every row.

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            horizon_days: length of the predicted span; None is the trained one, another one scales by the anchor.
        """
        one_thread()
        device = scoring_device(self.device)
        network = deepcopy(self.network).to(device)
        table = torch.from_numpy(self.encoder.transform(snapshot.table))
        parts = table.split(ROWS_AT_ONCE)  # type: ignore[no-untyped-call]
        logits = torch.cat([network(part.to(device)).cpu() for part in parts]).double()
        p, mu, sigma = logits[:, 0].sigmoid(), logits[:, 1], scale_of(logits)
        mean = (p * (mu + sigma**2 / 2).clamp(max=LARGEST_LOG).exp()).numpy()
        horizon = horizon_days or self.horizon_days
        later, chance = HorizonTransfer.of(snapshot, self.horizon_days, horizon), p.numpy()
        if later is not None:
            chance, mean = later.chance(chance), mean * later.exposure
        top = largest_allowed(self.largest, self.horizon_days, horizon)
        shape = LognormalShape(sigma.numpy())
        return PredictiveDistribution(below_one(chance), np.clip(mean * self.money, 0.0, top), shape, top)

    def state(self) -> tuple[dict[str, NDArray[Any]], JsonObject]:
        """Return tensors by name, and a JSON-ready dictionary."""
        tensors = {name: value.numpy() for name, value in self.network.state_dict().items()}
        names = ("money", "largest", "horizon_days")
        return tensors, {
            "encoder": self.encoder.to_json(),
            **{name: getattr(self, name) for name in names},
            **({} if self.device == "auto" else {"device": self.device}),
        }

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: JsonObject) -> Self:
        """Return the model that :meth:`state` described."""
        encoder = TableEncoder.from_json(state["encoder"])
        network = ZilnMlp(len(encoder.columns_))
        network.load_state_dict({name: torch.as_tensor(value) for name, value in tensors.items()})
        return cls(
            encoder,
            network.eval(),
            state["money"],
            state["largest"],
            state["horizon_days"],
            state.get("device", "auto"),
        )


@dataclass(frozen=True)
class LognormalShape:
    """The buyers' shape of n lognormals.

    Args:
        sigma: of each, [n].
    """

    sigma: NDArray[np.float64]

    def ratio(self, level: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the quantile at ``level`` [l, n] over the mean."""
        return np.exp(np.minimum(self.sigma * ndtri(level) - self.sigma**2 / 2, LARGEST_LOG))
