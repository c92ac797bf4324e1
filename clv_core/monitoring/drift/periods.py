"""Weeks or months around a cutoff, what happened in each of them, and the record of one check of one of them.

Files, tables and the command line call a period a ``chunk``. A :class:`Profile` has the counts of events, values, gaps
and orders of each, and a sample of the amounts. Counts are rows ``{chunk, subject, value, rows, customers}``:

    event_type, category, channel, country   one row a value; value "" is all that have one
    missing:purchase, missing:other          one row a column, ``rows`` without it; value "" is all rows of that scope
    orders                                   ``rows`` purchase days of customers, ``customers`` who purchased

No row identifies a customer.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from clv_core.collection.store import Dataset
from clv_core.columns import (
    AMOUNT,
    BY_NAME,
    CATEGORY,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    PRODUCT_ID,
    SESSION_ID,
    UNIT_PRICE,
)
from clv_core.features import Engine
from clv_core.records import JsonObject, StoredRecord

if TYPE_CHECKING:
    import ibis

WEEK, MONTH, AUTO = "week", "month", "auto"
KINDS: Final = (WEEK, MONTH)
MIN_PERIODS: Final = {WEEK: 4, MONTH: 6}
"""Periods before the cutoff that it takes to estimate how far one differs from another."""
MAX_PERIODS: Final = {WEEK: 104, MONTH: 36}
"""A reference goes back at most this many periods."""
LENGTH_DAYS: Final = {WEEK: 7.0, MONTH: 30.4}
"""A month is a twelfth of 365 days."""
LABELS: Final = (EVENT_TYPE, CATEGORY, CHANNEL, COUNTRY)
PRICES: Final = (AMOUNT, UNIT_PRICE)
MAX_VALUES: Final = 2000
"""The values of a column that has more are not counted one by one."""
SAMPLE: Final = 2000
"""About so many amounts of each period are sampled for the comparison of distributions."""
COUNTS: Final = ["chunk", "subject", "value", "rows", "customers"]
NEVER_MISSING: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE)
OF_OTHERS: Final = (PRODUCT_ID, CATEGORY, CHANNEL, COUNTRY, SESSION_ID)
"""Columns whose gaps count also in events that are not about money; most others belong to one type of event."""
SCOPES: Final = {"purchase": "event_type = 'purchase'", "other": "event_type NOT IN ('purchase', 'return')"}


@dataclass(frozen=True)
class Period:
    """One week or month.

    Args:
        number: 0 is the first at or after the cutoff, -1 the last before it.
        begin: its first day.
        end: the first midnight after it.
    """

    number: int
    begin: date
    end: date

    @property
    def days(self) -> int:
        """Its length."""
        return (self.end - self.begin).days


@dataclass(frozen=True)
class Check:
    """One figure of one period against the reference.

    Args:
        chunk: number of the period.
        test: ``volume``, ``share``, ``level``, ``psi``, ``ks``, ``new``, ``lost`` (:mod:`.data_checks`), or ``sight``
            and, for the mean of predictions, ``level`` (:mod:`.feature_histograms`).
        subject: what is checked: a column, ``missing:purchase``, ``returns``, ``orders``, a feature.
        value: a value of the column, or the column of ``missing``; empty where the check is of the subject itself.
        found: the figure.
        usual: the figure before; for distances the distance that chance makes.
        low: lower limit; None where only one side counts.
        high: upper limit; None likewise.
        chance: p-value of the figure where nothing changed; None where it cannot be computed.
        alert: whether the figure is beyond its limits, and by enough to matter.
        params: more that the message needs.
        begin: ISO date of the period's first day.
        end: ISO date of the first midnight after it.
    """

    chunk: int
    test: str
    subject: str
    value: str
    found: float
    usual: float
    low: float | None
    high: float | None
    chance: float | None
    alert: bool
    params: JsonObject = field(default_factory=dict)
    begin: str = ""
    end: str = ""

    @property
    def rose(self) -> bool:
        """Whether the figure is above what is usual."""
        return self.found > self.usual


@dataclass(frozen=True)
class PastSeries(StoredRecord):
    """A figure of each period of the reference.

    Args:
        test: as of :class:`Check`.
        subject: the same.
        value: the same.
        begin: ISO date of each period's first day.
        figures: of each; None where there is none.
    """

    test: str
    subject: str
    value: str
    begin: list[str]
    figures: list[float | None]


def period_start(cutoff: date, kind: str, number: int) -> date:
    """Return the first day of period ``number``; a month that lacks the cutoff's day begins on its last."""
    if kind == WEEK:
        return cutoff + timedelta(days=7 * number)
    year, month = divmod(cutoff.year * 12 + cutoff.month - 1 + number, 12)
    return date(year, month + 1, min(cutoff.day, calendar.monthrange(year, month + 1)[1]))


def periods_before(cutoff: date, kind: str, first_day: date) -> list[Period]:
    """Return the complete periods from the log's first day to the cutoff, oldest first, at most :data:`MAX_PERIODS`."""
    starts = [period_start(cutoff, kind, number) for number in range(-MAX_PERIODS[kind], 1)]
    numbered = zip(range(-MAX_PERIODS[kind], 0), starts[:-1], starts[1:], strict=True)
    return [Period(number, begin, end) for number, begin, end in numbered if begin >= first_day]


def periods_after(cutoff: date, kind: str, end: date) -> list[Period]:
    """Return the complete periods from the cutoff to the log's end, oldest first."""
    periods: list[Period] = []
    while (until := period_start(cutoff, kind, len(periods) + 1)) <= end:
        periods.append(Period(len(periods), period_start(cutoff, kind, len(periods)), until))
    return periods


def periods_in(kind: str, days: int) -> int:
    """Return how many periods so many days hold, to the nearest and at least one."""
    return max(1, round(days / LENGTH_DAYS[kind]))


def default_kind(cutoff: date, first_day: date) -> str:
    """Return months where the log holds enough of them before the cutoff, else weeks."""
    return MONTH if len(periods_before(cutoff, MONTH, first_day)) >= MIN_PERIODS[MONTH] else WEEK


@dataclass(frozen=True, eq=False)
class Profile:
    """What happened in some periods.

    Args:
        counts: columns :data:`COUNTS`.
        prices: ``chunk``, ``subject`` (of :data:`PRICES`), ``number``: amounts above 0 of a sample of purchase rows.
        periods: oldest first.
    """

    counts: pd.DataFrame
    prices: pd.DataFrame
    periods: tuple[Period, ...]

    def table(self, subject: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return rows and customers of a subject: one row a period, one column a value, 0 where there was none."""
        part = self.counts[self.counts["subject"] == subject]
        order = [period.number for period in self.periods]
        rows, customers = (
            part.pivot_table(index="chunk", columns="value", values=kind, aggfunc="sum", fill_value=0)
            .reindex(order, fill_value=0)
            .astype("float64")
            for kind in ("rows", "customers")
        )
        return rows, customers


def profile(dataset: Dataset, periods: Sequence[Period]) -> Profile:
    """Return what happened in ``periods``; nothing outside them is read.

    Args:
        dataset: the log.
        periods: consecutive ones, at least one.
    """
    import pyarrow as pa

    engine = Engine()
    try:
        days = pa.table(
            {
                "day": pa.array([period.begin + timedelta(day) for period in periods for day in range(period.days)]),
                "chunk": np.repeat([period.number for period in periods], [period.days for period in periods]),
            }
        )
        events = dataset.events(engine.connection)
        events = events.mutate(day=events[EVENT_TIME].date())
        engine.connection.create_view("rows", events.inner_join(engine.connection.create_table("days", days), "day"))
        queries = _Queries(engine.connection)
        columns = [name for name in dataset.manifest.columns if name in BY_NAME]
        parts = [queries.labels(name) for name in LABELS if name in columns or name == EVENT_TYPE]
        parts += [queries.missing(scope, columns) for scope in SCOPES]
        parts.append(queries.orders())
        some = [part for part in parts if len(part)]  # a part without rows has no types
        counts = pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=COUNTS)
        prices = [queries.prices(name, len(periods)) for name in PRICES if name in columns or name == AMOUNT]
    finally:
        engine.close()
    counts = counts.sort_values(COUNTS[:3], ignore_index=True)
    return Profile(counts[COUNTS], pd.concat(prices, ignore_index=True), tuple(periods))


class _Queries:
    """Queries of the view ``rows``: events with their ``day`` and ``chunk``.

    Customers are grouped first, since distinct counts over all rows are slow.
    """

    def __init__(self, connection: ibis.BaseBackend) -> None:
        self.connection = connection

    def _frame(self, sql: str) -> pd.DataFrame:
        frame: pd.DataFrame = self.connection.raw_sql(sql).to_arrow_table().to_pandas()
        return frame

    def labels(self, name: str) -> pd.DataFrame:
        """Count a column's values.

        The inner query counts each customer's rows of each value, the outer one sums them and counts customers. For all
        values together customers are summed over values in between, so that each counts once.
        """
        each = f"""SELECT chunk, {name} AS "value", customer_id, COUNT(*) AS n FROM "rows"
            WHERE {name} IS NOT NULL GROUP BY ALL"""
        count = 'SUM(n)::BIGINT AS "rows", COUNT(*) AS customers'
        values = self._frame(f'SELECT chunk, "value", {count} FROM ({each}) GROUP BY ALL')
        if values["value"].nunique() > MAX_VALUES:
            values = values.iloc[:0]
        customers = f"SELECT chunk, customer_id, SUM(n) AS n FROM ({each}) GROUP BY ALL"
        total = self._frame(f"""SELECT chunk, '' AS "value", {count} FROM ({customers}) GROUP BY ALL""")
        return pd.concat([values, total] if len(values) else [total]).assign(subject=name)

    def missing(self, scope: str, columns: Sequence[str]) -> pd.DataFrame:
        """Count gaps in the columns of a scope."""
        names = [name for name in columns if name not in NEVER_MISSING and (scope == "purchase" or name in OF_OTHERS)]
        gaps = "".join(f', COUNT(*) - COUNT({name}) AS "{name}"' for name in names)
        wide = self._frame(f'SELECT chunk, COUNT(*) AS total{gaps} FROM "rows" WHERE {SCOPES[scope]} GROUP BY ALL')
        long = wide.rename(columns={"total": ""}).melt("chunk", var_name="value", value_name="rows")
        return long.assign(subject=f"missing:{scope}", customers=0)

    def orders(self) -> pd.DataFrame:
        """Count purchase days: of each customer in the inner query, then summed."""
        days = """SELECT chunk, customer_id, COUNT(DISTINCT day) AS n FROM "rows"
            WHERE event_type = 'purchase' GROUP BY ALL"""
        counts = self._frame(
            f'SELECT chunk, SUM(n)::BIGINT AS "rows", COUNT(*) AS customers FROM ({days}) GROUP BY ALL'
        )
        return counts.assign(subject="orders", value="")

    def prices(self, name: str, periods: int) -> pd.DataFrame:
        """Return the amounts of a sample of purchase rows, the same sample each time."""
        priced = f"""FROM "rows" WHERE event_type = 'purchase' AND {name} > 0"""
        count = int(self._frame(f"SELECT COUNT(*) AS n {priced}")["n"].iloc[0])
        row_hash = f"HASH(customer_id || CAST(event_time AS TEXT) || CAST({name} AS TEXT))::BIT::BIGINT"
        sampled = f"{row_hash} % {max(1, count // (SAMPLE * periods))} = 0"
        sample = self._frame(f"SELECT chunk, {name} AS number {priced} AND {sampled} ORDER BY ALL")
        return sample.assign(subject=name)[["chunk", "subject", "number"]]
