"""Networks trained in this process: the pre-trained one tuned on a log's windows, and the ZILN paper's plain MLP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clv_core.config import TrainConfig
from clv_core.features import Snapshot, each
from clv_core.jobs import Progress
from clv_core.model import ZilnMlp, ZilnMlpModel, one_thread, training_device, ziln_loss
from clv_core.model.instant import InstantInputs, InstantNetwork, load_network
from clv_core.preprocessing import TableEncoder
from clv_core.training.cost import SMALL, tuned_steps_for
from clv_core.training.loop import Checkpoint, Report, State, Task, calibrate, train

LEARNING_RATE, LEARNING_RATE_SMALL = 2e-3, 1e-3
"""Peak rates for much to learn from and for little, which would be learned by heart (tests/bench/README.md)."""
MUCH: Final = 10_000
"""Windows with any value that are much."""
ZILN_LEARNING_RATE: Final = 1e-3
"""Of the paper's code."""
EPOCHS: Final = 20
"""Passes over the windows; a guess: the step of the lowest validation loss stays, so more passes cost only time."""
MAX_STEPS: Final = 4000
"""20 passes of 100,000 windows at the default batch."""
VALIDATION_SHARE: Final = 0.1
"""Share of customers whose loss chooses the step."""


class Tuning:
    """The windows of a log as the pre-trained network learns them.

    Args:
        train_on: windows with targets, brought to the anchor's level.
        config: seed, batch size, and steps where they are set.
    """

    def __init__(self, train_on: Snapshot, config: TrainConfig) -> None:
        assert train_on.target is not None
        one_thread()
        self.device = training_device(config.device)
        contexts = {day: context.context for day, context in train_on.contexts.items()}
        inputs = InstantInputs.of(train_on.windows, contexts, train_on.anchors, train_on.basis)
        money = inputs.money(contexts)
        self.inputs = inputs.to(self.device)
        exposure = np.ones(len(train_on)) if train_on.exposure is None else train_on.exposure
        target = np.maximum(train_on.target, 0.0) / money
        self.target, self.exposure = (
            torch.from_numpy(part.astype(np.float32)).to(self.device) for part in (target, exposure)
        )
        self.level = max(float(self.target.sum() / self.exposure.sum()), 1e-6)
        customers = train_on.features.index.nunique()
        self.steps = tuned_steps_for(len(train_on), customers, config)
        much = customers >= SMALL and int((train_on.target > 0).sum()) >= MUCH
        rate = LEARNING_RATE if much else LEARNING_RATE_SMALL
        self.config = replace(config, learning_rate=rate, optimizer="adamw")

    def tune(self, seed: int, network: InstantNetwork, folder: Path, report: Report) -> State:
        """Train ``network`` in place, and return where its run ended; resumes from ``folder``.

        It comes back in eval mode on the CPU.
        """
        network.to(self.device)

        def loss_of(rows: Tensor, step: int) -> Tensor:
            params = network.head.part(network(self.inputs.batch(rows)), self.exposure[rows])
            return network.head.training_loss(self.target[rows], params, self.level)

        task = Task(loss_of, len(self.inputs), self.steps, seed, self.config)
        state = train(network, task, Checkpoint(folder / f"state-{seed}.safetensors"), report)
        network.eval()
        calibrate(network, self.inputs, self.target, self.exposure)
        network.cpu()
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


def fit_network(
    train_on: Snapshot, config: TrainConfig, folder: Path, progress: Progress, stage: str
) -> tuple[ZilnMlpModel, State]:
    """Return the fitted model and where its run ended; resumes from ``folder``.

    Of the settings, it takes those of the data, seed, batch size, and steps where they are set; its layers, optimiser
    and learning rate are the paper's code's.

    Args:
        train_on: windows with targets.
        config: the settings.
        folder: where the run is kept.
        progress: listener.
        stage: name of the stage to report.
    """
    assert train_on.target is not None
    target = np.maximum(train_on.target, 0.0)
    table_of = train_on.described
    encoder = TableEncoder.fit(train_on.features, table_of, impute=config.impute, constant=config.impute_constant)
    device = training_device(config.device)
    table = torch.from_numpy(encoder.transform(train_on.features)).to(device)
    money = float(target[target > 0].mean()) if (target > 0).any() else 1.0
    label = torch.from_numpy((target / money).astype(np.float32)).to(device)
    later, seen = (torch.from_numpy(rows).to(device) for rows in split_customers(train_on, config.seed))
    steps = config.steps or max(1, min(MAX_STEPS, EPOCHS * len(seen) // config.batch_size))
    torch.manual_seed(config.seed)
    network = ZilnMlp(table.shape[1]).to(device)

    def loss_of(rows: Tensor, step: int) -> Tensor:
        batch_rows = seen[rows]
        return ziln_loss(label[batch_rows], network(table[batch_rows])).mean()

    @torch.no_grad()
    def validate() -> float:
        return float(ziln_loss(label[later], network(table[later])).mean())

    def report(step: int, loss: float, validation: float | None) -> None:
        progress.report(stage, step, steps, seed=config.seed, step=step, loss=loss)

    settings = replace(config, optimizer="adam", learning_rate=ZILN_LEARNING_RATE)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = Checkpoint(folder / f"state-{config.seed}.safetensors")
    one_thread()
    task = Task(loss_of, len(seen), steps, config.seed, settings, validate=validate)
    state = train(network, task, checkpoint, report)
    largest, network = float(target.max(initial=0.0)), network.eval().cpu()
    model = ZilnMlpModel(encoder, network, money, largest, train_on.horizon_days, config.device)
    return model, state


def split_customers(snapshot: Snapshot, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the rows of a tenth of the customers, and all other rows; both int64."""
    customers, of_row = np.unique(snapshot.features.index.to_numpy(dtype=str), return_inverse=True)
    place = np.random.default_rng(seed).permutation(len(customers))[of_row]
    is_validation = place < max(1, round(VALIDATION_SHARE * len(customers)))
    return np.flatnonzero(is_validation), np.flatnonzero(~is_validation)
