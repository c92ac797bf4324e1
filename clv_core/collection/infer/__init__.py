"""Mapping: which column is what and how it is read, by names and one pass over the whole file, or as was answered.

Imports go one way, from the first of these to the last: ``plan``, ``columns``, ``customers``, ``states``, ``kinds``,
``proposals``, ``money``, ``orders``; then come the files beside them. ``profile.profile`` is the way in.
Every question gets a :class:`~clv_core.collection.infer.log_table.LogTable`, and returns what it decides and what is
to be said of it.
"""
