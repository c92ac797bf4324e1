"""Divide the answers of a model over many customers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.columns import CUSTOMER_ID
from clv_core.errors import ClvError, NotFound
from clv_core.evaluation.explain.parts import Mixer, background_rows, parts_of, readings, representatives
from clv_core.evaluation.explain.shapley import shapley
from clv_core.features import Snapshot, concat, each
from clv_core.jobs import Progress

Floats = NDArray[np.float64]

VALUE: Final = "predicted_clv"
CHANCE: Final = "p_purchase"
IF_BOUGHT: Final = "value_if_bought"
ANSWERS: Final = (VALUE, CHANCE, IF_BOUGHT)
"""Columns of an array of answers; their texts are ``answer.<name>``."""


def answers_of(p_purchase: Floats, predicted_clv: Floats, most: float = np.inf) -> Floats:
    """Return the answers, [n, len(ANSWERS)]: predicted_clv is p_purchase times value_if_bought.

    Args:
        p_purchase: chance of any purchase in the horizon, [n].
        predicted_clv: expected value in the horizon, [n].
        most: bound of value_if_bought, in currency. Of a mixture of two customers a model may say that it hardly buys
            and is worth a lot all the same; their ratio then has no meaning beyond the largest of a real customer.
    """
    ratio = np.divide(predicted_clv, p_purchase, out=np.zeros(len(p_purchase)), where=p_purchase > 0)
    return np.column_stack([predicted_clv, p_purchase, np.minimum(ratio, most)])


CUSTOMERS_AT_ONCE: Final = 50
ROWS_AT_ONCE: Final = 32_768
"""Mixed customers that are predicted at once, which bounds memory."""
APART: Final = 104_729
"""Between the seeds of both halves of the permutations."""

NEGLIGIBLE: Final = 1e-9
"""A part that moves no customer by more than this share of the largest effect moves nobody: it is rounding."""
TOLERANCE: Final = 1e-4
"""Largest relative difference between base + sum and the prediction that is still the same number: networks predict in
float32, summed over thousands of mixtures."""


@dataclass(frozen=True)
class Explanation:
    """Shapley values of n customers over m parts, in the unit of the answer: the log's currency, or a chance.

    Args:
        customer_ids: who is explained, [n].
        parts: ids of the parts, [m]; texts are ``feature_group.<id>``.
        base: mean answer for the background, where every explanation starts.
        values: what each part adds, [n, m]; ``base + values.sum(axis=1)`` is ``predicted``.
        predicted: the answer as ``score`` writes it, [n].
        representatives: for each part the feature that represents it in charts, [m].
        readings: that feature's value for each customer, in its own unit, [n, m].
        answer: what is explained, a name of :mod:`clv_core.evaluation.explain.explanation`.
        halves: ``values`` by two independent halves of the permutations, [2, n, m]; None where there is but one.
    """

    customer_ids: tuple[str, ...]
    parts: tuple[str, ...]
    base: float
    values: Floats
    predicted: Floats
    representatives: tuple[str, ...]
    readings: pd.DataFrame
    answer: str = VALUE
    halves: Floats | None = None

    @property
    def residual(self) -> float:
        """Largest relative difference between base + sum and the prediction."""
        size = np.maximum(np.abs(self.predicted), 1e-3 * abs(self.base) + 1e-12)
        return float((np.abs(self.base + self.values.sum(axis=1) - self.predicted) / size).max())

    def importance(self) -> pd.DataFrame:
        """Return part, representative, mean_abs (currency), share (of the sum) and mean; the strongest first."""
        mean_abs = np.abs(self.values).mean(axis=0)
        frame = pd.DataFrame(
            {
                "part": self.parts,
                "representative": self.representatives,
                "mean_abs": mean_abs,
                "share": mean_abs / max(mean_abs.sum(), 1e-300),
                "mean": self.values.mean(axis=0),
            }
        )
        return frame.sort_values("mean_abs", ascending=False, kind="stable").reset_index(drop=True)

    def beeswarm(self) -> pd.DataFrame:
        """Return one row for each customer and part: customer_id, part, value (currency), reading, level.

        ``level`` is the reading's rank among the customers from 0 to 1, for the colour; NaN where unknown or text.
        """
        levels = {
            part: column.rank(pct=True) if pd.api.types.is_numeric_dtype(column) else np.nan
            for part, column in self.readings.items()
        }
        size, width = self.values.shape
        return pd.DataFrame(
            {
                CUSTOMER_ID: np.repeat(np.array(self.customer_ids, object), width),
                "part": np.tile(np.array(self.parts, object), size),
                "value": self.values.ravel(),
                "reading": self.readings[list(self.parts)].astype(object).to_numpy().ravel(),
                "level": pd.DataFrame(levels, index=self.readings.index)[list(self.parts)].to_numpy(np.float64).ravel(),
            }
        )

    def waterfall(self, customer_id: str) -> pd.DataFrame:
        """Return one customer's way from the base to the prediction, the strongest parts first.

        Returns:
            part, representative, reading, value, start, end (currency); the first start is the base, the last end the
            prediction.

        Raises:
            NotFound: the customer is not among those explained.
        """
        row = self._row(customer_id)
        order = np.argsort(-np.abs(self.values[row]), kind="stable")
        value = self.values[row][order]
        end = self.base + np.cumsum(value)
        return pd.DataFrame(
            {
                "part": np.array(self.parts, object)[order],
                "representative": np.array(self.representatives, object)[order],
                "reading": self.readings[list(self.parts)].iloc[row].astype(object).to_numpy()[order],
                "value": value,
                "start": end - value,
                "end": end,
            }
        )

    def predicted_of(self, customer_id: str) -> float:
        """Return one customer's answer as ``score`` writes it.

        Raises:
            NotFound: the customer is not among those explained.
        """
        return float(self.predicted[self._row(customer_id)])

    def representative_of(self, part: str) -> str:
        """Return the feature that represents a part in charts."""
        return self.representatives[self.parts.index(part)]

    def _row(self, customer_id: str) -> int:
        if customer_id not in self.customer_ids:
            raise NotFound("customer_not_explained", customer=customer_id)
        return self.customer_ids.index(customer_id)


def live(effects: Floats) -> NDArray[np.bool_]:
    """Return which parts move any customer's answer, but for what rounding leaves, [m].

    Args:
        effects: of customers, [n, m].
    """
    strength = np.abs(effects).max(axis=0)
    return np.asarray(strength > NEGLIGIBLE * strength.max(initial=0.0), np.bool_)


@dataclass(frozen=True, eq=False)
class ExplanationTask:
    """What is explained: a model's answers for some customers of a snapshot.

    Args:
        predict: the model: a snapshot of any customers -> its answers, each row for itself, [N, answers] or [N].
        snapshot: all customers at one cutoff; the background is drawn from them.
        predicted: the answers for all customers, [n, answers] or [n].
        rows: whom to explain, positions in the snapshot.
    """

    predict: Callable[[Snapshot], Floats]
    snapshot: Snapshot
    predicted: Floats
    rows: NDArray[np.int64]


def explain(
    task: ExplanationTask,
    *,
    answers: Sequence[str] = (VALUE,),
    progress: Progress,
    permutations: int = 2,
    seed: int = 1,
) -> dict[str, Explanation]:
    """Explain a model's answers for some customers of a snapshot, each answer for itself.

    Args:
        task: the model and the customers.
        answers: names of the answers.
        progress: listener of stage ``explaining``.
        permutations: orders of the parts that are tried, each forward and backward.
        seed: of the background (:func:`~clv_core.evaluation.explain.parts.background_rows`) and of the permutations.

    Returns:
        One explanation for each answer.

    Raises:
        ClvError: base + sum is not the prediction: ``predict`` does not return ``predicted``.
    """
    snapshot, rows = task.snapshot, task.rows
    predicted = task.predicted.reshape(len(task.predicted), -1)
    halves, base = _divided(task, background_rows(predicted, seed), progress, _half(permutations), seed)
    feature_of = representatives(snapshot, predicted[:, 0])
    read = readings(snapshot.take(rows), feature_of)
    parts = [part.id for part in parts_of(snapshot)]
    weights = np.array(_half(permutations)) / permutations
    explanations = {}
    for number, answer in enumerate(answers):
        answer_values = halves[..., number]
        explanations[answer] = Explanation(
            customer_ids=tuple(str(snapshot.features.index[row]) for row in rows),
            parts=tuple(parts),
            base=float(base[number]),
            values=np.tensordot(weights, answer_values, axes=1),
            predicted=np.asarray(predicted[rows, number], np.float64),
            representatives=tuple(feature_of[part] for part in parts),
            readings=read,
            answer=answer,
            halves=answer_values if len(answer_values) == 2 else None,
        )
        if explanations[answer].residual > TOLERANCE:
            raise ClvError("explanation_off", residual=explanations[answer].residual)
    return explanations


def _half(permutations: int) -> list[int]:
    """Return the sizes of two halves of the permutations; of one alone there is but one part."""
    return [permutations] if permutations < 2 else [permutations - permutations // 2, permutations // 2]


def _divided(
    task: ExplanationTask, compared: NDArray[np.int64], progress: Progress, sizes: list[int], seed: int
) -> tuple[Floats, Floats]:
    """Return Shapley values by independent halves of the permutations, [halves, n, parts, answers], and the base."""
    predict, snapshot, rows = task.predict, task.snapshot, task.rows
    chunks = []
    base = np.empty(0)
    for begin in range(0, len(rows), CUSTOMERS_AT_ONCE):
        progress.report("explaining", begin, len(rows))
        chunk = rows[begin : begin + CUSTOMERS_AT_ONCE]
        mixer = Mixer(concat([snapshot.take(chunk), snapshot.take(compared)]))
        halves = []
        for number, size in enumerate(sizes):
            values, base = shapley(
                lambda origins, mixer=mixer: predict_mixed(predict, mixer, origins),  # type: ignore[misc]
                mixer.codes[: len(chunk)],
                mixer.codes[len(chunk) :],
                [str(snapshot.features.index[row]) for row in chunk],
                permutations=size,
                seed=seed + APART * number,
            )
            halves.append(values)
        chunks.append(np.stack(halves))
    progress.report("explaining", len(rows), len(rows))
    return np.concatenate(chunks, axis=1), base


def predict_mixed(predict: Callable[[Snapshot], Floats], mixer: Mixer, origins: NDArray[np.int64]) -> Floats:
    """Return a model's answers for mixed customers, [N, answers]."""
    order = mixer.side_by_side(origins)
    parts = np.array_split(origins[order], max(1, -(-len(origins) // ROWS_AT_ONCE)))
    ordered = np.concatenate(each(lambda part: predict(mixer.snapshot(part)), parts)).reshape(len(origins), -1)
    answers = np.empty_like(ordered)
    answers[order] = ordered
    return answers
