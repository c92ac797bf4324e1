"""Training: which cutoffs a model learns from, how it is fitted, what that costs, and what resumes a killed run."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
