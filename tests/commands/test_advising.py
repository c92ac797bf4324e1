"""The commands ``recommend`` and ``price``: what they write, keep and refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import cli, pipeline
from clv_core.collection.ingest import ingest
from clv_core.config import TrainConfig
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.strategy.pricing.test_pricing import shop_log

pytestmark = pytest.mark.first(3)

SAMPLE = Path(__file__).resolve().parents[2] / "assets" / "sample" / "events.csv"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """A workspace with the log of the pricing tests, whose prices vary, and a quick model."""
    folder = tmp_path_factory.mktemp("advising")
    frame, _ = shop_log()
    frame.to_csv(folder / "log.csv", index=False)
    work = Workspace(folder / "work")
    ingest(work, folder / "log.csv", "shop", duplicates="keep", currency="EUR")
    config = TrainConfig(horizon_days=60, model="naive", cutoffs=2)
    return work, pipeline.train(work, "shop", config, progress=NoProgress()).id


def run(capsys: pytest.CaptureFixture[str], work: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = cli.main([*words, "--workspace", str(work.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_recommend_writes_the_list_its_side_file_and_the_log(
    shop: tuple[Workspace, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    work, model = shop
    out = tmp_path / f"list.{ending}"
    words = ("recommend", "shop", "--model", model, "--out", str(out), "--top", "3")
    code, said = run(capsys, work, *words)
    assert code == 0 and said["rows"] == 3 * said["customers"] == 240
    read = pd.read_csv(out, dtype=str) if ending == "csv" else pd.read_excel(out, dtype=str)
    assert read.groupby("customer_id")["rank"].apply(list).map(lambda ranks: ranks == ["1", "2", "3"]).all()
    assert read["reason"].str.len().min() > 5 and read["category"].isin(["tea", "coffee"]).all()
    side = json.loads(Path(said["side_file"]).read_text(encoding="utf-8"))
    assert side["rows"] == 240 and side["model"] == model and side["assumptions"][0]["code"] == "recommend_price_rule"
    logged = json.loads((work.exports / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert logged["files"] == [out.name] and logged["dataset"] == "shop"
    assert {one["method"] for one in said["measured"]["quality"]["with_bought"]} >= {"blend", "popular", "own"}


@pytest.mark.parametrize("command", ["recommend", "price"])
def test_without_a_file_nothing_is_written_or_logged(
    shop: tuple[Workspace, str], capsys: pytest.CaptureFixture[str], command: str
) -> None:
    work, model = shop
    log = work.exports / "log.jsonl"
    before = log.read_bytes() if log.exists() else b""
    files = set(work.exports.iterdir())
    code, said = run(capsys, work, command, "shop", "--model", model)
    assert code == 0 and said["out"] is said["side_file"] is said["rows"] is None
    assert (log.read_bytes() if log.exists() else b"") == before and set(work.exports.iterdir()) == files


def test_the_card_holds_what_was_recommended(shop: tuple[Workspace, str], capsys: pytest.CaptureFixture[str]) -> None:
    work, model = shop
    out = work.root / "again.parquet"
    assert run(capsys, work, "recommend", "shop", "--model", model, "--out", str(out))[0] == 0
    listed = pd.read_parquet(out)
    mine = listed[listed["customer_id"] == "t1-00"]["product_id"].tolist()
    code, card = run(capsys, work, "card", "shop", "--model", model, "--customer", "t1-00")
    assert code == 0 and [row["product_id"] for row in card["recommended"]] == mine and len(mine) == 10


def test_price_writes_responses_and_what_a_rule_would_bring(
    shop: tuple[Workspace, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work, model = shop
    out = tmp_path / "prices.csv"
    words = ("price", "shop", "--model", model, "--out", str(out), "--change", "all=-10", "--margin-rate", "0.5")
    code, said = run(capsys, work, *words)
    assert code == 0 and said["categories"] == said["surely_negative"] == 2
    table = pd.read_csv(out)
    assert set(table["evidence"]) == {"measured"} and table.loc[table["tier"] == 0, "rule_revenue"].isna().all()
    found = said["what_if"]
    assert found["revenue"]["low"] < found["revenue"]["value"] < found["revenue"]["high"]
    assert found["revenue"]["value"] == pytest.approx(sum(row["revenue"] for row in found["tiers"]))
    assert {one["code"] for one in found["assumed"]} >= {"price_margin_assumed", "price_untouched"}
    assert "personal" in said["fairness"] and Path(said["side_file"]).exists()


@pytest.mark.parametrize(
    ("words", "expected", "error"),
    [
        (("recommend", "--out", "list.doc"), 2, "segment_out"),
        (("recommend", "--out", "list.csv", "--top", "0"), 2, "setting_bounds"),
        (("price", "--out", "prices.csv", "--change", "1=-10"), 2, "price_needs_margin"),
        (("price", "--out", "prices.csv", "--change", "9=-10", "--margin-rate", "0.5"), 2, "price_change_text"),
        (("price", "--out", "prices.csv", "--change", "1=-90", "--margin-rate", "0.5"), 2, "price_change"),
    ],
)
def test_what_is_asked_wrongly_is_said_and_leaves_nothing(
    shop: tuple[Workspace, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    expected: int,
    error: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    work, model = shop
    code, said = run(capsys, work, words[0], "shop", "--model", model, *words[1:])
    assert code == expected and said["error"]["code"] == error and list(tmp_path.iterdir()) == []
