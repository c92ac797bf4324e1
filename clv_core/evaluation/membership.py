"""Whether a model gives away who was in its training: how well its loss tells members from others.

The attack: whom a network predicts with a smaller loss is said to have been in its training (Yeom et al. 2018, "Privacy
Risk in Machine Learning: Analyzing the Connection to Overfitting", arXiv 1709.01604). How well that does over all
thresholds is the area under its curve, .5 for guessing; what it costs those whom it is surest of is the share of
members found at 1% false alarms (Carlini et al. 2022, "Membership Inference Attacks From First Principles", arXiv
2112.03570).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from clv_core.evaluation.bootstrap import CONFIDENCE
from clv_core.records import Count, Share

FALSE_ALARMS: Final = 0.01
"""The share of others who are taken for members, of Carlini et al."""
FEWEST_FOR_FALSE_ALARMS: Final = math.ceil(1 / FALSE_ALARMS)
"""Of fewer others, no threshold takes one in a hundred for a member."""
CLEAR: Final = 0.6
"""From this area on, members are clearly told from others; a guess."""


@dataclass(frozen=True)
class Memory:
    """How well a model's loss tells who was in its training.

    Args:
        auc: chance that a member's loss is smaller than another's; .5 is guessing.
        low, high: its 95% interval, of DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44.
        tpr_at_1pct: share of members that are found where at most 1% of others are taken for members; None where there
            are fewer than 100 others.
        members: customers in training that were tried.
        nonmembers: customers that were kept apart from it.
    """

    auc: Share
    low: Share
    high: Share
    tpr_at_1pct: Share | None
    members: Count
    nonmembers: Count

    @classmethod
    def of(cls, members: NDArray[np.float64], nonmembers: NDArray[np.float64]) -> Self:
        """Return what losses tell.

        Args:
            members: loss of each customer in training, at least 2.
            nonmembers: of each that was kept apart, at least 2.
        """
        count, others = len(members), len(nonmembers)
        above = 1 - _share_below(nonmembers, members)  # of others, that have a larger loss than each member
        beaten = _share_below(members, nonmembers)  # of members, that have a smaller one than each other
        auc = float(above.mean())
        error = math.sqrt(above.var(ddof=1) / count + beaten.var(ddof=1) / others)
        reach = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) * error
        found = None
        if others >= FEWEST_FOR_FALSE_ALARMS:
            threshold = np.sort(nonmembers)[int(others * FALSE_ALARMS)]
            found = float((members < threshold).mean())
        return cls(auc, max(0.0, auc - reach), min(1.0, auc + reach), found, count, others)

    @property
    def outcome(self) -> str:
        """``none``: guessing is inside the interval; ``some``; or ``clear``: members are clearly told from others."""
        if self.low <= 0.5:
            return "none"
        return "clear" if self.auc >= CLEAR else "some"


def _share_below(these: NDArray[np.float64], each: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of ``these`` that are smaller than each value, equal ones as halves, [n] of ``each`` [n]."""
    ordered = np.sort(these)
    places = [np.searchsorted(ordered, each, side) for side in ("left", "right")]
    return np.add(*places) / (2 * len(these))
