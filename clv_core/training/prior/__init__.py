"""Shops of every kind: a wide prior over populations of customers, to learn from before any real log is seen.

A scenario (:mod:`clv_core.collection.simulate`) is one shop whose truth is known exactly. Here every call is another
shop: how often its customers buy and how they differ, when they leave, how regular their gaps are, what the season
does, what they spend, and how much their views, carts, ratings and returns say about all that, from nothing to a lot.
What is drawn, and how wide, is in :mod:`~clv_core.training.prior.shop_traits`; one seed gives one shop.

    shop_traits    what is drawn of a shop
    order_times    who buys when, and who leaves; the calendar, how a customer's own rate moves; subscriptions instead
    shop_log       what orders are worth, returns, views, carts and ratings: one log, and what came after its cutoff
"""

from clv_core.training.prior.shop_log import KINDS, ShopLog, simulate_shop

__all__ = ["KINDS", "ShopLog", "simulate_shop"]
