"""One customer's days before a cutoff; no other customer's rows are read into memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.errors import NotFound
from clv_core.features import Engine

DAY: Final = "day"
NET_VALUE: Final = "net_value"
CUMULATIVE: Final = "cumulative"
PURCHASED: Final = "purchased"
EVENTS: Final = "events"


@dataclass(frozen=True)
class Timeline:
    """One customer's days, the earliest first; days are local and lie before the cutoff.

    Args:
        days: day (datetime64), net_value (purchases less returns of the day, in the log's currency), cumulative (of
            net_value), purchased (whether the day's net value is above 0); one row a day with any event.
        kinds: day, event_type, events (their number); one row a day and kind of event.
    """

    days: pd.DataFrame
    kinds: pd.DataFrame

    @property
    def purchase_days(self) -> pd.Series:
        """The days with a net purchase, datetime64."""
        days: pd.Series = self.days[DAY][self.days[PURCHASED]]
        return days

    def table(self) -> pd.DataFrame:
        """Return the days with one more column for each kind of event, ``events_<kind>``: how many there were."""
        counts = self.kinds.pivot_table(index=DAY, columns=EVENT_TYPE, values=EVENTS, aggfunc="sum", fill_value=0)
        counts.columns = [f"{EVENTS}_{kind}" for kind in counts.columns]
        return self.days.join(counts, on=DAY)


def timeline(dataset: Dataset, customer: str, cutoff: date) -> Timeline:
    """Return a customer's events before the cutoff by day.

    ``cutoff`` is local midnight; nothing at or after it is read.

    Raises:
        NotFound: the customer has no event before the cutoff.
    """
    engine = Engine()
    try:
        events = dataset.events(engine.connection)
        mine = events.filter(
            events[CUSTOMER_ID] == customer, events[EVENT_TIME] < datetime.combine(cutoff, time())
        ).select(events[EVENT_TYPE], events[AMOUNT], **{DAY: events[EVENT_TIME].date()})
        money = mine[EVENT_TYPE].isin(MONEY_TYPES)
        kinds = mine.group_by(DAY, EVENT_TYPE).agg(
            **{EVENTS: mine.count(), NET_VALUE: mine[AMOUNT].sum(where=money).fill_null(0.0)}
        )
        frame: pd.DataFrame = kinds.order_by(DAY, EVENT_TYPE).to_pyarrow().to_pandas()
    finally:
        engine.close()
    if frame.empty:
        raise NotFound("customer_unknown", customer=customer, cutoff=cutoff.isoformat())
    frame[DAY] = pd.to_datetime(frame[DAY]).astype("datetime64[s]")
    net = frame.groupby(DAY)[NET_VALUE].sum().round(6)
    days = pd.DataFrame({NET_VALUE: net, CUMULATIVE: net.cumsum().round(6), PURCHASED: net > 0}).reset_index()
    return Timeline(days, frame[[DAY, EVENT_TYPE, EVENTS]])
