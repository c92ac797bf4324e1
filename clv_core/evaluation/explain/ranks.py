"""Rank agreement of the reasons between halves of the customers and of the permutations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.evaluation.explain.explanation import Explanation, live
from clv_core.records import JsonRecord

Floats = NDArray[np.float64]

TOP: Final = 5
STEADY: Final = 0.8
"""Rank agreement from which on an order is called steady."""


@dataclass(frozen=True)
class Stability(JsonRecord):
    """Agreement of two independent halves; 1 is the same order, 0 is no relation.

    Args:
        permutations: rank agreement of the five strongest reasons over all customers, between halves of the
            permutations; None where there was but one.
        one_customer: the same for a single customer, on average.
        customers: rank agreement of the five strongest between halves of the customers.
        same: how many of the ``top`` strongest both halves of the customers name.
        top: five, or as many as move predictions at all.
    """

    permutations: float | None
    one_customer: float | None
    customers: float
    same: int
    top: int = TOP

    @property
    def steady(self) -> bool:
        """Whether the order may be relied on, neighbours aside."""
        overall = min(self.customers, 1.0 if self.permutations is None else self.permutations)
        return overall >= STEADY and self.same >= self.top - 1


def stability(explanation: Explanation) -> Stability:
    """Return how stable the ranks of an explanation of many customers are."""
    strength = np.abs(explanation.values)
    top = int(np.clip(live(explanation.values).sum(), 1, TOP))
    order = np.argsort(explanation.predicted, kind="stable")
    halves = [strength[order[start::2]].mean(axis=0) for start in (0, 1)]
    first, second = (set(np.argsort(-half, kind="stable")[:top].tolist()) for half in halves)
    overall = one = None
    if explanation.halves is not None:
        one_half, other = np.abs(explanation.halves)
        overall = float(
            agreement(one_half.mean(axis=0)[None], other.mean(axis=0)[None], strength.mean(axis=0)[None], top)
        )
        one = float(agreement(one_half, other, strength, top))
    customers = float(agreement(halves[0][None], halves[1][None], strength.mean(axis=0)[None], top))
    return Stability(overall, one, customers, len(first & second), top)


def agreement(one: Floats, other: Floats, reference: Floats, top: int = TOP) -> float:
    """Return the mean rank correlation of two sets of strengths over the parts that are strongest in a third.

    Args:
        one: strengths, [n, parts].
        other: the same, found independently, [n, parts].
        reference: strengths that say which ``top`` parts of a row are looked at, [n, parts].
        top: how many.

    Returns:
        Spearman's correlation, averaged over rows; two rows without any order agree.
    """
    chosen = np.argsort(-reference, axis=1, kind="stable")[:, :top]
    ranks = [_ranks(np.take_along_axis(each, chosen, axis=1)) for each in (one, other)]
    a, b = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    spread = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    same = (ranks[0] == ranks[1]).all(axis=1)
    found = np.divide((a * b).sum(axis=1), spread, out=same.astype(np.float64), where=spread > 0)
    return float(found.mean())


def _ranks(values: Floats) -> Floats:
    """Return the rank of each number in its row, of equal ones their mean rank."""
    found: Floats = pd.DataFrame(values).rank(axis=1).to_numpy()
    return found
