"""Statistics of each customer at a cutoff, free of the log's scale; they need nothing but her own past and look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import CART, RATING_EVENT, RETURN, VIEW
from clv_core.features.context.days import Days, LogDays, exactly
from clv_core.features.context.lookup import SPANS, Known, Lookup, by_span, decayed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = dict[str, Floats]

YEAR_DAYS: Final = 364
"""A year of whole weeks."""
LITTLE: Final = 0.02
"""Floor of logs of counts and money."""
HALVES: Final = (0.125, 0.5, 2.0)
PRIOR_GAPS: Final = 1.0
PRIOR_ORDERS: Final = 2.0
BEHAVIOUR_SPANS: Final = (0.0625, 0.25, 1.0)
USUAL: Final = ("gap", "gap_cv", "money")
"""What a customer's own means lean on, of the log: mean gap in horizons, its variation, mean order in currency."""


def customer_statistics(
    log: LogDays, customers: Ints, cutoff_day: int, horizon_days: int, usual: Mapping[str, float], lookup: Lookup
) -> Columns:
    """Return the statistics of customers, by name, each float64 [n] and finite.

    Args:
        log: its days; those at or after the cutoff change nothing.
        customers: their numbers, [n].
        cutoff_day: days since 1970-01-01.
        horizon_days: unit of time.
        usual: of the log, :data:`USUAL`.
        lookup: of the log at the cutoff.
    """
    log = replace(log, **{name: getattr(log, name).in_units(usual["money"]) for name in ("orders", "returned")})
    known = Known.of(log, customers, cutoff_day, horizon_days)
    counts, money = by_span(known.edges), by_span(log.orders.added[known.edges])
    bought = (known.count > 0).astype(np.float64)
    found: Columns = {
        "count": np.log1p(known.count),
        "never": 1 - bought,
        "age": np.log(known.age + LITTLE),
        "tenure": np.log((cutoff_day - log.seen[customers]) / horizon_days + LITTLE),
        "recency": np.where(known.count > 0, np.log(known.recency + LITTLE), 0.0),
        "recency_share": np.where(known.count > 0, known.recency / np.maximum(known.age, 1e-6), 0.0),
        "full_horizon": np.minimum(known.age, 1.0),
        "silence_any": np.log(known.silence + LITTLE),
    }
    for column in range(len(SPANS) - 1):
        found[f"orders_{SPANS[column + 1]}"] = np.log1p(counts[:, column])
    for half in HALVES:
        found[f"orders_decayed_{half}"] = np.log(decayed(counts, half) + LITTLE)
        found[f"money_decayed_{half}"] = np.log(decayed(money, half) + LITTLE)
    found["money_recent"] = np.log(money[:, :5].sum(axis=1) + LITTLE)
    found["orders_turn"] = np.log1p(counts[:, :5].sum(axis=1)) - np.log1p(counts[:, 5])
    found |= _gaps(log.orders, customers, cutoff_day, horizon_days, known, usual)
    found |= _spend(log.orders, customers, cutoff_day, known)
    found |= _last_year(log, customers, cutoff_day, horizon_days)
    found |= _behaviour(log, customers, cutoff_day, horizon_days, known)
    found |= lookup.of_customers(known)
    rate = known.count / np.maximum(known.age, 0.25)
    found["rate_lifetime"] = np.log(rate * bought + LITTLE)
    return found


def _spans(days: Days, customers: Ints, cutoff_day: int, running: Floats) -> Floats:
    """Return the sum of what ``running`` adds up over all rows of customers before the cutoff, [n]."""
    found: Floats = running[days.before(customers, cutoff_day)] - running[days.offsets[customers]]
    return found


def _gaps(
    orders: Days, customers: Ints, cutoff_day: int, horizon_days: int, known: Known, usual: Mapping[str, float]
) -> Columns:
    """How far orders lie apart, how alike the gaps are, and how long the silence is beside them."""
    first = np.zeros(len(orders.day), bool)
    first[orders.offsets[:-1][np.diff(orders.offsets) > 0]] = True
    gap = np.where(first, 0, np.diff(orders.day, prepend=0)).astype(np.float64)
    added, squared = (np.concatenate([[0.0], np.cumsum(gap**power)]) for power in (1, 2))
    count = np.maximum(known.count - 1, 0.0)
    total, squares = (
        _spans(orders, customers, cutoff_day, running) / horizon_days**power
        for power, running in ((1, added), (2, squared))
    )
    mean = (total + PRIOR_GAPS * usual["gap"]) / (count + PRIOR_GAPS)
    own = total / np.maximum(count, 1)
    variance = np.maximum(squares / np.maximum(count, 1) - own**2, 0.0) * count / np.maximum(count - 1, 1)
    cv = np.sqrt(variance) / np.maximum(own, 1e-6)
    weight = np.maximum(count - 1, 0.0)
    cv = (cv * weight + 2 * usual["gap_cv"]) / (weight + 2)
    last = np.append(gap, 0.0)[np.maximum(orders.before(customers, cutoff_day) - 1, 0)] / horizon_days
    silence = known.recency / np.maximum(mean, 1e-4)
    bought = known.count > 0
    return {
        "gap": np.where(bought, np.log(mean + 1e-3), 0.0),
        "gap_cv": cv,
        "gap_last": np.where(known.count > 1, np.log((last + 1e-3) / (mean + 1e-3)), 0.0),
        "silence": np.where(bought, np.log(silence + LITTLE), 0.0),
        "silence_alike": np.where(bought, np.clip((silence - 1) / np.maximum(cv, 0.1), -5, 8), 0.0),
    }


def _spend(orders: Days, customers: Ints, cutoff_day: int, known: Known) -> Columns:
    """What an order of hers is worth: mean, scatter, the last one; values in mean orders."""
    value = orders.value
    logs = exactly(np.log(np.maximum(value, 1e-6)))
    total, log_total, log_squares = (
        _spans(orders, customers, cutoff_day, np.concatenate([[0.0], np.cumsum(part)]))
        for part in (value, logs, exactly(logs**2))
    )
    count = np.maximum(known.count, 1.0)
    own = log_total / count
    scatter = np.sqrt(np.maximum(log_squares / count - own**2, 0.0))
    stop = orders.before(customers, cutoff_day)
    last = np.append(logs, 0.0)[np.maximum(stop - 1, 0)]
    bought = known.count > 0
    return {
        "order_value": np.log((total + PRIOR_ORDERS) / (known.count + PRIOR_ORDERS)),
        "order_log": np.where(bought, own, 0.0),
        "order_scatter": np.where(known.count > 1, scatter, 0.0),
        "order_last": np.where(bought, last, 0.0),
        "order_turn": np.where(bought, last - own, 0.0),
        "money_total": np.log(total + LITTLE),
    }


def _last_year(log: LogDays, customers: Ints, cutoff_day: int, horizon_days: int) -> Columns:
    """What she did in the same span a year ago, where the horizon is not longer than a year."""
    begin = cutoff_day - YEAR_DAYS
    span = min(horizon_days, YEAR_DAYS)
    known = (log.seen[customers] < begin).astype(np.float64)
    return {
        "year_known": known,
        "year_orders": known * np.log1p(log.orders.count(customers, begin, begin + span)),
        "year_money": known * np.log1p(np.maximum(log.orders.sum(customers, begin, begin + span), 0.0)),
    }


def _behaviour(log: LogDays, customers: Ints, cutoff_day: int, horizon_days: int, known: Known) -> Columns:
    """What she looked at, put into the cart, sent back and thought of it."""
    found: Columns = {}
    for name, days in log.behaviour.items():
        spans = BEHAVIOUR_SPANS if name in (VIEW, CART, "other") else BEHAVIOUR_SPANS[-1:]
        edges = [cutoff_day, *(cutoff_day - round(span * horizon_days) for span in spans)]
        at = days.before(customers[:, None], np.array(edges))
        stop, added = at[:, 0], days.added[at]
        any_ = stop > days.offsets[customers]
        last = np.append(days.day, cutoff_day)[np.where(any_, stop - 1, -1)]
        found[f"{name}_last"] = np.where(any_, np.log((cutoff_day - last) / horizon_days + LITTLE), 2.0)
        for column, span in enumerate(spans, 1):
            found[f"{name}_{span}"] = np.log1p(added[:, 0] - added[:, column])
    rated, returns = log.behaviour[RATING_EVENT], log.behaviour[RETURN]
    stop = log.rating.before(customers, cutoff_day)
    number = _spans(rated, customers, cutoff_day, rated.added)
    mean = (_spans(log.rating, customers, cutoff_day, log.rating.added) + 4.0) / (number + 1)
    last = np.append(log.rating.value / np.maximum(rated.value, 1), 4.0)
    has = stop > log.rating.offsets[customers]
    found["rating_mean"] = mean - 4.0
    found["rating_latest"] = np.where(has, last[np.where(has, stop - 1, -1)] - 4.0, 0.0)
    back = _spans(log.returned, customers, cutoff_day, log.returned.added)
    spent = _spans(log.orders, customers, cutoff_day, log.orders.added)
    found["returned_share"] = back / np.maximum(back + spent, 1e-9)
    found["returns"] = np.log1p(_spans(returns, customers, cutoff_day, returns.added))
    return found
