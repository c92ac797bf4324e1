"""A shop whose log is in Shanghai's time, and a model of each kind; a Spark session where there can be one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from clv_core import __version__
from clv_core.collection.dataset import Dataset
from clv_core.collection.ingest import ingest
from clv_core.collection.simulate import Plan, simulate
from clv_core.collection.store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle, list_bundles, save_bundle
from clv_core.deployment.signals import learned_signals
from clv_core.evaluation.backtest import training_data
from clv_core.features.log import open_log
from clv_core.features.spark import Spark, why_not
from clv_core.jobs import NoProgress
from clv_core.model.blend import BlendModel
from clv_core.model.deep import DeepModel
from clv_core.model.instant.model import InstantModel
from clv_core.model.instant.weights import load_network
from clv_core.training.fit import MODELS, Fitted, Model
from clv_core.workspace import Workspace

CONFIG = TrainConfig(horizon_days=60, ensemble=2, steps=30, cutoffs=3, processes=1, device="cpu")
KINDS = ("bgnbd", "paretonbd", "lightgbm", "hybrid", "blend")
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
    simulate("browsing", Plan(300, 400, 2, 90)).write(folder / "log")
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "log" / "events.csv", "shop", timezone="Asia/Shanghai", currency="CNY")
    dataset = open_dataset(workspace, "shop")
    log = open_log(dataset)
    fitted: dict[str, Model] = {}
    for kind in KINDS[:-1]:
        config = replace(CONFIG, model=kind)
        data = training_data(log, log.end, config, NoProgress())
        fitted[kind] = MODELS[kind].fit(data, config, folder / kind, NoProgress(), "training").model
    log.close()
    assert isinstance(fitted["hybrid"], DeepModel)  # what a blend is, but for the tuning:
    fitted["blend"] = BlendModel(fitted["hybrid"], InstantModel(60, (load_network(),), 500.0))
    for kind in KINDS:
        _keep(workspace, dataset, kind, fitted[kind])
    return workspace


def _keep(workspace: Workspace, dataset: Dataset, kind: str, model: Model) -> None:
    """Keep a model as ``train`` does; nothing is measured."""
    config = replace(CONFIG, model=kind)
    record = {
        "model": kind,
        "dataset": {"name": dataset.name, "version": dataset.version},
        "created": "2026-01-01T00:00:00+00:00",
        "code_version": __version__,
        "cutoff": dataset.log_end.isoformat(),
        "horizon_days": config.horizon_days,
        "currency": dataset.manifest.currency,
        "config": config.to_json(),
        "signals": learned_signals(model, dataset, config),
    }
    save_bundle(workspace, f"shop-{kind}", Fitted(model, []), record, None)


@pytest.fixture(scope="session")
def bundles(shop: Workspace) -> dict[str, Bundle]:
    """Return the bundles by kind."""
    return {one.record["model"]: one for one in list_bundles(shop)}


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
