"""What each customer bought before a cutoff: joined to scores by segments and exports."""

from __future__ import annotations

from datetime import date, datetime, time

import numpy as np
import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.features.engine import Engine

LAST_PURCHASE = "last_purchase"
HISTORIC_VALUE = "historic_value"
PURCHASE_DAYS = "purchase_days"
DAYS_SINCE_LAST = "days_since_last"


def purchase_history(dataset: Dataset, cutoff: date) -> pd.DataFrame:
    """Return what each customer bought before the cutoff; money is summed by day first.

    A day whose purchases and returns sum to nothing or less is not a purchase day.

    Args:
        dataset: the log.
        cutoff: local midnight; nothing at or after it is read.

    Returns:
        customer_id, last_purchase (datetime64, NaT for never-buyers), purchase_days (int), historic_value (net, in the
        log's currency), one row for each customer with a purchase or a return before the cutoff.
    """
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        money = events.filter(
            events[EVENT_TIME] < datetime.combine(cutoff, time()), events[EVENT_TYPE].isin(MONEY_TYPES)
        )
        days = money.group_by(money[CUSTOMER_ID], day=money[EVENT_TIME].date()).agg(value=money[AMOUNT].sum())
        bought = days.value > 0
        totals = days.group_by(CUSTOMER_ID).agg(
            **{
                LAST_PURCHASE: days.day.max(where=bought),
                PURCHASE_DAYS: bought.sum(),
                HISTORIC_VALUE: days.value.sum().round(6),
            }
        )
        frame: pd.DataFrame = totals.order_by(CUSTOMER_ID).to_pyarrow().to_pandas()
    finally:
        engine.close()
    frame[LAST_PURCHASE] = pd.to_datetime(frame[LAST_PURCHASE]).astype("datetime64[s]")
    frame[PURCHASE_DAYS] = frame[PURCHASE_DAYS].astype("int64")
    return frame


def with_history(scored: pd.DataFrame, history: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Return the scored customers with their history beside the scores.

    Args:
        scored: ``score``'s columns, one row a customer.
        history: of :func:`purchase_history` at the same cutoff.
        cutoff: for ``days_since_last``.

    Returns:
        ``scored`` with last_purchase, purchase_days and historic_value (0 where nothing was bought), and
        days_since_last (days, NaN for never-buyers), in the order of ``scored``.
    """
    rows = pd.Index(history[CUSTOMER_ID]).get_indexer(pd.Index(scored[CUSTOMER_ID]))
    known = rows >= 0
    last = np.full(len(scored), np.datetime64("NaT", "s"))
    days, value = np.zeros(len(scored), np.int64), np.zeros(len(scored))
    last[known] = history[LAST_PURCHASE].to_numpy()[rows[known]]
    days[known] = history[PURCHASE_DAYS].to_numpy()[rows[known]]
    value[known] = history[HISTORIC_VALUE].to_numpy()[rows[known]]
    since = (np.datetime64(cutoff, "s") - last) / np.timedelta64(1, "D")
    return scored.assign(**{LAST_PURCHASE: last, DAYS_SINCE_LAST: since, PURCHASE_DAYS: days, HISTORIC_VALUE: value})
