"""Terms of scores: the horizon, the yearly discount rate, and the share of value that is margin.

Lifetime is the sum over a number of years that is shown with it, five unless another is given: ``lifetime:8``. Later
years are left out: no log is long enough to check them, and BG/NBD's expected count may grow without limit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Final, Self

from clv_core.errors import Message, UsageError
from clv_core.model import DAYS_PER_YEAR, Horizon

LIFETIME: Final = "lifetime"
LIFETIME_YEARS: Final = 5
"""Years of a lifetime by default."""
MAX_YEARS: Final = 100
"""Later years hardly count: of a constant yearly value at a discount of 5%, they are under 1%."""
LONGEST_DAYS: Final = 3650
"""A horizon in days is at most this; lifetime may be longer."""


@dataclass(frozen=True)
class Terms:
    """Horizon, discount and margin of a set of scores.

    Args:
        horizon_days: how far ahead.
        discount_rate: yearly rate at which later value is discounted, 0.1 is 10%.
        margin_rate: share of net value that is margin, in (0, 1].
        lifetime: whether ``horizon_days`` are the years of a lifetime.

    Raises:
        UsageError: a rate or a horizon out of bounds.
    """

    horizon_days: int
    discount_rate: float = 0.0
    margin_rate: float = 1.0
    lifetime: bool = False

    def __post_init__(self) -> None:
        """Check the bounds."""
        if not all(isinstance(rate, Real) for rate in (self.margin_rate, self.discount_rate)):
            raise UsageError("bad_rates", margin_rate=self.margin_rate, discount_rate=self.discount_rate)
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
            horizon: days, ``lifetime`` or ``lifetime:8`` (years), or None for the trained horizon.
            trained_days: that horizon.
            discount_rate: as in :class:`Terms`.
            margin_rate: as in :class:`Terms`.

        Raises:
            UsageError: more than 100 years, no horizon, or what :class:`Terms` refuses.
        """
        if horizon is None:
            return cls(trained_days, discount_rate, margin_rate)
        years = lifetime_years(horizon) if isinstance(horizon, str) else None
        if years is not None:
            return cls(round(years * DAYS_PER_YEAR), discount_rate, margin_rate, True)
        try:
            return cls(days_of(horizon, "horizon_days"), discount_rate, margin_rate)
        except UsageError as error:
            if error.code == "bad_days":
                raise UsageError("bad_horizon", value=str(horizon)[:60], high=LONGEST_DAYS) from error
            raise

    @property
    def years(self) -> int:
        """The horizon in years, rounded."""
        return round(self.horizon_days / DAYS_PER_YEAR)

    @property
    def option(self) -> str:
        """The horizon as the command line and :meth:`of` read it."""
        return f"{LIFETIME}:{self.years}" if self.lifetime else str(self.horizon_days)

    @property
    def horizon(self) -> Horizon:
        """The horizon as a model takes it."""
        return Horizon(self.horizon_days, self.discount_rate)

    @property
    def mark(self) -> str:
        """The terms in a file's name: ``365d``, ``lifetime5y-r10-m30`` (rates in percent)."""
        parts = [f"{LIFETIME}{self.years}y" if self.lifetime else f"{self.horizon_days}d"]
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
            return [Message("warning.lifetime", {"years": self.years, "rate": 100 * self.discount_rate})]
        if self.horizon_days != trained_days:
            return [Message("warning.other_horizon", {"days": self.horizon_days, "trained": trained_days})]
        return []


def days_of(value: object, setting: str) -> int:
    """Return a number of days as an integer: an integer of Python or numpy, or a text of digits.

    Args:
        value: of the setting.
        setting: its name, for the error.

    Raises:
        UsageError: it is none.
    """
    is_integer = isinstance(value, Integral) or (isinstance(value, Real) and float(value).is_integer())
    if is_integer and not isinstance(value, bool):
        return int(value)  # type: ignore[call-overload,no-any-return]
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value.strip()):
        return int(value)
    raise UsageError("bad_days", setting=setting, value=str(value)[:60])


def lifetime_years(horizon: str) -> int | None:
    """Return how many years ``lifetime`` or ``lifetime:8`` are, None for any other text.

    Raises:
        UsageError: not an integer from 1 to 100.
    """
    name, colon, years = horizon.partition(":")
    if name != LIFETIME:
        return None
    if colon and not (re.fullmatch(r"[0-9]{1,3}", years) and 1 <= int(years) <= MAX_YEARS):
        raise UsageError("setting_bounds", setting="lifetime", value=years, low=1, high=MAX_YEARS)
    return int(years) if colon else LIFETIME_YEARS
