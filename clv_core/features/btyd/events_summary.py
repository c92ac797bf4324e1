"""The table that BG/NBD, Pareto/NBD and Gamma-Gamma are fitted on, from a table of purchases."""

from __future__ import annotations

from datetime import date

import pandas as pd

from clv_core.errors import UsageError


def summary_from_events(
    events: pd.DataFrame,
    *,
    customer: str = "customer_id",
    time: str = "event_time",
    amount: str | None = None,
    end: date | str | None = None,
) -> pd.DataFrame:
    """Return one row a customer: a summary of their purchases before or on a day.

    Purchases of one customer on one day count once, with their sum.

    Args:
        events: one row a purchase.
        customer: name of the column of customers.
        time: name of the column of times.
        amount: name of the column of amounts; None leaves ``monetary_value`` out.
        end: last day that is observed; None is that of the last purchase.

    Returns:
        Index ``customer_id``, sorted; ``frequency`` (days with a purchase after the first), ``recency`` (days from
        first to last), ``T`` (days from first to ``end``), and ``monetary_value``, the mean of the days after the
        first, 0 where there is none.

    Raises:
        UsageError: a column is missing.

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
    """
    needed = [customer, time, *([] if amount is None else [amount])]
    if missing := [name for name in needed if name not in events.columns]:
        raise UsageError("columns_missing", missing=missing, found=list(map(str, events.columns)))
    day = pd.to_datetime(events[time]).dt.normalize()
    last = day.max() if end is None else pd.Timestamp(end)
    value = 0.0 if amount is None else events[amount].astype(float)
    rows = pd.DataFrame({"customer_id": events[customer], "day": day, "value": value})[day <= last]
    days = rows.groupby(["customer_id", "day"], as_index=False)["value"].sum()
    by = days.groupby("customer_id")
    first, latest, count, total = by["day"].min(), by["day"].max(), by.size(), by["value"].sum()
    table = pd.DataFrame(
        {
            "frequency": (count - 1).astype(float),
            "recency": (latest - first).dt.days.astype(float),
            "T": (last - first).dt.days.astype(float),
        }
    )
    if amount is not None:
        after_first = (total - by["value"].first()) / table["frequency"].clip(lower=1)
        table["monetary_value"] = after_first.where(table["frequency"] > 0, 0.0)
    return table
