"""How good recommendations are: recall@10 and NDCG@10 on a month that was held out, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 1000
CONFIDENCE: Final = 0.95
SEED: Final = 1
OURS: Final = "blend"


@dataclass(frozen=True)
class MeanWithInterval:
    """A mean over customers with its 95% interval.

    Args:
        value: the mean.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Quality:
    """How one way to recommend did.

    Args:
        method: ``blend``, ``blend_without_price``, ``popular``, ``own``.
        recall: share of the bought products that were among the ten.
        ndcg: the same with early places counting more, 1 is the perfect order.
        ahead: how far the blend's recall is above this one's, paired by customer; None for the blend itself.
    """

    method: str
    recall: MeanWithInterval
    ndcg: MeanWithInterval
    ahead: MeanWithInterval | None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)


def recall_at(hits: NDArray[np.bool_], relevant: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each customer's products that were recommended.

    Args:
        hits: whether the product at each place was bought, [m, top].
        relevant: products that the customer bought, > 0, [m].
    """
    return np.asarray(hits.sum(axis=1) / relevant)


def ndcg_at(hits: NDArray[np.bool_], relevant: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normalized discounted cumulative gain of each customer, [m].

    Source: Järvelin and Kekäläinen (2002), binary gains, discount 1 / log2(place + 1).

    Args:
        hits: as in :func:`recall_at`.
        relevant: as there.
    """
    discount = 1 / np.log2(np.arange(hits.shape[1]) + 2)
    ideal = np.cumsum(discount)[np.minimum(relevant, hits.shape[1]).astype(np.int64) - 1]
    return np.asarray(hits @ discount / ideal)


def judge(hits: Mapping[str, NDArray[np.bool_]], relevant: NDArray[np.float64]) -> tuple[Quality, ...]:
    """Return the figures of all methods; customers are resampled, all methods of a customer together.

    Args:
        hits: of each method, ``blend`` among them.
        relevant: products that each customer bought, [m].
    """
    recall = {name: recall_at(found, relevant) for name, found in hits.items()}
    ndcg = {name: ndcg_at(found, relevant) for name, found in hits.items()}
    rng = np.random.default_rng(SEED)
    customers = len(relevant)
    weights = rng.multinomial(customers, np.full(customers, 1 / customers), size=RESAMPLES) / customers

    def figure(values: NDArray[np.float64]) -> MeanWithInterval:
        low, high = np.quantile(weights @ values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        return MeanWithInterval(float(values.mean()), float(low), float(high))

    return tuple(
        Quality(
            name,
            figure(recall[name]),
            figure(ndcg[name]),
            None if name == OURS else figure(recall[OURS] - recall[name]),
        )
        for name in hits
    )
