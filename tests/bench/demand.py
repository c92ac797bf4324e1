"""How good demand by product is, out of time: ``python -m tests.bench.demand``.

CDNOW by its pieces (one product), Complete Journey (called simulated by its package), and simulated shops whose
categories have seasons of their own and of which a product ends: two that were looked at while settings were chosen,
and, apart, two of seeds that were not. Origins four weeks apart; at each, demand of the four weeks after it by what was
known then. Weighted absolute errors (of pieces times what one brings, over what came) of products, of those that sell
weekly, and of categories, against last year's same weeks, the mean of the last eight weeks, and Croston's method as he
published it: the one of these that was best on earlier origins. All logs together are written to
``tests/bench/results/demand.md``.

:func:`croston` gives what ``CrostonClassic`` of statsforecast 2.1.1 gives, to 5e-15, on 800 random series, shop 1 and
5,000 products of Complete Journey; that was looked at once, and the package is not needed.

``--large``: processor seconds and memory of a log of 20,000 products, a million customers and ten million lines, read
from its dataset, with twelve past dates; what the shop takes is made up, its forecast is not in it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store import Dataset, open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.backtest import BacktestPlan, backtest
from clv_core.jobs import NoProgress
from clv_core.strategy.demand.baskets import by_category, sells_weekly
from clv_core.strategy.demand.methods import CUSTOMERS, SIMPLE, Ahead, Methods
from clv_core.strategy.demand.product_days import WEEK, Floats, ProductDays
from clv_core.strategy.demand.product_demand import (
    DemandTest,
    best_methods,
    make_demand,
    past_demands,
    ranged_groups,
    ranged_products,
    weights_of,
)
from clv_core.strategy.forecast import Forecast, PastForecast
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
LOOKED_AT: Final = ("cdnow", "completejourney", "shop1", "shop2")
FRESH: Final = ("shop9001", "shop9002")
"""Of seeds that no setting was chosen by."""
RESULTS: Final = Path(__file__).resolve().parent / "results" / "demand.md"
LARGE_LOG: Final = """
with drawn as (
    select i, (hash(i, 1) % 1000003) / 1000003.0 as luck, (hash(i, 2) % 1092)::bigint as day,
        (hash(i, 3) % 1000000)::bigint as customer, 1 + (hash(i, 4) % 3)::bigint as quantity
    from range(10000000) t(i)
), numbered as (select *, floor(20000 * pow(luck, 3))::bigint as product from drawn)
select 'c' || lpad(customer::varchar, 7, '0') as customer_id,
    timestamp '2022-01-01' + to_days(day::int) + to_seconds(i % 86000) as event_time,
    if(i % 40 = 0, 'return', 'purchase') as event_type, 'o' || (i // 3)::varchar as order_id,
    'p' || product::varchar as product_id, 'kind ' || (product % 40)::varchar as category, quantity,
    round(if(i % 40 = 0, -1, 1) * quantity * (1 + hash(product, 5) % 5000 / 100.0), 2) as amount
from numbered
"""
"""156 weeks; of the products some sell a thousand times as often as others; one line of 40 is a return."""


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
        means = {name: later[name].mean() for name in ("shown", CUSTOMERS, *rivals)}
        found.append({"of": of, "origins": len(later), **means, "chosen": np.mean(chosen), "low": low, "high": high})
    return pd.DataFrame(found).round(3)


def held(days: ProductDays, past: list[PastForecast], tests: list[DemandTest]) -> pd.DataFrame:
    """Return what share of the 80% ranges that were shown held, and of how many: over four weeks, and of each week."""
    category = np.unique(days.products["category"].to_numpy(str), return_inverse=True)[1]
    forecasts = {test.cutoff: test for test in past}
    inside: dict[str, list[NDArray[np.bool_]]] = {}
    for place, test in enumerate(tests):
        cutoff, weeks = date.fromisoformat(test.cutoff), test.weeks
        methods = Methods.of(days, cutoff, Ahead.of_past(forecasts[test.cutoff]).until(weeks), category)
        expected = methods.expected(best_methods(tests[:place], methods.names))
        units, _ = days.weekly(cutoff, weeks)
        weekly, came = sells_weekly(units[:, :-weeks]), units[:, -weeks:]
        for of, ranged, pieces, rows in (
            ("weekly", ranged_products(expected, weekly), came, weekly),
            ("categories", ranged_groups(expected), by_category(came, category), slice(None)),
        ):
            block, each = pieces.sum(axis=1), (ranged.low <= pieces) & (pieces <= ranged.high)
            inside.setdefault(f"{of}, four weeks", []).append(
                ((ranged.block_low <= block) & (block <= ranged.block_high))[rows]
            )
            inside.setdefault(f"{of}, each week", []).append(each[rows].ravel())
    rows_of_all = {of: np.concatenate(flags) for of, flags in inside.items()}
    return pd.DataFrame(
        {"of": of, "held": flags.mean() if len(flags) else np.nan, "ranges": len(flags)}
        for of, flags in rows_of_all.items()
    ).round(3)


def measure(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Print and return one log's errors, and how many ranges held."""
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        days, past, tests = tests_of(workspace, prepared(workspace, name))
        rows = rows_of(days, tests)
    table, ranges = compared(rows), held(days, past, tests)
    took = time.process_time() - begin
    print(f"{name}: {len(days.products)} products, {len(tests)} origins, {took:.0f} s of processor")
    print(f"{table.to_string(index=False)}\n{ranges.to_string(index=False)}", flush=True)
    return table.assign(log=name), ranges.assign(log=name)


def write_results(titled: dict[str, list[tuple[pd.DataFrame, pd.DataFrame]]]) -> None:
    """Write errors and ranges of all logs to :data:`RESULTS`, those that were looked at apart from fresh ones."""
    errors = ["log", "of", "origins", "shown", CUSTOMERS, *SIMPLE, CROSTON, "chosen", "low", "high"]
    lines = [
        "# Demand by product, four weeks ahead",
        "",
        "Weighted absolute errors over what came, mean of the origins from the second on. `chosen` is the simple",
        "method that was best on earlier origins; `low` and `high` end the 95% interval of `shown` less `chosen`, by",
        "bootstrap over origins. Then the share of 80% ranges that held.",
    ]
    for title, found in titled.items():
        tables = [pd.concat(part, ignore_index=True) for part in zip(*found, strict=True)]
        for table, columns in zip(tables, (errors, ["log", "of", "held", "ranges"]), strict=True):
            rows = [[_cell(value) for value in row] for row in table.reindex(columns=columns).to_numpy(object)]
            head = (
                [f"## {title}", "", columns, ["---"] * len(columns)] if table is tables[0] else [columns, ["---"] * 4]
            )
            lines += ["", *(line if isinstance(line, str) else f"| {' | '.join(line)} |" for line in [*head, *rows])]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value + 0.0:.3f}".replace("-0.000", "0.000")
    return str(value)


def large(folder: Path) -> None:
    """Make the large log and read it in, then measure it in a process of its own.

    Args:
        folder: of its workspace; a log that is there is used again.
    """
    workspace = Workspace(folder / "workspace")
    if not workspace.root.exists():
        path = folder / "log.parquet"
        duckdb.connect().execute(f"copy ({LARGE_LOG}) to '{path}' (format parquet)")
        ingest(workspace, path, "log", timezone="UTC", currency="EUR", progress=NoProgress())
    subprocess.run([sys.executable, "-m", "tests.bench.demand", "--measure", str(workspace.root)], check=True)


def measure_large(workspace: Workspace) -> None:
    """Print the processor seconds of reading, of twelve past dates and of what is ahead, and the memory of all."""
    dataset = open_dataset(workspace, "log")
    end, span, begin = dataset.log_end, timedelta(days=HORIZON_DAYS), time.process_time()
    cutoffs = [end - span * ago for ago in range(MOST_ORIGINS, 0, -1)]
    days = ProductDays.of(dataset, [(cutoff - span, cutoff) for cutoff in [*cutoffs, end]])
    took = [time.process_time() - begin]
    week = days.shop[-364:].sum() / 52
    past = [
        PastForecast(
            cutoff=cutoff.isoformat(),
            days=HORIZON_DAYS,
            known=3.6 * week,
            won=0.4 * week,
            buyers=0,
            by=CUSTOMERS,
            known_actual=0,
            won_actual=0,
            low=3 * week,
            high=5 * week,
            errors={},
            weeks=[],
            expected=[week] * 4,
        )
        for cutoff in cutoffs
    ]
    tests = past_demands(days, past)
    took.append(time.process_time() - begin)
    known, none = np.full(13 * WEEK, week / WEEK), np.zeros(13 * WEEK)
    ahead = Forecast(end, HORIZON_DAYS, "EUR", CUSTOMERS, known, 0.1 * known, none, none, none, 0.0, None)
    made = make_demand(days, ahead, tests)
    took.append(time.process_time() - begin)
    read, tested, done = np.diff([0.0, *took])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"{len(made.products)} products, {len(days.units)} product-days, {len(tests)} past dates")
    print(f"read {read:.1f} s, past dates {tested:.1f} s, ahead {done:.1f} s: {took[-1]:.1f} s, {memory:.2f} GB")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="logs by name, between commas")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--folder", type=Path, help="of the large log, to use it again")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure_large(Workspace(options.measure))
    elif options.large and options.folder:
        large(options.folder)
    elif options.large:
        with tempfile.TemporaryDirectory() as folder:
            large(Path(folder))
    elif options.only:
        for name in options.only.split(","):
            measure(name)
    else:
        titled = {"Looked at while settings were chosen": LOOKED_AT, "Fresh": FRESH}
        write_results({title: [measure(name) for name in names] for title, names in titled.items()})


if __name__ == "__main__":
    main()
