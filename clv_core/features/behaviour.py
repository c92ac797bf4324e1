"""All features of the feature table, one row each; every list of features derives from :data:`FEATURES`."""

from __future__ import annotations

import math
from datetime import date
from typing import Any, Final

from clv_core.features.expressions import once, ratio, standard_deviation, total
from clv_core.features.feature import ANCHOR, CALENDAR, DERIVED, Feature, counted, trends, windowed
from clv_core.features.relations import DAY_SECONDS, TEXT_CODES, code_of

YEAR_DAYS: Final = 365
"""A year ago, to the day of the month."""
PURCHASE_DAYS, MONEY_DAYS, BASKETS = "purchase_days", "money_days", "baskets"
CATEGORY_DAYS, CATEGORIES, CHANNEL_DAYS, CHANNELS = "category_days", "categories", "channel_days", "channels"
RATING_DAYS, REVIEW_DAYS, COUNTRY_DAYS = "rating_days", "review_days", "country_days"
"""Sources of features: see :data:`clv_core.features.relations.SOURCES`."""


def _repeat_mean(days: Any) -> Any:
    return ratio(total(days.net, days.number > 1).fill_null(0), days.count(where=days.number > 1)).fill_null(0)


def _gap_mean(days: Any) -> Any:
    return ratio(days.gap.sum(), days.gap.count())


def _gap_spread(days: Any) -> Any:
    return standard_deviation(days.gap)


def _in_mean_gaps(span: Any, days: Any) -> Any:
    return span.cast("float64") / once(days, _gap_mean)


def _regularity(days: Any) -> Any:
    mean = once(days, _gap_mean)
    return mean / (mean + once(days, _gap_spread))


SPENDING: Final = [
    Feature("frequency", "count", "purchases", "log", PURCHASE_DAYS, lambda d: d.count() - 1, empty=0),
    Feature("recency", "days", "age", "log", PURCHASE_DAYS, lambda d: d.age.max() - d.age.min()),
    Feature("T", "days", "age", "log", PURCHASE_DAYS, lambda d: d.age.max()),
    Feature("monetary_value", "money", "spend", "log", PURCHASE_DAYS, _repeat_mean),
    Feature("purchase_days", "count", "purchases", "log", PURCHASE_DAYS, lambda d: d.count(), empty=0),
    Feature("days_since_last", "days", "timing", "log", PURCHASE_DAYS, lambda d: d.age.min()),
    Feature("net_value", "money", "spend", "log", MONEY_DAYS, lambda d: total(d.net), empty=0),
    Feature("spend_per_day", "money", "spend", "log", MONEY_DAYS, lambda d: ratio(total(d.net), d.age.max()), empty=0),
    Feature("first_day_value", "money", "spend", "log", PURCHASE_DAYS, lambda d: total(d.net, d.number == 1)),
    Feature("last_day_value", "money", "spend", "log", PURCHASE_DAYS, lambda d: d.net.argmin(d.age)),
    *windowed("net_value", "money", "recent_spend", MONEY_DAYS, lambda d, recent: total(d.net, recent)),
    *windowed("purchase_days", "count", "recent_purchases", PURCHASE_DAYS, lambda d, recent: d.count(where=recent)),
    *trends("net_value", "spend_trend", MONEY_DAYS, lambda d, span: total(d.paid, span)),
    *trends("purchase_days", "spend_trend", PURCHASE_DAYS, lambda d, span: d.count(where=span)),
    Feature("gap_mean", "days", "timing", "log", PURCHASE_DAYS, lambda d: once(d, _gap_mean)),
    Feature("gap_sd", "days", "timing", "log", PURCHASE_DAYS, lambda d: once(d, _gap_spread)),
    Feature(
        "gap_variation", "ratio", "timing", "log", PURCHASE_DAYS, lambda d: once(d, _gap_spread) / once(d, _gap_mean)
    ),
    Feature("gap_last", "days", "timing", "log", PURCHASE_DAYS, lambda d: d.gap.argmin(d.age)),
    Feature(
        "gap_last_relative", "ratio", "timing", "log", PURCHASE_DAYS, lambda d: _in_mean_gaps(d.gap.argmin(d.age), d)
    ),
    Feature("silence_relative", "ratio", "timing", "log", PURCHASE_DAYS, lambda d: _in_mean_gaps(d.age.min(), d)),
    Feature("gap_regularity", "share", "timing", "linear", PURCHASE_DAYS, _regularity),
    Feature("due_in", "days", "timing", "log", PURCHASE_DAYS, lambda d: d.gap.argmin(d.age) - d.age.min()),
]
"""What was bought: the four of buy-till-you-die models, money, counts and trends, the rhythm of buying."""


def _unit_price(baskets: Any) -> Any:
    return ratio(total(baskets.value, baskets.quantity > 0), total(baskets.quantity, baskets.quantity > 0))


def _basket_quantity(baskets: Any) -> Any:
    return ratio(total(baskets.quantity), baskets.quantity.count())


def _discount_share(baskets: Any) -> Any:
    return ratio(total(baskets.discount), total(baskets.value + baskets.discount))


LINES_A_DAY: Final = 2**16
"""More than anybody has in a category on a day: ``day * LINES_A_DAY + lines`` orders by day, then by lines."""
LONGEST_AGE: Final = 2**14
"""More days than any log: ``times * LONGEST_AGE - age`` orders by times, then by the latest one."""


def _last_category(days: Any) -> Any:
    """Return the category of the latest day, of several the one with most lines, then the last by its text."""
    return code_of(((days.day.cast("int64") * LINES_A_DAY + days.seen) * TEXT_CODES + days.category).max())


def _top_category(categories: Any) -> Any:
    """Return the category bought most often, of several the latest, then the last by its text."""
    times = categories.bought.cast("int64") * LONGEST_AGE
    return code_of(((times - categories.last_age) * TEXT_CODES + categories.category).max())


def _top_channel(channels: Any) -> Any:
    """Return the channel of most days, of several the latest, then the last by its text."""
    times = channels["days"].cast("int64") * LONGEST_AGE
    return code_of(((times - channels.last_age) * TEXT_CODES + channels.channel).max())


def _top_channel_share(channels: Any) -> Any:
    return ratio(channels["days"].max(), channels["days"].sum())


def _last_other(steps: Any) -> Any:
    moment = steps.day.cast("int64") * DAY_SECONDS + steps.second
    return code_of((moment * TEXT_CODES + steps.type).max())


def _discounted_orders(baskets: Any) -> Any:
    return ratio(baskets.count(where=baskets.discount > 0), baskets.discount.count())


SHOPPING: Final = [
    Feature("orders", "count", "purchases", "log", BASKETS, lambda b: b.count(), empty=0),
    Feature("basket_value_mean", "money", "basket", "log", BASKETS, lambda b: ratio(total(b.value), b.count())),
    Feature("basket_value_max", "money", "basket", "log", BASKETS, lambda b: b.value.max()),
    Feature("basket_quantity_mean", "items", "basket", "log", BASKETS, _basket_quantity),
    Feature("basket_lines_mean", "count", "basket", "log", BASKETS, lambda b: ratio(b.lines.sum(), b.count())),
    Feature("unit_price_mean", "money", "price", "log", BASKETS, _unit_price),
    Feature("discount_share", "share", "discount", "linear", BASKETS, _discount_share),
    Feature("discounted_orders_share", "share", "discount", "linear", BASKETS, _discounted_orders),
    Feature("categories_bought", "count", "categories", "log", CATEGORIES, lambda c: c.count(where=c.bought > 0)),
    Feature("categories_seen", "count", "categories", "log", CATEGORIES, lambda c: c.count()),
    Feature(
        "top_category_share",
        "share",
        "categories",
        "linear",
        CATEGORIES,
        lambda c: ratio(c.bought.max(), c.bought.sum()),
    ),
    Feature("top_category", "text", "categories", "category", CATEGORIES, _top_category),
    Feature("last_category", "text", "categories", "category", CATEGORY_DAYS, _last_category),
    Feature("categories_seen_90d", "count", "categories", "log", CATEGORIES, lambda c: c.count(where=c.last_age <= 90)),
    Feature(
        "returned_share", "share", "returns", "linear", MONEY_DAYS, lambda d: ratio(total(d.returned), total(d.paid))
    ),
    Feature("returned_value", "money", "returns", "log", MONEY_DAYS, lambda d: total(d.returned), empty=0),
    *windowed("returned_value", "money", "returns", MONEY_DAYS, lambda d, recent: total(d.returned, recent)),
    *counted("returns", "returns", "returns"),
]
"""How it was bought: baskets, prices, discounts, categories, returns."""


def _conversion(name: str, done: str, chance: str) -> Feature:
    return Feature(name, "ratio", "actions", "log", DERIVED, lambda row: ratio(row[done], row[chance]))


def _rating_mean(days: Any) -> Any:
    return ratio(total(days.total), days.ratings.sum())


def _rating_last(days: Any) -> Any:
    return ratio(days.total, days.ratings).argmin(days.age)


def _length_mean(days: Any) -> Any:
    return ratio(days.length.sum(), days.reviews.sum())


def _length_last(days: Any) -> Any:
    return ratio(days.length, days.reviews).argmin(days.age)


INTEREST: Final = [
    *counted("views", "views", "actions"),
    *counted("carts", "carts", "actions"),
    *counted("others", "others", "actions"),
    Feature("last_other", "text", "actions", "category", "others", _last_other),
    *counted("ratings", "rating_events", "ratings"),
    *counted("reviews", "review_events", "ratings"),
    _conversion("view_to_cart", "carts", "views"),
    _conversion("cart_to_purchase", "orders", "carts"),
    _conversion("view_to_purchase", "orders", "views"),
    _conversion("view_to_cart_90d", "carts_90d", "views_90d"),
    _conversion("cart_to_purchase_90d", "purchase_days_90d", "carts_90d"),
    Feature("rating_mean", "stars", "ratings", "linear", RATING_DAYS, lambda d: once(d, _rating_mean)),
    Feature("rating_min", "stars", "ratings", "linear", RATING_DAYS, lambda d: d.lowest.min()),
    Feature("rating_last", "stars", "ratings", "linear", RATING_DAYS, lambda d: once(d, _rating_last)),
    Feature(
        "rating_trend",
        "stars",
        "ratings",
        "linear",
        RATING_DAYS,
        lambda d: once(d, _rating_last) - once(d, _rating_mean),
    ),
    Feature("review_length_mean", "characters", "ratings", "log", REVIEW_DAYS, _length_mean),
    Feature("review_length_last", "characters", "ratings", "log", REVIEW_DAYS, _length_last),
]
"""Activity besides purchases: views, carts, ratings, reviews, other events, and how they convert."""


def _year_turn(cutoff: date) -> float:
    return 2 * math.pi * cutoff.timetuple().tm_yday / YEAR_DAYS


def _season_share(days: Any) -> Any:
    year = days.age <= YEAR_DAYS
    season = total(days.paid, year & (days.age > YEAR_DAYS - days.horizon)).fill_null(0)
    return (days.age.max() >= YEAR_DAYS).ifelse(ratio(season, total(days.paid, year)), None)


CIRCUMSTANCE: Final = [
    Feature("tenure", "days", "age", "log", "steps", lambda s: s.age.max()),
    Feature("events", "count", "actions", "log", "steps", lambda s: s.lines.sum(), empty=0),
    Feature("days_since_any", "days", "timing", "log", "steps", lambda s: s.age.min()),
    Feature(
        "unpaid_days", "days", "age", "log", DERIVED, lambda row: (row["purchase_days"] < 1).ifelse(row["tenure"], None)
    ),
    Feature("first_channel", "text", "channel", "category", CHANNEL_DAYS, lambda d: code_of(d["first"].min())),
    Feature("last_channel", "text", "channel", "category", CHANNEL_DAYS, lambda d: code_of(d["last"].max())),
    Feature("top_channel", "text", "channel", "category", CHANNELS, _top_channel),
    Feature("top_channel_share", "share", "channel", "linear", CHANNELS, _top_channel_share),
    Feature("country", "text", "country", "category", COUNTRY_DAYS, lambda d: code_of(d["last"].max())),
    Feature("year_sin", "ratio", "season", "plain", CALENDAR, lambda cutoff: math.sin(_year_turn(cutoff))),
    Feature("year_cos", "ratio", "season", "plain", CALENDAR, lambda cutoff: math.cos(_year_turn(cutoff))),
    Feature("season_share", "share", "season", "linear", MONEY_DAYS, _season_share),
    Feature("anchor_count", "count", "anchor", "log", ANCHOR, lambda a, rows, days: a.expected_count(rows, days)),
    Feature("anchor_spend", "money", "anchor", "log", ANCHOR, lambda a, rows, days: a.expected_spend(rows)),
    Feature(
        "anchor_value",
        "money",
        "anchor",
        "log",
        ANCHOR,
        lambda a, rows, days: rows["anchor_count"] * rows["anchor_spend"],
    ),
    Feature("p_alive", "share", "anchor", "linear", ANCHOR, lambda a, rows, days: a.p_alive(rows)),
]
"""Tenure, channel, country and season of a customer; and what the anchor expects."""

TEXTS: Final = {
    **{"top_category": "category", "last_category": "category", "last_other": "type"},
    **{"first_channel": "channel", "last_channel": "channel", "top_channel": "channel", "country": "country"},
}
"""The vocabulary of each text feature: its relation holds codes."""

FEATURES: Final[dict[str, Feature]] = {
    feature.name: feature for feature in (*SPENDING, *SHOPPING, *INTEREST, *CIRCUMSTANCE)
}
"""All features by name, in the order of the feature table's columns."""

GROUPS: Final[tuple[str, ...]] = tuple(dict.fromkeys(feature.group for feature in FEATURES.values()))
"""The named groups that explanations speak of, in the order of their first feature."""
