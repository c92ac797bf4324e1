"""How often the customers of a log come back: BG/NBD over all of them, fitted on their history."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from clv_core.features.btyd.bgnbd import BgNbd
from clv_core.strategy.history import FIRST_PURCHASE, LAST_PURCHASE, PURCHASE_DAYS

MOST_CUSTOMERS: Final = 100_000
"""Of more buyers, every second, third and so on by their days stands for all: four parameters need no more."""


def purchase_rhythm(history: pd.DataFrame, cutoff: date) -> BgNbd:
    """Return BG/NBD of the purchase days of all buyers before the cutoff, as the anchor of a snapshot has it.

    Args:
        history: of :func:`~clv_core.strategy.history.purchase_history` at the same cutoff.
        cutoff: local midnight.
    """
    bought = history[PURCHASE_DAYS].to_numpy() > 0
    first, last = (history[name].to_numpy("datetime64[D]")[bought] for name in (FIRST_PURCHASE, LAST_PURCHASE))
    days = history[PURCHASE_DAYS].to_numpy(np.float64)[bought]
    step = max(1, -(-len(days) // MOST_CUSTOMERS))
    some = np.lexsort((days, last, first))[::step]
    first, last, days = first[some], last[some], days[some]
    return BgNbd.fit(
        days - 1, (last - first).astype(np.float64), (np.datetime64(cutoff, "D") - first).astype(np.float64)
    )
