"""Every kind of feature on a log small enough to reckon by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from clv_core.features.behaviour import FEATURES, GROUPS
from clv_core.features.log import EventLog

Opener = Callable[..., EventLog]
CUTOFF = date(2024, 4, 10)

COLUMNS = (
    "customer_id event_time event_type amount order_id category quantity discount rating review_text channel country"
).split()
EVENTS = [
    ("ann", "2023-04-20 09:00", "purchase", 40.0, "o0", "toys", 1, None, None, None, "web", "DE"),
    ("ann", "2024-01-01 10:00", "view", None, None, "books", None, None, None, None, "web", "DE"),
    ("ann", "2024-01-01 10:01", "view", None, None, "music", None, None, None, None, "web", "DE"),
    ("ann", "2024-01-01 10:02", "cart", None, None, "books", None, None, None, None, "web", "DE"),
    ("ann", "2024-01-01 10:05", "purchase", 20.0, "o1", "books", 2, 5.0, None, None, "web", "DE"),
    ("ann", "2024-01-01 10:05", "purchase", 10.0, "o1", "books", 1, None, None, None, "web", "DE"),
    ("ann", "2024-03-01 08:00", "purchase", 60.0, "o2", "music", 3, None, None, None, "app", "DE"),
    ("ann", "2024-03-01 09:00", "purchase", 30.0, "o3", "books", 1, None, None, None, "app", "DE"),
    ("ann", "2024-03-05 09:00", "return", -30.0, "o3", "books", 1, None, None, None, "app", "FR"),
    ("ann", "2024-03-06 09:00", "rating", None, None, "music", None, None, 5, None, "app", None),
    ("ann", "2024-04-01 09:00", "rating", None, None, "books", None, None, 2, None, "app", None),
    ("ann", "2024-04-02 09:00", "review", None, None, "books", None, None, None, "so-so", "app", None),
    ("ann", "2024-04-09 23:59", "wishlist", None, None, "books", None, None, None, None, None, None),
    ("bob", "2024-04-05 12:00", "view", None, None, None, None, None, None, None, None, None),
    ("cyd", "2024-02-01 12:00", "purchase", 25.0, None, None, None, None, None, None, None, None),
    ("cyd", "2024-02-01 18:00", "return", -25.0, None, None, None, None, None, None, None, None),
    ("dan", "2024-04-10 00:00", "purchase", 99.0, None, None, None, None, None, None, None, None),
]
ANN = {
    "frequency": 2,
    "recency": 316,
    "T": 356,
    "monetary_value": 60.0,
    "purchase_days": 3,
    "days_since_last": 40,
    "net_value": 130.0,
    "spend_per_day": 130 / 356,
    "first_day_value": 40.0,
    "last_day_value": 90.0,
    "net_value_7d": 0,
    "net_value_30d": 0,
    "net_value_90d": 60.0,
    "net_value_180d": 90.0,
    "purchase_days_90d": 1,
    "net_value_trend_90d": 90 / 120,
    "net_value_trend_30d": 0,
    "purchase_days_trend_180d": 2 / 3,
    "gap_mean": 158,
    "gap_sd": np.std([256, 60], ddof=1),
    "gap_variation": np.std([256, 60], ddof=1) / 158,
    "gap_last": 60,
    "gap_last_relative": 60 / 158,
    "silence_relative": 40 / 158,
    "gap_regularity": 158 / (158 + np.std([256, 60], ddof=1)),
    "due_in": 20,
    "orders": 4,
    "basket_value_mean": 40.0,
    "basket_value_max": 60.0,
    "basket_quantity_mean": 2.0,
    "basket_lines_mean": 1.25,
    "unit_price_mean": 20.0,
    "discount_share": 5 / 35,
    "discounted_orders_share": 1.0,
    "categories_bought": 3,
    "categories_seen": 3,
    "categories_seen_90d": 2,
    "top_category_share": 3 / 5,
    "top_category": "books",
    "last_category": "books",
    "returned_share": 30 / 160,
    "returned_value": 30.0,
    "returned_value_30d": 0,
    "returned_value_90d": 30.0,
    "returns": 1,
    "returns_90d": 1,
    "days_since_return": 36,
    "views": 2,
    "views_90d": 0,
    "views_180d": 2,
    "views_trend_90d": 0.0,
    "days_since_view": 100,
    "carts": 1,
    "days_since_cart": 100,
    "others": 1,
    "others_7d": 1,
    "days_since_other": 1,
    "last_other": "wishlist",
    "ratings": 2,
    "ratings_30d": 1,
    "days_since_rating": 9,
    "reviews": 1,
    "reviews_7d": 0,
    "days_since_review": 8,
    "view_to_cart": 0.5,
    "cart_to_purchase": 4.0,
    "view_to_purchase": 2.0,
    "rating_mean": 3.5,
    "rating_min": 2,
    "rating_last": 2,
    "rating_trend": -1.5,
    "review_length_mean": 5,
    "review_length_last": 5,
    "tenure": 356,
    "events": 13,
    "days_since_any": 1,
    "first_channel": "web",
    "last_channel": "app",
    "top_channel": "app",
    "top_channel_share": 5 / 7,
    "country": "FR",
    "year_sin": np.sin(2 * np.pi * 101 / 365),
    "year_cos": np.cos(2 * np.pi * 101 / 365),
}


@pytest.fixture
def features(opened: Opener) -> pd.DataFrame:
    frame = pd.DataFrame(EVENTS, columns=COLUMNS)
    frame["event_time"] = pd.to_datetime(frame["event_time"])
    return opened(frame).snapshot(CUTOFF, 30).features


def test_a_category_counts_as_recent_up_to_its_ninetieth_day(opened: Opener) -> None:
    ages = {"books": 89, "music": 90, "toys": 91, "tea": 200}
    rows = [("ann", CUTOFF - timedelta(days=age), "view", name) for name, age in ages.items()]
    rows += [("bob", CUTOFF - timedelta(days=91), "view", "tea"), ("bob", CUTOFF - timedelta(days=90), "cart", "tea")]
    frame = pd.DataFrame(rows, columns=["customer_id", "event_time", "event_type", "category"])
    found = opened(frame.assign(event_time=pd.to_datetime(frame["event_time"]))).snapshot(CUTOFF, 30).features
    assert found["categories_seen_90d"].to_dict() == {"ann": 2, "bob": 1}


def test_of_equal_categories_and_channels_the_latest_is_the_favourite(opened: Opener) -> None:
    rows = [
        ("ann", "2024-01-01", "toys", "web"),
        ("ann", "2024-02-01", "books", "app"),
        ("bob", "2024-01-01", "toys", "web"),
        ("bob", "2024-01-02", "toys", "web"),
        ("bob", "2024-02-01", "books", "app"),
        ("bob", "2024-04-10", "books", "app"),
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "event_time", "category", "channel"])
    frame = frame.assign(event_time=pd.to_datetime(frame["event_time"]), event_type="purchase", amount=5.0)
    found = opened(frame).snapshot(CUTOFF, 30).features
    assert found["top_category"].to_dict() == {"ann": "books", "bob": "toys"}
    assert found["top_channel"].to_dict() == {"ann": "app", "bob": "web"}
    assert found["last_category"].to_dict() == {"ann": "books", "bob": "books"}


def test_a_customer_with_everything(features: pd.DataFrame) -> None:
    found = features.loc["ann"]
    wrong = {
        name: (found[name], value)
        for name, value in ANN.items()
        if (found[name] != value if isinstance(value, str) else found[name] != pytest.approx(value, rel=1e-12))
    }
    assert wrong == {}


def test_who_never_bought_has_counts_of_zero_and_no_times(features: pd.DataFrame) -> None:
    bob = features.loc["bob"]
    assert bob[["T", "recency", "monetary_value", "days_since_last", "gap_mean", "basket_value_mean"]].isna().all()
    zero = ["frequency", "purchase_days", "net_value", "net_value_365d", "orders", "anchor_count", "p_alive", "carts"]
    assert (bob[zero] == 0).all()
    assert (bob["views"], bob["tenure"], bob["unpaid_days"]) == (1, 5, 5)
    assert np.isnan(features.loc["ann", "unpaid_days"]) and np.isnan(bob["due_in"])
    assert bob["first_channel"] is None and bob["country"] is None


def test_an_order_cancelled_the_same_day_is_no_purchase_day(features: pd.DataFrame) -> None:
    cyd = features.loc["cyd"]
    assert (cyd["purchase_days"], cyd["net_value"], cyd["frequency"]) == (0, 0, 0)
    assert np.isnan(cyd["T"])
    assert (cyd["orders"], cyd["returned_share"]) == (1, 1.0)


def test_a_customer_first_seen_at_the_cutoff_is_not_there(features: pd.DataFrame) -> None:
    assert list(features.index) == ["ann", "bob", "cyd"]


def test_season_share_needs_a_year_and_looks_at_the_horizon_one_year_ago(opened: Opener) -> None:
    def bought(days_ago: int, amount: float) -> tuple[object, ...]:
        return ("eve", pd.Timestamp(CUTOFF) - pd.Timedelta(days=days_ago), "purchase", amount)

    names = ["customer_id", "event_time", "event_type", "amount"]
    rows = [bought(400, 7.0), bought(365, 10.0), bought(336, 20.0), bought(335, 40.0), bought(1, 30.0)]
    assert opened(pd.DataFrame(rows, columns=names)).snapshot(CUTOFF, 30).features["season_share"].item() == 0.3
    young = opened(pd.DataFrame(rows[2:], columns=names)).snapshot(CUTOFF, 30)
    assert young.features["season_share"].isna().all()


def test_the_table_is_complete(features: pd.DataFrame) -> None:
    assert len(FEATURES) >= 40
    assert list(features.columns) == [*FEATURES, "review_text"]
    assert 15 <= len(GROUPS) <= 25
    for name, feature in FEATURES.items():
        assert features[name].dtype == (object if feature.scale == "category" else np.float64), name
        if feature.scale != "category":
            assert not np.isinf(features[name]).any(), name


def test_the_last_days_hold_the_day_that_many_days_ago(opened: Opener) -> None:
    """The last 30 days before April 10 begin on March 11, the 60 before it on February 10."""
    orders = [("eve", "2024-02-09", 40.0), ("eve", "2024-02-10", 30.0), ("eve", "2024-03-11", 10.0)]
    frame = pd.DataFrame(orders, columns=["customer_id", "event_time", "amount"]).assign(event_type="purchase")
    frame["event_time"] = pd.to_datetime(frame["event_time"])
    eve = opened(frame).snapshot(CUTOFF, 30).features.loc["eve"]
    assert (eve["net_value_30d"], eve["net_value_trend_30d"], eve["days_since_last"]) == (10.0, 10 / 40, 30)
