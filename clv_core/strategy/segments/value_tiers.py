"""Value tiers: by share of customers or of value, by thresholds, or by what an action costs.

Tier 1 has the highest values. Customers of the same value are in the same tier: that of the first of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv_core.errors import Message, NotEnoughData, Refused, UsageError
from clv_core.i18n import DEFAULT_LANGUAGE
from clv_core.strategy.segments.segmentation import (
    TIER,
    VALUE,
    Assignment,
    FittedScheme,
    Floats,
    Ints,
    Segment,
    Segmentation,
)

QUANTILE: Final = "quantile"
SHARE: Final = "share"
THRESHOLDS: Final = "thresholds"
METHODS: Final = (QUANTILE, SHARE, THRESHOLDS)
DEFAULT_CUTS: Final = {QUANTILE: (10.0, 30.0, 60.0), SHARE: (50.0, 80.0, 95.0)}
"""Cumulative percents of customers, or of predicted value; a convention, not measured."""
MAX_TIERS: Final = 20
"""Rows of every table and chart."""
NAMES: Final = {
    2: ("top", "rest"),
    3: ("top", "middle", "low"),
    4: ("top", "high", "middle", "low"),
    5: ("top", "high", "middle", "low", "lowest"),
}
"""Names by number of tiers, the highest first; more tiers than these are numbered."""
COST: Final = "cost"
DEFAULT_MULTIPLES: Final = (10.0, 3.0, 1.0)
"""Times the cost of a customer: pays ten times, usual target of 3 to 1, break-even."""


@dataclass(frozen=True)
class ValueTiers(Segmentation, FittedScheme):
    """Tiers by predicted value.

    Args:
        method: ``quantile`` (cumulative percent of customers, the most valuable first), ``share`` (cumulative percent
            of predicted value, the most valuable first) or ``thresholds`` (smallest predicted value of each tier but
            the last, in the log's currency).
        cuts: one number between two tiers; rising percents, or falling values.

    Raises:
        UsageError: unknown method, no cuts or too many, out of bounds, or not in order.
    """

    kind: ClassVar[str] = "tiers"

    method: str
    cuts: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check method, bounds and order."""
        if self.method not in METHODS:
            raise UsageError("scheme_kind", kind=self.method, known=list(METHODS))
        if not 1 <= len(self.cuts) < MAX_TIERS:
            raise UsageError("scheme_count", found=len(self.cuts), most=MAX_TIERS - 1)
        cuts = np.asarray(self.cuts, float)
        steps = np.diff(cuts)
        if self.method == THRESHOLDS:
            if not np.isfinite(cuts).all() or (steps >= 0).any():
                raise UsageError("scheme_thresholds", cuts=self._cuts_text())
        elif not ((cuts > 0) & (cuts < 100)).all() or (steps <= 0).any():
            raise UsageError("scheme_percents", cuts=self._cuts_text())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the tiers of a text such as ``quantile:10,30,60``, ``share:50,80,95`` or ``thresholds:500,100``.

        Raises:
            UsageError: the text is not of this form.
        """
        method, colon, rest = text.strip().partition(":")
        method = method.strip().lower()
        if not colon and method in DEFAULT_CUTS:
            return cls(method, DEFAULT_CUTS[method])
        try:
            cuts = tuple(float(part) for part in rest.split(","))
        except ValueError as error:
            raise UsageError("scheme_text", text=text[:80]) from error
        return cls(method, cuts)

    def __str__(self) -> str:
        """Return the text that :meth:`parse` reads."""
        return f"{self.method}:{self._cuts_text()}"

    @property
    def tiers(self) -> int:
        """Number of tiers."""
        return len(self.cuts) + 1

    @property
    def names_key(self) -> str:
        """Labels apply to any cuts into as many tiers."""
        return f"tiers:{self.tiers}"

    @cached_property
    def segments(self) -> tuple[Segment, ...]:  # type: ignore[override]
        """The tiers, the highest first."""
        return _tier_segments(self.tiers)

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> FittedScheme:
        """Return itself."""
        return self

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Assignment:
        """Assign customers to tiers by their ``predicted_clv``."""
        return Assignment(self.segments, self.tier_of(customers[VALUE].to_numpy()) - 1)

    def tier_of(self, values: npt.ArrayLike) -> Ints:
        """Return the tier of each customer.

        Args:
            values: predicted value in the log's currency, finite, [n].

        Returns:
            1 (highest) to :attr:`tiers`, [n]; a tier may be empty.

        Raises:
            Refused: a value is missing or infinite, or shares are cut of customers without any value.
        """
        value = np.asarray(values, float)
        if not np.isfinite(value).all():
            raise Refused("scores_not_finite", rows=int((~np.isfinite(value)).sum()))
        if self.method == THRESHOLDS:
            return np.asarray(1 + (value[:, None] < np.asarray(self.cuts)).sum(axis=1), np.int64)
        if self.method == QUANTILE:
            return self._by_rank(value)
        order = np.argsort(-value, kind="stable")
        ranked = value[order]
        first = np.searchsorted(-ranked, -ranked, side="left")
        tier = np.empty(len(value), np.int64)
        tier[order] = 1 + np.searchsorted(np.asarray(self.cuts), self._percent_before(ranked)[first], side="right")
        return tier

    def _by_rank(self, value: Floats) -> Ints:
        """Return the tiers of percents of customers: a customer is below a cut if so many are worth more."""
        tier = np.ones(len(value), np.int64)
        if not len(value):
            return tier
        last = np.searchsorted(np.arange(len(value)) * 100 / len(value), self.cuts) - 1
        falling = -value
        for least in np.partition(falling, last)[last]:
            tier += falling > least
        return tier

    def _percent_before(self, ranked: Floats) -> Floats:
        """Return the percent of value above each rank of falling values."""
        weight = np.maximum(ranked, 0)
        total = weight.sum()
        if len(ranked) and total <= 0:
            raise Refused("scheme_no_value")
        # Sums carry rounding: a rank that is a cut to 9 digits is that cut.
        return np.asarray(np.round(100 * (np.cumsum(weight) - weight) / max(total, 1e-300), 9), np.float64)

    def _cuts_text(self) -> str:
        return ",".join(f"{cut:.15g}" for cut in self.cuts)


DEFAULT_SCHEME: Final = ValueTiers(QUANTILE, DEFAULT_CUTS[QUANTILE])


def assign_tiers(scored: pd.DataFrame, scheme: ValueTiers = DEFAULT_SCHEME) -> pd.DataFrame:
    """Return scored customers (``predicted_clv``, one row each) with ``tier`` (int, 1 = highest), in the same order.

    Raises:
        NotEnoughData: there is no customer.
        Refused: a value is not finite, or shares are cut of customers without any value.
    """
    if scored.empty:
        raise NotEnoughData("no_scored_customers")
    return scored.assign(**{TIER: scheme.tier_of(scored[VALUE].to_numpy())})


def tier_names(count: int, language: str = DEFAULT_LANGUAGE) -> list[str]:
    """Return the names of ``count`` tiers, the highest first."""
    return [segment.name(language) for segment in _tier_segments(count)]


def _tier_segments(count: int) -> tuple[Segment, ...]:
    names = NAMES.get(count)
    if names is None:
        return tuple(Segment(str(n), (Message("tier.numbered", {"number": n}),)) for n in range(1, count + 1))
    return tuple(
        Segment(str(n), (Message(f"tier.{name}"),), Message(f"segments.action.{name}"))
        for n, name in enumerate(names, 1)
    )


@dataclass(frozen=True)
class CostTiers(Segmentation, FittedScheme):
    """Tiers by predicted value in multiples of what an action costs.

    Args:
        cost: of the action for one customer, in the log's currency.
        multiples: smallest predicted value of each tier but the last, in costs; falling.

    Raises:
        UsageError: a cost or multiples that make no tiers.
    """

    kind: ClassVar[str] = COST

    cost: float
    multiples: tuple[float, ...] = DEFAULT_MULTIPLES

    def __post_init__(self) -> None:
        """Check the cost and the order of the multiples."""
        falling = all(
            multiple > next_one for multiple, next_one in zip(self.multiples, self.multiples[1:], strict=False)
        )
        usable = all(math.isfinite(multiple) and multiple > 0 for multiple in (self.cost, *self.multiples))
        if not (usable and falling and self.multiples):
            raise UsageError("scheme_cost", text=str(self)[:80])

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Return the tiers of the text after ``cost:``, ``5`` or ``5:10,3,1``.

        Raises:
            UsageError: it is not of this form.
        """
        cost, colon, multiples = rest.partition(":")
        try:
            parsed = tuple(float(part) for part in multiples.split(",")) if colon else DEFAULT_MULTIPLES
            return cls(float(cost), parsed)
        except ValueError as error:
            raise UsageError("scheme_cost", text=f"{COST}:{rest}"[:80]) from error

    def __str__(self) -> str:
        """Return ``cost:5:10,3,1``."""
        return f"{COST}:{self.cost:.15g}:{','.join(f'{multiple:.15g}' for multiple in self.multiples)}"

    @property
    def names_key(self) -> str:
        """Labels apply to as many tiers."""
        return f"{COST}:{len(self.multiples) + 1}"

    @cached_property
    def segments(self) -> tuple[Segment, ...]:  # type: ignore[override]
        """The tiers, the highest first."""
        ends = [f"{multiple:.4g}" for multiple in self.multiples]
        names = [Message("segment.cost.top", {"times": ends[0]})]
        names += [
            Message("segment.cost.between", {"low": low, "high": high})
            for high, low in zip(ends, ends[1:], strict=False)
        ]
        last = {"times": ends[-1]}
        names.append(Message("segment.cost.below.one") if ends[-1] == "1" else Message("segment.cost.below", last))
        tops, bottoms = (math.inf, *self.multiples), (*self.multiples, -math.inf)
        abouts = [Message(f"segment.cost.{_pays(low, high)}") for low, high in zip(bottoms, tops, strict=True)]
        both = enumerate(zip(names, abouts, strict=True), 1)
        return tuple(Segment(str(n), (name,), about) for n, (name, about) in both)

    def fit(self, customers: pd.DataFrame, points: Floats | None = None) -> FittedScheme:
        """Return itself."""
        return self

    def place(self, customers: pd.DataFrame, points: Floats | None = None) -> Assignment:
        """Assign customers to tiers by their ``predicted_clv``."""
        cuts = ValueTiers(THRESHOLDS, tuple(self.cost * multiple for multiple in self.multiples))
        return Assignment(self.segments, cuts.tier_of(customers[VALUE].to_numpy()) - 1)


def _pays(low: float, high: float) -> str:
    """Return whether customers worth ``low`` to ``high`` times the cost are all worth it, none is, or ``some`` are."""
    if low >= 1:
        return "worth"
    return "not_worth" if high <= 1 else "some_worth"
