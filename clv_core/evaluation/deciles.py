"""Deciles, gain curves, the top tenth and purchase thresholds for pages and reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clv_core.evaluation.sample import Order, floats, shares_at

Floats = NDArray[np.float64]

DECILES: Final = 10
CURVE_POINTS: Final = 201
"""A point each half percent of the customers."""
THRESHOLDS: Final = 101
"""A threshold each percent."""


def decile_table(actual: ArrayLike, predicted: ArrayLike, *, baseline: ArrayLike | None = None) -> pd.DataFrame:
    """Return predicted and actual value by decile of predicted value, as in google/lifetime_value.

    Customers are ranked first and then cut into ten groups of equal size; those with equal predictions share the
    groups that they fall into evenly, so that row order changes nothing and no group is lost to ties.

    Args:
        actual: net value in the horizon, negative values count as 0, [c].
        predicted: predicted value, [c].
        baseline: another model's predicted value of the same customers, [c].

    Returns:
        ``decile`` (1 is the highest), ``customers`` (their number; a fraction where c is no multiple of ten),
        ``predicted_mean``, ``actual_mean``, ``predicted_sum``, ``actual_sum``, ``share_of_value`` (of the actual
        total), and ``baseline_mean`` where there is a baseline.

    Examples:
        >>> import numpy as np
        >>> from clv_core.evaluation import decile_table
        >>> table = decile_table(actual=np.arange(100), predicted=np.arange(100) / 2)
        >>> table.loc[[0, 9], ["decile", "customers", "predicted_mean", "actual_mean", "share_of_value"]].round(2)
           decile  customers  predicted_mean  actual_mean  share_of_value
        0       1       10.0           47.25         94.5            0.19
        9      10       10.0            2.25          4.5            0.01
    """
    mean, value = floats(predicted), np.maximum(floats(actual), 0.0)
    order = Order.ascending(-mean)
    size = len(mean) / DECILES
    sums = {"predicted": order.by_tenth(mean), "actual": order.by_tenth(value)}
    table = pd.DataFrame({"decile": np.arange(1, DECILES + 1), "customers": size})
    for name, values in sums.items():
        table[f"{name}_mean"] = values / size if size else 0.0
    for name, values in sums.items():
        table[f"{name}_sum"] = values
    total = value.sum()
    table["share_of_value"] = sums["actual"] / total if total > 0 else 0.0
    if baseline is not None:
        table["baseline_mean"] = order.by_tenth(floats(baseline)) / size if size else 0.0
    return table


def gain_curve(actual: ArrayLike, predicted: ArrayLike, points: int = CURVE_POINTS) -> pd.DataFrame:
    """Return which share of the actual value the first share of customers holds, put in predicted order.

    ``gain_curve(actual, actual)`` is the perfect order; a random order is the diagonal, which is also what equal
    predictions for all give.

    Args:
        actual: net value in the horizon, negative values count as 0, [c].
        predicted: predicted value, [c].
        points: number of evenly spaced points, ends included.

    Returns:
        ``share_of_customers`` and ``share_of_value``, both rising from 0 to 1.
    """
    mean, value = floats(predicted), np.maximum(floats(actual), 0.0)
    shares = np.linspace(0.0, 1.0, points)
    total = value.sum()
    captured = shares
    if total > 0:
        order = Order.ascending(-mean)
        captured = shares_at(order.sums(np.ones((1, len(mean)))), order.sums(value[None, :]), shares)[0] / total
    return pd.DataFrame({"share_of_customers": shares, "share_of_value": captured})


def gain_curves(actual: ArrayLike, predicted: dict[str, ArrayLike]) -> dict[str, pd.DataFrame]:
    """Return the gain curve of each model by name, then the perfect one as ``actual``.

    Examples:
        >>> import numpy as np
        >>> import pandas as pd
        >>> from clv_core.evaluation import gain_curves
        >>> curves = gain_curves(np.arange(10), {"ours": np.arange(10), "other": -np.arange(10)})
        >>> pd.DataFrame({name: curve["share_of_value"] for name, curve in curves.items()}).iloc[[20, 100]].round(2)
             ours  other  actual
        20   0.20   0.00    0.20
        100  0.78   0.22    0.78
    """
    curves = {name: gain_curve(actual, values) for name, values in predicted.items()}
    return {**curves, "actual": gain_curve(actual, np.maximum(floats(actual), 0.0))}


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Who is expected to buy at any threshold, answered in the time of a binary search.

    Args:
        p: predicted probabilities, ascending, [c].
        buyers_from: how many of the customers from each position on bought, [c + 1].
    """

    p: Floats
    buyers_from: NDArray[np.int64]

    @classmethod
    def of(cls, bought: ArrayLike, p: ArrayLike) -> Self:
        """Sort once.

        Args:
            bought: whether each customer bought in the horizon, [c].
            p: predicted probability of it, [c].
        """
        chances = floats(p)
        rows = np.argsort(chances)  # no threshold parts equal ones: their order does not matter
        later = np.cumsum(np.asarray(bought, dtype=np.int64)[rows][::-1])[::-1]
        return cls(chances[rows], np.concatenate([later, [0]]))

    def table(self) -> pd.DataFrame:
        """Return :meth:`at` for evenly spaced thresholds from 0 to 1."""
        return self.at(np.linspace(0.0, 1.0, THRESHOLDS))

    def at(self, thresholds: ArrayLike) -> pd.DataFrame:
        """Return the figures at each threshold; ``p >= threshold`` is expected to buy.

        Returns:
            ``threshold``, ``expected`` (customers expected to buy), ``accuracy``, ``precision``, ``recall``, ``f1``;
            a ratio without a denominator is 0.
        """
        cuts = np.atleast_1d(floats(thresholds))
        first = np.searchsorted(self.p, cuts, side="left")
        count, buyers = len(self.p), int(self.buyers_from[0])
        expected, right = count - first, self.buyers_from[first]
        wrong = expected - right
        missed = buyers - right
        return pd.DataFrame(
            {
                "threshold": cuts,
                "expected": expected,
                "accuracy": (count - wrong - missed) / max(1, count),
                "precision": right / np.maximum(1, expected),
                "recall": right / max(1, buyers),
                "f1": 2 * right / np.maximum(1, expected + buyers),
            }
        )


def top_share(values: ArrayLike) -> float:
    """Return which share of all value the tenth of the customers with the most holds; 0 where nobody has any.

    A tenth that is a fraction of a customer more is rounded up, as the first tier of a tenth is.

    Args:
        values: of customers, predicted or actual; negative ones count as 0, [c].
    """
    ranked = np.sort(np.maximum(floats(values), 0.0))[::-1]
    total = float(ranked.sum())
    return float(ranked[: -(-len(ranked) // 10)].sum() / total) if total > 0 else 0.0
