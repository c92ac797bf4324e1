"""Sources: where a shop's log lives, saved once and read again and again.

``saved_sources.py`` is a saved source and the table of kinds; ``query.py`` lets only a SELECT through;
``databases.py``, ``files.py`` and ``shopify.py`` fetch rows or files. What they fetch is read as any uploaded file is
(:mod:`clv_core.preprocessing.refresh`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
