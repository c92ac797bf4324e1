"""People who asked: those who are erased and must not come back, those whom no list may hold.

Neither list names anybody: both keep hashes under the key that lies beside the workspace, never in it.
"""
