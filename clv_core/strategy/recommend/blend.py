"""The blend: how much each part of the past counts, chosen on an earlier month than the one that is reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.strategy.recommend.candidates import Candidates
from clv_core.strategy.recommend.grades import fit
from clv_core.strategy.recommend.history import OWN, PARTS

TOP: Final = 10
WITH_BOUGHT: Final = "with_bought"
WITHOUT_BOUGHT: Final = "without_bought"
KINDS: Final = (WITH_BOUGHT, WITHOUT_BOUGHT)
"""What may be recommended: all products, or only what is new to the customer."""
GRID: Final = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
ROUNDS: Final = 2
DRAWS: Final = 40
SEED: Final = 1
PRICE_GRID: Final = (1.0, 0.75, 0.5, 0.25, 0.1)
PRICE_COST: Final = 0.02
"""The price level counts as much as costs at most this share of the recall; at least the smallest of its grid."""
START: Final = {WITH_BOUGHT: (4.0, 4.0, 4.0, 1.0, 0.5, 0.5, 1.0, 0.1, 0.5), WITHOUT_BOUGHT: (0.0,) * 3 + (1.0,) * 6}


@dataclass(frozen=True)
class Blend:
    """Weights of the parts, and how much the price level counts.

    Args:
        weights: of ``PARTS``.
        price: 0 (not at all) to 1.
        chosen: whether they were chosen on the log; else they are the usual ones.
    """

    weights: tuple[float, ...]
    price: float = 0.5
    chosen: bool = False

    @classmethod
    def usual(cls, kind: str) -> Self:
        """Return the weights where the log is too short to choose any; ``kind`` is of ``KINDS``."""
        return cls(START[kind])

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        weights = dict(zip(PARTS, self.weights, strict=True))
        return {"weights": weights, "price": self.price, "chosen": self.chosen}

    def shares(self, found: Candidates) -> NDArray[np.float32]:
        """Return what each part adds to each candidate, [m, c, parts]."""
        return np.asarray(found.strength * np.asarray(self.weights, np.float32))

    def score(self, found: Candidates, aimed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the score of each candidate, -inf where there is none, [m, c].

        What a customer bought already fits her price level, whatever its grade.

        Args:
            found: the candidates.
            aimed: price level that is aimed at for each customer, [m].
        """
        blended = (found.strength @ np.asarray(self.weights, np.float32)).astype(np.float64)
        if self.price:
            fits = np.where(found.bought, 1.0, fit(found.grade, aimed[:, None]))
            blended = blended * (1 - self.price + self.price * fits)
        return np.where(found.product >= 0, blended, -np.inf)


def best(score: NDArray[np.float64], product: NDArray[np.int64], top: int) -> NDArray[np.int64]:
    """Return the places of the highest scores, the highest first; among equals the lower product number, [m, top]."""
    order = np.lexsort((product, -score), axis=1)[:, :top]
    short = top - order.shape[1]
    return np.pad(order, [(0, 0), (0, short)], mode="edge") if short > 0 else order


def choose(
    found: Candidates,
    hits: NDArray[np.bool_],
    relevant: NDArray[np.float64],
    aimed: NDArray[np.float64],
    kind: str,
) -> Blend:
    """Return the weights that reach the highest mean recall, one weight changed at a time.

    Args:
        found: candidates of the customers of an earlier month.
        hits: whether the customer bought it in that month, [m, c].
        relevant: how many products she bought in it, > 0, [m].
        aimed: of the customers, [m].
        kind: of ``KINDS``.
    """

    def recall(blend: Blend) -> float:
        score = blend.score(found, aimed)
        most = min(TOP, score.shape[1])
        place = np.argpartition(-score, most - 1, axis=1)[:, :most]
        return float((np.take_along_axis(hits, place, 1).sum(axis=1) / relevant).mean())

    parts = [
        part
        for part, name in enumerate(PARTS)
        if found.strength[..., part].any() and (kind == WITH_BOUGHT or name not in OWN)
    ]
    alone = [Blend(tuple(float(part == other) for other in range(len(PARTS))), 0.0, True) for part in parts]
    rng = np.random.default_rng(SEED)
    drawn = np.zeros((DRAWS, len(PARTS)))
    drawn[:, parts] = rng.choice(GRID[1:], size=(DRAWS, len(parts)))
    by_chance = [Blend(tuple(row), 0.0, True) for row in drawn.tolist()]
    starts = [Blend(START[kind], 0.0, True), max(alone, key=recall), max(by_chance, key=recall)]
    blend, reached = max((_climb(start, parts, recall) for start in starts), key=lambda pair: pair[1])
    for price in PRICE_GRID:
        with_price = Blend(blend.weights, price, True)
        if recall(with_price) >= (1 - PRICE_COST) * reached:
            break
    return with_price


def _climb(blend: Blend, parts: list[int], recall: Callable[[Blend], float]) -> tuple[Blend, float]:
    """Change one weight at a time while that raises the recall; return the weights and the recall."""
    reached = recall(blend)
    for _ in range(ROUNDS):
        for part in parts:
            for weight in GRID:
                tried = Blend((*blend.weights[:part], weight, *blend.weights[part + 1 :]), 0.0, True)
                if any(tried.weights[one] for one in parts) and (now := recall(tried)) > reached:
                    blend, reached = tried, now
    return blend, reached
