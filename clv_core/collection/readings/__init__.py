"""Readings: a file read to the end, what repeats or was told otherwise since, and several readings as one log."""
