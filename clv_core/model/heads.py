"""Output heads: what the network's raw numbers mean as a distribution of value in the horizon.

The network never learns which distribution it feeds. In every head the mean is a parameter of its own,

    log mean = learned linear of the base logs (anchor, recent rate, long-run rate, order value) + 2 tanh(o1 / 2),

so that large spenders pass through, and the deep part moves a mean by at most e^2. Money is in units of the log's mean
order; ``base`` holds the base logs and, last, the anchor's purchase logit.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BASE_LOGS: Final = ("anchor_value", "recent_rate", "long_run_rate", "order_value", "never_bought")
BASE_WIDTH: Final = len(BASE_LOGS) + 1
SMALLEST_P: Final = 1e-6
RESIDUAL_BINS: Final = 10
RESIDUAL_LEVELS: Final = 99

Params = dict[str, Tensor]


class Head(nn.Module, ABC):
    """Contract and shared part of all heads.

    Attributes:
        args_dim: how many raw numbers it wants for a customer.
    """

    args_dim: int = 2

    def __init__(self) -> None:
        super().__init__()
        self.pass_through = nn.Linear(len(BASE_LOGS), 1)
        with torch.no_grad():
            self.pass_through.weight.copy_(torch.tensor([[0.6, 0.2, 0.2, 0.0, 0.0]]))
            self.pass_through.bias.zero_()

    def domain_map(self, raw: Tensor, base: Tensor) -> Params:
        """Turn raw [B, args_dim] and base [B, BASE_WIDTH] into parameters, each [B]."""
        logit = raw[:, 0] + base[:, -1]
        log_mean = self.pass_through(base[:, :-1]).squeeze(-1) + 2 * torch.tanh(raw[:, 1] / 2)
        return {"logit": logit, "log_mean": log_mean}

    @abstractmethod
    def loss(self, target: Tensor, params: Params) -> Tensor:
        """Return the loss of each row [B]; target [B] in units of the mean order, negative values count as 0."""

    def mean(self, params: Params) -> Tensor:
        """Return the expected value [B]."""
        return params["log_mean"].exp()

    def p_purchase(self, params: Params) -> Tensor:
        """Return the probability that the value is positive [B]."""
        return params["logit"].sigmoid()

    @abstractmethod
    def quantile(self, params: Params, q: float) -> Tensor:
        """Return the q-quantile of the value [B]."""

    def calibrate(self, target: Tensor, params: Params) -> None:
        """Learn from training windows what the parameters alone do not say (nothing, for a head with a density)."""

    def rescale(self, params: Params, mean_factor: Tensor, exposure: Tensor) -> Params:
        """Return the parameters for another level or horizon.

        Args:
            params: as from :meth:`domain_map`.
            mean_factor: multiplies the mean, [B].
            exposure: expected purchases relative to the trained horizon; the chance of none is raised to it, [B].
        """
        p_none = F.logsigmoid(-params["logit"]) * exposure
        p = (-torch.expm1(p_none)).clamp(SMALLEST_P, 1 - SMALLEST_P)
        return {**params, "logit": torch.logit(p), "log_mean": params["log_mean"] + mean_factor.log()}


class Ziln(Head):
    """Zero-inflated lognormal: 0 with probability 1 - p, else lognormal(mu, sigma); mean M = p exp(mu + sigma^2/2).

    Source: Wang, Liu, Miao (2019), arXiv 1912.07753, with the mean in place of mu as the parameter: the plain
    parameterisation explodes where sigma is large.
    """

    args_dim = 3

    def domain_map(self, raw: Tensor, base: Tensor) -> Params:
        """Add sigma in (0.2, 1.5)."""
        return {**super().domain_map(raw, base), "sigma": 0.2 + 1.3 * torch.sigmoid(raw[:, 2])}

    def mu(self, params: Params) -> Tensor:
        """Return the lognormal's mu [B]."""
        return params["log_mean"] - F.logsigmoid(params["logit"]) - params["sigma"] ** 2 / 2

    def loss(self, target: Tensor, params: Params) -> Tensor:
        """Return the negative log density [B]."""
        bought = (target > 0).to(target.dtype)
        chance = F.binary_cross_entropy_with_logits(params["logit"], bought, reduction="none")
        log_target = torch.where(target > 0, target, torch.ones_like(target)).log()
        sigma = params["sigma"]
        z = (log_target - self.mu(params)) / sigma
        return chance + bought * (log_target + sigma.log() + 0.5 * math.log(2 * math.pi) + 0.5 * z**2)

    def quantile(self, params: Params, q: float) -> Tensor:
        """Return the q-quantile [B]: 0 where the chance of no purchase is at least q."""
        p = self.p_purchase(params)
        inside = ((q - (1 - p)) / p).clamp(1e-7, 1 - 1e-7)
        value = torch.exp(self.mu(params) + params["sigma"] * torch.special.ndtri(inside.double()).to(p.dtype))
        return torch.where(q <= 1 - p, torch.zeros_like(value), value)


class _MeanHead(Head, ABC):
    """A head without a density: its quantiles are residual quantiles by predicted decile of the training windows."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("edges", torch.zeros(RESIDUAL_BINS - 1))
        self.register_buffer("ratios", torch.ones(RESIDUAL_BINS, RESIDUAL_LEVELS))
        self.edges: Tensor
        self.ratios: Tensor

    def loss(self, target: Tensor, params: Params) -> Tensor:
        """Return the loss of the mean plus the cross-entropy of the purchase logit [B]."""
        bought = (target > 0).to(target.dtype)
        chance = F.binary_cross_entropy_with_logits(params["logit"], bought, reduction="none")
        return self.mean_loss(target.clamp(min=0), self.mean(params)) + chance

    @abstractmethod
    def mean_loss(self, target: Tensor, mean: Tensor) -> Tensor:
        """Return the loss of the mean [B]."""

    def calibrate(self, target: Tensor, params: Params) -> None:
        """Learn the quantiles of target / mean within each decile of the predicted mean."""
        mean = self.mean(params)
        levels = torch.linspace(0.01, 0.99, RESIDUAL_LEVELS, dtype=mean.dtype)
        self.edges.copy_(torch.quantile(mean, torch.linspace(0.1, 0.9, RESIDUAL_BINS - 1, dtype=mean.dtype)))
        which = torch.bucketize(mean, self.edges)
        for bin_number in range(RESIDUAL_BINS):
            inside = which == bin_number
            if inside.any():
                self.ratios[bin_number] = torch.quantile((target.clamp(min=0) / mean)[inside], levels)

    def quantile(self, params: Params, q: float) -> Tensor:
        """Return mean x residual ratio at q [B], interpolated between the learned levels."""
        mean = self.mean(params)
        position = min(max((q - 0.01) / 0.98, 0.0), 1.0) * (RESIDUAL_LEVELS - 1)
        lower = min(int(position), RESIDUAL_LEVELS - 2)
        weight = position - lower
        ratio = self.ratios[:, lower] * (1 - weight) + self.ratios[:, lower + 1] * weight
        return mean * ratio[torch.bucketize(mean, self.edges)]


class PointMse(_MeanHead):
    """One number by squared error: aims at the mean."""

    def mean_loss(self, target: Tensor, mean: Tensor) -> Tensor:
        """Return the squared error [B]."""
        return (target - mean) ** 2


class PointMae(_MeanHead):
    """One number by absolute error: aims at the median."""

    def mean_loss(self, target: Tensor, mean: Tensor) -> Tensor:
        """Return the absolute error [B]."""
        return (target - mean).abs()


class Tweedie(_MeanHead):
    """The mean of a compound Poisson-gamma value, by unit deviance of power 1.5."""

    def mean_loss(self, target: Tensor, mean: Tensor) -> Tensor:
        """Return the deviance [B]."""
        return tweedie_deviance(target, mean)


def tweedie_deviance(target: Tensor, mean: Tensor) -> Tensor:
    """Return the unit deviance of power 1.5, 4 (sqrt(y) - sqrt(m))^2 / sqrt(m), of non-negative targets [B].

    Source: Jorgensen (1997), The Theory of Dispersion Models, with p = 1.5.
    """
    root = mean.clamp(min=1e-9).sqrt()
    return 4 * (target.clamp(min=0).sqrt() - root) ** 2 / root


HEADS: Final[dict[str, type[Head]]] = {
    "ziln": Ziln,
    "tweedie": Tweedie,
    "point_mse": PointMse,
    "point_mae": PointMae,
}
"""All heads; the setting ``head=point`` with ``point_loss`` names ``point_mse`` or ``point_mae``."""


def make_head(head: str, point_loss: str) -> Head:
    """Return a new head for the settings ``head`` and ``point_loss``."""
    return HEADS[f"point_{point_loss}" if head == "point" else head]()
