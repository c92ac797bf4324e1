"""Rows of a file: loaded, rejected with a reason, deduplicated, summed up and checked. Nothing is stored yet."""
