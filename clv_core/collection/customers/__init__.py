"""A customers table joins a log: read as text through the same door, typed, accounted for, and matched.

Stored as Parquet: ``customer_id`` text; attributes that are on under their own names (number or text); the dates that
say since when dated attributes hold, as DATE in the log's time zone; contact fields and ``consent`` as text under the
names of :mod:`clv_core.collection.vocabulary.contact_fields`. Several rows a customer only where an attribute is dated.
"""

from __future__ import annotations

from clv_core.collection.customers.attributes import Attribute
from clv_core.collection.customers.reading import (
    CustomersReading,
    carry_over,
    entry,
    inspect_customers,
    read_customers,
    recount,
    version_with,
)
from clv_core.collection.customers.roles import RoleProposal, Roles

__all__ = [
    "Attribute",
    "CustomersReading",
    "RoleProposal",
    "Roles",
    "carry_over",
    "entry",
    "inspect_customers",
    "read_customers",
    "recount",
    "version_with",
]
