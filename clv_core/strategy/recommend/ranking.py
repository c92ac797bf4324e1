"""Ranking: a weighted sum of the signals orders each customer's candidates; the weights are chosen on past months."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from clv_core.records import JsonObject
from clv_core.strategy.recommend.purchase_signals import (
    OWN_SIGNALS,
    SIGNALS,
    Candidates,
    PurchaseSignals,
    price_fit,
    propose,
)

TOP: Final = 10
"""Products of which recall is measured."""
WITH_BOUGHT: Final = "with_bought"
WITHOUT_BOUGHT: Final = "without_bought"
KINDS: Final = (WITH_BOUGHT, WITHOUT_BOUGHT)
"""What may be recommended: all products, or only what is new to the customer."""

GRID: Final = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Weights that are tried for each signal."""
ROUNDS: Final = 2
"""Passes over all signals."""
RANDOM_STARTS: Final = 40
"""Random weights of which the best is a start, so that a climb from the usual ones is not the only one."""
SEED: Final = 1  # any number: the same log gives the same result
PRICE_GRID: Final = (1.0, 0.75, 0.5, 0.25, 0.1)
"""Weights of the price level, the highest first."""
MAX_PRICE_COST: Final = 0.02
"""The price level counts as much as costs at most this share of the recall; at least the smallest of its grid."""
USUAL: Final = {WITH_BOUGHT: (4.0, 4.0, 4.0, 1.0, 0.5, 0.5, 1.0, 0.1, 0.5), WITHOUT_BOUGHT: (0.0,) * 3 + (1.0,) * 6}
"""Weights where the log is too short to choose any."""

WHY: Final = ("again", "seen", "together", "taste", "popular")
"""Bought before; seen; bought together with something she bought; customers of her taste buy it; many buy it."""
_WHY_OF_SIGNAL: Final = np.array(
    [WHY.index(why) for why in ("again",) * 3 + ("seen",) + ("together",) * 2 + ("taste",) + ("popular",) * 2]
)
_TOGETHER, _POPULAR = WHY.index("together"), WHY.index("popular")
_NONE: Final = -1
"""Number of no product."""


@dataclass(frozen=True)
class Blend:
    """Weights of the signals, and how much the price level counts.

    Args:
        weights: of :data:`SIGNALS`.
        price: 0 (not at all) to 1.
        chosen: whether they were chosen on the log; else they are the usual ones.
    """

    weights: tuple[float, ...]
    price: float = 0.5
    chosen: bool = False

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary."""
        weights = dict(zip(SIGNALS, self.weights, strict=True))
        return {"weights": weights, "price": self.price, "chosen": self.chosen}

    def score(self, candidates: Candidates, target: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the score of each candidate, -inf where there is none, [m, c].

        What a customer bought fits her price level, whatever its own.

        Args:
            candidates: of some customers.
            target: their target price level, [m].
        """
        score = (candidates.strength @ np.asarray(self.weights, np.float32)).astype(np.float64)
        if self.price:
            fit = np.where(candidates.bought, 1.0, price_fit(candidates.level, target[:, None]))
            score = score * (1 - self.price + self.price * fit)
        return np.where(candidates.product >= 0, score, -np.inf)


def best(score: NDArray[np.float64], product: NDArray[np.int64], top: int) -> NDArray[np.int64]:
    """Return the places of the highest scores, the highest first; among equals the lower product number.

    Returns:
        [m, top], or fewer columns where there are fewer candidates.
    """
    return np.lexsort((product, -score), axis=1)[:, :top]


def choose_blend(
    candidates: Candidates,
    hits: NDArray[np.bool_],
    relevant: NDArray[np.float64],
    target: NDArray[np.float64],
    kind: str,
) -> Blend:
    """Return the weights that reach the highest mean recall, one weight changed at a time.

    Args:
        candidates: of the customers of past months.
        hits: whether the customer bought it in that month, [m, c].
        relevant: how many products she bought in it, > 0, [m].
        target: price level of the customers, [m].
        kind: of :data:`KINDS`.
    """

    def recall(blend: Blend) -> float:
        score = blend.score(candidates, target)
        top = min(TOP, score.shape[1])
        place = np.argpartition(-score, top - 1, axis=1)[:, :top]
        return float((np.take_along_axis(hits, place, 1).sum(axis=1) / relevant).mean())

    used = [
        number
        for number, name in enumerate(SIGNALS)
        if candidates.strength[..., number].any() and (kind == WITH_BOUGHT or name not in OWN_SIGNALS)
    ]
    random = np.zeros((RANDOM_STARTS, len(SIGNALS)))
    random[:, used] = np.random.default_rng(SEED).choice(GRID[1:], size=(RANDOM_STARTS, len(used)))
    single, drawn = (
        max((Blend(tuple(row), 0.0, True) for row in rows.tolist()), key=recall)
        for rows in (np.eye(len(SIGNALS))[used], random)
    )
    starts = (Blend(USUAL[kind], 0.0, True), single, drawn)
    blend, reached = max((_climb(start, used, recall) for start in starts), key=lambda pair: pair[1])
    for price in PRICE_GRID:
        with_price = Blend(blend.weights, price, True)
        if recall(with_price) >= (1 - MAX_PRICE_COST) * reached:
            break
    return with_price


def _climb(blend: Blend, used: list[int], recall: Callable[[Blend], float]) -> tuple[Blend, float]:
    """Change one weight at a time while that raises the recall; return the weights and the recall."""
    reached = recall(blend)
    for _ in range(ROUNDS):
        for number in used:
            for weight in GRID:
                changed = Blend((*blend.weights[:number], weight, *blend.weights[number + 1 :]), 0.0, True)
                if any(changed.weights[index] for index in used) and (now := recall(changed)) > reached:
                    blend, reached = changed, now
    return blend, reached


def rank(
    signals: PurchaseSignals,
    rows: NDArray[np.int64],
    blend: Blend,
    target: NDArray[np.float64],
    top: int,
    *,
    without_bought: bool,
) -> pd.DataFrame:
    """Return the products recommended to some customers, and why.

    Args:
        signals: the past.
        rows: numbers of customers, -1 for one without any row in the log, [m].
        blend: weights.
        target: price level of the customers, [m].
        top: products a customer at most.
        without_bought: whether what a customer has bought is left out.

    Returns:
        One row a customer and product, the best first: customer (place in ``rows``), place (from 1), product (number),
        score (share of the customer's first), why (place in :data:`WHY` of its strongest signal), because (number
        of the bought product that it is bought together with, -1 where there is none), days (bought before).
    """
    candidates = propose(signals, rows, without_bought=without_bought)
    score = blend.score(candidates, target)
    order = best(score, candidates.product, top)
    value = np.take_along_axis(score, order, 1)
    customer, place = np.nonzero(value > 0)
    candidate = order[customer, place]
    product = candidates.product[customer, candidate]
    share = candidates.strength[customer, candidate] * np.asarray(blend.weights, np.float32)
    why = _WHY_OF_SIGNAL[share.argmax(axis=1)]
    because = _because(signals, rows[customer], product)
    days = sparse.csr_array(signals.days[np.maximum(rows[customer], 0)[:, None], product[:, None]]).toarray()[:, 0]
    return pd.DataFrame(
        {
            "customer": customer.astype(np.int32),
            "place": (place + 1).astype(np.int16),
            "product": product.astype(np.int32),
            "score": (value[customer, place] / np.maximum(value[customer, 0], 1e-12)).astype(np.float32),
            "why": np.where((why == _TOGETHER) & (because == _NONE), _POPULAR, why).astype(np.int8),
            "because": because.astype(np.int32),
            "days": np.where(rows[customer] >= 0, days, 0).astype(np.int32),
        }
    )


def _because(signals: PurchaseSignals, row: NDArray[np.int64], product: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the product of a customer that is most often bought together with each recommended one, [k].

    Args:
        signals: the past.
        row: number of the customer, -1 for one without any row in the log, [k].
        product: number of the product, [k].
    """
    because = np.full(len(product), _NONE, np.int64)
    present = np.flatnonzero(row >= 0)
    similar = (signals.basket + signals.together)[product[present]]
    shared = sparse.csr_array(signals.long[row[present]].multiply(similar))
    line = np.repeat(np.arange(shared.shape[0]), np.diff(shared.indptr))
    order = np.lexsort((shared.indices, -shared.data, line))
    first = order[np.diff(line[order], prepend=-1) > 0]
    because[present[line[first]]] = shared.indices[first]
    return because
