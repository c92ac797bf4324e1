"""Which column is what and how it is read, by names and one pass over the file, or as answered.

Imports go one way, from the first of these to the last: ``plan``, ``columns``, ``money``, ``orders``. The way in is
``profile.profile``. Every question gets a :class:`~clv_core.collection.infer.log_table.LogTable`, and returns what it
decides, and warnings.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
