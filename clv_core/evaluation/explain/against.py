"""Compare two groups of customers: the difference of the mean effect of each feature group."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.evaluation.explain.explanation import Explanation


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
    known = readings.dropna()
    if known.empty:
        return None
    if pd.api.types.is_numeric_dtype(known):
        return float(known.median())
    return str(known.mode().iloc[0])
