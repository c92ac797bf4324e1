"""The sample is a function of the ids alone, and what was learned from it says so."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store import SampledFrom
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.model_archive.archive_schemas import check_record
from clv_core.deployment.model_record import FORMAT, Sampled
from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.model_card import model_card
from clv_core.deployment.spark.sampling import in_sample, sample_folder, sample_of
from clv_core.deployment.spark.spark_session import LogFolder, Spark
from clv_core.errors import ClvError, Refused
from clv_core.features.duckdb_engine import Engine
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.commands.conftest import run

pytestmark = pytest.mark.slow

IDS = [f"c{number:05}" for number in range(20_000)] + ["ü", "客户", "", "A"]


@pytest.fixture
def engine() -> Iterator[Engine]:
    opened = Engine(memory_limit_mb=512)
    yield opened
    opened.close()


def chosen(engine: Engine, share: float) -> set[str]:
    ids = engine.connection.con.from_arrow(pa.table({"customer_id": IDS}))
    return set(ids.filter(in_sample(share)).fetchdf()["customer_id"])


@pytest.mark.parametrize("share", [0.001, 0.05, 1 / 3, 0.999])
def test_the_sample_is_who_md5_says(engine: Engine, share: float) -> None:
    """Held against the standard library's hash: any engine, and anyone, can tell who is in."""
    bound = round(share * 16**8)
    expected = {one for one in IDS if int(hashlib.md5(one.encode()).hexdigest()[:8], 16) < bound}
    assert chosen(engine, share) == expected
    assert abs(len(expected) - share * len(IDS)) < 5 * np.sqrt(len(IDS) * share * (1 - share)) + 1


def test_a_larger_sample_holds_every_smaller_one_and_all_is_all(engine: Engine) -> None:
    few, many = chosen(engine, 0.1), chosen(engine, 0.4)
    assert few < many and chosen(engine, 1.0) == set(IDS)


def sampled_model(shop: Workspace, into: Path) -> Workspace:
    """Train on a dataset that says it is a sample."""
    workspace = Workspace(into)
    said = SampledFrom(40_000_000, 900_000_000, 0.0000075)
    words = {"timezone": "Asia/Shanghai", "sampled": said, "progress": NoProgress()}
    ingest(workspace, open_dataset(shop, "shop").events_path, "part", **words)  # type: ignore[arg-type]
    pipeline.train(workspace, "part", TrainConfig(horizon_days=60, model="bgnbd"), progress=NoProgress())
    return workspace


@pytest.mark.slow
def test_the_record_and_the_card_state_the_sampling(shop: Workspace, tmp_path: Path) -> None:
    workspace = sampled_model(shop, tmp_path / "workspace")
    (version,) = Registry(workspace).versions()
    dataset = open_dataset(workspace, "part")
    kept = {"kept_customers": 300, "kept_events": dataset.manifest.rows_kept}
    assert version.record.sampled == Sampled(40_000_000, 900_000_000, 0.0000075, **kept)
    assert "300 of 40 million customers (0.00075%)" in model_card(version)
    assert "从 4,000万位用户中抽取 300 位（0.00075%）" in model_card(version, "zh")
    told = {**version.record.to_json(), "format": FORMAT}
    assert check_record(told, "bundle.json") == version.record
    for fraction in (0.0, "all"):
        wrong = {**told, "sampled": {**told["sampled"], "fraction": fraction}}
        with pytest.raises(Refused, match="sampled"):
            check_record(wrong, "bundle.json")


def test_a_model_of_a_whole_log_says_nothing_of_samples(small_workspace: Workspace, tmp_path: Path) -> None:
    dataset = open_dataset(small_workspace, "shop")
    assert dataset.manifest.sampled is None and sample_of(dataset) is None
    told = replace(dataset, manifest=replace(dataset.manifest, sampled=SampledFrom(5, 9, 1.0)))
    assert sample_of(told) == Sampled(5, 9, 1.0, kept_customers=900, kept_events=dataset.manifest.rows_kept)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("words", [["score", "--model", "m", "--out", "o"], ["train", "part", "--horizon-days", "60"]])
def test_without_the_extra_a_folder_is_refused_and_the_way_out_named(
    shop: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], language: str
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    model = next(iter(shop.models.glob("shop-bgnbd-*"))).name
    asked = [model if word == "m" else word for word in words]
    code, answer = run(shop, *asked, "--events", folder, "--lang", language)
    error = answer["error"]
    assert (code, error["code"]) == (ClvError.exit_code, "no_spark")
    assert 'pip install ".[spark]"' in error["message"] and "Java 17" in error["message"]
    assert ("无法运行" in error["message"]) == (language == "zh")
    assert not (Path.cwd() / "o").exists()


@pytest.mark.timeout(1200)  # Spark plans for long, and longer where processors are shared
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # of Ibis 12 and PySpark 4.3 themselves
def test_a_sampled_folder_is_a_dataset_of_whole_customers(
    spark: Spark, shop: Workspace, folder: Path, tmp_path: Path
) -> None:
    workspace, whole = Workspace(tmp_path / "workspace"), open_dataset(shop, "shop")
    log = LogFolder(spark, str(folder), "Asia/Shanghai")
    manifest = sample_folder(workspace, log, "part", customers=100, currency="CNY", progress=NoProgress())
    events, kept = (pd.read_parquet(one.events_path) for one in (whole, open_dataset(workspace, "part")))
    assert manifest.sampled == SampledFrom(300, len(events), 1 / 3)
    bound = round(16**8 / 3)
    expected = events[[int(hashlib.md5(one.encode()).hexdigest()[:8], 16) < bound for one in events["customer_id"]]]
    assert 60 < manifest.customers < 140 and manifest.currency == "CNY" and manifest.timezone == "Asia/Shanghai"
    columns, order = ["customer_id", "event_time", "event_type", "amount"], ["customer_id", "event_time", "event_type"]
    one, other = (frame[columns].sort_values([*order, "amount"], ignore_index=True) for frame in (expected, kept))
    pd.testing.assert_frame_equal(other, one, check_dtype=False)
