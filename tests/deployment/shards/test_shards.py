"""A folder scored in shards holds what ``score`` says of the dataset, whichever shard runs when, or is killed."""

from __future__ import annotations

import hashlib
import random
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.customers.attributes import Attribute
from clv_core.collection.privacy.erased_customers import erased_customers
from clv_core.collection.privacy.objections import objection_list
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle, write_record
from clv_core.deployment.model_record import Signals
from clv_core.deployment.population_context import PopulationContext, Predictor
from clv_core.deployment.saved_scores import Scored, score
from clv_core.deployment.shards import shard_scoring, shard_statistics
from clv_core.deployment.shards.shard_cost import Estimate, FolderSize
from clv_core.deployment.shards.shard_events import EventFiles
from clv_core.deployment.shards.shard_folder import ROUNDS, Shard, ShardFolder
from clv_core.deployment.shards.shard_scoring import FolderRequest, MergedScores, ShardRun, merge_shards, score_shard
from clv_core.deployment.terms import Terms
from clv_core.erasure.erase import erase
from clv_core.errors import ClvError, NotEnoughData, NotFound, NotReady, Refused, UsageError
from clv_core.features.last_year import LastYear
from clv_core.features.log import open_log
from clv_core.jobs import NoProgress
from clv_core.model.predictions import COLUMNS
from clv_core.workspace import Workspace, read_json


def run(shop: Workspace, request: FolderRequest, out: Path, number: int, shards: int) -> ShardRun:
    return score_shard(shop, request, Shard(number, shards), out, progress=NoProgress())


def run_all(shop: Workspace, request: FolderRequest, out: Path, shards: int, seed: int = 0) -> None:
    """Run all shards round after round, each time in another order, as a loop of a scheduler does."""
    draw = random.Random(seed)
    for _ in ROUNDS:
        for number in draw.sample(range(1, shards + 1), shards):
            run(shop, request, out, number, shards)


def merged(shop: Workspace, out: Path, ending: str = "parquet") -> tuple[pd.DataFrame, MergedScores]:
    target = out.with_suffix(f".{ending}")
    found = merge_shards(shop, out, target, progress=NoProgress())
    return pd.read_parquet(target) if ending == "parquet" else pd.read_csv(target), found


def assert_the_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Hold scores together in their order: means and chances to 1e-6, quantiles to 1e-5."""
    assert list(found) == list(expected) == list(COLUMNS) and len(found) == len(expected)
    for name in COLUMNS:
        if expected[name].dtype.kind == "f":
            rtol = 1e-5 if name.startswith("clv_") else 1e-6
            np.testing.assert_allclose(found[name], expected[name], rtol=rtol, atol=1e-6, err_msg=name)
        else:
            assert found[name].tolist() == expected[name].tolist(), name


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("bgnbd", Terms(150, 0.1)),
        ("paretonbd", None),
        ("lightgbm", None),
        ("hybrid", Terms(90, margin_rate=0.5)),
        ("blend", None),
    ],
)
def test_shards_in_any_order_say_what_one_score_says(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path, kind: str, terms: Terms | None
) -> None:
    out, model = tmp_path / "out", bundles[kind].id
    run_all(shop, FolderRequest(str(folder), model, terms=terms), out, 3, seed=len(kind))
    assert not list((out / "events").iterdir())
    found, about = merged(shop, out)
    expected = score(Scored.open(shop, "shop", model, terms=terms), progress=NoProgress())
    assert_the_same(found, expected)
    dataset = open_dataset(shop, "shop")
    assert (about.customers, about.plan.as_of, about.plan.timezone) == (400, dataset.log_end, "Asia/Shanghai")
    assert about.total == pytest.approx(expected["predicted_clv"].sum(), rel=1e-6)
    population = PopulationContext.from_json(read_json(out / "population.json"))
    assert population.last_year.residual != 0 and population.last_year.pace != LastYear().pace
    assert population.anchor.kept < 1  # orders came back on later days


def test_a_customer_alone_is_predicted_at_another_horizon_as_score_does(
    shop: Workspace, bundles: dict[str, Bundle]
) -> None:
    scored = Scored.open(shop, "shop", bundles["bgnbd"].id, terms=Terms(150))
    predictor, log = Predictor(scored.model, PopulationContext.of(scored)), open_log(scored.dataset)
    found = pd.concat(predictor.score_parts(log, scored.as_of, scored.terms, []), ignore_index=True)
    log.close()
    assert_the_same(found, score(scored, progress=NoProgress()))


def test_sixteen_shards_some_of_nobody_say_what_one_score_says_at_an_earlier_cutoff(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    events = pd.concat(map(pd.read_parquet, sorted(folder.rglob("*.parquet"))))
    few = sorted(events["customer_id"].unique())[::30]
    own, cutoff = Workspace(shutil.copytree(shop.root, tmp_path / "workspace")), open_dataset(shop, "shop").log_end
    objection_list(own).add(set(events["customer_id"]) - set(few))
    request = FolderRequest(str(folder), bundles["bgnbd"].id, cutoff=cutoff - timedelta(days=60))
    run_all(own, request, tmp_path / "out", 16)
    found, about = merged(own, tmp_path / "out", "csv")
    scored = Scored.open(own, "shop", bundles["bgnbd"].id, cutoff=request.cutoff)
    assert_the_same(found, score(scored, progress=NoProgress()))
    sizes = [read_json(tmp_path / "out" / "scores" / f"{number}.json")["customers"] for number in range(1, 17)]
    assert 0 in sizes and sum(sizes) == about.customers == len(found) <= len(few)


MOMENTS = ("open_shard", "write_statistics", "fit_shards", "shard_sums", "population_of", "table_file", "write_json")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_shard_that_is_killed_is_run_again(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path, moment: str
) -> None:
    out, request = tmp_path / "out", FolderRequest(str(folder), bundles["lightgbm"].id)
    real, done = getattr(shard_scoring, moment), 0

    def killed(*arguments: object, **options: object) -> object:
        nonlocal done
        done += 1
        if done % 2:  # before it does anything, and after all of it
            raise KeyboardInterrupt
        real(*arguments, **options)
        raise KeyboardInterrupt

    for number in (2, 1, 2, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shard_scoring, moment, killed)
            for _ in range(2):
                try:
                    run(shop, request, out, number, 2)
                except KeyboardInterrupt:
                    continue
        run(shop, request, out, number, 2)
    run(shop, request, out, 2, 2)
    assert done > 1
    expected = score(Scored.open(shop, "shop", request.model), progress=NoProgress())
    assert_the_same(merged(shop, out)[0], expected)


def test_of_two_runs_of_a_shard_at_once_the_first_one_s_statistics_stay(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, request = shard_scoring.write_statistics, FolderRequest(str(folder), bundles["bgnbd"].id)

    def twice(*arguments: Any) -> None:
        real(*arguments)
        real(*arguments)

    monkeypatch.setattr(shard_scoring, "write_statistics", twice)
    assert run(shop, request, tmp_path / "out", 1, 2).written == ("statistics",)
    assert [path.name for path in (tmp_path / "out" / "statistics").iterdir()] == ["1"]


def test_a_run_says_what_it_wrote_and_whom_it_waits_for(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    out, request = tmp_path / "out", FolderRequest(str(folder), bundles["bgnbd"].id)
    with pytest.raises(NotFound) as nothing:
        merged(shop, out)
    assert nothing.value.code == "no_shard_plan"
    first = run(shop, request, out, 2, 3)
    estimate = Estimate.of(FolderSize.of(EventFiles.find(str(folder))), 3)
    progress = {"statistics": 1, "sums": 0, "scores": 0}
    assert first == ShardRun(("statistics",), (1, 3), "statistics", None, progress, estimate)
    assert run(shop, request, out, 2, 3) == replace(first, written=())
    second = run(shop, request, out, 1, 3)
    assert (second.waits_for, second.progress["statistics"]) == ((3,), 2)
    with pytest.raises(NotReady) as early:
        merged(shop, out)
    assert (early.value.params["shards"], early.value.params["round"], early.value.exit_code) == ("3", 1, 7)
    assert early.value.result == {"progress": {"shards": 3, "statistics": 2, "sums": 0, "scores": 0}}
    third = run(shop, request, out, 3, 3)
    assert third == ShardRun(("statistics", "sums"), (1, 2), "sums", None, third.progress, estimate)
    assert third.progress == {"statistics": 3, "sums": 1, "scores": 0}
    assert run(shop, request, out, 2, 3).written == ("sums",)
    done = run(shop, request, out, 1, 3)
    assert (done.written, done.waits_for) == (("sums", "scores"), ())
    assert run(shop, request, out, 1, 3) == replace(done, written=())
    with pytest.raises(NotReady) as late:
        merged(shop, out)
    assert (late.value.params["shards"], late.value.params["round"]) == ("2, 3", 3)
    assert done.progress == {"statistics": 3, "sums": 3, "scores": 1}
    assert not out.with_suffix(".parquet").exists()


def test_whoever_objects_is_left_out_at_every_moment(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    own = Workspace(shutil.copytree(shop.root, tmp_path / "workspace"))
    events = pd.read_parquet(open_dataset(own, "shop").events_path)
    last = str(events.sort_values("event_time")["customer_id"].iloc[-1])
    others = [one for one in sorted(events["customer_id"].unique()) if one != last]
    objection_list(own).add({last, *others[::7]})
    out, request = tmp_path / "out", FolderRequest(str(folder), bundles["hybrid"].id)
    run_all(own, request, out, 2)
    found, about = merged(own, out)
    scored = Scored.open(own, "shop", request.model)
    assert_the_same(found, score(scored, progress=NoProgress()))
    assert (about.objected, about.plan.as_of) == (1 + len(others[::7]), scored.as_of)
    objection_list(own).add({others[1]})
    found, about = merged(own, out)
    assert others[1] not in set(found["customer_id"]) and about.objected == 2 + len(others[::7])
    assert about.customers == len(found) == 400 - about.objected


def test_whoever_was_erased_is_left_out_at_every_moment_and_whoever_is_not_to_be_contacted_is_scored_as_by_score(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    own = Workspace(shutil.copytree(shop.root, tmp_path / "workspace"))
    events = pd.read_parquet(open_dataset(own, "shop").events_path)
    last = str(events.sort_values("event_time")["customer_id"].iloc[-1])
    others = [one for one in sorted(events["customer_id"].unique()) if one != last]
    erase(own, {last, *others[::40]}, progress=NoProgress())
    erased_customers(own).add({others[1]}, dataset="another")  # where her id is somebody else's
    objection_list(own).add({others[0], others[2]})  # the first was erased too, and is counted once
    SuppressionList.of(own).add({others[1], others[4]})
    out, request = tmp_path / "out", FolderRequest(str(folder), bundles["bgnbd"].id)
    run_all(own, request, out, 2)
    found, about = merged(own, out)
    assert_the_same(found, score(Scored.open(own, "shop", request.model), progress=NoProgress()))
    assert (about.erased, about.objected) == (1 + len(others[::40]), 1)
    erased_customers(own).add({others[3]}, dataset="")
    found, about = merged(own, out)
    assert others[3] not in set(found["customer_id"]) and {others[1], others[4]} <= set(found["customer_id"])
    assert (about.erased, about.customers) == (2 + len(others[::40]), 400 - 3 - len(others[::40]))


def test_of_a_log_that_is_larger_than_the_samples_those_of_lowest_hash_are_taken(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_statistics, "FIT_CUSTOMERS", 200)
    monkeypatch.setattr(shard_statistics, "MOST_CUSTOMERS", 120)
    monkeypatch.setattr(shard_statistics, "SIGMAS", 1)
    frames: dict[str, pd.DataFrame] = {}
    real = shard_statistics._sample
    monkeypatch.setattr(
        shard_statistics,
        "_sample",
        lambda *given: frames.setdefault(given[2], real(*given)),  # noqa: SLF001
    )
    request = FolderRequest(str(folder), bundles["blend"].id)
    run_all(shop, request, tmp_path / "out", 4)
    ids = pd.read_parquet(open_dataset(shop, "shop").events_path, columns=["customer_id"])["customer_id"].unique()
    ordered = sorted(ids, key=lambda one: hashlib.md5(one.encode(), usedforsecurity=False).hexdigest()[8:20])
    for name, size in (("history", 200), ("steps", 120)):
        chosen = sorted(frames[name]["customer_id"].unique())
        assert chosen == sorted(ordered[: len(chosen)]) and abs(len(chosen) - size) < 0.3 * size
    found, _ = merged(shop, tmp_path / "out")
    expected = score(Scored.open(shop, "shop", request.model), progress=NoProgress())
    assert found["predicted_clv"].corr(expected["predicted_clv"]) > 0.98


def refused(kind: type[ClvError], shop: Workspace, request: FolderRequest, out: Path, shards: int = 3) -> ClvError:
    with pytest.raises(kind) as caught:
        run(shop, request, out, 1, shards)
    assert all(f"{caught.value.code}" not in caught.value.message(language) for language in ("en", "zh"))
    return caught.value


def test_what_cannot_be_scored_so_is_refused(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    model, out = bundles["bgnbd"], tmp_path / "out"
    request = FolderRequest(str(folder), model.id)
    assert refused(Refused, shop, replace(request, events="s3://bucket/events"), out).code == "shard_remote"
    assert refused(NotFound, shop, replace(request, events=str(tmp_path / "none")), out).code == "no_events_folder"
    late = open_dataset(shop, "shop").log_end + timedelta(days=1)
    assert refused(NotEnoughData, shop, replace(request, cutoff=late), out).code == "cutoff_after_log"
    pd.DataFrame({"customer": ["a"], "event_time": [pd.Timestamp("2024-01-01")]}).to_parquet(tmp_path / "e.parquet")
    wrong = refused(Refused, shop, replace(request, events=str(tmp_path / "e.parquet")), out)
    assert (wrong.code, wrong.params["missing"]) == ("events_columns", ["customer_id"])
    (tmp_path / "e.parquet").write_text("no table")
    wrong = refused(NotFound, shop, replace(request, events=str(tmp_path / "e.parquet")), out)
    assert wrong.code == "no_events_folder" and not out.exists()
    assert refused(Refused, shop, request, tmp_path).code == "out_exists"
    elsewhere = Workspace(tmp_path / "elsewhere")
    shutil.copytree(model.folder, elsewhere.models / model.id)
    assert refused(UsageError, elsewhere, request, out).code == "events_timezone"
    write_record(elsewhere.models / model.id, replace(model.record, signals=Signals((Attribute("age", "number"),))))
    assert refused(Refused, elsewhere, replace(request, timezone="UTC"), out).code == "events_attributes"


def test_all_shards_have_one_plan(shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path) -> None:
    events, out = Path(shutil.copytree(folder, tmp_path / "events")), tmp_path / "out"
    request = FolderRequest(str(events), bundles["bgnbd"].id)
    run(shop, request, out, 1, 3)
    for option, other in (("terms", Terms(30)), ("timezone", "UTC"), ("model", bundles["lightgbm"].id)):
        error = refused(Refused, shop, replace(request, **{option: other}), out)
        assert (error.code, error.params["option"]) == ("shard_plan", option)
    assert refused(Refused, shop, request, out, shards=4).params["option"] == "shards"
    shutil.copytree(events, tmp_path / "other")
    assert run(shop, replace(request, events=str(tmp_path / "other")), out, 1, 3).waits_for == (2, 3)
    next(events.rglob("*.parquet")).unlink()
    assert refused(Refused, shop, request, out).code == "shard_events_changed"


def test_a_log_without_purchases_is_refused_when_all_shards_have_counted(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    frame = pd.concat(map(pd.read_parquet, sorted(folder.rglob("*.parquet"))))
    frame.assign(event_type=frame["event_type"].str.upper()).to_parquet(tmp_path / "e.parquet")
    request = FolderRequest(str(tmp_path / "e.parquet"), bundles["bgnbd"].id)
    run(shop, request, tmp_path / "out", 2, 2)
    error = refused(Refused, shop, request, tmp_path / "out", shards=2)
    assert error.code == "events_no_purchase" and "PURCHASE" in error.params["types"]


def test_of_a_folder_partitioned_by_hash_a_shard_reads_its_own_files_alone(
    shop: Workspace, bundles: dict[str, Bundle], folder: Path, tmp_path: Path
) -> None:
    frame = pd.concat(map(pd.read_parquet, sorted(folder.rglob("*.parquet"))))
    digit = [hashlib.md5(one.encode(), usedforsecurity=False).hexdigest()[:1] for one in frame["customer_id"]]
    frame.assign(customer_md5=digit).to_parquet(tmp_path / "e", partition_cols=["customer_md5"])
    files = EventFiles.find(str(tmp_path / "e"))
    read = [{path.parent.name[-1] for path in files.of(Shard(number, 3)).paths} for number in (1, 2, 3)]
    assert read == [set("012345"), set("56789a"), set("abcdef")]
    request, out = FolderRequest(str(tmp_path / "e"), bundles["bgnbd"].id), tmp_path / "out"
    run_all(shop, request, out, 3)
    expected = score(Scored.open(shop, "shop", request.model), progress=NoProgress())
    assert_the_same(merged(shop, out)[0], expected)
    (tmp_path / "e" / "customer_md5=0").rename(tmp_path / "e" / "customer_md5=00")
    error = refused(Refused, shop, request, tmp_path / "new")
    assert (error.code, error.params["partition"]) == ("shard_partition", "customer_md5=00")


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", "1/20000"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Shard.parse(text)
    assert caught.value.params["value"] == text


def test_shards_are_read_as_they_are_written() -> None:
    assert Shard.parse(str(Shard(3, 16))) == Shard(3, 16)
    assert ShardFolder(Path("nowhere")).missing("scores", 2) == [1, 2]
