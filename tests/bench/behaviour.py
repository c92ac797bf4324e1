"""Do views, carts, ratings, coupons earn their place? Models with less to read, on the same customers.

Part of ``make bench-accuracy``; writes ``behaviour.md``. CDNOW holds purchases only: there is nothing to leave out.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pandas as pd

from clv_core import pipeline
from clv_core.config import TrainConfig
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.bench.judging import Figures
from tests.bench.logs import HORIZON_DAYS, plan, prepare

LOGS: Final[dict[str, tuple[date, int, tuple[str, ...]]]] = {
    "browsing": (plan().cutoff, HORIZON_DAYS, ("review_text=false", "event_types=unrated", "event_types=purchases")),
    "completejourney-events": (date(2017, 10, 2), 91, ("event_types=purchases",)),
}
"""Origin, horizon, and what is left out, by log."""
READERS: Final = ("hybrid", "instant_tuned")
HALVES: Final = ("mlp", "rnn")
MODELS: Final = (*READERS, *HALVES)
METRICS: Final = ("gini", "mae", "rmse", "decile_mape")


def ablate(workspace: Workspace, seeds: int, resamples: int, **settings: str) -> pd.DataFrame:
    """Return one row a log, model, rival and metric: how much better the full model is, with its paired 95% interval.

    Rivals are the hybrid's two halves, and each of :data:`READERS` itself with less to read.
    """
    rows: list[dict[str, Any]] = []
    for name, (origin, horizon_days, variants) in LOGS.items():
        prepare(workspace, name)
        config = TrainConfig.from_pairs(settings, horizon_days=horizon_days)
        asked: dict[str, Any] = {"origins": [origin], "seeds": seeds, "progress": NoProgress()}
        plain = pipeline.backtest(workspace, name, config, models=MODELS, **asked).predictions
        less = pipeline.backtest(workspace, name, config, models=READERS, variants=variants, **asked).predictions
        figures = Figures.of(pd.concat([plain, less[less["model"].str.contains("[", regex=False)]]), resamples)
        for rival in figures.models:
            model = "hybrid" if rival in HALVES else rival.partition("[")[0]
            for metric in METRICS if model != rival else ():
                over = figures.advantage(model, rival, metric)
                sure = "better" if over.low > 0 else "worse" if over.high < 0 else "open"
                known = {"log": name, "model": model, "rival": rival, "metric": metric}
                sizes = {"full": figures.size(model, metric), "theirs": figures.size(rival, metric)}
                rows.append({**known, **sizes, "better_by": over.value, "low": over.low, "high": over.high, "is": sure})
    return pd.DataFrame(rows)
