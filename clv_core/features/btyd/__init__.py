"""Buy-till-you-die models: how often customers buy until they silently leave, and what an order is worth.

Own, vectorised implementations: maximum likelihood on unique rows with analytic gradients, quadrature in place of
hypergeometric functions (so no overflow and no NaN at large counts), a regularised answer where the log holds
too little. Rates and ages are in one unit of time throughout; CLV Studio uses days.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
