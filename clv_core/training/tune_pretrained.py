"""The pre-trained network as a model of a log: as it is, or tuned for seconds on the log's own past windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from clv_core.config import TrainConfig
from clv_core.features.duckdb_engine import each
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import Progress
from clv_core.model.instant.pretrained_inputs import InstantInputs
from clv_core.model.instant.pretrained_network import InstantNetwork, load_network
from clv_core.model.stacking import one_thread
from clv_core.training.cost import SMALL, tuned_steps_for
from clv_core.training.loop import Checkpoint, Report, State, Task, calibrate, train

LEARNING_RATE: Final = 2e-3
LEARNING_RATE_SMALL: Final = 1e-3
"""Peak rates for much to learn from and for little, which would be learned by heart (tests/bench/README.md)."""
MUCH: Final = 10_000
"""Windows with any value that are much."""


class Tuning:
    """The windows of a log as the pre-trained network learns them.

    Args:
        train_on: windows with targets, brought to the anchor's level.
        config: seed, batch size, and steps where they are set.
    """

    def __init__(self, train_on: Snapshot, config: TrainConfig) -> None:
        assert train_on.target is not None
        one_thread()
        contexts = {day: context.known for day, context in train_on.contexts.items()}
        self.inputs = InstantInputs.of(train_on.windows, contexts, train_on.anchors, train_on.basis)
        money = self.inputs.money(contexts)
        exposure = np.ones(len(train_on)) if train_on.exposure is None else train_on.exposure
        self.target = torch.from_numpy((np.maximum(train_on.target, 0.0) / money).astype(np.float32))
        self.exposure = torch.from_numpy(exposure.astype(np.float32))
        self.level = max(float(self.target.sum() / self.exposure.sum()), 1e-6)
        customers = train_on.features.index.nunique()
        self.steps = tuned_steps_for(len(train_on), customers, config)
        much = customers >= SMALL and int((train_on.target > 0).sum()) >= MUCH
        rate = LEARNING_RATE if much else LEARNING_RATE_SMALL
        self.config = replace(config, learning_rate=rate, optimizer="adamw")

    def tune(self, seed: int, network: InstantNetwork, folder: Path, report: Report) -> State:
        """Train ``network`` in place, and return where its run ended; resumes from ``folder``."""

        def loss_of(rows: Tensor, step: int) -> Tensor:
            params = network.head.part(network(self.inputs.batch(rows)), self.exposure[rows])
            return network.head.training_loss(self.target[rows], params, self.level)

        task = Task(loss_of, len(self.inputs), self.steps, seed, self.config)
        state = train(network, task, Checkpoint(folder / f"state-{seed}.safetensors"), report)
        network.eval()
        calibrate(network, self.inputs, self.target, self.exposure)
        return state


def tuned_networks(
    train_on: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str
) -> tuple[list[InstantNetwork], list[State]]:
    """Return the shipped network tuned in ``ensemble`` orders of the same windows, and where the runs ended."""
    folder.mkdir(parents=True, exist_ok=True)
    tuning = Tuning(train_on, config)
    networks = [load_network() for _ in range(config.ensemble)]
    done = [0] * config.ensemble

    def tune(member: int) -> State:
        seed = config.seed + member

        def report(step: int, loss: float, validation: float | None) -> None:
            done[member] = step
            progress.report(stage, sum(done), tuning.steps * config.ensemble, seed=seed, step=step, loss=loss)

        return tuning.tune(seed, networks[member], folder, report)

    return networks, each(tune, list(range(config.ensemble)))
