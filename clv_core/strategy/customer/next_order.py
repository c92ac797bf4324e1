"""When one customer's next order is expected: the model's chance in the horizon, spread over its days.

The model says how likely an order in the horizon is. When it comes, given that it comes, follows from the customer's
own pauses where they vary little (:mod:`clv_core.strategy.customer.regular`), else from BG/NBD in last year's pace, by
the law that models say other horizons with (:mod:`clv_core.model.chance`): then an order is as likely by a day as the
model says of the horizon that ends with it. Nothing beyond the horizon is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clv_core.errors import Message
from clv_core.features.btyd.bgnbd import BgNbd
from clv_core.i18n import say_share
from clv_core.model.chance import OrderTimes
from clv_core.records import JsonRecord
from clv_core.strategy.customer.regular import Regular
from clv_core.strategy.customer.rhythm import Rhythm
from clv_core.strategy.customer.timeline import Timeline

EARLY, EVEN, LATE = 0.25, 0.5, 0.75
FEWEST_FOR_GAP: Final = 3
"""Purchase days from which on a customer has a usual pause between them."""


@dataclass(frozen=True)
class NextOrder(JsonRecord):
    """When the next order is expected.

    Args:
        chance: of an order in the horizon that is not sent back, 0 to 1, as ``score`` writes it.
        horizon_days: length of the horizon.
        expected: the day by which an order is as likely as not; None where the chance never reaches one half.
        early: the day by which it is one in four; None where the chance never reaches that.
        late: the day by which it is three in four; likewise.
        usual_gap_days: median pause between this customer's purchase days; None below three of them.
        regular: whether the days are those of the customer's own pauses, which vary little.
    """

    chance: float
    horizon_days: int
    expected: date | None
    early: date | None
    late: date | None
    usual_gap_days: float | None
    regular: bool = False

    def message(self) -> Message:
        """Return when, and how sure that is, as one or two sentences; days are ISO dates."""
        if self.expected is None:
            return Message("card.next.none", {"days": self.horizon_days, "chance": say_share(self.chance)})
        said: dict[str, Any] = {"expected": self.expected.isoformat(), "early": str(self.early)}
        if self.regular:
            said["gap"] = self.usual_gap_days
        if self.late is None:
            return Message("card.next.regular" if self.regular else "card.next.expected", said)
        said["late"] = self.late.isoformat()
        return Message("card.next.regular.surer" if self.regular else "card.next.surer", said)


def next_order(history: Timeline, chance: float, horizon_days: int, cutoff: date, rhythm: Rhythm) -> NextOrder:
    """Return when a customer's next order is expected.

    Args:
        history: what the customer did before the cutoff.
        chance: of an order in the horizon that is not sent back, 0 to 1.
        horizon_days: length of the horizon.
        cutoff: first day of the horizon.
        rhythm: of all customers.
    """
    bought, begin = history.purchase_days.to_numpy("datetime64[D]"), np.datetime64(cutoff, "D")
    own, times = Regular.of(bought, begin, horizon_days), _times(bought, begin, horizon_days, rhythm.counts)

    def day_by(share: float) -> date | None:
        if chance < share:
            return None
        if own is not None:
            return cutoff + timedelta(days=own.day_of(share / chance, horizon_days))
        even_days = min(float(times.day_of(np.array([chance]), share)[0]), horizon_days)
        days = rhythm.last_year.days(even_days, horizon_days)
        return cutoff + timedelta(days=max(0, math.ceil(days - 1e-9) - 1))

    early, expected, late = map(day_by, (EARLY, EVEN, LATE))
    gap = float(np.median(np.diff(bought).astype(np.float64))) if len(bought) >= FEWEST_FOR_GAP else None
    return NextOrder(chance, horizon_days, expected, early, late, gap, own is not None)


def _times(bought: NDArray[np.datetime64], begin: np.datetime64, horizon_days: int, counts: BgNbd) -> OrderTimes:
    """Return when the next order comes to whoever buys by luck alone; nothing is known of a never-buyer's."""
    since_first = float((begin - bought[0]).astype(np.float64)) if len(bought) else math.nan
    return OrderTimes.of_one(counts, len(bought) - 1, since_first, horizon_days)
