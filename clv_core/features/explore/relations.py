"""What the views read, as SQL over ``cells``: the same text fills the stored cube and any part of it.

A distinct count over a span never needs a hash of customers: each row knows the day before it, so a customer is counted
once, on the first day inside the span. That is what lets a view over 20 million events answer within a second.

    cells       customer x day x channel x country: events, views, carts, purchases (lines), orders, paid, returned
    active      customer, day, previous: the day of the customer's row before; the same day where it has several rows
    money_days  customer x day with a purchase or a return: purchases, orders, paid, returned; and of purchase days only
                first (the customer's), previous and next (NULL where there is none)
    rated       customer x day x channel x country x rating: ratings, and next, the first purchase day after that day
    sold        category x day x channel x country: purchases (lines), paid, returned
"""

from __future__ import annotations

from typing import Final

NEVER: Final = "DATE '0001-01-01'"
"""A day before any log, for a customer's first row."""

PREVIOUS: Final = f"lag(day, 1, {NEVER}) OVER (PARTITION BY customer ORDER BY day, channel, country)"

ACTIVE: Final = f"SELECT customer, day, {PREVIOUS} AS previous FROM cells"

MONEY_DAYS: Final = """
WITH days AS (
    SELECT customer, day, sum(purchases)::INTEGER AS purchases, sum(orders)::INTEGER AS orders,
        sum(paid)::DECIMAL(18, 6) AS paid, sum(returned)::DECIMAL(18, 6) AS returned,
        CASE WHEN sum(purchases) > 0 THEN day END AS bought
    FROM cells WHERE purchases > 0 OR returned <> 0 GROUP BY customer, day)
SELECT customer, day, purchases, orders, paid, returned,
    min(bought) OVER (PARTITION BY customer) AS first,
    lag(bought IGNORE NULLS) OVER (PARTITION BY customer ORDER BY day) AS previous,
    lead(bought IGNORE NULLS) OVER (PARTITION BY customer ORDER BY day) AS next
FROM days
"""

RATED: Final = """
SELECT ratings.*, bought.day AS next
FROM ratings ASOF LEFT JOIN (SELECT customer, day FROM money_days WHERE purchases > 0) AS bought
    ON ratings.customer = bought.customer AND ratings.day < bought.day
"""

BUYERS: Final = """
SELECT customer, sum(orders) AS orders, max(day) FILTER (WHERE purchases > 0) AS last,
    (sum(paid) - sum(returned))::DOUBLE AS value
FROM money_days WHERE {period} GROUP BY customer HAVING sum(purchases) > 0
"""
"""One row a customer who bought in the period: orders, last purchase day, net value of the period."""
