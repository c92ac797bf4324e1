"""The training loop: one screen, resumable to the bit, and it knows nothing of what it trains.

Every random choice is a function of (seed, step), so a run that was killed and resumed from its last checkpoint makes
the same choices as one that was never disturbed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
from torch import Tensor, nn

from clv_core.config import TrainConfig
from clv_core.training.checkpoint import Checkpoint, State

WARM_UP: float = 0.3
LARGEST_GRADIENT: float = 1.0
STEPS_BETWEEN_REPORTS: int = 10
STEPS_BETWEEN_VALIDATIONS: int = 25
SIDE_BY_SIDE: int = 4
"""Networks that threads train in turn, each in an order of its own, which is kept as long as its epoch lasts."""

Report = Callable[[int, float, float | None], None]


def learning_rate(step: int, steps: int, peak: float) -> float:
    """One cycle: cosine up from peak / 25 over the first 30%, cosine down to peak / 10,000 (Smith 2018, 1803.09820)."""
    turn = max(1.0, WARM_UP * steps)
    low, share = (peak / 25, step / turn) if step < turn else (peak / 1e4, (steps - step) / max(1.0, steps - turn))
    return low + (peak - low) * (1 - math.cos(math.pi * min(1.0, share))) / 2


def make_optimizer(network: nn.Module, config: TrainConfig, rates: Mapping[str, float]) -> torch.optim.Optimizer:
    """Return the optimiser that the settings name; each of its groups knows its ``rate`` (see :func:`train`)."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        rate = next((rate for prefix, rate in rates.items() if name.startswith(prefix)), 1.0)
        groups.setdefault(rate, []).append(parameter)
    parts = [{"params": parameters, "rate": rate} for rate, parameters in groups.items()]
    if config.optimizer == "sgd":
        return torch.optim.SGD(parts, lr=config.learning_rate, momentum=0.9)
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    decay = config.weight_decay if config.optimizer == "adamw" else 0.0
    return kind(parts, lr=config.learning_rate, weight_decay=decay)


def rows_of_step(step: int, rows: int, batch_size: int, seed: int, device: torch.device) -> Tensor:
    """Return the rows of one step: each epoch is one random order of all rows, [batch_size] or fewer."""
    batches = max(1, math.ceil(rows / batch_size))
    at = step % batches * batch_size
    return _order(rows, seed * 1_000_003 + step // batches)[at : at + batch_size].to(device)


@lru_cache(maxsize=SIDE_BY_SIDE)
def _order(rows: int, seed: int) -> Tensor:
    return torch.randperm(rows, generator=torch.Generator().manual_seed(seed))


def train(
    network: nn.Module,
    loss_of: Callable[[Tensor], Tensor],
    rows: int,
    steps: int,
    seed: int,
    config: TrainConfig,
    checkpoint: Checkpoint,
    report: Report,
    validate: Callable[[], float] | None = None,
    rates: Mapping[str, float] | None = None,
    begin: Callable[[int], None] | None = None,
) -> State:
    """Train ``network`` in place.

    Args:
        network: what is trained.
        loss_of: mean loss of the given rows, a scalar that carries gradients.
        rows: number of training rows.
        steps: optimiser steps.
        seed: decides order and dropout.
        config: optimiser, learning rate, batch size.
        checkpoint: where the run is kept and resumed from.
        report: called with step, loss and validation loss.
        validate: loss on later windows; with it, the weights of the best validation are the ones that stay.
        rates: learning rate of the parameters whose names begin so, relative to that of all others.
        begin: called with the number of a step before its rows are asked for.
    """
    optimizer = make_optimizer(network, config, rates or {})
    state = checkpoint.load(network, optimizer) or State()
    device = next(network.parameters()).device
    running = 0.0
    while state.step < steps:
        network.train()
        torch.manual_seed(seed * 7_368_787 + state.step)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * learning_rate(state.step, steps, config.learning_rate)
        if begin is not None:
            begin(state.step)
        loss = loss_of(rows_of_step(state.step, rows, config.batch_size, seed, device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        state.step += 1
        running += loss.item()
        validation = None
        if validate is not None and (state.step % STEPS_BETWEEN_VALIDATIONS == 0 or state.step == steps):
            network.eval()
            validation = validate()
            state.judge(validation, network)
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
