"""The scenarios whose attainable expectation has a closed form: ``btyd`` and ``noise``.

Scenario ``btyd``: purchases by BG/NBD, spend by Gamma-Gamma, with the parameters published for CDNOW.

A customer's repeat purchases are a Poisson process of rate lambda; after each of them she leaves with probability p.
lambda is Gamma(r, alpha) and p Beta(a, b) over customers. Each purchase is Gamma(p, nu), nu is Gamma(q, gamma).
First purchases fall evenly in the first 84/273 of the history, as in CDNOW. Times are continuous and cut to days when
written, so that a log shows two purchases of one day on one date.

Scenario ``noise``: every customer is the same, so the past predicts nothing.

Views and purchases of each customer are two independent Poisson processes with the same rates for all, from a first
view on; amounts are drawn from one lognormal distribution. The best prediction is the same number for everybody.

Source:
    Fader, Hardie, Lee (2005), Marketing Science 24(2); Fader, Hardie (2013), the Gamma-Gamma note.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import hyp2f1

from clv_core import columns
from clv_core.collection.simulate.simulation import START, Simulation, SimulationPlan

Floats = NDArray[np.float64]

COUNTS: Final = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
"""BG/NBD parameters, time in weeks."""

SPEND: Final = {"p": 6.25, "q": 3.74, "gamma": 15.44}
"""Gamma-Gamma parameters."""

ACQUISITION_SHARE: Final = 84 / 273
"""Share of the history in which first purchases fall."""


def btyd(plan: SimulationPlan) -> Simulation:
    """Return a purchase log that follows BG/NBD and Gamma-Gamma exactly, and its truth."""
    random = np.random.default_rng(plan.seed)
    n = plan.customers
    rate = random.gamma(COUNTS["r"], 1 / COUNTS["alpha"], n)
    leaving = np.clip(random.beta(COUNTS["a"], COUNTS["b"], n), 1e-12, 1.0)
    mean_spend = SPEND["p"] / random.gamma(SPEND["q"], 1 / SPEND["gamma"], n)
    first = random.uniform(0, max(1.0, ACQUISITION_SHARE * plan.cutoff_day), n)

    arrivals = random.poisson(rate * (plan.days - first) / 7)
    lifetime = random.geometric(leaving)
    customer = np.repeat(np.arange(n), arrivals)
    day = first[customer] + random.uniform(size=len(customer)) * (plan.days - first)[customer]
    order = np.lexsort((day, customer))
    day = day[order]
    position = np.arange(len(customer)) - np.repeat(np.cumsum(arrivals) - arrivals, arrivals)
    before_death = position < lifetime[customer]

    before = np.bincount(customer[day < plan.cutoff_day], minlength=n)
    is_alive = before < lifetime
    customer, day = np.concatenate([np.arange(n), customer[before_death]]), np.concatenate([first, day[before_death]])
    amount = np.maximum(np.round(random.gamma(SPEND["p"], mean_spend[customer] / SPEND["p"]), 2), 0.01)

    is_before = day < plan.cutoff_day
    purchases = np.bincount(customer[is_before], minlength=n).astype(np.float64)
    spent = np.bincount(customer[is_before], weights=amount[is_before], minlength=n)
    last = first.copy()
    np.maximum.at(last, customer[is_before], day[is_before])
    weeks = plan.horizon_days / 7
    count = expected_purchases(weeks, purchases - 1, (last - first) / 7, (plan.cutoff_day - first) / 7, **COUNTS)
    spend = expected_spend(purchases, spent / purchases, **SPEND)
    truth = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids(),
            "actual_value": np.round(np.bincount(customer[~is_before], weights=amount[~is_before], minlength=n), 2),
            "expected_value": is_alive * -np.expm1(-rate * leaving * weeks) / leaving * mean_spend,
            "attainable_value": count * spend,
            "attainable_purchases": count,
            "attainable_spend": spend,
            "purchases_per_week": rate,
            "leaving_probability": leaving,
            "mean_spend": mean_spend,
            "alive_at_cutoff": is_alive,
        }
    )
    order = np.lexsort((customer, day))
    customer, day, amount = customer[order], day[order], amount[order]
    events = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids()[customer],
            columns.EVENT_TIME: np.datetime64(START, "s") + np.floor(day).astype("timedelta64[D]"),
            columns.EVENT_TYPE: columns.PURCHASE,
            columns.AMOUNT: amount,
        }
    )
    return Simulation(plan, events, truth)


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


PURCHASES_PER_DAY: Final = 0.012
"""Rate of every customer: about 4 purchases a year."""
VIEWS_PER_DAY: Final = 0.02
"""Rate of every customer, independent of her purchases."""
LOG_AMOUNT: Final = (3.2, 0.7)
"""Mean and standard deviation of the log of an amount."""


def noise(plan: SimulationPlan) -> Simulation:
    """Return a log in which no model can rank customers, and its truth: one expectation for all."""
    random = np.random.default_rng(plan.seed)
    n = plan.customers
    first = random.uniform(0, max(1.0, plan.cutoff_day * 0.3), n)

    def times(per_day: float) -> tuple[np.ndarray, np.ndarray]:
        counts = random.poisson(per_day * (plan.days - first))
        customer = np.repeat(np.arange(n), counts)
        return customer, first[customer] + random.uniform(size=len(customer)) * (plan.days - first)[customer]

    viewer, viewed = times(VIEWS_PER_DAY)
    buyer, bought = times(PURCHASES_PER_DAY)
    amount = np.round(random.lognormal(*LOG_AMOUNT, len(buyer)), 2)
    in_horizon = bought >= plan.cutoff_day
    mean_amount = float(np.exp(LOG_AMOUNT[0] + LOG_AMOUNT[1] ** 2 / 2))
    expected = np.full(n, PURCHASES_PER_DAY * plan.horizon_days * mean_amount)
    truth = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids(),
            "actual_value": np.round(np.bincount(buyer[in_horizon], weights=amount[in_horizon], minlength=n), 2),
            "expected_value": expected,
            "attainable_value": expected,
        }
    )
    customer = np.concatenate([np.arange(n), viewer, buyer])
    day = np.concatenate([first, viewed, bought])
    order = np.lexsort((customer, day))
    types = np.repeat([columns.VIEW, columns.PURCHASE], [n + len(viewer), len(buyer)]).astype(object)
    events = pd.DataFrame(
        {
            columns.CUSTOMER_ID: plan.customer_ids()[customer[order]],
            columns.EVENT_TIME: np.datetime64(START, "s") + (day[order] * 86_400).astype("timedelta64[s]"),
            columns.EVENT_TYPE: types[order],
            columns.AMOUNT: np.concatenate([np.full(n + len(viewer), np.nan), amount])[order],
        }
    )
    return Simulation(plan, events, truth)
