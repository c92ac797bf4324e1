"""Preprocessing: cleaning rules on a dataset, customers tables, and the loads of sources."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
