"""The commands ``segment`` and ``embed``, and how commands are told which model is meant, on the small shop."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_evaluation import PREDICTIONS_FILE, backtest_folder
from tests.commands.conftest import Shop, done, last_export, run, side_file

pytestmark = pytest.mark.first(4)


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"customer_id": "str", "segment": "str"}, encoding="utf-8-sig")


def to_the_cent(total: float, customers: int) -> object:
    """Return what the amounts of a file for people may add up to: each is rounded."""
    return pytest.approx(total, abs=0.005 * customers + 1e-6)


def assert_interval(row: dict[str, Any]) -> None:
    """A sum has an interval around it; one that fewer than 5 are expected to buy for has none."""
    if row["customers"] * row["p_purchase_mean"] < 5:
        assert row["value_sum_low"] is None and row["value_sum_high"] is None
    else:
        assert row["value_sum_low"] <= row["value_sum"] < row["value_sum_high"]


def test_tiers_of_all_customers_go_to_a_file_and_add_up(shop: Shop, tmp_path: Path) -> None:
    answer = shop.done("segment", "--scheme", "share:50,80,95", "--out", tmp_path / "tiers.csv")
    listed = read(tmp_path / "tiers.csv")
    assert answer["scheme"] == "share:50,80,95" and answer["past_origins"] == 1
    assert len(listed) == answer["rows"] == answer["customers"] == sum(tier["customers"] for tier in answer["tiers"])
    assert listed["predicted_clv"].is_monotonic_decreasing and listed["customer_id"].is_unique
    for tier in answer["tiers"]:
        mine = listed[listed["tier"] == tier["tier"]]
        assert len(mine) == tier["customers"] and (mine["tier_name"] == tier["name"]).all()
        assert mine["predicted_clv"].sum() == to_the_cent(tier["value_sum"], len(mine))
        assert mine["historic_value"].sum() == to_the_cent(tier["historic_value_sum"], len(mine))
        assert_interval(tier)
    assert sum(tier["share_of_value"] for tier in answer["tiers"]) == pytest.approx(1)
    assert listed["predicted_clv"].sum() == to_the_cent(answer["value_sum"], len(listed))
    assert answer["value_sum_low"] > sum(tier["value_sum_low"] or 0.0 for tier in answer["tiers"])
    side, logged = side_file(answer), last_export(shop.workspace)
    assert (side["rows"], side["currency"], side["horizon_days"]) == (answer["rows"], "EUR", 90)
    assert logged["files"] == ["tiers.csv"] and logged["rows"] == answer["rows"]


def test_a_list_opens_one_model_and_one_dataset(shop: Shop, tmp_path: Path, opened_files: list[str]) -> None:
    shop.done("segment", "--out", tmp_path / "tiers.csv")
    opened = [Path(one.removeprefix("open ")).name for one in opened_files if str(shop.workspace.root) in one]
    assert opened.count("manifest.json") == 1 and opened.count("bundle.json") <= 1


def test_a_model_is_asked_for_by_its_role_or_version_as_well(shop: Shop) -> None:
    registry = Registry(shop.workspace)
    version, champion = registry.find(shop.model.id), registry.champion("shop")
    assert version is not None and champion is not None
    meant = {"champion": champion.bundle, f"shop@{version.number}": version.bundle, "shop@champion": champion.bundle}
    for word, bundle in meant.items():
        assert done(shop.workspace, "embed", "shop", "--model", word)["model"] == bundle
    for command, dataset, word, error, known in (
        ("embed", "shop", "none", "no_model", shop.model.id),
        ("embed", "shop", "shop@99", "no_model_version", str(version.number)),
        ("monitor", "shpo", "champion", "no_dataset", "shop"),
        ("monitor", "shop", "nothing@champion", "no_champion", "shop"),
    ):
        code, answer = run(shop.workspace, command, dataset, "--model", word)
        assert (code, answer["error"]["code"]) == (4, error), answer
        assert known in str(answer["error"]["params"]["known"])
    assert "promote" in answer["error"]["message"]


def test_conditions_narrow_the_list_and_not_the_table(shop: Shop, tmp_path: Path) -> None:
    words = ("--segment", "1,2", "--segment", "p_purchase>=0.2", "--out", tmp_path / "tiers.parquet", "--lang", "zh")
    answer, listed = shop.done("segment", *words), pd.read_parquet(tmp_path / "tiers.parquet")
    assert answer["tiers"][0]["name"] == "顶级价值用户"
    assert 0 < len(listed) == answer["rows"] < answer["customers"]
    assert set(listed["tier"]) <= {1, 2} and (listed["p_purchase"] >= 0.2).all()
    assert listed["predicted_clv"].sum() == to_the_cent(answer["value_sum"], len(listed))
    assert answer["value_sum_low"] < answer["value_sum"] < answer["value_sum_high"]


def test_a_comparison_on_more_origins_makes_sums_surer(shop: Shop, tmp_path: Path) -> None:
    before = shop.done("segment", "--out", tmp_path / "tiers.csv")
    holdout, folder = shop.model.holdout(), backtest_folder(shop.workspace, shop.model)
    assert holdout is not None
    earlier = [holdout.assign(origin=day, actual=holdout["predicted_clv"]) for day in ("2023-03-01", "2023-06-01")]
    folder.mkdir(parents=True)
    pd.concat([holdout, *earlier]).to_parquet(folder / PREDICTIONS_FILE)
    try:
        after = shop.done("segment", "--out", tmp_path / "tiers.csv")
    finally:
        shutil.rmtree(folder)
    assert (before["past_origins"], after["past_origins"]) == (1, 3)
    assert after["value_sum_high"] / after["value_sum_low"] < before["value_sum_high"] / before["value_sum_low"]


RULES = {
    "segments": [
        {"name": "Likely", "rules": ["p_purchase>=0.3"], "description": "Write to them"},
        {"name": "Spent well", "rules": ["historic_value>=100"]},
    ]
}


@pytest.mark.examples(2)
@pytest.mark.parametrize("scheme", ["quadrant", "rfm", "clusters:3", "cost:5:4,1", "rules", "overlapping"])
def test_any_scheme_goes_to_a_file_and_says_what_its_segments_are(shop: Shop, tmp_path: Path, scheme: str) -> None:
    file, overlapping = tmp_path / "mine.json", scheme == "overlapping"
    file.write_text(json.dumps({**RULES, "overlapping": overlapping}), encoding="utf-8")
    asked = ("segment", "--scheme", f"rules:{file}" if scheme in ("rules", "overlapping") else scheme)
    answer, listed = shop.done(*asked, "--out", tmp_path / "out.csv"), read(tmp_path / "out.csv")
    assert "tiers" not in answer
    assert len(listed) == answer["customers"] and {"tier", "tier_name", "segment_name"} <= set(listed)
    for segment in answer["segments"]:
        name = segment["segment"]
        mine = listed[listed[f"in_{name}"] == "yes" if overlapping else listed["segment"] == name]
        assert len(mine) == segment["customers"]
        assert mine["predicted_clv"].sum() == to_the_cent(segment["value_sum"], len(mine))
        assert mine["segment_name"].str.contains(segment["name"], regex=False).all()
        if len(mine):
            assert_interval(segment)
    assert sum(one["customers"] > 0 for one in answer["segments"]) > 1
    first = next(one for one in answer["segments"] if one["customers"])
    one = shop.done(*asked, "--out", tmp_path / "one.csv", "--segment", first["segment"])
    assert one["rows"] == first["customers"]
    assert side_file(one)["scheme"] == one["scheme"] and first["segment"] in side_file(one)["segment"]


def test_export_takes_segments_of_any_scheme(shop: Shop, tmp_path: Path) -> None:
    ids = shop.scores()["customer_id"]
    people = pd.DataFrame({"customer_id": ids, "email": [f"p{n}@b.de" for n in range(len(ids))], "consent": "yes"})
    people.to_csv(tmp_path / "people.csv", index=False)
    words = ("--format", "klaviyo", "--scheme", "quadrant", "--segment", "protect")
    files = ("--customers", tmp_path / "people.csv", "--out", tmp_path / "list.csv")
    assert shop.done("export", *words, *files)["rows"] > 0
    assert set(pd.read_csv(tmp_path / "list.csv")["clv_segment"]) == {"Protect"}


def test_embed_keeps_how_networks_see_customers(shop: Shop) -> None:
    answer = shop.done("embed", "--cutoff", "2024-03-01")
    kept = pd.read_parquet(answer["kept"])
    assert len(kept) == answer["customers"] and kept["customer_id"].is_unique
