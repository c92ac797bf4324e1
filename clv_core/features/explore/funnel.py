"""The funnel: who looked, who put into the cart, who bought."""

from __future__ import annotations

from typing import Final

import pandas as pd

from clv_core.columns import CART, PURCHASE, VIEW
from clv_core.features.explore.selection import Selection

STEPS: Final = {VIEW: "views", CART: "carts", PURCHASE: "purchases"}


def funnel(selection: Selection) -> pd.DataFrame:
    """Return the steps that the log has, in order; no row where it has purchases alone.

    Returns:
        ``step`` (event type), ``events`` (rows of the log), ``customers`` (who did it), ``reached`` (who did it and
        every step before it, in the period, in whatever order), ``share`` (of those who reached the first step).
    """
    steps = [step for step in STEPS if step in selection.part.cube.has]
    if len(steps) < 2:
        return pd.DataFrame({"step": [], "events": [], "customers": [], "reached": [], "share": []})
    did = ", ".join(f"max({STEPS[step]}) > 0 AS {step}" for step in steps)
    sums = ", ".join(f"sum({STEPS[step]}) AS {step}_events" for step in steps)
    customers = selection.frame(
        f"SELECT {', '.join(steps)}, count(*) AS customers FROM (SELECT {did} FROM cells WHERE {selection.period}"
        f" GROUP BY customer) GROUP BY ALL"
    )
    events = selection.frame(f"SELECT {sums} FROM cells WHERE {selection.period}").fillna(0).iloc[0]
    rows = []
    for place, step in enumerate(steps, 1):
        through = customers[customers[steps[:place]].all(axis=1)]["customers"].sum()
        alone = customers[customers[step].astype(bool)]["customers"].sum()
        rows.append((step, int(events[f"{step}_events"]), int(alone), int(through)))
    frame = pd.DataFrame(rows, columns=["step", "events", "customers", "reached"])
    first = frame["reached"].iloc[0]
    return frame.assign(share=frame["reached"] / first if first else float("nan"))
