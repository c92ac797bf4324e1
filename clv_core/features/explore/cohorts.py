"""Cohorts: customers by the month or quarter of their first purchase, who came back, and what they brought in."""

from __future__ import annotations

from datetime import date
from typing import Final

import pandas as pd

from clv_core.features.explore.selection import MONTH, QUARTER, Selection, bucket, next_bucket, sql_day

MONTHS_BY_MONTH: Final = 24
COLUMNS: Final = ("cohort", "age", "size", "buyers", "retention", "revenue", "per_customer")


def cohort_unit(selection: Selection) -> str:
    """Return what cohorts are cut by: months up to two years, then quarters."""
    return MONTH if selection.days <= MONTHS_BY_MONTH * 31 else QUARTER


def cohorts(selection: Selection, unit: str | None = None) -> pd.DataFrame:
    """Return what each cohort did in the months (quarters) after its first purchase.

    A cohort is made of the customers whose first purchase lies in the period. Cells whose month is not over when the
    period ends are left out: they would look like a fall that is none. Months in which nobody bought are there, as 0.

    Returns:
        One row a cohort and age: ``cohort`` (first day of its month), ``age`` (months since, from 0), ``size``
        (customers of the cohort), ``buyers`` (who bought in that month), ``retention`` (buyers of size), ``revenue``
        (net, of that month), ``per_customer`` (net revenue up to and with that month, by size).
    """
    unit = unit or cohort_unit(selection)
    start, month = sql_day(selection.start), bucket(unit)
    found = selection.frame(
        f"SELECT {bucket(unit, 'first')} AS cohort, {month} AS month,"
        f" count(*) FILTER (WHERE purchases > 0 AND coalesce(previous < {month}, true)) AS buyers,"
        f" (sum(paid) - sum(returned))::DOUBLE AS revenue"
        f" FROM money_days WHERE {selection.period} AND first >= {start} AND day >= first GROUP BY ALL"
    )
    sizes = found[found["cohort"] == found["month"]].set_index("cohort")["buyers"]
    cells = [
        (pd.Timestamp(first), age, pd.Timestamp(next_bucket(unit, first, age)))
        for first in sorted(day.date() for day in sizes.index)
        for age in range(_ages(unit, first, selection.end))
    ]
    if not cells:
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS})
    frame = pd.DataFrame(cells, columns=["cohort", "age", "month"])
    frame[["cohort", "month"]] = frame[["cohort", "month"]].astype("datetime64[us]")
    frame = frame.merge(found, "left", ["cohort", "month"])
    frame["size"] = frame["cohort"].map(sizes).astype("int64")
    frame["buyers"] = frame["buyers"].fillna(0).astype("int64")
    frame["revenue"] = frame["revenue"].fillna(0.0)
    frame["retention"] = frame["buyers"] / frame["size"]
    frame["per_customer"] = frame.groupby("cohort")["revenue"].cumsum() / frame["size"]
    return frame[list(COLUMNS)]


def overall(cells: pd.DataFrame) -> pd.DataFrame:
    """Return what a customer of any cohort did, by age: each age over the cohorts that have reached it.

    Args:
        cells: of :func:`cohorts`.

    Returns:
        ``age``, ``size`` (customers who have reached it), ``retention``, and ``per_customer``: the mean revenue of each
        age, added up, so that younger cohorts entering or leaving the mean never bend it.
    """
    sums = cells.groupby("age", as_index=False)[["size", "buyers", "revenue"]].sum()
    retention, revenue = sums["buyers"] / sums["size"], sums["revenue"] / sums["size"]
    return sums[["age", "size"]].assign(retention=retention, per_customer=revenue.cumsum())


def _ages(unit: str, first: date, end: date) -> int:
    """Return how many months of a cohort are over when the period ends."""
    ages = 0
    while next_bucket(unit, first, ages + 1) <= end:
        ages += 1
    return ages
