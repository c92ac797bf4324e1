"""Campaigns on simulated shops, measured: ``python -m tests.bench.campaigns --shops 200``.

A shop's customers buy by BG/NBD with gamma-distributed amounts; BG/NBD and gamma-gamma, fitted to its log, predict what
each brings in the 30 days after; three tiers are cut by that. Three campaigns, a window each, go to all customers but a
control group of a fifth, and change what is bought by a share that is planted by tier: nothing, the same everywhere,
only in the middle tier, or harm at the top. Counted is how often intervals hold the truth, on the due date and at all
daily looks; then the next list, 30% of the customers, is cut by what was learned from three campaigns, and by value.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.btyd import BGNBD, GammaGamma
from clv_core.strategy.campaigns.learned_effects import TierUplift, learned_effects, whom_next
from clv_core.strategy.campaigns.uplift import Uplift, early_uplift, planned_error, uplift
from clv_core.strategy.segments.value_tiers import ValueTiers

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CUSTOMERS: Final = 5000
HISTORY: Final = 540
WINDOW: Final = 30
CAMPAIGNS: Final = 3
CONTROL_SHARE: Final = 0.2
LIST_SHARE: Final = 0.3
TIERS: Final = ValueTiers("quantile", (20.0, 50.0))
KINDS: Final = {
    "none": (0.0, 0.0, 0.0),
    "equal": (0.2, 0.2, 0.2),
    "middle": (0.0, 0.4, 0.0),
    "harmful at the top": (-0.2, 0.3, 0.3),
}
"""Share of what would have been bought anyway, by tier."""
MARGIN_RATE: Final = 0.4
COST: Final = 0.1


@dataclass(frozen=True, eq=False)
class Shop:
    """What a shop's customers do when nobody writes to them.

    Args:
        customer: of each purchase, [m].
        day: of it; 0 is the start of the first campaign, earlier ones are below 0, [m].
        amount: of it, money, [m].
        first: day of each customer's first purchase, [n].
        mean: of what her purchases bring, money, [n].
    """

    customer: Ints
    day: Floats
    amount: Floats
    first: Floats
    mean: Floats

    def spent(self, start: float, end: float) -> Floats:
        """Return what each customer bought from ``start`` to before ``end``, money, [n]."""
        inside = (self.day >= start) & (self.day < end)
        return np.bincount(self.customer[inside], self.amount[inside], len(self.first))

    def daily(self, start: float) -> tuple[Floats, Ints]:
        """Return what and how often each customer bought on each day of a window, [n, WINDOW] both."""
        inside = (self.day >= start) & (self.day < start + WINDOW)
        cell = self.customer[inside] * WINDOW + (self.day[inside] - start).astype(np.int64)
        size = len(self.first) * WINDOW
        money = np.bincount(cell, self.amount[inside], size).reshape(-1, WINDOW)
        return money, np.bincount(cell, minlength=size).reshape(-1, WINDOW)


def make_shop(seed: int) -> Shop:
    """Return a shop; rates, lifetimes and amounts differ from shop to shop."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(rng.uniform(0.6, 1.2), 1, CUSTOMERS) / rng.uniform(25, 60)
    leave = rng.beta(1, rng.uniform(6, 14), CUSTOMERS)
    mean = 6 * rng.uniform(15, 40) / rng.gamma(4, 1, CUSTOMERS)
    first = -rng.uniform(30, HISTORY, CUSTOMERS)
    day, alive, customers, days = first.copy(), np.ones(CUSTOMERS, bool), [np.arange(CUSTOMERS)], [first]
    while alive.any():
        day = day + rng.exponential(1 / rate)
        alive &= day < (CAMPAIGNS + 1) * WINDOW
        customers.append(np.flatnonzero(alive))
        days.append(day[alive])
        alive &= rng.random(CUSTOMERS) >= leave
    customer = np.concatenate(customers)
    return Shop(customer, np.concatenate(days), mean[customer] * rng.gamma(3, 1 / 3, len(customer)), first, mean)


def predictions(shop: Shop) -> list[Floats]:
    """Return what BG/NBD and gamma-gamma, fitted before the first campaign, expect of each customer in each window.

    The window after the campaigns, that of the next list, is the last.
    """
    found = []
    models: tuple[BGNBD, GammaGamma] | None = None
    for cutoff in range(0, (CAMPAIGNS + 1) * WINDOW, WINDOW):
        before = shop.day < cutoff
        count = np.bincount(shop.customer[before], minlength=CUSTOMERS) - 1.0
        last = np.full(CUSTOMERS, -np.inf)
        np.maximum.at(last, shop.customer[before], shop.day[before])
        repeat = before & (shop.day > shop.first[shop.customer])
        total = np.bincount(shop.customer[repeat], shop.amount[repeat], CUSTOMERS)
        mean = np.divide(total, count, out=np.zeros(CUSTOMERS), where=count > 0)
        recency, age = last - shop.first, cutoff - shop.first
        if models is None:
            models = BGNBD.fit(count, recency, age), GammaGamma.fit(count, mean)
        purchases, spend = models
        found.append(
            np.asarray(purchases.expected_purchases(WINDOW, count, recency, age))
            * np.asarray(spend.expected_spend(count, mean))
        )
    return found


@dataclass(frozen=True, eq=False)
class Looks:
    """One campaign of one shop: what each look said, and the truth at it.

    Args:
        early: of each day before the due date.
        due: on the due date.
        truth: mean effect on the customers after each day, [WINDOW].
        by_tier: what each tier brought.
    """

    early: list[Uplift]
    due: Uplift
    truth: Floats
    by_tier: list[TierUplift]


def run_campaign(
    shop: Shop, start: int, predicted: Floats, tier: Ints, shares: Floats, rng: np.random.Generator, *, daily: bool
) -> Looks:
    """Return what a campaign showed, each day if wanted.

    A share above 0 adds purchases, one below takes purchases away; the truth is its expectation, given what would have
    been bought anyway.
    """
    listed = rng.random(CUSTOMERS) >= CONTROL_SHARE
    money, counts = shop.daily(start)
    share = shares[tier - 1][:, None]
    more = rng.poisson(np.maximum(share, 0) * counts)
    bought = more > 0
    extra = np.zeros(money.shape)
    extra[bought] = rng.gamma(3.0 * more[bought]) / 3
    extra *= shop.mean[:, None]
    lost = money * np.where(share < 0, rng.random(money.shape) < -share, 0)
    outcome = (money + (extra - lost) * listed[:, None]).cumsum(axis=1)
    expected = np.where(share > 0, share * counts * shop.mean[:, None], share * money).mean(axis=0).cumsum()
    known = np.column_stack([shop.spent(start - 365, start), predicted])
    planned = planned_error(shop.spent(start - WINDOW, start), listed)
    early = [early_uplift(outcome[:, day], listed, known, planned) for day in range(WINDOW - 1)] if daily else []
    by_tier = []
    for number in range(1, TIERS.tiers + 1):
        inside = tier == number
        found = uplift(outcome[inside, -1], listed[inside], known[inside])
        groups = int((inside & listed).sum()), int((inside & ~listed).sum())
        by_tier.append(TierUplift(str(number), *groups, found.effect, found.error, float(predicted[inside].mean())))
    return Looks(early, uplift(outcome[:, -1], listed, known), expected, by_tier)


def run_shop(seed: int) -> Iterator[dict[str, object]]:
    """Yield what each kind of planted uplift showed in one shop."""
    shop = make_shop(seed)
    predicted = predictions(shop)
    tiers = [TIERS.tier_of(values) for values in predicted]
    for number, (kind, planted) in enumerate(KINDS.items()):
        rng, shares = np.random.default_rng((seed, number)), np.array(planted)
        looks = [
            run_campaign(shop, place * WINDOW, predicted[place], tiers[place], shares, rng, daily=place == 0)
            for place in range(CAMPAIGNS)
        ]
        first = looks[0]
        missed_early = any(
            not look.low <= truth <= look.high for look, truth in zip(first.early, first.truth, strict=False)
        )
        missed_due = [not look.due.low <= look.truth[-1] <= look.due.high for look in looks]
        # The next list is judged in the window after the campaigns, by tiers and values as of its start.
        value, tier = predicted[-1], tiers[-1]
        most = int(LIST_SHARE * CUSTOMERS)
        customers = pd.DataFrame({"customer_id": np.arange(CUSTOMERS), "predicted_clv": value, "tier": tier})
        effects = learned_effects([look.by_tier for look in looks], MARGIN_RATE)
        chosen = {
            "learned": whom_next(customers, effects, COST, most).index.to_numpy(),
            "value": np.argsort(-value, kind="stable")[:most],
        }
        money, counts = shop.daily(CAMPAIGNS * WINDOW)
        share = shares[tier - 1]
        worth = MARGIN_RATE * np.where(share > 0, share * counts.sum(axis=1) * shop.mean, share * money.sum(axis=1))
        yield {
            "kind": kind,
            "held_due": 1 - float(np.mean(missed_due)),
            "significant": float(np.mean([not look.due.low <= 0 <= look.due.high for look in looks])),
            "missed_early": missed_early,
            "missed_any": missed_early or missed_due[0],
            "width_halfway": (first.early[14].high - first.early[14].low) / (first.due.high - first.due.low),
            **{name: float(worth[rows].sum()) for name, rows in chosen.items()},
            **{f"{name}_net": float((worth[rows] - COST).sum()) for name, rows in chosen.items()},
        }


def ratio(learned: Floats, value: Floats) -> tuple[float, float, float]:
    """Return the ratio of two sums over shops with its 90% interval, by drawing shops again."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(learned), (2000, len(learned)))
    drawn = learned[rows].sum(axis=1) / value[rows].sum(axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(learned.sum() / value.sum()), float(low), float(high)


def main() -> None:
    """Print the figures as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first shop")
    options = parser.parse_args()
    shops = options.shops
    frame = pd.DataFrame([row for seed in range(options.first, options.first + shops) for row in run_shop(seed)])
    print(f"{shops} shops of each kind, {CUSTOMERS:,} customers, {CONTROL_SHARE:.0%} in the control group")
    print(
        "| uplift | intervals hold on the due date | significant | wrong at a look before | wrong at any look |", end=""
    )
    print(" margin by value, learned | ratio (90%) | after cost |\n|---|---|---|---|---|---|---|---|")
    for kind, rows in frame.groupby("kind", sort=False):
        due, sure, early, once = (
            rows[name].mean() for name in ("held_due", "significant", "missed_early", "missed_any")
        )
        learned, value = rows["learned"].to_numpy(float), rows["value"].to_numpy(float)
        text = "–"
        if value.sum() > 0:
            text = "{:.2f} ({:.2f} to {:.2f})".format(*ratio(learned, value))
        net = f"{rows['value_net'].mean():,.0f}, {rows['learned_net'].mean():,.0f}"
        print(f"| {kind} | {due:.1%} | {sure:.1%} | {early:.1%} | {once:.1%} |", end="")
        print(f" {value.mean():,.0f}, {learned.mean():,.0f} | {text} | {net} |")
    print(f"An early interval halfway is {frame['width_halfway'].median():.2f} times as wide as that of the due date.")


if __name__ == "__main__":
    main()
