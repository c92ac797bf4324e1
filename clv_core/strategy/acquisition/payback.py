"""When a customer has brought what she cost: cumulative value by months of her age, observed first, then predicted.

A month of age counts the customers who have lived it, or whose prediction reaches its end. Predicted value is spread
over the months ahead of a customer as the value of earlier customers was at that age.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clv_core.strategy.acquisition.customer_origins import MONTH_DAYS, NewCustomers
from clv_core.strategy.acquisition.estimates import Estimates, Floats, Ints, ends

DRAWS: Final = 400
"""Draws of the curves: fewer than of the groups, as each is a curve of all months."""
EXTENDED_MONTHS: Final = 6
"""Last observed months, whose mean is used for later ones: half a year, so that one month does not decide; a guess."""
MIN_VALUE: Final = 1e-9
"""Guards against a division by 0; far below any amount of money."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Cumulative net value per customer by month of age, of each group and last of all customers.

    Args:
        value: shrunk as the groups' means are, [g + 1, t]; NaN from where too few customers count.
        draws: of it, [g + 1, d, t].
        observed: share of the customers counted who have lived the month to its end, [g + 1, t].
        customers: how many count, [g + 1, t].
    """

    value: Floats
    draws: Floats
    observed: Floats
    customers: Ints

    def payback(self, cost: Floats) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
        """Return the month in which each group has brought a cost, with its range, and whether most have lived it.

        Args:
            cost: per customer, in the curves' money; NaN gives NaN, [g + 1].

        Returns:
            Months, 1 the first, 0 for what costs nothing, infinite where no curve reaches the cost, [g + 1] each.
        """
        month = _first_month(self.value, cost)
        low, high = ends(_first_month(self.draws, cost[:, None]))
        is_finite = np.isfinite(month) & (month > 0)
        at = np.where(is_finite, month - 1, 0).astype(np.int64)
        lived = is_finite & (np.take_along_axis(self.observed, at[:, None], axis=1)[:, 0] >= 0.5)
        low, high = (np.where(np.isnan(month), np.nan, end) for end in (low, high))
        return month, low, high, lived

    def at(self, month: int) -> tuple[Floats, Floats]:
        """Return the value by the end of a month and the lower end of its interval, [g + 1] each.

        NaN where no curve goes so far.
        """
        if month > self.value.shape[1]:
            return np.full(len(self.value), np.nan), np.full(len(self.value), np.nan)
        return self.value[:, month - 1], ends(self.draws[:, :, month - 1])[0]


def _first_month(value: Floats, cost: Floats) -> Floats:
    """Return the first month of the last axis in which a value reaches its cost."""
    reached = value >= cost[..., None]
    month = np.where(reached.any(axis=-1), reached.argmax(axis=-1) + 1.0, np.inf)
    first: Floats = np.where(np.isnan(cost), np.nan, np.where(cost <= 0, 0.0, month))
    return first


def payback_curves(
    customers: NewCustomers, code: Ints, estimates: Estimates, of_all: Estimates, min_customers: int
) -> Curves:
    """Return the curves of all groups.

    Args:
        customers: all of them.
        code: group of each, -1 for none, [n].
        estimates: of the groups, with what each group's own mean counts.
        of_all: of all customers in any group.
        min_customers: months with fewer are left out; smaller groups continue while half of them count.
    """
    groups, rows = len(estimates.mean), np.flatnonzero(code >= 0)
    age = (np.datetime64(customers.as_of, "D") - customers.acquired).astype(np.int64) / MONTH_DAYS
    full = age.astype(np.int64)
    ages = int(full[rows].max()) + 1 if len(rows) else 1
    cell = code[rows] * ages + full[rows]
    count = np.bincount(cell, minlength=groups * ages).reshape(groups, ages)
    predicted = np.bincount(cell, customers.predicted[rows], minlength=groups * ages).reshape(groups, ages)
    lived = np.bincount(full[rows], (age - full)[rows], minlength=ages) / np.maximum(count.sum(axis=0), 1)
    spent = np.flatnonzero(code[customers.spent_row] >= 0)
    who = customers.spent_row[spent]
    month = np.minimum(customers.spent_month[spent], full[who])
    place = (code[who] * ages + full[who]) * ages + month
    seen = np.bincount(place, customers.spent[spent], minlength=groups * ages**2).reshape(groups, ages, ages)

    count, predicted = (np.concatenate([cells, cells.sum(axis=0)[None]]) for cells in (count, predicted))
    seen = np.concatenate([seen, seen.sum(axis=0)[None]])
    horizon = customers.terms.horizon_days / MONTH_DAYS
    months = ages + int(np.ceil(horizon))
    share = _shares(_by_age(seen[-1], count[-1], min_customers), lived, horizon, months)
    reaches = np.arange(1, months + 1) <= (np.arange(ages) + lived + horizon)[:, None] + 1e-9
    reaches |= np.arange(months) < np.arange(ages)[:, None]
    counted = count @ reaches
    safe = np.maximum(counted, 1)
    observed_value = np.zeros((groups + 1, months))
    observed_value[:, :ages] = np.einsum("gat,at->gt", seen, reaches[:, :ages])
    predicted_value = predicted @ (share * reaches)
    so_far, ahead = np.cumsum(observed_value / safe, axis=1), np.cumsum(predicted_value / safe, axis=1)
    complete = np.arange(months) < np.arange(ages)[:, None]
    enough = counted >= np.maximum(np.minimum(min_customers, count.sum(axis=1) / 2), 1)[:, None]
    usable = np.logical_and.accumulate(enough, axis=1)

    weight = np.append(estimates.own_weight, 1.0)[:, None]
    so_far, ahead = (weight * curve + (1 - weight) * curve[-1] for curve in (so_far, ahead))
    factor = np.concatenate([estimates.predicted_factor, of_all.predicted_factor])[:, :DRAWS, None]
    noise = np.concatenate([estimates.relative_noise, of_all.relative_noise])[:, :DRAWS, None]
    draws = (so_far[:, None] + ahead[:, None] * factor) * (1 + noise)
    return Curves(
        np.where(usable, so_far + ahead, np.nan),
        np.where(usable[:, None], draws, np.nan),
        np.where(counted > 0, (count @ complete) / safe, 0.0),
        counted.astype(np.int64),
    )


def _by_age(seen: Floats, count: Ints, min_customers: int) -> Floats:
    """Return what customers bring in each month of their age, from those who have lived it; never below 0, [ages]."""
    ages = len(count)
    lived = np.arange(ages) < np.arange(ages)[:, None]  # [age now, month]
    customers = count @ lived
    enough = np.logical_and.accumulate(customers >= min_customers)
    value = np.einsum("at,at->t", seen, lived) / np.maximum(customers, 1)
    last = int(enough.sum())
    if not last:
        return np.ones(ages)
    usual = value[max(0, last - EXTENDED_MONTHS) : last].mean()
    by_age: Floats = np.maximum(np.where(enough, value, usual), MIN_VALUE)
    return by_age


def _shares(by_age: Floats, lived: Floats, horizon: float, months: int) -> Floats:
    """Return the share of a customer's predicted value in each month of her age, by her age now, [ages, months].

    Args:
        by_age: what customers bring at each age, [ages].
        lived: part of the current month that customers of each age have lived, [ages].
        horizon: of the prediction, in months.
        months: how many.
    """
    ages = len(by_age)
    rate = np.concatenate([by_age, np.full(months - ages, by_age[-EXTENDED_MONTHS:].mean())])
    begin, end = np.arange(months), np.arange(1, months + 1)
    now = (np.arange(ages) + lived)[:, None]
    overlap = np.clip(np.minimum(end, now + horizon) - np.maximum(begin, now), 0, 1)
    weight = overlap * rate
    shares: Floats = weight / np.maximum(weight.sum(axis=1, keepdims=True), MIN_VALUE)
    return shares
