"""Features of circumstance: how long a customer is known, by which channel, where, in which season; and the anchor."""

from __future__ import annotations

import math
from datetime import date
from typing import Any, Final

from clv_core.features.expressions import ratio, total
from clv_core.features.feature import ANCHOR, CALENDAR, DERIVED, Feature
from clv_core.features.relations import TEXT_CODES

YEAR_DAYS: Final = 365

KNOWN: Final = [
    Feature("tenure", "days", "age", "log", "steps", lambda s: s.age.max()),
    Feature("events", "count", "actions", "log", "steps", lambda s: s.lines.sum(), empty=0),
    Feature("days_since_any", "days", "timing", "log", "steps", lambda s: s.age.min()),
    Feature(
        "unpaid_days", "days", "age", "log", DERIVED, lambda row: (row["purchase_days"] < 1).ifelse(row["tenure"], None)
    ),
]


def _code(moment: Any) -> Any:
    """Return the code in a moment; engines have remainders below zero of moments before 1970."""
    return (moment % TEXT_CODES + TEXT_CODES) % TEXT_CODES


PLACE: Final = [
    Feature("first_channel", "text", "channel", "category", "channel_days", lambda d: _code(d["first"].min())),
    Feature("last_channel", "text", "channel", "category", "channel_days", lambda d: _code(d["last"].max())),
    Feature("country", "text", "country", "category", "country_days", lambda d: _code(d["last"].max())),
]
TEXTS: Final = {"first_channel": "channel", "last_channel": "channel", "country": "country"}
"""The vocabulary of each text feature: its relation holds codes."""


def _year_turn(cutoff: date) -> float:
    return 2 * math.pi * cutoff.timetuple().tm_yday / YEAR_DAYS


SEASON: Final = [
    Feature("year_sin", "ratio", "season", "plain", CALENDAR, lambda cutoff: math.sin(_year_turn(cutoff))),
    Feature("year_cos", "ratio", "season", "plain", CALENDAR, lambda cutoff: math.cos(_year_turn(cutoff))),
    Feature(
        "season_share",
        "share",
        "season",
        "linear",
        "money_days",
        lambda d: (d.age.max() >= YEAR_DAYS).ifelse(
            ratio(
                total(d.paid, (d.age <= YEAR_DAYS) & (d.age > YEAR_DAYS - d.horizon)).fill_null(0),
                total(d.paid, d.age <= YEAR_DAYS),
            ),
            None,
        ),
    ),
]


def _product(rows: Any) -> Any:
    return rows["anchor_count"] * rows["anchor_spend"]


BTYD_ANCHOR: Final = [
    Feature("anchor_count", "count", "anchor", "log", ANCHOR, lambda a, rows, days: a.expected_count(rows, days)),
    Feature("anchor_spend", "money", "anchor", "log", ANCHOR, lambda a, rows, days: a.expected_spend(rows)),
    Feature("anchor_value", "money", "anchor", "log", ANCHOR, lambda a, rows, days: _product(rows)),
    Feature("p_alive", "share", "anchor", "linear", ANCHOR, lambda a, rows, days: a.p_alive(rows)),
]

CIRCUMSTANCE: Final = [*KNOWN, *PLACE, *SEASON, *BTYD_ANCHOR]
