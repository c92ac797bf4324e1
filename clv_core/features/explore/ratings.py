"""Ratings: how they are spread, how they went over time, and whether who rated came back."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pandas as pd

from clv_core.features.explore.selection import Selection, bucket, sql_day

DAYS: Final = 90
"""Days after a rating within which the customer is back or not."""

MANY: Final = 11
"""A scale of more values is rounded to whole ones."""


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
