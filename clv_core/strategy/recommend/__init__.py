"""Which products to recommend to each customer, and what to put in a tier's mail.

``interactions`` reads the log, ``purchase_signals`` and ``collaborative`` score products and propose candidates,
``ranking`` chooses, ``holdout_month`` measures how good that was, and ``recommendations`` puts all of it in order and
keeps the result for the pages and the files.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
