"""Upkeep of a workspace: what concerns a dataset or a workspace with all that was made from it.

``lifecycle`` renames, prunes, deletes or gives another currency, ``backup`` packs a workspace into one file,
``retention`` removes what is older than it may get, ``old_layout`` moves what an earlier version left elsewhere,
``demo`` opens the one that is shown.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
