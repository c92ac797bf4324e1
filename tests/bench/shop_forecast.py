"""How good the forecast of the whole shop is, out of time: ``python -m tests.bench.shop_forecast``.

CDNOW, Complete Journey, and simulated shops that grow, shrink, have a season of newcomers, or live by subscriptions.
Origins one horizon apart, at most six a log; the forecast at each knows what the earlier ones showed. For each log from
the second origin on: the absolute error of weekly totals over what came, of the forecast, of its parts alone, and of
the baseline that was best on earlier origins. For the last origin of each simulated shop: whether 80% ranges held.
``--default 5`` has the default model predict for so many shops of each kind instead of BG/NBD and the pre-trained one.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store import Dataset, open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.backtest import BacktestPlan, backtest
from clv_core.jobs import NoProgress
from clv_core.strategy.forecast.shop_days import ShopDays
from clv_core.strategy.forecast.shop_forecast import PARTS, PastForecast, past_forecasts
from clv_core.workspace import Workspace
from tests.bench.logs import prepare

DAYS: Final = 1000
HORIZON_DAYS: Final = 91
MOST_ORIGINS: Final = 6
DAYS_OF_YEAR: Final = 365.25
REAL: Final = {"cdnow": 91, "completejourney": 56}
"""Horizon of each real log, in days."""
NEWCOMERS: Final[dict[str, Callable[[NDArray[np.int64]], NDArray[np.float64]] | None]] = {
    "growing": lambda day: 0.15 + 0.85 * day / DAYS,
    "shrinking": lambda day: 1 - 0.8 * day / DAYS,
    "seasonal": lambda day: 0.5 + 0.45 * np.sin(2 * np.pi * (day - 240) / DAYS_OF_YEAR),
    "subscription": None,
}
"""The share of those first seen on a day who are kept; None: as the scenario of this name has it."""


def shop_log(kind: str, seed: int) -> pd.DataFrame:
    """Return the events of a simulated shop of 1,500 to 5,000 customers before some go, or twice the sign-ups."""
    customers = int(np.random.default_rng(seed).choice([1500, 3000, 5000]))
    keep = NEWCOMERS[kind]
    if keep is None:
        return simulate("subscription", SimulationPlan(2 * customers, DAYS, seed, HORIZON_DAYS)).events
    events = simulate("browsing", SimulationPlan(customers, DAYS, seed, HORIZON_DAYS)).events
    first = pd.to_datetime(events.groupby("customer_id")["event_time"].min())
    day = (first - first.min().normalize()).dt.days.to_numpy()
    kept = first.index[np.random.default_rng(seed).uniform(size=len(day)) < keep(day)]
    return events[events["customer_id"].isin(kept)]


def forecasts(workspace: Workspace, dataset: Dataset, model: str, horizon_days: int, most: int) -> list[PastForecast]:
    """Return the forecasts of the last origins, each by a model trained before it."""
    config = TrainConfig(horizon_days=horizon_days, model=model, cutoffs=4, processes=1, ensemble=2)
    found = backtest(workspace, dataset.name, config, BacktestPlan([model], count=most), progress=NoProgress())
    predictions = {str(origin): frame for origin, frame in found.predictions.groupby("origin")}
    return past_forecasts(ShopDays.of(dataset), predictions, horizon_days)


def rows_of(tests: list[PastForecast]) -> list[dict[str, float | str | bool]]:
    """Return one row an origin from the second on: errors over what came, parts over their truths, ranges."""
    rows: list[dict[str, float | str | bool]] = []
    for place in range(1, len(tests)):
        earlier, now = tests[:place], tests[place]
        common = set.intersection(*(set(test.errors) for test in [*earlier, now])) - {PARTS}
        best = min(sorted(common), key=lambda name: sum(test.errors[name] for test in earlier))  # noqa: B023
        rows.append(
            {
                "cutoff": now.cutoff,
                "is_last": place == len(tests) - 1,
                "by": now.by,
                "baseline": best,
                "forecast_error": now.errors[now.by] / now.actual,
                "parts_error": now.errors[PARTS] / now.actual,
                "baseline_error": now.errors[best] / now.actual,
                "known_ratio": now.known / now.known_actual if now.known_actual else np.nan,
                "won_ratio": now.won / now.won_actual if now.won_actual else np.nan,
                "inside": np.nan if now.is_inside is None else float(now.is_inside),
            }
        )
    return rows


def simulated(folder: Path, shops: int, model: str | None, most: int) -> pd.DataFrame:
    """Return the rows of so many shops of each kind; without a model BG/NBD and ``instant`` take turns."""
    rows = []
    for seed in range(1, shops + 1):
        for kind in NEWCOMERS:
            workspace, path = Workspace(folder / f"{kind}-{seed}"), folder / f"{kind}-{seed}.csv"
            shop_log(kind, seed).to_csv(path, index=False)
            ingest(workspace, path, "log", mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
            by = model or ("bgnbd" if seed % 2 else "instant")
            tests = forecasts(workspace, open_dataset(workspace, "log"), by, HORIZON_DAYS, most)
            rows += [{"log": f"{kind}-{seed}", "kind": kind, "model": by, **row} for row in rows_of(tests)]
            print(f"{kind}-{seed} {by}: {len(tests)} origins", flush=True)
    return pd.DataFrame(rows)


def real(folder: Path, model: str) -> pd.DataFrame:
    """Return the rows of the real logs."""
    rows = []
    for name, horizon in REAL.items():
        workspace = Workspace(folder / name)
        tests = forecasts(workspace, prepare(workspace, name), model, horizon, MOST_ORIGINS)
        rows += [{"log": name, "kind": name, "model": model, **row} for row in rows_of(tests)]
    return pd.DataFrame(rows)


def report(rows: pd.DataFrame) -> pd.DataFrame:
    """Return, by kind and over all: mean errors of logs, their ratio, median ratios of the parts, and ranges held."""

    def figures(frame: pd.DataFrame) -> pd.Series:
        errors = frame.groupby("log")[["forecast_error", "parts_error", "baseline_error"]].mean().mean()
        last = frame[frame["is_last"]]
        return pd.Series(
            {
                "logs": frame["log"].nunique(),
                **errors.round(3),
                "ratio": round(errors["forecast_error"] / errors["baseline_error"], 3),
                "known": round(frame["known_ratio"].median(), 2),
                "won": round(frame["won_ratio"].median(), 2),
                "by_baseline": round((frame["by"] != PARTS).mean(), 2),
                "inside_last": round(last["inside"].mean(), 3),
            }
        )

    by_kind = rows.groupby("kind").apply(figures, include_groups=False)
    return pd.concat([by_kind, figures(rows).rename("all").to_frame().T])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=10, help="of each kind")
    parser.add_argument("--default", type=int, default=0, help="shops of each kind that the default model predicts")
    options = parser.parse_args()
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        if options.default:
            print(report(simulated(Path(folder), options.default, "blend", 3)).to_string())
        else:
            shops = simulated(Path(folder), options.shops, None, MOST_ORIGINS)
            print(report(shops).to_string())
            print(report(real(Path(folder), "bgnbd")).to_string())
    print(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
