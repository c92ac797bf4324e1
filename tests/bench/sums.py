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

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import Plan, simulate
from clv_core.config import TrainConfig
from clv_core.evaluation.levels import FIFTHS, SPREADS, SharedError, fifth_of
from clv_core.evaluation.sums import sum_intervals
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

HORIZON_DAYS: Final = 91
DAYS: Final = 640
ORIGINS: Final = 3


def trials(
    folder: Path, seeds: Iterable[int], *, customers: int, scenario: str = "btyd", known: int = 2, model: str = "bgnbd"
) -> pd.DataFrame:
    """Return one row a sum: ``seed, fifth, value, low, high, luck_low, luck_high, actual``.

    Args:
        folder: where logs and workspaces are made.
        seeds: one log each.
        customers: of each log.
        scenario: what is simulated.
        known: how many earlier origins the intervals know, 1 or 2.
        model: id of the model that predicts.
    """
    rows = []
    for seed in seeds:
        workspace = Workspace(folder / f"{scenario}-{seed}")
        events, _ = simulate(scenario, Plan(customers, DAYS, seed, HORIZON_DAYS)).write(folder / f"log-{seed}")
        ingest(workspace, events, "log", mapping={}, timezone="UTC", currency="EUR", progress=NoProgress())
        config = TrainConfig(horizon_days=HORIZON_DAYS, model=model, cutoffs=4, processes=1, ensemble=2)
        found = pipeline.backtest(workspace, "log", config, count=ORIGINS, models=[model], progress=NoProgress())
        *earlier, now = (frame for _, frame in found.predictions.groupby("origin", sort=True))
        shared = SharedError.of(earlier[-known:])
        assert shared is not None
        fifth = fifth_of(now["predicted_clv"].to_numpy())
        sums = sum_intervals(now, fifth, FIFTHS, shared)
        alone = sum_intervals(now, fifth, FIFTHS, replace(shared, weights=_none_shared()))
        actual = np.bincount(fifth, now["actual"].to_numpy(), minlength=FIFTHS)
        values = (sums.value, sums.low, sums.high, alone.low, alone.high, actual)
        rows += [(seed, place + 1, *row) for place, row in enumerate(zip(*values, strict=True)) if row[0] > 0]
    return pd.DataFrame(rows, columns=["seed", "fifth", "value", "low", "high", "luck_low", "luck_high", "actual"])


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


def _none_shared() -> np.ndarray:
    weights = np.zeros((len(SPREADS), len(SPREADS)))
    weights[0, 0] = 1.0
    return weights


def main() -> None:
    """Print the coverage for one and for two known origins."""
    for scenario in ("btyd", "browsing"):
        for known in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                found = trials(Path(folder), range(1, 25), customers=4000, scenario=scenario, known=known)
            print(scenario, "origins known:", known, {name: round(value, 3) for name, value in coverage(found).items()})


if __name__ == "__main__":
    main()
