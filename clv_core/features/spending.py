"""Features of purchases: the BTYD four, money, counts and trends, the rhythm of buying."""

from __future__ import annotations

from typing import Any, Final

from clv_core.features.expressions import once, ratio, spread, total
from clv_core.features.feature import Feature, trends, windowed

DAYS: Final = "purchase_days"
MONEY: Final = "money_days"

BTYD: Final = [
    Feature("frequency", "count", "purchases", "log", DAYS, lambda d: d.count() - 1, empty=0),
    Feature("recency", "days", "age", "log", DAYS, lambda d: d.age.max() - d.age.min()),
    Feature("T", "days", "age", "log", DAYS, lambda d: d.age.max()),
    Feature(
        "monetary_value",
        "money",
        "spend",
        "log",
        DAYS,
        lambda d: ratio(total(d.net, d.number > 1).fill_null(0), d.count(where=d.number > 1)).fill_null(0),
    ),
]

HISTORY: Final = [
    Feature("purchase_days", "count", "purchases", "log", DAYS, lambda d: d.count(), empty=0),
    Feature("days_since_last", "days", "timing", "log", DAYS, lambda d: d.age.min()),
    Feature("net_value", "money", "spend", "log", MONEY, lambda d: total(d.net), empty=0),
    Feature("spend_per_day", "money", "spend", "log", MONEY, lambda d: ratio(total(d.net), d.age.max()), empty=0),
    Feature("first_day_value", "money", "spend", "log", DAYS, lambda d: total(d.net, d.number == 1)),
    Feature("last_day_value", "money", "spend", "log", DAYS, lambda d: d.net.argmin(d.age)),
]

RECENT: Final = [
    *windowed("net_value", "money", "recent_spend", MONEY, lambda d, recent: total(d.net, recent)),
    *windowed("purchase_days", "count", "recent_purchases", DAYS, lambda d, recent: d.count(where=recent)),
    *trends("net_value", "spend_trend", MONEY, lambda d, span: total(d.paid, span)),
    *trends("purchase_days", "spend_trend", DAYS, lambda d, span: d.count(where=span)),
]


def _mean_gap(days: Any) -> Any:
    return ratio(days.gap.sum(), days.gap.count())


def _gap_spread(days: Any) -> Any:
    return spread(days.gap)


def _in_mean_gaps(span: Any, days: Any) -> Any:
    return span.cast("float64") / once(days, _mean_gap)


def _regularity(days: Any) -> Any:
    mean = once(days, _mean_gap)
    return mean / (mean + once(days, _gap_spread))


RHYTHM: Final = [
    Feature("gap_mean", "days", "timing", "log", DAYS, lambda d: once(d, _mean_gap)),
    Feature("gap_sd", "days", "timing", "log", DAYS, lambda d: once(d, _gap_spread)),
    Feature("gap_variation", "ratio", "timing", "log", DAYS, lambda d: once(d, _gap_spread) / once(d, _mean_gap)),
    Feature("gap_last", "days", "timing", "log", DAYS, lambda d: d.gap.argmin(d.age)),
    Feature("gap_last_relative", "ratio", "timing", "log", DAYS, lambda d: _in_mean_gaps(d.gap.argmin(d.age), d)),
    Feature("silence_relative", "ratio", "timing", "log", DAYS, lambda d: _in_mean_gaps(d.age.min(), d)),
    Feature("gap_regularity", "share", "timing", "linear", DAYS, _regularity),
    Feature("due_in", "days", "timing", "log", DAYS, lambda d: d.gap.argmin(d.age) - d.age.min()),
]

SPENDING: Final = [*BTYD, *HISTORY, *RECENT, *RHYTHM]
