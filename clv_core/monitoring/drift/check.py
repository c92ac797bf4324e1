"""One check of one chunk: what was found, what is usual, and from where on it is an alert."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from clv_core.monitoring.plain import Plain


@dataclass(frozen=True)
class Check(Plain):
    """One figure of one chunk against the reference.

    Args:
        chunk: number of the chunk.
        test: ``volume``, ``share``, ``level``, ``psi``, ``ks``, ``new``, ``lost`` (:mod:`.data`), or ``sight`` and, for
            the mean of predictions, ``level`` (:mod:`.customers`).
        subject: what is looked at: a column, ``missing:purchase``, ``returns``, ``orders``, a feature.
        value: a value of the column, or the column of ``missing``; empty where it is about the whole.
        found: the figure.
        usual: what it was before; for distances the distance that chance makes.
        low: below it, it is an alert; None where only one side counts.
        high: above it, it is an alert; None likewise.
        chance: how likely a figure at least as far off is where nothing changed; None where no chance is known.
        alert: whether it is beyond its limits, and large enough to matter.
        params: more that words need.
        begin: ISO date of the first day that it is about.
        end: ISO date of the first midnight after it.
    """

    chunk: int
    test: str
    subject: str
    value: str
    found: float
    usual: float
    low: float | None
    high: float | None
    chance: float | None
    alert: bool
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    begin: str = ""
    end: str = ""

    @property
    def rose(self) -> bool:
        """Whether the figure is above what is usual."""
        return self.found > self.usual
