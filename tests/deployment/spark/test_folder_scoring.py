"""A folder scored on Spark holds what ``score`` says of the dataset."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.customers.attributes import Attribute
from clv_core.collection.privacy.objections import objection_list
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle, write_record
from clv_core.deployment.model_record import Signals
from clv_core.deployment.saved_scores import Scored, score
from clv_core.deployment.shards import shard_cost
from clv_core.deployment.spark import spark_scoring
from clv_core.deployment.spark.spark_scoring import score_folder
from clv_core.deployment.spark.spark_session import LogFolder, Spark
from clv_core.deployment.terms import Terms
from clv_core.errors import ClvError, NotEnoughData, NotFound, Refused, UsageError
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.deployment.shards.test_shards import assert_the_same

pytestmark = [
    pytest.mark.timeout(1200),  # Spark plans for long, and longer where processors are shared
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),  # of Ibis 12 and PySpark 4.3 themselves
]


@pytest.mark.parametrize("kind", ["bgnbd", "lightgbm", "hybrid", "blend"])
def test_spark_says_of_a_folder_what_score_says_of_its_dataset(
    spark: Spark, shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path, kind: str
) -> None:
    model, out = bundles[kind].id, tmp_path / "out"
    terms = Terms(90, margin_rate=0.5) if kind == "hybrid" else None
    found = score_folder(shop, LogFolder(spark, str(folder)), model, str(out), terms=terms, progress=NoProgress())
    expected = score(Scored.open(shop, "shop", model, terms=terms), progress=NoProgress())
    written = pd.read_parquet(out).sort_values("customer_id", ignore_index=True)
    assert_the_same(written, expected)
    dataset = open_dataset(shop, "shop")
    assert (found.customers, found.as_of, found.timezone) == (300, dataset.log_end, "Asia/Shanghai")
    assert found.total == pytest.approx(expected["predicted_clv"].sum(), rel=1e-6)


def test_more_shards_than_customers_whose_id_begins_so_say_the_same_at_an_earlier_cutoff(
    spark: Spark,
    shop: Workspace,
    bundles: dict[str, Bundle],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events = pd.concat(map(pd.read_parquet, sorted(folder.glob("*.parquet"))))
    few = sorted(events["customer_id"].unique())[::30]
    events[events["customer_id"].isin(few)].to_parquet(tmp_path / "few.parquet")
    monkeypatch.setattr(shard_cost, "CUSTOMERS_A_SHARD", 1)
    sizes = []
    real = spark_scoring.fit_shards
    monkeypatch.setattr(spark_scoring, "fit_shards", lambda *given: sizes.append(given[1].shards) or real(*given))
    cutoff, own = open_dataset(shop, "shop").log_end - timedelta(days=60), Workspace(tmp_path / "workspace")
    shutil.copytree(shop.root, own.root, dirs_exist_ok=True)
    objection_list(own).add(set(events["customer_id"]) - set(few))
    log, model, out = LogFolder(spark, str(tmp_path / "few.parquet")), bundles["paretonbd"].id, tmp_path / "out"
    score_folder(own, log, model, str(out), cutoff=cutoff, progress=NoProgress())
    written = pd.read_parquet(out).sort_values("customer_id", ignore_index=True)
    assert_the_same(written, score(Scored.open(own, "shop", model, cutoff=cutoff), progress=NoProgress()))
    assert len(few) - 1 <= sizes[0] <= len(few) + 1  # Spark's count of customers is about right


def test_what_a_shard_refuses_is_said_as_one_machine_says_it(
    spark: Spark, shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    events = pd.concat(map(pd.read_parquet, sorted(folder.glob("*.parquet"))))
    model, out = bundles["bgnbd"].id, tmp_path / "out"
    events.assign(event_type=events["event_type"].str.upper()).to_parquet(tmp_path / "e.parquet")
    found = refused(Refused, shop, spark, tmp_path / "e.parquet", model, out)
    assert found.code == "events_no_purchase" and "PURCHASE" in found.params["types"]
    events.iloc[0, events.columns.get_loc("amount")] = 1e15
    events.to_parquet(tmp_path / "e.parquet")
    found = refused(Refused, shop, spark, tmp_path / "e.parquet", model, out)
    assert (found.code, found.params["column"]) == ("number_absurd", "amount") and not out.exists()


def test_spark_scores_a_folder_as_if_those_who_objected_were_not_in_it(
    spark: Spark, shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    own, model = Workspace(shutil.copytree(shop.root, tmp_path / "workspace")), bundles["bgnbd"].id
    events = pd.read_parquet(open_dataset(own, "shop").events_path)
    last = str(events.sort_values("event_time")["customer_id"].iloc[-1])
    hidden = {last, *sorted(events["customer_id"].unique())[::7]}
    objection_list(own).add(hidden)
    out = tmp_path / "out"
    found = score_folder(own, LogFolder(spark, str(folder)), model, str(out), progress=NoProgress())
    scored = Scored.open(own, "shop", model)
    written = pd.read_parquet(out).sort_values("customer_id", ignore_index=True)
    assert_the_same(written, score(scored, progress=NoProgress()))
    assert (found.customers, found.objected, found.as_of) == (300 - len(hidden), len(hidden), scored.as_of)


def refused(
    kind: type[ClvError], shop: Workspace, spark: Spark | None, events: Path | str, model: str, out: Path
) -> ClvError:
    with pytest.raises(kind) as caught:
        score_folder(shop, LogFolder(spark, str(events)), model, str(out), progress=NoProgress())  # type: ignore[arg-type]
    return caught.value


def test_what_cannot_be_scored_so_is_refused_before_spark_is_asked(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    model = bundles["bgnbd"]
    found = refused(Refused, shop, None, folder, model.id, tmp_path)
    assert (found.code, found.params["path"]) == ("out_exists", str(tmp_path))
    elsewhere = Workspace(tmp_path / "elsewhere")
    shutil.copytree(model.folder, elsewhere.models / model.id)
    found = refused(UsageError, elsewhere, None, folder, model.id, tmp_path / "out")
    assert (
        found.code == "events_timezone" and "--timezone" in found.message("en") and "--timezone" in found.message("zh")
    )
    learned = Signals((Attribute("age", "number"),))
    write_record(elsewhere.models / model.id, replace(model.record, signals=learned))
    dataset = open_dataset(shop, "shop")
    shutil.copytree(dataset.folder.parent, elsewhere.datasets / "shop")
    found = refused(Refused, elsewhere, None, folder, model.id, tmp_path / "out")
    assert (found.code, found.params["names"]) == ("events_attributes", "age")


def test_a_folder_that_holds_no_events_is_refused(
    spark: Spark, shop: Workspace, bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    model, nothing, out = bundles["bgnbd"].id, tmp_path / "nothing", tmp_path / "out"
    assert refused(NotFound, shop, spark, nothing, model, out).code == "no_events_folder"
    assert refused(NotFound, shop, spark, nothing.as_uri(), model, out).code == "no_events_folder"
    pd.DataFrame({"customer": ["a"], "event_time": [pd.Timestamp("2024-01-01")]}).to_parquet(tmp_path / "e.parquet")
    wrong = refused(Refused, shop, spark, tmp_path, model, out)
    assert (wrong.code, wrong.params["missing"]) == ("events_columns", ["customer_id"]) and not out.exists()


def test_a_cutoff_after_the_folder_s_end_is_refused(
    spark: Spark, shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    model, end, out = bundles["bgnbd"].id, open_dataset(shop, "shop").log_end, tmp_path / "out"
    with pytest.raises(NotEnoughData) as caught:
        late = end + timedelta(days=1)
        score_folder(shop, LogFolder(spark, str(folder)), model, str(out), cutoff=late, progress=NoProgress())
    assert (caught.value.code, caught.value.params["end"]) == ("cutoff_after_log", end.isoformat())
    assert not out.exists()
