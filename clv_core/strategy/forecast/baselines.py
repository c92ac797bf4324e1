"""Simple forecasts of a shop's weekly revenue, which need no customers: what a forecast in parts has to beat."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np

from clv_core.strategy.forecast.new_customers import FEWEST_WEEKS, weekday_index
from clv_core.strategy.forecast.shop_days import WEEK, Floats, ShopDays

SEASONAL_NAIVE, LAST_WEEKS, SMOOTHING = "seasonal_naive", "last_weeks", "smoothing"
BASELINES: Final = (SEASONAL_NAIVE, LAST_WEEKS, SMOOTHING)
"""Last year's weeks; the mean of the last eight weeks; exponential smoothing with a damped trend."""
MEAN_WEEKS: Final = 8
"""Two months: one campaign or holiday does not decide; a guess."""
YEAR_WEEKS: Final = 52


def baselines(log: ShopDays, days: int) -> dict[str, Floats]:
    """Return the revenue of each day ahead by each baseline that the log allows, [days] each.

    Args:
        log: up to the cutoff.
        days: how far ahead.
    """
    total = log.total()
    weeks = -(-days // WEEK)
    whole = len(total) // WEEK
    if not whole:
        return {}
    series = total[len(total) - whole * WEEK :].reshape(whole, WEEK).sum(axis=1)
    found: dict[str, Floats] = {}
    if whole > YEAR_WEEKS:
        found[SEASONAL_NAIVE] = np.resize(series[-YEAR_WEEKS:], weeks)
    else:
        found[LAST_WEEKS] = np.full(weeks, series[-MEAN_WEEKS:].mean())
    if whole >= FEWEST_WEEKS:
        found[SMOOTHING] = _smoothing(series, weeks)
    weekday = weekday_index(total) / WEEK
    return {name: np.repeat(weekly, WEEK)[:days] * np.resize(weekday, days) for name, weekly in found.items()}


def _smoothing(series: Floats, weeks: int) -> Floats:
    """Return weekly sums by Holt's method with a damped trend; never below 0."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one that did not converge is judged by its errors like any other
        fitted = ExponentialSmoothing(series, trend="add", damped_trend=True, initialization_method="estimated").fit()
    return np.maximum(np.asarray(fitted.forecast(weeks), np.float64), 0.0)
