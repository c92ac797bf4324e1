"""Spark computes what the embedded engine and the sorted columns compute, from the same expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.columns import EVENT_TIME
from clv_core.errors import NotFound
from clv_core.features.duckdb_engine import Engine, scratch_folder
from clv_core.features.event_store import ColumnStore
from clv_core.features.log import EventLog
from clv_core.features.relation_cache import write_shards
from clv_core.features.spark import Spark, why_not
from clv_core.features.warehouse import Warehouse
from tests.features.conftest import all_of

MISSING = why_not()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(MISSING is not None, reason=f"Spark cannot run here: {MISSING}"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),  # of Ibis 12 and PySpark 4.3 themselves
]

QUICK = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""Small logs are done before their code would be compiled."""
Complete = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def spark() -> Iterator[Spark]:
    with Spark("local[2]", QUICK) as opened:
        yield opened


def assert_the_same(spark: Spark, frame: pd.DataFrame, folder: Path, cutoff: date) -> None:
    path = folder / "events.parquet"
    frame.to_parquet(path, index=False)
    engine = Engine(memory_limit_mb=512)
    connection = engine.connection
    scratch = scratch_folder(connection)
    write_shards(connection.read_parquet(path), connection, scratch)
    here = ColumnStore.open(scratch)
    there = Warehouse(spark.events(folder), spark.connection)
    ours, theirs = all_of(here, cutoff), all_of(there, cutoff)
    for name, values in ours.items():
        if isinstance(values, list):
            assert theirs[name] == values, name
        else:
            most = 1e-9 if values.dtype.kind == "f" else 0
            np.testing.assert_allclose(theirs[name], values, rtol=most, atol=most, err_msg=name)
    engine.close()


def test_every_column_tells_spark_the_same(
    spark: Spark, shop: pd.DataFrame, complete: Complete, tmp_path: Path
) -> None:
    some = shop[shop["customer_id"] < "c0150"]
    assert_the_same(spark, complete(some), tmp_path, date(2023, 12, 15))


def test_the_real_log_tells_spark_the_same(
    spark: Spark, cdnow: pd.DataFrame, complete: Complete, tmp_path: Path
) -> None:
    some = cdnow[cdnow["customer_id"].astype(int) % 20 == 3]
    assert_the_same(spark, complete(some), tmp_path, date(1997, 12, 31))


def test_a_browsing_log_tells_spark_the_same(spark: Spark, complete: Complete, tmp_path: Path) -> None:
    simulate("browsing", SimulationPlan(1000, 540, 1, 90)).write(tmp_path / "log")
    events = pd.read_csv(tmp_path / "log" / "events.csv", dtype={"customer_id": str}, parse_dates=[EVENT_TIME])
    events[EVENT_TIME] = pd.to_datetime(events[EVENT_TIME], utc=True).dt.tz_localize(None)
    assert_the_same(spark, complete(events), tmp_path, events[EVENT_TIME].max().date() - pd.Timedelta(days=90))


def test_a_partitioned_folder_in_another_time_zone(
    spark: Spark, shop: pd.DataFrame, complete: Complete, tmp_path: Path
) -> None:
    """One event at 23:30 UTC is on the next day in Berlin; columns that are not there are unknown."""
    rows = shop[["customer_id", "event_time", "event_type", "amount"]].iloc[:40].copy()
    rows["event_time"] = pd.Timestamp("2023-06-01T23:30")
    rows.assign(part=np.arange(40) % 2).to_parquet(tmp_path / "parts", partition_cols=["part"], index=False)
    there = EventLog.from_table(spark.events(tmp_path / "parts", "Europe/Berlin"), spark.connection)
    assert there.first_day == date(2023, 6, 2)
    assert len(there.store.customer_ids) == rows["customer_id"].nunique()


def test_a_folder_without_events_is_refused(spark: Spark, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        spark.events(tmp_path / "nothing")
    assert caught.value.code == "no_events_folder"
