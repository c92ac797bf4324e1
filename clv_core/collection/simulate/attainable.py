"""The best that history allows: conditional expectations under the true BG/NBD and Gamma-Gamma parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import hyp2f1

Floats = NDArray[np.float64]


def expected_purchases(
    horizon: float, frequency: Floats, recency: Floats, age: Floats, *, r: float, alpha: float, a: float, b: float
) -> Floats:
    """Return E[purchases in the horizon | x, t_x, T] of BG/NBD.

    The hypergeometric function is taken after Euler's transformation, which cancels the powers that overflow for
    large x: ``(1 - z)^(r + x) F(r + x, b + x; c; z) = (1 - z)^(a - 1) F(a + b - 1 - r, a - 1; c; z)``.

    Args:
        horizon: length of the predicted span, in the parameters' unit of time.
        frequency: repeat purchases x, shape [n].
        recency: first to last purchase t_x, shape [n].
        age: first purchase to cutoff T, shape [n].
        r: shape of the purchase rates.
        alpha: rate of the purchase rates, in units of time.
        a: first parameter of the leaving probabilities (not 1).
        b: second parameter of the leaving probabilities.

    Returns:
        Expected numbers, shape [n].

    Source:
        Fader, Hardie, Lee (2005), "Counting your customers" the easy way, Marketing Science 24(2), equation 10.
    """
    z = horizon / (alpha + age + horizon)
    series = hyp2f1(a + b - 1 - r, a - 1, a + b + frequency - 1, z)
    if_alive = (a + b + frequency - 1) / (a - 1) * (1 - (1 - z) ** (a - 1) * series)
    return np.asarray(if_alive * alive(frequency, recency, age, r=r, alpha=alpha, a=a, b=b), dtype=np.float64)


def alive(frequency: Floats, recency: Floats, age: Floats, *, r: float, alpha: float, a: float, b: float) -> Floats:
    """Return P(alive at T | x, t_x, T) of BG/NBD; arguments as in :func:`expected_purchases`, shape [n].

    Source:
        Fader, Hardie, Lee (2008), "Computing P(alive) using the BG/NBD model".
    """
    silence = (r + frequency) * np.log((alpha + age) / (alpha + recency))
    log_odds = np.log(a / (b + np.maximum(frequency, 1) - 1)) + silence
    return np.where(frequency > 0, 1 / (1 + np.exp(np.minimum(log_odds, 700.0))), 1.0)


def expected_spend(transactions: Floats, mean_value: Floats, *, p: float, q: float, gamma: float) -> Floats:
    """Return E[mean spend | n transactions of a given mean value] of Gamma-Gamma, shape [n].

    Source:
        Fader, Hardie (2013), "The Gamma-Gamma model of monetary value", equation 5.
    """
    return np.asarray(p * (gamma + transactions * mean_value) / (p * transactions + q - 1), dtype=np.float64)
