"""Fit any model of ``MODELS`` on a training snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from clv_core.config import DELETE, TrainConfig
from clv_core.errors import NotEnoughData
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import Progress, parts_of
from clv_core.model.baselines import BgNbdModel, NaiveModel
from clv_core.model.blend import BlendModel
from clv_core.model.boosting import BoostingModel
from clv_core.model.deep import DeepModel
from clv_core.model.inputs import InputEncoder
from clv_core.model.instant.model import InstantModel
from clv_core.model.instant.weights import load_network
from clv_core.model.levelled import LARGEST_LEVEL_RATIO
from clv_core.model.network import Shape
from clv_core.model.paretonbd import ParetoNbdModel
from clv_core.model.predictions import Predictions
from clv_core.model.ziln_mlp import ZilnMlpModel
from clv_core.preprocessing.table import TableEncoder
from clv_core.training.cost import steps_for
from clv_core.training.ensemble import Run, load_history, train_ensemble, write_plan
from clv_core.training.instant import tuned_networks
from clv_core.training.ziln_mlp import fit_network

FEWEST_WINDOWS = 50
BOOSTING_WINDOWS: Final = 50_000
"""Boosting reads all of its rows for every tree; the networks read each of theirs about once."""

HYBRID_TAKES: Final = 1.5
"""As long as tuning the pre-trained network, in a blend's training, about."""


class Model(Protocol):
    """Anything that predicts a snapshot and can be kept in a bundle."""

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row over ``horizon_days``; None is the trained horizon."""

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return tensors by name, and a JSON-ready dictionary."""


@dataclass(frozen=True)
class Fitted:
    """A fitted model and how it got there.

    Args:
        model: ready to predict.
        history: ``{seed, step, loss[, validation]}`` of every report; empty for models without steps.
        early_stopped: whether a later validation window chose the weights.
        steps: optimiser steps of each network.
        deleted: training windows that were left out for a gap in a feature.
    """

    model: Model
    history: list[dict[str, float]]
    early_stopped: bool = False
    steps: int = 0
    deleted: int = 0


def fit_deep(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    """Fit the ensemble of networks; resumes from ``folder`` if it holds the state of the same run.

    Raises:
        NotEnoughData: fewer than 50 training windows.
    """
    if len(train) < FEWEST_WINDOWS:
        raise NotEnoughData("too_few_windows", windows=len(train), needed=FEWEST_WINDOWS)
    assert train.target is not None
    largest = float(train.target.max())
    level = thinned(at_anchor_level(train), config.max_windows, config.seed)
    part, later = split_for_validation(level) if config.early_stopping else (level, None)
    table = TableEncoder.fit(part.features, part.described, impute=config.impute, constant=config.impute_constant)
    encoder = InputEncoder.fit(part, table)
    inputs = encoder.transform(part)
    run, steps = Run(folder), steps_for(len(part), config)
    shape = Shape(inputs.table.shape[1], encoder.vocabulary_sizes)
    write_plan(run, shape, config, steps, inputs, encoder.transform(later) if later is not None else None)
    networks = train_ensemble(run, config, steps, progress, stage)
    seeds = range(config.seed, config.seed + config.ensemble)
    history = [{"seed": float(seed), **entry} for seed in seeds for entry in load_history(run, seed)]
    return Fitted(DeepModel(config, encoder, tuple(networks), largest), history, later is not None, steps)


def at_anchor_level(train: Snapshot) -> Snapshot:
    """Return the snapshot with the targets of each cutoff scaled to the anchor's total of its buyers, within 1/3 to 3.

    The network then learns who is worth more than the anchor says, not what one season or a short history did to all
    customers alike: that level is not the next one's, and is set at the scoring cutoff.
    """
    assert train.target is not None
    days, of_row = np.unique(train.cutoff_day, return_inverse=True)
    factor = np.array([train.levels.get(int(day), 1.0) for day in days])
    target = train.target * np.clip(factor, 1 / LARGEST_LEVEL_RATIO, LARGEST_LEVEL_RATIO)[of_row]
    return replace(train, target=target)


def thinned(train: Snapshot, rows: int, seed: int) -> Snapshot:
    """Return the snapshot with as many of its complete windows as make it ``rows`` long; partial ones all stay."""
    if train.exposure is None or len(train) <= rows:
        return train
    partial, complete = np.flatnonzero(train.exposure < 1), np.flatnonzero(train.exposure == 1)
    left = np.random.default_rng(seed).permutation(complete)[: max(FEWEST_WINDOWS, rows - len(partial))]
    return train.take(np.sort(np.concatenate([partial, left])))


def fit_instant(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    """Take the pre-trained network as it is; the windows only bound what it may say."""
    assert train.target is not None
    return Fitted(InstantModel(config.horizon_days, (load_network(),), float(train.target.max(initial=0.0))), [])


def fit_instant_tuned(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    """Tune the pre-trained network on the windows for seconds; resumes from ``folder``.

    Raises:
        NotEnoughData: fewer than 50 training windows.
    """
    assert train.target is not None
    windows = thinned(at_anchor_level(train), config.max_windows, config.seed)
    networks, states = tuned_networks(windows, config, folder, progress, stage)
    model = InstantModel(config.horizon_days, tuple(networks), float(train.target.max(initial=0.0)))
    history = [
        {"seed": float(config.seed + member), **entry} for member, state in enumerate(states) for entry in state.history
    ]
    return Fitted(model, history, steps=states[0].step)


def fit_blend(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    """Fit the hybrid and tune the pre-trained network on the same windows; resumes from ``folder``."""
    longer, shorter = parts_of(progress, (HYBRID_TAKES, 1))
    deep = fit_deep(train, replace(config, model="hybrid"), folder / "hybrid", longer, stage)
    instant = fit_instant_tuned(train, config, folder / "instant_tuned", shorter, stage)
    assert isinstance(deep.model, DeepModel) and isinstance(instant.model, InstantModel)
    return replace(deep, model=BlendModel(deep.model, instant.model))


def split_for_validation(train: Snapshot) -> tuple[Snapshot, Snapshot | None]:
    """Split off the latest complete cutoff, if label windows end before it; else there is no validation."""
    complete = train.complete()
    latest = int(complete.cutoff_day.max())
    earlier = np.flatnonzero(complete.cutoff_day + complete.horizon_days <= latest)
    if len(earlier) < FEWEST_WINDOWS:
        return train, None
    return complete.take(earlier), complete.take(np.flatnonzero(complete.cutoff_day == latest))


def fit_naive(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    """Fit the spend-rate baseline."""
    return Fitted(NaiveModel().fit(train.complete()), [])


def fit_bgnbd(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    """Fit the BG/NBD + Gamma-Gamma baseline."""
    return Fitted(BgNbdModel().fit(train.complete()), [])


def fit_paretonbd(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    """Fit the Pareto/NBD + Gamma-Gamma baseline."""
    return Fitted(ParetoNbdModel().fit(train.complete()), [])


def fit_boosting(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    """Fit the gradient boosting baseline."""
    complete = train.complete()
    if len(complete) > BOOSTING_WINDOWS:
        rows = np.random.default_rng(config.seed).permutation(len(complete))[:BOOSTING_WINDOWS]
        complete = complete.take(np.sort(rows))
    model = BoostingModel.fit(
        complete,
        impute=config.impute,
        constant=config.impute_constant,
        seed=config.seed,
        kind=config.boosting,
    )
    return Fitted(model, [])


def fit_ziln_mlp(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
    """Fit the ZILN paper's plain MLP."""
    model, state = fit_network(train.complete(), config, folder, progress, stage)
    history = [{"seed": float(config.seed), **entry} for entry in state.history]
    return Fitted(model, history, early_stopped=True, steps=state.step)


def table_of(model: Model) -> TableEncoder | None:
    """Return a model's encoder of the feature table; None for one that does not read it."""
    if isinstance(model, BlendModel):
        model = model.deep
    if isinstance(model, DeepModel):
        return model.encoder.table
    return model.encoder if isinstance(model, (BoostingModel, ZilnMlpModel)) else None


Fit = Callable[[Snapshot, TrainConfig, Path, Progress, str], Fitted]


def without_gaps(fit: Fit) -> Fit:
    """Return ``fit`` as it is done by models that read the feature table: on windows whose gaps are allowed."""

    def fit_rest(train: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str) -> Fitted:
        if config.impute != DELETE:
            return fit(train, config, folder, progress, stage)
        gaps = train.gaps(config.features_to_check)
        rest = train.take(np.flatnonzero(~gaps))
        return replace(fit(rest, config, folder, progress, stage), deleted=int(gaps.sum()))

    return fit_rest


@dataclass(frozen=True)
class ModelEntry:
    """One line of ``MODELS``: how it is fitted, how it comes back from a bundle, and whether its seed says nothing."""

    fit: Fit
    load: Callable[[dict[str, NDArray[Any]], dict[str, Any]], Model]
    baseline: bool = False


MODELS: Final[dict[str, ModelEntry]] = {
    "hybrid": ModelEntry(without_gaps(fit_deep), DeepModel.from_state),
    "instant": ModelEntry(fit_instant, InstantModel.from_state, baseline=True),
    "instant_tuned": ModelEntry(fit_instant_tuned, InstantModel.from_state),
    "blend": ModelEntry(without_gaps(fit_blend), BlendModel.from_state),
    "mlp": ModelEntry(without_gaps(fit_deep), DeepModel.from_state),
    "rnn": ModelEntry(fit_deep, DeepModel.from_state),
    "naive": ModelEntry(fit_naive, NaiveModel.from_state, baseline=True),
    "bgnbd": ModelEntry(fit_bgnbd, BgNbdModel.from_state, baseline=True),
    "paretonbd": ModelEntry(fit_paretonbd, ParetoNbdModel.from_state, baseline=True),
    "lightgbm": ModelEntry(without_gaps(fit_boosting), BoostingModel.from_state),
    "ziln_mlp": ModelEntry(without_gaps(fit_ziln_mlp), ZilnMlpModel.from_state),
}
"""Every model, one line each; lists of models elsewhere derive from this table."""
