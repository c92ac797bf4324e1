"""Concentration: how much of the net revenue how few buyers hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from clv_core.features.explore.relations import BUYERS
from clv_core.features.explore.selection import Selection

POINTS: Final = 101


@dataclass(frozen=True, eq=False)
class Concentration:
    """Who holds how much; a buyer whose returns exceed the purchases counts as 0.

    Args:
        curve: ``share_of_buyers`` (highest value first) and ``share_of_value``, 0 to 1.
        gini: 0 all alike, towards 1 one holds all; None without net revenue.
        top10: share held by the tenth of buyers with the highest value, rounded up; None without net revenue: what
            some were worth and others sent back is no share of it.
        buyers: how many there are.
    """

    curve: pd.DataFrame
    gini: float | None
    top10: float | None
    buyers: int


def concentration(selection: Selection) -> Concentration:
    """Return how the net revenue of the period is spread over its buyers.

    Source: Gini as (2 sum_i i x_i) / (n sum x) - (n + 1) / n over values in rising order.
    """
    buyers = BUYERS.format(period=selection.period)
    values = selection.frame(f"SELECT value FROM ({buyers}) ORDER BY value DESC")["value"].to_numpy(float)
    held = np.maximum(values, 0.0)
    count, total = len(held), float(held.sum())
    if values.sum() <= 0:
        return Concentration(pd.DataFrame({"share_of_buyers": [], "share_of_value": []}), None, None, count)
    reached = np.concatenate([[0.0], np.cumsum(held)]) / total
    places = np.unique(np.round(np.linspace(0, count, POINTS)).astype(int))
    curve = pd.DataFrame({"share_of_buyers": places / count, "share_of_value": np.minimum(reached[places], 1.0)})
    rising = np.arange(count, 0, -1)
    gini = float(2 * (rising * held).sum() / (count * total) - (count + 1) / count)
    top = -(-count // 10)
    return Concentration(curve, gini, float(reached[top]), count)
