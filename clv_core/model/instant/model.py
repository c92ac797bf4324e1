"""Predictions of networks that were trained on simulated shops, in a log's currency and at its anchor's level.

Below them the network itself, which statistics of the log steer (FiLM), and the weights that it ships with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence

from clv_core.features import LastYear, Snapshot
from clv_core.features.context import Context
from clv_core.model.calibrated import (
    Law,
    NetworkModel,
    NetworkOutput,
    RawForecast,
    means_of,
    predict_batches,
    silent_floor,
)
from clv_core.model.heads import Params, Ziln
from clv_core.model.horizon import Curve, Horizon, HorizonTransfer, discounted, growth, largest_allowed
from clv_core.model.instant.pretrained_inputs import CHANNELS, Batch, InstantInputs
from clv_core.model.stacking import StackedEnsemble, beginning_with, one_thread, scoring_device, weights_by_name
from clv_core.program_files import ASSETS
from clv_core.records import JsonObject
from clv_core.workspace import atomic_path, read_json, write_json


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
        device: the setting that it was made with.
    """

    whole_past = True

    horizon_days: int
    networks: tuple[InstantNetwork, ...]
    largest: float | None = None
    sets_chance: bool = True
    law: Law | None = None
    device: str = "auto"

    @torch.no_grad()
    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> RawForecast:
        """Return the networks' forecast of every row, uncalibrated."""
        one_thread()
        contexts, inputs = _inputs(snapshot)
        params, head = predict_batches(inputs, self._all, self._ask), self._all.head
        weights = params.pop("curve")
        horizon = horizon_days or self.horizon_days
        after = cache(partial(growth, snapshot, self.horizon_days))
        longer = self._share(weights, horizon, after, snapshot.last_year)
        money = inputs.money(contexts)
        seen = [_seen(context) for context in contexts.values()]
        windows = seen if self.largest is None else [(self.largest, self.horizon_days)]
        mean, chance = means_of(head, params)
        return RawForecast(
            outputs=[NetworkOutput(head, params, longer)],
            money=money,
            mean=mean * money,
            chance=chance,
            bought=snapshot.bought,
            cutoff_day=snapshot.cutoff_day,
            largest=max(largest_allowed(largest, days, horizon) for largest, days in windows),
            residual=snapshot.last_year.residual,
            later=HorizonTransfer.of(snapshot, self.horizon_days, horizon),
            floor=silent_floor(snapshot, self.law),
        )

    @torch.no_grad()
    def hidden(self, snapshot: Snapshot) -> list[NDArray[np.float32]]:
        """Return the last hidden layer of each network, each [n, WIDTH]."""
        one_thread()
        _, inputs = _inputs(snapshot)
        answers = predict_batches(inputs, self._all, lambda network, batch: {"hidden": network.hidden(batch)})
        return list(answers["hidden"].numpy())

    @cached_property
    def _all(self) -> StackedEnsemble[InstantNetwork]:
        return StackedEnsemble(self.networks, scoring_device(self.device))

    def _ask(self, network: InstantNetwork, batch: Batch) -> Params:
        """Return the parameters of a batch; steering is cached: a service predicts customers of one log all day."""
        cached = self._steering_cache.get(network)
        if cached is None or not torch.equal(cached[0], batch.logs):
            cached = self._steering_cache[network] = batch.logs, network.steering(batch.logs)
        params: Params = network(batch, cached[1])
        return params

    @cached_property
    def _steering_cache(self) -> dict[InstantNetwork, tuple[Tensor, Steering]]:
        """The logs of the last batch of each network, and its steering by them."""
        return {}

    def _share(self, weights: Tensor, horizon_days: int, after: Callable[[], Curve], last_year: LastYear) -> Tensor:
        """Return what comes in ``horizon_days``, discounted, relative to the model's own horizon, float32.

        Args:
            weights: of each customer's curve in each network, [k, n, CURVE_WIDTH].
            horizon_days: length of the span.
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
            **({} if self.law is None else {"longest_silence": self.law.to_json()}),
            **({} if self.device == "auto" else {"device": self.device}),
        }

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: JsonObject) -> Self:
        """Return the model that :meth:`state` described."""
        by_network = [beginning_with(tensors, number) for number in range(state["networks"])]
        networks = [
            InstantNetwork.of({name: torch.as_tensor(value) for name, value in arrays.items()}) for arrays in by_network
        ]
        sets_chance, law = state.get("sets_chance", False), Law.from_state(state)
        device = state.get("device", "auto")
        return cls(state["horizon_days"], tuple(networks), state["largest"], sets_chance, law, device)


def _inputs(snapshot: Snapshot) -> tuple[dict[int, Context], InstantInputs]:
    """Return the log's context at each cutoff, and the tensors that the networks read."""
    contexts = {day: snapshot.contexts[day].context for day in np.unique(snapshot.cutoff_day).tolist()}
    return contexts, InstantInputs.of(snapshot.windows, contexts, snapshot.anchors, snapshot.basis)


def _seen(context: Context) -> tuple[float, int]:
    """Return the largest value of a customer in a window, at least that of one order, and the days of the window."""
    return float(max(context.lookup.largest, context.usual["money"])), max(context.lookup.days, 1)


WIDTH: Final = 256
"""Sizes of the network, a guess within what two cores train in 80 minutes and answer in milliseconds."""
BLOCKS: Final = 2
"""Residual blocks."""
STEPS_WIDTH: Final = 32
"""Of the GRU over steps."""
LOG_WIDTHS: Final = (128, 64)
"""Of the two layers over the log's statistics."""
ANCHORED: Final = 1
"""Column of the base logs that holds the anchor's: where BG/NBD is right, nothing has to be learned but to trust it."""
TRUST: Final = -1.0
"""Logit of how far the log mean leans to it before anything is learned."""
FARTHEST: Final = 6.0
"""Inputs are cut at so many standard deviations: real logs lie outside of what simulated shops show. A guess."""

SATURATIONS: Final = (0.15, 0.5, 1.5, 4.0)
"""Horizons after which a saturating curve has reached 1 - 1/e: from customers about to leave to nearly even ones; a
guess."""
CURVE_WIDTH: Final = len(SATURATIONS) + 2
CURVE_START: Final = (-1.0, -1.0, 0.0, 1.0, 1.0, -1.0)
"""Log weights before anything is learned: nearly even."""

Steering = list[Tensor]


def curve_basis(ratio: Tensor) -> Tensor:
    """Return the basis curves at ``ratio`` horizons [B], shape [B, CURVE_WIDTH]."""
    rising = [-torch.expm1(-ratio / tau) for tau in SATURATIONS]
    return torch.stack([*rising, ratio, ratio**2 / (1 + ratio**2)], dim=-1)


def curve_share(weights: Tensor, ratio: Tensor) -> Tensor:
    """Return which share of a horizon's value comes in ``ratio`` horizons, [B]; it never falls, and is 1 at 1.

    sum_k w_k B_k(r) / sum_k w_k B_k(1) with basis curves that rise from 0: saturating ones for customers about to
    leave, an even one, and one that starts late.

    Args:
        weights: of the basis curves, positive, [B, CURVE_WIDTH].
        ratio: length of the span in horizons, [B].
    """
    at_horizon = curve_basis(torch.ones_like(ratio))
    return (weights * curve_basis(ratio)).sum(-1) / (weights * at_horizon).sum(-1)


class Block(nn.Module):
    """A residual block whose inner layer is scaled and shifted by statistics of the log.

    Source: Perez et al. (2018), FiLM: Visual Reasoning with a General Conditioning Layer, arXiv 1709.07871.
    """

    def __init__(self, width: int, log_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        self.film = nn.Linear(log_width, 2 * width)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, hidden: Tensor, film: Tensor, log_of: Tensor) -> Tensor:
        """Return the next hidden layer [B, width] of ``hidden`` [B, width] and k logs' ``film``, [k, 2 * width]."""
        scale, shift = (film if film.shape[-2] == 1 else film[..., log_of, :]).chunk(2, dim=-1)
        inner = self.inner(self.norm(hidden)) * (1 + scale) + shift
        following: Tensor = hidden + self.outer(F.silu(inner))
        return following


class InstantNetwork(nn.Module):
    """Log statistics, customer statistics and steps -> the parameters of a ZILN head, and a curve over time.

    Args:
        statistics: how many statistics a customer has.
        log_statistics: how many a log has.
    """

    def __init__(self, statistics: int, log_statistics: int) -> None:
        super().__init__()
        self.head = Ziln()
        self.log = nn.Sequential(
            nn.Linear(log_statistics, LOG_WIDTHS[0]), nn.SiLU(), nn.Linear(LOG_WIDTHS[0], LOG_WIDTHS[1]), nn.SiLU()
        )
        self.steps = nn.GRU(CHANNELS, STEPS_WIDTH)
        self.join = nn.Linear(statistics + STEPS_WIDTH, WIDTH)
        self.blocks = nn.ModuleList(Block(WIDTH, LOG_WIDTHS[1]) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)
        self.out = nn.Linear(WIDTH, self.head.args_dim + CURVE_WIDTH + 1)
        nn.init.zeros_(self.out.weight)
        with torch.no_grad():
            self.out.bias.copy_(torch.tensor([0.0] * self.head.args_dim + list(CURVE_START) + [TRUST]))
        for name, size in (("statistics", statistics), ("log", log_statistics)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_deviation", torch.ones(size))
        self.statistics_mean: Tensor
        self.statistics_deviation: Tensor
        self.log_mean: Tensor
        self.log_deviation: Tensor

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> Self:
        """Return the network of a state dictionary, in eval mode."""
        network = cls(len(weights["statistics_mean"]), len(weights["log_mean"]))
        network.load_state_dict(dict(weights))
        return network.eval()

    def widened(self, fresh: InstantNetwork) -> InstantNetwork:
        """Return ``fresh`` with these weights: it answers what this one does, whatever the added statistics are.

        Args:
            fresh: standardised; its first statistics are this one's.
        """
        width, weights = len(self.statistics_mean), dict(self.state_dict())
        more = torch.zeros(WIDTH, len(fresh.statistics_mean) - width)
        weights["join.weight"] = torch.cat([self.join.weight[:, :width], more, self.join.weight[:, width:]], dim=1)
        for name in ("statistics_mean", "statistics_deviation"):
            weights[name] = torch.cat([weights[name], getattr(fresh, name)[width:]])
        fresh.load_state_dict(weights)
        return fresh

    def standardise(self, statistics: Tensor, logs: Tensor) -> None:
        """Learn mean and deviation of the inputs from ``statistics`` [n, f] and ``logs`` [k, g]."""
        for name, values in (("statistics", statistics), ("log", logs)):
            deviation = values.std(0)
            getattr(self, f"{name}_mean").copy_(values.mean(0))
            getattr(self, f"{name}_deviation").copy_(
                torch.where(deviation > 1e-3, deviation, torch.ones_like(deviation))
            )

    def forward(self, batch: Batch, steering: Steering | None = None) -> Params:
        """Return the head's parameters and ``curve``, the weights of the curve over time [B, CURVE_WIDTH].

        Args:
            batch: B rows of k logs.
            steering: :meth:`steering` of the logs, where it was computed before.
        """
        hidden = self.hidden(batch, steering)
        raw, weights, trust = self.out(hidden).split([self.head.args_dim, CURVE_WIDTH, 1], dim=-1)
        params = self.head.domain_map(raw, batch.base)
        anchored = batch.base[:, ANCHORED]
        log_mean = torch.lerp(params["log_mean"], anchored, trust.squeeze(-1).sigmoid())
        return {**params, "log_mean": log_mean, "curve": weights.softmax(-1)}

    def steering(self, logs: Tensor) -> Steering:
        """Return the scale and shift of each block for k logs [k, g], [k, 2 * WIDTH] each."""
        log = self.log(_standard(logs, self.log_mean, self.log_deviation))
        return [block.get_submodule("film")(log) for block in self.blocks]

    def hidden(self, batch: Batch, steering: Steering | None = None) -> Tensor:
        """Return the last hidden layer: each customer as the network sees her, [B, WIDTH]."""
        states = self.steps(PackedSequence(batch.steps.channels, batch.steps.batch_sizes))[1][-1]
        used = batch.statistics[..., : self.statistics_mean.shape[-1]]
        statistics = _standard(used, self.statistics_mean, self.statistics_deviation)
        hidden = self.join(torch.cat([statistics, states.index_select(-2, batch.steps.unsort)], dim=-1))
        for block, film in zip(self.blocks, steering or self.steering(batch.logs), strict=True):
            hidden = block(hidden, film, batch.log_of)
        return F.silu(self.norm(hidden))


def _standard(values: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    return ((values - mean.unsqueeze(-2)) / deviation.unsqueeze(-2)).clamp(-FARTHEST, FARTHEST)


SHIPPED: Final = ASSETS / "instant"
WEIGHTS: Final = "weights.safetensors"
RECORD: Final = "record.json"


def save_network(network: InstantNetwork, folder: Path, record: JsonObject) -> None:
    """Write a network and the record of its training into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / WEIGHTS) as temporary:
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, temporary)
    write_json(folder / RECORD, record)


def load_network(folder: Path = SHIPPED) -> InstantNetwork:
    """Return a network of its own with the weights in ``folder``, in eval mode."""
    return InstantNetwork.of(load_file(folder / WEIGHTS))


@cache
def shipped_record() -> JsonObject:
    """Return the record of the network that the program ships with."""
    record: JsonObject = read_json(SHIPPED / RECORD)
    return record
