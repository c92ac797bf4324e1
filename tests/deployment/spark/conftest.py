"""A shop whose log is in Shanghai's time, and a model of each kind; a Spark session where there can be one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.deployment.spark.spark_session import Spark, why_not
from clv_core.workspace import Workspace
from tests.deployment.kinds import KINDS, keep_kinds

QUICK = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""Small logs are done before their code would be compiled."""


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with the dataset ``shop`` and a bundle of each of ``KINDS``."""
    folder = tmp_path_factory.mktemp("cluster")
    simulate("browsing", SimulationPlan(300, 400, 2, 90)).write(folder / "log")
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "log" / "events.csv", "shop", timezone="Asia/Shanghai", currency="CNY")
    assert len(list(keep_kinds(workspace, open_dataset(workspace, "shop"), folder))) == len(KINDS)
    return workspace


@pytest.fixture(scope="session")
def bundles(shop: Workspace) -> dict[str, Bundle]:
    """Return the bundles by kind."""
    return {one.record.model: one for one in list_bundles(shop)}


@pytest.fixture(scope="session")
def folder(shop: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shop's events as a folder of Parquet files, in no order."""
    target = tmp_path_factory.mktemp("events")
    frame = pd.read_parquet(open_dataset(shop, "shop").events_path).sample(frac=1, random_state=7)
    for part in range(3):
        frame.iloc[part::3].to_parquet(target / f"part-{part}.parquet", index=False)
    return target


@pytest.fixture(scope="session")
def spark() -> Iterator[Spark]:
    """Return a Spark on this machine; skip where there can be none."""
    missing = why_not()
    if missing is not None:
        pytest.skip(f"Spark cannot run here: {missing}")
    with Spark("local[2]", QUICK) as opened:
        yield opened
