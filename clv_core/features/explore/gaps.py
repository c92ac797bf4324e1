"""The time between purchases, and who comes back: honest about those who may still do so.

A purchase near the period's end has had little time to be followed by another. Counting it as "did not come back" would
understate, leaving it out would overstate; the product-limit estimate uses it for as long as it was seen.
Source: Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from clv_core.features.explore.selection import Selection, sql_day

SPANS: Final = (30, 90, 180)
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
    days = np.arange(int(part["days"].max()) + 1)
    ended = part.set_index("days")[["returned", "waiting"]].reindex(days, fill_value=0)
    returned, gone = ended["returned"].to_numpy(float), ended.sum(axis=1).to_numpy(float)
    at_risk = gone[::-1].cumsum()[::-1]
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
