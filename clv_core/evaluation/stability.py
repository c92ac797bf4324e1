"""Stability of the top customers between seeds and between origins."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Final

import numpy as np
import pandas as pd

from clv_core.columns import CUSTOMER_ID

SHARE: Final = 0.1
"""How many are at the top, at least one customer; of equal ones the first id is taken."""
COLUMNS: Final = ("model", "between", "first", "second", "customers", "overlap")
RUN: Final = "#"
"""Parts a model's id from the number of its run, ``hybrid#2``."""


def top_overlap(one: pd.Series, other: pd.Series) -> float:
    """Return which share of the customers at the top of one list is at the top of the other too.

    Two orders that have nothing in common but chance overlap by :data:`SHARE`.

    Args:
        one: predicted value by customer_id.
        other: the same of another run; only customers in both lists count.
    """
    both = one.index.intersection(other.index).sort_values()
    if len(both) == 0:
        return float("nan")
    size = max(1, round(SHARE * len(both)))
    first, second = (
        set(np.argsort(-values.loc[both].to_numpy(np.float64), kind="stable")[:size]) for values in (one, other)
    )
    return len(first & second) / size


def stability(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return how much of the top decile stays, between the seeds of a model and between its successive origins.

    Args:
        predictions: ``score``'s columns and ``origin``; runs of a model with other seeds are ``hybrid#2`` and so on.

    Returns:
        Columns :data:`COLUMNS`: ``between`` is ``seeds`` (``first`` and ``second`` are runs, at the latest origin) or
        ``origins`` (two cutoffs, of the first run); ``customers`` counts those in both lists.
    """
    values = {
        (str(run), str(origin)): frame.set_index(CUSTOMER_ID)["predicted_clv"]
        for (run, origin), frame in predictions.groupby(["model", "origin"], sort=True)
    }
    origins = sorted({origin for _, origin in values})
    rows = []
    for model in dict.fromkeys(str(run).partition(RUN)[0] for run in predictions["model"].unique()):
        latest = [run for run, origin in values if run.partition(RUN)[0] == model and origin == origins[-1]]
        runs = sorted(latest, key=lambda run: int(run.partition(RUN)[2] or 1))
        cutoffs = [origin for origin in origins if (model, origin) in values]
        pairs = [("seeds", one, two, (one, origins[-1]), (two, origins[-1])) for one, two in combinations(runs, 2)]
        pairs += [("origins", one, two, (model, one), (model, two)) for one, two in pairwise(cutoffs)]
        for between, first, second, left, right in pairs:
            common = len(values[left].index.intersection(values[right].index))
            rows.append((model, between, first, second, common, top_overlap(values[left], values[right])))
    return pd.DataFrame(rows, columns=list(COLUMNS))
