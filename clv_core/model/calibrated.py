"""Calibration to the anchor's level, shared by all models but the baselines, and predictions in currency."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, Protocol, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clv_core.features import LIKELY, Snapshot, each
from clv_core.model.earlier_quantiles import quantile
from clv_core.model.heads import Head, Params
from clv_core.model.horizon import HorizonTransfer, by_luck
from clv_core.model.predictions import Predictions
from clv_core.model.predictive_distribution import BuyerShape, PredictiveDistribution
from clv_core.model.stacking import StackedEnsemble
from clv_core.preprocessing import numbers_of
from clv_core.records import JsonObject

Floats = NDArray[np.float64]
N = TypeVar("N", bound=nn.Module)

ROWS_AT_ONCE: Final = 2048
"""A part of a layer stays in the processor's caches: a fifth faster than 8192."""
LARGEST_LEVEL_RATIO: Final = 3.0
"""Bound of the factor and of the exponent, either way; a guess: beyond it, the anchor is wrong and not the model."""
RFM: Final = ("frequency", "recency", "T", "monetary_value")
EARLIER_QUANTILES: Final = torch.tensor([[[0.1]], [[0.5]], [[0.9]]], dtype=torch.float64)
COPIES: Final = 3
"""Products of matrices of fewer than four rows take another code path in BLAS, which rounds otherwise."""

LANES: Final = 8
"""Width of a processor's vectors in float64 (AVX-512); numbers left over at the end are rounded otherwise."""


class Level(NamedTuple):
    """What brings the buyers of a cutoff to the anchor's level.

    Args:
        value: factor of their values.
        chance: exponent of their chances not to buy.
    """

    value: float = 1.0
    chance: float = 1.0


class Totals(NamedTuple):
    """Sums over the buyers among some customers: what a model and what the anchor expect."""

    value: float
    anchor_value: float
    buyers: float
    anchor_buyers: float


@dataclass(frozen=True)
class NetworkOutput:
    """The outputs of an ensemble's k networks for n rows, uncalibrated.

    Args:
        head: of all of them.
        params: its parameters, float32 [k, n].
        longer: value in the requested horizon, discounted, relative to that in the trained one, float32 [n] or [k, n].
        weight: of the ensemble in a blend.
    """

    head: Head
    params: Params
    longer: Tensor
    weight: float = 1.0


@dataclass(frozen=True)
class RawForecast:
    """A model's forecast of n rows, uncalibrated.

    Args:
        mean: in the log's currency, in the trained horizon, float64 [n].
        chance: of a purchase in it, float64 [n].
        bought: who has ever bought, bool [n].
        cutoff_day: int32 [n].
        largest: no value exceeds it, in the log's currency.
        residual: last year's, the same for all rows of a snapshot.
        later: how chances and quantiles get to the requested horizon; None: it is the trained one.
        outputs: of each ensemble of networks.
        money: what one of the networks' units is in the log's currency, of all rows or of each, [n].
        floor: least mean and chance of each row in the trained horizon (:func:`silent_floor`), [n] each; None: none.
    """

    mean: Floats
    chance: Floats
    bought: NDArray[np.bool_]
    cutoff_day: NDArray[np.int32]
    largest: float
    residual: float
    later: HorizonTransfer | None
    outputs: Sequence[NetworkOutput] = ()
    money: Floats | float = 1.0
    floor: tuple[Floats, Floats] | None = None

    @torch.no_grad()
    def growth(self) -> Floats:
        """Return the mean in the requested horizon, discounted, relative to that in the trained one, [n]."""
        if self.later is None:
            return np.ones(len(self.bought))
        if not self.outputs:
            return self.later.exposure
        parts = []
        for output in self.outputs:
            mean = output.weight * output.head.mean(_exact(output.params))
            parts.append(torch.stack([(mean * _filled(output.longer)).mean(0), mean.mean(0)]))
        longer, trained = torch.stack(parts).sum(0)
        ratio: Floats = (longer / trained).numpy()
        return ratio[: len(self.bought)]

    def value_level(self, levels: Mapping[int, Level]) -> Floats:
        """Each row's factor: its cutoff's for buyers, the season's for those who never bought, float64 [n].

        The anchor has no level for the latter; but models learned from targets at the anchor's level, in which no
        season is left, so what is likely of this one belongs to them as well.
        """
        return self._of_buyers(levels, "value", bounded(float(np.exp(LIKELY * self.residual))))

    def chance_level(self, levels: Mapping[int, Level]) -> Floats:
        """Each row's exponent, float64 [n]; 1 for those who never bought."""
        return self._of_buyers(levels, "chance", 1.0)

    def _of_buyers(self, levels: Mapping[int, Level], name: str, default: float) -> Floats:
        by_row = np.full(len(self.bought), default)
        for day, level in levels.items():
            by_row[(self.cutoff_day == day) & self.bought] = getattr(level, name)
        return by_row


SILENT_SHARE: Final = 2 / 3
"""Of the anchor's mean and chance, kept by customers who have been silent for longer than windows could show. On yearly
plans in logs of 11 months .5 to 1 rank alike; at 1 other logs lose up to .01 of Gini, at 2/3 .003
(tests/bench/README.md)."""


@dataclass(frozen=True)
class Law:
    """What the windows of a model's training could not show; models that were saved before there was one law lack it.

    Args:
        longest_silence: days since the last purchase of the most silent buyer whose horizon after that is complete in
            some window. Windows that end early show longer ones, but only that nothing came yet.
    """

    longest_silence: float

    @classmethod
    def of(cls, train: Snapshot) -> Self:
        """Return that of training windows; without any complete one there is no telling, and no end to it."""
        complete = train.complete()
        silence = days_silent(complete)[complete.bought]
        return cls(float(silence.max()) if len(silence) else np.inf)

    def silent(self, snapshot: Snapshot) -> NDArray[np.bool_]:
        """Return who has been silent for longer, bool [n]; never-buyers have not."""
        return days_silent(snapshot) > self.longest_silence

    def to_json(self) -> float | None:
        """Return a JSON-ready figure."""
        return self.longest_silence if np.isfinite(self.longest_silence) else None

    @classmethod
    def from_state(cls, state: JsonObject) -> Self | None:
        """Return that of a model's state, None where it has none."""
        if "longest_silence" not in state:
            return None
        silence = state["longest_silence"]
        return cls(np.inf if silence is None else float(silence))


def days_silent(snapshot: Snapshot) -> Floats:
    """Return the days since each customer's last purchase, [n]; NaN for never-buyers."""
    recency, since_first = numbers_of(snapshot.table, ("recency", "T"))
    return np.asarray(since_first, np.float64) - np.asarray(recency, np.float64)


def silent_floor(snapshot: Snapshot, law: Law | None) -> tuple[Floats, Floats] | None:
    """Return the least mean and chance of each row in the trained horizon, [n] each; None where there is none.

    Of customers who have been silent for longer than any complete window shows, windows that end early teach that none
    came back: none could have, yet. Yearly payers would all be taken for lost. What the anchor expects of them is kept
    in part (:data:`SILENT_SHARE`).
    """
    if law is None:
        return None
    silent = law.silent(snapshot)
    if not silent.any():
        return None
    share = np.where(silent, SILENT_SHARE, 0.0)
    return share * snapshot.anchor_value, share * anchor_chance(snapshot)


class CalibratedModel(ABC):
    """A model whose answers are brought to the level of the anchor, which holds better than its own.

    It answers for the horizon it was trained on, and the level is set there. Another horizon scales mean and chance by
    a curve that never falls, so both are monotone in the horizon.

    Attributes:
        whole_past: whether it reads all of a customer's steps, and not only those of her window.
    """

    whole_past: ClassVar[bool] = False

    @property
    @abstractmethod
    def law(self) -> Law | None:
        """What its windows could not show; None of a model that was saved before there was one law."""

    @property
    @abstractmethod
    def sets_chance(self) -> bool:
        """Whether chances have a level, too; not in models that were saved before they had."""

    @abstractmethod
    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> RawForecast:
        """Return the model's forecast of every row, uncalibrated."""

    @abstractmethod
    def _shape(self, read: RawForecast) -> BuyerShape:
        """Return how the values of those who buy lie around their mean."""

    @abstractmethod
    def _answer_before(self, read: RawForecast, levels: Mapping[int, Level]) -> Predictions:
        """Return what a model without :attr:`law` predicts at these levels, as it always did."""

    def _answer(self, read: RawForecast, levels: Mapping[int, Level]) -> Predictions:
        """Return what is predicted at these levels."""
        if self.law is None:
            return self._answer_before(read, levels)
        return self._distribution(read, levels).predictions()

    def _distribution(self, read: RawForecast, levels: Mapping[int, Level]) -> PredictiveDistribution:
        chance, mean = _calibrated(read, levels)
        if read.later is not None:
            chance, mean = np.clip(read.later.chance(chance), 0, 1), mean * read.growth()
        return PredictiveDistribution(chance, np.clip(mean, 0, read.largest), self._shape(read), read.largest)

    def distribution(self, snapshot: Snapshot, horizon_days: int | None = None) -> PredictiveDistribution:
        """Return the distribution of every row, which :meth:`predict` sums up; only where there is a :attr:`law`.

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            horizon_days: length of the predicted span; None is the trained one.
        """
        return self._distribution(self.read(snapshot, horizon_days), self.levels(snapshot))

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
        read: list[RawForecast] = []
        columns: list[Floats] = []
        for part in parts:
            read.append(self.read(part, horizon_days))
            columns.append(_level_columns(read[-1], part))
        levels = self._levels(read, columns)
        for forecast in read:
            yield self._answer(forecast, levels)

    def levels(self, snapshot: Snapshot) -> dict[int, Level]:
        """Return what :meth:`predict` brings the buyers of each cutoff to the anchor's level with."""
        return self.levels_of_parts([snapshot])

    def levels_of_parts(self, parts: Iterable[Snapshot]) -> dict[int, Level]:
        """Return :meth:`levels` of a snapshot in parts, as :meth:`predict_parts` takes them."""
        read, columns = zip(
            *((forecast := self.read(part), _level_columns(forecast, part)) for part in parts), strict=True
        )
        return self._levels(read, columns)

    def predict_at(
        self, snapshot: Snapshot, levels: Mapping[int, Level], horizon_days: int | None = None
    ) -> Predictions:
        """Predict every row for itself.

        Args:
            snapshot: some customers.
            levels: of :meth:`levels`, over all customers.
            horizon_days: length of the predicted span; None is the trained one.
        """
        return self._answer(self.read(snapshot, horizon_days), levels)

    def totals(self, snapshot: Snapshot) -> Totals:
        """Return the sums over the buyers among some customers that :meth:`level_of` takes."""
        read = self.read(snapshot)
        return Totals(*_level_columns(read, snapshot)[:, read.bought].sum(axis=1).tolist())

    def expected(self, snapshot: Snapshot, levels: Mapping[int, Level]) -> tuple[Floats, Floats]:
        """Return p_purchase and predicted_clv alone, each row for itself: with the levels of other rows, each [n].

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            levels: of :meth:`levels`, over all customers of the cutoffs.
        """
        read = self.read(snapshot)
        chance, mean = _calibrated(read, levels)
        return chance, np.clip(mean, 0, read.largest)

    def level_of(self, totals: Totals, residual: float) -> Level:
        """Return what brings buyers to the anchor's level.

        Ranking is solved better than level: the anchor's total, corrected by half of what it missed in the same span
        last year, held better on past origins than the networks' own. Of buyers, the number half the way between the
        anchor's and the model's did, geometrically, with last year's correction in the anchor's. Where a total is 0,
        nothing is moved.

        Args:
            totals: over all buyers of a cutoff.
            residual: log of actual over the anchor's total in the same span last year.
        """
        value = chance = 1.0
        if totals.value > 0 and totals.anchor_value > 0:
            value = bounded(totals.anchor_value / totals.value * float(np.exp(LIKELY * residual)))
        if self.sets_chance and totals.buyers > 0 and totals.anchor_buyers > 0:
            likely = float(np.exp(LIKELY * residual)) if self.law is not None else 1.0
            chance = bounded(float(np.sqrt(totals.anchor_buyers * likely / totals.buyers)))
        return Level(value, chance)

    def _levels(self, read: Sequence[RawForecast], columns: Sequence[Floats]) -> dict[int, Level]:
        """Return the :meth:`level_of` each cutoff, by cutoff day."""
        cutoff_day, bought = (
            np.concatenate([getattr(part, name) for part in read]) for name in ("cutoff_day", "bought")
        )
        summed, levels = np.concatenate(columns, axis=1), {}
        for day in np.unique(cutoff_day):
            rows = np.flatnonzero((cutoff_day == day) & bought)
            levels[int(day)] = self.level_of(Totals(*summed[:, rows].sum(axis=1).tolist()), read[0].residual)
        return levels


class NetworkModel(CalibratedModel):
    """Ensembles of networks."""

    @abstractmethod
    def hidden(self, snapshot: Snapshot) -> list[NDArray[np.float32]]:
        """Return the last hidden layer of each network: customers as it sees them, each [n, its width]."""

    def _shape(self, read: RawForecast) -> BuyerShape:
        return NetworkShape(read.outputs, len(read.bought))

    @torch.no_grad()
    def _answer_before(self, read: RawForecast, levels: Mapping[int, Level]) -> Predictions:
        figures, later, rows = [], read.later, len(read.bought)
        value, exponent = read.value_level(levels), read.chance_level(levels)
        level, luck = (_filled(torch.from_numpy(part)) for part in (value, exponent))
        for output in read.outputs:
            head, exact = output.head, _exact(output.params)
            chances = head.poisson_thinning(exact, luck)
            scaled = spread = head.rescale(exact, level * _filled(output.longer), chances)
            if later is not None:
                worth = _filled(torch.from_numpy(later.worth(chances[:, :rows].numpy())))
                spread = head.rescale(exact, level * _filled(torch.from_numpy(later.exposure)), worth)
            estimates = torch.cat([head.mean(scaled).unsqueeze(0), quantile(head, spread, EARLIER_QUANTILES)])
            figures.append(output.weight * estimates.mean(1))
        weighted = (torch.stack(figures).sum(0) / sum(output.weight for output in read.outputs)).numpy()[:, :rows]
        values, p = np.clip(weighted * read.money, 0, read.largest), by_luck(read.chance, exponent)
        if later is None:  # through float32 parameters, customers of equal value would come out apart
            values[0] = np.clip(read.mean * value, 0, read.largest)
        p = np.clip(p if later is None else later.chance(p), 0, 1)
        # One network may expect a purchase where the ensemble does not: quantiles agree with the returned chance.
        values[1:][EARLIER_QUANTILES.flatten(1).numpy() <= 1 - p] = 0.0
        return Predictions(p, *values)


@dataclass(frozen=True)
class NetworkShape:
    """The buyers' shape of n rows as networks see it: their quantiles by level, each as large as its mean of a buyer.

    Args:
        outputs: of each ensemble.
        rows: n.
    """

    outputs: Sequence[NetworkOutput]
    rows: int

    @torch.no_grad()
    def ratio(self, level: Floats) -> Floats:
        """Return the mean over networks of the quantiles at ``level`` [l, n], over that of their means."""
        levels = _filled(torch.from_numpy(level + np.zeros(self.rows)))
        parts: list[Tensor] = []
        for output in self.outputs:
            exact = _exact(output.params)
            mean = output.weight * output.head.mean(exact) / output.head.p_purchase(exact)
            ratio = output.head.buyer_ratio(exact, levels.unsqueeze(1).expand(-1, len(mean), -1))
            parts.append(torch.cat([(mean * ratio).mean(1), mean.mean(0, keepdim=True)]))
        *quantiles, mean = torch.stack(parts).sum(0)
        mixture: Floats = (torch.stack(quantiles) / mean).numpy()
        return mixture[:, : self.rows]


def _calibrated(read: RawForecast, levels: Mapping[int, Level]) -> tuple[Floats, Floats]:
    """Return chance and mean of each row in the trained horizon at these levels, [n] each; nothing is bounded above."""
    chance = np.clip(by_luck(read.chance, read.chance_level(levels)), 0, 1)
    mean = np.maximum(read.mean * read.value_level(levels), 0.0)
    if read.floor is not None:
        least_mean, least_chance = read.floor
        chance, mean = np.maximum(chance, least_chance), np.maximum(mean, least_mean)
    return chance, mean


class BatchedInputs(Protocol):
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

    def to(self, device: torch.device) -> Self:
        """Return the same tensors on ``device``."""


def predict_batches(inputs: BatchedInputs, networks: StackedEnsemble[N], ask: Callable[[N, Any], Params]) -> Params:
    """Return the outputs of k networks for all rows, [k, n] on the CPU, part by part, a thread each.

    The answer for a row is the same to the bit whichever rows are in its batch: each part has copies of its longest row
    at its end, so that no step of an RNN is left with a row or two; the copies' answers are dropped.

    Args:
        inputs: of n rows, anywhere.
        networks: of an ensemble; they answer where they lie.
        ask: returns a network's output for a batch, [B] or [B, width].
    """
    inputs = inputs.to(networks.device)
    length = inputs.stop - inputs.start

    def part(rows: Tensor) -> Params:
        longest = rows[length[rows].argmax()]
        batch = inputs.batch(torch.cat([rows, longest.expand(COPIES)]))
        with torch.no_grad():  # in this thread
            answer = networks.ask(lambda network: ask(network, batch), len(rows))
        return {name: values[:, : len(rows)] for name, values in answer.items()}

    answers = each(part, list(inputs.in_parts(ROWS_AT_ONCE)))
    if len(answers) == 1:
        return answers[0]
    return {name: torch.cat([params[name] for params in answers], dim=1) for name in answers[0]}


def _exact(params: Params) -> Params:
    """Return parameters in float64, filled up: where the chance of nothing is near a quantile, float32 would show."""
    return {name: _filled(values.double()) for name, values in params.items()}


def _filled(values: Tensor) -> Tensor:
    """Return n rows, [n] or [k, n], and copies of the last up to a multiple of :data:`LANES`."""
    lacking = -values.shape[-1] % LANES
    copies = values[..., -1:].expand(*values.shape[:-1], lacking)
    return torch.cat([values, copies], dim=-1) if lacking else values


def means_of(head: Head, params: Params) -> tuple[Floats, Floats]:
    """Return the means over networks of their means, in their units, and of their chances, [n] each."""
    exact = {name: params[name].double() for name in ("log_mean", "logit")}
    mean, chance = (values.mean(0).numpy() for values in (head.mean(exact), head.poisson_thinning(exact)))
    return mean, chance


def anchor_chance(snapshot: Snapshot) -> Floats:
    """Return the chance of a purchase in the horizon as the anchor sees it, float64 [n]; 0 for never-buyers."""
    columns, chance = np.array(numbers_of(snapshot.table, RFM)), np.zeros(len(snapshot))
    for day, anchor in snapshot.anchors.items():
        rows = np.flatnonzero(snapshot.cutoff_day == day)
        chance[rows] = anchor.p_purchase(dict(zip(RFM, columns[:, rows], strict=True)), snapshot.horizon_days)
    return chance


def bounded(factor: float) -> float:
    """Return a factor within 1/3 to 3."""
    return float(np.clip(factor, 1 / LARGEST_LEVEL_RATIO, LARGEST_LEVEL_RATIO))


def _level_columns(read: RawForecast, snapshot: Snapshot) -> Floats:
    """Return the four figures whose sums are :class:`Totals`, [4, n]."""
    return np.stack([read.mean, snapshot.anchor_value, read.chance, anchor_chance(snapshot)])
