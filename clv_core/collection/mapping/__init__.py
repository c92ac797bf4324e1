"""Mapping: which column is what and how it is read, by names and one pass over the whole file, or as was answered.

Imports go one way, from the first of these to the last: ``plan``, ``columns``, ``customers``, ``states``, ``kinds``,
``proposals``, ``money``, ``orders``; then come the files beside them.
"""
