"""Campaigns on simulated shops, measured: ``python -m tests.bench.campaigns --shops 200``.

A shop's customers buy by BG/NBD with gamma-distributed amounts, and new ones come all the time. BG/NBD and gamma-gamma,
fitted to its log before the first campaign, predict what each brings in the 30 days after; three tiers are cut by that.
``--model instant`` has a model of the product predict instead, trained on the log by ``clv_core``. Three campaigns, a
window each, go to all customers but a control group of a fifth, and change what is bought by a share that is planted:
nothing, the same everywhere, only in the middle tier, or harm at the top; only of the new customers, or harm to the
active ones. Counted is how often intervals hold the truth, on the due date and at all daily looks; then the next list,
30% of the customers, is cut by what was learned from three campaigns by tier and trait, by tier alone, and by value.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core import pipeline
from clv_core.btyd import BGNBD, GammaGamma
from clv_core.collection.ingest import ingest
from clv_core.config import MODEL_IDS, TrainConfig
from clv_core.deployment import Scored
from clv_core.jobs import NoProgress
from clv_core.strategy.campaigns.learned_effects import (
    TRAIT,
    TRAIT_DAYS,
    TRAITS,
    TierUplift,
    learned_effects,
    learned_trait_effects,
    trait_of,
    whom_next,
)
from clv_core.strategy.campaigns.uplift import Uplift, early_uplift, planned_error, uplift
from clv_core.strategy.experiments.treatment_effect import MIN_GROUP_SIZE
from clv_core.strategy.segments.value_tiers import ValueTiers
from clv_core.workspace import Workspace

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CUSTOMERS: Final = 5000
HISTORY: Final = 540
START: Final = date(2025, 1, 1)
"""Of the first campaign, where a log has dates."""
WINDOW: Final = 30
CAMPAIGNS: Final = 3
CONTROL_SHARE: Final = 0.2
LIST_SHARE: Final = 0.3
TIERS: Final = ValueTiers("quantile", (20.0, 50.0))
NOBODY: Final = (0.0, 0.0, 0.0)
KINDS: Final = {
    "none": (NOBODY, NOBODY),
    "equal": ((0.2, 0.2, 0.2), NOBODY),
    "middle": ((0.0, 0.4, 0.0), NOBODY),
    "harmful at the top": ((-0.2, 0.3, 0.3), NOBODY),
    "only the new": (NOBODY, (0.4, 0.0, 0.0)),
    "harmful to the active": (NOBODY, (0.3, -0.2, 0.3)),
}
"""Share of what would have been bought anyway, by tier and, to be added, by trait."""
MARGIN_RATE: Final = 0.4
COST: Final = 0.1


@dataclass(frozen=True, eq=False)
class Shop:
    """What a shop's customers do when nobody writes to them; the earliest first, as new ones come all the time.

    Args:
        customer: of each purchase, [m].
        day: of it; 0 is the start of the first campaign, earlier ones are below 0, [m].
        amount: of it, money, [m].
        first: day of each customer's first purchase, ascending, [n].
        mean: of what her purchases bring, money, [n].
    """

    customer: Ints
    day: Floats
    amount: Floats
    first: Floats
    mean: Floats

    def known(self, start: float) -> int:
        """Return how many customers bought before ``start``; they are the first rows."""
        return int(np.searchsorted(self.first, start))

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
    first = np.sort(rng.uniform(-HISTORY, CAMPAIGNS * WINDOW, CUSTOMERS))
    day, alive, customers, days = first.copy(), np.ones(CUSTOMERS, bool), [np.arange(CUSTOMERS)], [first]
    while alive.any():
        day = day + rng.exponential(1 / rate)
        alive &= day < (CAMPAIGNS + 1) * WINDOW
        customers.append(np.flatnonzero(alive))
        days.append(day[alive])
        alive &= rng.random(CUSTOMERS) >= leave
    customer = np.concatenate(customers)
    return Shop(customer, np.concatenate(days), mean[customer] * rng.gamma(3, 1 / 3, len(customer)), first, mean)


@dataclass(frozen=True, eq=False)
class Cutoff:
    """What is known of a shop's customers on the first day of a window.

    Args:
        count: purchases after the first one, [k], k the customers known by then.
        recency: days from the first purchase to the last one, [k].
        age: days since the first purchase, [k].
        mean: of what purchases after the first one brought, money; 0 without, [k].
    """

    count: Floats
    recency: Floats
    age: Floats
    mean: Floats

    @classmethod
    def of(cls, shop: Shop, day: int) -> Cutoff:
        """Return it for the first day of a window."""
        known = shop.known(day)
        before = shop.day < day
        count = np.bincount(shop.customer[before], minlength=known) - 1.0
        last = np.full(known, -np.inf)
        np.maximum.at(last, shop.customer[before], shop.day[before])
        repeat = before & (shop.day > shop.first[shop.customer])
        total = np.bincount(shop.customer[repeat], shop.amount[repeat], known)
        mean = np.divide(total, count, out=np.zeros(known), where=count > 0)
        return cls(count, last - shop.first[:known], day - shop.first[:known], mean)

    @property
    def trait(self) -> NDArray[np.str_]:
        """What each customer is by then, as campaigns have it, [k]."""
        return trait_of(self.age, self.age - self.recency <= TRAIT_DAYS)


def fitted_predictions(cutoffs: list[Cutoff]) -> list[Floats]:
    """Return what BG/NBD and gamma-gamma, fitted before the first campaign, expect of each customer in each window."""
    first = cutoffs[0]
    purchases = BGNBD.fit(first.count, first.recency, first.age)
    spend = GammaGamma.fit(first.count, first.mean)
    return [
        np.asarray(purchases.expected_purchases(WINDOW, at.count, at.recency, at.age))
        * np.asarray(spend.expected_spend(at.count, at.mean))
        for at in cutoffs
    ]


def model_predictions(shop: Shop, model: str, cutoffs: list[Cutoff]) -> list[Floats]:
    """Return what a model of the product, trained before the first campaign, expects of each customer by window."""
    days = pd.Timestamp(START) + pd.to_timedelta(shop.day, unit="D")
    ids = pd.Series(shop.customer).map("c{:05d}".format)
    events = pd.DataFrame({"customer_id": ids, "event_time": days.floor("s"), "amount": shop.amount.round(2)})
    with tempfile.TemporaryDirectory() as folder:
        workspace, path = Workspace(Path(folder) / "workspace"), Path(folder) / "log.csv"
        events.to_csv(path, index=False)
        ingest(workspace, path, "log", mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
        config = TrainConfig(horizon_days=WINDOW, model=model, processes=1)
        trained = pipeline.train(workspace, "log", config, cutoff=START, progress=NoProgress())
        scored = Scored.open(workspace, "log", trained.id)
        found = []
        for window, at in enumerate(cutoffs):
            frame = replace(scored, cutoff=START + timedelta(days=window * WINDOW)).scores(NoProgress())
            value = frame.set_index("customer_id")["predicted_clv"]
            found.append(value.reindex(ids.drop_duplicates().sort_values().iloc[: len(at.age)]).to_numpy(float))
    assert all(np.isfinite(values).all() for values in found)
    return found


@dataclass(frozen=True, eq=False)
class Looks:
    """One campaign of one shop: what each look said, and the truth at it.

    Args:
        early: of each day before the due date.
        due: on the due date.
        truth: mean effect on the customers after each day, [WINDOW].
        by_tier: what each tier brought.
        by_trait: what customers of each trait brought in each tier.
    """

    early: list[Uplift]
    due: Uplift
    truth: Floats
    by_tier: list[TierUplift]
    by_trait: list[TierUplift]


def shares_of(planted: tuple[tuple[float, ...], tuple[float, ...]], predicted: Floats, at: Cutoff) -> Floats:
    """Return by which share of what she would buy anyway a campaign changes what each customer buys, [k]."""
    by_tier, by_trait = planted
    return np.array(by_tier)[TIERS.tier_of(predicted) - 1] + pd.Series(at.trait).map(
        dict(zip(TRAITS, by_trait, strict=True))
    ).to_numpy(float)


def run_campaign(
    shop: Shop, start: int, at: Cutoff, predicted: Floats, shares: Floats, rng: np.random.Generator, *, daily: bool
) -> Looks:
    """Return what a campaign showed, each day if wanted.

    A share above 0 adds purchases, one below takes purchases away; the truth is its expectation, given what would have
    been bought anyway.
    """
    customers, tier = len(predicted), TIERS.tier_of(predicted)
    listed = rng.random(customers) >= CONTROL_SHARE
    money, counts = (values[:customers] for values in shop.daily(start))
    mean = shop.mean[:customers, None]
    share = shares[:, None]
    more = rng.poisson(np.maximum(share, 0) * counts)
    bought = more > 0
    extra = np.zeros(money.shape)
    extra[bought] = rng.gamma(3.0 * more[bought]) / 3
    extra *= mean
    lost = money * np.where(share < 0, rng.random(money.shape) < -share, 0)
    outcome = (money + (extra - lost) * listed[:, None]).cumsum(axis=1)
    expected = np.where(share > 0, share * counts * mean, share * money).mean(axis=0).cumsum()
    known = np.column_stack([shop.spent(start - 365, start)[:customers], predicted])
    planned = planned_error(shop.spent(start - WINDOW, start)[:customers], listed)
    early = [early_uplift(outcome[:, day], listed, known, planned) for day in range(WINDOW - 1)] if daily else []

    def brought(segment: str, inside: NDArray[np.bool_], trait: str = "") -> list[TierUplift]:
        groups = int((inside & listed).sum()), int((inside & ~listed).sum())
        if min(groups) < MIN_GROUP_SIZE:
            return []
        found = uplift(outcome[inside, -1], listed[inside], known[inside])
        return [TierUplift(segment, *groups, found.effect, found.error, float(predicted[inside].mean()), trait)]

    numbers = range(1, TIERS.tiers + 1)
    by_tier = [one for number in numbers for one in brought(str(number), tier == number)]
    by_trait = [
        one
        for number in numbers
        for trait in TRAITS
        for one in brought(str(number), (tier == number) & (at.trait == trait), trait)
    ]
    return Looks(early, uplift(outcome[:, -1], listed, known), expected, by_tier, by_trait)


def run_shop(seed: int, model: str = "") -> Iterator[dict[str, object]]:
    """Yield what each kind of planted uplift showed in one shop."""
    shop = make_shop(seed)
    cutoffs = [Cutoff.of(shop, window * WINDOW) for window in range(CAMPAIGNS + 1)]
    predicted = model_predictions(shop, model, cutoffs) if model else fitted_predictions(cutoffs)
    for number, (kind, planted) in enumerate(KINDS.items()):
        rng = np.random.default_rng((seed, number))
        shares = [shares_of(planted, *seen) for seen in zip(predicted, cutoffs, strict=True)]
        looks = [
            run_campaign(shop, place * WINDOW, cutoffs[place], predicted[place], shares[place], rng, daily=place == 0)
            for place in range(CAMPAIGNS)
        ]
        first = looks[0]
        missed_early = any(
            not look.low <= truth <= look.high for look, truth in zip(first.early, first.truth, strict=False)
        )
        missed_due = [not look.due.low <= look.truth[-1] <= look.due.high for look in looks]
        yield {
            "kind": kind,
            "held_due": 1 - float(np.mean(missed_due)),
            "significant": float(np.mean([not look.due.low <= 0 <= look.due.high for look in looks])),
            "missed_early": missed_early,
            "missed_any": missed_early or missed_due[0],
            "width_halfway": (first.early[14].high - first.early[14].low) / (first.due.high - first.due.low),
            **next_lists(shop, cutoffs[-1], predicted[-1], shares[-1], looks),
        }


def next_lists(shop: Shop, at: Cutoff, value: Floats, shares: Floats, looks: list[Looks]) -> dict[str, object]:
    """Return what the next list brings, by value, by what was learned, and by what was learned by tier alone.

    It is judged in the window after the campaigns, by tiers, traits and values as of its start.
    """
    customers, most = len(value), int(LIST_SHARE * len(value))
    rows = pd.DataFrame(
        {"customer_id": np.arange(customers), "predicted_clv": value, "tier": TIERS.tier_of(value), TRAIT: at.trait}
    )
    effects = learned_effects([look.by_tier for look in looks], MARGIN_RATE)
    by_trait = learned_trait_effects([look.by_trait for look in looks], MARGIN_RATE)
    chosen = {
        "learned": whom_next(rows, effects, COST, most, by_trait).index.to_numpy(),
        "by_tier": whom_next(rows, effects, COST, most).index.to_numpy(),
        "value": np.argsort(-value, kind="stable")[:most],
    }
    money, counts = (values[:customers] for values in shop.daily(CAMPAIGNS * WINDOW))
    gained, lost = shares * counts.sum(axis=1) * shop.mean[:customers], shares * money.sum(axis=1)
    worth = MARGIN_RATE * np.where(shares > 0, gained, lost)
    held = []
    for cell in by_trait:
        inside = ((rows["tier"].astype(str) == cell.segment) & (rows[TRAIT] == cell.trait)).to_numpy()
        # What the cell's customers are worth in this window is chance; their predicted value times the share is not.
        truth = MARGIN_RATE * float((shares[inside] * value[inside]).mean()) if inside.any() else np.nan
        held += [float((cell.effect.low or 0.0) <= truth <= (cell.effect.high or 0.0))] if inside.any() else []
    return {
        "traits_differ": bool(by_trait),
        "cells_held": float(np.mean(held)) if held else np.nan,
        **{name: float(worth[places].sum()) for name, places in chosen.items()},
        **{f"{name}_net": float((worth[places] - COST).sum()) for name, places in chosen.items()},
    }


def ratio(margin: Floats, other: Floats) -> str:
    """Return the ratio of two sums over shops with its 90% interval, by drawing shops again; none of a loss."""
    if other.sum() <= 0:
        return "–"
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(margin), (2000, len(margin)))
    low, high = np.quantile(margin[rows].sum(axis=1) / other[rows].sum(axis=1), [0.05, 0.95])
    return f"{margin.sum() / other.sum():.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Print the figures as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first shop")
    parser.add_argument("--model", choices=MODEL_IDS, help="of the product, trained on each shop's log")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.shops)
    frame = pd.DataFrame([row for seed in seeds for row in run_shop(seed, options.model or "")])
    print(f"{len(seeds)} shops of each kind, {CUSTOMERS:,} customers, {CONTROL_SHARE:.0%} in the control group")
    print(
        "| uplift | intervals hold on the due date | significant | wrong at a look before | wrong at any look |", end=""
    )
    print(" margin by value, by tier, learned | learned / value (90%) | learned / by tier (90%) |", end="")
    print(" after cost | traits differ | their intervals hold |")
    print(11 * "|---" + "|")
    for kind, rows in frame.groupby("kind", sort=False):
        rates = ("held_due", "significant", "missed_early", "missed_any")
        print(f"| {kind} |", *(f"{rows[name].mean():.1%} |" for name in rates), end=" ")
        lists = {name: rows[name].to_numpy(float) for name in ("value", "by_tier", "learned")}
        print(", ".join(f"{margins.mean():,.0f}" for margins in lists.values()), end=" | ")
        for other in ("value", "by_tier"):
            print(ratio(lists["learned"], lists[other]), end=" | ")
        print(", ".join(f"{rows[f'{name}_net'].mean():,.0f}" for name in lists), end=" | ")
        held = rows["cells_held"].dropna()
        print(f"{rows['traits_differ'].mean():.0%} | {f'{held.mean():.0%}' if len(held) else '–'} |")
    print(f"An early interval halfway is {frame['width_halfway'].median():.2f} times as wide as that of the due date.")


if __name__ == "__main__":
    main()
