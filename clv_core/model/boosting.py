"""Gradient boosting: a booster for the chance, and one of two ways to the mean.

``tweedie``: a booster of its own, by Tweedie deviance. ``two_stage``: the chance times the value if buying, which a
gamma booster learned from buyers only.

It learns as the networks do: from targets at the anchor's level, and from partial windows by the part of the horizon
that they cover, as an offset of the log mean. LightGBM's settings make its answer a function of the data and
the seed alone: one thread, columns first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.errors import ClvError
from clv_core.features import Snapshot
from clv_core.model.calibrated import CalibratedModel, Law, Level, RawForecast, Totals, silent_floor
from clv_core.model.earlier_quantiles import ResidualQuantiles
from clv_core.model.horizon import HorizonTransfer, by_luck, largest_allowed
from clv_core.model.predictions import Predictions
from clv_core.model.predictive_distribution import BuyerShape, LearnedShapes
from clv_core.preprocessing import TableEncoder
from clv_core.records import JsonObject

if TYPE_CHECKING:
    from lightgbm import Booster

Floats = NDArray[np.float64]

ROUNDS: Final = 100
"""100 trees of 31 leaves at rate .05 were chosen among five settings on two logs (tests/bench/README.md,
"Baselines")."""
PARAMETERS: Final[JsonObject] = {
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
"""Rate and leaves as above; sampling of rows and columns and ``lambda_l2`` are usual values, not tuned here."""
TWEEDIE: Final = {"objective": "tweedie", "tweedie_variance_power": 1.5}
"""Power 1.5 is midway between Poisson counts (1) and gamma amounts (2), as in the networks' deviance."""
GAMMA: Final = {"objective": "gamma"}
TWO_STAGE: Final = "two_stage"
SMALLEST_RATE: Final = 1e-6
"""Floor of the mean rate, in units of money: the log of a training set without buyers stays finite."""
LARGEST_SCORE: Final = 5.0
"""Cut of the log rate: it bounds the gradient of rows without an event, which is the rate itself."""
ROWS_A_THREAD: Final = 8192
"""Below so many rows, starting LightGBM's threads takes longer than they save; a guess."""


@dataclass(frozen=True)
class Trees:
    """Boosted trees of a rate: the expectation over the full horizon is exp(base + trees).

    Args:
        booster: LightGBM's.
        base: log of the mean rate in training; None: the trees hold it, and LightGBM's own link is theirs.
    """

    booster: Booster
    base: float | None

    @classmethod
    def fit(cls, rows: NDArray[np.float32], label: Floats, exposure: Floats, objective: JsonObject, seed: int) -> Self:
        """Learn from n rows whose labels cover ``exposure`` of the horizon each, [n].

        Raises:
            ClvError: boosting does not run on this machine.
        """
        library = _library()
        base = float(np.log(max(label.sum() / exposure.sum(), SMALLEST_RATE)))
        data = library.Dataset(rows, label, init_score=base + np.log(exposure), params={"verbosity": -1})
        parameters = {**PARAMETERS, **objective, "seed": seed}
        return cls(library.train(parameters, data, num_boost_round=ROUNDS), base)

    def rate(self, rows: NDArray[np.float32]) -> Floats:
        """Return the expectation over the full horizon, [n]."""
        native_link = self.base is None
        threads = os.cpu_count() if len(rows) > ROWS_A_THREAD else 1
        scores = self.booster.predict(rows, num_threads=threads, raw_score=not native_link, validate_features=False)
        values: Floats = np.asarray(scores, np.float64)
        return values if self.base is None else np.exp(values + self.base)

    def chance(self, rows: NDArray[np.float32]) -> Floats:
        """Return the chance of any purchase in the full horizon, [n]."""
        rate = self.rate(rows)
        return np.clip(rate, 0.0, 1.0) if self.base is None else -np.expm1(-rate)

    def state(self) -> JsonObject | str:
        """Return a JSON-ready dictionary, trees as LightGBM's own text; without a base the text alone."""
        text: str = self.booster.model_to_string()
        return text if self.base is None else {"trees": text, "base": self.base}

    @classmethod
    def from_state(cls, state: JsonObject | str) -> Self:
        """Return what :meth:`state` described; a text alone is what earlier versions saved."""
        text, base = (state, None) if isinstance(state, str) else (state["trees"], state["base"])
        return cls(_library().Booster(model_str=text), base)


@dataclass(frozen=True)
class BoostingModel(CalibratedModel):
    """Two boosters over the encoded feature table; a member of ``MODELS``.

    Args:
        encoder: turns features into the columns that networks read, too.
        kind: ``tweedie`` or ``two_stage``.
        value: booster of the mean, or with two stages of the value if buying, in units of ``money``.
        chance: booster of the log of -log(1 - chance of any purchase).
        shapes: how the values of buyers lie around their mean, of customers that a booster had not seen; quantiles of
            residuals in models that were saved before there was one law.
        money: mean of the positive targets, in the log's currency.
        largest: largest value in the horizon seen in training; no prediction exceeds 3 times it.
        horizon_days: the horizon of the training windows.
        levelled: whether its level is set; not in models that were saved before it was.
        law: what its windows could not show.
    """

    encoder: TableEncoder
    kind: str
    value: Trees
    chance: Trees
    shapes: LearnedShapes | ResidualQuantiles
    money: float
    largest: float
    horizon_days: int
    levelled: bool = True
    law: Law | None = None

    @property
    def sets_chance(self) -> bool:
        """Whether chances have a level."""
        return self.levelled

    @classmethod
    def fit(cls, train: Snapshot, *, impute: str, constant: float, seed: int, kind: str = "tweedie") -> Self:
        """Learn from windows whose horizon has passed, fully or partly.

        Intervals come from two more boosters, each fitted on half of the customers and held against the other half:
        what a booster leaves of the rows it has seen is too little.

        Args:
            train: windows with targets.
            impute: what a gap becomes (:class:`~clv_core.preprocessing.table_encoder.TableEncoder`).
            constant: the filling of ``impute="constant"``.
            seed: of the rows and columns that each tree sees, and of the halves.
            kind: the way to the mean, ``tweedie`` or ``two_stage``.

        Raises:
            ValueError: the snapshot has no target.
            ClvError: boosting does not run on this machine.
        """
        if train.target is None:
            raise ValueError("boosting learns from windows whose horizon has passed")
        encoder = TableEncoder.fit(train.features, train.described, impute=impute, constant=constant)
        rows, target = encoder.transform(train.features), np.maximum(train.target, 0.0)
        exposure = np.ones(len(rows)) if train.exposure is None else train.exposure
        money = float(target[target > 0].mean()) if (target > 0).any() else 1.0
        codes, customers = np.unique(train.features.index.to_numpy(dtype=str), return_inverse=True)
        half = np.random.default_rng(seed).permutation(len(codes))[customers] % 2 == 0
        unseen = np.zeros((2, len(rows)))
        for part in (half, ~half):
            if part.any() and not part.all():
                trees = _trees(rows[part], target[part] / money, exposure[part], kind, seed)
                unseen[:, ~part] = _mean(rows[~part], kind, *trees)
        largest, complete = float(target.max(initial=0.0)), exposure == 1
        predicted = np.clip(unseen[0, complete] * money, 0.0, largest_allowed(largest, 1, 1))
        shapes = LearnedShapes.fit(predicted, unseen[1, complete], target[complete])
        value, chance = _trees(rows, target / money, exposure, kind, seed)
        return cls(encoder, kind, value, chance, shapes, money, largest, train.horizon_days, law=Law.of(train))

    def read(self, snapshot: Snapshot, horizon_days: int | None = None) -> RawForecast:
        """Return the boosters' forecast of every row, uncalibrated."""
        horizon = horizon_days or self.horizon_days
        mean, chance = _mean(self.encoder.transform(snapshot.table), self.kind, self.value, self.chance)
        return RawForecast(
            mean=mean * self.money,
            chance=chance,
            bought=snapshot.bought,
            cutoff_day=snapshot.cutoff_day,
            largest=largest_allowed(self.largest, self.horizon_days, horizon),
            residual=snapshot.last_year.residual if self.levelled else 0.0,
            later=HorizonTransfer.of(snapshot, self.horizon_days, horizon),
            floor=silent_floor(snapshot, self.law),
        )

    def level_of(self, totals: Totals, residual: float) -> Level:
        """Return what brings buyers to the anchor's level."""
        return super().level_of(totals, residual) if self.levelled else Level()

    def _shape(self, read: RawForecast) -> BuyerShape:
        assert isinstance(self.shapes, LearnedShapes)
        return self.shapes.of(np.clip(read.mean, 0.0, largest_allowed(self.largest, 1, 1)))

    def _answer_before(self, read: RawForecast, levels: Mapping[int, Level]) -> Predictions:
        assert isinstance(self.shapes, ResidualQuantiles)
        later, level, p = read.later, read.value_level(levels), by_luck(read.chance, read.chance_level(levels))
        longer = np.ones(len(p)) if later is None else later.exposure
        worth, chance = (p, p) if later is None else (later.worth(p), later.chance(p))
        trained_mean = np.clip(read.mean, 0.0, largest_allowed(self.largest, 1, 1))
        values = (read.mean * longer, *self.shapes.beyond(trained_mean, p, worth, longer))
        return Predictions(by_luck(chance, 1.0), *(np.clip(level * value, 0.0, read.largest) for value in values))

    def state(self) -> tuple[dict[str, NDArray[Any]], JsonObject]:
        """Return arrays by name, and a JSON-ready dictionary."""
        names = ("kind", "money", "largest", "horizon_days", *(("levelled",) if self.levelled else ()))
        return self.shapes.state(), {
            "encoder": self.encoder.to_json(),
            "value": self.value.state(),
            "chance": self.chance.state(),
            **{name: getattr(self, name) for name in names},
            **({} if self.law is None else {"longest_silence": self.law.to_json()}),
        }

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: JsonObject) -> Self:
        """Return the model that :meth:`state` described."""
        law = Law.from_state(state)
        return cls(
            TableEncoder.from_json(state["encoder"]),
            state["kind"],
            Trees.from_state(state["value"]),
            Trees.from_state(state["chance"]),
            (LearnedShapes if law else ResidualQuantiles).from_state(tensors),
            state["money"],
            state["largest"],
            state["horizon_days"],
            state.get("levelled", False),
            law,
        )


def _trees(rows: NDArray[np.float32], label: Floats, exposure: Floats, kind: str, seed: int) -> tuple[Trees, Trees]:
    """Return the trees of value and chance."""
    bought = label > 0
    chance = Trees.fit(rows, bought.astype(np.float64), exposure, {"objective": _any_event}, seed)
    if kind != TWO_STAGE:
        return Trees.fit(rows, label, exposure, TWEEDIE, seed), chance
    seen = bought & (exposure == 1)
    if not seen.any():  # nobody to learn from: the chance is next to 0, and the value is any
        seen, label = ~seen, np.ones(len(rows))
    return Trees.fit(rows[seen], label[seen], np.ones(int(seen.sum())), GAMMA, seed), chance


def _any_event(scores: Floats, data: Any) -> tuple[Floats, Floats]:
    """Return gradient and expected curvature of -log likelihood that any event came, at log rates ``scores`` [n]."""
    rate, came = np.exp(np.minimum(scores, LARGEST_SCORE)), data.get_label() > 0
    none = np.exp(-rate)
    odds = rate * none / np.maximum(-np.expm1(-rate), 1e-12)
    return np.where(came, -odds, rate), np.maximum(rate * odds, 1e-6)


def _mean(rows: NDArray[np.float32], kind: str, value: Trees, chance: Trees) -> tuple[Floats, Floats]:
    """Return the mean in units of money, and the chance, [n] each."""
    mean, p = value.rate(rows), chance.chance(rows)
    return (mean * p if kind == TWO_STAGE else mean), p


def _library() -> Any:
    """Import LightGBM when it is needed; its wheel wants a system library that bare Linux images lack."""
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise ClvError("no_boosting", reason=str(error)) from error
    return lightgbm
