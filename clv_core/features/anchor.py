"""The anchor: BG/NBD and Gamma-Gamma fitted on what lies before one cutoff: features, and the level to start from.

Gamma-Gamma models the value of an order on its day. Later returns are taken off all orders in the same proportion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.btyd import BGNBD, GammaGamma
from clv_core.records import JsonRecord

Floats = NDArray[np.float64]
Rows = pd.DataFrame | Mapping[str, Floats]

USUAL: Final = 0.99
"""Of a customer who bought for more than this share of all do, no more than that counts towards what comes back."""
MIN_KEPT_SHARE: Final = 0.01
"""Floor of that share: an anchor that expects nothing cannot be scaled."""
CLOSE: Final = 1e-6
"""Below it, a difference of 1 is one of rounding."""


@dataclass(frozen=True)
class Anchor(JsonRecord):
    """Expected purchase days and expected spend of every customer.

    All methods take a frame, or arrays by name, with ``frequency``, ``recency``, ``T`` (days) and ``monetary_value``
    (currency), one row a customer; never-buyers are the rows whose ``T`` is unknown.

    Args:
        counts: model of purchase days, in days.
        spend: model of order values.
        kept: share of order value that returns on later days leave, in (0, 1].
    """

    counts: BGNBD
    spend: GammaGamma
    kept: float = 1.0

    @classmethod
    def fit(cls, rfm: pd.DataFrame) -> Self:
        """Return both models fitted on the buyers of ``rfm``; never fails, however small the log.

        Args:
            rfm: the four columns; with ``net_value`` and ``purchase_days`` among them, their totals give the
                order value of a log without a single repeat purchase, and with ``first_day_value`` what is returned.
        """
        buyers = rfm[rfm["T"].notna()]
        x, last, age, mean = _columns(buyers)
        typical = 0.0
        if {"net_value", "purchase_days"} <= set(buyers.columns):
            days = float(buyers["purchase_days"].sum())
            typical = float(buyers["net_value"].sum()) / days if days > 0 else 0.0
        kept_share = _kept(buyers)
        return cls(BGNBD.fit(x, last, age), GammaGamma.fit(x, mean, typical / kept_share), kept_share)

    def expected_count(self, rfm: Rows, horizon_days: float) -> Floats:
        """Return the expected purchase days in the horizon, float64 [n]; never-buyers 0."""
        return self._of_buyers(rfm, partial(self.counts.expected_purchases, horizon_days, check=False))

    def p_alive(self, rfm: Rows) -> Floats:
        """Return the probability of not having left, float64 [n]; never-buyers 0."""
        return self._of_buyers(rfm, partial(self.counts.p_alive, check=False))

    def p_purchase(self, rfm: Rows, horizon_days: float) -> Floats:
        """Return the probability of any purchase in the horizon, float64 [n]; never-buyers 0."""
        return self._of_buyers(rfm, partial(self.counts.p_purchase, horizon_days, check=False))

    def expected_spend(self, rfm: Rows) -> Floats:
        """Return the expected value of a purchase day, less what comes back, float64 [n]; never-buyers: of the mean."""
        x, _, _, mean = _columns(rfm)
        spend: Floats = self.kept * self.spend.expected_spend(x, mean)
        return spend

    def value(self, rfm: Rows, horizon_days: float) -> Floats:
        """Return expected count times expected spend in currency, float64 [n]; never-buyers 0."""
        return self.expected_count(rfm, horizon_days) * self.expected_spend(rfm)

    @staticmethod
    def _of_buyers(rfm: Rows, compute: Any) -> Floats:
        x, last, age, _ = _columns(rfm)
        buyer = ~np.isnan(age)
        result = np.zeros(len(age))
        result[buyer] = compute(x[buyer], last[buyer], age[buyer])
        return result


def _columns(rfm: Rows) -> list[Floats]:
    return [np.asarray(rfm[name], np.float64) for name in ("frequency", "recency", "T", "monetary_value")]


def _kept(buyers: pd.DataFrame) -> float:
    """Return which share of what was bought on purchase days was kept; exactly 1 where nothing came back later."""
    if not {"net_value", "first_day_value"} <= set(buyers.columns):
        return 1.0
    net, first, x, mean = (
        np.nan_to_num(np.asarray(buyers[name], np.float64))
        for name in ("net_value", "first_day_value", "frequency", "monetary_value")
    )
    bought = first + x * mean
    some = bought > 0
    if not some.any():
        return 1.0
    net, bought = net[some], bought[some]
    weight = np.minimum(1.0, np.quantile(bought, USUAL) / bought)
    share = float((weight * net).sum() / (weight * bought).sum())
    return 1.0 if share > 1 - CLOSE else max(share, MIN_KEPT_SHARE)
