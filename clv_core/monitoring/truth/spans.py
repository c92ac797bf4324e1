"""What customers brought in the first days of past horizons, as a share of what they brought in the whole of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.stored.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.features.engine import Engine

Floats = NDArray[np.float64]

FEWEST_BUYERS: Final = 100
"""Shares of fewer buyers than this in a whole horizon say nothing."""
LOWEST_SHARE: Final = 0.002
"""A part that brought less of its horizon than this counts as this much: there is no logarithm of nothing."""


@dataclass(frozen=True, eq=False)
class PastSpan:
    """One past horizon.

    Args:
        cutoff: its first day; it is about the customers seen before.
        shares: log of the share of the horizon's value that had come after each number of days, [d].
        noise: variance of that logarithm from the luck of customers, [d].
    """

    cutoff: date
    shares: Floats
    noise: Floats


def past_spans(dataset: Dataset, cutoffs: Sequence[date], horizon_days: int, days: Sequence[int]) -> list[PastSpan]:
    """Return the spans after some cutoffs, in their order; those with fewer than 100 buyers are left out.

    Args:
        dataset: the log; all spans lie within it.
        cutoffs: first days of the spans.
        horizon_days: length of each.
        days: parts of it, d numbers of days below the horizon.
    """
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        first = events.group_by(CUSTOMER_ID).agg(first=events[EVENT_TIME].min())
        seen = engine.connection.create_table("seen", first, temp=True)
        found = []
        for cutoff in cutoffs:
            begin = pd.Timestamp(cutoff)
            ends = [begin + timedelta(days=int(day)) for day in (*days, horizon_days)]
            money = events.filter(
                events[EVENT_TYPE].isin(MONEY_TYPES), events[EVENT_TIME] >= begin, events[EVENT_TIME] < ends[-1]
            )
            value = money[AMOUNT].cast("float64")
            sums = money.group_by(CUSTOMER_ID).agg(
                **{f"d{place}": value.sum(where=money[EVENT_TIME] < end) for place, end in enumerate(ends)}
            )
            known = sums.join(seen.filter(seen["first"] < begin), CUSTOMER_ID)
            parts = [known[f"d{place}"].fill_null(0.0) for place in range(len(ends))]
            whole = parts[-1]
            figures = {"buyers": (whole > 0).sum()}
            for place, part in enumerate(parts):
                figures |= {
                    f"sum{place}": part.sum(),
                    f"square{place}": (part * part).sum(),
                    f"both{place}": (part * whole).sum(),
                }
            (row,) = known.aggregate(**figures).to_pyarrow().to_pylist()
            span = _span(cutoff, row, len(days))
            if span is not None:
                found.append(span)
    finally:
        engine.close()
    return found


def _span(cutoff: date, row: dict[str, float | None], count: int) -> PastSpan | None:
    """Return the shares of one span, and by the delta method how far customers' luck moves each."""
    known = {name: float(value or 0.0) for name, value in row.items()}
    whole = known[f"sum{count}"]
    if known["buyers"] < FEWEST_BUYERS or whole <= 0:
        return None
    sums, squares, both = (
        np.array([known[f"{name}{place}"] for place in range(count)]) for name in ("sum", "square", "both")
    )
    sums = np.maximum(sums, LOWEST_SHARE * whole)
    noise = squares / sums**2 - 2 * both / (sums * whole) + known[f"square{count}"] / whole**2
    return PastSpan(cutoff, np.log(sums / whole), np.maximum(noise, 1e-9))
