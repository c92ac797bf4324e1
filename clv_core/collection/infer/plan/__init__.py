"""The plan of a reading: how each cell, row and order becomes an event, as SQL, and what is counted by it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
