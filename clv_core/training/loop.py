"""The training loop, resumable to the bit, and the state of a run.

Every random choice is a function of (seed, step), so a run that was killed and resumed from its last checkpoint makes
the same choices as one that was never disturbed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from clv_core.config import TrainConfig
from clv_core.model import BatchedInputs, Network
from clv_core.model.instant import InstantNetwork
from clv_core.workspace import atomic_path

SECONDS_BETWEEN_SAVES = 2.0
"""What a kill loses at most; saving more often would cost time."""


@dataclass
class State:
    """Progress of a run: step, losses, and the best weights so far."""

    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best_loss: float = math.inf
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def judge(self, validation: float, network: nn.Module) -> None:
        """Keep the weights where no earlier ones had a lower loss on later windows."""
        if validation < self.best_loss:
            self.best_loss = validation
            self.best_weights = {name: value.clone() for name, value in network.state_dict().items()}


@dataclass
class Checkpoint:
    """The state file of one network's run.

    Args:
        path: the file; None keeps nothing.
    """

    path: Path | None
    saved_at: float = field(default_factory=time.monotonic)

    def save_if_due(self, network: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
        """Save, unless the last save is less than two seconds old."""
        if self.path is not None and time.monotonic() - self.saved_at >= SECONDS_BETWEEN_SAVES:
            self.save(network, optimizer, state)
            self.saved_at = time.monotonic()

    def save(self, network: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
        """Write weights, optimiser state, step and history as one file."""
        if self.path is None:
            return
        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in state.best_weights.items()}
        for number, slots in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value) for name, value in slots.items()}
        facts = {"step": state.step, "best_loss": repr(state.best_loss), "history": state.history}
        with atomic_path(self.path) as temporary:
            save_file(
                {name: value.contiguous() for name, value in tensors.items()}, temporary, {"state": json.dumps(facts)}
            )

    def load(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> State | None:
        """Restore network and optimiser in place; None where there is no readable state."""
        if self.path is None or not self.path.exists():
            return None
        tensors: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "optimizer": {}}
        device = next(network.parameters()).device
        try:
            with safe_open(self.path, framework="pt", device=str(device)) as file:
                facts = json.loads(file.metadata()["state"])
                for name in file.keys():  # noqa: SIM118 - safe_open is no dictionary
                    kind, _, rest = name.partition(".")
                    tensors[kind][rest] = file.get_tensor(name)
        except SafetensorError:
            return None
        network.load_state_dict(tensors["network"])
        saved = optimizer.state_dict()
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors["optimizer"].items():
            number, _, slot = name.partition(".")
            slots.setdefault(int(number), {})[slot] = value.cpu() if slot == "step" else value
        optimizer.load_state_dict({"state": slots, "param_groups": saved["param_groups"]})
        return State(facts["step"], facts["history"], float(facts["best_loss"]), tensors["best"])


WARM_UP: float = 0.3
"""Share of the steps in which the rate rises (the 30% of Smith's one cycle)."""
LARGEST_GRADIENT: float = 1.0
"""Norm that gradients are clipped to, the usual value."""
STEPS_BETWEEN_REPORTS: int = 10
"""Of progress."""
STEPS_BETWEEN_VALIDATIONS: int = 25
"""A validation reads all later windows, so not every step."""
CALIBRATION_ROWS: int = 20_000
"""Enough for 199 quantiles; more cost time."""
ROWS_AT_ONCE: int = 4096
"""Rows of one pass, which bounds memory."""
SIDE_BY_SIDE: int = 4
"""Networks that threads train in turn, each in an order of its own, which is kept as long as its epoch lasts."""

Report = Callable[[int, float, float | None], None]


def learning_rate(step: int, steps: int, peak: float) -> float:
    """One cycle: cosine up from peak / 25 over the first 30%, cosine down to peak / 10,000 (Smith 2018, 1803.09820)."""
    turn = max(1.0, WARM_UP * steps)
    low, share = (peak / 25, step / turn) if step < turn else (peak / 1e4, (steps - step) / max(1.0, steps - turn))
    return low + (peak - low) * (1 - math.cos(math.pi * min(1.0, share))) / 2


def make_optimizer(network: nn.Module, config: TrainConfig, rates: Mapping[str, float]) -> torch.optim.Optimizer:
    """Return the optimiser that the settings name; each of its groups knows its ``rate`` (see :class:`Task`)."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        rate = next((rate for prefix, rate in rates.items() if name.startswith(prefix)), 1.0)
        groups.setdefault(rate, []).append(parameter)
    parts = [{"params": parameters, "rate": rate} for rate, parameters in groups.items()]
    if config.optimizer == "sgd":
        return torch.optim.SGD(parts, lr=config.learning_rate, momentum=0.9, fused=True)
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    decay = config.weight_decay if config.optimizer == "adamw" else 0.0
    return kind(parts, lr=config.learning_rate, weight_decay=decay, fused=True)


def rows_of_step(step: int, rows: int, batch_size: int, seed: int, device: torch.device) -> Tensor:
    """Return the rows of one step: each epoch is one random order of all rows, [batch_size] or fewer."""
    batches = max(1, math.ceil(rows / batch_size))
    at = step % batches * batch_size
    return _order(rows, seed * 1_000_003 + step // batches)[at : at + batch_size].to(device)


@lru_cache(maxsize=SIDE_BY_SIDE)
def _order(rows: int, seed: int) -> Tensor:
    return torch.randperm(rows, generator=torch.Generator().manual_seed(seed))


@dataclass(frozen=True)
class Task:
    """What is minimised, on what, and for how long.

    Args:
        loss_of: mean loss of the given rows at a step, a scalar that carries gradients.
        rows: number of training rows.
        steps: optimiser steps.
        seed: decides order and dropout.
        config: optimiser, learning rate, batch size.
        rates: learning rate of the parameters whose names begin so, relative to that of all others.
        validate: loss on later windows; with it, the weights of the best validation are the ones that stay.
    """

    loss_of: Callable[[Tensor, int], Tensor]
    rows: int
    steps: int
    seed: int
    config: TrainConfig
    rates: Mapping[str, float] = field(default_factory=dict)
    validate: Callable[[], float] | None = None


def train(network: nn.Module, task: Task, checkpoint: Checkpoint, report: Report) -> State:
    """Train ``network`` in place.

    Args:
        network: what is trained.
        task: what for.
        checkpoint: where the run is kept and resumed from.
        report: called with step, loss and validation loss.
    """
    config, steps = task.config, task.steps
    optimizer = make_optimizer(network, config, task.rates)
    state = checkpoint.load(network, optimizer) or State()
    device = next(network.parameters()).device
    running = 0.0
    network.train()
    while state.step < steps:
        _seed_dropout(task.seed * 7_368_787 + state.step, device)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * learning_rate(state.step, steps, config.learning_rate)
        rows = rows_of_step(state.step, task.rows, config.batch_size, task.seed, device)
        loss = task.loss_of(rows, state.step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        state.step += 1
        running += loss.item()
        validation = None
        if task.validate is not None and (state.step % STEPS_BETWEEN_VALIDATIONS == 0 or state.step == steps):
            network.eval()
            validation = task.validate()
            state.judge(validation, network)
            network.train()
        if state.step % STEPS_BETWEEN_REPORTS == 0 or state.step == steps or validation is not None:
            count = (state.step - 1) % STEPS_BETWEEN_REPORTS + 1
            entry = {"step": float(state.step), "loss": running / count}
            state.history.append(entry if validation is None else {**entry, "validation": validation})
            report(state.step, running / count, validation)
        if state.step % STEPS_BETWEEN_REPORTS == 0:
            running = 0.0
            checkpoint.save_if_due(network, optimizer, state)
    if state.best_weights:
        network.load_state_dict(state.best_weights)
    return state


@torch.no_grad()
def calibrate(network: Network | InstantNetwork, inputs: BatchedInputs, target: Tensor, exposure: Tensor) -> None:
    """Let the head of a network learn from windows how what came true lies about what its parameters say, if it does.

    Args:
        network: in eval mode.
        inputs: of n windows.
        target: what they were worth, in the network's units, [n].
        exposure: which part of the horizon they cover, [n]; :data:`CALIBRATION_ROWS` complete ones are learned from.
    """
    complete = torch.nonzero(exposure == 1).squeeze(1)
    rows = complete[:: max(1, len(complete) // CALIBRATION_ROWS)]
    parts = [network(inputs.batch(part)) for part in torch.split(rows, ROWS_AT_ONCE)]
    network.head.calibrate(target[rows], {name: torch.cat([part[name] for part in parts]) for name in parts[0]})


def _seed_dropout(seed: int, device: torch.device) -> None:
    """``torch.manual_seed`` would also queue a call, with its stack, for each kind of device that is not there."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
