"""Customers kept apart from a fit that is only measured, and the loss of each customer in it and apart from it.

Who is kept apart is decided by the id and the seed alone, so that those in and out of the training differ in nothing
else: they have the same cutoffs, and windows that were sampled alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clv_core.config import DELETE, TrainConfig
from clv_core.features import Snapshot
from clv_core.model import BatchedInputs, BlendModel, DeepModel, ZilnMlpModel, one_thread, ziln_loss
from clv_core.model.instant import InstantInputs, InstantModel
from clv_core.training.cost import FEWEST_TRIED
from clv_core.training.fit import Model, normalise_targets

NETWORKS: Final = ("hybrid", "mlp", "rnn", "blend", "instant_tuned", "ziln_mlp")
"""Models whose networks learn from the log."""
USUAL, SMALL_LOG, MOST_TRIED = 20, 10, 2000
"""One customer in 20 is kept apart; of a small log one in 10, up to 100; at most 2,000 are, as many as members."""
ROWS_AT_ONCE: Final = 8192
"""Rows of one pass, which bounds memory."""


@dataclass(frozen=True)
class Apart:
    """Training windows in two parts: what is learned from, and those of the customers whose losses are compared.

    Args:
        rest: windows without the customers who are kept apart.
        tried: all windows of those who are, and of some members.
        is_member: of each row of ``tried``, bool [n].
    """

    rest: Snapshot
    tried: Snapshot
    is_member: NDArray[np.bool_]


def keep_apart(train: Snapshot, config: TrainConfig) -> Apart | None:
    """Return training windows with some customers kept apart; None for a model without networks or a small log."""
    if config.model not in NETWORKS:
        return None
    codes, customers = pd.factorize(train.features.index.to_numpy(dtype=object))
    count = min(MOST_TRIED, max(len(customers) // USUAL, min(100, len(customers) // SMALL_LOG)))
    if len(customers) < FEWEST_TRIED:
        return None
    hashed = pd.util.hash_array(customers, hash_key=f"{config.seed % 10**16:016d}", categorize=False)
    place = np.empty(len(customers), np.int64)
    place[np.argsort(hashed, kind="stable")] = np.arange(len(customers))
    of_row = place[codes]
    tried = train.take(np.flatnonzero(of_row < count + MOST_TRIED))
    return Apart(train.take(np.flatnonzero(of_row >= count)), tried, of_row[of_row < count + MOST_TRIED] >= count)


def losses_in_and_out(
    model: Model, apart: Apart, config: TrainConfig
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean loss of each member over her windows, and that of each customer who was kept apart.

    Args:
        model: fitted on ``apart.rest``.
        apart: whose losses are compared.
        config: what it was fitted with; windows that it leaves out for a gap are left out here.
    """
    tried, is_member = apart.tried, apart.is_member
    if config.impute == DELETE:
        rows = np.flatnonzero(~tried.gaps(config.features_to_check))
        tried, is_member = tried.take(rows), is_member[rows]
    if isinstance(model, ZilnMlpModel) and tried.exposure is not None:
        rows = np.flatnonzero(tried.exposure == 1)
        tried, is_member = tried.take(rows), is_member[rows]
    losses = pd.Series(window_losses(model, tried), tried.features.index)
    means = losses.groupby(level=0, sort=False).mean()
    inside = means.index.isin(losses.index[is_member])
    values = np.asarray(means, np.float64)
    return values[inside], values[~inside]


@torch.no_grad()
def window_losses(model: Model, windows: Snapshot) -> NDArray[np.float64]:
    """Return the negative log likelihood that networks are trained by, the mean over them, of each window.

    Args:
        model: one of :data:`NETWORKS`.
        windows: n windows with targets, as training has them.
    """
    one_thread()
    if isinstance(model, BlendModel):
        return (window_losses(model.deep, windows) + window_losses(model.instant, windows)) / 2
    if isinstance(model, ZilnMlpModel):
        assert windows.target is not None
        table = torch.from_numpy(model.encoder.transform(windows.features))
        target = torch.from_numpy((np.maximum(windows.target, 0.0) / model.money).astype(np.float32))
        return ziln_loss(target, model.network(table)).double().numpy()
    windows = normalise_targets(windows)
    assert windows.target is not None
    exposure = np.ones(len(windows)) if windows.exposure is None else windows.exposure
    inputs: BatchedInputs
    if isinstance(model, InstantModel):
        contexts = {day: context.context for day, context in windows.contexts.items()}
        inputs = InstantInputs.of(windows.windows, contexts, windows.anchors, windows.basis)
        money: Any = inputs.money(contexts)
    else:
        assert isinstance(model, DeepModel)
        inputs, money = model.inputs(windows), model.encoder.money
    target, part = (
        torch.from_numpy(values.astype(np.float32)) for values in (np.maximum(windows.target, 0.0) / money, exposure)
    )
    return _mean_losses(model.networks, inputs, target, part)


def _mean_losses(
    networks: Sequence[nn.Module], inputs: BatchedInputs, target: Tensor, exposure: Tensor
) -> NDArray[np.float64]:
    parts = []
    for rows in torch.arange(len(target)).split(ROWS_AT_ONCE):  # type: ignore[no-untyped-call]
        batch, losses = inputs.batch(rows), []
        for network in networks:
            head: Any = network.head
            losses.append(head.loss(target[rows], head.part(network(batch), exposure[rows])).double())
        parts.append(torch.stack(losses).mean(0))
    return torch.cat(parts).numpy()
