"""Compare tuned settings with the default at the last origin, which the search did not use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.config import TrainConfig
from clv_core.evaluation.bootstrap import Bootstrap, Estimate
from clv_core.evaluation.tune import Search, best
from clv_core.features.log import EventLog
from clv_core.jobs import Progress, parts_of

COMPARED: Final = ("gini", "spearman", "mae", "rmse", "decile_mape", "bias")
DEFAULT, TUNED = "default", "tuned"
STARTS: Final = 3
"""So often both are trained, from other random starts: two trainings of the same settings differ, too."""
SEEDS: Final = 2**31


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
    def settings(self) -> dict[str, Any]:
        """The best settings of the search, those that were searched only."""
        return dict(best(self.search.trials).settings)

    @property
    def default_loss(self) -> float:
        """Loss of the default settings."""
        return self.search.default.loss

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "settings": self.settings,
            "loss": best(self.search.trials).loss,
            "default_loss": self.default_loss,
            "origin": self.origin,
            "origins": [origin.isoformat() for origin in self.search.origins],
            "starts": STARTS,
            "advantage": {
                name: {"value": found.value, "low": found.low, "high": found.high}
                for name, found in self.advantage.items()
            },
            "trials": [
                {"number": t.number, "settings": dict(t.settings), "loss": t.loss, "state": t.state}
                for t in self.search.trials
            ],
        }


def judge(log: EventLog, origin: date, config: TrainConfig, search: Search, run: Path, to: Progress) -> Tuning:
    """Train with the default and with the best settings before ``origin``, and compare them on what came after.

    Args:
        log: the whole log.
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
            own = replace(settings, seed=(config.seed + start * config.ensemble) % SEEDS)
            found = run_origin(log, origin, own, [config.model], run / name, next(part), "holdout").predictions
            frames.append(found.assign(model=name))
    bootstrap = Bootstrap.of(pd.concat(frames, ignore_index=True), COMPARED)
    day, every = origin.isoformat(), [name for pair in runs for name in pair]
    known = [metric for metric in COMPARED if all((day, name, metric) in bootstrap.values for name in every)]
    return Tuning(search, day, {metric: bootstrap.advantage_of_settings(runs, metric) for metric in known})
