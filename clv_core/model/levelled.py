"""What all networks share once they have read the customers: the level that is set, and the answer in currency."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clv_core.features.snapshot import Snapshot
from clv_core.model.heads import Head, Params
from clv_core.model.predictions import Predictions

Floats = NDArray[np.float64]

ROWS_AT_ONCE: Final = 2048
"""A part of a layer stays in the processor's caches: a fifth faster than 8192."""
LARGEST_LEVEL_RATIO: Final = 3.0
QUANTILES: Final = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Read:
    """What an ensemble says of n rows before their level is set.

    Args:
        members: the head's parameters of each network, each float32 [n].
        money: what one of their units is in the log's currency, of all rows or of each, [n].
        mean: the ensemble's mean, in the log's currency, float64 [n].
        anchor_value: the anchor's, float64 [n].
        bought: who has ever bought, bool [n].
        cutoff_day: int32 [n].
        longer: value in the asked horizon, discounted, relative to that in the trained one, by member, float32 [n].
        plain: the same without discount: a chance to buy knows none.
        largest: no value exceeds it, in the log's currency.
        residual: last year's, the same for all rows of a snapshot.
    """

    members: list[Params]
    money: Floats | float
    mean: Floats
    anchor_value: Floats
    bought: NDArray[np.bool_]
    cutoff_day: NDArray[np.int32]
    longer: Sequence[Tensor]
    plain: Sequence[Tensor]
    largest: float
    residual: float

    def ratio(self, levels: dict[int, float]) -> Tensor:
        """Each row's factor: its cutoff's for buyers, 1 for those who never bought, float32 [n]."""
        ratio = np.ones(len(self.bought), np.float32)
        for day, level in levels.items():
            ratio[(self.cutoff_day == day) & self.bought] = level
        return torch.from_numpy(ratio)

    def in_currency(self, value: Floats) -> Floats:
        """Return ``value`` [n] in the log's currency, between 0 and the largest allowed."""
        return np.clip(value * self.money, 0, self.largest)


class Levelled(ABC):
    """Networks whose answers are brought to the level of the anchor, which holds better than their own.

    The networks answer for the horizon they were trained on, and the level is set there. Another horizon scales mean
    and chance by a curve that never falls, so both are monotone in the horizon.

    Attributes:
        whole_past: whether the networks read all of a customer's steps, and not only those of her window.
    """

    whole_past: ClassVar[bool] = False

    @property
    @abstractmethod
    def heads(self) -> list[Head]:
        """The head of each network."""

    @abstractmethod
    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> Read:
        """Return what the networks say of every row, before any level."""

    @abstractmethod
    def hidden(self, snapshot: Snapshot) -> list[NDArray[np.float32]]:
        """Return the last hidden layer of each network: customers as it sees them, each [n, its width]."""

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row.

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
        read = [self.read(part, horizon_days) for part in parts]
        levels = _levels(read)
        for part in read:
            yield self._answer(part, levels)

    def levels(self, snapshot: Snapshot) -> dict[int, float]:
        """Return the factor of each cutoff that :meth:`predict` brings these rows' level to the anchor's with."""
        return self.levels_of_parts([snapshot])

    def levels_of_parts(self, parts: Iterable[Snapshot]) -> dict[int, float]:
        """Return :meth:`levels` of a snapshot in parts, as :meth:`predict_parts` takes them."""
        return _levels([self.read(part) for part in parts])

    def predict_at(self, snapshot: Snapshot, levels: dict[int, float]) -> Predictions:
        """Predict every row for itself, at the trained horizon.

        Args:
            snapshot: some customers.
            levels: of :meth:`levels`, over all customers.
        """
        return self._answer(self.read(snapshot), levels)

    @torch.no_grad()
    def expected(self, snapshot: Snapshot, levels: dict[int, float]) -> tuple[Floats, Floats]:
        """Return p_purchase and predicted_clv alone, each row for itself: with the levels of other rows, each [n].

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            levels: of :meth:`levels`, over all customers of the cutoffs.
        """
        read = self.read(snapshot)
        level, ones = read.ratio(levels), torch.ones(len(snapshot))
        figures: tuple[list[Tensor], list[Tensor]] = [], []
        for head, params in zip(self.heads, read.members, strict=True):
            scaled = head.rescale(params, level * ones, ones)
            figures[0].append(head.p_purchase(scaled))
            figures[1].append(head.mean(scaled))
        p, mean = (torch.stack(parts).double().mean(0).numpy() for parts in figures)
        return np.clip(p, 0, 1), read.in_currency(mean)

    @torch.no_grad()
    def _answer(self, read: Read, levels: dict[int, float]) -> Predictions:
        figures: dict[str, list[Tensor]] = {name: [] for name in ("p", "mean", *map(str, QUANTILES))}
        level = read.ratio(levels)
        for head, params, longer, plain in zip(self.heads, read.members, read.longer, read.plain, strict=True):
            scaled = head.rescale(params, level * longer, longer)
            even = scaled if plain is longer else head.rescale(params, level * plain, plain)
            figures["p"].append(head.p_purchase(even))
            figures["mean"].append(head.mean(scaled))
            for q in QUANTILES:
                figures[str(q)].append(head.quantile(scaled, q))
        p, *values = (torch.stack(parts).double().mean(0).numpy() for parts in figures.values())
        return Predictions(np.clip(p, 0, 1), *(read.in_currency(value) for value in values))


def joined_parts(answers: Sequence[Sequence[Tensor]]) -> list[NDArray[np.float32]]:
    """Return what each network said of all parts as one array, from what all said of each part."""
    return [torch.cat(list(parts)).numpy() for parts in zip(*answers, strict=True)]


def mean_of(heads: list[Head], members: list[Params]) -> Floats:
    """Return the mean of an ensemble's means in units of the networks, [n]."""
    means = [head.mean(params) for head, params in zip(heads, members, strict=True)]
    found: Floats = torch.stack(means).mean(0).double().numpy()
    return found


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
