"""An axis that shows zero and whales alike: even near zero, by powers of ten beyond, the same on both sides of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pages.ui.i18n import say

Floats = NDArray[np.float64]

MOST_TICKS: Final = 5
"""On one side of zero."""


@dataclass(frozen=True)
class Wide:
    """The axis log(1 + size / 10^power), with the sign of the value.

    Args:
        power: of the amount up to which it is about even.
    """

    power: int

    @classmethod
    def of(cls, values: ArrayLike, *, below: int = 1) -> Self:
        """Return the axis for amounts like these, whatever their unit: orders of 40 euros or of 600,000 rupiah.

        Args:
            values: their median, zeros aside, says what a usual amount is.
            below: how many powers of ten below a usual amount it is even.
        """
        sizes = np.abs(np.asarray(values, np.float64))
        sizes = sizes[(sizes > 0) & np.isfinite(sizes)]
        return cls(floor(log10(float(np.median(sizes)))) - below if len(sizes) else 0)

    def places(self, values: ArrayLike) -> Floats:
        """Return where values lie, [n]."""
        found = np.asarray(values, np.float64)
        placed: Floats = np.sign(found) * np.log1p(np.abs(found) / 10.0**self.power)
        return placed

    def amounts(self, places: ArrayLike) -> Floats:
        """Return the values that lie at some places of the axis, [n]."""
        found = np.asarray(places, np.float64)
        values: Floats = np.sign(found) * np.expm1(np.abs(found)) * 10.0**self.power
        return values

    def ticks(self, values: ArrayLike, *, plus: bool = False) -> dict[str, Any]:
        """Return ticks at powers of ten as far as values reach, said in the language of the page.

        Args:
            values: what is drawn.
            plus: whether gains have a sign too.
        """
        found = np.asarray(values, np.float64)
        top, low = float(np.abs(found).max(initial=0.0)), float(found.min(initial=0.0))
        highest = max(self.power, floor(log10(top)) if top > 0 else self.power)
        step = ceil((highest - self.power + 1) / MOST_TICKS)
        sizes = [10.0**power for power in range(highest, self.power - 1, -step)][::-1]
        down = sizes if low < -(10.0**self.power) else []
        texts = [
            *(f"−{say(size)}" for size in down[::-1]),
            "0",
            *(f"{'+' if plus else ''}{say(size)}" for size in sizes),
        ]
        return {"tickvals": self.places([*(-size for size in down[::-1]), 0.0, *sizes]).tolist(), "ticktext": texts}
