"""Buyers: cohorts by first purchase, the time between purchases, recency and frequency.

A purchase near the period's end has had little time to be followed by another. Counting it as "did not come back" would
understate, leaving it out would overstate; the product-limit estimate uses it for as long as it was seen.
Source: Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from clv_core.features.explore.cube import BUYERS
from clv_core.features.explore.selection import MONTH, QUARTER, Selection, bucket, next_bucket, sql_day

MONTHS_BY_MONTH: Final = 24
"""Longest period whose cohorts are months: a heat map of more rows is unreadable."""
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
    counts = selection.frame(
        f"SELECT {bucket(unit, 'first')} AS cohort, {month} AS month,"
        f" count(*) FILTER (WHERE purchases > 0 AND coalesce(previous < {month}, true)) AS buyers,"
        f" (sum(paid) - sum(returned))::DOUBLE AS revenue"
        f" FROM money_days WHERE {selection.period} AND first >= {start} AND day >= first GROUP BY ALL"
    )
    sizes = counts[counts["cohort"] == counts["month"]].set_index("cohort")["buyers"]
    cells = [
        (pd.Timestamp(first), age, pd.Timestamp(next_bucket(unit, first, age)))
        for first in sorted(day.date() for day in sizes.index)
        for age in range(_ages(unit, first, selection.end))
    ]
    if not cells:
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS})
    frame = pd.DataFrame(cells, columns=["cohort", "age", "month"])
    frame[["cohort", "month"]] = frame[["cohort", "month"]].astype("datetime64[us]")
    frame = frame.merge(counts, "left", ["cohort", "month"])
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


SPANS: Final = (30, 90, 180)
"""Days after which the share that is back is reported."""
FIRST, LATER = "first", "later"


def gaps(selection: Selection) -> pd.DataFrame:
    """Return how long purchases waited for the next one.

    Returns:
        ``after`` (``first`` or ``later``: which purchase day of the customer), ``days``, ``returned`` (customers' waits
        that ended then with another purchase day), ``waiting`` (waits of which no more was seen than that).
    """
    end = sql_day(selection.end)
    back = f"next < {end}"
    return selection.frame(
        f"SELECT CASE WHEN day = first THEN '{FIRST}' ELSE '{LATER}' END AS after,"
        f" CASE WHEN {back} THEN next - day ELSE {end} - day - 1 END AS days,"
        f" count(*) FILTER (WHERE {back}) AS returned, count(*) FILTER (WHERE coalesce(NOT {back}, true)) AS waiting"
        f" FROM money_days WHERE purchases > 0 AND {selection.period} GROUP BY ALL ORDER BY ALL"
    )


def come_back(waits: pd.DataFrame) -> pd.DataFrame:
    """Return the share that has bought again, by days since a purchase, after a first and after a later one.

    Args:
        waits: of :func:`gaps`.

    Returns:
        ``after``, ``days`` (from 0, without a gap, to the longest wait that was seen), ``share``, ``at_risk`` (waits
        still seen on that day).
    """
    parts = [_estimate(part).assign(after=str(after)) for after, part in waits.groupby("after")]
    columns = ["after", "days", "share", "at_risk"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame({name: [] for name in columns})


def _estimate(part: pd.DataFrame) -> pd.DataFrame:
    """Return the Kaplan-Meier estimate of one group of waits."""
    days = np.arange(int(part["days"].max()) + 1)
    ended = part.set_index("days")[["returned", "waiting"]].reindex(days, fill_value=0)
    returned, leaving = ended["returned"].to_numpy(float), ended.sum(axis=1).to_numpy(float)
    at_risk = leaving[::-1].cumsum()[::-1]
    share = 1 - np.cumprod(1 - returned / at_risk)
    return pd.DataFrame({"days": days, "share": share, "at_risk": at_risk.astype("int64")})


def back_within(curve: pd.DataFrame, after: str, days: int) -> float | None:
    """Return the share that is back within ``days``; None where the period is too short to say."""
    rows = curve[curve["after"] == after].set_index("days")["share"]
    return float(rows[days]) if days in rows.index else None


def median_gap(waits: pd.DataFrame) -> float | None:
    """Return the median of the gaps that were seen to end, in days; None where none was."""
    counts = waits.groupby("days")["returned"].sum()
    total = int(counts.sum())
    if total == 0:
        return None
    reached = counts.cumsum()
    low = reached.index[int(np.searchsorted(reached.to_numpy(), (total + 1) // 2))]
    high = reached.index[int(np.searchsorted(reached.to_numpy(), total // 2 + 1))]
    return float(low + high) / 2


FIFTHS: Final = 5
"""Quintiles, as usual in RFM (Hughes 1994, Strategic Database Marketing)."""


def rfm(selection: Selection) -> pd.DataFrame:
    """Return buyers by fifths of recency and frequency.

    The query counts buyers by pair of recency and number of orders; its inner one, :data:`BUYERS`, has one row a buyer.

    Fifths are cut by rank. Customers of one value are never parted: all lie in the fifth of their middle rank, so that
    there may be fewer than five (where most bought once, say), numbered without a gap.

    Returns:
        One row a pair that has buyers: ``recency`` (1: bought longest ago) with ``recency_low`` and ``recency_high``
        (days from the last purchase to the period's end), ``frequency`` (1: fewest orders) with ``frequency_low`` and
        ``frequency_high`` (orders), ``buyers``, ``value`` (their net revenue), ``mean_value``.
    """
    buyers = BUYERS.format(period=selection.period)
    grouped = selection.frame(
        f"SELECT date_diff('day', last, {sql_day(selection.end)}) AS days, orders, count(*) AS buyers,"
        f" sum(value) AS value FROM ({buyers}) GROUP BY ALL ORDER BY ALL"
    ).astype({"orders": "int64"})
    recency = _fifths(grouped["days"], grouped["buyers"], falling=True)
    frequency = _fifths(grouped["orders"], grouped["buyers"])
    rows = grouped.merge(recency.add_prefix("recency_"), left_on="days", right_on="recency_of")
    rows = rows.merge(frequency.add_prefix("frequency_"), left_on="orders", right_on="frequency_of")
    names = {"recency_fifth": "recency", "frequency_fifth": "frequency"}
    keys = ["recency", "recency_low", "recency_high", "frequency", "frequency_low", "frequency_high"]
    summed = rows.rename(columns=names).groupby(keys, as_index=False)[["buyers", "value"]].sum()
    return summed.assign(mean_value=summed["value"] / summed["buyers"])


def _fifths(values: pd.Series, weights: pd.Series, falling: bool = False) -> pd.DataFrame:
    """Return each value (``of``) with its ``fifth`` and the ``low`` and ``high`` value of that fifth."""
    counts = weights.groupby(values).sum().sort_index(ascending=not falling)
    middle = (counts.cumsum() - counts / 2) / max(1, counts.sum())
    rank = np.minimum(np.floor(middle * FIFTHS), FIFTHS - 1)
    fifths = pd.DataFrame({"of": counts.index, "fifth": rank.rank(method="dense").to_numpy().astype("int64")})
    ends = fifths.groupby("fifth")["of"]
    return fifths.assign(low=ends.transform("min"), high=ends.transform("max"))
