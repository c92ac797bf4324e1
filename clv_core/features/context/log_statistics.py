"""Statistics of a log at a cutoff: how its customers buy, leave and spend, and what its seasons do."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.columns import RETURN
from clv_core.features.context.customer_statistics import LITTLE, YEAR_DAYS
from clv_core.features.context.log_days import BEHAVIOUR, Days, LogDays
from clv_core.features.context.lookup import CustomerState, Lookup, window_cutoffs

Floats = NDArray[np.float64]
Numbers = dict[str, float]

FEW: Final = 3.0
"""Added to both sides of a ratio of counts, so that small ones say little."""
MIN_CUSTOMERS: Final = 30
"""Customers needed for a correlation; with fewer it counts as 0. A guess."""
TURN_DAYS: Final = 365.25
"""A year, leap years included, which a season turns in."""
CHRISTMAS: Final = (318.0, 358.0)
"""Days of the year of the peak, as in the simulated shops."""
QUARTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Quantiles of customers' ages and recencies."""


def usual_of(log: LogDays, horizon_days: int) -> Numbers:
    """Return what customers' own means lean on: see :data:`~clv_core.features.context.customer_statistics.USUAL`."""
    gap, cv = _gaps(log.orders)
    return {
        "gap": float(gap.mean()) / horizon_days if len(gap) else 0.5,
        "gap_cv": float(np.median(cv)) if len(cv) else 1.0,
        "money": max(float(log.orders.value.mean()), 1e-9) if len(log.orders.value) else 1.0,
    }


def log_statistics(log: LogDays, cutoff_day: int, horizon_days: int, usual: Numbers, lookup: Lookup) -> Numbers:
    """Return the statistics of a log whose days all lie before the cutoff, by name, all finite."""
    everyone = np.arange(len(log))
    state = CustomerState.of(log, everyone, cutoff_day, horizon_days)
    return {
        **_size(log, state, cutoff_day, horizon_days),
        **_rhythm(log, state, horizon_days, usual),
        **_money(log, state, usual["money"]),
        **_course(log, cutoff_day, horizon_days),
        **_calendar(cutoff_day, horizon_days),
        **_outcomes(log, cutoff_day, horizon_days, lookup),
    }


def _size(log: LogDays, state: CustomerState, cutoff_day: int, horizon_days: int) -> Numbers:
    buyers = state.count > 0
    count = state.count[buyers]
    some = np.maximum(buyers.sum(), 1)
    age, recency = (part[buyers] if buyers.any() else np.zeros(1) for part in (state.age, state.recency))
    numbers = {
        "horizon": np.log(horizon_days / 90),
        "history": np.log((cutoff_day - log.first) / horizon_days + LITTLE),
        "customers": np.log(len(log)) - 6,
        "never": 1 - buyers.mean(),
        "orders_mean": np.log(max(count.mean(), 1.0)) if len(count) else 0.0,
        "orders_spread": np.log(count).std() if len(count) else 0.0,
    }
    numbers |= {f"orders_{least}": (count >= least).sum() / some for least in (2, 3, 5, 10)}
    numbers |= {f"age_{q}": np.log(np.quantile(age, q) + LITTLE) for q in QUARTILES}
    numbers |= {f"recency_{q}": np.log(np.quantile(recency, q) + LITTLE) for q in QUARTILES}
    return {name: float(value) for name, value in numbers.items()}


def _gaps(orders: Days) -> tuple[Floats, Floats]:
    """Return all gaps between order days, and the variation of the gaps of customers with three or more."""
    same = orders.customer[1:] == orders.customer[:-1]
    gap, customer = np.diff(orders.day)[same].astype(np.float64), orders.customer[1:][same]
    number = np.bincount(customer) if len(customer) else np.zeros(1)
    mean = np.bincount(customer, weights=gap) / np.maximum(number, 1) if len(customer) else number
    square = np.bincount(customer, weights=gap**2) / np.maximum(number, 1) if len(customer) else number
    enough = number >= 3
    variance = np.maximum(square - mean**2, 0)[enough] * number[enough] / np.maximum(number[enough] - 1, 1)
    return gap, np.sqrt(variance) / np.maximum(mean[enough], 1e-9)


def _rhythm(log: LogDays, state: CustomerState, horizon_days: int, usual: Numbers) -> Numbers:
    gap, cv = _gaps(log.orders)
    logs = np.log(gap / horizon_days) if len(gap) else np.zeros(1)
    active = (state.count > 0) & (state.recency < 1)
    rate = np.log((state.count / np.maximum(state.age, 0.25))[state.count > 1] + LITTLE)
    rate = rate if len(rate) else np.zeros(1)
    return {
        "gap_mean": float(np.log(usual["gap"] + 1e-3)),
        "gap_log": float(logs.mean()),
        "gap_log_spread": float(logs.std()),
        "gap_cv": float(usual["gap_cv"]),
        "gap_cv_low": float(np.quantile(cv, 0.2)) if len(cv) else 0.5,
        "active": float(active.mean()),
        "rate": float(rate.mean()),
        "rate_spread": float(rate.std()),
    }


def _money(log: LogDays, state: CustomerState, money: float) -> Numbers:
    orders = log.orders
    if not len(orders.value):
        return dict.fromkeys(
            ("spend_between", "spend_within", "spend_tail", "spend_top", "spend_rate", "returned"), 0.0
        )
    logs = np.log(np.maximum(orders.value / money, 1e-6))
    number = np.bincount(orders.customer, minlength=len(log))
    mean = np.bincount(orders.customer, weights=logs, minlength=len(log)) / np.maximum(number, 1)
    repeat = number > 1
    within = logs - mean[orders.customer]
    degrees = max(float((number[repeat] - 1).sum()), 1.0)
    variance = float((within**2).sum() / degrees)
    between = float(mean[number > 0].var()) - variance * float((1 / number[number > 0]).mean())
    total = np.bincount(orders.customer, weights=orders.value, minlength=len(log))
    highest, returned = np.sort(total)[::-1], log.behaviour.worth_of(RETURN).value.sum()
    return {
        "spend_between": float(np.sqrt(max(between, 0.0))),
        "spend_within": float(np.sqrt(variance)),
        "spend_tail": float(np.log(np.quantile(orders.value, 0.99) / money + LITTLE)),
        "spend_top": float(highest[: max(1, len(highest) // 10)].sum() / highest.sum()),
        "spend_rate": _correlation(np.log(number[repeat]), mean[repeat]),
        "returned": float(returned / (returned + orders.value.sum())),
    }


def _course(log: LogDays, cutoff_day: int, horizon_days: int) -> Numbers:
    """How orders, their value, active and new customers go from one span to the next, and did a year ago."""
    orders = log.orders

    def within(begin: float, end: float) -> tuple[float, float, float, float]:
        first, last = cutoff_day - round(begin * horizon_days), cutoff_day - round(end * horizon_days)
        rows = (orders.day >= first) & (orders.day < last)
        new = ((log.seen >= first) & (log.seen < last)).sum()
        active = len(np.unique(orders.customer[rows]))
        return float(rows.sum()), float(orders.value[rows].sum()), float(active), float(new)

    def log_ratio(now: float, then: float) -> float:
        return float(np.log((now + FEW) / (then + FEW)))

    numbers: Numbers = {}
    horizons = (cutoff_day - log.first) / horizon_days
    for name, near, far in (("eighth", 0.125, 0.25), ("quarter", 0.25, 0.5), ("half", 0.5, 1.0), ("whole", 1.0, 2.0)):
        enough = horizons >= far
        now, then = within(near, 0), within(far, near)
        numbers[f"turn_{name}_orders"] = log_ratio(now[0], then[0]) * enough
        numbers[f"turn_{name}_active"] = log_ratio(now[2], then[2]) * enough
        numbers[f"turn_{name}_new"] = log_ratio(now[3], then[3]) * enough
        each = (now[1] / max(now[0], 1), then[1] / max(then[0], 1))
        numbers[f"turn_{name}_value"] = float(np.log(each[0] / each[1])) * enough if min(each) > 0 else 0.0
    year, span = YEAR_DAYS / horizon_days, min(1.0, YEAR_DAYS / horizon_days)
    enough = horizons >= year + span
    numbers["year_known"] = float(enough)
    after, before = within(year, year - span), within(year + span, year)
    numbers["year_orders"] = log_ratio(after[0], before[0]) * enough
    numbers["year_active"] = log_ratio(after[2], before[2]) * enough
    last = within(1.0, 0.0)
    numbers["new_share"] = last[3] / len(log)
    numbers["orders_a_customer"] = float(np.log(last[0] / len(log) + LITTLE))
    return numbers


def _calendar(cutoff_day: int, horizon_days: int) -> Numbers:
    def turn(day: float) -> float:
        return 2 * np.pi * (day % TURN_DAYS) / TURN_DAYS

    def christmas(begin: int, end: int) -> float:
        days = np.arange(begin, end) % TURN_DAYS
        return float(((days >= CHRISTMAS[0]) & (days < CHRISTMAS[1])).mean())

    middle = cutoff_day + horizon_days / 2
    return {
        "cutoff_sin": float(np.sin(turn(cutoff_day))),
        "cutoff_cos": float(np.cos(turn(cutoff_day))),
        "middle_sin": float(np.sin(turn(middle))),
        "middle_cos": float(np.cos(turn(middle))),
        "christmas_ahead": christmas(cutoff_day, cutoff_day + horizon_days),
        "christmas_behind": christmas(cutoff_day - horizon_days, cutoff_day),
    }


def _outcomes(log: LogDays, cutoff_day: int, horizon_days: int, lookup: Lookup) -> Numbers:
    """What came of customers in complete windows, and whether their behaviour predicted it beyond their orders."""
    numbers: Numbers = {
        "windows": lookup.windows / 6,
        "window_days": float(np.log(lookup.days / horizon_days + LITTLE)),
    }
    numbers |= {f"surplus_{name}": value for name, value in lookup.misfit.items()}
    numbers["chance"], numbers["orders"] = (float(np.log(value + 1e-3)) for value in lookup.overall)
    names = [*(f"{when}_{who}" for when in ("last", "earlier") for who in OUTCOMES), *(f"tells_{b}" for b in BEHAVIOUR)]
    numbers |= dict.fromkeys(names, 0.0)
    cutoffs = window_cutoffs(log, cutoff_day, lookup.days) if lookup.windows else []
    for when, cutoff in (("last", cutoffs[:1]), ("earlier", cutoffs[-1:] if len(cutoffs) > 3 else [])):
        for day in cutoff:
            numbers |= _came_of(log, day, lookup, when)
    numbers |= {f"has_{name}": float(len(log.behaviour[name].day) > 0) for name in BEHAVIOUR}
    views, bought = log.behaviour["view"].value.sum(), len(log.orders.day)
    numbers["views_an_order"] = float(np.log((views + 1) / (bought + 1))) * numbers["has_view"]
    return numbers


OUTCOMES: Final = ("all", "orders", "one_young", "one_old", "repeat_recent", "repeat_quiet", "never")


def _came_of(log: LogDays, cutoff: int, lookup: Lookup, when: str) -> Numbers:
    customers = np.flatnonzero(log.seen < cutoff)
    state = CustomerState.of(log, customers, cutoff, lookup.horizon_days)
    orders = log.orders.count(customers, cutoff, cutoff + lookup.days)
    bought = (orders > 0).astype(np.float64)
    groups = {
        "all": np.ones(len(bought), bool),
        "one_young": (state.count == 1) & (state.age < 0.7),
        "one_old": (state.count == 1) & (state.age >= 0.7),
        "repeat_recent": (state.count > 1) & (state.recency < 0.4),
        "repeat_quiet": (state.count > 1) & (state.recency >= 0.4),
        "never": state.count == 0,
    }
    overall = lookup.overall[0]
    numbers = {
        f"{when}_{name}": float(np.log((bought[rows].sum() + 10 * overall) / (rows.sum() + 10)))
        for name, rows in groups.items()
    }
    numbers[f"{when}_orders"] = float(np.log((orders.sum() + 1) / (len(orders) + 1)))
    if when == "last":
        chance = 1 / (1 + np.exp(-lookup.of_customers(state)["lookup_weight_chance"]))
        for name in BEHAVIOUR:
            activity = np.log1p(log.behaviour[name].sum(customers, cutoff - max(1, lookup.days // 4), cutoff))
            numbers[f"tells_{name}"] = _correlation(activity, bought - chance)
    return numbers


def _correlation(a: Floats, b: Floats) -> float:
    spread = float(a.std() * b.std()) if len(a) >= MIN_CUSTOMERS else 0.0
    if spread < 1e-9:
        return 0.0
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread)
