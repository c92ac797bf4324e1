"""Files: whatever bytes come in become a table of texts, with the line number of each row.

``source.open_source`` does all of it: what the bytes are (``content``), out of archives and workbooks, into UTF-8
(``encoding``), how cells are separated (``dialect``, ``quotes``), rows made complete (``layouts``), values
within cells (``json_values``) and columns made of others (``derived_columns``). Nothing is imported here:
:mod:`~clv_core.collection.read.sheets` runs by itself and starts quickly.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
