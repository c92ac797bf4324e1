"""Categories: what brings in the money, and what comes back."""

from __future__ import annotations

from typing import Final

import pandas as pd

from clv_core.features.explore.selection import Selection

SHOWN: Final = 12


def categories(selection: Selection, shown: int = SHOWN) -> pd.DataFrame:
    """Return the categories with the highest net revenue, and all others in one row.

    Returns:
        ``category`` (None for lines without one), ``others`` (categories in this row beside the first: 0 but in the
        last row, whose category is then empty text), ``purchases`` (lines), ``paid``, ``returned``, ``net``, ``share``
        (of the net revenue of all), ``return_rate`` (returned of paid, NaN where nothing was paid).
    """
    frame = selection.frame(
        f"SELECT categories.text AS category, 0 AS others, sum(purchases)::BIGINT AS purchases,"
        f" sum(paid)::DOUBLE AS paid, sum(returned)::DOUBLE AS returned, (sum(paid) - sum(returned))::DOUBLE AS net"
        f" FROM sold LEFT JOIN categories ON sold.category = categories.code WHERE {selection.period}"
        f" GROUP BY 1 ORDER BY net DESC, category"
    )
    if len(frame) > shown + 1:
        rest = frame.iloc[shown:]
        sums = rest[["purchases", "paid", "returned", "net"]].sum().to_dict()
        last = pd.DataFrame([{"category": "", "others": len(rest), **sums}]).astype(frame.dtypes.to_dict())
        frame = pd.concat([frame.iloc[:shown], last], ignore_index=True)
    total = frame["net"].sum()
    return frame.assign(
        share=frame["net"] / total if total > 0 else float("nan"),
        return_rate=frame["returned"] / frame["paid"].where(frame["paid"] > 0),
    )
