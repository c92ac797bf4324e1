"""Which model is trained by default, on how much, and what that will cost."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Final

from clv_core.config import OWN, TrainConfig
from clv_core.model.sequence_encoders import sequence_encoder
from clv_core.records import Amount
from clv_core.training.windows import most_windows, partial_cutoffs, training_cutoffs

DEFAULT: Final = "blend"
SMALL: Final = 1000
"""Customers below which a network trained on the log alone predicts worse than the pre-trained one
(tests/bench/README.md)."""
OF_SMALL: Final = "instant_tuned"


def default_model(customers: int) -> str:
    """Return the model that past origins favour for a log of so many customers (``tests/bench/README.md``)."""
    return OF_SMALL if customers < SMALL else DEFAULT


MIN_STEPS, MAX_STEPS = 200, 3000
"""Optimiser steps of a network trained from scratch; guesses, wide on either side of what the logs of the bench
need."""
PASSES: Final = 3
"""Over few windows, up to :data:`MAX_STEPS_REPEATING`; many are each read once."""
MAX_STEPS_REPEATING: Final = 300
"""Steps that CDNOW's 150,000 windows take (tests/bench/README.md)."""
FEWEST_TRIED: Final = 300
"""Of fewer customers nobody is kept apart to try what a network remembers: a tenth says next to nothing; a guess."""
HELD_OUT_TAKES: Final = 1 / 3
"""Share of a training's time that the fit takes which is only measured: half the networks of the other."""
SECONDS_TO_START = 4.0
"""Of worker processes, which import PyTorch."""
SECONDS_A_WINDOW: Final = {
    **{"instant": 2e-5, "naive": 1e-5, "bgnbd": 2e-5, "paretonbd": 4e-5, "lightgbm": 1e-4, OWN: 1e-4},
    **{"instant_tuned": 2e-5, "blend": 4.5e-5},
}
"""Time of a fit for each training window, besides optimiser steps; measured on a 2-core machine."""
FROM_SCRATCH: Final = ("hybrid", "blend", "mlp", "rnn", "ziln_mlp")
TUNED: Final = ("instant_tuned", "blend")
"""Models with networks that are trained on the log alone, and with the pre-trained one."""
TUNED_STEPS, TUNED_STEPS_SMALL = 100, 60
"""Fewest steps of the pre-trained network on a log, and on a small one, which it would learn by heart. With 200 and 400
Gini changes by less than .002 (tests/bench/README.md, "The pre-trained network")."""
MAX_TUNED_STEPS: Final = 500
"""Of a quarter of a pass over many windows; a guess."""
SECONDS_A_TUNED_ROW: Final = 6e-5
"""Of the pre-trained network, on one thread of a 2-core machine, as in :func:`estimate`."""
SECONDS_A_CUSTOMER: Final = 9e-6
"""Of features at each cutoff, before windows are sampled (measured: 1 million customers, 20 million events, 2
cores)."""
BYTES_A_CUSTOMER = 3.5e3
"""Memory as measured on logs of up to a million customers (5.3 GB there)."""
BYTES_A_WINDOW = 1.2e3
"""As the trainer's largest memory grew from 150,000 to 400,000 windows of CDNOW (tests/bench/README.md)."""
BYTES_BASE = 450e6
"""Of the process with PyTorch imported."""
BYTES_WORKER = 350e6
"""Of each worker process."""


@dataclass(frozen=True)
class Cost:
    """Wall time and the largest memory of the process and its workers together."""

    seconds: Amount
    memory_mb: Amount

    def rounded(self) -> Cost:
        """Return it to a tenth of a second and of a megabyte."""
        return Cost(round(self.seconds, 1), round(self.memory_mb, 1))


def steps_for(rows: int, config: TrainConfig) -> int:
    """Return the optimiser steps: the setting, or one pass over the windows, over few of them up to three."""
    steps_per_pass = rows / config.batch_size
    several = min(max(PASSES * steps_per_pass, MIN_STEPS), MAX_STEPS_REPEATING)
    return config.steps or int(min(max(steps_per_pass, several), MAX_STEPS))


def tuned_steps_for(rows: int, customers: int, config: TrainConfig) -> int:
    """Return the optimiser steps of the pre-trained network: the setting, a quarter pass, or fewer for a small log."""
    if customers < SMALL:
        return config.steps or TUNED_STEPS_SMALL
    return config.steps or int(min(max(rows / config.batch_size / 4, TUNED_STEPS), MAX_TUNED_STEPS))


@dataclass(frozen=True)
class Budget:
    """How much is learned from, and for how long.

    Args:
        windows: customers at cutoffs, at most.
        cutoffs: of how many days.
        steps: of each network that is trained from scratch; 0 for models without.
        tuned_steps: of each copy of the pre-trained network, likewise.
    """

    windows: int
    cutoffs: int
    steps: int
    tuned_steps: int


def budget(config: TrainConfig, first_day: date, end: date, customers: int, events: int) -> Budget:
    """Return what a training on a log of so many customers and events reads, before it starts."""
    cutoffs = training_cutoffs(first_day, end, config.horizon_days, config.cutoffs)
    if config.partial_windows:
        cutoffs = [*cutoffs, *partial_cutoffs(first_day, end, config.horizon_days)]
    windows = min(most_windows(config, events), customers * max(1, len(cutoffs)))
    return Budget(
        windows,
        len(cutoffs),
        steps_for(windows, config) if config.model in FROM_SCRATCH else 0,
        tuned_steps_for(windows, customers, config) if config.model in TUNED else 0,
    )


def estimate(config: TrainConfig, first_day: date, end: date, customers: int, events: int) -> Cost:
    """Return the expected cost of training once for the holdout and once for good.

    Args:
        config: widths, layers and ensemble size.
        first_day: the log's first day.
        end: the midnight after its last.
        customers: how many it holds.
        events: how many steps of sequences they have together.

    The time of one row was measured on one thread of a 2-core machine for the default network (13 microseconds of
    features, 7 for each step of its sequence) and scales with the number of weights that a row passes.
    """
    plan = budget(config, first_day, end, customers, events)
    steps_a_window = min(config.max_steps_back, events / max(1, customers))
    processes = min(config.ensemble, config.processes or os.cpu_count() or 1)
    scratch = plan.steps * config.batch_size * _seconds_a_row(config, steps_a_window)
    tuned = plan.tuned_steps * config.batch_size * SECONDS_A_TUNED_ROW
    seconds = plan.windows * 1e-5
    for ensemble in (config.measured.ensemble, config.ensemble):
        networks = ceil(ensemble / processes) * (scratch + tuned)
        seconds += SECONDS_TO_START + networks + plan.windows * SECONDS_A_WINDOW.get(config.model, 0.0)
        seconds += customers * plan.cutoffs * SECONDS_A_CUSTOMER
    table = customers * BYTES_A_CUSTOMER + plan.windows * (BYTES_A_WINDOW + 60 * steps_a_window)
    return Cost(seconds, (BYTES_BASE + table + processes * BYTES_WORKER) / 1e6)


def _seconds_a_row(config: TrainConfig, steps_a_window: float) -> float:
    """Return what a network trained from scratch needs for a row of a batch."""
    features = 13e-6 * (config.mlp_layers * config.mlp_width**2 + 8192) / (2 * 64**2 + 8192)
    cost = sequence_encoder(config.rnn).COST
    sequence = 7e-6 * steps_a_window * cost * config.rnn_layers * (config.rnn_width**2 + 512) / (32**2 + 512)
    return (features if config.model != "rnn" else 5e-6) + (sequence if config.model != "mlp" else 0.0)
