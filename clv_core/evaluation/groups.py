"""Calibration of groups: expected and actual buyers, and predicted and actual value by tenth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.evaluation.levels import customer_variance, dispersion_of
from clv_core.evaluation.sample import Order, shares_at

Floats = NDArray[np.float64]

CHANCE_TOLERANCE: Final = 0.1
"""So far may the number of buyers be off, as a share."""
TENTH_TOLERANCE: Final = 0.05
"""So far may tenths be off on average beyond what luck explains, as a share: models that are right stay below .01."""
SURE: Final = 3.0
LIKELY: Final = 2.0
"""In standard errors: of the number of buyers, and of the sum of a tenth."""
TENTHS: Final = np.linspace(0.0, 1.0, 11)


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

    buyers_expected: float
    buyers_noise: float
    tenths_off: float
    worst: int
    worst_predicted: float
    worst_actual: float

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
    heads = order.sums(np.ones((1, len(mean))))

    def by_tenth(amounts: Floats) -> Floats:
        sums: Floats = np.diff(shares_at(heads, order.sums(amounts[None, :]), TENTHS)[0])
        return sums

    predicted, actual = by_tenth(mean), by_tenth(value)
    luck = np.sqrt(np.maximum(by_tenth(customer_variance(level, dispersion_of(level))), by_tenth((value - mean) ** 2)))
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
