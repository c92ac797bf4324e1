"""Features of behaviour around a purchase: views, carts, ratings, reviews, other events, and how they convert."""

from __future__ import annotations

from typing import Any, Final

from clv_core.features.expressions import once, ratio, total
from clv_core.features.feature import DERIVED, Feature, counted

RATINGS: Final = "rating_days"
REVIEWS: Final = "review_days"


def _conversion(name: str, done: str, chance: str) -> Feature:
    return Feature(name, "ratio", "actions", "log", DERIVED, lambda row: ratio(row[done], row[chance]))


CONVERSION: Final = [
    _conversion("view_to_cart", "carts", "views"),
    _conversion("cart_to_purchase", "orders", "carts"),
    _conversion("view_to_purchase", "orders", "views"),
    _conversion("view_to_cart_90d", "carts_90d", "views_90d"),
    _conversion("cart_to_purchase_90d", "purchase_days_90d", "carts_90d"),
]


def _mean(days: Any) -> Any:
    return ratio(total(days.total), days.ratings.sum())


def _last(days: Any) -> Any:
    return ratio(days.total, days.ratings).argmin(days.age)


def _mean_length(days: Any) -> Any:
    return ratio(days.length.sum(), days.reviews.sum())


def _last_length(days: Any) -> Any:
    return ratio(days.length, days.reviews).argmin(days.age)


RATED: Final = [
    Feature("rating_mean", "stars", "ratings", "linear", RATINGS, lambda d: once(d, _mean)),
    Feature("rating_min", "stars", "ratings", "linear", RATINGS, lambda d: d.lowest.min()),
    Feature("rating_last", "stars", "ratings", "linear", RATINGS, lambda d: once(d, _last)),
    Feature("rating_trend", "stars", "ratings", "linear", RATINGS, lambda d: once(d, _last) - once(d, _mean)),
]

REVIEWED: Final = [
    Feature("review_length_mean", "characters", "ratings", "log", REVIEWS, _mean_length),
    Feature("review_length_last", "characters", "ratings", "log", REVIEWS, _last_length),
]

INTEREST: Final = [
    *counted("views", "views", "actions"),
    *counted("carts", "carts", "actions"),
    *counted("others", "others", "actions"),
    *counted("ratings", "rating_events", "ratings"),
    *counted("reviews", "review_events", "ratings"),
    *CONVERSION,
    *RATED,
    *REVIEWED,
]
