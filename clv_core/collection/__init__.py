"""Collection: whatever file comes in becomes a dataset, and every row of it is accounted for."""

from __future__ import annotations

from typing import Any


def load_for_check(path: str) -> dict[str, Any]:
    """Read one file and return rows and verdict: see :mod:`clv_core.collection.check_adapter` (loaded on first use)."""
    from clv_core.collection.check_adapter import load_for_check as load

    return load(path)
