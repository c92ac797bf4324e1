"""Models: networks with their heads and encoders, boosting, baselines and the blend of them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
