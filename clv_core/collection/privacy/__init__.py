"""Privacy: the suppression list, the ledger of erased customers, and the search for their ids in what is read.

Neither list names anybody: both hold hashes under a key that is kept outside the workspace.
"""
