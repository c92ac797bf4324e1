"""Checks of new data against a model's training data, period by period."""
