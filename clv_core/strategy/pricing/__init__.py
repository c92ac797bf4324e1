"""How sales answer prices, and what a price rule would bring.

``panel`` counts sales by product and week, ``poisson`` estimates one response, ``price_responses`` those of all
categories and tiers and keeps them on disk, ``price_rule`` applies them to a change of prices.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
