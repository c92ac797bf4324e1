"""Parsing: the texts of cells become numbers, times, amounts of money, phone numbers, ids and pseudonyms."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
