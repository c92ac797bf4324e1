"""Acquisition economics against truth, out of time: ``python -m tests.bench.acquisition --folder DIR``.

Each seed is a simulated shop of customers through eight channels; two years of its log are known, and the half year
after them is predicted. The truth of a channel is that of 80,000 customers at the prices of the same shop.

    covered     share of channels whose true value a customer is inside the 80% interval: so then is the ratio to cost
    spearman    of predicted and true ratio over paid channels, of customers won in the last three months
    payback     share of channels that pay back in truth within the horizon, with the month within one of the true one
    payback_all the same of those that pay back at all

``--million`` times the report of a million customers instead, in seconds of the processor: others may share it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.simulate.channels import MONTH_DAYS, NAMES, SPEND_FROM, channel_truth, priced
from clv_core.collection.simulate.population import Population, order_value, orders_by_age, populate
from clv_core.collection.simulate.shop import Floats, catalogue, sale
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored
from clv_core.jobs import NoProgress
from clv_core.strategy.acquisition import NewCustomers, Question, acquisition_report, load_new_customers
from clv_core.strategy.acquisition.read_spend import read_spend
from clv_core.strategy.purchase_history import load_history
from clv_core.workspace import Workspace

HORIZON_DAYS: Final = 182
DAYS: Final = 730 + HORIZON_DAYS
RECENT_DAYS: Final = 91
SALE_DAY: Final = int(np.argmax(sale(np.arange(366))))
TRUTH_CUSTOMERS: Final = 80_000
"""Over whom the truth of a channel is averaged."""


def prepared(folder: Path, seed: int, customers: int, model: str) -> tuple[NewCustomers, Path]:
    """Return the customers of a simulated shop as a model sees them at the cutoff, and its spend table."""
    plan = SimulationPlan(customers, DAYS, seed, HORIZON_DAYS, channels=True)
    own = folder / f"{customers}-{seed}"
    workspace = Workspace(own / "workspace")
    if not (own / "model.txt").exists():
        made = simulate("browsing", plan)
        known = made.events[made.events["event_time"] < pd.Timestamp(plan.cutoff)]
        events, _ = replace(made, events=known).write(own / "log")
        ingest(workspace, events, "shop", mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
        config = TrainConfig(horizon_days=HORIZON_DAYS, model=model, cutoffs=3, processes=1)
        bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
        (own / "model.txt").write_text(bundle.id, encoding="utf-8")
    scored = Scored.open(workspace, "shop", (own / "model.txt").read_text(encoding="utf-8"))
    return load_new_customers(scored, NoProgress()), own / "log" / "spend.csv"


@cache
def many(folder: Path) -> tuple[SimulationPlan, Population, Floats, Floats]:
    """Return many customers, who are the same for every shop, and their orders by age on plain and on sale days."""
    plan = SimulationPlan(TRUTH_CUSTOMERS, DAYS, 1_000, HORIZON_DAYS, channels=True)
    people = populate(plan, np.random.default_rng(plan.seed))
    path = folder / "orders.npz"
    if not path.exists():
        plain, on_sale = orders_by_age(plan, people)
        np.savez(path, plain=plain, on_sale=on_sale)
    with np.load(path) as orders:
        return plan, people, orders["plain"], orders["on_sale"]


def true_values(folder: Path, seed: int, since: int) -> pd.DataFrame:
    """Return the truth of the channels' customers won from day ``since`` on, at the prices of a seed's shop."""
    plan, people, plain, on_sale = many(folder)
    prices = catalogue(np.random.default_rng(seed))
    value = plain * order_value(people, prices, 0, 1.0)[:, None]
    value += on_sale * order_value(people, prices, SALE_DAY, 1.0)[:, None]
    late = people.arrival >= since
    return channel_truth(plan, people.channel[late], people.arrival[late], value[late])


def judged(folder: Path, seed: int, customers: int, model: str) -> dict[str, Any]:
    """Return what came out for one seed."""
    plan = SimulationPlan(customers, DAYS, seed, HORIZON_DAYS, channels=True)
    people, spend = prepared(folder, seed, customers, model)
    table = pd.read_csv(spend)
    table = table[table["date"] < plan.cutoff.isoformat()]
    groups = acquisition_report(people, read_spend(spend), Question()).groups.set_index("group").loc[list(NAMES)]
    counted = groups["customers"].to_numpy()
    truth = true_values(folder, seed, SPEND_FROM)
    truth = priced(plan, truth.assign(customers=counted), table)  # as many as the shop won for its spend
    value = truth["value"].to_numpy()

    recent = spend.with_name("recent.csv")
    since = plan.cutoff_day - RECENT_DAYS
    table[table["date"] >= str(np.datetime64(plan.cutoff) - RECENT_DAYS)].to_csv(recent, index=False)
    latest = acquisition_report(people, read_spend(recent), Question()).groups.set_index("group").loc[list(NAMES)]
    recent_truth = priced(
        plan,
        true_values(folder, seed, since).assign(customers=latest["customers"].to_numpy()),
        pd.read_csv(recent),
    )
    paid = recent_truth["ratio"].notna().to_numpy()
    actual = pd.read_csv(spend.with_name("truth.csv"))["actual_value"].sum()
    month, true_month = groups["payback_month"].to_numpy(), truth["payback_month"].to_numpy()
    near = np.abs(month - true_month) <= 1
    back = np.isfinite(true_month) & (true_month > 0)
    within = back & (true_month * MONTH_DAYS <= HORIZON_DAYS + 1)
    return {
        "seed": seed,
        "covered": groups["ltv_low"].lt(value).mul(groups["ltv_high"].gt(value)).tolist(),
        "covered_recent": (
            (latest["ltv_low"].to_numpy() < recent_truth["value"])
            & (recent_truth["value"] < latest["ltv_high"].to_numpy())
        ).tolist(),
        "error": (groups["ltv"].to_numpy() / value - 1).round(3).tolist(),
        "own_error": (groups["ltv_own"].to_numpy() / value - 1).round(3).tolist(),
        "width": ((groups["ltv_high"] - groups["ltv_low"]) / groups["ltv"]).round(3).tolist(),
        "spearman": float(spearmanr(latest["ratio"].to_numpy()[paid], recent_truth["ratio"][paid]).statistic),
        "payback": near[within].tolist(),
        "payback_all": near[back].tolist(),
        "months": [[str(found), str(true)] for found, true in zip(month, true_month, strict=True)],
        "level": float(people.predicted.sum() / actual),
    }


def summary(found: list[dict[str, Any]]) -> dict[str, float]:
    """Return the figures over all seeds."""

    def share(name: str) -> float:
        return float(np.mean([one for row in found for one in row[name]]))

    return {
        "seeds": len(found),
        "covered": share("covered"),
        "covered_recent": share("covered_recent"),
        "spearman": float(np.mean([row["spearman"] for row in found])),
        "payback": share("payback"),
        "payback_all": share("payback_all"),
        "width": float(np.median([one for row in found for one in row["width"]])),
        "error": float(np.mean(np.abs([one for row in found for one in row["error"]]))),
        "own_error": float(np.mean(np.abs([one for row in found for one in row["own_error"]]))),
    }


def speed(folder: Path, customers: int = 1_000_000) -> dict[str, float]:
    """Return the seconds of the first answer for many customers, and of a changed margin."""
    _, spend = prepared(folder, 1, 5_000, "lightgbm")
    own = Workspace(folder / "5000-1" / "workspace")
    small = Scored.open(own, "shop", (folder / "5000-1" / "model.txt").read_text(encoding="utf-8"))
    place = folder / "million" / "datasets" / "million" / "v1"
    place.mkdir(parents=True, exist_ok=True)
    dataset = replace(small.dataset, folder=place)
    scored = Scored.of(Workspace(folder / "million"), dataset, small.model)
    events, scores = dataset.events_path, scored.scores_path
    scores.parent.mkdir(parents=True, exist_ok=True)
    person = f"'C' || lpad((i % {customers})::VARCHAR, 7, '0')"
    days = (dataset.log_end - dataset.log_start).days - 1
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT {person} AS customer_id, TIMESTAMP '{dataset.log_start}' + to_seconds((greatest(hash(i, 1),"
            f" hash(i % {customers}, 2)) % {days * 86_400})::BIGINT) AS event_time,"
            " if(hash(i, 3) % 3 = 0, 'purchase', 'view') AS event_type,"
            " if(hash(i, 3) % 3 = 0, (hash(i, 4) % 9000)::BIGINT / 100, NULL) AS amount,"
            f" 'P' || (hash(i, 5) % 200) AS product_id, {list(NAMES)}[1 + (hash(i % {customers}, 6)"
            f" % {len(NAMES)})::INT] AS channel FROM range({6 * customers}) t(i)) TO '{events}' (FORMAT parquet)"
        )
        engine.execute(
            f"COPY (SELECT {person} AS customer_id, 0.3 AS p_purchase, (hash(i) % 5000)::BIGINT / 100 AS predicted_clv"
            f" FROM range({customers}) t(i)) TO '{scores}' (FORMAT parquet)"
        )
    load_history(scored)

    def timed(work: Callable[[], Any]) -> tuple[Any, float]:
        begun = time.process_time()
        return work(), round(time.process_time() - begun, 2)

    _, origins = timed(lambda: load_new_customers(scored, NoProgress()))
    people, load = timed(lambda: load_new_customers(scored, NoProgress()))
    table, read = timed(lambda: read_spend(spend))
    first, report = timed(lambda: acquisition_report(people, table, Question()))
    _, margin = timed(lambda: acquisition_report(people, table, Question(margin_rate=0.4)))
    _, target = timed(lambda: acquisition_report(people, table, Question(target_ratio=2)))
    size = {"customers": len(people), "groups": len(first.groups), "cohorts": len(first.cohorts)}
    return {**size, "origins": origins, "first": load + read + report, "margin": margin, "target": target}


def main(words: Iterable[str] | None = None) -> None:
    """Print one line a seed, and the figures over all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/acquisition"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--model", default="lightgbm")
    parser.add_argument("--million", action="store_true")
    options = parser.parse_args(None if words is None else list(words))
    if options.million:
        print(json.dumps(speed(options.folder)))
        return
    found = []
    for seed in range(1, options.seeds + 1):
        found.append(judged(options.folder, seed, options.customers, options.model))
        print(json.dumps(found[-1]), flush=True)
    print(json.dumps(summary(found)))


if __name__ == "__main__":
    main()
