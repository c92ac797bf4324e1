"""How often the 80% interval of a sum holds what came true, out of time: ``python -m tests.bench.sums``.

Each trial is a simulated log of its own. Three origins, one horizon apart; the intervals at the last know what earlier
ones showed. The sums are those of the fifths by predicted value.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.config import TrainConfig
from clv_core.evaluation.backtest import BacktestPlan, backtest
from clv_core.evaluation.levels import FIFTHS, SharedError, fifth_of, sum_intervals
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

HORIZON_DAYS: Final = 91
DAYS: Final = 640
ORIGINS: Final = 3


def trials(
    folder: Path, seeds: Iterable[int], *, customers: int, scenario: str = "btyd", model: str = "bgnbd"
) -> pd.DataFrame:
    """Return one row a sum: ``seed, known, fifth, value, low, high, luck_low, luck_high, actual``.

    ``known`` is how many earlier origins the interval rests on, 1 or 2.

    Args:
        folder: where logs and workspaces are made.
        seeds: one log each.
        customers: of each log.
        scenario: what is simulated.
        model: id of the model that predicts.
    """
    rows = []
    for seed in seeds:
        workspace = Workspace(folder / f"{scenario}-{seed}")
        events, _ = simulate(scenario, SimulationPlan(customers, DAYS, seed, HORIZON_DAYS)).write(
            folder / f"log-{seed}"
        )
        ingest(workspace, events, "log", mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
        config = TrainConfig(horizon_days=HORIZON_DAYS, model=model, cutoffs=4, processes=1, ensemble=2)
        found = backtest(workspace, "log", config, BacktestPlan([model], count=ORIGINS), progress=NoProgress())
        *earlier, now = (frame for _, frame in found.predictions.groupby("origin", sort=True))
        fifth = fifth_of(now["predicted_clv"].to_numpy())
        actual = np.bincount(fifth, now["actual"].to_numpy(), minlength=FIFTHS)
        for known in range(1, ORIGINS):
            shared = SharedError.of(earlier[-known:])
            assert shared is not None
            sums = sum_intervals(now, fifth, FIFTHS, shared)
            alone = sum_intervals(now, fifth, FIFTHS, replace(shared, level=0 * shared.level, own=0 * shared.own))
            values = zip(sums.value, sums.low, sums.high, alone.low, alone.high, actual, strict=True)
            rows += [(seed, known, place + 1, *row) for place, row in enumerate(values) if row[0] > 0]
    columns = ["seed", "known", "fifth", "value", "low", "high", "luck_low", "luck_high", "actual"]
    return pd.DataFrame(rows, columns=columns)


def coverage(found: pd.DataFrame) -> dict[str, float]:
    """Return the share of sums inside their interval, and inside one of independent customers; the median width."""
    inside = found["actual"].between(found["low"], found["high"])
    alone = found["actual"].between(found["luck_low"], found["luck_high"])
    return {
        "sums": len(found),
        "covered": float(inside.mean()),
        "covered_without_shared_error": float(alone.mean()),
        "width": float(((found["high"] - found["low"]) / found["value"]).median()),
    }


def main() -> None:
    """Print the coverage for one and for two known origins."""
    for scenario in ("btyd", "browsing"):
        with tempfile.TemporaryDirectory() as folder:
            found = trials(Path(folder), range(41, 61), customers=4000, scenario=scenario)
        for known, rows in found.groupby("known"):
            print(scenario, "origins known:", known, {name: round(value, 3) for name, value in coverage(rows).items()})


if __name__ == "__main__":
    main()
