"""Evaluation: how good a model is out of time, how sure that is, and whether it can be trusted."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
