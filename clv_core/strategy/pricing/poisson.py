"""Poisson regression with two sets of effects (product and time) absorbed, and errors clustered by product.

E[y] = exp(effect of the product + effect of the period + x b). The likelihood is maximised by weighted least squares,
repeated; within each, the effects are swept out by demeaning in turn, so that thousands of them cost nothing. The last
step is a regression of ``statsmodels``, whose cluster-robust variance is the sandwich of the Poisson likelihood.
Source: Correia, Guimarães, Zylkin (2020), Fast Poisson estimation with high-dimensional fixed effects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS: Final = 60
SWEEPS: Final = 500
CLOSE: Final = 1e-8


@dataclass(frozen=True)
class Estimate:
    """One coefficient.

    Args:
        value: the estimate.
        error: its standard error, robust to clusters.
        clusters: how many products it rests on.
        rows: how many observations.
    """

    value: float
    error: float
    clusters: int
    rows: int

    def interval(self, share: float) -> tuple[float, float]:
        """Return the interval that holds the truth in ``share`` of cases, by Student's t of clusters - 1."""
        from scipy.stats import t

        reach = float(t.ppf((1 + share) / 2, max(self.clusters - 1, 1))) * self.error
        return self.value - reach, self.value + reach


def absorbed_poisson(y: Floats, x: Floats, product: Ints, period: Ints) -> Estimate | None:
    """Return the coefficient of ``x``; None where nothing is left to tell it by.

    Args:
        y: counts, >= 0, [n].
        x: what varies within products, [n].
        product: number of each row's product: an effect, and the cluster, [n].
        period: number of each row's period: an effect, [n].
    """
    rows = _informative(y, product, period)
    y, x = y[rows], x[rows]
    product, period = _renumbered(product[rows]), _renumbered(period[rows])
    if len(y) < 3 or product.max(initial=0) < 1 or np.ptp(x) == 0:
        return None
    import statsmodels.api as sm

    mean = (y + y.mean()) / 2
    deviance = np.inf
    for _ in range(STEPS):
        working = np.log(mean) + (y - mean) / mean
        swept = _swept(np.column_stack([working, x]), mean, (product, period))
        moment = float((mean * swept[:, 1]) @ swept[:, 1])
        if moment <= CLOSE * float(mean @ (x - x.mean()) ** 2):
            return None
        slope = float((mean * swept[:, 1]) @ swept[:, 0]) / moment
        weights = mean
        mean = np.exp(np.clip(working - (swept[:, 0] - slope * swept[:, 1]), -30, 30))
        now = float(2 * (np.where(y > 0, y * np.log(np.maximum(y, 1e-300) / mean), 0.0) - (y - mean)).sum())
        if abs(deviance - now) <= CLOSE * (abs(now) + 1):
            break
        deviance = now
    fitted = sm.WLS(swept[:, 0], swept[:, 1:], weights=weights).fit(cov_type="cluster", cov_kwds={"groups": product})
    return Estimate(float(fitted.params[0]), float(fitted.bse[0]), int(product.max()) + 1, len(y))


def _informative(y: Floats, product: Ints, period: Ints) -> Ints:
    """Return the rows of products and periods that sold anything: the others' effects are minus infinity."""
    rows = np.arange(len(y))
    while True:
        keep = np.ones(len(rows), bool)
        for group in (product[rows], period[rows]):
            keep &= np.bincount(group, y[rows])[group] > 0
            keep &= np.bincount(group)[group] > 1
        if keep.all():
            return rows
        rows = rows[keep]


def _renumbered(group: Ints) -> Ints:
    return np.asarray(np.unique(group, return_inverse=True)[1], np.int64)


def _swept(values: Floats, weights: Floats, groups: tuple[Ints, ...]) -> Floats:
    """Return columns without their weighted group means, by demeaning in turn until nothing moves."""
    total = [np.bincount(group, weights) for group in groups]
    size = np.abs(values).max(axis=0)
    for _ in range(SWEEPS):
        moved = 0.0
        for group, weight in zip(groups, total, strict=True):
            means = np.stack([np.bincount(group, weights * column) for column in values.T], axis=1) / weight[:, None]
            values = values - means[group]
            moved = max(moved, float((np.abs(means).max(axis=0) / size).max()))
        if moved < CLOSE:
            break
    return values
