"""The key figures of a selection, how they went over time, and how few buyers hold how much."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from clv_core.features.explore.cube import BUYERS
from clv_core.features.explore.selection import Selection, bucket, bucket_of, next_bucket, sql_day


@dataclass(frozen=True)
class Figures:
    """Key figures of one period; a ratio without a denominator is None.

    Args:
        customers: who did anything.
        buyers: who bought.
        orders: orders (:data:`clv_core.features.explore.cube.ORDERS`).
        paid: sum of purchases.
        returned: sum of returns, positive.
        repeat_buyers: who bought on two or more days of the period.
    """

    customers: int
    buyers: int
    orders: int
    paid: float
    returned: float
    repeat_buyers: int

    @property
    def net(self) -> float:
        """Net revenue: paid less returned."""
        return round(self.paid - self.returned, 6)

    @property
    def order_value(self) -> float | None:
        """Mean value of an order, before returns."""
        return self.paid / self.orders if self.orders else None

    @property
    def repeat_rate(self) -> float | None:
        """Share of buyers who bought on two or more days."""
        return self.repeat_buyers / self.buyers if self.buyers else None

    @property
    def per_customer(self) -> float | None:
        """Net revenue per customer who did anything."""
        return self.net / self.customers if self.customers else None

    @property
    def return_rate(self) -> float | None:
        """Share of what was paid that was returned."""
        return self.returned / self.paid if self.paid > 0 else None

    def to_json(self) -> dict[str, int | float | None]:
        """Return all figures, the ratios too."""
        ratios = ("net", "order_value", "repeat_rate", "per_customer", "return_rate")
        return asdict(self) | {name: getattr(self, name) for name in ratios}


def figures(selection: Selection) -> Figures:
    """Return the key figures of a selection.

    A customer counts on the first of their days in the period; a buyer with one purchase day in it has none before and
    none after within it.
    """
    start, end = sql_day(selection.start), sql_day(selection.end)
    new = f"purchases > 0 AND coalesce(previous < {start}, true)"
    money = selection.frame(
        f"SELECT coalesce(sum(orders), 0) AS orders, coalesce(sum(paid), 0)::DOUBLE AS paid,"
        f" coalesce(sum(returned), 0)::DOUBLE AS returned, count(*) FILTER (WHERE {new}) AS buyers,"
        f" count(*) FILTER (WHERE {new} AND next < {end}) AS repeat_buyers FROM money_days WHERE {selection.period}"
    ).iloc[0]
    active = selection.frame(
        f"SELECT count(*) FILTER (WHERE previous < {start}) AS customers FROM active WHERE {selection.period}"
    ).iloc[0]
    return Figures(
        customers=int(active["customers"]),
        buyers=int(money["buyers"]),
        orders=int(money["orders"]),
        paid=float(money["paid"]),
        returned=float(money["returned"]),
        repeat_buyers=int(money["repeat_buyers"]),
    )


def trend(selection: Selection, unit: str | None = None) -> pd.DataFrame:
    """Return the figures by day, week or month.

    Returns:
        One row a bucket of the period, empty ones too: ``bucket`` (its first day, timestamp), ``complete`` (the period
        holds all its days), ``customers``, ``buyers``, ``known_buyers`` (whose first purchase lies before the bucket),
        ``orders``, ``paid``, ``returned``, ``net``, and the ratios ``order_value``, ``known_rate`` (known of all
        buyers), ``per_customer``, ``return_rate``, NaN without a denominator.

    Active customers: the inner query lists the period's days with their bucket and the day since which a customer
    counts as new in it; the outer one counts customers whose active day before lies earlier.
    """
    unit = unit or selection.unit
    first, start = bucket(unit), sql_day(selection.start)
    since = f"greatest({first}, {start})"
    new = f"purchases > 0 AND coalesce(previous < {since}, true)"
    money = selection.frame(
        f"SELECT {first} AS bucket, sum(orders) AS orders, sum(paid)::DOUBLE AS paid,"
        f" sum(returned)::DOUBLE AS returned, count(*) FILTER (WHERE {new}) AS buyers,"
        f" count(*) FILTER (WHERE {new} AND first < {since}) AS known_buyers"
        f" FROM money_days WHERE {selection.period} GROUP BY 1"
    )
    active = selection.frame(
        f"SELECT bucket, count(*) FILTER (WHERE previous < since) AS customers FROM active JOIN"
        f" (SELECT day::DATE AS day, {bucket(unit, 'day::DATE')} AS bucket, greatest(bucket, {start}) AS since"
        f" FROM range({start}, {sql_day(selection.end)}, INTERVAL 1 DAY) AS days(day)) USING (day) GROUP BY 1"
    )
    frame = _calendar(selection, unit).merge(active, "left", "bucket").merge(money, "left", "bucket")
    counts = ["customers", "buyers", "known_buyers", "orders"]
    frame[counts] = frame[counts].fillna(0).astype("int64")
    frame[["paid", "returned"]] = frame[["paid", "returned"]].astype("float64").fillna(0.0)
    frame["net"] = frame["paid"] - frame["returned"]
    return frame.assign(
        order_value=_ratio(frame["paid"], frame["orders"]),
        known_rate=_ratio(frame["known_buyers"], frame["buyers"]),
        per_customer=_ratio(frame["net"], frame["customers"]),
        return_rate=_ratio(frame["returned"], frame["paid"].clip(lower=0)),
    )


def _calendar(selection: Selection, unit: str) -> pd.DataFrame:
    """Return all buckets of the period, and whether it holds all their days."""
    firsts: list[date] = []
    first = bucket_of(unit, selection.start)
    while first < selection.end:
        firsts.append(first)
        first = next_bucket(unit, first)
    complete = [day >= selection.start and next_bucket(unit, day) <= selection.end for day in firsts]
    return pd.DataFrame({"bucket": pd.Series(firsts, dtype="datetime64[us]"), "complete": complete})


def _ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    return above / below.where(below > 0, np.nan)


POINTS: Final = 101
"""Of the curve: one each percent of buyers."""


@dataclass(frozen=True, eq=False)
class Concentration:
    """Who holds how much; a buyer whose returns exceed the purchases counts as 0.

    Args:
        curve: ``share_of_buyers`` (highest value first) and ``share_of_value``, 0 to 1.
        gini: 0 where all are equal, towards 1 where one holds all; None without net revenue.
        top10: share held by the tenth of buyers with the highest value, rounded up; None without net revenue: what
            some were worth and others sent back is no share of it.
        buyers: how many there are.
    """

    curve: pd.DataFrame
    gini: float | None
    top10: float | None
    buyers: int


def concentration(selection: Selection) -> Concentration:
    """Return how the net revenue of the period is spread over its buyers.

    Source: Gini as (2 sum_i i x_i) / (n sum x) - (n + 1) / n over values in rising order.
    """
    buyers = BUYERS.format(period=selection.period)
    values = selection.frame(f"SELECT value FROM ({buyers}) ORDER BY value DESC")["value"].to_numpy(float)
    revenue = np.maximum(values, 0.0)
    count, total = len(revenue), float(revenue.sum())
    if values.sum() <= 0:
        return Concentration(pd.DataFrame({"share_of_buyers": [], "share_of_value": []}), None, None, count)
    reached = np.concatenate([[0.0], np.cumsum(revenue)]) / total
    places = np.unique(np.round(np.linspace(0, count, POINTS)).astype(int))
    curve = pd.DataFrame({"share_of_buyers": places / count, "share_of_value": np.minimum(reached[places], 1.0)})
    rising = np.arange(count, 0, -1)
    gini = float(2 * (rising * revenue).sum() / (count * total) - (count + 1) / count)
    top = -(-count // 10)
    return Concentration(curve, gini, float(reached[top]), count)
