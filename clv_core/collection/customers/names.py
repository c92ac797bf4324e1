"""Names, in the engine, of a customers file's rows and cells, apart from the file's own names."""

from __future__ import annotations

from typing import Final

from clv_core.collection.engine import name

RAW: Final = "clv_customers_raw"
TYPED: Final = "clv_customers_typed"
NO_ID, HEADER, BAD_DATE, TWICE = "no_customer", "repeated_header", "customers_bad_date", "customers_twice"
"""Reasons why a row is set aside."""


def raw_name(column: str) -> str:
    """Return the name of a column's text."""
    return name(f"clv_raw_{column}")


def was_name(column: str) -> str:
    """Return the name of a date's text beside its value."""
    return name(f"clv_was_{column}")


def contact_name(field: str) -> str:
    """Return the name of a contact field's text."""
    return f"clv_contact_{field}"
