"""When one customer's next order is expected: the model's chance in the horizon, distributed over its days.

The model predicts how likely an order in the horizon is. When it comes, if it comes, follows from the customer's own
pauses if they vary little (:class:`RegularOrders`), else from BG/NBD in last year's pace, by the same law that converts
predictions to other horizons (:mod:`clv_core.model.horizon`): an order is then as likely by a day as the model predicts
for the horizon that ends with it. Nothing beyond the horizon is predicted.

Her pauses are those of her days before the cutoff (:func:`timeline`); no other customer's rows are read into memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from clv_core.btyd import BGNBD
from clv_core.collection.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.deployment import ArtifactKind, Scored, companion_path
from clv_core.disk import ignore_unwritable
from clv_core.errors import Message, NotFound
from clv_core.features import Engine, LastYear, open_log
from clv_core.features.season import last_year
from clv_core.i18n import say_share
from clv_core.model import PurchaseSurvival
from clv_core.records import JsonRecord
from clv_core.workspace import read_json, write_json

EARLY, EVEN, LATE = 0.25, 0.5, 0.75
"""Probability of an order by the early, the expected and the late day: between early and late is the middle half."""
MIN_DAYS_FOR_GAP: Final = 3
"""Purchase days from which a customer has a usual pause between them."""
MIN_GAPS: Final = 4
"""Pauses from which a rhythm is estimated; :data:`MAX_VARIATION` is set for so many."""
LATEST_GAPS: Final = 12
"""Pauses that count, from the last one back: habits change."""
MAX_VARIATION: Final = 0.2
"""Largest coefficient of variation of regular pauses. Of exponential pauses, four vary so little in 1% of cases."""
MIN_DEVIATION: Final = 0.5
"""Days; that no pause differed yet does not mean that none will."""
OVERDUE: Final = 0.95
"""Chance of a shorter pause than the present one, from which the customer has left the rhythm."""
DAY: Final = "day"
NET_VALUE: Final = "net_value"
CUMULATIVE: Final = "cumulative"
PURCHASED: Final = "purchased"
EVENTS: Final = "events"


@dataclass(frozen=True)
class Rhythm:
    """When the customers of a log order, as of a cutoff.

    Args:
        counts: BG/NBD of their purchase days, the anchor of the model's snapshot.
        last_year: the season after the cutoff, from last year.
    """

    counts: BGNBD
    last_year: LastYear = LastYear()

    @classmethod
    def of(cls, scored: Scored) -> Self:
        """Estimate it from the events before the cutoff that the model reads.

        Raises:
            NotEnoughData: nobody was seen before the cutoff.
        """
        config, cutoff = scored.model.record.train_config, scored.as_of
        log = open_log(scored.dataset, before=cutoff, **config.of_log())
        try:
            _, _, anchor = log.history(cutoff, config.horizon_days)
            return cls(anchor.counts, last_year(log, cutoff, config.horizon_days))
        finally:
            log.close()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {"counts": self.counts.to_json(), "last_year": self.last_year.to_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return the rhythm of :meth:`to_json`'s dictionary."""
        return cls(BGNBD.from_json(value["counts"]), LastYear.from_json(value["last_year"]))


def load_rhythm(scored: Scored) -> Rhythm:
    """Return the rhythm of the customers of saved scores; it is computed if not saved, or older than the scores."""
    scores = scored.trained.scores_path
    path = companion_path(scores, ArtifactKind.RHYTHM, ".json")
    if not path.exists() or path.stat().st_mtime_ns < scores.stat().st_mtime_ns:
        rhythm = Rhythm.of(scored)
        with ignore_unwritable():
            write_json(path, rhythm.to_json())
        return rhythm
    return Rhythm.from_json(read_json(path))


@dataclass(frozen=True)
class NextOrder(JsonRecord):
    """When the next order is expected.

    Args:
        chance: of an order in the horizon that is not sent back, 0 to 1, as ``score`` writes it.
        horizon_days: length of the horizon.
        expected: the day by which an order is as likely as not; None if the chance never reaches one half.
        early: the day by which it is one in four; None if the chance never reaches that.
        late: the day by which it is three in four; likewise.
        usual_gap_days: median pause between this customer's purchase days; None below three of them.
        regular: whether the days follow from the customer's own pauses, which vary little.
    """

    chance: float
    horizon_days: int
    expected: date | None
    early: date | None
    late: date | None
    usual_gap_days: float | None
    regular: bool = False

    def message(self) -> Message:
        """Return when, and how certain that is, as one or two sentences; days are ISO dates."""
        if self.expected is None:
            return Message("card.next.none", {"days": self.horizon_days, "chance": say_share(self.chance)})
        params: dict[str, Any] = {"expected": self.expected.isoformat(), "early": str(self.early)}
        if self.regular:
            params["gap"] = self.usual_gap_days
        if self.late is None:
            return Message("card.next.regular" if self.regular else "card.next.expected", params)
        params["late"] = self.late.isoformat()
        return Message("card.next.regular.surer" if self.regular else "card.next.surer", params)


def next_order(history: Timeline, chance: float, horizon_days: int, cutoff: date, rhythm: Rhythm) -> NextOrder:
    """Return when a customer's next order is expected.

    Args:
        history: what the customer did before the cutoff.
        chance: of an order in the horizon that is not sent back, 0 to 1.
        horizon_days: length of the horizon.
        cutoff: first day of the horizon.
        rhythm: of all customers.
    """
    bought, begin = history.purchase_days.to_numpy("datetime64[D]"), np.datetime64(cutoff, "D")
    regular, times = RegularOrders.of(bought, begin, horizon_days), _times(bought, begin, horizon_days, rhythm.counts)

    def day_by(share: float) -> date | None:
        if chance < share:
            return None
        if regular is not None:
            return cutoff + timedelta(days=regular.day_of(share / chance, horizon_days))
        even_days = min(float(times.day_of(np.array([chance]), share)[0]), horizon_days)
        days = rhythm.last_year.days(even_days, horizon_days)
        return cutoff + timedelta(days=max(0, math.ceil(days - 1e-9) - 1))

    early, expected, late = map(day_by, (EARLY, EVEN, LATE))
    gap = float(np.median(np.diff(bought).astype(np.float64))) if len(bought) >= MIN_DAYS_FOR_GAP else None
    return NextOrder(chance, horizon_days, expected, early, late, gap, regular is not None)


def _times(bought: NDArray[np.datetime64], begin: np.datetime64, horizon_days: int, counts: BGNBD) -> PurchaseSurvival:
    """Return when the next order comes by BG/NBD; of never-buyers that is undetermined."""
    since_first = float((begin - bought[0]).astype(np.float64)) if len(bought) else math.nan
    return PurchaseSurvival.of_one(counts, len(bought) - 1, since_first, horizon_days)


@dataclass(frozen=True)
class RegularOrders:
    """The next pause of one regular customer: Student's t, given that it is at least as long as the present one.

    In BG/NBD the day after an order the next one is as near as ever. If a customer's pauses vary little, the next one
    rather has the same normal distribution as those before, whose mean and deviation are estimated from them.

    Args:
        mean: of the pauses, days.
        scale: of the distribution of the next one, days.
        freedom: its degrees of freedom.
        since: days from the last order to the cutoff.
    """

    mean: float
    scale: float
    freedom: int
    since: int

    @classmethod
    def of(cls, bought: NDArray[np.datetime64], cutoff: np.datetime64, horizon_days: int) -> Self | None:
        """Return the distribution of a customer's next pause; None if irregular, out of rhythm, or not due by then.

        Args:
            bought: days of purchase before the cutoff, ascending, [n].
            cutoff: first day of the horizon.
            horizon_days: by its end the next order must be more likely due than not.
        """
        gaps = np.diff(bought).astype(np.float64)[-LATEST_GAPS:]
        if len(gaps) < MIN_GAPS or gaps.std(ddof=1) > MAX_VARIATION * gaps.mean():
            return None
        scale = max(float(gaps.std(ddof=1)), MIN_DEVIATION) * math.sqrt(1 + 1 / len(gaps))
        since = int((cutoff - bought[-1]).astype(np.int64))
        orders = cls(float(gaps.mean()), scale, len(gaps) - 1, since)
        if orders._shorter(since) > OVERDUE or orders._within(horizon_days) < 0.5:
            return None
        return orders

    def day_of(self, share: float, horizon_days: int) -> int:
        """Return the day of the horizon, 0 is its first, by which about ``share`` of its orders have come.

        A single day has many of a regular customer's orders: the day counts by which the share is nearest.
        """
        before = self._shorter(self.since)
        level = before + (1 - before) * share * self._within(horizon_days)
        pause = self.mean + self.scale * float(stdtrit(self.freedom, level))
        return min(max(0, round(pause - 0.5) - self.since), horizon_days - 1)

    def _within(self, horizon_days: int) -> float:
        """Return the chance that the pause ends in the horizon, given that it has not ended yet."""
        before = self._shorter(self.since)
        return (self._shorter(self.since + horizon_days) - before) / (1 - before)

    def _shorter(self, days: int) -> float:
        """Return the chance of a pause of fewer days; pauses are integers."""
        return float(stdtr(self.freedom, (days - 0.5 - self.mean) / self.scale))


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
