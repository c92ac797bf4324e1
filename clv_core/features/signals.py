"""Columns of the feature table that one log has and another has not: customers' attributes, and review texts.

``FEATURES`` says what any event log tells; a signal is a column of one dataset's own. Models learn from both alike, and
the contract is the same: what is dated at or after a cutoff changes nothing, nor does the order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

ATTRIBUTES: Final = "attributes"
REVIEW_TEXT: Final = "review_text"
"""Name and group of the column of review texts."""
PREFIX: Final = "attribute:"
"""Before an attribute's own name, so that it cannot be taken for a feature."""


@dataclass(frozen=True)
class SignalColumn:
    """What the encoder and explanations have to know of a signal.

    Args:
        group: the named group that explanations speak of.
        scale: ``auto`` (a number, by its logarithm where it is spread widely), ``category`` or ``text``.
    """

    group: str
    scale: str


REVIEWED: Final = SignalColumn("ratings", "text")
"""What review texts are: they say in words what the ratings say in stars."""


class Signal(Protocol):
    """A column that a log brings along."""

    @property
    def name(self) -> str:
        """Name of the column."""

    @property
    def column(self) -> SignalColumn:
        """What it is."""

    def at(self, cutoff_day: int, customers: NDArray[np.int64]) -> Any:
        """Return what is known of ``customers`` at a cutoff, a pandas column [n].

        Args:
            cutoff_day: the cutoff in days since 1970-01-01.
            customers: numbers of customers in the log, ascending, [n]; none of them who was seen by then is left out
                between the first and the last.
        """
