"""Merge: several logs become one. Rows held twice count once; of an order, the newest state counts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
