"""The commands ``recommend`` and ``price``: what they write and keep."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.ingest import ingest
from clv_core.config import TrainConfig
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.commands.conftest import Shop, last_export, side_file
from tests.strategy.pricing.test_pricing import shop_log

pytestmark = pytest.mark.first(3)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The log of the pricing tests, whose prices vary, and a quick model."""
    folder = tmp_path_factory.mktemp("advising")
    frame, _ = shop_log()
    frame.to_csv(folder / "log.csv", index=False)
    work = Workspace(folder / "work")
    ingest(work, folder / "log.csv", "shop", duplicates="keep", currency="EUR")
    config = TrainConfig(horizon_days=60, model="naive", cutoffs=2)
    return Shop(work, pipeline.train(work, "shop", config, progress=NoProgress()))


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_recommend_writes_the_list_its_side_file_and_the_log(shop: Shop, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"list.{ending}"
    answer = shop.done("recommend", "--out", out, "--top", 3)
    assert answer["rows"] == 3 * answer["customers"] == 240
    listed = pd.read_csv(out, dtype=str) if ending == "csv" else pd.read_excel(out, dtype=str, engine="openpyxl")
    assert listed.groupby("customer_id")["rank"].apply(list).map(lambda ranks: ranks == ["1", "2", "3"]).all()
    assert listed["reason"].str.len().min() > 5 and listed["category"].isin(["tea", "coffee"]).all()
    side, logged = side_file(answer), last_export(shop.workspace)
    assert side["rows"] == 240 and side["model"] == shop.model.id
    assert side["assumptions"][0]["code"] == "recommend_price_rule"
    assert logged["files"] == [out.name] and logged["dataset"] == "shop"
    assert {one["method"] for one in answer["measured"]["quality"]["with_bought"]} >= {"blend", "popular", "own"}


@pytest.mark.parametrize("command", ["recommend", "price"])
def test_without_a_file_nothing_is_written_or_logged(shop: Shop, command: str) -> None:
    def exports() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in shop.workspace.exports.iterdir()}

    before, answer = exports(), shop.done(command)
    assert answer["out"] is answer["side_file"] is answer["rows"] is None
    assert exports() == before


def test_the_card_holds_what_was_recommended(shop: Shop) -> None:
    out = shop.workspace.root / "again.parquet"
    shop.done("recommend", "--out", out)
    listed = pd.read_parquet(out)
    mine = listed[listed["customer_id"] == "t1-00"]["product_id"].tolist()
    card = shop.done("card", "--customer", "t1-00")
    assert [row["product_id"] for row in card["recommended"]] == mine and len(mine) == 10


def test_price_writes_responses_and_what_a_rule_would_bring(shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "prices.csv"
    answer = shop.done("price", "--out", out, "--change", "all=-10", "--margin-rate", 0.5)
    assert answer["categories"] == answer["surely_negative"] == 2
    table, what_if = pd.read_csv(out), answer["what_if"]
    assert set(table["evidence"]) == {"measured"} and table.loc[table["tier"] == 0, "rule_revenue"].isna().all()
    assert what_if["revenue"]["low"] < what_if["revenue"]["value"] < what_if["revenue"]["high"]
    assert what_if["revenue"]["value"] == pytest.approx(sum(row["revenue"] for row in what_if["tiers"]))
    assert {one["code"] for one in what_if["assumed"]} >= {"price_margin_assumed", "price_untouched"}
    assert "personal" in answer["fairness"] and Path(answer["side_file"]).exists()
