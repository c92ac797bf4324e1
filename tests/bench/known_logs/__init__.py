"""Invented logs whose totals are known, each read rightly, asked about, or refused: ``make bench-logs``."""
