"""What each customer bought before a cutoff, joined to scores.

Adding it up takes seconds for a large log: the history of scored customers is saved with their scores.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.deployment import ArtifactKind, Scored, companion_path, write_table
from clv_core.disk import ignore_unwritable
from clv_core.features import Engine

if TYPE_CHECKING:
    import ibis

FIRST_PURCHASE = "first_purchase"
LAST_PURCHASE = "last_purchase"
HISTORIC_VALUE = "historic_value"
PURCHASE_DAYS = "purchase_days"
DAYS_SINCE_LAST = "days_since_last"
HISTORY_COLUMNS: Final = (FIRST_PURCHASE, LAST_PURCHASE, PURCHASE_DAYS, HISTORIC_VALUE)


def money_days(events: ibis.Table, before: date, since: date | None = None) -> ibis.Table:
    """Return the net value of each customer on each day with a purchase or a return.

    Args:
        events: of a dataset, times log-local.
        before: local midnight; nothing at or after it counts.
        since: nothing before it counts.

    Returns:
        customer_id, day, value; rounded to the millionth, so that amounts that cancel out sum to 0.
    """
    money = events.filter(events[EVENT_TIME] < datetime.combine(before, time()), events[EVENT_TYPE].isin(MONEY_TYPES))
    if since is not None:
        money = money.filter(money[EVENT_TIME] >= datetime.combine(since, time()))
    value = money[AMOUNT].sum().round(6)
    return money.group_by(money[CUSTOMER_ID], day=money[EVENT_TIME].date()).agg(value=value)


def net_value(dataset: Dataset, start: date, stop: date) -> pd.Series[float]:
    """Return each customer's net value of purchases and returns from ``start`` to before ``stop``, by id."""
    engine = Engine()
    try:
        days = money_days(dataset.events(engine.connection), stop, start)
        sums = days.group_by(CUSTOMER_ID).agg(value=days.value.sum().round(6))
        frame = sums.order_by(CUSTOMER_ID).to_pyarrow().to_pandas()
    finally:
        engine.close()
    value: pd.Series[float] = frame.set_index(CUSTOMER_ID)["value"]
    return value


def purchase_history(dataset: Dataset, cutoff: date) -> pd.DataFrame:
    """Return what each customer bought before the cutoff; money is summed by day first.

    A day whose purchases and returns sum to nothing or less is not a purchase day.
    ``cutoff`` is local midnight; nothing at or after it is read.

    Returns:
        customer_id, first_purchase and last_purchase (datetime64, NaT for never-buyers), purchase_days (int) and
        historic_value (net, in the log's currency), one row for each customer with a purchase or a return before the
        cutoff.
    """
    engine = Engine()
    try:
        days = money_days(dataset.events(engine.connection), cutoff)
        bought = days.value > 0
        totals = days.group_by(CUSTOMER_ID).agg(
            **{
                FIRST_PURCHASE: days.day.min(where=bought),
                LAST_PURCHASE: days.day.max(where=bought),
                PURCHASE_DAYS: bought.sum(),
                HISTORIC_VALUE: days.value.sum().round(6),
            }
        )
        frame: pd.DataFrame = totals.order_by(CUSTOMER_ID).to_pyarrow().to_pandas()
    finally:
        engine.close()
    for name in (FIRST_PURCHASE, LAST_PURCHASE):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    frame[PURCHASE_DAYS] = frame[PURCHASE_DAYS].astype("int64")
    return frame


def with_history(scored: pd.DataFrame, history: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Return the scored customers with their purchase history.

    ``history`` is of :func:`purchase_history` at the same cutoff.

    Returns:
        ``scored`` with last_purchase, purchase_days and historic_value (0 if nothing was bought), and
        days_since_last (days, NaN for never-buyers), in the order of ``scored``.
    """
    return join_history(scored, history_of(scored[CUSTOMER_ID], history), cutoff)


def join_history(scored: pd.DataFrame, history: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Return what :func:`with_history` returns, for a history with a row for each row of ``scored``."""
    last = history[LAST_PURCHASE].to_numpy()
    since = (pd.Timestamp(cutoff) - history[LAST_PURCHASE]).to_numpy() / np.timedelta64(1, "D")
    figures = {name: history[name].to_numpy() for name in (PURCHASE_DAYS, HISTORIC_VALUE)}
    return scored.assign(**{LAST_PURCHASE: last, DAYS_SINCE_LAST: since, **figures})


def history_of(customers: pd.Series, history: pd.DataFrame) -> pd.DataFrame:
    """Return the history of some customers, one row each, in their order.

    Args:
        customers: ids, [n].
        history: of :func:`purchase_history`.

    Returns:
        :data:`HISTORY_COLUMNS`, n rows; NaT, 0 days and a value of 0 if nothing was bought.
    """
    rows = pd.Index(history[CUSTOMER_ID]).get_indexer(pd.Index(customers))
    bought = rows >= 0
    columns = {}
    for name in HISTORY_COLUMNS:
        if name in history:
            values = history[name].to_numpy()
            nothing = np.datetime64("NaT", "s") if values.dtype.kind == "M" else 0
            columns[name] = np.full(len(rows), nothing, values.dtype)
            columns[name][bought] = values[rows[bought]]
    return pd.DataFrame(columns)


def load_history(scored: Scored) -> pd.DataFrame:
    """Return the history of the customers of saved scores for the trained horizon, row by row in their order.

    If it is not saved, or older than the scores, it is computed and saved.

    Returns:
        :data:`HISTORY_COLUMNS`.
    """
    scores = scored.trained.scores_path
    path = companion_path(scores, ArtifactKind.HISTORY)
    if not path.exists() or path.stat().st_mtime_ns < scores.stat().st_mtime_ns:
        customers = pd.read_parquet(scores, columns=[CUSTOMER_ID])[CUSTOMER_ID]
        history = history_of(customers, purchase_history(scored.dataset, scored.as_of))
        with ignore_unwritable():
            write_table(history.assign(**{CUSTOMER_ID: customers}), path)
        return history
    # Parquet has no resolution of seconds and returns milliseconds.
    types = dict.fromkeys((FIRST_PURCHASE, LAST_PURCHASE), "datetime64[s]")
    return pd.read_parquet(path, columns=list(HISTORY_COLUMNS)).astype(types)
