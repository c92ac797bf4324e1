"""Store: the versions of a dataset, each with its files and a manifest."""
