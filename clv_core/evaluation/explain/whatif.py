"""Predict changed customers, and compare some customers with others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.evaluation.explain.explanation import Explanation, predict_mixed
from clv_core.evaluation.explain.parts import Mixer
from clv_core.features import Snapshot

Floats = NDArray[np.float64]
Reading = float | str

DONORS: Final = 5
"""Customers whose part replaces hers, one after the other; the mean of the answers does not hang on one of them. A
guess."""
NEAREST: Final = 3
"""Donors are chosen from so many times as many whose reading is nearest,"""
NEAR: Final = 0.05
"""and no further from the nearest one than this share of the range."""
POINTS: Final = 9
TEXTS: Final = 12
"""Readings that a person can choose from: quantiles of numbers, the most frequent texts."""
STEADY: Final = 0.9
"""Share of a curve's way that has to lead up for it to go up: the mean over donors leaves small dips. A guess."""
FLAT: Final = 0.02
"""A curve whose range is this share of its largest answer is flat; a guess."""


@dataclass(frozen=True)
class WhatIf:
    """A model's answers for customers with changed parts.

    Args:
        predict: the model: any snapshot -> its answers, each row for itself, [N, answers].
        pool: customers at one cutoff; each can be changed, and each can lend.
        readings: the representative feature of each part, [n, parts].
    """

    predict: Callable[[Snapshot], Floats]
    pool: Snapshot
    readings: pd.DataFrame

    @cached_property
    def mixer(self) -> Mixer:
        """Builds the changed customers."""
        return Mixer(self.pool)

    @cached_property
    def own(self) -> Floats:
        """The answers for everyone as they are, [n, answers]."""
        return np.asarray(self.predict(self.pool), np.float64)

    def changeable(self, row: int) -> list[str]:
        """Return the parts whose reading can be changed: the customer has one herself, and not all have the same."""
        has_reading = self.readings.iloc[row].notna()
        return [part.id for part in self.mixer.parts if has_reading[part.id] and len(self.choices(part.id)) > 1]

    def choices(self, part: str) -> list[Reading]:
        """Return readings that the part was seen with: spread over the range of numbers, or the usual texts."""
        present = self.readings[part].dropna()
        if not pd.api.types.is_numeric_dtype(present):
            return [str(text) for text in present.value_counts().index[:TEXTS]]
        places = np.unique(np.quantile(present.astype(float), np.linspace(0, 1, POINTS)))
        return [float(place) for place in places]

    def answer(self, row: int, changes: Mapping[str, Reading]) -> Floats:
        """Return the answers for a customer with other readings, [answers].

        Args:
            row: her position in the pool.
            changes: by part; a part that is not named stays her own.
        """
        answers: Floats = self._ask(row, [changes])[0]
        return answers

    def curve(self, row: int, part: str, changes: Mapping[str, Reading], column: int = 0) -> pd.DataFrame:
        """Return ``reading`` and ``answer`` over the range of one part, all else as in ``changes``."""
        choices = self.choices(part)
        answers = self._ask(row, [{**changes, part: choice} for choice in choices])
        return pd.DataFrame({"reading": choices, "answer": answers[:, column]})

    def _ask(self, row: int, scenarios: list[Mapping[str, Reading]]) -> Floats:
        unchanged = np.full(len(self.mixer.parts), row)
        origins = np.repeat(np.repeat(unchanged[None], DONORS, axis=0)[None], len(scenarios), axis=0)
        place = {part.id: number for number, part in enumerate(self.mixer.parts)}
        for number, changes in enumerate(scenarios):
            for part, reading in changes.items():
                origins[number, :, place[part]] = self._donors(row, part, reading)
        predictions = predict_mixed(self.predict, self.mixer, origins.reshape(-1, origins.shape[-1]))
        answers: Floats = predictions.reshape(len(scenarios), DONORS, -1).mean(axis=1)
        return answers

    def _donors(self, row: int, part: str, reading: Reading) -> NDArray[np.int64]:
        """Return customers whose reading is near the given one, of those the ones nearest in value to her."""
        column = self.readings[part]
        if isinstance(reading, str):
            far = (column.astype(object) != reading).to_numpy(np.float64)
        else:
            far = np.nan_to_num(np.abs(column.to_numpy(np.float64) - reading), nan=np.inf)
        apart = np.abs(self.own[:, 0] - self.own[row, 0])
        nearest = np.lexsort((apart, far))[: NEAREST * DONORS]
        nearest = nearest[far[nearest] <= far[nearest[0]] + NEAR * np.ptp(far[np.isfinite(far)])]
        return np.resize(nearest[np.argsort(apart[nearest], kind="stable")[:DONORS]], DONORS)


def direction(curve: pd.DataFrame) -> str:
    """Return ``up``, ``down``, ``flat`` or ``mixed``: how the answer goes with the reading over its range.

    It goes up where the ups make nearly all of its way; of texts it is ``mixed`` or ``flat``.
    """
    answer = curve["answer"].to_numpy(np.float64)
    if len(answer) < 2 or np.ptp(answer) <= FLAT * max(np.abs(answer).max(), 1e-12):
        return "flat"
    if not pd.api.types.is_numeric_dtype(curve["reading"]):
        return "mixed"
    steps = np.diff(answer)
    ups = steps[steps > 0].sum() / np.abs(steps).sum()
    return "up" if ups >= STEADY else "down" if ups <= 1 - STEADY else "mixed"


def against(explanation: Explanation, these: NDArray[np.bool_], those: NDArray[np.bool_]) -> pd.DataFrame:
    """Return what makes ``these`` customers differ from ``those``; the differences add up to that of the predictions.

    Args:
        explanation: of many customers.
        these: whether a customer belongs to the first group, [n]; at least one does.
        those: whether to the second, [n]; at least one does.

    Returns:
        part, representative, these, those (mean effects), difference, reading_these, reading_those (median of numbers,
        the most frequent text), the largest difference first.
    """
    means = [explanation.values[rows].mean(axis=0) for rows in (these, those)]
    frame = pd.DataFrame(
        {
            "part": explanation.parts,
            "representative": explanation.representatives,
            "these": means[0],
            "those": means[1],
            "difference": means[0] - means[1],
            "reading_these": [typical(explanation.readings[part][these]) for part in explanation.parts],
            "reading_those": [typical(explanation.readings[part][those]) for part in explanation.parts],
        }
    )
    order = frame["difference"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def typical(readings: pd.Series) -> float | str | None:
    """Return the median of numbers or the most frequent text; None where all are unknown."""
    present = readings.dropna()
    if present.empty:
        return None
    if pd.api.types.is_numeric_dtype(present):
        return float(present.median())
    return str(present.mode().iloc[0])
