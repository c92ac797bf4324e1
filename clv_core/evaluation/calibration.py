"""Calibration: outcomes of buyers against their intervals, expected and actual buyers, value by tenth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd
from annotated_types import Ge, Le
from numpy.typing import NDArray

from clv_core.evaluation.levels import customer_variance, dispersion_of
from clv_core.evaluation.metrics import METRICS
from clv_core.evaluation.sample import Order
from clv_core.records import Amount, Count, Number, Share

Floats = NDArray[np.float64]
IntervalFit = Literal["honest", "narrow", "wide", "high", "low", "unclear"]

SURE: Final = 3.0
"""In standard errors: a smaller difference may be chance."""
NARROW: Final = 1.35
"""So many times the buyers outside that should be, and intervals are too narrow."""
WIDE: Final = 0.6
"""Fewer outside than this share of those that should be, and intervals are too wide. A guess: ranges that promise too
little cost less than ranges that promise too much, so this is farther from 1 than :data:`NARROW`."""
SHIFTED: Final = 0.15
"""So far may the share of buyers above their own middle be from what it should be: a total that is off by a quarter,
which is tolerated, moves it by as much."""
PITS: Final = {"pit10": (0.1, 0.05), "pit50": (0.5, 0.1), "pit90": (0.9, 0.05)}
"""Share of all customers below a mark, zeros by their chance: what is right, and how far it may be off."""
LIKELY: Final = 2.0
"""In standard errors: what is less far from right is near it; else it is within :data:`NEAR` of what is borne."""
NEAR: Final = 0.5
"""Half of what is borne, so that "honest" is not called on the brink of another word; a guess."""
MIN_BUYERS: Final = 50
"""Of fewer buyers whose marks are a test, intervals are not called honest."""


@dataclass(frozen=True)
class Intervals:
    """How the outcomes of one origin lie in the intervals of their customers.

    Args:
        buyers: buyers whose 90% mark is a test (p above .1).
        outside: share of them beyond their own interval.
        outside_right: what it should be.
        outside_noise: its standard error.
        above: share of buyers with p above .5 who came out above their own middle; 0 where there is none.
        above_right: what it should be.
        above_noise: its standard error; 0 where there is no such buyer.
        over: share above the 90% mark over what it should be.
        customers: all of them.
        pit10: share of all customers below their 10% mark, zeros by their chance.
        pit50: likewise, below the middle.
        pit90: likewise, below the 90% mark.
    """

    buyers: Count
    outside: Share
    outside_right: Share
    outside_noise: Amount
    above: Share
    above_right: Share
    above_noise: Amount
    over: Amount
    customers: Count
    pit10: Share
    pit50: Share
    pit90: Share

    @property
    def fit(self) -> IntervalFit:
        """``honest``, ``narrow``, ``wide``, ``high`` (set too high), ``low``, or ``unclear``: none for sure."""
        up, moved = self.above - self.above_right, self._far(self.above, self.above_right, self.above_noise, SHIFTED)
        if self._ratio > NARROW and self.outside - self.outside_right > SURE * self.outside_noise:
            if moved and up > 0:
                return "low"
            return "high" if self.over < 1 else "narrow"
        if moved:
            return "low" if up > 0 else "high"
        off = {name: self._pit_off(name) for name in PITS}
        if off["pit50"]:
            return "high" if off["pit50"] > 0 else "low"
        if off["pit10"] > 0 or off["pit90"] < 0:
            return "narrow"
        few = self._ratio < WIDE and self.outside_right - self.outside > SURE * self.outside_noise
        if few or off["pit10"] < 0 or off["pit90"] > 0:
            return "wide"
        return "honest" if self._near else "unclear"

    def narrower_than(self, before: Intervals) -> bool:
        """Say whether more came out beyond their intervals than at another origin, by more than chance."""
        moved = (
            (self._ratio - before._ratio, self._ratio_noise, before._ratio_noise),
            (self.pit10 - before.pit10, self._noise("pit10"), before._noise("pit10")),
            (before.pit90 - self.pit90, self._noise("pit90"), before._noise("pit90")),
        )
        return any(up > SURE * np.hypot(now, then) for up, now, then in moved)

    @property
    def _ratio(self) -> float:
        """How many came out beyond their own, relative to how many should."""
        return self.outside / max(self.outside_right, 1e-9)

    @property
    def _ratio_noise(self) -> float:
        return self.outside_noise / max(self.outside_right, 1e-9)

    @property
    def _near(self) -> bool:
        borne = (NARROW - 1) * self.outside_right
        return (
            self.buyers >= MIN_BUYERS
            and _close(self.outside, self.outside_right, self.outside_noise, borne)
            and _close(self.above, self.above_right, self.above_noise, SHIFTED)
            and all(_close(getattr(self, name), right, self._noise(name), by) for name, (right, by) in PITS.items())
        )

    def _pit_off(self, name: str) -> float:
        """Return how far a share of all customers is from right, 0 where that is borne or may be chance."""
        right, borne = PITS[name]
        share = getattr(self, name)
        return share - right if self._far(share, right, self._noise(name), borne) else 0.0

    def _noise(self, name: str) -> float:
        right, _ = PITS[name]
        return float(np.sqrt(right * (1 - right) / max(1, self.customers)))

    @staticmethod
    def _far(share: float, right: float, noise: float, borne: float) -> bool:
        return abs(share - right) > max(borne, SURE * noise)


def _close(share: float, right: float, noise: float, borne: float) -> bool:
    return abs(share - right) <= max(NEAR * borne, LIKELY * noise)


def intervals_of(predictions: pd.DataFrame) -> Intervals:
    """Return how outcomes lie in their intervals.

    Args:
        predictions: ``score``'s columns and ``actual``, of one model at one origin, [n].
    """
    actual, chance = (predictions[name].to_numpy(np.float64) for name in ("actual", "p_purchase"))
    low, middle, high = (predictions[name].to_numpy(np.float64) for name in ("clv_p10", "clv_p50", "clv_p90"))
    bought, slack = actual > 0, 1e-9 * np.maximum(1.0, np.abs(actual))
    rows, sure, halves = bought & (chance > 0.1), bought & (chance > 0.9), bought & (chance > 0.5)
    above, below = 0.1 / chance[rows], 1 - 0.9 / chance[sure]
    over, under = int((actual > high + slack)[rows].sum()), int((actual < low - slack)[sure].sum())
    right = 0.5 / chance[halves]
    count, expected = max(1, int(rows.sum())), float(above.sum() + below.sum())
    # A buyer is beyond one end or the other: where both are a test, their chances add up.
    either = above + np.where(chance[rows] > 0.9, 1 - 0.9 / chance[rows], 0.0)
    pits = {name: METRICS[name].value(actual, predictions) for name in PITS}
    half = max(1, int(halves.sum()))
    return Intervals(
        buyers=int(rows.sum()),
        outside=(over + under) / count,
        outside_right=expected / count,
        outside_noise=_noise(either) / count,
        above=float((actual > middle + slack)[halves].sum() / half),
        above_right=float(right.sum() / half),
        above_noise=_noise(right) / half,
        over=over / max(float(above.sum()), 1e-9),
        customers=len(predictions),
        **pits,
    )


def _noise(chances: Floats) -> float:
    """Return the standard deviation of how many of independent chances come true."""
    return float(np.sqrt((chances * (1 - chances)).sum()))


CHANCE_TOLERANCE: Final = 0.1
"""So far may the number of buyers be off, as a share."""
TENTH_TOLERANCE: Final = 0.05
"""So far may tenths be off on average beyond what luck explains, as a share: models that are right stay below .01."""


@dataclass(frozen=True)
class Groups:
    """How groups came out at one origin.

    Args:
        buyers_expected: sum of the chances to buy.
        buyers_noise: standard deviation of the number of buyers, if each chance is right and luck is each one's own.
        tenths_off: mean over tenths of how far each is off beyond what the luck of customers explains, the total set
            right, as a share of the larger of what was predicted and what came.
        worst: the tenth that is furthest off beyond luck, in money; 1 is the highest.
        worst_predicted: what it was predicted to bring, in the log's currency, the total set right.
        worst_actual: what it brought.
    """

    buyers_expected: Amount
    buyers_noise: Amount
    tenths_off: Amount
    worst: Annotated[int, Ge(0), Le(10)]
    worst_predicted: Number
    worst_actual: Number

    def chances_off(self, buyers: int) -> float:
        """Return by which share too many buyers (negative: too few) were expected; 0 where that may be chance.

        Args:
            buyers: how many came.
        """
        off = self.buyers_expected / buyers - 1 if buyers else 0.0
        sure = abs(self.buyers_expected - buyers) > SURE * self.buyers_noise
        return off if sure and abs(off) > CHANCE_TOLERANCE else 0.0


def groups_of(predictions: pd.DataFrame) -> Groups:
    """Return how groups came out.

    Args:
        predictions: ``p_purchase``, ``predicted_clv`` and ``actual`` of one model at one origin, [n].
    """
    chance = predictions["p_purchase"].to_numpy(np.float64)
    expected, noise = float(chance.sum()), float(np.sqrt((chance * (1 - chance)).sum()))
    total, came = predictions["predicted_clv"].sum(), predictions["actual"].clip(lower=0).sum()
    if total <= 0 or came <= 0:
        return Groups(expected, noise, 0.0, 1, 0.0, 0.0)
    level = predictions.assign(predicted_clv=predictions["predicted_clv"] * came / total)
    mean, value = level["predicted_clv"].to_numpy(np.float64), level["actual"].clip(lower=0).to_numpy(np.float64)
    order = Order.ascending(-mean)
    predicted, actual = order.by_tenth(mean), order.by_tenth(value)
    by_chance = order.by_tenth(customer_variance(level, dispersion_of(level)))
    luck = np.sqrt(np.maximum(by_chance, order.by_tenth((value - mean) ** 2)))
    beyond = np.maximum(np.abs(predicted - actual) - LIKELY * luck, 0.0)
    larger = np.maximum(predicted, actual)
    worst = int(np.argmax(beyond))
    return Groups(
        buyers_expected=expected,
        buyers_noise=noise,
        tenths_off=float(np.divide(beyond, larger, out=np.zeros(len(larger)), where=larger > 0).mean()),
        worst=worst + 1,
        worst_predicted=float(predicted[worst]),
        worst_actual=float(actual[worst]),
    )
