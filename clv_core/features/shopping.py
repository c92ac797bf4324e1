"""Features of what is bought: baskets, prices, discounts, categories, returns."""

from __future__ import annotations

from typing import Any, Final

from clv_core.features.expressions import ratio, total
from clv_core.features.feature import Feature, counted, windowed

BASKETS: Final = "baskets"
CATEGORIES: Final = "categories"
MONEY: Final = "money_days"
RETURNS: Final = "returns"


def _quantity(baskets: Any) -> Any:
    return ratio(total(baskets.quantity), baskets.quantity.count())


BASKET: Final = [
    Feature("orders", "count", "purchases", "log", BASKETS, lambda b: b.count(), empty=0),
    Feature("basket_value_mean", "money", "basket", "log", BASKETS, lambda b: ratio(total(b.value), b.count())),
    Feature("basket_value_max", "money", "basket", "log", BASKETS, lambda b: b.value.max()),
    Feature("basket_quantity_mean", "items", "basket", "log", BASKETS, _quantity),
    Feature("basket_lines_mean", "count", "basket", "log", BASKETS, lambda b: ratio(b.lines.sum(), b.count())),
    Feature(
        "unit_price_mean",
        "money",
        "price",
        "log",
        BASKETS,
        lambda b: ratio(total(b.value, b.quantity > 0), total(b.quantity, b.quantity > 0)),
    ),
    Feature(
        "discount_share",
        "share",
        "discount",
        "linear",
        BASKETS,
        lambda b: ratio(total(b.discount), total(b.value + b.discount)),
    ),
    Feature(
        "discounted_orders_share",
        "share",
        "discount",
        "linear",
        BASKETS,
        lambda b: ratio(b.count(where=b.discount > 0), b.discount.count()),
    ),
]

CATEGORY: Final = [
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
    Feature("categories_seen_90d", "count", "categories", "log", CATEGORIES, lambda c: c.count(where=c.last_age <= 90)),
]

RETURNED: Final = [
    Feature("returned_share", "share", "returns", "linear", MONEY, lambda d: ratio(total(d.returned), total(d.paid))),
    Feature("returned_value", "money", "returns", "log", MONEY, lambda d: total(d.returned), empty=0),
    *windowed("returned_value", "money", "returns", MONEY, lambda d, recent: total(d.returned, recent)),
    *counted("returns", RETURNS, "returns"),
]

SHOPPING: Final = [*BASKET, *CATEGORY, *RETURNED]
