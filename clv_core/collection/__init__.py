"""Collection: whatever file comes in becomes a dataset, and every row of it is accounted for."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
