"""A customers table joins a log: read as text through the same door, typed, accounted for, and matched.

Stored as Parquet: ``customer_id`` text; attributes that are on under their own names (number or text); the dates that
say since when dated attributes hold, as DATE in the log's time zone; contact fields and ``consent`` as text under the
names of :mod:`clv_core.collection.vocabulary.column_names`. Several rows a customer only where an attribute is dated.

Opening a file, its lines, cells that stand for nothing, forms of numbers and dates, spellings and hashes of ids are the
log's (``read``, ``parse``, ``ReadingPlan.clean``, ``rows.similar_ids``). Its own are the roles of columns, one row a
customer in place of one an event, and the match with the log's ids.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
