"""The default against others on held-out shops of the prior: ``python -m tests.bench.accuracy --shops 200``.

One log says little of 1% more or less; many small ones do. What comes after a shop's cutoff is one payment of each
customer on the cutoff's day, since no model sees it. Shops too short to be trained on are left out, and counted.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv_core.errors import NotEnoughData
from clv_core.features.relations import EPOCH
from clv_core.workspace import Workspace
from tests.bench.cells import Cell, run_cell
from tests.bench.judging import OURS, RANKING, TABLE
from tests.bench.logs import held_out_shop

METRICS: Final = (*RANKING, "deviance", "crps", "mae_median")
RESAMPLES: Final = 2000
FEWEST_BUYERS: Final = 20
"""Of fewer in the horizon, no figure says anything."""


def compare_on_shops(
    workspace: Workspace, shops: int, models: Sequence[str], at_once: int, settings: dict[str, str]
) -> tuple[pd.DataFrame, int]:
    """Return one row a shop, model and metric, and how many shops could not be trained on."""
    work = partial(_measure, workspace.root, tuple(models), settings)
    with ProcessPoolExecutor(at_once) as pool:
        found = list(pool.map(work, range(shops)))
    return pd.concat([part for part in found if part is not None]), sum(part is None for part in found)


def _measure(root: Path, models: tuple[str, ...], settings: dict[str, str], number: int) -> pd.DataFrame | None:
    traits = held_out_shop(number).traits
    cutoff = EPOCH + timedelta(days=traits.cutoff_day)
    cell = Cell(f"shop-{number}", cutoff, traits.horizon_days, traits.horizon_days)
    folder = root / "shops" / str(number)
    try:
        predictions = run_cell(Workspace(root), cell, models, 1, folder, **{"processes": "1", **settings})
    except NotEnoughData:
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if (predictions["actual"] > 0).groupby(predictions["model"]).sum().min() < FEWEST_BUYERS:
        return None
    kind = "orders" if traits.renewal is None else "subscriptions"
    rows = [
        (number, kind, model, metric, TABLE[metric].value(frame["actual"], frame))
        for model, frame in predictions.groupby("model", sort=False)
        for metric in METRICS
    ]
    return pd.DataFrame(rows, columns=["shop", "kind", "model", "metric", "value"])


def shops_table(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row a kind of shop, rival and metric: how much better the default is, averaged over shops.

    The interval is of 2,000 resamples of shops. Metrics that have a unit are compared by their logs.
    """
    rows = []
    groups = [("all", found), *found.groupby("kind")]
    for kind, part in groups:
        wide = part.pivot_table(index="shop", columns=["metric", "model"], values="value")
        for metric in METRICS:
            values = wide[metric] if metric in RANKING else -np.log(np.maximum(wide[metric], 1e-9))
            for rival in values.columns.drop(OURS):
                better = (values[OURS] - values[rival]).dropna().to_numpy()
                drawn = np.random.default_rng(0).integers(len(better), size=(RESAMPLES, len(better)))
                low, high = np.quantile(better[drawn].mean(axis=1), [0.025, 0.975])
                known = {"shops": kind, "n": len(better), "rival": rival, "metric": metric}
                rows.append(known | {"better_by": float(better.mean()), "low": float(low), "high": float(high)})
    return pd.DataFrame(rows)
