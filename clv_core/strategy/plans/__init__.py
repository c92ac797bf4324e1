"""Plans: which customer gets which offer within a budget, and what that is expected to bring.

:mod:`offers` defines what can be given, with assumed effects or those of experiments, :mod:`allocation` optimises,
:mod:`budget_plan` makes the tables and what a reader must know of them, and :mod:`saved_offers` stores the offers of a
dataset.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
