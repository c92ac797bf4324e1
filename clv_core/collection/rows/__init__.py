"""Rows of a file: loaded, rejected with a reason, deduplicated, summed up and checked. Nothing is stored yet."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
