"""What all networks share once they have read the customers: the level that is set, and the answer in currency."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clv_core.features.engine import each
from clv_core.features.last_year import LIKELY
from clv_core.features.snapshot import Snapshot
from clv_core.model.chance import Later
from clv_core.model.heads import Head, Params
from clv_core.model.predictions import Predictions
from clv_core.model.together import Together

Floats = NDArray[np.float64]
N = TypeVar("N", bound=nn.Module)

ROWS_AT_ONCE: Final = 2048
"""A part of a layer stays in the processor's caches: a fifth faster than 8192."""
LARGEST_LEVEL_RATIO: Final = 3.0
QUANTILES: Final = torch.tensor([[[0.1]], [[0.5]], [[0.9]]], dtype=torch.float64)
COPIES: Final = 3
"""Products of matrices of fewer than four rows go another way through BLAS, which rounds otherwise."""

LANES: Final = 8
"""So many numbers a processor works on at a time; those that are left over are rounded otherwise."""


@dataclass(frozen=True)
class Said:
    """What the k networks of an ensemble say of n rows before their level is set.

    Args:
        head: of all of them.
        params: its parameters, float32 [k, n].
        longer: value in the asked horizon, discounted, relative to that in the trained one, float32 [n] or [k, n].
    """

    head: Head
    params: Params
    longer: Tensor


@dataclass(frozen=True)
class Read:
    """What a model's ensembles say of n rows before their level is set.

    Args:
        said: by each ensemble.
        money: what one of their units is in the log's currency, of all rows or of each, [n].
        mean: the mean of all, in the log's currency, float64 [n].
        anchor_value: the anchor's, float64 [n].
        bought: who has ever bought, bool [n].
        cutoff_day: int32 [n].
        largest: no value exceeds it, in the log's currency.
        residual: last year's, the same for all rows of a snapshot.
        later: how chances and quantiles get to the asked horizon; None: it is the trained one.
    """

    said: Sequence[Said]
    money: Floats | float
    mean: Floats
    anchor_value: Floats
    bought: NDArray[np.bool_]
    cutoff_day: NDArray[np.int32]
    largest: float
    residual: float
    later: Later | None

    def ratio(self, levels: dict[int, float]) -> Tensor:
        """Each row's factor: its cutoff's for buyers, the season's for those who never bought, float64 [n].

        Nothing is known of the level of the latter; but the networks learned from targets at the anchor's level, in
        which no season is left, so what is likely of this one belongs to them as well.
        """
        ratio = np.full(len(self.bought), _season(self.residual))
        for day, level in levels.items():
            ratio[(self.cutoff_day == day) & self.bought] = level
        return torch.from_numpy(ratio)

    def in_currency(self, value: Floats) -> Floats:
        """Return values [n] or [l, n] in the log's currency, between 0 and the largest allowed."""
        return np.clip(value * self.money, 0, self.largest)


class Levelled(ABC):
    """Networks whose answers are brought to the level of the anchor, which holds better than their own.

    The networks answer for the horizon they were trained on, and the level is set there. Another horizon scales mean
    and chance by a curve that never falls, so both are monotone in the horizon.

    Attributes:
        whole_past: whether the networks read all of a customer's steps, and not only those of her window.
    """

    whole_past: ClassVar[bool] = False

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

    def predict_at(self, snapshot: Snapshot, levels: dict[int, float], horizon_days: int | None = None) -> Predictions:
        """Predict every row for itself.

        Args:
            snapshot: some customers.
            levels: of :meth:`levels`, over all customers.
            horizon_days: length of the predicted span; None is the trained one.
        """
        return self._answer(self.read(snapshot, horizon_days), levels)

    def totals(self, snapshot: Snapshot) -> tuple[float, float]:
        """Return what the networks and what the anchor expect of the buyers among some customers, in currency."""
        read = self.read(snapshot)
        return float(read.mean[read.bought].sum()), float(read.anchor_value[read.bought].sum())

    @torch.no_grad()
    def expected(self, snapshot: Snapshot, levels: dict[int, float]) -> tuple[Floats, Floats]:
        """Return p_purchase and predicted_clv alone, each row for itself: with the levels of other rows, each [n].

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            levels: of :meth:`levels`, over all customers of the cutoffs.
        """
        read = self.read(snapshot)
        level = _filled(read.ratio(levels))
        figures = []
        for said in read.said:
            exact = _exact(said.params)
            scaled = said.head.rescale(exact, level, said.head.chance_by_luck(exact))
            figures.append(torch.stack([said.head.p_purchase(scaled), said.head.mean(scaled)]))
        p, mean = torch.cat(figures, dim=1).mean(1).numpy()[:, : len(read.bought)]
        return np.clip(p, 0, 1), read.in_currency(mean)

    @torch.no_grad()
    def _answer(self, read: Read, levels: dict[int, float]) -> Predictions:
        figures = []
        level, later, rows = _filled(read.ratio(levels)), read.later, len(read.bought)
        for one in read.said:
            head, exact = one.head, _exact(one.params)
            own = head.chance_by_luck(exact)
            scaled = spread = head.rescale(exact, level * _filled(one.longer), own)
            if later is not None:
                worth = _filled(torch.from_numpy(later.worth(own[:, :rows].numpy())))
                spread = head.rescale(exact, level * _filled(torch.from_numpy(later.exposure)), worth)
            means = torch.stack([head.p_purchase(scaled), head.mean(scaled)])
            figures.append(torch.cat([means, head.quantile(spread, QUANTILES)]))
        said = torch.cat(figures, dim=1).mean(1).numpy()[:, :rows]
        p, values = said[0], read.in_currency(said[1:])
        p = np.clip(p if later is None else later.chance(p), 0, 1)
        # Some network may expect a purchase where all together do not: the quantiles go with the chance that is said.
        values[1:][QUANTILES.flatten(1).numpy() <= 1 - p] = 0.0
        return Predictions(p, *values)


class Inputs(Protocol):
    """Tensors of n rows, each with a slice of steps."""

    @property
    def start(self) -> Tensor:
        """First step of each row, int64 [n]."""

    @property
    def stop(self) -> Tensor:
        """The step after the last of each row, int64 [n]."""

    def batch(self, rows: Tensor) -> Any:
        """Return what networks read of ``rows`` [B]."""

    def in_parts(self, rows_at_once: int) -> tuple[Tensor, ...]:
        """Return all row numbers in parts of at most ``rows_at_once``."""


def ask_all(inputs: Inputs, networks: Together[N], ask: Callable[[N, Any], Params]) -> Params:
    """Return what k networks say of all rows, [k, n], part by part, a thread each.

    What is said of a row is the same to the bit whoever stands beside it: each part has copies of its longest row at
    its end, so that no step of an RNN is left with a row or two, and what is said of them is forgotten.

    Args:
        inputs: of n rows.
        networks: of an ensemble.
        ask: returns what a network says of a batch, [B] or [B, width].
    """
    length = inputs.stop - inputs.start

    def part(rows: Tensor) -> Params:
        longest = rows[length[rows].argmax()]
        batch = inputs.batch(torch.cat([rows, longest.expand(COPIES)]))
        with torch.no_grad():  # in this thread
            said = networks.ask(lambda network: ask(network, batch), len(rows))
        return {name: values[:, : len(rows)] for name, values in said.items()}

    answers = each(part, list(inputs.in_parts(ROWS_AT_ONCE)))
    if len(answers) == 1:
        return answers[0]
    return {name: torch.cat([said[name] for said in answers], dim=1) for name in answers[0]}


def _exact(params: Params) -> Params:
    """Return parameters in float64, filled up: where the chance of nothing is near a quantile, float32 would show."""
    return {name: _filled(values.double()) for name, values in params.items()}


def _filled(values: Tensor) -> Tensor:
    """Return n rows, [n] or [k, n], and copies of the last up to a multiple of :data:`LANES`."""
    lacking = -values.shape[-1] % LANES
    copies = values[..., -1:].expand(*values.shape[:-1], lacking)
    return torch.cat([values, copies], dim=-1) if lacking else values


def mean_of(head: Head, params: Params) -> Floats:
    """Return the mean of the networks' means in their units, [n]."""
    found: Floats = head.mean(params).mean(0).double().numpy()
    return found


def _levels(read: list[Read]) -> dict[int, float]:
    """Return the :func:`level_of` of each cutoff, by cutoff day."""
    mean, anchor_value, bought, cutoff_day = (
        np.concatenate([getattr(part, name) for part in read])
        for name in ("mean", "anchor_value", "bought", "cutoff_day")
    )
    levels: dict[int, float] = {}
    for day in np.unique(cutoff_day):
        rows = np.flatnonzero((cutoff_day == day) & bought)
        levels[int(day)] = level_of(float(mean[rows].sum()), float(anchor_value[rows].sum()), read[0].residual)
    return levels


def level_of(ours: float, anchors: float, residual: float) -> float:
    """Return the factor that brings the buyers' total to the anchor's.

    Ranking is solved better than level: the anchor's total, corrected by half of what it missed in the same span
    last year, held better on past origins than the networks' own. The factor is kept within 1/3 to 3.

    Args:
        ours: what the networks expect of all buyers; where either total is 0, nothing is moved.
        anchors: what the anchor expects of them.
        residual: log of actual over the anchor's total in the same span last year.
    """
    if not (ours > 0 and anchors > 0):
        return 1.0
    return _bounded(anchors / ours * float(np.exp(LIKELY * residual)))


def _season(residual: float) -> float:
    """Return the factor of a season by what the anchor missed a year ago."""
    return _bounded(float(np.exp(LIKELY * residual)))


def _bounded(factor: float) -> float:
    return float(np.clip(factor, 1 / LARGEST_LEVEL_RATIO, LARGEST_LEVEL_RATIO))
