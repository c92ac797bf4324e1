"""Names of columns, each of its own: the engine tells them apart by more than their case."""

from __future__ import annotations

from collections.abc import Iterable


def distinct(names: Iterable[str], others: Iterable[str] = ()) -> tuple[str, ...]:
    """Return names in their order, those that repeat one before them, or one of the others, with a number behind."""
    found: list[str] = []
    taken = {other.lower() for other in others}
    for name in names:
        unique, copy = name, 2
        while unique.lower() in taken:
            unique, copy = f"{name} ({copy})", copy + 1
        taken.add(unique.lower())
        found.append(unique)
    return tuple(found)
