"""Statistics of each customer at a cutoff, free of the log's scale; they need nothing but her own past and look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import CART, RATING_EVENT, RETURN, VIEW
from clv_core.features.context.log_days import BEHAVIOUR, Behaviour, Days, LogDays, Past, exactly, running
from clv_core.features.context.lookup import SPANS, CustomerState, Lookup, by_span, decayed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = dict[str, Floats]

YEAR_DAYS: Final = 364
"""A year of 52 weeks, so that weekdays agree."""
LITTLE: Final = 0.02
"""Floor of logs of counts and money."""
HALVES: Final = (0.125, 0.5, 2.0)
"""Half-lives of decayed counts, in horizons; a guess: short, middle and long."""
PRIOR_GAPS: Final = 1.0
"""Gaps of the log's mean length that are added to a customer's own; a guess."""
PRIOR_ORDERS: Final = 2.0
"""Orders of the log's mean value that are added to a customer's own; a guess."""
BEHAVIOUR_SPANS: Final = (0.0625, 0.25, 1.0)
"""Spans before the cutoff in which events are counted, in horizons; a guess."""
SPANS_OF: Final = {
    VIEW: BEHAVIOUR_SPANS,
    CART: BEHAVIOUR_SPANS,
    RETURN: BEHAVIOUR_SPANS[-1:],
    "other": BEHAVIOUR_SPANS,
    RATING_EVENT: BEHAVIOUR_SPANS[-1:],
}
"""Spans in which events are counted, in the order that networks read them."""
RENEWAL: Final = ("due_elapsed", "due_over", "due_regular", "due_times", "never_age")
"""Statistics that show a renewal; networks trained before subscriptions were in their shops do not read them."""
LONGEST_ELAPSED: Final = 3.0
"""Cut of the silence in periods: beyond three, a subscription is over."""
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
    log = replace(log, orders=log.orders.in_units(usual["money"]))
    state = CustomerState.of(log, customers, cutoff_day, horizon_days)
    counts, money = by_span(state.edges), by_span(log.orders.added[state.edges])
    bought = (state.count > 0).astype(np.float64)
    columns: Columns = {
        "count": np.log1p(state.count),
        "never": 1 - bought,
        "age": np.log(state.age + LITTLE),
        "tenure": np.log((cutoff_day - log.seen[customers]) / horizon_days + LITTLE),
        "recency": np.where(state.count > 0, np.log(state.recency + LITTLE), 0.0),
        "recency_share": np.where(state.count > 0, state.recency / np.maximum(state.age, 1e-6), 0.0),
        "full_horizon": np.minimum(state.age, 1.0),
        "silence_any": np.log(state.silence + LITTLE),
        "never_age": (1 - bought) * (np.log(state.age + 1e-3) + 3),
    }
    for column in range(len(SPANS) - 1):
        columns[f"orders_{SPANS[column + 1]}"] = np.log1p(counts[:, column])
    for half in HALVES:
        columns[f"orders_decayed_{half}"] = np.log(decayed(counts, half) + LITTLE)
        columns[f"money_decayed_{half}"] = np.log(decayed(money, half) + LITTLE)
    columns["money_recent"] = np.log(money[:, :5].sum(axis=1) + LITTLE)
    columns["orders_turn"] = np.log1p(counts[:, :5].sum(axis=1)) - np.log1p(counts[:, 5])
    columns |= _gaps(log.orders, horizon_days, state, usual)
    columns |= _spend(log.orders, state)
    columns |= _last_year(log, customers, cutoff_day, horizon_days)
    spent = state.orders.sum(log.orders.added)
    columns |= _behaviour(log.behaviour.in_units(usual["money"]), customers, cutoff_day, horizon_days, spent)
    columns |= lookup.of_customers(state)
    rate = state.count / np.maximum(state.age, 0.25)
    columns["rate_lifetime"] = np.log(rate * bought + LITTLE)
    return columns


def _gaps(orders: Days, horizon_days: int, state: CustomerState, usual: Mapping[str, float]) -> Columns:
    """Gaps between orders: their mean and variation, and the silence since the last order relative to them."""
    gap = np.zeros(len(orders.day))
    gap[1:] = orders.day[1:] - orders.day[:-1]
    gap[orders.offsets[:-1][orders.offsets[1:] > orders.offsets[:-1]]] = 0
    count = np.maximum(state.count - 1, 0.0)
    total, squares = (state.orders.sum(running(gap**power)) / horizon_days**power for power in (1, 2))
    mean = (total + PRIOR_GAPS * usual["gap"]) / (count + PRIOR_GAPS)
    own_mean = total / np.maximum(count, 1)
    variance = np.maximum(squares / np.maximum(count, 1) - own_mean**2, 0.0) * count / np.maximum(count - 1, 1)
    cv = np.sqrt(variance) / np.maximum(own_mean, 1e-6)
    weight = np.maximum(count - 1, 0.0)
    cv = (cv * weight + 2 * usual["gap_cv"]) / (weight + 2)
    last = state.orders.last(gap, 0.0) / horizon_days
    silence = state.recency / np.maximum(mean, 1e-4)
    bought = state.orders.some
    period = np.maximum(np.where(state.count > 1, last, usual["gap"]), 1e-3)
    elapsed = state.recency / period
    return {
        "due_elapsed": bought * np.minimum(elapsed, LONGEST_ELAPSED),
        "due_over": bought * np.tanh(8 * (elapsed - 1)),
        "due_regular": bought * np.exp(-8 * cv),
        "due_times": bought * np.clip(-np.log(period), -3, 3),
        "gap": np.where(bought, np.log(mean + 1e-3), 0.0),
        "gap_cv": cv,
        "gap_last": np.where(state.count > 1, np.log((last + 1e-3) / (mean + 1e-3)), 0.0),
        "silence": np.where(bought, np.log(silence + LITTLE), 0.0),
        "silence_alike": np.where(bought, np.clip((silence - 1) / np.maximum(cv, 0.1), -5, 8), 0.0),
    }


def _spend(orders: Days, state: CustomerState) -> Columns:
    """What an order of hers is worth: mean, scatter, the last one; values in mean orders."""
    logs = exactly(np.log(np.maximum(orders.value, 1e-6)))
    total, log_total, log_squares = (
        state.orders.sum(added) for added in (orders.added, running(logs), running(exactly(logs**2)))
    )
    count = np.maximum(state.count, 1.0)
    own_mean = log_total / count
    scatter = np.sqrt(np.maximum(log_squares / count - own_mean**2, 0.0))
    last, bought = state.orders.last(logs, 0.0), state.orders.some
    return {
        "order_value": np.log((total + PRIOR_ORDERS) / (state.count + PRIOR_ORDERS)),
        "order_log": np.where(bought, own_mean, 0.0),
        "order_scatter": np.where(state.count > 1, scatter, 0.0),
        "order_last": np.where(bought, last, 0.0),
        "order_turn": np.where(bought, last - own_mean, 0.0),
        "money_total": np.log(total + LITTLE),
    }


def _last_year(log: LogDays, customers: Ints, cutoff_day: int, horizon_days: int) -> Columns:
    """What she did in the same span a year ago, where the horizon is not longer than a year."""
    begin = cutoff_day - YEAR_DAYS
    then = Past(*log.orders.before(customers, np.array([[begin], [begin + min(horizon_days, YEAR_DAYS)]])))
    has_year = (log.seen[customers] < begin).astype(np.float64)
    return {
        "year_known": has_year,
        "year_orders": has_year * np.log1p((then.stop - then.begin).astype(np.float64)),
        "year_money": has_year * np.log1p(np.maximum(then.sum(log.orders.added), 0.0)),
    }


def _behaviour(behaviour: Behaviour, customers: Ints, cutoff_day: int, horizon_days: int, spent: Floats) -> Columns:
    """What she looked at, put into the cart, sent back and thought of it.

    Args:
        behaviour: of the log, in mean orders.
        customers: their numbers, [n].
        cutoff_day: days since 1970-01-01.
        horizon_days: unit of time.
        spent: value of her orders, in mean orders, [n].
    """
    days, numbers = behaviour.days, behaviour.numbers(customers)
    edges = [cutoff_day, *(cutoff_day - round(span * horizon_days) for span in BEHAVIOUR_SPANS)]
    at = days.before(numbers[..., None], np.array(edges))
    past = Past(days.offsets[numbers], at[..., 0])
    silence = (cutoff_day - past.last(days.day, cutoff_day)) / horizon_days
    last = np.where(past.some, np.log(silence + LITTLE), 2.0)
    added = days.added[at]
    counts = np.log1p(added[..., :1] - added[..., 1:])
    columns: Columns = {}
    for name, spans in SPANS_OF.items():
        kind = BEHAVIOUR.index(name)
        columns[f"{name}_last"] = last[kind]
        for span in spans:
            columns[f"{name}_{span}"] = counts[kind, :, BEHAVIOUR_SPANS.index(span)]
    rated, returned = BEHAVIOUR.index(RATING_EVENT), BEHAVIOUR.index(RETURN)
    number, worth = past.sum(days.added), past.sum(running(behaviour.worth))
    latest = past.last(behaviour.worth / np.maximum(days.value, 1), 4.0)[rated]
    columns["rating_mean"] = (worth[rated] + 4.0) / (number[rated] + 1) - 4.0
    columns["rating_latest"] = np.where(past.some[rated], latest - 4.0, 0.0)
    columns["returned_share"] = worth[returned] / np.maximum(worth[returned] + spent, 1e-9)
    columns["returns"] = np.log1p(number[returned])
    return columns
