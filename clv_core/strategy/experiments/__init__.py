"""Experiments: who gets an offer by chance, and what the offer brought.

:mod:`randomized_experiment` assigns the groups, and reads later who was in which group and what they spent;
:mod:`treatment_effect` has the statistics.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
