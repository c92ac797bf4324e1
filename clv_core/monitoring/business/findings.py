"""What happened to the business, from which day on, and what it cost (:class:`Finding`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from math import isfinite, nan
from typing import Any, Final

from clv_core.errors import Message

OUTAGE, EVENTS_MISSING, DOUBLED, PRICE_STEP, CHANNEL_NEW, CHANNEL_LOST, FEWER_BUYERS, FEWER, MORE = (
    "outage", "events_missing", "doubled", "price_step", "channel_new", "channel_lost", "fewer_buyers", "fewer", "more",
)  # fmt: skip
KINDS: Final = (
    OUTAGE, EVENTS_MISSING, DOUBLED, PRICE_STEP, CHANNEL_NEW, CHANNEL_LOST, FEWER_BUYERS, FEWER, MORE,
)  # fmt: skip
"""What a finding may be; the last two are a figure that no other kind explains."""


@dataclass(frozen=True)
class Finding:
    """Something that happened to the business, and that chance does not explain.

    Args:
        kind: one of :data:`KINDS`.
        series: the figure that shows it best.
        first_day: its first day.
        last_day: its last; None while it lasts.
        found_on: the day after which it could be told.
        size: revenue beyond what was expected on these days, in the log's currency; below 0 where it was lost. NaN
            where no money is known.
        low: lower end of the size's 80% interval.
        high: its upper end.
        days: of how many days the size is: all, or of what lasts the first quarter, after which it is the usual level.
        currency: of the log.
        facts: ``name`` of a channel or kind of event, ``factor`` of a price, ``share`` of what was expected.
    """

    kind: str
    series: str
    first_day: date
    last_day: date | None
    found_on: date
    size: float = nan
    low: float = nan
    high: float = nan
    days: int = 0
    currency: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def has_money(self) -> bool:
        """Whether its size in money is known."""
        return isfinite(self.size)

    def message(self) -> Message:
        """Return what happened and when, in each language."""
        figure = f".{self.series.partition(':')[0]}" if self.kind in (FEWER, MORE) else ""
        lasts, one = self.last_day is None, self.last_day == self.first_day
        last = "" if self.last_day is None or one else self.last_day.isoformat()
        form = {"lasts": int(lasts), "one": int(one), "over": int(bool(last))}
        return Message(
            f"watch.{self.kind}{figure}", {**self.facts, **form, "first": self.first_day.isoformat(), "last": last}
        )

    def money(self) -> Message | None:
        """Return what it cost or brought, with its 80% interval; None where no money is known."""
        if not self.has_money:
            return None
        amounts = {"amount": abs(self.size), "currency": self.currency, "days": self.days}
        if self.size < 0:
            return Message("watch.money.lost", {**amounts, "least": -self.high, "most": -self.low})
        return Message("watch.money.more", {**amounts, "least": self.low, "most": self.high})
