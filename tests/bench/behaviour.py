"""Do views, carts, ratings, coupons earn their place? Models with less to read, on the same customers.

Part of ``make bench-accuracy``; writes ``behaviour.md``. No public log with views, carts and amounts is at hand, so the
worth of the sequence branch on browsing is shown on simulated shops only. Whoever has such a log, REES46's cosmetics
shop say, gets the same table of it (hours for 20 million rows):

    python -m tests.bench.behaviour events.csv --horizon 28 --seeds 3
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.backtest import BacktestPlan, backtest
from clv_core.features.log import open_log
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.bench.judging import Figures
from tests.bench.logs import HORIZON_DAYS, plan, prepare

Origins = dict[str, tuple[date, int, tuple[str, ...]]]

LOGS: Final[Origins] = {
    "browsing": (plan().cutoff, HORIZON_DAYS, ("review_text=false", "event_types=unrated", "event_types=purchases")),
    "completejourney-events": (date(2017, 10, 2), 91, ("event_types=purchases",)),
}
"""Origin, horizon, and what is left out, by log."""
READERS: Final = ("hybrid", "instant_tuned")
RIVALS: Final = ("mlp", "rnn", "lightgbm")
"""The hybrid's two halves, the first without the sequence of events, and boosting, which reads the same features."""
MODELS: Final = (*READERS, *RIVALS)
METRICS: Final = ("gini", "mae", "rmse", "decile_mape")


def ablate(
    workspace: Workspace, seeds: int, resamples: int, logs: Origins | None = None, **settings: str
) -> pd.DataFrame:
    """Return one row a log, model, rival and metric: how much better the full model is, with its paired 95% interval.

    Rivals of the hybrid are :data:`RIVALS`, and of each of :data:`READERS` itself with less to read.

    Args:
        workspace: the benchmark's.
        seeds: how often models are trained.
        resamples: of customers.
        logs: origin, horizon and what is left out, by dataset; None: :data:`LOGS`, made where they are not there.
        settings: of ``TrainConfig``, as texts.
    """
    rows: list[dict[str, Any]] = []
    for name, (origin, horizon_days, variants) in (logs or LOGS).items():
        if logs is None:
            prepare(workspace, name)
        config = TrainConfig.from_pairs(settings, horizon_days=horizon_days)
        plan = BacktestPlan(MODELS, [origin], seeds=seeds)
        plain = backtest(workspace, name, config, plan, progress=NoProgress()).predictions
        readers = replace(plan, models=READERS, variants=variants)
        less = backtest(workspace, name, config, readers, progress=NoProgress()).predictions
        figures = Figures.of(pd.concat([plain, less[less["model"].str.contains("[", regex=False)]]), resamples)
        for rival in figures.models:
            model = "hybrid" if rival in RIVALS else rival.partition("[")[0]
            for metric in METRICS if model != rival else ():
                over = figures.advantage(model, rival, metric)
                sure = "better" if over.low > 0 else "worse" if over.high < 0 else "open"
                known = {"log": name, "model": model, "rival": rival, "metric": metric}
                sizes = {"full": figures.size(model, metric), "theirs": figures.size(rival, metric)}
                rows.append({**known, **sizes, "better_by": over.value, "low": over.low, "high": over.high, "is": sure})
    return pd.DataFrame(rows)


def main() -> None:
    """Read a file as anyone's, hold out its last horizon, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--horizon", type=int, default=28)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--map", action="append", default=[], metavar="COLUMN=HEADER", help="as `clv ingest` has it")
    parser.add_argument("--workspace", type=Path, default=Path("workspace/bench"))
    options = parser.parse_args()
    workspace, name = Workspace(options.workspace.absolute()), options.file.stem
    mapping = dict(pair.split("=", 1) for pair in options.map)
    ingest(workspace, options.file, name, mapping=mapping or None, progress=NoProgress())
    log = open_log(open_dataset(workspace, name))
    origin = log.end - timedelta(days=options.horizon)
    log.close()
    table = ablate(workspace, options.seeds, 1000, {name: (origin, options.horizon, ("event_types=purchases",))})
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
