"""A log at one cutoff as an untrained network needs it, made once, at its first use.

And the statistics of the anchor (BG/NBD with Gamma-Gamma, fitted on the log's :func:`history`) for customers and for
the log, free of scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.btyd import BGNBD, GammaGamma
from clv_core.features.anchor import Anchor
from clv_core.features.context.customer_statistics import Columns, customer_statistics
from clv_core.features.context.log_days import LogDays
from clv_core.features.context.log_statistics import log_statistics, usual_of
from clv_core.features.context.lookup import Lookup
from clv_core.features.sequences import Steps, Windows
from clv_core.records import JsonRecord

if TYPE_CHECKING:
    from clv_core.features.event_store import EventStore

MOST_CUSTOMERS: Final = 60_000
"""More customers add nothing to a log's statistics but time."""
RANGES: Final = 200
"""A sample is taken in so many ranges of consecutive customers: ids often follow the order in which customers came."""


Floats = NDArray[np.float64]

ANCHORED: Final = ("anchor_count", "anchor_spend", "p_alive")
"""Features that are read."""
LITTLE: Final = 0.02
"""Floor of logs of counts and money, in orders; a guess."""
FARTHEST: Final = 5.0
"""Largest log of a parameter: beyond it, the fit was at its bounds. A guess."""


@dataclass(frozen=True)
class Context(JsonRecord):
    """Statistics of a log at a cutoff.

    Args:
        cutoff_day: days since 1970-01-01.
        horizon_days: length of the predicted span, the unit of time.
        usual: mean gap (horizons), its variation, mean order (currency).
        lookup: what came of whom in complete windows.
        numbers: statistics of the log by name.
    """

    cutoff_day: int
    horizon_days: int
    usual: dict[str, float]
    lookup: Lookup
    numbers: dict[str, float]

    @classmethod
    def of(cls, steps: Steps, cutoff_day: int, horizon_days: int, counts: BGNBD | None = None) -> Context:
        """Return the context of a log; steps at or after the cutoff change nothing.

        Args:
            steps: of all customers or a sample of them.
            cutoff_day: days since 1970-01-01.
            horizon_days: length of the predicted span.
            counts: BG/NBD as fitted on the log before the cutoff, in days; None fits it on the steps.
        """
        log = LogDays.of(_before(steps, cutoff_day))
        if counts is None:
            past = history(log, cutoff_day).dropna()
            counts = BGNBD.fit(past["frequency"], past["recency"], past["T"])
        usual, lookup = usual_of(log, horizon_days), Lookup.of(log, cutoff_day, horizon_days, counts)
        return cls(
            cutoff_day, horizon_days, usual, lookup, log_statistics(log, cutoff_day, horizon_days, usual, lookup)
        )

    def customers(self, windows: Windows) -> Columns:
        """Return the statistics of customers at this cutoff, by name, each [n].

        Args:
            windows: whose; their steps hold each customer's full past.
        """
        log = LogDays.of(windows.steps, self.cutoff_day)
        customers = np.searchsorted(windows.steps.offsets, windows.start, side="right") - 1
        return customer_statistics(log, customers, self.cutoff_day, self.horizon_days, self.usual, self.lookup)


def _before(steps: Steps, cutoff_day: int) -> Steps:
    """Return the steps before the cutoff of the customers who have any."""
    is_before = steps.day < cutoff_day
    added = np.concatenate([[0], np.cumsum(is_before)])
    counts = added[steps.offsets[1:]] - added[steps.offsets[:-1]]
    seen = counts > 0
    return steps.select(is_before, steps.customer_ids[seen], counts[seen])


@dataclass(frozen=True, eq=False)
class LazyContext:
    """The context of a log, made at its first use: most models never need it.

    Args:
        steps: returns the steps of all customers or of a sample of them.
        cutoff_day: days since 1970-01-01.
        horizon_days: length of the predicted span.
        saved: the context where it was made before and saved; then ``steps`` is never called.
        counts: BG/NBD as fitted on the log before the cutoff, in days.
    """

    steps: Callable[[], Steps]
    cutoff_day: int
    horizon_days: int
    saved: Context | None = None
    counts: BGNBD | None = None

    @cached_property
    def context(self) -> Context:
        """The context."""
        return self.saved or Context.of(self.steps(), self.cutoff_day, self.horizon_days, self.counts)

    @property
    def is_built(self) -> bool:
        """Whether the context has been made yet."""
        return "context" in vars(self) or self.saved is not None


def sample_steps(store: EventStore, cutoff_day: int, most: int = MOST_CUSTOMERS) -> Steps:
    """Return the steps before a cutoff of at most ``most`` customers, in ranges spread evenly over those seen by then.

    Customers who come later change neither the sample nor its steps.
    """
    seen = store.seen(cutoff_day)
    wide = most // RANGES
    begins = (
        np.linspace(0, len(seen) - wide, RANGES).astype(np.int64) if len(seen) > most else range(0, len(seen), wide)
    )
    ranges = [seen[begin : begin + wide] for begin in begins]
    return Steps.joined([_before(store.steps(int(part[0]), int(part[-1]) + 1), cutoff_day) for part in ranges])


def anchor_statistics(features: Mapping[str, Floats] | pd.DataFrame, never: Floats, money: float) -> dict[str, Floats]:
    """Return the anchor's statistics of customers by name, each [n]; 0 for those who have never bought.

    Args:
        features: :data:`ANCHORED`, at the requested horizon, each [n].
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

    Gamma-Gamma is fitted on repeat purchases and gives all one-time buyers the same mean; the value of her only order
    is information that it leaves out.

    Args:
        spend: the anchor's.
        columns: statistics of customers by name.
        money: mean order of the log.
    """
    count = np.rint(np.expm1(columns["count"]))
    mean = np.maximum(np.exp(columns["money_total"]) - LITTLE, 1e-9) / np.maximum(count, 1) * money
    log_spend = np.log(np.maximum(spend.expected_spend(count, mean), 0) / money + LITTLE)
    return {"anchor_spend_all": (1 - columns["never"]) * log_spend}


@lru_cache(maxsize=64)
def anchor_numbers(anchor: Anchor, horizon_days: int) -> Mapping[str, float]:
    """Return the anchor's parameters as logs, time counted in horizons."""
    counts, spend = anchor.counts.to_json(), anchor.spend.to_json()
    parameters = {name: counts[name] for name in ("r", "a", "b")} | {"alpha": counts["alpha"] / horizon_days}
    parameters |= {"p": spend["p"], "q": spend["q"]}
    return {
        f"anchor_{name}": float(np.clip(np.log(max(value, 1e-9)), -FARTHEST, FARTHEST))
        for name, value in parameters.items()
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
    of_buyers = {
        "recency": (safe_day[last] - safe_day[first]).astype(np.float64),
        "T": (cutoff_day - safe_day[first]).astype(np.float64),
        "monetary_value": mean,
    }
    table = {name: np.where(bought, values, np.nan) for name, values in of_buyers.items()}
    counts = {"frequency": repeat.astype(np.float64), "purchase_days": days.astype(np.float64)}
    return pd.DataFrame({**table, **counts, "net_value": everything})
