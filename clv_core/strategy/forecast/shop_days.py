"""What a shop took by day, parted by when its customers were first seen: all that a forecast of the whole shop reads.

A customer is known on a day if any event of hers lies before it. So the revenue after any past day can be parted as a
forecast parts it: what customers known by then brought, and what those brought who were still to be won.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.features import Engine

WEEK: Final = 7
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ShopDays:
    """Net revenue by day and by the day on which its customers were first seen; money in the log's currency.

    Args:
        start: the log's first day; days are counted from it.
        end: the midnight at which the log ends.
        won: customers first seen on each day, [n].
        first: on which day the customers of an entry were first seen, [m].
        day: the day of an entry, [m].
        value: purchases less returns of these customers on that day, [m].
    """

    start: date
    end: date
    won: Ints
    first: Ints
    day: Ints
    value: Floats

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Read a dataset; one pass over its events."""
        engine = Engine()
        try:
            events = dataset.events(engine.connection)
            seen = events.group_by(CUSTOMER_ID).agg(first=events[EVENT_TIME].min().date())
            won = seen.group_by("first").agg(customers=seen.count()).to_pyarrow().to_pandas()
            money = events.filter(events[EVENT_TYPE].isin(MONEY_TYPES))
            days = money.group_by(CUSTOMER_ID, day=money[EVENT_TIME].date()).agg(
                value=money[AMOUNT].cast("float64").sum()
            )
            both = days.join(seen, CUSTOMER_ID)
            sums = both.group_by("first", "day").agg(value=both["value"].sum()).order_by("first", "day")
            entries = sums.to_pyarrow().to_pandas()
        finally:
            engine.close()
        start, end = dataset.log_start, dataset.log_end
        first, day, arrival = (_days(column, start) for column in (entries["first"], entries["day"], won["first"]))
        counted = np.bincount(arrival, won["customers"], minlength=(end - start).days).astype(np.int64)
        return cls(start, end, counted, first, day, entries["value"].fillna(0.0).to_numpy(np.float64))

    @property
    def days(self) -> int:
        """Length of the log."""
        return len(self.won)

    def before(self, cutoff: date) -> Self:
        """Return the same as of an earlier midnight: nothing at or after it is left."""
        last = (cutoff - self.start).days
        left = self.day < last
        return type(self)(self.start, cutoff, self.won[:last], self.first[left], self.day[left], self.value[left])

    def total(self) -> Floats:
        """Return the revenue of each day, [n]."""
        total: Floats = np.bincount(self.day, self.value, minlength=self.days)[: self.days].astype(np.float64)
        return total

    def known(self, cutoff: int, days: int) -> Floats:
        """Return what customers known by day ``cutoff`` brought on each of the ``days`` after it, [days]."""
        return self._after(cutoff, days, self.first < cutoff)

    def newcomers(self, cutoff: int, days: int) -> Floats:
        """Return what customers first seen at or after day ``cutoff`` brought on each of the ``days`` after it."""
        return self._after(cutoff, days, self.first >= cutoff)

    def day_of(self, cutoff: date) -> int:
        """Return a midnight as days since the start."""
        return (cutoff - self.start).days

    def date_of(self, day: int) -> date:
        """Return a day by its date."""
        return self.start + timedelta(days=day)

    def _after(self, cutoff: int, days: int, who: NDArray[np.bool_]) -> Floats:
        inside = who & (self.day >= cutoff) & (self.day < cutoff + days)
        daily: Floats = np.bincount(self.day[inside] - cutoff, self.value[inside], minlength=days).astype(np.float64)
        return daily


def past_weeks(dataset: Dataset, weeks: int) -> pd.DataFrame:
    """Return what came in the last whole weeks of a log, at most so many: first, until (the day after), ``came``."""
    log = ShopDays.of(dataset)
    many = min(weeks, log.days // WEEK)
    came = log.total()[log.days - WEEK * many :].reshape(many, WEEK).sum(axis=1)
    starts = [log.end - timedelta(days=WEEK * back) for back in range(many, 0, -1)]
    ends = [start + timedelta(days=WEEK) for start in starts]
    return pd.DataFrame({"first": map(str, starts), "until": map(str, ends), "came": came})


def _days(column: pd.Series, start: date) -> Ints:
    return (column.to_numpy().astype("datetime64[D]") - np.datetime64(start, "D")).astype(np.int64)
