"""What an analyst asks about new customers, and the tables that answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from clv_core.columns import CHANNEL
from clv_core.errors import Message, UsageError

NAMED, UNKNOWN, OTHERS, ALL = "named", "unknown", "others", "all"
"""Kinds of groups: of one name, of customers of unknown origin, those too many to show, everyone."""
MIN_CUSTOMERS = 50
"""Customers from which a group is ranked. A guess: shrinkage is what protects smaller groups."""


@dataclass(frozen=True)
class Question:
    """What an analyst asks about new customers.

    Args:
        by: dimensions of :data:`~.origins.DIMENSIONS` that make a group.
        margin_rate: share of net value that is contribution, in (0, 1].
        margins: of some groups, by the name that they have in the first dimension; ``margin_rate`` for the others.
        target_ratio: of lifetime value (as contribution) to acquisition cost, above 0.
        payback_months: within how many months a customer is to pay back.
        min_customers: a smaller group is shown and not ranked.

    Raises:
        UsageError: a value out of bounds.
    """

    by: tuple[str, ...] = (CHANNEL,)
    margin_rate: float = 1.0
    margins: Mapping[str, float] = field(default_factory=dict)
    target_ratio: float = 3.0
    payback_months: int = 12
    min_customers: int = MIN_CUSTOMERS

    def __post_init__(self) -> None:
        """Check the bounds."""
        for rate in (self.margin_rate, *self.margins.values()):
            if not 0 < rate <= 1:
                raise UsageError("setting_bounds", setting="margin_rate", value=rate, low=0, high=1)
        bounds = (
            ("target_ratio", self.target_ratio, 0.01, 1000),
            ("payback_months", self.payback_months, 1, 120),
            ("min_customers", self.min_customers, 2, 1_000_000),
        )
        for setting, value, low, high in bounds:
            if not low <= value <= high:
                raise UsageError("setting_bounds", setting=setting, value=value, low=low, high=high)


@dataclass(frozen=True)
class Totals:
    """Sums over all customers and the spend table, in the log's currency.

    ``inside`` are customers won on days of their channel's own spend, of the table's days where the channel has
    none (all, without a table); the groups hold these.

    Args:
        customers: inside.
        buyers: of these, who have ordered.
        spend: in the days of the log.
        value_so_far: net value of those inside before the cutoff.
        predicted: net value of those inside after it, to the horizon.
        customers_outside: won on other days.
        value_so_far_outside: theirs.
        predicted_outside: theirs; with ``predicted`` the total of the Segments page.
        spend_outside: before the log begins or after the cutoff; with ``spend`` the total of the spend table.
    """

    customers: int
    buyers: int
    spend: float
    value_so_far: float
    predicted: float
    customers_outside: int
    value_so_far_outside: float
    predicted_outside: float
    spend_outside: float


@dataclass(frozen=True, eq=False)
class Acquisition:
    """The answer to a :class:`Question`; money in the log's currency, low and high of 80% intervals.

    Args:
        question: that the report answers.
        currency: may be empty.
        groups: one row a group, the ranked ones first and best first:
            ``group`` (its name, "" of unknown and of others), ``kind`` (:data:`NAMED`, :data:`UNKNOWN` or
            :data:`OTHERS`), one column a dimension;
            ``customers``, ``buyers``, ``spend`` (NaN where it cannot be split by these dimensions), ``cac`` (spend per
            new customer);
            ``value_so_far``, ``predicted`` (sums of net value);
            ``margin_rate``, ``contribution_so_far`` (per customer, as observed);
            ``ltv``, ``ltv_low``, ``ltv_high`` (contribution per customer so far and to the horizon, shrunk);
            ``ltv_own`` (the same, not shrunk), ``own_weight`` (0 to 1, what the group's own mean counts);
            ``ratio``, ``ratio_low``, ``ratio_high`` (ltv to cac), ``p_above_one``, ``p_above_target`` (0 to 1);
            ``payback_month``, ``payback_low``, ``payback_high`` (months from acquisition, infinite where the curve does
            not reach the cost, NaN without a cost), ``payback_observed`` (whether most customers have lived that long);
            ``max_cac`` and ``max_cac_low`` (highest cost per new customer for the target ratio, and that which holds
            it with a chance of 90%);
            ``max_spend`` and ``max_spend_low`` (the most that may be spent on a new customer: contribution by the end
            of the payback months, and the lower end of its interval; NaN where no curve goes so far);
            ``max_cac_payback`` (the same as ``max_spend``, its earlier name, which goes with the next release);
            ``never_again`` (share of buyers whose first order is expected to stay the only one in the horizon);
            ``multiplier`` (ltv over that of all customers);
            ``enough`` (whether it has the minimum of customers), ``rank`` (1 is best; by ratio, else by ltv; missing
            where not ``enough``).
            Intervals and chances are NaN without past origins to estimate the error from.
        cohorts: one row a group and month (``cohort``, ``2024-03``), the same columns but ``payback_*``, ``max_*``,
            ``multiplier``, ``never_again`` and ``rank``.
        curves: one row a group and ``month`` (1 the first) of a customer's age: ``value``, ``low``, ``high``
            (cumulative contribution per new customer, shrunk), ``observed`` (share of customers who have lived so
            long, 0 to 1), ``customers`` (who count in it). The group of all customers has ``kind`` ``"all"``.
        held: one row a group and earlier cutoff (``cutoff``, ISO date): ``customers``, ``predicted``, ``low``,
            ``high``, ``actual`` (sums of net value in the horizon), ``ratio`` (actual over predicted).
        periods: one row a month: ``cohort``, ``spend``, ``customers``, ``buyers``.
        spend_days: one row a channel of the spend table and span of its days: ``channel``, ``first`` and ``last`` (ISO
            dates). A channel's customers count if they were won on these.
        totals: sums.
        warnings: the most important first; codes are catalogue keys.
        ranked: whether there is a cost to rank by; else groups are ranked by value.
    """

    question: Question
    currency: str
    groups: pd.DataFrame
    cohorts: pd.DataFrame
    curves: pd.DataFrame
    held: pd.DataFrame
    periods: pd.DataFrame
    spend_days: pd.DataFrame
    totals: Totals
    warnings: tuple[Message, ...]
    ranked: bool
