"""What the shop will take, and how what came differs from it.

``bridge`` leads from a forecast to what came, line by line.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
