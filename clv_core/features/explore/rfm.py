"""Recency and frequency: how many buyers there are of each kind, and what one of them is worth so far."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from clv_core.features.explore.relations import BUYERS
from clv_core.features.explore.selection import Selection, sql_day

FIFTHS: Final = 5


def rfm(selection: Selection) -> pd.DataFrame:
    """Return buyers by fifths of recency and frequency.

    Fifths are cut by rank. Customers of one value are never parted: all lie in the fifth of their middle rank, so that
    there may be fewer than five (where most bought once, say), numbered without a gap.

    Returns:
        One row a pair that has buyers: ``recency`` (1: bought longest ago) with ``recency_low`` and ``recency_high``
        (days from the last purchase to the period's end), ``frequency`` (1: fewest orders) with ``frequency_low`` and
        ``frequency_high`` (orders), ``buyers``, ``value`` (their net revenue), ``mean_value``.
    """
    buyers = BUYERS.format(period=selection.period)
    grouped = selection.frame(
        f"SELECT date_diff('day', last, {sql_day(selection.end)}) AS days, orders, count(*) AS buyers,"
        f" sum(value) AS value FROM ({buyers}) GROUP BY ALL ORDER BY ALL"
    ).astype({"orders": "int64"})
    recency = _fifths(grouped["days"], grouped["buyers"], falling=True)
    frequency = _fifths(grouped["orders"], grouped["buyers"])
    rows = grouped.merge(recency.add_prefix("recency_"), left_on="days", right_on="recency_of")
    rows = rows.merge(frequency.add_prefix("frequency_"), left_on="orders", right_on="frequency_of")
    names = {"recency_fifth": "recency", "frequency_fifth": "frequency"}
    keys = ["recency", "recency_low", "recency_high", "frequency", "frequency_low", "frequency_high"]
    summed = rows.rename(columns=names).groupby(keys, as_index=False)[["buyers", "value"]].sum()
    return summed.assign(mean_value=summed["value"] / summed["buyers"])


def _fifths(values: pd.Series, weights: pd.Series, falling: bool = False) -> pd.DataFrame:
    """Return each value (``of``) with its ``fifth`` and the ``low`` and ``high`` value of that fifth."""
    counts = weights.groupby(values).sum().sort_index(ascending=not falling)
    middle = (counts.cumsum() - counts / 2) / max(1, counts.sum())
    rank = np.minimum(np.floor(middle * FIFTHS), FIFTHS - 1)
    fifths = pd.DataFrame({"of": counts.index, "fifth": rank.rank(method="dense").to_numpy().astype("int64")})
    ends = fifths.groupby("fifth")["of"]
    return fifths.assign(low=ends.transform("min"), high=ends.transform("max"))
