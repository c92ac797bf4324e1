"""Metrics of a pre-trained network on simulated shops that it has never seen."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from clv_core.evaluation.metrics import METRICS
from clv_core.model import Predictions
from clv_core.model.instant import InstantNetwork
from clv_core.training import HELD_OUT, at_ratio, make_chunk

CHUNKS: Final = 4
"""Chunks of simulated shops that are drawn."""
MIN_BUYERS: Final = 20
"""Of fewer buyers the figures of a shop are mostly luck; a guess."""
QUANTILES: Final = (0.1, 0.5, 0.9)


@torch.no_grad()
def held_out_figures(network: InstantNetwork, seed: int) -> dict[str, float]:
    """Return mean figures over shops with :data:`MIN_BUYERS` buyers and customers whose label covers the horizon.

    ``gini`` and ``gini_anchor`` (of what the head starts from), ``log_level`` (mean absolute log of the predicted over
    the actual total), ``pit10``, ``pit90``, and how many ``shops`` they are over.

    Args:
        network: in eval mode.
        seed: of its pre-training; other shops than those are drawn.
    """
    figures: dict[str, list[float]] = {name: [] for name in ("gini", "gini_anchor", "log_level", "pit10", "pit90")}
    for number in range(1, CHUNKS + 1):
        chunk = make_chunk(seed + HELD_OUT, number)
        params = at_ratio(network, network(chunk.inputs.batch(torch.arange(len(chunk.target)))), chunk.ratio)
        head = network.head
        p, mean = head.p_purchase(params), head.mean(params)
        columns = [part.double().numpy() for part in (p, mean, *(head.quantile(params, q) for q in QUANTILES))]
        actual, base = chunk.target.double().numpy(), chunk.inputs.base[:, 0].double().exp().numpy()
        covers_horizon, shop = (chunk.ratio == 1).numpy(), chunk.inputs.log_of.numpy()
        for shop_id in np.unique(shop):
            rows = np.flatnonzero(covers_horizon & (shop == shop_id))
            if (actual[rows] > 0).sum() < MIN_BUYERS:
                continue
            ours = Predictions(*(column[rows] for column in columns))
            simple = Predictions(*(base[rows] if k else columns[0][rows] for k in range(5)))
            figures["gini"].append(METRICS["gini"].value(actual[rows], ours))
            figures["gini_anchor"].append(METRICS["gini"].value(actual[rows], simple))
            figures["log_level"].append(abs(float(np.log(ours.predicted_clv.sum() / actual[rows].sum()))))
            for name in ("pit10", "pit90"):
                figures[name].append(METRICS[name].value(actual[rows], ours))
    return {name: float(np.mean(values)) for name, values in figures.items()} | {"shops": float(len(figures["gini"]))}
