"""Erasure: customers are erased from a workspace, and a certificate says what was done and what a search still finds.

:mod:`.erase` runs the steps, :mod:`.places` is the table of what is done where, :mod:`.dataset_erasure`,
:mod:`.bundle_erasure` and :mod:`.file_erasure` change what cannot be made again, :mod:`.file_search` finds customers in
a file of any kind. A run that is cut off is finished by the next one with the same ids.
"""
