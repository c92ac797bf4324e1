"""The tables of the explore page by name; here those of events: categories, the funnel, ratings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pandas as pd

from clv_core.columns import CART, PURCHASE, VIEW
from clv_core.features.explore.buyers import cohorts, come_back, gaps, rfm
from clv_core.features.explore.key_figures import concentration, figures, trend
from clv_core.features.explore.selection import Selection, bucket, sql_day

SHOWN: Final = 12
"""Categories with a row of their own; a guess: as many bars as a chart holds."""


def categories(selection: Selection, shown: int = SHOWN) -> pd.DataFrame:
    """Return the categories with the highest net revenue, and all others in one row.

    Returns:
        ``category`` (None for lines without one), ``others`` (categories in this row besides the first: 0 but in the
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


STEPS: Final = {VIEW: "views", CART: "carts", PURCHASE: "purchases"}


def funnel(selection: Selection) -> pd.DataFrame:
    """Return the steps that the log has, in order; no row where it has purchases alone.

    Returns:
        ``step`` (event type), ``events`` (rows of the log), ``customers`` (who did it), ``reached`` (who did it and
        every step before it, in the period, in whatever order), ``share`` (of those who reached the first step).

    The inner query marks the steps of each customer, the outer one counts customers by combination of marks.
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


DAYS: Final = 90
"""Days after a rating within which the customer is back or not; a guess: a quarter."""

MANY: Final = 11
"""A scale of more values than 0 to 10 is rounded to integers."""


def ratings(selection: Selection) -> pd.DataFrame:
    """Return the ratings of the period by value.

    Returns:
        ``rating``, ``ratings`` (how many), ``share``, ``followed`` (ratings that had :data:`DAYS` days within the log
        to be followed by a purchase), ``back`` (those that were: bought on a later day within so many days),
        ``back_rate`` (NaN where none had the time).
    """
    many = f"SELECT count(DISTINCT rating) AS n FROM rated WHERE {selection.period}"
    value = "round(rating)" if selection.frame(many)["n"].iloc[0] > MANY else "rating"
    latest = sql_day(selection.part.cube.end - timedelta(days=DAYS))
    timely = f"day < {latest}"
    frame = selection.frame(
        f"SELECT {value}::DOUBLE AS rating, sum(ratings)::BIGINT AS ratings,"
        f" coalesce(sum(ratings) FILTER (WHERE {timely}), 0)::BIGINT AS followed,"
        f" coalesce(sum(ratings) FILTER (WHERE {timely} AND next - day <= {DAYS}), 0)::BIGINT AS back"
        f" FROM rated WHERE {selection.period} GROUP BY 1 ORDER BY 1"
    )
    share = frame["ratings"] / max(1, int(frame["ratings"].sum()))
    return frame.assign(share=share, back_rate=frame["back"] / frame["followed"].where(frame["followed"] > 0))


def rating_trend(selection: Selection) -> pd.DataFrame:
    """Return the mean rating by day, week or month: ``bucket``, ``mean``, ``ratings``; only buckets with ratings."""
    return selection.frame(
        f"SELECT {bucket(selection.unit)} AS bucket, (sum(rating * ratings) / sum(ratings))::DOUBLE AS mean,"
        f" sum(ratings)::BIGINT AS ratings FROM rated WHERE {selection.period} GROUP BY 1 ORDER BY 1"
    )


VIEWS: Final[dict[str, Callable[[Selection], pd.DataFrame]]] = {
    "trend": trend,
    "cohorts": cohorts,
    "gaps": gaps,
    "come_back": lambda selection: come_back(gaps(selection)),
    "rfm": rfm,
    "funnel": funnel,
    "ratings": ratings,
    "rating_trend": rating_trend,
    "categories": categories,
}


def keep_answers(selection: Selection) -> None:
    """Compute and cache all views of the full log; a selection of a part of it is not cached."""
    if selection.is_full:
        for view in (figures, concentration, *VIEWS.values()):
            view(selection)
