"""Experiments: who gets an offer by chance, and what the offer brought.

:mod:`randomization` assigns the groups, :mod:`measurement` reads who was in which group and what they spent, and
:mod:`treatment_effect` has the statistics.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
