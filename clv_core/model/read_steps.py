"""What each network of a model reads of one customer's steps, as numbers that can be moved: for gradients.

The value of a customer is level x the weighted mean over ensembles of (mean over networks of exp(log mean)) x money,
and what members without networks add to it; in blends of earlier versions the geometric mean. A :class:`StepReader`
holds one network's part of it as a function of its reading of the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor

from clv_core.features import STEP_CODES, STEP_GROUPS, TIMING, Snapshot
from clv_core.model.blend import PARTS, BlendModel
from clv_core.model.calibrated import CalibratedModel
from clv_core.model.deep import EMBEDDING_WIDTH, DeepModel, Network
from clv_core.model.inputs import STEP_CHANNELS
from clv_core.model.instant.model import InstantModel, InstantNetwork
from clv_core.model.instant.pretrained_inputs import CHANNELS, InstantInputs

OF_STEPS: Final = {
    **STEP_GROUPS,
    "rated": STEP_GROUPS["rating"],
    **dict.fromkeys(("gap", "since_first", "age"), TIMING),
}
DEEP_COLUMNS: Final = (
    *(OF_STEPS[name] for name in STEP_CHANNELS),
    *(OF_STEPS[name] for name in STEP_CODES for _ in range(EMBEDDING_WIDTH)),
)
INSTANT_COLUMNS: Final = (
    *(OF_STEPS[name] for name in ("amount", "gap", "age", "lines", "rating")),
    *((OF_STEPS["event_type"],) * (CHANNELS - 5)),
)
"""What each number of a step is about, in the order that the network reads them."""


@dataclass(frozen=True)
class StepReader:
    """One network and one customer of L steps, the latest last.

    Args:
        ensemble: number of the ensemble that the network belongs to.
        columns: what each of the w numbers is about.
        own: how the network reads her steps, [L, w].
        average: how it reads the average step of some customers, [w].
        log_mean: readings of her steps [A, L, w] -> log of the network's mean in currency, [A].
    """

    ensemble: int
    columns: tuple[str, ...]
    own: Tensor
    average: Tensor
    log_mean: Callable[[Tensor], Tensor]


def reads_steps(model: object) -> bool:
    """Return whether a model has a sequence branch."""
    if isinstance(model, DeepModel):
        return all(network.steps is not None for network in model.networks)
    return isinstance(model, (BlendModel, InstantModel))


def step_readers(model: CalibratedModel, customer: Snapshot, population: Snapshot) -> list[StepReader]:
    """Return the readers of all networks.

    Args:
        model: one that :func:`reads_steps`.
        customer: a snapshot of one customer.
        population: customers of the same log whose steps are averaged.
    """
    if isinstance(model, BlendModel):
        deep = step_readers(model.deep, customer, population)
        return [*deep, *(replace(reader, ensemble=1) for reader in step_readers(model.instant, customer, population))]
    if isinstance(model, DeepModel):
        return list(_of_deep(model, customer, population))
    assert isinstance(model, InstantModel)
    return list(_of_instant(model, customer, population))


def value_of_readings(
    model: CalibratedModel,
    readers: list[StepReader],
    readings: list[Tensor],
    level: float,
    largest: float,
    rest: float = 0.0,
) -> Tensor:
    """Return the value of a customer whose steps are read so, [A], between 0 and the largest allowed.

    Args:
        model: whose networks these are.
        readers: of all networks.
        readings: for each of them [A, L, w].
        level: her factor.
        largest: bound of any value, in currency.
        rest: what members without networks expect, weighted.
    """
    means: dict[int, list[Tensor]] = {}
    for reader, reading in zip(readers, readings, strict=True):
        means.setdefault(reader.ensemble, []).append(reader.log_mean(reading).exp())
    ensembles = [torch.stack(parts).mean(0) for parts in means.values()]
    weights = model.weights if isinstance(model, BlendModel) else None
    if weights is not None:
        mean = rest + torch.stack([weights[name] * part for name, part in zip(PARTS, ensembles, strict=True)]).sum(0)
    else:
        mean = torch.stack([part.clamp(min=1e-12).log() for part in ensembles]).mean(0).exp()
    return (level * mean).clamp(0, largest)


def _packed(reading: Tensor) -> Tensor:
    """Return [A, L, w] in the order of a packed batch of A rows of the same length, [L * A, w]."""
    return reading.transpose(0, 1).reshape(-1, reading.shape[-1])


def _of_deep(model: DeepModel, customer: Snapshot, population: Snapshot) -> Iterator[StepReader]:
    inputs, crowd = (
        model.encoder.transform(snapshot, model.config.max_steps_back) for snapshot in (customer, population)
    )
    alone, together = inputs.batch(torch.zeros(1, dtype=torch.int64)), crowd.batch(torch.arange(len(crowd)))
    money = float(np.log(model.encoder.money))

    def log_mean(network: Network, reading: Tensor) -> Tensor:
        batch = inputs.batch(torch.zeros(len(reading), dtype=torch.int64))
        return network.answer(batch, _packed(reading))["log_mean"] + money

    for network in model.networks:
        assert network.steps is not None
        with torch.no_grad():
            mine, average = network.steps.embed(alone.sequence), network.steps.embed(together.sequence).mean(0)
        yield StepReader(0, DEEP_COLUMNS, mine, average, partial(log_mean, network))


def _of_instant(model: InstantModel, customer: Snapshot, population: Snapshot) -> Iterator[StepReader]:
    contexts = {int(day): customer.contexts[int(day)].context for day in np.unique(customer.cutoff_day)}
    inputs, crowd = (
        InstantInputs.of(snapshot.windows, contexts, snapshot.anchors, snapshot.basis)
        for snapshot in (customer, population)
    )
    mine = inputs.batch(torch.zeros(1, dtype=torch.int64)).steps.channels
    average = crowd.batch(torch.arange(len(crowd))).steps.channels.mean(0)
    money = float(np.log(inputs.money(contexts)[0]))

    def log_mean(network: InstantNetwork, reading: Tensor) -> Tensor:
        batch = inputs.batch(torch.zeros(len(reading), dtype=torch.int64))
        batch = replace(batch, steps=replace(batch.steps, channels=_packed(reading)))
        result: Tensor = network(batch)["log_mean"] + money
        return result

    for network in model.networks:
        yield StepReader(0, INSTANT_COLUMNS, mine, average, partial(log_mean, network))
