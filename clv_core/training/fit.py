"""Fit any model of ``MODELS`` on a training snapshot."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from clv_core.config import DELETE, OWN, TrainConfig
from clv_core.errors import NotEnoughData
from clv_core.features import Snapshot
from clv_core.jobs import Progress, parts_of
from clv_core.model import (
    LARGEST_LEVEL_RATIO,
    WEIGHTS,
    Baseline,
    BGNBDModel,
    BlendModel,
    BoostingModel,
    DeepModel,
    InputEncoder,
    Law,
    NaiveModel,
    ParetoNBDModel,
    Predictions,
    Shape,
    SimpleMembers,
    ZilnMlpModel,
)
from clv_core.model.instant import InstantModel, load_network
from clv_core.preprocessing import TableEncoder
from clv_core.records import JsonObject
from clv_core.training.cost import MAX_TUNED_STEPS, steps_for
from clv_core.training.ensemble import Run, load_history, train_ensemble, write_plan
from clv_core.training.own_models import OwnModel
from clv_core.training.single_networks import fit_network, tuned_networks
from clv_core.training.windows import MIN_WINDOWS, thinned

BLEND_TAKES: Final = (2, 3)
"""Relative times of a blend's hybrid and pre-trained network, roughly: they only move a progress bar."""


class Model(Protocol):
    """Anything that predicts a snapshot and can be kept in a bundle."""

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        """Predict every row over ``horizon_days``; None is the trained horizon."""

    def state(self) -> tuple[dict[str, NDArray[Any]], JsonObject]:
        """Return tensors by name, and a JSON-ready dictionary."""


@dataclass(frozen=True)
class FitTask:
    """What is fitted, and where.

    Args:
        train: windows with targets.
        config: the settings.
        folder: keeps the state of a run, which resumes from it.
        progress: listener.
        stage: name of the stage to report.
    """

    train: Snapshot
    config: TrainConfig
    folder: Path
    progress: Progress
    stage: str

    def part(self, name: str, progress: Progress, **settings: Any) -> FitTask:
        """Return the task of a part of a model, in a folder of its own and with other settings."""
        return replace(self, config=replace(self.config, **settings), folder=self.folder / name, progress=progress)

    @property
    def windows(self) -> Snapshot:
        """The windows that networks and trees learn from, brought to the anchor's level.

        Raises:
            NotEnoughData: fewer than 50.
        """
        if len(self.train) < MIN_WINDOWS:
            raise NotEnoughData("too_few_windows", windows=len(self.train), needed=MIN_WINDOWS)
        return normalise_targets(self.train)

    @property
    def largest(self) -> float:
        """Largest target, in the log's currency."""
        assert self.train.target is not None
        return float(self.train.target.max(initial=0.0))


@dataclass(frozen=True)
class Fitted:
    """A fitted model and how it got there.

    Args:
        model: ready to predict.
        history: ``{seed, step, loss[, validation]}`` of every report; empty for models without steps.
        early_stopped: whether a later validation window chose the number of steps.
        steps: optimiser steps of each network.
        deleted: training windows that were left out for a gap in a feature.
    """

    model: Model
    history: list[dict[str, float]]
    early_stopped: bool = False
    steps: int = 0
    deleted: int = 0


Fit = Callable[[FitTask], Fitted]


def fit_deep(task: FitTask) -> Fitted:
    """Fit the ensemble of networks; resumes from its folder if that holds the state of the same run.

    With early stopping, one network first learns from the windows that end before the latest cutoff, and the step at
    which it predicted that one best, scaled to all windows, is how long the ensemble learns from all of them.
    """
    windows, config = task.windows, task.config
    steps, early = steps_for(len(windows), config), None
    if config.early_stopping:
        earlier, later = split_by_latest_cutoff(windows)
        if later is not None:
            early_task = replace(task, folder=task.folder / "early", config=replace(config, ensemble=1))
            _, early = _train_networks(early_task, earlier, steps_for(len(earlier), config), later)
            best = min(early, key=lambda entry: entry.get("validation", np.inf))["step"] / early[-1]["step"]
            steps = max(1, round(best * steps))
    fitted, history = _train_networks(task, windows, steps)
    return Fitted(fitted, history, early is not None, steps)


def _train_networks(
    task: FitTask, windows: Snapshot, steps: int, later: Snapshot | None = None
) -> tuple[DeepModel, list[dict[str, float]]]:
    """Return the ensemble trained on windows for so many steps, and its history."""
    config = task.config
    table = TableEncoder.fit(windows.features, windows.described, impute=config.impute, constant=config.impute_constant)
    encoder = InputEncoder.fit(windows, table)
    run, shape = Run(task.folder), Shape(len(table.columns_), encoder.vocabulary_sizes)
    check = None if later is None else encoder.transform(later)
    write_plan(run, shape, config, steps, encoder.transform(windows), check)
    networks = train_ensemble(run, config, steps, task.progress, task.stage)
    seeds = range(config.seed, config.seed + config.ensemble)
    history = [{"seed": float(seed), **entry} for seed in seeds for entry in load_history(run, seed)]
    return DeepModel(config, encoder, tuple(networks), task.largest, law=Law.of(task.train)), history


def exposures(train: Snapshot) -> NDArray[np.float64]:
    """Return which part of the horizon each target covers, [n]."""
    return np.ones(len(train)) if train.exposure is None else train.exposure


def normalise_targets(train: Snapshot) -> Snapshot:
    """Return the snapshot with the targets of each cutoff scaled to the anchor's total of its buyers, within 1/3 to 3.

    The network then learns who is worth more than the anchor expects, not what one season or a short history did to all
    customers equally: that level is not the next one's, and is set at the scoring cutoff.
    """
    assert train.target is not None
    days, of_row = np.unique(train.cutoff_day, return_inverse=True)
    factor = np.array([train.levels.get(int(day), 1.0) for day in days])
    target = train.target * np.clip(factor, 1 / LARGEST_LEVEL_RATIO, LARGEST_LEVEL_RATIO)[of_row]
    return replace(train, target=target)


def fit_instant(task: FitTask) -> Fitted:
    """Take the pre-trained network as it is; the windows only bound its predictions."""
    return Fitted(InstantModel(task.config.horizon_days, (load_network(),), task.largest, law=Law(math.inf)), [])


def fit_instant_tuned(task: FitTask) -> Fitted:
    """Tune the pre-trained network on the windows; resumes from its folder."""
    config = task.config
    windows = thinned(task.windows, 2 * MAX_TUNED_STEPS * config.batch_size, config.seed)
    networks, states = tuned_networks(windows, config, task.folder, task.progress, task.stage)
    model = InstantModel(
        config.horizon_days, tuple(networks), task.largest, law=Law.of(task.train), device=config.device
    )
    history = [
        {"seed": float(config.seed + member), **entry} for member, state in enumerate(states) for entry in state.history
    ]
    return Fitted(model, history, steps=states[0].step)


def fit_blend(task: FitTask) -> Fitted:
    """Fit the hybrid and tune the pre-trained network; BG/NBD is the anchor. Resumes from its folder."""
    deep_progress, tuned_progress = parts_of(task.progress, BLEND_TAKES)
    deep = fit_deep(task.part("hybrid", deep_progress, model="hybrid"))
    tuned = fit_instant_tuned(task.part("instant_tuned", tuned_progress))
    assert isinstance(deep.model, DeepModel) and isinstance(tuned.model, InstantModel)
    windows = task.windows
    assert windows.target is not None
    never = ~windows.bought & (exposures(windows) == 1)
    never_value = float(np.maximum(windows.target[never], 0.0).mean()) if never.any() else 0.0
    simple = SimpleMembers(deep.model.encoder.money, never_value, WEIGHTS)
    return replace(deep, model=BlendModel(deep.model, tuned.model, simple))


def split_by_latest_cutoff(train: Snapshot) -> tuple[Snapshot, Snapshot | None]:
    """Return the complete windows that end before the latest complete cutoff, and those of that one; None: too few."""
    complete = train.complete()
    latest = int(complete.cutoff_day.max())
    earlier = np.flatnonzero(complete.cutoff_day + complete.horizon_days <= latest)
    if len(earlier) < MIN_WINDOWS:
        return train, None
    return complete.take(earlier), complete.take(np.flatnonzero(complete.cutoff_day == latest))


def fit_baseline(model: type[Baseline]) -> Fit:
    """Return the fit of a model that has no steps."""
    return lambda task: Fitted(model().fit(task.train.complete()), [])


def fit_own(task: FitTask) -> Fitted:
    """Fit the user's own model, and hold it to its contract."""
    return Fitted(OwnModel.fit(task.config.code, task.train.complete()), [])


def fit_boosting(task: FitTask) -> Fitted:
    """Fit gradient boosting."""
    config, options = task.config, ("impute", "seed")
    settings = {name: getattr(config, name) for name in options}
    model = BoostingModel.fit(task.windows, constant=config.impute_constant, kind=config.boosting, **settings)
    return Fitted(replace(model, largest=task.largest), [])


def fit_ziln_mlp(task: FitTask) -> Fitted:
    """Fit the ZILN paper's plain MLP."""
    config = task.config
    model, state = fit_network(task.train.complete(), config, task.folder, task.progress, task.stage)
    history = [{"seed": float(config.seed), **entry} for entry in state.history]
    return Fitted(model, history, early_stopped=True, steps=state.step)


def table_of(model: Model) -> TableEncoder | None:
    """Return a model's encoder of the feature table; None for one that does not read it."""
    if isinstance(model, DeepModel):
        return model.encoder.table
    return model.encoder if isinstance(model, (BlendModel, BoostingModel, ZilnMlpModel)) else None


def without_gaps(fit: Fit) -> Fit:
    """Return ``fit`` as it is done by models that read the feature table: on windows whose gaps are allowed."""

    def fit_rest(task: FitTask) -> Fitted:
        if task.config.impute != DELETE:
            return fit(task)
        gaps = task.train.gaps(task.config.features_to_check)
        rest = replace(task, train=task.train.take(np.flatnonzero(~gaps)))
        return replace(fit(rest), deleted=int(gaps.sum()))

    return fit_rest


@dataclass(frozen=True)
class ModelEntry:
    """One line of ``MODELS``: how it is fitted, how it comes back from a bundle, and whether its seed has no effect."""

    fit: Fit
    load: Callable[[dict[str, NDArray[Any]], JsonObject], Model]
    baseline: bool = False


MODELS: Final[dict[str, ModelEntry]] = {
    "hybrid": ModelEntry(without_gaps(fit_deep), DeepModel.from_state),
    "instant": ModelEntry(fit_instant, InstantModel.from_state, baseline=True),
    "instant_tuned": ModelEntry(fit_instant_tuned, InstantModel.from_state),
    "blend": ModelEntry(without_gaps(fit_blend), BlendModel.from_state),
    "mlp": ModelEntry(without_gaps(fit_deep), DeepModel.from_state),
    "rnn": ModelEntry(fit_deep, DeepModel.from_state),
    "naive": ModelEntry(fit_baseline(NaiveModel), NaiveModel.from_state, baseline=True),
    "bgnbd": ModelEntry(fit_baseline(BGNBDModel), BGNBDModel.from_state, baseline=True),
    "paretonbd": ModelEntry(fit_baseline(ParetoNBDModel), ParetoNBDModel.from_state, baseline=True),
    "lightgbm": ModelEntry(without_gaps(fit_boosting), BoostingModel.from_state),
    "ziln_mlp": ModelEntry(without_gaps(fit_ziln_mlp), ZilnMlpModel.from_state),
    OWN: ModelEntry(fit_own, OwnModel.from_state),
}
"""Every model, one line each; lists of models elsewhere derive from this table."""
