"""The tables that models of counts and Gamma-Gamma are fitted and judged on, from a table of purchases."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from clv_core.errors import UsageError

Unit = Literal["day", "week", "month"]
UNIT_DAYS: Final = {"day": 1.0, "week": 7.0, "month": 365.25 / 12}
"""Days of a unit of time; whole months are counted by the calendar."""


def summary_from_events(
    events: Any,
    *,
    customer: str = "customer_id",
    time: str = "event_time",
    amount: str | None = None,
    end: date | str | None = None,
    unit: Unit = "day",
    grain: Unit = "day",
) -> pd.DataFrame:
    """Return one row a customer: a summary of their purchases before or on a day.

    Purchases of one customer on one day count once, with their sum.

    Args:
        events: one row a purchase; a frame of pandas, polars or Arrow. Times with a time zone are days of that zone.
        customer: name of the column of customers.
        time: name of the column of times.
        amount: name of the column of amounts; None leaves ``monetary_value`` out.
        end: last day that is observed; None is that of the last purchase.
        unit: of ``recency`` and ``T``.
        grain: within which purchases count once. BG/BB takes ``grain`` and ``unit`` alike: each is an opportunity.

    Returns:
        Index ``customer_id``, sorted; ``frequency`` (days with a purchase after the first), ``recency`` (from the
        first to the last), ``T`` (from the first to ``end``), and ``monetary_value``, the mean of the days after the
        first, 0 where there is none.

    Raises:
        UsageError: a column is missing, or a row has no customer, no time or no amount.

    Examples:
        >>> import pandas as pd
        >>> from clv_core import summary_from_events
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-31", "2024-01-05"])
        >>> events = pd.DataFrame({"customer_id": ["a", "a", "a", "b"], "event_time": days, "amount": [10, 20, 40, 5]})
        >>> summary_from_events(events, amount="amount", end="2024-02-10")
                     frequency  recency     T  monetary_value
        customer_id
        a                  2.0     30.0  40.0            30.0
        b                  0.0      0.0  36.0             0.0

        In months, each of which is an opportunity:

        >>> summary_from_events(events, end="2024-06-10", unit="month", grain="month")
                     frequency  recency    T
        customer_id
        a                  0.0      0.0  5.0
        b                  0.0      0.0  5.0
    """
    check_units(unit=unit, grain=grain)
    rows = purchase_days(events, customer, time, amount, grain)
    last = rows["day"].max() if end is None else floor_days(pd.Series([day_of("end", end)]), grain)[0]
    return _summary(rows[rows["day"] <= last], last, unit, grain, amount is not None)


def calibration_holdout(
    events: Any,
    calibration_end: date | str,
    *,
    customer: str = "customer_id",
    time: str = "event_time",
    amount: str | None = None,
    end: date | str | None = None,
    unit: Unit = "day",
    grain: Unit = "day",
) -> pd.DataFrame:
    """Return the customers of a past day as they were seen then, and what they did afterwards.

    Args:
        events: one row a purchase, as of :func:`summary_from_events`.
        calibration_end: last day that a model may be fitted on.
        customer: name of the column of customers.
        time: name of the column of times.
        amount: name of the column of amounts; None leaves the values out.
        end: last day that is observed; None is that of the last purchase.
        unit: of times.
        grain: within which purchases count once.

    Returns:
        Of everybody who bought by ``calibration_end``: ``frequency_cal``, ``recency_cal``, ``T_cal``, and
        ``monetary_value_cal``; ``frequency_holdout`` (days with a purchase after it), ``monetary_value_holdout``, their
        mean value, 0 where there is none, and ``duration_holdout``.

    Raises:
        UsageError: as of :func:`summary_from_events`; or the log ends before the holdout begins.

    Examples:
        >>> import pandas as pd
        >>> from clv_core import calibration_holdout
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-03-01", "2024-03-05"])
        >>> events = pd.DataFrame({"customer_id": ["a", "a", "a", "b"], "event_time": days})
        >>> calibration_holdout(events, "2024-01-31").loc["a"].tolist()
        [1.0, 10.0, 30.0, 1.0, 34.0]
    """
    check_units(unit=unit, grain=grain)
    rows = purchase_days(events, customer, time, amount, grain)
    cutoff = floor_days(pd.Series([day_of("calibration_end", calibration_end)]), grain)[0]
    last = rows["day"].max() if end is None else floor_days(pd.Series([day_of("end", end)]), grain)[0]
    before = rows[rows["day"] <= cutoff]
    if len(before) == 0 or last <= cutoff:
        first, until = (f"{day:%Y-%m-%d}" if len(rows) else "-" for day in (rows["day"].min(), last))
        raise UsageError("btyd_no_holdout", day=f"{cutoff:%Y-%m-%d}", first=first, last=until)
    table = _summary(before, cutoff, unit, grain, amount is not None).add_suffix("_cal")
    after = rows[(rows["day"] > cutoff) & (rows["day"] <= last)].groupby("customer_id")
    table["frequency_holdout"] = after.size().reindex(table.index).fillna(0.0).astype(float)
    if amount is not None:
        table["monetary_value_holdout"] = after["value"].mean().reindex(table.index).fillna(0.0)
    table["duration_holdout"] = time_between(pd.Series([last]), cutoff, unit, grain)[0]
    return table


def purchase_days(events: Any, customer: str, time: str, amount: str | None, grain: Unit) -> pd.DataFrame:
    """Return one row a customer and day (week, month) with a purchase: ``customer_id``, ``day``, ``value``."""
    frame = _frame(events)
    needed = [customer, time, *([] if amount is None else [amount])]
    if missing := [name for name in needed if name not in frame.columns]:
        raise UsageError("columns_missing", missing=missing, found=list(map(str, frame.columns)))
    people, value = frame[customer], pd.Series(0.0, frame.index)
    _refuse_missing(people.isna(), customer)
    if amount is not None:
        numbers = pd.to_numeric(frame[amount], errors="coerce").astype(float)
        _refuse_missing(pd.Series(~np.isfinite(numbers.to_numpy())), amount)
        value = numbers
    day = floor_days(_days(frame[time], time), grain)
    rows = pd.DataFrame({"customer_id": people, "day": day, "value": value})
    sums: Any = rows.groupby(["customer_id", "day"], as_index=False, observed=True)["value"].sum()
    return sums  # type: ignore[no-any-return]


def _summary(days: pd.DataFrame, last: pd.Timestamp, unit: Unit, grain: Unit, has_amount: bool) -> pd.DataFrame:
    by = days.groupby("customer_id", observed=True)
    first, latest, count, total = by["day"].min(), by["day"].max(), by.size(), by["value"].sum()
    table = pd.DataFrame(
        {
            "frequency": (count - 1).astype(float),
            "recency": time_between(latest, first, unit, grain),
            "T": time_between(pd.Series(last, first.index), first, unit, grain),
        }
    )
    if has_amount:
        after_first = (total - by["value"].first()) / table["frequency"].clip(lower=1)
        table["monetary_value"] = after_first.where(table["frequency"] > 0, 0.0)
    return table


def time_between(later: pd.Series, earlier: Any, unit: Unit, grain: Unit) -> pd.Series:
    """Return the time between days, in units; between months of the calendar whole numbers of them."""
    if unit == "month" and grain == "month":
        begin = pd.Series(earlier, later.index) if isinstance(earlier, pd.Timestamp) else earlier
        months: pd.Series = (12 * (later.dt.year - begin.dt.year) + later.dt.month - begin.dt.month).astype(float)
        return months
    units: pd.Series = (later - earlier).dt.days.astype(float) / UNIT_DAYS[unit]
    return units


def _frame(events: Any) -> pd.DataFrame:
    """Return a table as a frame of pandas.

    Raises:
        UsageError: it is no table.
    """
    if isinstance(events, pd.DataFrame):
        return events
    if not hasattr(events, "__arrow_c_stream__"):
        raise UsageError("btyd_no_table", argument="events")
    import pyarrow as pa

    return pa.table(events).to_pandas()  # type: ignore[no-any-return]


def _days(times: pd.Series, name: str) -> pd.Series:
    """Return the day of each time, without a zone: that of the time's own."""
    if times.dtype.kind in "iufb":
        raise UsageError("btyd_no_times", column=name, row=0)
    try:
        read = pd.to_datetime(times, errors="coerce")
    except ValueError:  # several zones in one column of texts
        read = pd.to_datetime(times, errors="coerce", utc=True)
    bad = read.isna().to_numpy()
    if bad.any():
        raise UsageError("btyd_no_times", column=name, row=int(np.flatnonzero(bad)[0]))
    return read.dt.tz_localize(None).dt.normalize()


def day_of(argument: str, day: date | str) -> pd.Timestamp:
    """Return an argument's day, without a zone."""
    try:
        read = pd.Timestamp(day)
    except (TypeError, ValueError) as error:
        raise UsageError("btyd_no_day", argument=argument, value=str(day)) from error
    if pd.isna(read) or isinstance(day, int | float):
        raise UsageError("btyd_no_day", argument=argument, value=str(day))
    return read.tz_localize(None).normalize()


def floor_days(days: pd.Series, grain: Unit) -> pd.Series:
    """Return the first day of the week (Monday) or month of each day."""
    if grain == "day":
        return days
    into = days.dt.day_of_week if grain == "week" else days.dt.day - 1
    first: pd.Series = days - pd.to_timedelta(into, unit="D")
    return first


def check_units(**units: str) -> None:
    """Refuse units of time by the name of their argument.

    Raises:
        UsageError: one is none.
    """
    for argument, unit in units.items():
        if unit not in UNIT_DAYS:
            raise UsageError("btyd_choice", argument=argument, value=str(unit), choices=", ".join(UNIT_DAYS))


def _refuse_missing(bad: pd.Series, column: str) -> None:
    if bad.any():
        raise UsageError("btyd_missing", argument=column, row=int(np.flatnonzero(bad.to_numpy())[0]))
