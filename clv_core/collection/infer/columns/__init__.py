"""What one column is, by its own name and values: money, numbers, times, marks that a spreadsheet left."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
