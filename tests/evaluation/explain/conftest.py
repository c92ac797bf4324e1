"""A small snapshot of the browsing scenario, and a model of it whose reasons are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.features.log import open_log
from clv_core.features.snapshot import Snapshot
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Return 300 customers as of the log's end, with at most 12 steps each."""
    folder = tmp_path_factory.mktemp("explain")
    simulate("browsing", SimulationPlan(300, 300, 2, 60)).write(folder)
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "events.csv", "shop", timezone="UTC", currency="EUR", progress=NoProgress())
    log = open_log(open_dataset(workspace, "shop"))
    return log.snapshot(log.end, 60, max_steps=12)


def planted(snapshot: Snapshot) -> NDArray[np.float64]:
    """Return a value that six parts decide, the first ones most."""
    features = snapshot.features
    terms = [
        30 * np.log1p(features["net_value_90d"].clip(lower=0)),
        10 * np.log1p(features["views_30d"]),
        5 * np.log1p(features["carts_90d"]),
        2 * np.log1p(features["tenure"]),
        1 * np.log1p(features["events"]),
        0.5 * features["ratings"],
    ]
    return np.asarray(sum(term.to_numpy(np.float64) for term in terms) + 1)


def explanation_of(
    values: NDArray[np.float64], parts: tuple[str, ...] = (), base: float = 0.0, **known: Any
) -> Explanation:
    """Return an explanation of customers c0, c1 and so on whose parts are worth ``values``, [n, parts]."""
    parts = parts or tuple(f"part{number}" for number in range(values.shape[1]))
    known = {"representatives": parts, "readings": pd.DataFrame(values, columns=list(parts)), **known}
    ids = tuple(f"c{number}" for number in range(len(values)))
    return Explanation(ids, parts, base, values, base + values.sum(axis=1), **known)
