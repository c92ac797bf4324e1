"""Value tiers: where scored customers are cut, and what the pieces are called.

Tier 1 holds the highest values. Customers with the same value are never split: a run of equal values goes whole into
the tier that its first customer falls into.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from clv_core.errors import Refused, UsageError
from clv_core.i18n import DEFAULT_LANGUAGE, translate

QUANTILE: Final = "quantile"
SHARE: Final = "share"
THRESHOLDS: Final = "thresholds"
KINDS: Final = (QUANTILE, SHARE, THRESHOLDS)
DEFAULT_CUTS: Final = {QUANTILE: (10.0, 30.0, 60.0), SHARE: (50.0, 80.0, 95.0)}
MAX_TIERS: Final = 20
NAMES: Final = {
    2: ("top", "rest"),
    3: ("top", "middle", "low"),
    4: ("top", "high", "middle", "low"),
    5: ("top", "high", "middle", "low", "lowest"),
}
"""Names by number of tiers, the highest first; more tiers than these are numbered."""


@dataclass(frozen=True)
class Scheme:
    """How customers are cut into tiers.

    Args:
        kind: ``quantile`` (cumulative percent of customers, the most valuable first), ``share`` (cumulative percent of
            predicted value, the most valuable first) or ``thresholds`` (smallest predicted value of each tier but the
            last, in the log's currency).
        cuts: one number between two tiers; rising percents, or falling values.

    Raises:
        UsageError: unknown kind, no cuts or too many, out of bounds, or not in order.
    """

    kind: str
    cuts: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check kind, bounds and order."""
        if self.kind not in KINDS:
            raise UsageError("scheme_kind", kind=self.kind, known=list(KINDS))
        if not 1 <= len(self.cuts) < MAX_TIERS:
            raise UsageError("scheme_count", found=len(self.cuts), most=MAX_TIERS - 1)
        cuts = np.asarray(self.cuts, float)
        steps = np.diff(cuts)
        if self.kind == THRESHOLDS:
            if not np.isfinite(cuts).all() or (steps >= 0).any():
                raise UsageError("scheme_thresholds", cuts=self._cuts_text())
        elif not ((cuts > 0) & (cuts < 100)).all() or (steps <= 0).any():
            raise UsageError("scheme_percents", cuts=self._cuts_text())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the scheme of a text such as ``quantile:10,30,60``, ``share:50,80,95`` or ``thresholds:500,100``.

        Raises:
            UsageError: the text is not of this form.
        """
        kind, colon, rest = text.strip().partition(":")
        kind = kind.strip().lower()
        if not colon and kind in DEFAULT_CUTS:
            return cls(kind, DEFAULT_CUTS[kind])
        try:
            cuts = tuple(float(part) for part in rest.split(","))
        except ValueError as error:
            raise UsageError("scheme_text", text=text[:80]) from error
        return cls(kind, cuts)

    def __str__(self) -> str:
        """Return the text that :meth:`parse` reads."""
        return f"{self.kind}:{self._cuts_text()}"

    @property
    def tiers(self) -> int:
        """Number of tiers."""
        return len(self.cuts) + 1

    def tier_of(self, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the tier of each customer.

        Args:
            values: predicted value in the log's currency, finite, [n].

        Returns:
            1 (highest) to :attr:`tiers`, [n]; a tier may be empty.

        Raises:
            Refused: a value is missing or infinite, or shares are asked of customers without any value.
        """
        value = np.asarray(values, float)
        if not np.isfinite(value).all():
            raise Refused("scores_not_finite", rows=int((~np.isfinite(value)).sum()))
        if self.kind == THRESHOLDS:
            return np.asarray(1 + (value[:, None] < np.asarray(self.cuts)).sum(axis=1), np.int64)
        if self.kind == QUANTILE:
            return self._by_place(value)
        order = np.argsort(-value, kind="stable")
        ranked = value[order]
        first = np.searchsorted(-ranked, -ranked, side="left")
        tier = np.empty(len(value), np.int64)
        tier[order] = 1 + np.searchsorted(np.asarray(self.cuts), self._percent_before(ranked)[first], side="right")
        return tier

    def _by_place(self, value: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return the tiers of percents of customers: one lies below a cut where so many are worth more."""
        tier = np.ones(len(value), np.int64)
        if not len(value):
            return tier
        last = np.searchsorted(np.arange(len(value)) * 100 / len(value), self.cuts) - 1
        falling = -value
        for least in np.partition(falling, last)[last]:
            tier += falling > least
        return tier

    def _percent_before(self, ranked: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Percent of value that lies above each place of a falling ranking."""
        weight = np.maximum(ranked, 0)
        total = weight.sum()
        if len(ranked) and total <= 0:
            raise Refused("scheme_no_value")
        # Sums carry rounding: a place that is a cut to 12 digits is that cut.
        return np.asarray(np.round(100 * (np.cumsum(weight) - weight) / max(total, 1e-300), 9), np.float64)

    def _cuts_text(self) -> str:
        return ",".join(f"{cut:.15g}" for cut in self.cuts)


DEFAULT_SCHEME: Final = Scheme(QUANTILE, DEFAULT_CUTS[QUANTILE])


def tier_names(count: int, language: str = DEFAULT_LANGUAGE) -> list[str]:
    """Return the names of ``count`` tiers, the highest first."""
    if count in NAMES:
        return [translate(f"tier.{name}", language) for name in NAMES[count]]
    return [translate("tier.numbered", language, number=number) for number in range(1, count + 1)]
