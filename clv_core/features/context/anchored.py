"""What the anchor (BG/NBD with Gamma-Gamma, fitted on the log) says of customers and of the log, free of scale."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.features.btyd import Anchor, GammaGamma
from clv_core.features.context.log_days import LogDays

Floats = NDArray[np.float64]

ANCHORED: Final = ("anchor_count", "anchor_spend", "p_alive")
"""Features that are read."""
LITTLE: Final = 0.02
FARTHEST: Final = 5.0
"""Largest log of a parameter: beyond it, one says the same as at it."""


def anchor_statistics(features: Mapping[str, Floats] | pd.DataFrame, never: Floats, money: float) -> dict[str, Floats]:
    """Return the anchor's statistics of customers by name, each [n]; 0 for those who have never bought.

    Args:
        features: :data:`ANCHORED`, at the horizon that is asked for, each [n].
        never: 1 for those who have never bought, [n].
        money: mean order of the log, less the share of it that comes back on later days.
    """
    count, spend, alive = np.nan_to_num(np.array([features[name] for name in ANCHORED], np.float64))
    bought = 1 - never
    chance = np.log(np.expm1(np.clip(count, 0.005, 12.0)))
    return {
        "anchor_orders": bought * np.log(count + LITTLE),
        "anchor_spend": bought * np.log(np.maximum(spend, 0) / money + LITTLE),
        "anchor_chance": bought * chance,
        "anchor_alive": bought * alive,
    }


def spend_statistics(spend: GammaGamma, columns: Mapping[str, Floats], money: float) -> dict[str, Floats]:
    """Return what the anchor expects of an order after all orders of a customer, the first included, [n].

    Gamma-Gamma is fitted on repeat purchases and says of a one-time buyer what it says of everyone; the value of her
    only order tells more.

    Args:
        spend: the anchor's.
        columns: statistics of customers by name.
        money: mean order of the log.
    """
    count = np.rint(np.expm1(columns["count"]))
    mean = np.maximum(np.exp(columns["money_total"]) - LITTLE, 1e-9) / np.maximum(count, 1) * money
    found = np.log(np.maximum(spend.expected_spend(count, mean), 0) / money + LITTLE)
    return {"anchor_spend_all": (1 - columns["never"]) * found}


@lru_cache(maxsize=64)
def anchor_numbers(anchor: Anchor, horizon_days: int) -> Mapping[str, float]:
    """Return the anchor's parameters as logs, time counted in horizons."""
    counts, spend = anchor.counts.to_json(), anchor.spend.to_json()
    found = {name: counts[name] for name in ("r", "a", "b")} | {"alpha": counts["alpha"] / horizon_days}
    found |= {"p": spend["p"], "q": spend["q"]}
    return {
        f"anchor_{name}": float(np.clip(np.log(max(value, 1e-9)), -FARTHEST, FARTHEST)) for name, value in found.items()
    }


def history(log: LogDays, cutoff_day: int) -> pd.DataFrame:
    """Return what an anchor is fitted on, one row a customer of a log whose days all lie before the cutoff.

    The columns are the features of the same names: frequency, recency, T (days), monetary_value, net_value (money) and
    purchase_days.
    """
    orders = log.orders
    days = np.diff(orders.offsets)
    bought = days > 0
    safe_day, safe_value = np.append(orders.day, 0), np.append(orders.value, 0.0)
    first = np.where(bought, orders.offsets[:-1], len(orders.day))
    last = np.where(bought, orders.offsets[1:] - 1, len(orders.day))
    total, everything = (part.added[part.offsets[1:]] - part.added[part.offsets[:-1]] for part in (orders, log.net))
    repeat = np.maximum(days - 1, 0)
    mean = np.where(repeat > 0, (total - safe_value[first]) / np.maximum(repeat, 1), 0.0)
    known = {
        "recency": (safe_day[last] - safe_day[first]).astype(np.float64),
        "T": (cutoff_day - safe_day[first]).astype(np.float64),
        "monetary_value": mean,
    }
    table = {name: np.where(bought, values, np.nan) for name, values in known.items()}
    counts = {"frequency": repeat.astype(np.float64), "purchase_days": days.astype(np.float64)}
    return pd.DataFrame({**table, **counts, "net_value": everything})
