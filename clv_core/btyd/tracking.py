"""What a model expects beside what came: by time, by number of purchases, and after a past day.

Expectations are the models' own closed figures, never simulated: a table is the same each time that it is made.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv_core.btyd import inputs
from clv_core.btyd.events_summary import Unit, check_units, day_of, floor_days, purchase_days, time_between
from clv_core.btyd.fitting import unique_rows
from clv_core.btyd.purchase_model import PurchaseModel, figure_of
from clv_core.errors import UsageError

Floats = NDArray[np.float64]

MAX_FREQUENCY: Final = 7
"""Customers of so many repeat purchases and more share a row, as in the papers (Fader, Hardie, Lee 2005, figure 2)."""
STEPS: Final = {"day": pd.DateOffset(days=1), "week": pd.DateOffset(weeks=1), "month": pd.DateOffset(months=1)}
"""From the end of one period to that of the next."""


def purchase_tracking(
    model: PurchaseModel,
    events: Any,
    *,
    customer: str = "customer_id",
    time: str = "event_time",
    end: date | str | None = None,
    every: Unit = "week",
    unit: Unit = "day",
    grain: Unit = "day",
) -> pd.DataFrame:
    """Return repeat purchases by time: how many came, and how many the model expects of everybody who had begun.

    Args:
        model: one for all customers.
        events: one row a purchase, as of :func:`summary_from_events`.
        customer: name of the column of customers.
        time: name of the column of times.
        end: last day that is observed; None is that of the last purchase.
        every: length of a period; the first begins at the first purchase. One that ends after ``end`` is left out.
        unit: that of the model.
        grain: within which purchases count once, as in the table of the fit; a period is no shorter.

    Returns:
        Index ``until``, the last day of each period; ``actual`` and ``expected`` repeat purchases in it, and up to its
        end, ``actual_cumulative`` and ``expected_cumulative``.

    Raises:
        UsageError: as of :func:`summary_from_events`; or the model differs by customer.

    Source: Fader, Hardie, Lee 2005, A note on implementing the Pareto/NBD model in MATLAB, page 8: of each customer,
    the expected purchases of a new one since her first.

    Examples:
        >>> import pandas as pd
        >>> from clv_core import BGNBD, purchase_tracking
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-19", "2024-01-05", "2024-01-22"])
        >>> events = pd.DataFrame({"customer_id": ["a", "a", "a", "b", "b"], "event_time": days})
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> purchase_tracking(model, events, unit="week").round(2)
                    actual  expected  actual_cumulative  expected_cumulative
        until
        2024-01-07     0.0      0.06                0.0                 0.06
        2024-01-14     1.0      0.10                1.0                 0.16
        2024-01-21     1.0      0.10                2.0                 0.26
    """
    check_units(every=every, unit=unit, grain=grain)
    _refuse_varied(model)
    rows = purchase_days(events, customer, time, None, grain)
    last = rows["day"].max() if end is None else day_of("end", end)
    first = rows.groupby("customer_id", observed=True)["day"].transform("min")
    begun = first[first == rows["day"]].value_counts().sort_index()
    ends = _period_ends(begun.index.min(), last, every) if len(rows) else []
    repeats = np.sort(rows.loc[rows["day"] > first, "day"].to_numpy())
    actual = np.searchsorted(repeats, np.array(ends, repeats.dtype), side="right").astype(float)
    there = [begun[begun.index <= until] for until in ends]
    ages = [time_between(pd.Series(_seen(until, grain), one.index), one.index.to_series(), unit, grain)
            for until, one in zip(ends, there, strict=True)]  # fmt: skip
    distinct, place = np.unique(np.concatenate([np.empty(0), *ages]), return_inverse=True)
    each = np.atleast_1d(model.expected_purchases(distinct))[place]
    period = np.repeat(np.arange(len(ends)), [len(one) for one in there])
    weight = np.concatenate([np.empty(0), *there])
    expected = np.bincount(period, weight * each, len(ends))
    table = {"actual": np.diff(actual, prepend=0.0), "expected": np.diff(expected, prepend=0.0)}
    cumulative = {"actual_cumulative": actual, "expected_cumulative": expected}
    return pd.DataFrame({**table, **cumulative}, pd.DatetimeIndex(ends, name="until"))


def purchases_by_frequency(
    model: PurchaseModel,
    frequency: ArrayLike,
    T: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    max_frequency: int = MAX_FREQUENCY,
) -> pd.DataFrame:
    """Return how many customers bought so often again, and how many the model expects to.

    Args:
        model: fitted on these customers.
        frequency: repeat purchases x, [n].
        T: first purchase to cutoff, [n].
        weights: how many customers each row stands for, [n]; None: one.
        max_frequency: the last row, which has those of so many purchases and more.

    Returns:
        Index ``frequency``, 0 to ``max_frequency``; ``actual`` and ``expected`` customers. Both sum to all customers.

    Raises:
        UsageError: a row is no customer.

    Examples:
        >>> from clv_core import BGNBD, purchases_by_frequency
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> table = purchases_by_frequency(model, [0, 0, 1, 4], [38.86, 30, 38.86, 30], max_frequency=2)
        >>> table.round(2).to_dict("list")
        {'actual': [2.0, 1.0, 1.0], 'expected': [2.36, 0.79, 0.85]}
    """
    most = int(inputs.counted("max_frequency", max_frequency))
    x, age = inputs.counted("frequency", frequency), inputs.horizon_of(T, whole=model.WHOLE)
    inputs.same_length({"frequency": x, "T": age})
    x, age = np.broadcast_arrays(*map(np.atleast_1d, (x, age)))
    weight = inputs.weights_of(weights, len(x))
    actual = np.bincount(np.minimum(x, most).astype(int), weight, most + 1).astype(float)
    if not _is_varied(model):
        (age,), place, _ = unique_rows(age)
        weight = np.bincount(place, weight, len(age)).astype(np.float64)
    exactly = [float(weight @ np.atleast_1d(model.p_purchases(n, age))) for n in range(most)]
    expected = [*exactly, max(float(weight.sum()) - sum(exactly), 0.0)]
    index = pd.RangeIndex(most + 1, name="frequency")
    return pd.DataFrame({"actual": actual, "expected": expected}, index)


def holdout_by_frequency(
    model: PurchaseModel, table: pd.DataFrame, *, max_frequency: int = MAX_FREQUENCY
) -> pd.DataFrame:
    """Return purchases of the holdout by those before it: what customers did on average, and what was expected.

    Args:
        model: fitted on the calibration's columns.
        table: that of :func:`calibration_holdout`.
        max_frequency: the last row, which has those of so many repeat purchases and more.

    Returns:
        Index ``frequency``, 0 to ``max_frequency``; ``customers``; ``actual`` and ``expected`` mean purchases in the
        holdout, NaN where there is no customer.

    Raises:
        UsageError: a column is missing, or a row is no customer.

    Examples:
        >>> import pandas as pd
        >>> from clv_core import BGNBD, calibration_holdout, holdout_by_frequency
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-03-01", "2024-01-05"])
        >>> events = pd.DataFrame({"customer_id": ["a", "a", "a", "b"], "event_time": days})
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> table = calibration_holdout(events, "2024-01-31", unit="week")
        >>> holdout_by_frequency(model, table, max_frequency=1).round(2)
                   customers  actual  expected
        frequency
        0                  1     0.0      0.12
        1                  1     1.0      0.36
    """
    most = int(inputs.counted("max_frequency", max_frequency))
    needed = ["frequency_cal", "recency_cal", "T_cal", "frequency_holdout", "duration_holdout"]
    if missing := [name for name in needed if name not in table.columns]:
        raise UsageError("columns_missing", missing=missing, found=list(map(str, table.columns)))
    before = (table[name] for name in needed[:3])
    expected = model.expected_purchases(table["duration_holdout"], *before)
    group = np.minimum(inputs.counted("frequency_cal", table["frequency_cal"]), most).astype(int)
    rows = pd.DataFrame({"actual": table["frequency_holdout"].to_numpy(), "expected": expected})
    means = rows.groupby(group).mean().reindex(pd.RangeIndex(most + 1, name="frequency"))
    means.insert(0, "customers", np.bincount(group, minlength=most + 1))
    return means


def alive_history(
    model: PurchaseModel, times: Any, *, end: date | str | None = None, unit: Unit = "day"
) -> pd.DataFrame:
    """Return how likely one customer was to be still there on each day since her first purchase, as seen that day.

    Args:
        model: hers.
        times: of her purchases, the first one included; a column of times, or a list.
        end: the last day; None is that of the last purchase.
        unit: that of the model. One of opportunities (BG/BB) has a row a week or month, where its unit is one.

    Returns:
        Index ``day``; ``alive`` in [0, 1]; ``purchases``, 1 on days of a purchase and 0 else.

    Raises:
        UsageError: a time is none, there is none by ``end``, or the model differs by customer.

    Examples:
        >>> from clv_core import BGNBD, alive_history
        >>> model = BGNBD(r=0.243, alpha=30.9, a=0.793, b=2.426)
        >>> table = alive_history(model, ["2024-01-01", "2024-01-11", "2024-02-10"], end="2024-06-30")
        >>> table.loc[["2024-01-11", "2024-02-10", "2024-06-30"]].round(2).to_dict("list")
        {'alive': [0.75, 0.81, 0.27], 'purchases': [1, 1, 0]}
    """
    check_units(unit=unit)
    _refuse_varied(model)
    grain: Unit = unit if model.WHOLE else "day"
    events = pd.DataFrame({"times": pd.Series(times).reset_index(drop=True), "customer_id": 0})
    bought = purchase_days(events, "customer_id", "times", None, grain)["day"]
    last = bought.max() if end is None else floor_days(pd.Series([day_of("end", end)]), grain)[0]
    if not (len(bought) and bought.min() <= last):
        raise UsageError("btyd_no_purchase", day="-" if end is None else f"{last:%Y-%m-%d}")
    days = floor_days(pd.Series(pd.date_range(bought.min(), last)), grain).drop_duplicates().reset_index(drop=True)
    since = [time_between(column, days[0], unit, grain) for column in (bought[1:], days)]
    alive = model.alive_path(*since)
    return pd.DataFrame({"alive": alive, "purchases": days.isin(bought).astype(int).to_numpy()}, days.rename("day"))


def customer_matrix(model: PurchaseModel, figure: str, max_frequency: int, T: float, *horizon: float) -> pd.DataFrame:
    """Return a figure of customers of one age, by recency (index) and repeat purchases (columns).

    Args:
        model: one for all customers.
        figure: ``"expected_purchases"``, ``"p_alive"``, ``"p_purchase"``.
        max_frequency: of repeat purchases.
        T: from the first purchase to the cutoff.
        horizon: that of the figure where it has one.

    Returns:
        [floor(T) + 1, max_frequency + 1]; NaN where no customer can be.

    Raises:
        UsageError: an argument is none, or the model differs by customer.
    """
    _refuse_varied(model)
    most = int(inputs.counted("max_frequency", max_frequency))
    age = float(inputs.not_below_zero("T", inputs.numbers("T", T)))
    x, recency = np.arange(most + 1.0), np.arange(np.floor(age) + 1.0)
    last, count = (grid.ravel() for grid in np.meshgrid(recency, x, indexing="ij"))
    can_be = (count == 0) == (last == 0)
    if model.WHOLE:
        can_be &= count <= last
    values = np.full(count.shape, np.nan)
    values[can_be] = figure_of(model, figure)(*horizon, count[can_be], last[can_be], age)
    return pd.DataFrame(values.reshape(len(recency), len(x)), recency, x)


def _period_ends(first: pd.Timestamp, last: pd.Timestamp, every: Unit) -> list[pd.Timestamp]:
    """Return the last day of each period that is over by ``last``."""
    step = STEPS[every]
    ends: list[pd.Timestamp] = []
    while (until := first + (len(ends) + 1) * step - pd.Timedelta(days=1)) <= last:
        ends.append(until)
    return ends


def _seen(until: pd.Timestamp, grain: Unit) -> pd.Timestamp:
    """Return the day (or first day of the week or month) that a day counts in."""
    day: pd.Timestamp = floor_days(pd.Series([until]), grain)[0]
    return day


def _is_varied(model: PurchaseModel) -> bool:
    """Say whether a model has parameters of each customer."""
    return any(np.ndim(getattr(model, name)) for name in model.NAMES)


def _refuse_varied(model: PurchaseModel) -> None:
    if _is_varied(model):
        raise UsageError("btyd_varied")
