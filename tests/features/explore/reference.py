"""Each view once more, in plain pandas over the rows of the log: slow, and written without a look at the cube."""

from __future__ import annotations

import numpy as np
import pandas as pd


def inside(rows: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    return rows[(rows["day"] >= start) & (rows["day"] < end)]


def purchases(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["event_type"] == "purchase"]


def orders_of(rows: pd.DataFrame) -> pd.DataFrame:
    """One row an order: customer, and its first day; without an order id, what was bought on a day is one."""
    bought = purchases(rows)
    order = bought["order_id"].where(bought["order_id"].notna(), bought["day"].astype(str))
    return bought.assign(order=order).groupby(["customer_id", "order"], as_index=False)["day"].min()


def purchase_days(rows: pd.DataFrame) -> pd.DataFrame:
    days = purchases(rows)[["customer_id", "day"]].drop_duplicates().sort_values(["customer_id", "day"])
    grouped = days.groupby("customer_id")["day"]
    return days.assign(first=grouped.transform("min"), next=grouped.shift(-1))


def net(rows: pd.DataFrame) -> pd.Series:
    return rows["amount"].where(rows["event_type"].isin(["purchase", "return"]), 0.0).fillna(0.0)


def figures(rows: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, float]:
    span = inside(rows, start, end)
    bought = purchases(span)
    orders = len(inside(orders_of(rows), start, end))
    days = bought.groupby("customer_id")["day"].nunique()
    paid = bought["amount"].sum()
    returned = -span.loc[span["event_type"] == "return", "amount"].sum()
    customers = span["customer_id"].nunique()
    return {
        "customers": customers,
        "buyers": len(days),
        "orders": orders,
        "paid": paid,
        "returned": returned,
        "net": paid - returned,
        "repeat_buyers": int((days >= 2).sum()),
        "repeat_rate": float((days >= 2).mean()),
        "order_value": paid / orders,
        "per_customer": (paid - returned) / customers,
        "return_rate": returned / paid,
    }


def trend(rows: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp, period: str) -> pd.DataFrame:
    span = inside(rows, start, end)
    span = span.assign(bucket=span["day"].dt.to_period(period).dt.start_time, net=net(span))
    first = purchases(rows).groupby("customer_id")["day"].min()
    bought = purchases(span)
    bought = bought.assign(known=bought["customer_id"].map(first) < bought["bucket"].clip(lower=start))
    known = bought[bought["known"]].groupby("bucket")["customer_id"].nunique()
    return pd.DataFrame(
        {
            "customers": span.groupby("bucket")["customer_id"].nunique(),
            "buyers": bought.groupby("bucket")["customer_id"].nunique(),
            "known_buyers": known,
            "net": span.groupby("bucket")["net"].sum(),
        }
    ).fillna(0)


def cohorts(rows: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp, period: str) -> dict[tuple, tuple]:
    """(cohort, age) -> (size, buyers, net revenue up to then a customer), only of months that are over."""
    first = purchases(rows).groupby("customer_id")["day"].min()
    span = inside(rows, start, end)
    span = span.assign(first=span["customer_id"].map(first), net=net(span))
    span = span[(span["first"] >= start) & (span["day"] >= span["first"])]
    month, cohort = span["day"].dt.to_period(period), span["first"].dt.to_period(period)
    last = (end - pd.Timedelta(1, "D")).to_period(period)
    last = last if last.end_time < end else last - 1
    cells = {}
    for name, part in span.groupby(cohort):
        size, running = part["customer_id"].nunique(), 0.0
        for age in range((last - name).n + 1):
            then = part[month.loc[part.index] == name + age]
            running += then["net"].sum()
            cells[(name.start_time, age)] = (size, purchases(then)["customer_id"].nunique(), running / size)
    return cells


def waits(rows: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """One row a purchase day of the period: after, days, returned."""
    days = inside(purchase_days(rows), start, end)
    seen = days["next"] < end
    length = np.where(seen, (days["next"] - days["day"]).dt.days, (end - days["day"]).dt.days - 1)
    after = np.where(days["day"] == days["first"], "first", "later")
    return pd.DataFrame({"after": after, "days": length.astype(int), "returned": seen.to_numpy()})


def buyers(rows: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    span = inside(rows, start, end)
    value = span.assign(net=net(span)).groupby("customer_id")["net"].sum()
    last = purchases(span).groupby("customer_id")["day"].max()
    orders = inside(orders_of(rows), start, end).groupby("customer_id").size()
    return pd.DataFrame({"orders": orders.reindex(last.index, fill_value=0), "days": (end - last).dt.days}).assign(
        value=value
    )


def gini(values: np.ndarray) -> float:
    """Half the mean absolute difference over the mean, from all pairs."""
    held = np.maximum(values, 0)
    return float(np.abs(held[:, None] - held[None, :]).mean() / (2 * held.mean()))
