"""What customers of a simulated log were won through, what it cost, and what they are worth in truth.

With ``SimulationPlan.channels`` customers come through eight channels of different quality. Some of a channel's
customers came for a discount: they order once and never again. ``spend.csv`` holds the cost by day and channel from a
month after the log begins, when who was there before no longer looks new; ``channels.csv`` what each channel is worth.
Without it a log is what it always was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core import columns
from clv_core.collection.simulate.simulation import START, SimulationPlan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPEND_FROM: Final = 31
"""First day with spend since the log's start."""
NOISE: Final = 0.2
"""Spread of a day's cost around what it is on average, on the log scale."""
SEEKERS_DISCOUNTS: Final = np.array([0.2, 0.3])
"""Shares that are taken off the one order of a discount seeker, each equally likely."""
MONTH_DAYS: Final = 365.25 / 12
"""Mean length of a month."""


@dataclass(frozen=True)
class Channel:
    """One way to win customers.

    Args:
        name: in the log and the spend table.
        share: of new customers.
        quality: factor on their interest.
        seekers: share of them who only come for a discount.
        cost: of a new customer, in the log's currency, where one of average value costs 1.
    """

    name: str
    share: float
    quality: float
    seekers: float
    cost: float


CHANNELS: Final = (
    Channel("paid_search", 0.22, 1.15, 0.05, 0.60),
    Channel("social_ads", 0.18, 0.85, 0.10, 0.57),
    Channel("display", 0.10, 0.65, 0.10, 0.96),
    Channel("affiliate", 0.10, 0.90, 0.55, 0.60),
    Channel("creators", 0.10, 1.40, 0.05, 0.51),
    Channel("marketplace", 0.08, 0.75, 0.30, 0.25),
    Channel("newsletter", 0.08, 1.60, 0.05, 0.29),
    Channel("direct", 0.14, 1.25, 0.00, 0.00),
)
NAMES: Final = tuple(channel.name for channel in CHANNELS)


@dataclass(frozen=True)
class Assigned:
    """The channel of each of n customers.

    Args:
        channel: position in :data:`CHANNELS`, int64 [n].
        quality: factor on interest, [n].
        seeker: whether she only comes for a discount, bool [n].
    """

    channel: Ints
    quality: Floats
    seeker: NDArray[np.bool_]


def assign_channels(plan: SimulationPlan) -> Assigned:
    """Return the channels of all customers, by chance of its own: no other number of the log changes."""
    random, count = np.random.default_rng([plan.seed, 47]), plan.customers
    channel = random.choice(len(CHANNELS), count, p=np.array([item.share for item in CHANNELS]))
    quality = np.array([item.quality for item in CHANNELS])[channel]
    seeker = random.uniform(size=count) < np.array([item.seekers for item in CHANNELS])[channel]
    return Assigned(channel, quality, seeker)


def spend_table(plan: SimulationPlan, arrival: Ints, channel: Ints, unit: float) -> pd.DataFrame:
    """Return the cost by day and channel up to the end of the log: ``date, channel, spend``, in cents' precision.

    Args:
        plan: size of the log.
        arrival: day of each customer's first event, [n].
        channel: of each, [n].
        unit: what a customer is worth on average.
    """
    random = np.random.default_rng([plan.seed, 48])
    days = np.arange(min(SPEND_FROM, plan.days - 1), plan.days)
    came = np.bincount(channel[arrival >= days[0]], minlength=len(CHANNELS)) / len(days)
    cost = np.array([item.cost for item in CHANNELS]) * unit * came
    spent = cost[:, None] * random.lognormal(-(NOISE**2) / 2, NOISE, (len(CHANNELS), len(days)))
    paid = np.flatnonzero(cost > 0)
    dates = (np.datetime64(START) + days).astype(str)
    return pd.DataFrame(
        {
            "date": np.tile(dates, len(paid)),
            columns.CHANNEL: np.repeat(np.array(NAMES, object)[paid], len(days)),
            "spend": np.round(spent[paid], 2).ravel(),
        }
    )


def channel_truth(plan: SimulationPlan, channel: Ints, arrival: Ints, value: Floats) -> pd.DataFrame:
    """Return what a new customer of each channel is worth, won from :data:`SPEND_FROM` to before the cutoff.

    Args:
        plan: size of the log.
        channel: of each customer, [n].
        arrival: day of each one's first event, [n].
        value: net value of each by months since arrival, to the end of the log, [n, months]; expected in ``browsing``,
            paid in ``subscription``.

    Returns:
        ``channel``, ``customers``, ``value`` (mean net value to the end of the log), and ``value_1``, ``value_2``, ...:
        by so many months of age, of the customers who reach it within the log; NaN where none does.
    """
    won = (arrival >= SPEND_FROM) & (arrival < plan.cutoff_day)
    count = np.bincount(channel[won], minlength=len(CHANNELS))
    months = value.shape[1]
    lived = ((plan.days - arrival[:, None]) >= np.arange(1, months + 1) * MONTH_DAYS) & won[:, None]
    cumulative = np.empty((len(CHANNELS), months))
    for month in range(months):
        reach = lived[:, month]
        size = np.bincount(channel[reach], minlength=len(CHANNELS)).astype(float)
        size[size == 0] = np.nan
        cumulative[:, month] = np.bincount(channel[reach], value[reach, month], minlength=len(CHANNELS)) / size
    mean = np.bincount(channel[won], value[won].sum(axis=1), minlength=len(CHANNELS)) / np.maximum(count, 1)
    truth = pd.DataFrame({columns.CHANNEL: list(NAMES), "customers": count, "value": mean})
    ages = pd.DataFrame(np.cumsum(cumulative, axis=1), columns=[f"value_{month + 1}" for month in range(months)])
    return pd.concat([truth, ages], axis=1)


def priced(plan: SimulationPlan, truth: pd.DataFrame, spend: pd.DataFrame) -> pd.DataFrame:
    """Return the truth with ``spend`` and ``cac`` before the cutoff, ``ratio`` and ``payback_month`` (inf: never)."""
    paid = spend[pd.to_datetime(spend["date"]) < pd.Timestamp(plan.cutoff)].groupby(columns.CHANNEL)["spend"].sum()
    spent = truth[columns.CHANNEL].map(paid).fillna(0.0)
    cac = spent / truth["customers"]
    reached = truth.filter(regex=r"^value_\d+$").to_numpy() >= cac.to_numpy()[:, None]
    month = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.inf)
    priced = truth.assign(spend=spent, cac=cac, ratio=truth["value"] / cac.where(cac > 0))
    priced["payback_month"] = np.where(cac > 0, month, 0.0)
    figures = [columns.CHANNEL, "customers", "spend", "cac", "value", "ratio", "payback_month"]
    return priced[[*figures, *truth.columns[3:]]]
