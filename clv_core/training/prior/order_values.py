"""What an order is worth, in mean orders."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.training.prior.order_times import Customers, Orders
from clv_core.training.prior.seasonality import YEAR_DAYS
from clv_core.training.prior.shop_traits import Traits

Floats = NDArray[np.float64]

SMALLEST: Final = 1e-3


def draw_spend(traits: Traits, people: Customers, orders: Orders, random: np.random.Generator) -> Floats:
    """Return the value of each order, [o]: a customer's mean, gamma or lognormal about it, prices that drift."""
    n = len(people.arrival)
    rate = np.log(np.maximum(people.rate, 1e-9))
    known = people.rate > 0
    deviation = float(rate[known].std()) if known.sum() > 1 else 0.0
    standard = np.where(known, (rate - rate[known].mean()) / deviation, 0.0) if deviation > 0 else np.zeros(n)
    own = traits.spend_rate * np.clip(standard, -3, 3)
    own = own + np.sqrt(1 - traits.spend_rate**2) * random.standard_normal(n)
    if traits.spend_kind == "gamma_gamma":
        shape = 1 / np.expm1(traits.within**2)
        about = random.gamma(shape, 1 / shape, len(orders.day))
    else:
        about = random.lognormal(-(traits.within**2) / 2, traits.within, len(orders.day))
    mean = np.exp(traits.between * own)
    mean[random.uniform(size=n) < traits.whales] *= np.exp(traits.whale_height)
    drift = np.exp(traits.price_drift * orders.day / YEAR_DAYS)
    value: Floats = np.maximum(mean[orders.customer] * about * drift, SMALLEST)
    return value
