"""Output heads: what the network's raw numbers mean as a distribution of value in the horizon.

The network never learns which distribution it feeds. In every head the mean is a parameter of its own,

    log mean = learned linear of the base logs (anchor, recent rate, long-run rate, order value) + move(o1),

so that large spenders pass through, and the deep part lifts a mean by at most e^2 and lowers it by at most e^4: whom
the anchor takes for a customer like all others may have left, but is no whale. Money is in units of the log's mean
order; ``base`` holds the base logs and, last, the anchor's purchase logit.

A head of several networks (:mod:`clv_core.model.stacking`) takes and returns [k, B] wherever [B] is written.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BASE_LOGS: Final = ("anchor_value", "recent_rate", "long_run_rate", "order_value", "never_bought")
BASE_WIDTH: Final = len(BASE_LOGS) + 1
SMALLEST_P: Final = 1e-6
"""Chances are kept this far from 0 and 1, so that their logits stay finite."""
TWEEDIE_WEIGHT: Final = 0.5
"""Weight of the deviance of the mean, added to the negative log-likelihood; a guess."""
LIFT, DROP = 2.0, 4.0
"""Largest move of a log mean by the deep part, up (7 times) and down (to 1/55); a guess: most who do not buy have
left."""
RESIDUAL_BINS: Final = 10
"""Deciles: each still holds a tenth of the training windows."""
RESIDUAL_LEVELS: Final = 99
"""Each decile's table has so many levels."""
RESIDUAL_MIDPOINTS: Final = (torch.arange(RESIDUAL_LEVELS, dtype=torch.float64) + 0.5) / RESIDUAL_LEVELS
MIN_BUYERS_OF_A_BIN: Final = 50
"""With fewer, a decile takes the quantiles of all buyers: an 80% range leaves five on each side of it; a guess."""
LEVELS: Final = torch.linspace(0.005, 0.995, 199, dtype=torch.float64)
"""Levels at which the lognormal head learns its standardised residuals."""
LOWEST, HIGHEST = float(LEVELS[0]), float(LEVELS[-1])
MIN_RESIDUALS: Final = 200
"""Buyers needed to learn them; with fewer they stay normal. A guess: one buyer for each of the 199 levels."""
SIGMAS: Final = torch.linspace(0.2, 1.5, 53, dtype=torch.float64)
"""Spreads of the lognormal head, from the smallest to the largest, at which its mean is worked out."""

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
        logit, move = raw[..., 0] + base[:, -1], raw[..., 1]
        most = torch.where(move > 0, LIFT, DROP)
        moved = most * torch.tanh(move / most)
        return {"logit": logit, "log_mean": self.pass_through(base[:, :-1]).squeeze(-1) + moved}

    @abstractmethod
    def loss(self, target: Tensor, params: Params) -> Tensor:
        """Return the loss of each row [B]; target [B] in units of the mean order, negative values count as 0."""

    def training_loss(self, target: Tensor, params: Params, level: Tensor | float = 1.0) -> Tensor:
        """Return what every network is trained by: the mean loss of a batch, a scalar.

        Args:
            target: value in the observed part of the horizon, in mean orders, [B].
            params: of :meth:`part`.
            level: usual value of a customer, which deviances are counted in, [B] or of all.
        """
        return self.loss(target, params).mean()

    def mean(self, params: Params) -> Tensor:
        """Return the expected value [B]."""
        return params["log_mean"].exp()

    def p_purchase(self, params: Params) -> Tensor:
        """Return the probability that the value is positive [B]."""
        return params["logit"].sigmoid()

    def quantile(self, params: Params, q: float | Tensor) -> Tensor:
        """Return the q-quantile of the value [B], or of several levels ``q``, each on an axis before: [l, B].

        It is 0 where the chance of no purchase is at least q, else a buyer's mean times her :meth:`buyer_ratio`
        (:mod:`clv_core.model.predictive_distribution`).
        """
        p = self.p_purchase(params)
        level = ((q - (1 - p)) / p).clamp(1e-7, 1 - 1e-7)
        return torch.where(q <= 1 - p, 0.0, self.mean(params) / p * self.buyer_ratio(params, level))

    @abstractmethod
    def buyer_ratio(self, params: Params, level: Tensor) -> Tensor:
        """Return the quantile at ``level``, in (0, 1), of a buyer's value over its mean: of mean 1 over all levels.

        Args:
            params: as from :meth:`domain_map`.
            level: [B], or with axes before them.
        """

    def calibrate(self, target: Tensor, params: Params) -> None:
        """Learn residual quantiles from training windows (nothing, for a head with a density of its own)."""

    def part(self, params: Params, exposure: Tensor) -> Params:
        """Return the parameters for a part of the horizon, as training windows that end early are read.

        Args:
            params: as from :meth:`domain_map`.
            exposure: expected purchases in that part relative to the full horizon, in (0, 1], [B].
        """
        return self.rescale(params, exposure, self.poisson_thinning(params, exposure))

    def poisson_thinning(self, params: Params, exposure: Tensor | float = 1.0) -> Tensor:
        """Return the chance of a purchase in ``exposure`` times the horizon, if purchases come by luck alone [B].

        Networks are trained with it: it needs no anchor. Predictions of other horizons use
        :class:`clv_core.model.horizon.PurchaseSurvival`, because most who do not buy have left.
        """
        return -torch.expm1(F.logsigmoid(-params["logit"]) * exposure)

    def rescale(self, params: Params, mean_factor: Tensor, chance: Tensor) -> Params:
        """Return the parameters for another level or horizon.

        Quantiles at a larger chance are nowhere smaller where the mean grows at least like it
        (:func:`clv_core.model.horizon.at_chance`).

        Args:
            params: as from :meth:`domain_map`.
            mean_factor: multiplies the mean, [B].
            chance: of a purchase there, [B].
        """
        p = chance.clamp(SMALLEST_P, 1 - SMALLEST_P)
        return {**params, "logit": torch.logit(p), "log_mean": params["log_mean"] + mean_factor.log()}


class Ziln(Head):
    """Zero-inflated lognormal: 0 with probability 1 - p, else lognormal(mu, sigma); mean M = p exp(mu + sigma^2/2).

    Source: Wang, Liu, Miao (2019), arXiv 1912.07753, with the mean in place of mu as the parameter: the plain
    parameterisation explodes where sigma is large.
    """

    args_dim = 3

    def __init__(self) -> None:
        super().__init__()
        self.scatter = nn.Parameter(torch.tensor(-1.0))
        self.register_buffer("residuals", torch.special.ndtri(LEVELS).float())
        self.residuals: Tensor

    def domain_map(self, raw: Tensor, base: Tensor) -> Params:
        """Add sigma in (0.2, 1.5)."""
        low, high = float(SIGMAS[0]), float(SIGMAS[-1])
        return {**super().domain_map(raw, base), "sigma": low + (high - low) * torch.sigmoid(raw[..., 2])}

    def training_loss(self, target: Tensor, params: Params, level: Tensor | float = 1.0) -> Tensor:
        """Add the deviance of the mean to the likelihood: alone, it gives large values little weight."""
        deviance = tweedie_deviance(target / level, self.mean(params) / level)
        return (self.loss(target, params) + TWEEDIE_WEIGHT * deviance).mean()

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

    def part(self, params: Params, exposure: Tensor) -> Params:
        """Return the parameters for a part of the horizon: fewer purchases scatter more about their mean.

        The squared coefficient of variation of buyers, e^(sigma^2) - 1, is parted in what stays with a customer and
        what averages out over purchases; the second part grows with 1 / exposure, and its share is learned.
        """
        share = torch.sigmoid(self.scatter)
        spread = torch.expm1(params["sigma"] ** 2) * (1 - share + share / exposure)
        return {**super().part(params, exposure), "sigma": torch.log1p(spread).sqrt()}

    def calibrate(self, target: Tensor, params: Params) -> None:
        """Learn the quantiles of the buyers' standardised residuals: real logs are less skewed than the lognormal."""
        bought = target > 0
        if int(bought.sum()) >= MIN_RESIDUALS:
            z = (target[bought].log() - self.mu(params)[bought]) / params["sigma"][bought]
            self.residuals.copy_(torch.quantile(z, LEVELS.to(z)))

    def buyer_ratio(self, params: Params, level: Tensor) -> Tensor:
        """Return e^(sigma z) over its mean, z the residual at ``level``."""
        z = self.residual(level.double()).to(level.dtype)
        return torch.exp(params["sigma"] * z - self._log_mean_ratio(params["sigma"]))

    def _log_mean_ratio(self, sigma: Tensor) -> Tensor:
        """Return the log of the mean of e^(sigma z) over the levels of z [B]: sigma^2 / 2 where z is normal.

        Worked out at :data:`SIGMAS`, between them it is interpolated: 2e-4 off at most. Between learned levels z is
        linear, beyond them normal, so each part of the integral has a closed form.
        """
        z, nodes = self.residuals.to(sigma), SIGMAS.to(sigma)
        low, high = z[..., :1], z[..., 1:]
        rise = nodes.unsqueeze(-1) * (high - z[..., :-1]).unsqueeze(-2)
        part = torch.where(rise > 1e-8, torch.expm1(rise) / rise.clamp(min=1e-8), torch.ones_like(rise))
        inner = (torch.exp(nodes.unsqueeze(-1) * z[..., :-1].unsqueeze(-2)) * part).sum(-1) * (LEVELS[1] - LEVELS[0])
        edge, area = -float(torch.special.ndtri(LEVELS[0])), torch.special.ndtr
        tail = torch.exp(nodes * edge + nodes**2 / 2) * area(-edge - nodes)
        ends = torch.exp(nodes * low) * tail
        top = torch.exp(nodes * (z[..., -1:] - edge) + nodes**2 / 2) * area(nodes - edge)
        table = torch.log(inner + ends + top)
        position = ((sigma - SIGMAS[0]) / (SIGMAS[1] - SIGMAS[0])).clamp(0, len(SIGMAS) - 1)
        below = position.long().clamp(max=len(SIGMAS) - 2)
        return torch.lerp(at_places(table, below), at_places(table, below + 1), position - below)

    def residual(self, level: Tensor) -> Tensor:
        """Return the standardised residual at ``level`` [B]: learned, and normal beyond what was learned."""
        levels, learned = LEVELS.to(level.device), self.residuals.to(level)
        within = level.clamp(LOWEST, HIGHEST)
        above = torch.searchsorted(levels, within).clamp(1, len(levels) - 1)
        below = above - 1
        nearest = levels.take(below)
        weight = (within - nearest) / (levels.take(above) - nearest)
        beyond = torch.special.ndtri(level) - torch.special.ndtri(within)
        residual: Tensor = torch.lerp(at_places(learned, below), at_places(learned, above), weight) + beyond
        return residual


class MeanHead(Head):
    """A head without a density: its quantiles are residual quantiles by predicted decile of the training windows.

    Args:
        mean_loss: of targets and means, [B] each, to the loss of each row [B].
    """

    def __init__(self, mean_loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.mean_loss = mean_loss
        self.register_buffer("edges", torch.zeros(RESIDUAL_BINS - 1))
        self.register_buffer("ratios", torch.ones(RESIDUAL_BINS, RESIDUAL_LEVELS))
        self.edges: Tensor
        self.ratios: Tensor

    def loss(self, target: Tensor, params: Params) -> Tensor:
        """Return the loss of the mean plus the cross-entropy of the purchase logit [B]."""
        bought = (target > 0).to(target.dtype)
        chance = F.binary_cross_entropy_with_logits(params["logit"], bought, reduction="none")
        return self.mean_loss(target.clamp(min=0), self.mean(params)) + chance

    def calibrate(self, target: Tensor, params: Params) -> None:
        """Learn the quantiles of buyers' values over their means, within each decile of the predicted mean."""
        mean, chance = self.mean(params), self.p_purchase(params)
        self.edges.copy_(torch.quantile(mean, torch.linspace(0.1, 0.9, RESIDUAL_BINS - 1, dtype=mean.dtype)))
        ratio, bought, which = target * chance / mean, target > 0, torch.bucketize(mean, self.edges)
        if not bought.any():
            return
        for bin_number in range(RESIDUAL_BINS):
            inside = bought & (which == bin_number)
            enough = int(inside.sum()) >= MIN_BUYERS_OF_A_BIN
            table = torch.quantile(ratio[inside if enough else bought], RESIDUAL_MIDPOINTS.to(mean))
            self.ratios[bin_number] = table / table.mean()

    def rescale(self, params: Params, mean_factor: Tensor, chance: Tensor) -> Params:
        """Keep the mean and logit that residuals were learned at: another horizon moves nobody to another decile."""
        learned = {"own_log_mean": params["log_mean"], "own_logit": params["logit"]}
        return {**super().rescale(params, mean_factor, chance), **learned}

    def buyer_ratio(self, params: Params, level: Tensor) -> Tensor:
        """Return the learned ratio at ``level``, interpolated between :data:`RESIDUAL_MIDPOINTS`."""
        trained_mean = params.get("own_log_mean", params["log_mean"]).exp()
        position = (level * RESIDUAL_LEVELS - 0.5).clamp(0.0, RESIDUAL_LEVELS - 1)
        lower = position.long().clamp(max=RESIDUAL_LEVELS - 2)
        bins = torch.searchsorted(self.edges.to(trained_mean.dtype), trained_mean)
        ratios, place = self.ratios.to(trained_mean.dtype).flatten(-2), bins * RESIDUAL_LEVELS + lower
        return torch.lerp(at_places(ratios, place), at_places(ratios, place + 1), position - lower)


def at_places(table: Tensor, place: Tensor) -> Tensor:
    """Return ``table`` [m] at ``place`` [B]; of several networks [k, m] at [k, B]; more axes of places come before."""
    return table.expand(*place.shape[:-1], table.shape[-1]).gather(-1, place)


def tweedie_deviance(target: Tensor, mean: Tensor) -> Tensor:
    """Return the unit deviance of power 1.5, 4 (sqrt(y) - sqrt(m))^2 / sqrt(m), of non-negative targets [B].

    Source: Jorgensen (1997), The Theory of Dispersion Models, with p = 1.5.
    """
    root = mean.clamp(min=1e-9).sqrt()
    return 4 * (target.clamp(min=0).sqrt() - root) ** 2 / root


HEADS: Final[dict[str, Callable[[], Head]]] = {
    "ziln": Ziln,
    "tweedie": lambda: MeanHead(tweedie_deviance),
    "point_mse": lambda: MeanHead(lambda target, mean: (target - mean) ** 2),  # aims at the mean
    "point_mae": lambda: MeanHead(lambda target, mean: (target - mean).abs()),  # aims at the median
}
"""All heads; the setting ``head=point`` with ``point_loss`` names ``point_mse`` or ``point_mae``."""


def make_head(head: str, point_loss: str) -> Head:
    """Return a new head for the settings ``head`` and ``point_loss``."""
    return HEADS[f"point_{point_loss}" if head == "point" else head]()
