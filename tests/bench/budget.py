"""Budget plans and experiments, measured: ``python -m tests.bench.budget``.

Seconds of a plan for 100,000 customers and 4 offers; its gap to what no plan can exceed; how often 90% intervals hold
known effects, over simulated experiments; and what plans bring when the truth comes out, beside uniform and random
ones.
"""

from __future__ import annotations

import time
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.strategy.experiments.treatment_effect import difference
from clv_core.strategy.plans.allocation import allocate, max_useful_budget, total_gain
from clv_core.strategy.plans.budget_plan import make_plan, random_plan, uniform_plan
from clv_core.strategy.plans.offers import Offer

Floats = NDArray[np.float64]

CUSTOMERS: Final = 100_000
TRIALS: Final = 2000
BATCH: Final = 100


def experiments(count: int, customers: int, seed: int) -> tuple[Floats, NDArray[np.bool_], Floats, Floats]:
    """Return outcomes, who was treated, predicted values, [count, customers], and true mean effects, [count].

    Half buy nothing, values are lognormal, predictions are off by a factor, and the effect is larger for larger values.
    The truth is the mean effect on the customers of the experiment.
    """
    rng = np.random.default_rng(seed)
    size = (count, customers)
    level = rng.lognormal(3, 1, size)
    untreated = level * rng.lognormal(0, 0.4, size) * (rng.random(size) < 0.7)
    effect = rng.uniform(0, 0.2, (count, 1)) * level
    treated = rng.permuted(np.broadcast_to(np.arange(customers) % 2 == 0, size), axis=1)
    predicted = 0.7 * level * rng.lognormal(0, 0.3, size)
    return untreated + effect * treated, treated, predicted, effect.mean(axis=1)


def coverage(trials: int, customers: int) -> dict[str, float]:
    """Return how often intervals hold the truth, plain and with CUPED, and how much narrower CUPED makes them."""
    held: dict[str, list[Floats]] = {"plain": [], "cuped": [], "width": []}
    for batch in range(trials // BATCH):
        outcome, treated, predicted, truth = experiments(BATCH, customers, batch)
        plain, cuped = difference(outcome, treated), difference(outcome, treated, predicted)
        for name, found in (("plain", plain), ("cuped", cuped)):
            held[name].append(((found.low <= truth) & (truth <= found.high)).astype(float))
        held["width"].append((cuped.high - cuped.low) / (plain.high - plain.low))
    return {name: float(np.concatenate(parts).mean()) for name, parts in held.items()}


def shop(customers: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Return expected and true gains, [customers, 4], and costs, [4]: predictions and effects are known with error."""
    rng = np.random.default_rng(seed)
    truth = rng.lognormal(3, 1.2, customers) * (rng.random(customers) < 0.5)
    predicted = 10 * rng.lognormal(0, 0.5, customers) + 0.5 * truth
    share, cost = np.array([0.01, 0.03, 0.06, 0.12]), np.array([0.1, 0.5, 1.5, 4.0])
    true_share = share * rng.uniform(0.6, 1.4, 4)
    return predicted[:, None] * share - cost, truth[:, None] * true_share - cost, cost


def main() -> None:
    """Print the figures as a table."""
    print("| what | figure |\n|---|---|")
    for name, places in (("no capacities", np.inf), ("4 capacities", np.array([0.1, 0.05, 0.05, 0.02]) * CUSTOMERS)):
        expected, _, cost = shop(CUSTOMERS, 1)
        most = max_useful_budget(expected, cost, places)
        for part in (0.1, 0.5):
            started = time.perf_counter()
            found = allocate(expected, cost, places, part * most)
            seconds = time.perf_counter() - started
            gap = 1 - found.gain / found.bound
            print(f"| plan, {CUSTOMERS:,} x 4, {name}, {part:.0%} of useful budget | {seconds:.2f} s, gap {gap:.4%} |")
    expected, _, cost = shop(CUSTOMERS, 1)
    tiered = pd.DataFrame({"customer_id": np.arange(CUSTOMERS).astype("str"), "tier": 1})
    tiered["predicted_clv"] = (expected[:, 3] + cost[3]) / 0.12
    offers = [Offer.parse(f"name={number},cost={one},effect={2 * number + 1}%") for number, one in enumerate(cost)]
    started = time.perf_counter()
    make_plan(tiered, 1, offers, 20_000.0)
    seconds = time.perf_counter() - started
    print(f"| the plan with its table, the next coin and what it is held against | {seconds:.2f} s |")
    for customers in (300, 2000):
        held = coverage(TRIALS, customers)
        print(f"| 90% intervals, {TRIALS:,} experiments of {customers:,}: plain | {held['plain']:.1%} |")
        print(f"| the same with CUPED | {held['cuped']:.1%}, width {held['width']:.0%} of plain |")
    gains = []
    for seed in range(50):
        expected, truth, cost = shop(5000, seed)
        budget = 0.3 * max_useful_budget(expected, cost, np.inf)
        plans = [allocate(expected, cost, np.inf, budget).offer, uniform_plan(expected, cost, np.inf, budget)]
        plans.append(random_plan(expected, cost, np.inf, budget, seed))
        gains.append([total_gain(truth.T, plan) for plan in plans])
    plan, uniform, chance = np.mean(gains, axis=0)
    best = np.array(gains)
    print(f"| realised gain, mean of 50 shops: plan, uniform, random | {plan:,.0f}, {uniform:,.0f}, {chance:,.0f} |")
    print(f"| shops in which the plan beats both | {(best[:, 0] > best[:, 1:].max(axis=1)).mean():.0%} |")


if __name__ == "__main__":
    main()
