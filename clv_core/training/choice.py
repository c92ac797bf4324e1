"""Which model is trained where nobody names one: it depends on how much a log can teach."""

from __future__ import annotations

from typing import Final

DEFAULT: Final = "blend"
SMALL: Final = 1000
"""Customers below which a network trained on the log alone falls behind the one that was trained before."""
OF_SMALL: Final = "instant_tuned"


def default_model(customers: int) -> str:
    """Return the model that past origins favour for a log of so many customers (``tests/bench/README.md``)."""
    return OF_SMALL if customers < SMALL else DEFAULT
