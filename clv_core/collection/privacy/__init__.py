"""Privacy: the suppression list, the ledger of erased customers, and the search for their ids in what is read.

Neither list names anybody: both hold hashes under a key that is kept outside the workspace.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
