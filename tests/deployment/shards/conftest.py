"""A shop of two years in Shanghai's time, with returns, a bundle of each kind, and its events as a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.features import season
from clv_core.workspace import Workspace
from tests.deployment.kinds import keep_kinds


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with the dataset ``shop`` and a bundle of each kind."""
    folder = tmp_path_factory.mktemp("shards")
    simulate("browsing", SimulationPlan(400, 700, 3, 90)).write(folder / "log")
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "log" / "events.csv", "shop", timezone="Asia/Shanghai", currency="CNY")
    assert len(list(keep_kinds(workspace, open_dataset(workspace, "shop"), folder))) == 5
    return workspace


@pytest.fixture(autouse=True)
def small_years(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the year before speak though the shop is small."""
    monkeypatch.setattr(season, "MIN_ORDERS", 20)
    monkeypatch.setattr(season, "MIN_BUYERS", 5)


@pytest.fixture(scope="session")
def bundles(shop: Workspace) -> dict[str, Bundle]:
    """Return the bundles by kind."""
    return {one.record.model: one for one in list_bundles(shop)}


@pytest.fixture(scope="session")
def folder(shop: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shop's events as a folder of Parquet files, in no order; times of one of them have a zone."""
    target = tmp_path_factory.mktemp("events")
    frame = pd.read_parquet(open_dataset(shop, "shop").events_path).sample(frac=1, random_state=7)
    for part, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
        some = frame.iloc[rows]
        if part == 1:
            some = some.assign(event_time=some["event_time"].dt.tz_localize("UTC"))
        (target / f"day={part}").mkdir()
        some.to_parquet(target / f"day={part}" / "part.parquet", index=False)
    return target
