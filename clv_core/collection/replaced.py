"""A file read in place of a dataset's earlier one: what the new version no longer has, so that nobody finds out later.

An export that broke off half-way looks like any other file; only beside the version before it does it show.
"""

from __future__ import annotations

from typing import Final

from clv_core.collection.stored.manifest import Manifest
from clv_core.errors import Message

SHRUNK: Final = 0.9
"""A version with fewer rows than this share of those before it is said to be smaller."""


def lost(before: Manifest, now: Manifest) -> list[Message]:
    """Return what a new version lacks that the one in its place had.

    Args:
        before: the current version.
        now: what was read in its place, whole and not joined to it.
    """
    found: list[Message] = []
    if now.rows_kept < SHRUNK * before.rows_kept or now.log_end < before.log_end:
        rows = {"rows": now.rows_kept, "before": before.rows_kept}
        days = {"end": now.last_day.isoformat(), "end_before": before.last_day.isoformat()}
        known = {"name": now.name, "version": before.version}
        found.append(Message("warning.replaced_by_less", {**rows, **days, **known}))
    if before.customers_table is not None:
        customers = before.customers_table["customers"]
        found.append(Message("warning.customers_table_left", {"name": now.name, "customers": customers}))
    if before.rules:
        rules = [name if limit is None else f"{name}={limit:g}" for name, limit in before.rules.items()]
        command = " ".join(f"--rule {rule}" for rule in rules)
        found.append(Message("warning.rules_left", {"name": now.name, "rules": list(before.rules), "command": command}))
    return found
