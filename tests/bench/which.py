"""Does a model see *which* category it was, and not only how many? ``python -m tests.bench.which``.

Shops of donations: a giver's first gift is for one of six appeals, and that alone decides whether she gives again.
Two appeals bring those who give every few weeks (70% of them within the forecast period), four those who give once
(2.5%). The oracle knows the rates of the appeals, and nothing else; who came last week can be told apart in no other
way.
Prints the Gini of each model over the oracle's, shop by shop.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.evaluation.metrics import evaluate
from clv_core.features.log import open_log
from clv_core.features.season import complete_snapshot
from clv_core.jobs import NoProgress
from clv_core.training.cost import DEFAULT
from clv_core.training.fit import MODELS, FitTask
from clv_core.training.windows import training_data
from clv_core.workspace import Workspace

CUSTOMERS, DAYS, HORIZON_DAYS = 4000, 730, 91
FIRST: Final = date(2023, 1, 1)
SHARE_BACK: Final = {
    **{"monthly": 0.7, "sponsor a child": 0.7},
    **{"flood": 0.025, "christmas": 0.025, "school": 0.025, "spring letter": 0.025},
}
"""Of the givers of each appeal, those who give again within the forecast period."""
CHANCE: Final = (0.1, 0.1, 0.2, 0.2, 0.2, 0.2)
"""Of a giver to come by each appeal."""


def donations(seed: int, givers: int = CUSTOMERS) -> tuple[pd.DataFrame, pd.Series]:
    """Return the gifts of one shop, and each giver's appeal by customer id."""
    random = np.random.default_rng(seed)
    appeal = random.choice(len(SHARE_BACK), givers, p=CHANCE)
    rate = -np.log1p(-np.array(list(SHARE_BACK.values()))[appeal]) / HORIZON_DAYS
    first = random.uniform(0, DAYS, givers)
    again = random.poisson(rate * (DAYS - first))
    who = np.concatenate([np.arange(givers), np.repeat(np.arange(givers), again)])
    later = np.repeat(first, again) + random.random(again.sum()) * np.repeat(DAYS - first, again)
    when = pd.Timestamp(FIRST) + pd.to_timedelta(np.concatenate([first, later]), unit="D").round("s")
    names, ids = np.array(list(SHARE_BACK)), np.char.add("g", np.arange(givers).astype(str))
    gifts = {"customer_id": ids[who], "event_time": when, "category": names[appeal[who]]}
    gifts["amount"] = random.lognormal(3, 0.5, len(who)).round(2)
    return pd.DataFrame(gifts), pd.Series(names[appeal], ids)


def measure(seed: int, models: list[str], settings: dict[str, str]) -> dict[str, float]:
    """Return the Gini of each model, and of the oracle, on one shop's last forecast period."""
    gifts, appeal = donations(seed)
    folder = Path(tempfile.mkdtemp())
    try:
        workspace = Workspace(folder / "workspace")
        gifts.to_csv(folder / "gifts.csv", index=False)
        ingest(workspace, folder / "gifts.csv", "gifts", progress=NoProgress())
        log = open_log(open_dataset(workspace, "gifts"))
        config = TrainConfig.from_pairs(settings, horizon_days=HORIZON_DAYS)
        cutoff = FIRST + timedelta(days=DAYS - HORIZON_DAYS)
        snapshot, train = complete_snapshot(log, cutoff, config), training_data(log, cutoff, config, NoProgress())
        actual, back = snapshot.target, appeal[snapshot.features.index].map(SHARE_BACK)
        rate = -np.log1p(-back.to_numpy(np.float64))
        figures = {name: rate for name in ("predicted_clv", "clv_p10", "clv_p50", "clv_p90")}
        frames = {"oracle": pd.DataFrame({"p_purchase": back.to_numpy(), **figures})}
        for model in models:
            own = TrainConfig.from_json({**config.to_json(), "model": model})
            fitted = MODELS[model].fit(FitTask(train, own, folder / model, NoProgress(), "backtest")).model
            frames[model] = fitted.predict(snapshot).frame(snapshot.features.index, cutoff, HORIZON_DAYS, model)
        return {name: evaluate(actual, frame)["gini"] for name, frame in frames.items()}
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Print one row a shop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shops", type=int, default=5)
    parser.add_argument("--models", default=f"{DEFAULT},hybrid,instant_tuned,lightgbm,bgnbd")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in options.set)
    rows = [measure(seed, options.models.split(","), settings) for seed in range(1, options.shops + 1)]
    found = pd.DataFrame(rows)
    print(found.round(4).to_string())
    print(
        (found.drop(columns="oracle").div(found["oracle"], axis=0)).describe().loc[["mean", "min"]].round(3).to_string()
    )


if __name__ == "__main__":
    main()
