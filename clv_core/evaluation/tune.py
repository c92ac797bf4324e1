"""Tune settings with Optuna on earlier origins; the last origin is kept for the final test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from clv_core.collection import history_days
from clv_core.config import READS, SEQUENCE_ENCODERS, TrainConfig
from clv_core.errors import NotEnoughData, UsageError
from clv_core.evaluation.bootstrap import Bootstrap, Estimate
from clv_core.evaluation.metrics import with_role
from clv_core.features import EventLog
from clv_core.jobs import NoProgress, Progress, parts_of
from clv_core.records import JsonObject
from clv_core.training import JOURNAL, rolling_origins

if TYPE_CHECKING:
    import optuna

REFERENCE: Final = "bgnbd"
MIN_MEAN_SHARE: Final = 1e-3
"""Floor of a predicted mean in the deviance, as a share of the mean actual value: the deviance of 0 is infinite."""

Suggest = Callable[["optuna.Trial", str, Any], Any]
"""Proposes a setting's value for a trial, given its name and the value that it has by default."""


def _between(low: float, high: float, *, log: bool = False) -> Suggest:
    """Return what proposes numbers of a range, widened to hold the default; integers where the default is one."""

    def suggest(trial: optuna.Trial, name: str, default: Any) -> Any:
        least, most = min(low, default), max(high, default)
        if isinstance(default, int):
            return trial.suggest_int(name, int(least), int(most))
        return trial.suggest_float(name, least, most, log=log and least > 0)

    return suggest


def _one_of(*choices: Any) -> Suggest:
    """Return what proposes one of ``choices`` or the default."""
    return lambda trial, name, default: trial.suggest_categorical(name, list(dict.fromkeys((*choices, default))))


SPACE: Final[dict[str, Suggest]] = {
    "learning_rate": _between(5e-4, 8e-3, log=True),
    "weight_decay": _between(1e-4, 0.3, log=True),
    "dropout": _between(0.0, 0.5),
    "batch_size": _one_of(256, 512, 1024),
    "mlp_width": _one_of(32, 64, 128),
    "mlp_layers": _between(1, 3),
    "activation": _one_of("relu", "silu", "tanh"),
    "optimizer": _one_of("adamw", "adam"),
    "rnn": _one_of(*SEQUENCE_ENCODERS),
    "rnn_width": _one_of(16, 32, 64),
    "max_steps_back": _one_of(20, 40, 80),
}
"""What is searched, one line a setting; every name is a field of ``TrainConfig``, whose value is always among them."""

TUNABLE: Final = ("blend", "hybrid", "mlp", "rnn")
SEARCHED_AS: Final = {"blend": "hybrid"}
"""Models of which a part is searched: the pre-trained half has no settings, and would only take its time again."""


@dataclass(frozen=True)
class Trial:
    """One set of settings and how it did.

    Args:
        number: in the order of the search.
        settings: the searched ones, by name.
        loss: mean over origins of the deviance relative to BG/NBD's; of a trial that was given up, so far.
        state: ``complete`` or ``pruned``.
    """

    number: int
    settings: JsonObject
    loss: float
    state: str


@dataclass(frozen=True)
class Search:
    """What a search tried, and where.

    Args:
        trials: those that came to an end, in order.
        default: the one of them with the settings that the search was given.
        origins: those that judged, the earliest first.
    """

    trials: tuple[Trial, ...]
    default: Trial
    origins: tuple[date, ...]


def search(
    log: EventLog, config: TrainConfig, *, trials: int, origins: int, folder: Path, progress: Progress
) -> Search:
    """Try ``trials`` settings, the default among them, and return all trials so far.

    Args:
        log: ends where the last origin begins (``open_log(dataset, before=last_origin)``).
        config: what is not searched: model, horizon, seed, data settings; its searched settings are the default.
        trials: how many in all, those of an earlier, interrupted search of the same folder counted.
        origins: at how many rolling origins, one horizon apart, each is measured at most; those with too little before
            them are left out.
        folder: keeps the journal and the state of the training under way.
        progress: listener; stage ``tuning``.

    Raises:
        UsageError: a model without anything to tune.
        NotEnoughData: no origin with enough training windows before it and a complete horizon after it.
    """
    import optuna

    if config.model not in TUNABLE:
        raise UsageError("not_tunable", model=config.model, known=list(TUNABLE))
    config = replace(config, model=SEARCHED_AS.get(config.model, config.model))
    cutoffs = _origins(log, config.horizon_days, origins)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    reference = _references(log, cutoffs, config, folder / "run")
    space = {name: suggest for name, suggest in SPACE.items() if name in READS[config.model]}
    default = {name: getattr(config, name) for name in space}
    study = _study(folder / JOURNAL)
    _take_up(study, default)

    def objective(trial: optuna.Trial) -> float:
        settings = replace(config, **{name: suggest(trial, name, default[name]) for name, suggest in space.items()})
        losses: list[float] = []
        # The latest origin first: it is nearest to what the model is for.
        for step, (origin, base) in enumerate(reversed(reference.items())):
            losses.append(_measured(log, origin, settings, folder / "run") / base)
            progress.report("tuning", _finished(study) + (step + 1) / len(reference), trials, trial=trial.number)
            trial.report(float(np.mean(losses)), step)
            if settings != config and step + 1 < len(reference) and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(losses))

    while (done := _finished(study)) < trials or _waiting(study):
        # A proposal depends on the seed and the trials so far alone, so that a resumed search makes the same ones.
        study.sampler = optuna.samplers.TPESampler(seed=config.seed + done)
        progress.report("tuning", done, trials)
        study.optimize(objective, n_trials=1)
    shutil.rmtree(folder / "run", ignore_errors=True)
    ended = all_trials(study)
    default_trial = next(trial for trial in ended if trial.state == "complete" and trial.settings == default)
    return Search(tuple(ended), default_trial, tuple(reference))


def _study(journal: Path) -> optuna.Study:
    """Return the search of a journal, a new one where there is none."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name="tuning",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=0),
    )


def _origins(log: EventLog, horizon_days: int, most: int) -> list[date]:
    """Return the rolling origins that judge.

    Raises:
        NotEnoughData: there is none.
    """
    cutoffs = rolling_origins(log.first_day, log.end, horizon_days, most)
    if not cutoffs:
        raise too_short(horizon_days, (log.end - log.first_day).days)
    return cutoffs


def too_short(horizon_days: int, days: int) -> NotEnoughData:
    """Return the error for a log that has too little before its last horizon.

    Args:
        horizon_days: that settings are searched for.
        days: of the log before its last horizon.
    """
    needed = 2 * horizon_days + history_days(horizon_days)
    return NotEnoughData("no_tuning_origin", horizon=horizon_days, days=days, needed=needed)


def best(trials: Sequence[Trial]) -> Trial:
    """Return the complete trial with the lowest loss; the first among equals."""
    return min((trial for trial in trials if trial.state == "complete"), key=lambda trial: (trial.loss, trial.number))


def all_trials(study: optuna.Study) -> list[Trial]:
    """Return the trials that came to an end, in order."""
    names = {"COMPLETE": "complete", "PRUNED": "pruned"}
    return [
        Trial(trial.number, dict(trial.params), float(trial.value), names[trial.state.name])
        if trial.value is not None
        else Trial(trial.number, dict(trial.params), float(list(trial.intermediate_values.values())[-1]), "pruned")
        for trial in study.trials
        if trial.state.name in names
    ]


def deviance(actual: ArrayLike, mean: ArrayLike) -> float:
    """Return the mean Tweedie deviance of power 1.5; negative actual values count as 0.

    It is smallest in expectation at the true mean, and weighs order, level and size of the error in one number.
    Source: Jorgensen (1997), The Theory of Dispersion Models.

    Args:
        actual: net value in the horizon, [n].
        mean: predicted, [n].
    """
    value = np.maximum(np.asarray(actual, np.float64), 0.0)
    floor = MIN_MEAN_SHARE * max(float(value.mean()), 1e-12)
    root = np.sqrt(np.maximum(np.asarray(mean, np.float64), floor))
    return float(np.mean(4 * (np.sqrt(value) - root) ** 2 / root))


def _measured(log: EventLog, origin: date, config: TrainConfig, folder: Path) -> float:
    """Return the deviance of one training at one origin; whatever an interrupted one left is not used."""
    from clv_core.evaluation.backtest import run_origin  # brings torch

    shutil.rmtree(folder, ignore_errors=True)
    predictions: pd.DataFrame = run_origin(
        log, origin, config, [config.model], folder, NoProgress(), "tuning"
    ).predictions
    return deviance(predictions["actual"], predictions["predicted_clv"])


def _references(log: EventLog, origins: Sequence[date], config: TrainConfig, folder: Path) -> dict[date, float]:
    """Return the reference's deviance by origin, without the origins that have too little before them.

    Raises:
        NotEnoughData: all of them have.
    """
    deviances: dict[date, float] = {}
    for origin in origins:
        try:
            deviances[origin] = _measured(log, origin, replace(config, model=REFERENCE), folder)
        except NotEnoughData:
            if origin == origins[-1] and not deviances:
                raise
    return deviances


def _finished(study: optuna.Study) -> int:
    return len(all_trials(study))


def _waiting(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    import optuna

    return study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.WAITING])


def _take_up(study: optuna.Study, default: JsonObject) -> None:
    """Queue what an interrupted search had under way, and the default unless it is through or queued."""
    import optuna

    states = optuna.trial.TrialState
    for trial in study.get_trials(states=[states.RUNNING]):
        study.tell(trial.number, state=states.FAIL)
        study.enqueue_trial(_settings_of(trial))
    existing = [*study.get_trials(states=[states.COMPLETE]), *_waiting(study)]
    if default not in [_settings_of(trial) for trial in existing]:
        study.enqueue_trial(dict(default))


def _settings_of(trial: optuna.trial.FrozenTrial) -> JsonObject:
    """Return a trial's settings, those included that were queued and that it has not come to yet."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


COMPARED: Final = with_role("tuning")
DEFAULT, TUNED = "default", "tuned"
STARTS: Final = 3
"""So often both are trained, from other random starts: two trainings of the same settings differ, too."""
SEEDS: Final = 2**31
"""Seeds are below it: a bound that the seeds of all libraries allow."""


@dataclass(frozen=True)
class Tuning:
    """The end of a search.

    Args:
        search: all trials, and the origins that judged them.
        origin: the last origin, ISO date.
        advantage: by how much the tuned settings are better there (negative: worse), by metric, with intervals that
            hold the luck of customers and of random starts; empty where the default itself was the best.
    """

    search: Search
    origin: str
    advantage: dict[str, Estimate]

    @property
    def settings(self) -> JsonObject:
        """The best settings of the search, those that were searched only."""
        return dict(best(self.search.trials).settings)

    @property
    def default_loss(self) -> float:
        """Loss of the default settings."""
        return self.search.default.loss

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary."""
        return {
            "settings": self.settings,
            "loss": best(self.search.trials).loss,
            "default_loss": self.default_loss,
            "origin": self.origin,
            "origins": [origin.isoformat() for origin in self.search.origins],
            "starts": STARTS,
            "advantage": {name: asdict(estimate) for name, estimate in self.advantage.items()},
            "trials": [asdict(trial) for trial in self.search.trials],
        }


def compare_with_default(
    log: EventLog, origin: date, config: TrainConfig, search: Search, run: Path, to: Progress
) -> Tuning:
    """Train with the default and with the best settings before ``origin``, and compare them on what came after.

    Args:
        log: the entire log.
        origin: the last origin; its horizon is complete, and the search has seen nothing of it.
        config: the default settings.
        search: on what came before ``origin``.
        run: folder of the trainings' state.
        to: who listens.
    """
    from clv_core.evaluation.backtest import run_origin  # brings torch

    winner = best(search.trials)
    if winner.number == search.default.number:
        return Tuning(search, origin.isoformat(), {})
    frames, runs = [], [(f"{TUNED}#{start}", f"{DEFAULT}#{start}") for start in range(STARTS)]
    part = iter(parts_of(to, [1] * (2 * STARTS)))
    for start, names in enumerate(runs):
        for name, settings in zip(names, (replace(config, **winner.settings), config), strict=True):
            seeded = replace(settings, seed=(config.seed + start * config.ensemble) % SEEDS)
            predictions = run_origin(log, origin, seeded, [config.model], run / name, next(part), "holdout").predictions
            frames.append(predictions.assign(model=name))
    bootstrap = Bootstrap.of(pd.concat(frames, ignore_index=True), COMPARED)
    day, every = origin.isoformat(), [name for pair in runs for name in pair]
    comparable = [metric for metric in COMPARED if all((day, name, metric) in bootstrap.values for name in every)]
    return Tuning(search, day, {metric: bootstrap.advantage_of_settings(runs, metric) for metric in comparable})
