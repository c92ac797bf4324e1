"""When one customer's next order is expected: the model's chance in the horizon, spread over its days by BG/NBD.

The model says how likely an order in the horizon is; BG/NBD says when, given that it comes: purchases of customers who
have not left come at a rate of their own, so that the share of the horizon's chance which falls in its first h days is
(1 - (A / (A + h))^(r + x)) / (1 - (A / (A + H))^(r + x)) with A = alpha + T. The chance to have left cancels out. For
the model ``bgnbd`` this is its own chance within h days to the digit. Nothing beyond the horizon is said.

Source: Fader, Hardie, Lee 2005, "Counting your customers" the easy way (the time of the next purchase of a live one).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from clv_core.errors import Message
from clv_core.features.btyd.bgnbd import BgNbd
from clv_core.strategy.timeline import Timeline

EARLY, EVEN, LATE = 0.25, 0.5, 0.75
FEWEST_FOR_GAP: Final = 3
"""Purchase days from which on a customer has a usual pause between them."""


@dataclass(frozen=True)
class NextOrder:
    """When the next order is expected.

    Args:
        chance: of any order in the horizon, 0 to 1, as ``score`` writes it.
        horizon_days: length of the horizon.
        expected: the day by which an order is as likely as not; None where the chance never reaches one half.
        early: the day by which it is one in four; None where the chance never reaches that.
        late: the day by which it is three in four; likewise.
        usual_gap_days: median pause between this customer's purchase days; None below three of them.
    """

    chance: float
    horizon_days: int
    expected: date | None
    early: date | None
    late: date | None
    usual_gap_days: float | None

    def message(self) -> Message:
        """Return when, and how sure that is, as one or two sentences; days are ISO dates."""
        if self.expected is None:
            return Message("card.next.none", {"days": self.horizon_days, "chance": self.chance})
        days = {"expected": self.expected.isoformat(), "early": str(self.early)}
        if self.late is None:
            return Message("card.next.expected", days)
        return Message("card.next.surer", {**days, "late": self.late.isoformat()})

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary, days as ISO dates."""
        days = {name: getattr(self, name) for name in ("expected", "early", "late")}
        return {
            "chance": self.chance,
            "horizon_days": self.horizon_days,
            **{name: None if day is None else day.isoformat() for name, day in days.items()},
            "usual_gap_days": self.usual_gap_days,
        }


def next_order(history: Timeline, chance: float, horizon_days: int, cutoff: date, rhythm: BgNbd) -> NextOrder:
    """Return when a customer's next order is expected.

    Args:
        history: what the customer did before the cutoff.
        chance: of any order in the horizon, 0 to 1.
        horizon_days: length of the horizon.
        cutoff: first day of the horizon.
        rhythm: of all customers, days.
    """
    bought = history.purchase_days.to_numpy("datetime64[D]")
    early, expected, late = (_day(share, chance, bought, horizon_days, cutoff, rhythm) for share in (EARLY, EVEN, LATE))
    gap = float(np.median(np.diff(bought).astype(np.float64))) if len(bought) >= FEWEST_FOR_GAP else None
    return NextOrder(chance, horizon_days, expected, early, late, gap)


def _day(
    share: float, chance: float, bought: np.ndarray, horizon_days: int, cutoff: date, rhythm: BgNbd
) -> date | None:
    """Return the day within which the chance of an order reaches ``share``; None where it never does."""
    if chance < share:
        return None
    if len(bought):
        age = rhythm.alpha + float((np.datetime64(cutoff, "D") - bought[0]).astype(np.float64))
        shape = rhythm.r + len(bought) - 1
        whole = -math.expm1(-shape * math.log1p(horizon_days / age))
        days = age * math.expm1(-math.log1p(-whole * share / chance) / shape)
    else:  # nothing is known of a rhythm: any day alike
        days = horizon_days * math.log1p(-share) / math.log1p(-min(chance, 1 - 1e-12))
    return cutoff + timedelta(days=max(0, math.ceil(min(days, horizon_days) - 1e-9) - 1))
