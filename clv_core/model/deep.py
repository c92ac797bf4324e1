"""The trained ensemble: encoder + networks, and the step that sets its level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clv_core.config import TrainConfig
from clv_core.features.snapshot import Snapshot
from clv_core.model.heads import Params
from clv_core.model.horizon import exposure
from clv_core.model.inputs import InputEncoder, Inputs
from clv_core.model.network import Network, Shape
from clv_core.model.predictions import Predictions

ROWS_AT_ONCE: Final = 8192
LARGEST_LEVEL_RATIO: Final = 3.0
QUANTILES: Final = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class DeepModel:
    """An ensemble of networks on one encoder; a member of ``MODELS``.

    Args:
        config: what it was trained with; its horizon is the one that the networks know.
        encoder: turns snapshots into tensors.
        networks: in eval mode, on the CPU.
        largest: largest value in the horizon seen in training, in the log's currency; no prediction exceeds 3 times it.
    """

    config: TrainConfig
    encoder: InputEncoder
    networks: tuple[Network, ...]
    largest: float

    @torch.no_grad()
    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row.

        The networks answer for the horizon they were trained on, and the level is set there. Another horizon scales the
        mean by the ratio of the anchor's expected purchases, which makes it monotone in the horizon.

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            horizon_days: length of the predicted span; None is the trained one.
        """
        members = self._members(snapshot)
        level = self._ratio(snapshot, self._levels(snapshot, members))
        longer = self._exposure(snapshot, horizon_days or self.config.horizon_days)
        figures: dict[str, list[Tensor]] = {name: [] for name in ("p", "mean", *map(str, QUANTILES))}
        for network, params in zip(self.networks, members, strict=True):
            scaled = network.head.rescale(params, level * longer, longer)
            figures["p"].append(network.head.p_purchase(scaled))
            figures["mean"].append(network.head.mean(scaled))
            for q in QUANTILES:
                figures[str(q)].append(network.head.quantile(scaled, q))
        p, *values = (torch.stack(parts).double().mean(0).numpy() for parts in figures.values())
        return Predictions(np.clip(p, 0, 1), *map(self._money, values))

    @torch.no_grad()
    def levels(self, snapshot: Snapshot) -> dict[int, float]:
        """Return the factor of each cutoff that :meth:`predict` brings these rows' level to the anchor's with."""
        return self._levels(snapshot, self._members(snapshot))

    @torch.no_grad()
    def expected_value(self, snapshot: Snapshot, levels: dict[int, float]) -> NDArray[np.float64]:
        """Return predicted_clv alone, each row for itself: with the levels of other rows, [n].

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            levels: of :meth:`levels`, over all customers of the cutoffs.
        """
        level, ones = self._ratio(snapshot, levels), torch.ones(len(snapshot))
        means = [
            network.head.mean(network.head.rescale(params, level * ones, ones))
            for network, params in zip(self.networks, self._members(snapshot), strict=True)
        ]
        return self._money(torch.stack(means).double().mean(0).numpy())

    def _members(self, snapshot: Snapshot) -> list[Params]:
        inputs = self.encoder.transform(snapshot)
        return [self._params(network, inputs) for network in self.networks]

    def _money(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(value * self.encoder.money, 0, LARGEST_LEVEL_RATIO * self.largest)

    def _params(self, network: Network, inputs: Inputs) -> Params:
        parts = [network(inputs.batch(rows)) for rows in inputs.in_parts(ROWS_AT_ONCE)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _exposure(self, snapshot: Snapshot, horizon_days: int) -> Tensor:
        """Expected purchases in ``horizon_days`` relative to the trained horizon, [n]."""
        return torch.from_numpy(exposure(snapshot, self.config.horizon_days, horizon_days).astype(np.float32))

    def _levels(self, snapshot: Snapshot, members: list[Params]) -> dict[int, float]:
        """Factor that brings the buyers' total of each cutoff to the anchor's, by cutoff day.

        Ranking is solved better than level: the anchor's total, corrected by half of what it missed in the same span
        last year, held better on past origins than the networks' own. The factor is kept within 1/3 to 3.
        """
        means = [network.head.mean(params) for network, params in zip(self.networks, members, strict=True)]
        mean = torch.stack(means).mean(0).double().numpy() * self.encoder.money
        anchor_value = np.nan_to_num(snapshot.features["anchor_value"].to_numpy(np.float64))
        bought = snapshot.features["T"].notna().to_numpy()
        levels: dict[int, float] = {}
        for day in np.unique(snapshot.cutoff_day):
            rows = np.flatnonzero((snapshot.cutoff_day == day) & bought)
            ours, anchors = mean[rows].sum(), anchor_value[rows].sum()
            if ours > 0 and anchors > 0:
                factor = anchors / ours * np.exp(0.5 * snapshot.last_year_residual)
                levels[int(day)] = float(np.clip(factor, 1 / LARGEST_LEVEL_RATIO, LARGEST_LEVEL_RATIO))
        return levels

    def _ratio(self, snapshot: Snapshot, levels: dict[int, float]) -> Tensor:
        """Each row's factor: its cutoff's for buyers, 1 for those who never bought, [n]."""
        ratio = np.ones(len(snapshot), np.float32)
        bought = snapshot.features["T"].notna().to_numpy()
        for day, level in levels.items():
            ratio[(snapshot.cutoff_day == day) & bought] = level
        return torch.from_numpy(ratio)

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
