"""What tasks of Spark are handed, and hand over, without Spark."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from clv_core.collection.privacy.erased_customers import erased_customers
from clv_core.collection.privacy.objections import objection_list
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.shards.shard_events import Excluded
from clv_core.deployment.shards.shard_folder import Plan
from clv_core.deployment.spark import spark_worker
from clv_core.deployment.spark.spark_worker import SCORES, ShardJob, last_events, load_bundle
from clv_core.deployment.terms import Terms
from clv_core.errors import Refused
from clv_core.model.predictions import COLUMNS
from clv_core.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def plan(shop: Workspace, bundles: dict[str, Bundle]) -> Plan:
    end = open_dataset(shop, "shop").log_end
    return Plan(bundles["bgnbd"].id, "nowhere", (0, 0), "Asia/Shanghai", 2, end, Terms(60))


def test_the_columns_that_spark_is_told_of_are_those_of_score() -> None:
    assert tuple(column.split()[0] for column in SCORES.split(", ")) == COLUMNS


def test_a_bundle_that_was_changed_on_its_way_is_refused(
    shop: Workspace, bundles: dict[str, Bundle], plan: Plan
) -> None:
    job = pickle.loads(pickle.dumps(ShardJob.of("run", bundles["bgnbd"], plan, Excluded.of(shop, bundles["bgnbd"]))))
    assert load_bundle(job).id == bundles["bgnbd"].id
    (name, content), *others = job.files
    turned = bytes([content[0] ^ 1]) + content[1:]
    with pytest.raises(Refused) as caught:
        load_bundle(replace(job, files=((name, turned), *others)))
    assert caught.value.code == "bundle_damaged" and caught.value.params["file"] == name


def test_lists_of_whom_to_leave_out_know_people_where_neither_workspace_nor_its_key_is(
    shop: Workspace, bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    own = Workspace(shutil.copytree(shop.root, tmp_path / "workspace"))
    objection_list(own).add({"a"})
    erased_customers(own).add({"b"}, dataset="")
    sent = pickle.dumps(Excluded.of(own, bundles["bgnbd"]).portable())
    shutil.rmtree(own.root)
    (tmp_path / "workspace.key").unlink()
    listed = pickle.loads(sent)
    frame = pd.DataFrame({"customer_id": ["a", "c", "b"], "last": pd.to_datetime(["2024-03-03", "2024-01-01", None])})
    left, objected, erased = listed.split(frame)
    assert (left["customer_id"].tolist(), objected, erased) == (["c"], ["a"], ["b"])
    batches = iter([pa.RecordBatch.from_pandas(frame), pa.RecordBatch.from_pandas(frame.iloc[[0, 2]])])
    (last,) = last_events(listed, batches)
    assert last.to_pylist() == [{"last": pd.Timestamp("2024-01-01")}]


def test_a_worker_that_has_a_shard_s_rows_reads_on_to_the_end_and_one_that_has_not_writes_them(tmp_path: Path) -> None:
    chunks = [b"one", b"two", b"three"]
    batches = [pa.RecordBatch.from_pydict({"shard": [4], "name": ["facts.json"], "content": [b"{}"]})]
    batches += [pa.RecordBatch.from_pydict({"shard": [4], "name": ["events.parquet"], "content": [c]}) for c in chunks]
    number, content = spark_worker._chunks(iter(batches))
    spark_worker._write_missing(tmp_path / "4" / "events.parquet", content)
    assert (number, (tmp_path / "4" / "events.parquet").read_bytes()) == (4, b"onetwothree")
    left: Iterator[bytes] = iter([b"four"])
    spark_worker._write_missing(tmp_path / "4" / "events.parquet", left)
    assert next(left, None) is None and (tmp_path / "4" / "events.parquet").read_bytes() == b"onetwothree"
