"""How good demand by product is, out of time: ``python -m tests.bench.demand``.

CDNOW by its pieces (one product), Complete Journey (called simulated by its package), and two simulated shops whose
categories have seasons of their own and of which a product ends. Origins four weeks apart; at each, demand of the four
weeks after it by what was known then. Weighted absolute errors (of pieces times what one brings, over what came) of
products, of those that sell weekly, and of categories, against last year's same weeks, the mean of the last eight
weeks, and Croston's method as he published it: the one of these that was best on earlier origins. ``--large``: seconds
and memory of one origin of 20,000 products and ten million entries.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store import Dataset, open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.backtest import BacktestPlan, backtest
from clv_core.jobs import NoProgress
from clv_core.strategy.demand.baskets import sells_weekly
from clv_core.strategy.demand.product_days import Floats, ProductDays
from clv_core.strategy.demand.product_demand import SIMPLE, DemandTest, past_demands, weights_of
from clv_core.strategy.forecast import PastForecast
from clv_core.strategy.forecast.shop_days import ShopDays
from clv_core.strategy.forecast.shop_forecast import past_forecasts
from clv_core.workspace import Workspace
from tests.bench.logs import REAL

HORIZON_DAYS: Final = 28
MOST_ORIGINS: Final = 12
CROSTON: Final = "croston"
ALPHA: Final = 0.1
"""Of Croston's smoothing, as he published it."""
DAYS: Final = 1000
RESAMPLES: Final = 2000


def croston(units: Floats) -> Floats:
    """Return pieces a week by Croston (1972): smoothed size of weeks with a sale over their smoothed distance, [p]."""
    size, gap = np.zeros(len(units)), np.ones(len(units))
    since, begun = np.ones(len(units)), np.zeros(len(units), bool)
    for week in units.T:
        sold = week > 0
        fresh = sold & ~begun
        size[fresh], gap[fresh] = week[fresh], since[fresh]
        more = sold & begun
        size[more] += ALPHA * (week - size)[more]
        gap[more] += ALPHA * (since - gap)[more]
        begun |= sold
        since = np.where(sold, 1.0, since + 1)
    return np.where(begun, size / gap, 0.0)


def shop_log(seed: int) -> pd.DataFrame:
    """Return sales of a simulated shop: seasons by category, and a best-seller that ends 60 days before the log."""
    events = simulate("browsing", SimulationPlan(12_000, DAYS, seed, 91)).events
    events = events[events["event_type"].isin(["purchase", "return"])]
    day = (events["event_time"] - events["event_time"].min().normalize()).dt.days.to_numpy()
    category = pd.factorize(events["category"], sort=True)[0]
    kept = 0.55 + 0.45 * np.sin(2 * np.pi * (day / 365.25 + category / 8))
    events = events[np.random.default_rng(seed).uniform(size=len(events)) < kept]
    day = (events["event_time"] - events["event_time"].min().normalize()).dt.days.to_numpy()
    best = events["product_id"].value_counts().index[0]
    return events[~((events["product_id"] == best) & (day >= DAYS - 60))]


def prepared(workspace: Workspace, name: str) -> Dataset:
    """Return a log of the bench, read in."""
    path = workspace.root / "events.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.startswith("shop"):
        shop_log(int(name[4:])).to_csv(path, index=False)
    else:
        REAL[name](path)
    if name == "cdnow":
        names = ["customer_id", "event_time", "quantity", "amount"]
        lines = pd.read_csv(path, sep=r"\s+", header=0, names=names, dtype=str)
        day = pd.to_datetime(lines["event_time"], format="%Y%m%d").dt.strftime("%Y-%m-%d")
        lines.assign(event_time=day, product_id="CD").to_csv(path, index=False)
    ingest(
        workspace,
        path,
        "log",
        timezone="UTC",
        currency="EUR",
        duplicates="keep" if name == "cdnow" else None,
        progress=NoProgress(),
    )
    return open_dataset(workspace, "log")


def tests_of(workspace: Workspace, dataset: Dataset) -> tuple[ProductDays, list[PastForecast], list[DemandTest]]:
    """Return sales, the shop's forecasts at the last origins by models trained before them, and demand as of these."""
    config = TrainConfig(horizon_days=HORIZON_DAYS, model="bgnbd", cutoffs=4, processes=1)
    found = backtest(
        workspace, dataset.name, config, BacktestPlan(["bgnbd"], count=MOST_ORIGINS), progress=NoProgress()
    )
    predictions = {str(origin): frame for origin, frame in found.predictions.groupby("origin")}
    past = past_forecasts(ShopDays.of(dataset), predictions, HORIZON_DAYS)
    ends = [date.fromisoformat(test.cutoff) for test in past]
    days = ProductDays.of(dataset, [(end - pd.Timedelta(days=HORIZON_DAYS).to_pytimedelta(), end) for end in ends])
    return days, past, past_demands(days, past)


def rows_of(days: ProductDays, tests: list[DemandTest]) -> pd.DataFrame:
    """Return one row an origin: errors of what was shown, and of each simple method."""
    category = np.unique(days.products["category"].to_numpy(str), return_inverse=True)[1]
    worth, group_worth = weights_of(days, category)
    rows = []
    for test in tests:
        units, _ = days.weekly(date.fromisoformat(test.cutoff), test.weeks)
        before, came = units[:, : -test.weeks], units[:, -test.weeks :].sum(axis=1)
        signed = croston(before) * test.weeks - came
        off, groups = worth * np.abs(signed), group_worth * np.abs(np.bincount(category, signed))
        of_groups = np.bincount(category, came) @ group_worth
        measured = {
            "products": (test.value, test.shown_error, test.errors | {CROSTON: off.sum()}),
            "weekly": (
                test.weekly_value,
                test.shown_weekly_error,
                test.weekly_errors | {CROSTON: off[sells_weekly(before)].sum()},
            ),
            "categories": (
                of_groups,
                test.shown_group_error,
                {name: sum(each) for name, each in test.group_errors.items()} | {CROSTON: groups.sum()},
            ),
        }
        for of, (truth, shown, errors) in measured.items():
            shares = {name: error / max(truth, 1e-9) for name, error in {"shown": shown, **errors}.items()}
            rows.append({"cutoff": test.cutoff, "of": of, **shares})
    return pd.DataFrame(rows)


def compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Return by what is forecast: mean errors from the second origin on, against the rival best on earlier origins."""
    found = []
    for of, frame in rows.groupby("of", sort=False):
        rivals = [name for name in (*SIMPLE, CROSTON) if name in frame]
        chosen = []
        for place in range(1, len(frame)):
            usable = [name for name in rivals if frame[name].iloc[: place + 1].notna().all()]
            chosen.append(frame[min(usable, key=lambda name: frame[name].iloc[:place].sum())].iloc[place])  # noqa: B023
        later = frame.iloc[1:]
        differ = later["shown"].to_numpy() - np.array(chosen)
        drawn = np.random.default_rng(0).integers(len(differ), size=(RESAMPLES, len(differ)))
        low, high = np.quantile(differ[drawn].mean(axis=1), [0.025, 0.975])
        means = {name: later[name].mean() for name in ("shown", "parts", *rivals)}
        found.append({"of": of, "origins": len(later), **means, "chosen": np.mean(chosen), "low": low, "high": high})
    return pd.DataFrame(found).round(3)


def measure(name: str) -> None:
    """Print one log's table and how many ranges held."""
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        days, _, tests = tests_of(workspace, prepared(workspace, name))
        rows = rows_of(days, tests)
    print(f"{name}: {len(days.products)} products, {len(tests)} origins, {time.perf_counter() - begin:.0f} s")
    print(compared(rows).to_string(index=False))
    ranged = sum(test.ranged for test in tests)
    print(f"ranges held: {sum(test.inside for test in tests) / max(ranged, 1):.3f} of {ranged}", flush=True)


def large() -> None:
    """Print seconds and memory of 20,000 products and a million customers: 156 weeks, 10 million lines."""
    from clv_core.strategy.demand.product_demand import Ahead, expectations

    random = np.random.default_rng(0)
    products, lines, weeks = 20_000, 10_000_000, 156
    popular = random.pareto(1.2, products) + 0.1
    cell = random.choice(products, lines, p=popular / popular.sum())
    day = random.integers(0, weeks * 7, lines)
    order = np.lexsort((day, cell))
    table = pd.DataFrame({"product_id": [f"P{number}" for number in range(products)], "name": "", "category": ""})
    table["category"] = random.choice([f"C{number}" for number in range(40)], products)
    ones = np.ones(lines)
    shop = np.bincount(day, minlength=weeks * 7) * 10.0
    end = date(2025, 1, 1)
    start = (pd.Timestamp(end) - pd.Timedelta(days=weeks * 7)).date()
    empty = np.zeros(lines)
    days = ProductDays(
        start,
        end,
        table,
        cell[order].astype(np.int32),
        day[order].astype(np.int32),
        ones,
        10 * ones,
        empty,
        empty,
        shop,
        None,
        {},
    )  # type: ignore[arg-type]
    before = time.process_time()
    ahead = Ahead(np.full(13, shop[-28:].sum() / 4), 0.1, 91, np.full(13, 0.02), 0.02)
    number = np.unique(table["category"], return_inverse=True)[1]
    expectations(days, end, ahead, number)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"one origin: {time.process_time() - before:.1f} s, {memory:.1f} GB")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="cdnow,completejourney,shop1,shop2")
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    if options.large:
        large()
        return
    for name in options.only.split(","):
        measure(name)


if __name__ == "__main__":
    main()
