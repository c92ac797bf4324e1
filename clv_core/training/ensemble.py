"""Train the networks of an ensemble side by side, one thread each, resumable one by one.

The parent writes the tensors once; each worker process (:mod:`clv_core.training.pool`) maps them into its memory,
trains a seed and leaves its weights.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from clv_core.config import TrainConfig
from clv_core.jobs import Progress
from clv_core.model import SEQUENCE_BRANCH, Inputs, Network, Shape, one_thread, training_device
from clv_core.records import JsonObject
from clv_core.training.loop import Checkpoint, Report, Task, calibrate, train
from clv_core.training.pool import Report as SeedReport
from clv_core.training.pool import serve, train_in_pool
from clv_core.workspace import atomic_path, read_json, write_json

ROWS_AT_ONCE = 8192
"""Rows of one pass of a validation, which bounds memory."""


@dataclass(frozen=True)
class Run:
    """The folder of one ensemble's training.

    Args:
        folder: holds ``plan.json``, ``train.safetensors``, ``validation.safetensors`` and a file or two a seed.
    """

    folder: Path

    def weights(self, seed: int) -> Path:
        """The finished network of ``seed``."""
        return self.folder / f"weights-{seed}.safetensors"

    def state(self, seed: int) -> Path:
        """The resumable state of ``seed``."""
        return self.folder / f"state-{seed}.safetensors"


def write_plan(run: Run, shape: Shape, config: TrainConfig, steps: int, inputs: Inputs, later: Inputs | None) -> None:
    """Write what the workers read."""
    for name, part in (("train", inputs), ("validation", later)):
        if part is not None:
            with atomic_path(run.folder / f"{name}.safetensors") as temporary:
                save_file(part.tensors(), temporary)
    plan = {"shape": shape.to_json(), "config": config.to_json(), "steps": steps, "validation": later is not None}
    write_json(run.folder / "plan.json", plan)


def train_ensemble(run: Run, config: TrainConfig, steps: int, progress: Progress, stage: str) -> list[Network]:
    """Train all seeds of the plan and return their networks in the order of seeds.

    Raises:
        ClvError: a worker failed.
    """
    seeds = [config.seed + number for number in range(config.ensemble)]
    processes = min(config.ensemble, config.processes or os.cpu_count() or 1)
    done = dict.fromkeys(seeds, 0)

    def tell(seed: int, step: int, loss: float, validation: float | None) -> None:
        done[seed] = step
        extra = {} if validation is None else {"validation": validation}
        progress.report(stage, sum(done.values()), steps * len(seeds), seed=seed, step=step, loss=loss, **extra)

    open_seeds = [seed for seed in seeds if not run.weights(seed).exists()]
    done.update(dict.fromkeys(set(seeds) - set(open_seeds), steps))
    if processes == 1 or training_device(config.device).type != "cpu":
        train_seeds(run, open_seeds, tell)
    elif open_seeds:
        train_in_pool(processes, run.folder, open_seeds, tell)
    return [load_network(run, seed) for seed in seeds]


def load_network(run: Run, seed: int) -> Network:
    """Return the finished network of ``seed``."""
    plan = read_json(run.folder / "plan.json")
    network = Network(Shape.from_json(plan["shape"]), TrainConfig.from_json(plan["config"]))
    network.load_state_dict(load_file(run.weights(seed)))
    return network.eval()


def load_history(run: Run, seed: int) -> list[dict[str, float]]:
    """Return the loss history of a finished network."""
    with safe_open(run.weights(seed), framework="pt") as file:
        history: list[dict[str, float]] = json.loads(file.metadata()["history"])
    return history


def train_seeds(run: Run, seeds: list[int], tell: SeedReport) -> None:
    """Train ``seeds`` one after the other in this process, on one thread (or on the GPU)."""
    plan = read_json(run.folder / "plan.json")
    config = TrainConfig.from_json(plan["config"])
    device = training_device(config.device)
    one_thread()
    inputs = Inputs(**load_file(run.folder / "train.safetensors")).to(device)
    later = Inputs(**load_file(run.folder / "validation.safetensors")).to(device) if plan["validation"] else None
    for seed in seeds:
        _train_seed(run, plan, config, inputs, later, seed, lambda *facts, seed=seed: tell(seed, *facts))


def _train_seed(
    run: Run, plan: JsonObject, config: TrainConfig, inputs: Inputs, later: Inputs | None, seed: int, report: Report
) -> None:
    torch.manual_seed(seed)
    device = inputs.table.device
    network = Network(Shape.from_json(plan["shape"]), config).to(device)

    def loss_of(rows: Tensor, step: int = 0, part: Inputs = inputs) -> Tensor:
        params = network.head.part(network(part.batch(rows)), part.exposure[rows])
        return network.head.training_loss(part.target[rows], params)

    @torch.no_grad()
    def validate() -> float:
        assert later is not None
        parts = later.in_parts(ROWS_AT_ONCE)
        return sum(float(loss_of(rows, part=later)) * len(rows) for rows in parts) / len(later)

    rates, check = {SEQUENCE_BRANCH: config.rnn_rate}, validate if later is not None else None
    task = Task(loss_of, len(inputs), plan["steps"], seed, config, rates, check)
    state = train(network, task, Checkpoint(run.state(seed)), report)
    network.eval()
    calibrate(network, inputs, inputs.target, inputs.exposure)
    weights = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    with atomic_path(run.weights(seed)) as temporary:
        save_file(weights, temporary, {"history": json.dumps(state.history)})
    run.state(seed).unlink(missing_ok=True)


if __name__ == "__main__":
    serve(lambda folder, seed, report: train_seeds(Run(folder), [seed], report))
