"""Faithfulness check: hiding the strongest reasons must shift predictions more than hiding others.

A part is hidden by taking it from the background, as in the explanation itself. Each customer's own strongest parts are
held against as many drawn at random from the parts that matter to any customer: parts that nobody's prediction depends
on would make the comparison too easy.

Source of the idea: Samek et al. (2017), Evaluating the Visualization of What a Deep Neural Network Has Learned,
arXiv 1509.06321 (perturbing the most relevant first).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.evaluation.explain.background import BACKGROUND, background_rows
from clv_core.evaluation.explain.explanation import CUSTOMERS_AT_ONCE, Explanation, live, predict_mixed
from clv_core.evaluation.explain.mix import Mixer
from clv_core.evaluation.explain.shapley import distinct
from clv_core.features.snapshot import Snapshot, concat
from clv_core.records import JsonRecord

Floats = NDArray[np.float64]

HIDDEN: Final = (1, 3, 5)
"""How many parts are hidden at once."""
OTHERS: Final = 3
"""So many times as many parts must matter: drawn from fewer, the others would be the strongest too often."""
DRAWS: Final = 3
"""Random choices for each customer and number of parts."""
CUSTOMERS: Final = 100
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
        """Whether the strongest move predictions more, surely and at every number of parts; None if not to be told."""
        return all(low > 0 for low in self.low) if self.hidden else None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {**super().to_json(), "passed": self.passed}


def faithfulness(
    predict: Callable[[Snapshot], Floats],
    snapshot: Snapshot,
    predicted: Floats,
    rows: NDArray[np.int64],
    answers: Mapping[str, Explanation],
    *,
    background: int = BACKGROUND,
    seed: int = 1,
) -> dict[str, Faithfulness]:
    """Hide parts of explained customers and see how far each answer moves.

    Args:
        predict: as in :func:`~clv_core.evaluation.explain.explanation.explain`.
        snapshot: all customers.
        predicted: their answers as they were explained, [n, answers] or [n]: the background is drawn by them.
        rows: who was explained, positions in the snapshot, in the order of the explanations.
        answers: the explanations by answer, in the order of the model's answers.
        background: how many customers stand for all.
        seed: of background and draws.
    """
    found = list(answers.values())
    mattering = np.flatnonzero(live(found[0].values))
    hidden = tuple(size for size in HIDDEN if OTHERS * size <= len(mattering))
    random = np.random.default_rng(seed)
    tried = np.sort(random.permutation(len(rows))[:CUSTOMERS])
    compared = background_rows(predicted, seed, background)
    if not hidden:
        return {answer: Faithfulness(0, (), (), (), ()) for answer in answers}
    moves = []
    for begin in range(0, len(tried), CUSTOMERS_AT_ONCE):
        chunk = tried[begin : begin + CUSTOMERS_AT_ONCE]
        masks = _masks([np.abs(one.values[chunk]) for one in found], mattering, hidden, random)
        mixer = Mixer(concat([snapshot.take(rows[chunk]), snapshot.take(compared)]))
        own, others = mixer.codes[: len(chunk)], mixer.codes[len(chunk) :]
        mixed = np.where(masks[:, :, None], others, own[:, None, None])  # [n, variants, background, parts]
        said = distinct(
            lambda origins, mixer=mixer: predict_mixed(predict, mixer, origins),  # type: ignore[misc]
            mixed.reshape(-1, mixed.shape[-1]),
        )
        after = said.reshape(*mixed.shape[:3], -1).mean(axis=2)
        moves.append(np.abs(after - np.column_stack([one.predicted[chunk] for one in found])[:, None]))
    moved = np.concatenate(moves)
    by_size = moved.reshape(len(tried), len(hidden), len(found) + DRAWS, len(found))
    return {answer: _judged(by_size[..., number], number, len(found), hidden) for number, answer in enumerate(answers)}


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
    found = np.zeros((size, len(hidden), len(strengths) + DRAWS, width), bool)
    orders = [np.argsort(-strength, axis=1, kind="stable") for strength in strengths]
    for place, count in enumerate(hidden):
        for number, order in enumerate(orders):
            np.put_along_axis(found[:, place, number], order[:, :count], True, axis=1)
        drawn = random.permuted(np.broadcast_to(mattering, (size, DRAWS, len(mattering))), axis=2)[:, :, :count]
        np.put_along_axis(found[:, place, len(strengths) :], drawn, True, axis=2)
    return found.reshape(size, -1, width)
