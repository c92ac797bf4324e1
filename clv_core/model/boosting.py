"""Gradient boosting as a baseline: a binary booster for the chance, and one of two ways to the mean.

``tweedie``: a booster of its own, by Tweedie deviance. ``two_stage``: the chance times the value if buying, which a
gamma booster learned from buyers only.

LightGBM is asked for what makes its answer a function of the data and the seed alone: one thread, columns first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.errors import ClvError
from clv_core.features.snapshot import Snapshot
from clv_core.model.chance import Later, below_one
from clv_core.model.horizon import largest_allowed
from clv_core.model.predictions import Predictions
from clv_core.model.residuals import ResidualQuantiles
from clv_core.preprocessing.table import TableEncoder

if TYPE_CHECKING:
    from lightgbm import Booster

Floats = NDArray[np.float64]

ROUNDS: Final = 100
PARAMETERS: Final[dict[str, Any]] = {
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
TWEEDIE: Final = {"objective": "tweedie", "tweedie_variance_power": 1.5}
BINARY: Final = {"objective": "binary"}
GAMMA: Final = {"objective": "gamma"}
TWO_STAGE: Final = "two_stage"


@dataclass(frozen=True)
class BoostingModel:
    """Two boosters over the encoded feature table; a member of ``MODELS``.

    Args:
        encoder: turns features into columns, the same as the networks read.
        kind: ``tweedie`` or ``two_stage``.
        value: booster of the mean, or with two stages of the value if buying, in units of ``money``.
        chance: booster of the chance of any purchase.
        residuals: quantiles of what came true, by predicted value of customers that a booster had not seen.
        money: mean of the positive targets, in the log's currency.
        largest: largest value in the horizon seen in training; no prediction exceeds 3 times it.
        horizon_days: the horizon of the training windows.
    """

    encoder: TableEncoder
    kind: str
    value: Booster
    chance: Booster
    residuals: ResidualQuantiles
    money: float
    largest: float
    horizon_days: int

    @classmethod
    def fit(
        cls,
        train: Snapshot,
        *,
        impute: str,
        constant: float,
        seed: int,
        kind: str = "tweedie",
        rounds: int = ROUNDS,
    ) -> Self:
        """Learn from windows whose horizon has passed.

        Intervals come from two more boosters, each fitted on half of the customers and held against the other half:
        what a booster leaves of the rows it has seen is too little.

        Args:
            train: windows with targets.
            impute: what a gap becomes (:class:`~clv_core.preprocessing.table.TableEncoder`).
            constant: the filling of ``impute="constant"``.
            seed: of the rows and columns that each tree sees, and of the halves.
            kind: the way to the mean, ``tweedie`` or ``two_stage``.
            rounds: number of trees.

        Raises:
            ValueError: the snapshot has no target.
            ClvError: boosting does not run on this machine.
        """
        if train.target is None:
            raise ValueError("boosting learns from windows whose horizon has passed")
        target = np.maximum(train.target, 0.0)
        encoder = TableEncoder.fit(train.features, train.described, impute=impute, constant=constant)
        rows = encoder.transform(train.features)
        money = float(target[target > 0].mean()) if (target > 0).any() else 1.0
        label = target / money
        codes, customers = np.unique(train.features.index.to_numpy(dtype=str), return_inverse=True)
        half = np.random.default_rng(seed).permutation(len(codes))[customers] % 2 == 0
        unseen = np.zeros(len(rows))
        for part in (half, ~half):
            if part.any() and not part.all():
                value, chance = _boosters(rows[part], label[part], kind, seed, rounds, alone=False)
                unseen[~part] = _mean(rows[~part], kind, value, chance)[0] * money
        value, chance = _boosters(rows, label, kind, seed, rounds)
        assert chance is not None
        largest = float(target.max(initial=0.0))
        residuals = ResidualQuantiles.fit(np.clip(unseen, 0.0, largest_allowed(largest, 1, 1)), target)
        return cls(encoder, kind, value, chance, residuals, money, largest, train.horizon_days)

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row.

        Args:
            snapshot: who is to be predicted, at the trained horizon.
            horizon_days: length of the predicted span; None is the trained one, another one scales by the anchor.
        """
        horizon, rows = horizon_days or self.horizon_days, self.encoder.transform(snapshot.table)
        later = Later.of(snapshot, self.horizon_days, horizon)
        mean, p = _mean(rows, self.kind, self.value, self.chance)
        own = np.clip(mean * self.money, 0.0, largest_allowed(self.largest, 1, 1))
        top = largest_allowed(self.largest, self.horizon_days, horizon)
        longer = np.ones(len(p)) if later is None else later.exposure
        worth, chance = (p, p) if later is None else (later.worth(p), later.chance(p))
        values = (mean * self.money * longer, *self.residuals.beyond(own, p, worth, longer))
        return Predictions(below_one(chance), *(np.clip(value, 0.0, top) for value in values))

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays by name, and a JSON-ready dictionary with the boosters as LightGBM's own text."""
        return self.residuals.state(), {
            "encoder": self.encoder.to_json(),
            "kind": self.kind,
            "value": self.value.model_to_string(),
            "chance": self.chance.model_to_string(),
            "money": self.money,
            "largest": self.largest,
            "horizon_days": self.horizon_days,
        }

    @classmethod
    def from_state(cls, tensors: dict[str, NDArray[Any]], state: dict[str, Any]) -> Self:
        """Return the model that :meth:`state` described."""
        booster = _library().Booster
        return cls(
            TableEncoder.from_json(state["encoder"]),
            state["kind"],
            booster(model_str=state["value"]),
            booster(model_str=state["chance"]),
            ResidualQuantiles.from_state(tensors),
            state["money"],
            state["largest"],
            state["horizon_days"],
        )


def _boosters(
    rows: NDArray[np.float32], label: Floats, kind: str, seed: int, rounds: int, *, alone: bool = True
) -> tuple[Booster, Booster | None]:
    """Return the boosters of value and chance; the latter only where the mean needs it or it is wanted ``alone``."""
    bought = label > 0
    chance = None
    if alone or kind == TWO_STAGE:
        chance = _train(rows, bought.astype(np.float64), BINARY, seed, rounds)
    if kind != TWO_STAGE:
        return _train(rows, label, TWEEDIE, seed, rounds), chance
    if not bought.any():  # nobody to learn from: the chance is next to 0, and the value is any
        return _train(rows, np.ones(len(rows)), GAMMA, seed, rounds), chance
    return _train(rows[bought], label[bought], GAMMA, seed, rounds), chance


def _mean(rows: NDArray[np.float32], kind: str, value: Booster, chance: Booster | None) -> tuple[Floats, Floats]:
    """Return the mean in units of money and, where there is a booster of it, the chance (else zeros), [n] each."""
    mean, p = np.asarray(value.predict(rows, num_threads=1), np.float64), np.zeros(len(rows))
    if chance is not None:
        p = np.clip(np.asarray(chance.predict(rows, num_threads=1), np.float64), 0.0, 1.0)
    return (mean * p if kind == TWO_STAGE else mean), p


def _train(rows: NDArray[np.float32], label: Floats, objective: dict[str, Any], seed: int, rounds: int) -> Booster:
    library = _library()
    data = library.Dataset(rows, label, params={"verbosity": -1}, free_raw_data=True)
    booster: Booster = library.train({**PARAMETERS, **objective, "seed": seed}, data, num_boost_round=rounds)
    return booster


def _library() -> Any:
    """Import LightGBM when it is needed; its wheel wants a system library that bare Linux images lack."""
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise ClvError("no_boosting", reason=str(error)) from error
    return lightgbm
