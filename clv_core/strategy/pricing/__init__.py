"""How sales answer prices, and what a price rule would bring.

``panel`` counts sales by product and week, ``poisson`` estimates one response, ``price_responses`` those of all
categories and tiers and keeps them on disk, ``price_rule`` applies them to a change of prices.
"""
