"""Segments: schemes that cut scored customers on them, and figures of what is in each segment.

    parse_scheme(text) -> Segmentation -> fit(customers) -> FittedScheme -> place(customers) -> Assignment

Value tiers are the default scheme. :mod:`.scored_customers` leads from a scheme's text to the columns of a list.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
