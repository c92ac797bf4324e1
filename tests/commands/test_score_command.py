"""The command ``score``: what it says of the day that a model is asked as of."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment import Scored
from clv_core.jobs import NoProgress
from clv_core.strategy.forecast import find_forecast, headline
from clv_core.workspace import Workspace
from tests.commands.conftest import Shop, done, refused, run, side_file
from tests.conftest import own_copy

pytestmark = pytest.mark.first(1)

HORIZON = 30


@pytest.fixture(scope="module")
def late(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, date]:
    """A model of a log that goes on for 100 days after what it learned from, and its cutoff."""
    workspace = own_copy(small_workspace, tmp_path_factory.mktemp("late"))
    cutoff = open_dataset(workspace, "shop").log_end - timedelta(days=100)
    config = TrainConfig(horizon_days=HORIZON, model="naive")
    return Shop(workspace, pipeline.train(workspace, "shop", config, cutoff=cutoff, progress=NoProgress())), cutoff


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("days", "code"),
    [(HORIZON, None), (0, None), (-1, "before_cutoff"), (HORIZON + 1, "service_late"), (None, "service_late")],
)
def test_a_day_that_a_model_is_too_old_for_or_has_seen_beyond_is_warned_of(
    days: int | None, code: str | None, late: tuple[Shop, date], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, cutoff = late
    words = () if days is None else ("--cutoff", cutoff + timedelta(days=days))
    warnings = shop.done("score", "--out", tmp_path / "scores.csv", *words)["warnings"]
    shown = capsys.readouterr().err
    assert [one["code"] for one in warnings] == ([code] if code else [])
    assert all(one["message"] in shown for one in warnings)
    assert all(one["params"]["days"] == abs(100 if days is None else days) for one in warnings)


def test_scores_of_the_logs_end_at_trained_terms_come_with_the_forecast_that_pages_say_and_no_others(
    late: tuple[Shop, date], small_workspace: Workspace, tmp_path: Path
) -> None:
    shop = Shop(own_copy(small_workspace, tmp_path / "own"), late[0].model)
    shutil.copytree(late[0].model.folder, shop.workspace.models / shop.model.id)
    scored, out = Scored.open(shop.workspace, "shop", shop.model.id), tmp_path / "scores.csv"
    for words in (("--horizon-days", 60), ("--margin-rate", 0.4), ("--cutoff", late[1])):
        shop.done("score", "--out", out, *words)
        assert find_forecast(scored) is None
    shop.done("score", "--out", out)
    made = find_forecast(scored)
    assert made is not None
    assert made.sums().known == pytest.approx(pd.read_csv(out)["predicted_clv"].sum())
    assert headline(made, "en").params["days"] == HORIZON


def test_shards_of_the_events_are_merged_into_the_file_that_score_writes(
    late: tuple[Shop, date], tmp_path: Path
) -> None:
    workspace, model, out = late[0].workspace, late[0].model.id, tmp_path / "shards"
    events = open_dataset(workspace, "shop").events_path

    def shard(number: int) -> tuple[int, dict[str, Any]]:
        words = ("--events", events, "--shard", f"{number}/2", "--model", model, "--margin-rate", 0.5, "--out", out)
        return run(workspace, "score", *words)

    code, answer = shard(1)
    assert (code, answer["written"], answer["done"], answer["waits_for"]["shards"]) == (0, ["statistics"], False, [2])
    assert answer["progress"] == {"shards": 2, "statistics": 1, "sums": 0, "scores": 0}
    assert [shard(1)[0], refused(workspace, "merge", out, "--out", tmp_path / "merged.csv")[0]] == [7, 7]
    assert [shard(2)[0], shard(1)[0], shard(2)[0]] == [0, 0, 0]
    code, answer = shard(1)
    assert (code, answer["written"], answer["done"], answer["waits_for"]) == (0, [], True, None)
    merged = done(workspace, "merge", out, "--out", tmp_path / "merged.csv", "--core-hour-price", 36)
    taken, estimated = merged["cost"]["taken"], merged["cost"]["estimated"]
    assert merged["cost"]["money"]["taken"] == pytest.approx(taken["core_seconds"] / 100)
    assert estimated == answer["estimate"] and (taken["recorded"], merged["cost"]["unrecorded"]) == (6, 0)
    assert [one["code"] for one in merged["cost"]["messages"]] == ["taken", "estimated", "money"]
    scored = late[0].done("score", "--out", tmp_path / "scores.csv", "--margin-rate", 0.5)
    assert (tmp_path / "merged.csv").read_bytes() == (tmp_path / "scores.csv").read_bytes()
    assert scored["predicted_total"] == pytest.approx(merged["predicted_total"])
    for name in ("customers", "as_of", "horizon_days", "margin_rate", "objected", "warnings", "model"):
        assert merged[name] == scored[name] == side_file(merged)[name], name


def test_an_estimate_says_what_shards_of_the_folder_would_take_and_writes_nothing(
    late: tuple[Shop, date], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, model = late[0].workspace, late[0].model.id
    dataset = open_dataset(workspace, "shop")
    words = ("score", "--events", dataset.events_path, "--model", model, "--estimate")
    free = done(workspace, *words)
    assert (free["shards"], free["money"], len(free["messages"])) == (1, None, 1)
    assert (free["folder"]["events"], free["folder"]["customers"]) == (
        dataset.manifest.rows_kept,
        dataset.manifest.customers,
    )
    priced = done(workspace, *words, "--core-hour-price", 0.5, "--shard", "1/16", "--out", tmp_path / "out")
    assert priced["shards"] == 16 and priced["core_seconds"] > free["core_seconds"]
    assert priced["money"] == pytest.approx(priced["core_hours"] / 2) == priced["core_seconds"] / 7200
    assert all(one["message"] in capsys.readouterr().err for one in priced["messages"][:1])
    assert not list(tmp_path.iterdir())
