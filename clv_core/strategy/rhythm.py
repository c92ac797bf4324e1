"""How often the customers of a log come back: BG/NBD over all of them, fitted on counts that the engine adds up."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.features.btyd.bgnbd import BgNbd
from clv_core.features.engine import Engine

MOST_CUSTOMERS: Final = 100_000
"""Of more buyers, every second, third and so on by their days stands for all: four parameters need no more."""


def purchase_rhythm(dataset: Dataset, cutoff: date) -> BgNbd:
    """Return BG/NBD of the purchase days of all buyers before the cutoff, as the anchor of a snapshot has it.

    Customers with the same first day, last day and number of purchase days leave the engine as one row.

    Args:
        dataset: the log.
        cutoff: local midnight; nothing at or after it is read.
    """
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        money = events.filter(
            events[EVENT_TIME] < datetime.combine(cutoff, time()), events[EVENT_TYPE].isin(MONEY_TYPES)
        )
        days = money.group_by(money[CUSTOMER_ID], day=money[EVENT_TIME].date()).agg(value=money[AMOUNT].sum())
        bought = days.filter(days.value > 0)
        buyers = bought.group_by(CUSTOMER_ID).agg(
            first=bought.day.min(), last=bought.day.max(), purchases=bought.count()
        )
        alike = buyers.group_by("first", "last", "purchases").agg(customers=buyers.count())
        frame: pd.DataFrame = alike.order_by("first", "last", "purchases").to_pyarrow().to_pandas()
    finally:
        engine.close()
    first, last = (frame[name].to_numpy("datetime64[D]") for name in ("first", "last"))
    columns = (
        frame["purchases"].to_numpy(np.float64) - 1,
        (last - first).astype(np.float64),
        (np.datetime64(cutoff, "D") - first).astype(np.float64),
    )
    everyone = np.repeat(np.arange(len(frame)), frame["customers"].to_numpy(np.int64))
    some = everyone[:: max(1, -(-len(everyone) // MOST_CUSTOMERS))]
    return BgNbd.fit(*(column[some] for column in columns))
