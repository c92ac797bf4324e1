"""Shops of every kind: a wide prior over populations of customers, to learn from before any real log is seen.

A scenario (:mod:`clv_core.collection.simulate`) is one shop with known truth. Here every call is another shop: how
often its customers buy and how they differ, when they leave, how regular their gaps are, what the season does, what
they spend, and how much their views, carts, ratings and returns say about all that, from nothing to a lot. What is
drawn, and how wide, stands in :mod:`~clv_core.collection.simulate.populations.traits`; one seed gives one shop.

    traits     what is drawn of a shop
    calendar   season, trend and shocks by week
    moods      how a customer's own rate moves
    orders     who buys when, and who leaves
    spend      what an order is worth
    behaviour  returns, views, carts and ratings
    shop       all of it as one log, with what came after its cutoff
"""

from clv_core.collection.simulate.populations.shop import KINDS, ShopLog, simulate_shop

__all__ = ["KINDS", "ShopLog", "simulate_shop"]
