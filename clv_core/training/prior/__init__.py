"""Shops of every kind: a wide prior over populations of customers, to learn from before any real log is seen.

A scenario (:mod:`clv_core.collection.simulate`) is one shop with known truth. Here every call is another shop: how
often its customers buy and how they differ, when they leave, how regular their gaps are, what the season does, what
they spend, and how much their views, carts, ratings and returns say about all that, from nothing to a lot. What is
drawn, and how wide, stands in :mod:`~clv_core.training.prior.shop_traits`; one seed gives one shop.

    shop_traits    what is drawn of a shop
    seasonality    season, trend and shocks by week
    rate_drift     how a customer's own rate moves
    order_times    who buys when, and who leaves
    order_values   what an order is worth
    renewals       subscriptions instead of orders
    side_events    returns, views, carts and ratings
    shop_log       all of it as one log, with what came after its cutoff
"""

from clv_core.training.prior.shop_log import KINDS, ShopLog, simulate_shop

__all__ = ["KINDS", "ShopLog", "simulate_shop"]
