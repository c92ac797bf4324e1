"""Vocabulary: what shops call their columns, events, order statuses and contact fields, one TOML file a language.

To add a language, put ``<code>.toml`` here; :mod:`~clv_core.collection.vocabulary.language_files` documents what it
may hold and rejects anything else. The other modules turn the files into the tables that readers look words up in.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
