"""Terms of scores: the horizon, the yearly discount rate, and the share of value that is margin.

Lifetime is the limit of the discounted sum as the horizon grows. Nobody's expected purchase rate rises, so a customer
who never slows down is the slowest to get there: the sum ends with the year after which even to such a one a further
year adds less than 0.1%. That follows from the rate alone. Without a rate there is no limit to state: BG/NBD's
expected count grows forever where its a is at most 1, and a constant rate always does.
Source: Fader, Hardie, Lee (2005), RFM and CLV: using iso-value curves (discounted expected residual transactions).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

from clv_core.errors import Message, UsageError
from clv_core.model.horizon import DAYS_PER_YEAR, Horizon

LIFETIME: Final = "lifetime"
LONGEST_DAYS: Final = 3650
"""A horizon in days is at most this; lifetime may be longer."""
MARK: Final = rf"(\d+d|{LIFETIME})(-r[\d.e+-]+)?(-m[\d.e+-]+)?"
"""What :attr:`Terms.mark` looks like."""
SMALL_SHARE: Final = 0.001
MOST_YEARS: Final = 100


@dataclass(frozen=True)
class Terms:
    """Horizon, discount and margin of a set of scores.

    Args:
        horizon_days: how far ahead.
        discount_rate: yearly rate at which later value is discounted, 0.1 is 10%.
        margin_rate: share of net value that is margin, in (0, 1].
        lifetime: whether ``horizon_days`` is the limit that :meth:`of` computes.

    Raises:
        UsageError: a rate or a horizon out of bounds.
    """

    horizon_days: int
    discount_rate: float = 0.0
    margin_rate: float = 1.0
    lifetime: bool = False

    def __post_init__(self) -> None:
        """Check the bounds."""
        if not 0 < self.margin_rate <= 1 or not 0 <= self.discount_rate < 10:
            raise UsageError("bad_rates", margin_rate=self.margin_rate, discount_rate=self.discount_rate)
        if not self.lifetime and not 1 <= self.horizon_days <= LONGEST_DAYS:
            raise UsageError(
                "setting_bounds", setting="horizon_days", value=self.horizon_days, low=1, high=LONGEST_DAYS
            )

    @classmethod
    def of(
        cls, horizon: int | str | None, trained_days: int, discount_rate: float = 0.0, margin_rate: float = 1.0
    ) -> Self:
        """Return the terms for a horizon in days or a lifetime.

        Args:
            horizon: days, ``lifetime``, or None for the horizon that the model was trained on.
            trained_days: that horizon.
            discount_rate: as in :class:`Terms`.
            margin_rate: as in :class:`Terms`.

        Raises:
            UsageError: lifetime without a discount rate, or what :class:`Terms` refuses.
        """
        if horizon != LIFETIME:
            return cls(trained_days if horizon is None else int(horizon), discount_rate, margin_rate)
        if discount_rate == 0:
            raise UsageError("lifetime_needs_rate")
        cls(1, discount_rate, margin_rate)
        return cls(round(lifetime_years(discount_rate) * DAYS_PER_YEAR), discount_rate, margin_rate, True)

    @property
    def horizon(self) -> Horizon:
        """The horizon as a model takes it."""
        return Horizon(self.horizon_days, self.discount_rate)

    @property
    def mark(self) -> str:
        """The terms in a file's name: ``365d``, ``lifetime-r10-m30`` (rates in percent)."""
        parts = [LIFETIME if self.lifetime else f"{self.horizon_days}d"]
        parts += [f"r{100 * self.discount_rate:.10g}"] if self.discount_rate else []
        parts += [f"m{100 * self.margin_rate:.10g}"] if self.margin_rate != 1 else []
        return "-".join(parts)

    def plain(self, trained_days: int) -> bool:
        """Return whether these are the trained horizon, undiscounted, without a margin."""
        return (self.horizon_days, self.discount_rate, self.margin_rate) == (trained_days, 0.0, 1.0)

    def rates(self) -> list[Message]:
        """Return discount and margin in words, where there are any."""
        rates = [("terms.said.rate", "rate", self.discount_rate)] if self.discount_rate else []
        rates += [("terms.said.margin", "margin", self.margin_rate)] if self.margin_rate != 1 else []
        return [Message(code, {name: f"{100 * share:g}%"}) for code, name, share in rates]

    def warnings(self, trained_days: int) -> list[Message]:
        """Return warnings about the assumptions of these terms; none for the trained horizon."""
        if self.lifetime:
            years = round(self.horizon_days / DAYS_PER_YEAR)
            share = further_year(years, self.discount_rate)
            rate = 100 * self.discount_rate
            return [Message("warning.lifetime", {"years": years, "rate": rate, "share": round(100 * share, 3)})]
        if self.horizon_days != trained_days:
            return [Message("warning.other_horizon", {"days": self.horizon_days, "trained": trained_days})]
        return []


def lifetime_years(discount_rate: float) -> int:
    """Return after how many years a further one adds less than 0.1% to the discounted sum of a constant rate.

    At most 100, whatever the rate.

    Args:
        discount_rate: yearly, above 0.
    """
    force = math.log1p(discount_rate)
    share = -math.expm1(-force)
    years = math.ceil(math.log1p(share / SMALL_SHARE) / force)
    return min(max(years, 1), MOST_YEARS)


def further_year(years: int, discount_rate: float) -> float:
    """Return what the year after ``years`` adds to the discounted sum of a constant rate, as a share of that sum."""
    force = math.log1p(discount_rate)
    return -math.expm1(-force) / math.expm1(force * years)
