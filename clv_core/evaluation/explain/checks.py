"""Whether reasons are real and steady: hiding the strongest ones moves predictions, and two halves agree on their
order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.evaluation.explain.explanation import CUSTOMERS_AT_ONCE, Explanation, ExplanationTask, live, predict_mixed
from clv_core.evaluation.explain.parts import Mixer, background_rows
from clv_core.evaluation.explain.shapley import distinct
from clv_core.features import concat
from clv_core.records import JsonObject, JsonRecord

Floats = NDArray[np.float64]

HIDDEN: Final = (1, 3, 5)
"""How many parts are hidden at once."""
OTHERS: Final = 3
"""So many times as many parts must matter: drawn from fewer, the others would be the strongest too often."""
DRAWS: Final = 3
"""Random choices for each customer and number of parts."""
CUSTOMERS: Final = 100
"""Explained customers that are tried: of three answers each takes 360 predictions (18 masks times the background)."""
SURE: Final = 1.645
"""Standard errors that a difference must exceed: 95% sure, to one side."""


@dataclass(frozen=True)
class Faithfulness(JsonRecord):
    """How far predictions move when parts are hidden, in the unit of the answer.

    Args:
        customers: how many were tried.
        hidden: how many parts at once; empty where too few parts matter to hold some against others.
        strongest: mean absolute move when the strongest are hidden, for each of ``hidden``.
        chance: the same for parts drawn at random.
        low: lower end of the difference of both, 95% sure.
    """

    customers: int
    hidden: tuple[int, ...]
    strongest: tuple[float, ...]
    chance: tuple[float, ...]
    low: tuple[float, ...]

    @property
    def passed(self) -> bool | None:
        """Whether the strongest move predictions more, surely and at every number of parts; None where too few
        matter.
        """
        return all(low > 0 for low in self.low) if self.hidden else None

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary."""
        return {**super().to_json(), "passed": self.passed}


def faithfulness(
    task: ExplanationTask, answers: Mapping[str, Explanation], *, seed: int = 1
) -> dict[str, Faithfulness]:
    """Hide parts of explained customers and see how far each answer moves.

    Args:
        task: what was explained, the customers in the order of the explanations.
        answers: the explanations by answer, in the order of the model's answers.
        seed: of background and draws.
    """
    predict, snapshot, rows = task.predict, task.snapshot, task.rows
    explanations = list(answers.values())
    mattering = np.flatnonzero(live(explanations[0].values))
    hidden = tuple(size for size in HIDDEN if OTHERS * size <= len(mattering))
    random = np.random.default_rng(seed)
    tried = np.sort(random.permutation(len(rows))[:CUSTOMERS])
    compared = background_rows(task.predicted, seed)
    if not hidden:
        return {answer: Faithfulness(0, (), (), (), ()) for answer in answers}
    moves = []
    for begin in range(0, len(tried), CUSTOMERS_AT_ONCE):
        chunk = tried[begin : begin + CUSTOMERS_AT_ONCE]
        masks = _masks([np.abs(explanation.values[chunk]) for explanation in explanations], mattering, hidden, random)
        mixer = Mixer(concat([snapshot.take(rows[chunk]), snapshot.take(compared)]))
        customer_codes, background_codes = mixer.codes[: len(chunk)], mixer.codes[len(chunk) :]
        mixed = np.where(
            masks[:, :, None], background_codes, customer_codes[:, None, None]
        )  # [n, variants, background, parts]
        predictions = distinct(
            lambda origins, mixer=mixer: predict_mixed(predict, mixer, origins),  # type: ignore[misc]
            mixed.reshape(-1, mixed.shape[-1]),
        )
        after = predictions.reshape(*mixed.shape[:3], -1).mean(axis=2)
        moves.append(
            np.abs(after - np.column_stack([explanation.predicted[chunk] for explanation in explanations])[:, None])
        )
    moved = np.concatenate(moves)
    by_size = moved.reshape(len(tried), len(hidden), len(explanations) + DRAWS, len(explanations))
    return {
        answer: _judged(by_size[..., number], number, len(explanations), hidden)
        for number, answer in enumerate(answers)
    }


def _judged(moved: Floats, number: int, answers: int, hidden: tuple[int, ...]) -> Faithfulness:
    """Hold the moves by an answer's strongest parts against those by random ones, ``moved`` [n, sizes, variants]."""
    strongest, chance = moved[:, :, number], moved[:, :, answers:].mean(axis=2)
    difference, size = strongest - chance, len(moved)
    error = difference.std(axis=0, ddof=1) / np.sqrt(size) if size > 1 else np.full(len(hidden), np.inf)
    return Faithfulness(
        size,
        hidden,
        tuple(strongest.mean(axis=0).tolist()),
        tuple(chance.mean(axis=0).tolist()),
        tuple((difference.mean(axis=0) - SURE * error).tolist()),
    )


def _masks(
    strengths: list[Floats], mattering: NDArray[np.int64], hidden: tuple[int, ...], random: np.random.Generator
) -> NDArray[np.bool_]:
    """Return which parts are hidden, [n, len(hidden) * (answers + DRAWS), parts]: the strongest, then random."""
    size, width = strengths[0].shape
    masks = np.zeros((size, len(hidden), len(strengths) + DRAWS, width), bool)
    orders = [np.argsort(-strength, axis=1, kind="stable") for strength in strengths]
    for place, count in enumerate(hidden):
        for number, order in enumerate(orders):
            np.put_along_axis(masks[:, place, number], order[:, :count], True, axis=1)
        drawn = random.permuted(np.broadcast_to(mattering, (size, DRAWS, len(mattering))), axis=2)[:, :, :count]
        np.put_along_axis(masks[:, place, len(strengths) :], drawn, True, axis=2)
    return masks.reshape(size, -1, width)


TOP: Final = 5
"""Strongest reasons whose order is compared; a guess of how many a reader looks at."""
STEADY: Final = 0.8
"""Rank agreement from which on an order is called steady; a guess."""


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
        """Whether the order may be relied on, but for neighbours."""
        overall = min(self.customers, 1.0 if self.permutations is None else self.permutations)
        return overall >= STEADY and self.same >= self.top - 1


def stability(explanation: Explanation) -> Stability:
    """Return how stable the ranks of an explanation of many customers are."""
    strength = np.abs(explanation.values)
    top = int(np.clip(live(explanation.values).sum(), 1, TOP))
    order = np.argsort(explanation.predicted, kind="stable")
    halves = [strength[order[start::2]].mean(axis=0) for start in (0, 1)]
    first, second = (set(np.argsort(-half, kind="stable")[:top].tolist()) for half in halves)
    overall = one_customer = None
    if explanation.halves is not None:
        one_half, other = np.abs(explanation.halves)
        overall = float(
            agreement(one_half.mean(axis=0)[None], other.mean(axis=0)[None], strength.mean(axis=0)[None], top)
        )
        one_customer = float(agreement(one_half, other, strength, top))
    customers = float(agreement(halves[0][None], halves[1][None], strength.mean(axis=0)[None], top))
    return Stability(overall, one_customer, customers, len(first & second), top)


def agreement(first: Floats, second: Floats, reference: Floats, top: int = TOP) -> float:
    """Return the mean rank correlation of two sets of strengths over the parts that are strongest in a third.

    Args:
        first: strengths, [n, parts].
        second: the same, measured independently, [n, parts].
        reference: strengths that decide which ``top`` parts of a row count, [n, parts].
        top: how many.

    Returns:
        Spearman's correlation, averaged over rows; two rows without any order agree.
    """
    strongest = np.argsort(-reference, axis=1, kind="stable")[:, :top]
    ranks = [_ranks(np.take_along_axis(each, strongest, axis=1)) for each in (first, second)]
    a, b = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    spread = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    same = (ranks[0] == ranks[1]).all(axis=1)
    correlations = np.divide((a * b).sum(axis=1), spread, out=same.astype(np.float64), where=spread > 0)
    return float(correlations.mean())


def _ranks(values: Floats) -> Floats:
    """Return the rank of each number in its row, of equal ones their mean rank."""
    return pd.DataFrame(values).rank(axis=1).to_numpy()
