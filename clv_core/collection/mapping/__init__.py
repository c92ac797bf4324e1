"""Mapping: which column is what and how it is read, by names and one pass over the whole file, or as was answered."""
