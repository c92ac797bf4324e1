"""The trained ensemble: encoder + networks, and the step that sets its level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clv_core.config import TrainConfig
from clv_core.features.shards import each
from clv_core.features.snapshot import Snapshot
from clv_core.model.heads import Params
from clv_core.model.horizon import Horizon, exposure, largest_allowed
from clv_core.model.inputs import InputEncoder
from clv_core.model.network import Network, Shape
from clv_core.model.one_thread import one_thread
from clv_core.model.predictions import Predictions

ROWS_AT_ONCE: Final = 8192
LARGEST_LEVEL_RATIO: Final = 3.0
QUANTILES: Final = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Read:
    """What an ensemble says of n rows before their level is set.

    Args:
        members: the head's parameters of each network, each float32 [n].
        mean: the ensemble's mean, in the log's currency, float64 [n].
        anchor_value: the anchor's, float64 [n].
        bought: who has ever bought, bool [n].
        cutoff_day: int32 [n].
        longer: expected purchases in the asked horizon, discounted, relative to the trained one, float32 [n].
        plain: the same without discount: a chance to buy knows none.
        largest: no value exceeds it, in the log's currency.
        residual: last year's, the same for all rows of a snapshot.
    """

    members: list[Params]
    mean: NDArray[np.float64]
    anchor_value: NDArray[np.float64]
    bought: NDArray[np.bool_]
    cutoff_day: NDArray[np.int32]
    longer: Tensor
    plain: Tensor
    largest: float
    residual: float

    def ratio(self, levels: dict[int, float]) -> Tensor:
        """Each row's factor: its cutoff's for buyers, 1 for those who never bought, float32 [n]."""
        ratio = np.ones(len(self.bought), np.float32)
        for day, level in levels.items():
            ratio[(self.cutoff_day == day) & self.bought] = level
        return torch.from_numpy(ratio)


@dataclass(frozen=True)
class DeepModel:
    """An ensemble of networks on one encoder; a member of ``MODELS``.

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

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row.

        The networks answer for the horizon they were trained on, and the level is set there. Another horizon scales the
        mean by the ratio of the anchor's expected purchases, which makes it monotone in the horizon.

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            horizon_days: length of the predicted span; None is the trained one.
        """
        return next(self.predict_parts([snapshot], horizon_days))

    def predict_parts(self, parts: Iterable[Snapshot], horizon_days: int | None = None) -> Iterator[Predictions]:
        """Yield the predictions of each part of a snapshot, those of :meth:`predict` to the bit.

        The level is set by all rows together, so all parts are read before the first answer. Of each only a few numbers
        a row are kept.

        Args:
            parts: rows of one snapshot in their order; each but the last holds a multiple of :data:`ROWS_AT_ONCE`.
            horizon_days: length of the predicted span; None is the trained one.
        """
        read = [self._read(part, horizon_days) for part in parts]
        levels = self._levels(read)
        for part in read:
            yield self._answer(part, levels)

    def levels(self, snapshot: Snapshot) -> dict[int, float]:
        """Return the factor of each cutoff that :meth:`predict` brings these rows' level to the anchor's with."""
        return self._levels([self._read(snapshot)])

    @torch.no_grad()
    def expected_value(self, snapshot: Snapshot, levels: dict[int, float]) -> NDArray[np.float64]:
        """Return predicted_clv alone, each row for itself: with the levels of other rows, [n].

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            levels: of :meth:`levels`, over all customers of the cutoffs.
        """
        read = self._read(snapshot)
        level, ones = read.ratio(levels), torch.ones(len(snapshot))
        means = [
            network.head.mean(network.head.rescale(params, level * ones, ones))
            for network, params in zip(self.networks, read.members, strict=True)
        ]
        return self._money(torch.stack(means).double().mean(0).numpy(), read)

    @torch.no_grad()
    def _read(self, snapshot: Snapshot, horizon_days: int | None = None) -> Read:
        """Return what the networks say of every row, before any level."""
        one_thread()
        inputs = self.encoder.transform(snapshot)

        @torch.no_grad()  # of this thread
        def ask(rows: Tensor) -> list[Params]:
            batch = inputs.batch(rows)
            return [network(batch) for network in self.networks]

        answers = each(ask, list(inputs.in_parts(ROWS_AT_ONCE)))
        members = [
            {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
            for parts in zip(*answers, strict=True)
        ]
        means = [network.head.mean(params) for network, params in zip(self.networks, members, strict=True)]
        horizon = horizon_days or self.config.horizon_days
        longer = self._exposure(snapshot, horizon)
        mean = torch.stack(means).mean(0).double().numpy() * self.encoder.money
        return Read(
            members=members,
            mean=mean,
            anchor_value=np.nan_to_num(snapshot.features["anchor_value"].to_numpy(np.float64)),
            bought=snapshot.features["T"].notna().to_numpy(),
            cutoff_day=snapshot.cutoff_day,
            longer=longer,
            plain=self._exposure(snapshot, int(horizon)) if Horizon.of(horizon).yearly_rate else longer,
            largest=largest_allowed(self.largest, self.config.horizon_days, horizon),
            residual=snapshot.last_year_residual,
        )

    @torch.no_grad()
    def _answer(self, read: Read, levels: dict[int, float]) -> Predictions:
        figures: dict[str, list[Tensor]] = {name: [] for name in ("p", "mean", *map(str, QUANTILES))}
        level = read.ratio(levels)
        for network, params in zip(self.networks, read.members, strict=True):
            chance = network.head.rescale(params, level * read.plain, read.plain)
            figures["p"].append(network.head.p_purchase(chance))
            scaled = network.head.rescale(params, level * read.longer, read.longer)
            figures["mean"].append(network.head.mean(scaled))
            for q in QUANTILES:
                figures[str(q)].append(network.head.quantile(scaled, q))
        p, *values = (torch.stack(parts).double().mean(0).numpy() for parts in figures.values())
        return Predictions(np.clip(p, 0, 1), *(self._money(value, read) for value in values))

    def _money(self, value: NDArray[np.float64], read: Read) -> NDArray[np.float64]:
        return np.clip(value * self.encoder.money, 0, read.largest)

    def _exposure(self, snapshot: Snapshot, horizon_days: int) -> Tensor:
        """Expected purchases in ``horizon_days`` relative to the trained horizon, [n]."""
        return torch.from_numpy(exposure(snapshot, self.config.horizon_days, horizon_days).astype(np.float32))

    @staticmethod
    def _levels(read: list[Read]) -> dict[int, float]:
        """Factor that brings the buyers' total of each cutoff to the anchor's, by cutoff day.

        Ranking is solved better than level: the anchor's total, corrected by half of what it missed in the same span
        last year, held better on past origins than the networks' own. The factor is kept within 1/3 to 3.
        """
        mean, anchor_value, bought, cutoff_day = (
            np.concatenate([getattr(part, name) for part in read])
            for name in ("mean", "anchor_value", "bought", "cutoff_day")
        )
        levels: dict[int, float] = {}
        for day in np.unique(cutoff_day):
            rows = np.flatnonzero((cutoff_day == day) & bought)
            ours, anchors = mean[rows].sum(), anchor_value[rows].sum()
            if ours > 0 and anchors > 0:
                factor = anchors / ours * np.exp(0.5 * read[0].residual)
                levels[int(day)] = float(np.clip(factor, 1 / LARGEST_LEVEL_RATIO, LARGEST_LEVEL_RATIO))
        return levels

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return tensors by name, and a JSON-ready dictionary."""
        tensors = {
            f"{number}.{name}": value.numpy()
            for number, network in enumerate(self.networks)
            for name, value in network.state_dict().items()
        }
        return tensors, {
            "config": self.config.to_json(),
            "encoder": self.encoder.to_json(),
            "networks": len(self.networks),
            "largest": self.largest,
        }

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: dict[str, Any]) -> Self:
        """Return the model that :meth:`state` described."""
        config, encoder = TrainConfig.from_json(state["config"]), InputEncoder.from_json(state["encoder"])
        networks = []
        for number in range(state["networks"]):
            network = Network(Shape(len(encoder.table.columns_), encoder.vocabulary_sizes), config)
            prefix = f"{number}."
            weights = {
                name[len(prefix) :]: torch.as_tensor(value)
                for name, value in tensors.items()
                if name.startswith(prefix)
            }
            network.load_state_dict(weights)
            networks.append(network.eval())
        return cls(config, encoder, tuple(networks), state["largest"])
