"""Stored: a dataset's files, its manifest, and where they lie."""
