"""The command ``segment``, end to end on the small shop."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.past import PREDICTIONS, comparison_folder
from clv_core.deployment.registry import Registry
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(5)


def run(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--workspace", str(workspace.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def to_the_cent(total: float, customers: int) -> object:
    """Return what the amounts of a file for people may add up to: each is rounded."""
    return pytest.approx(total, abs=0.005 * customers + 1e-6)


def assert_interval(row: dict[str, Any]) -> None:
    """A sum has an interval around it; one that fewer than 5 are expected to buy for has none."""
    if row["customers"] * row["p_purchase_mean"] < 5:
        assert row["value_sum_low"] is None and row["value_sum_high"] is None
    else:
        assert row["value_sum_low"] <= row["value_sum"] < row["value_sum_high"]


def test_tiers_of_all_customers_go_to_a_file_and_add_up(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("segment", "shop", "--model", small_bundle.id, "--scheme", "share:50,80,95", "--out")
    code, said = run(capsys, small_workspace, *words, str(tmp_path / "tiers.csv"))
    assert code == 0 and said["scheme"] == "share:50,80,95"
    listed = pd.read_csv(tmp_path / "tiers.csv", dtype={"customer_id": "str"}, encoding="utf-8-sig")
    assert len(listed) == said["rows"] == said["customers"] == sum(tier["customers"] for tier in said["tiers"])
    assert listed["predicted_clv"].is_monotonic_decreasing and listed["customer_id"].is_unique
    for tier in said["tiers"]:
        mine = listed[listed["tier"] == tier["tier"]]
        assert len(mine) == tier["customers"] and (mine["tier_name"] == tier["name"]).all()
        assert mine["predicted_clv"].sum() == to_the_cent(tier["value_sum"], len(mine))
        assert mine["historic_value"].sum() == to_the_cent(tier["historic_value_sum"], len(mine))
        assert_interval(tier)
    assert sum(tier["share_of_value"] for tier in said["tiers"]) == pytest.approx(1)
    assert listed["predicted_clv"].sum() == to_the_cent(said["value_sum"], len(listed)) and said["past_origins"] == 1
    assert said["value_sum_low"] > sum(tier["value_sum_low"] or 0.0 for tier in said["tiers"])
    side = json.loads(Path(said["side_file"]).read_text(encoding="utf-8"))
    assert side["rows"] == said["rows"] and side["currency"] == "EUR" and side["horizon_days"] == 90
    log = [json.loads(line) for line in (small_workspace.exports / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[-1]["files"] == ["tiers.csv"] and log[-1]["rows"] == said["rows"]


def test_a_model_is_asked_for_by_its_role_or_version_as_well(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = Registry(small_workspace)
    version, champion = registry.find(small_bundle.id), registry.champion("shop")
    assert version is not None and champion is not None
    meant = {"champion": champion.bundle, f"shop@{version.number}": version.bundle, "shop@champion": champion.bundle}
    for word, bundle in meant.items():
        code, said = run(capsys, small_workspace, "embed", "shop", "--model", word)
        assert code == 0 and said["model"] == bundle
    code, said = run(capsys, small_workspace, "embed", "shop", "--model", "shop@99")
    assert code == 4 and said["error"]["code"] == "no_model_version"
    assert version.number in map(int, said["error"]["params"]["known"])
    code, said = run(capsys, small_workspace, "monitor", "shpo", "--model", "champion")
    assert code == 4 and said["error"]["code"] == "no_dataset" and "shop" in said["error"]["params"]["known"]
    code, said = run(capsys, small_workspace, "monitor", "shop", "--model", "nothing@champion")
    assert code == 4 and said["error"]["code"] == "no_champion" and "promote" in said["error"]["message"]
    assert said["error"]["params"]["known"] == list(registry.names())
    words = ("score", "--events", str(tmp_path), "--model", "champion", "--out", str(tmp_path / "scores"))
    code, said = run(capsys, small_workspace, *words)
    assert code == 2 and said["error"]["code"] == "role_of_what"


def test_a_folder_in_place_of_the_file_is_named(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiers.csv").mkdir()
    words = ("segment", "shop", "--model", small_bundle.id, "--out", str(tmp_path / "tiers.csv"))
    code, said = run(capsys, small_workspace, *words)
    assert code == 2 and said["error"]["code"] == "path_refused"
    assert said["error"]["params"]["path"] == str(tmp_path / "tiers.csv")


def test_conditions_narrow_the_list_and_not_the_table(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("segment", "shop", "--model", small_bundle.id, "--segment", "1,2", "--segment", "p_purchase>=0.2", "--out")
    code, said = run(capsys, small_workspace, *words, str(tmp_path / "tiers.parquet"), "--lang", "zh")
    listed = pd.read_parquet(tmp_path / "tiers.parquet")
    assert code == 0 and said["tiers"][0]["name"] == "顶级价值用户"
    assert 0 < len(listed) == said["rows"] < said["customers"]
    assert set(listed["tier"]) <= {1, 2} and (listed["p_purchase"] >= 0.2).all()
    assert listed["predicted_clv"].sum() == to_the_cent(said["value_sum"], len(listed))
    assert said["value_sum_low"] < said["value_sum"] < said["value_sum_high"]


def test_a_comparison_on_more_origins_makes_sums_surer(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("segment", "shop", "--model", small_bundle.id, "--out", str(tmp_path / "tiers.csv"))
    _, before = run(capsys, small_workspace, *words)
    holdout = small_bundle.holdout()
    assert holdout is not None
    earlier = [holdout.assign(origin=day, actual=holdout["predicted_clv"]) for day in ("2023-03-01", "2023-06-01")]
    folder = comparison_folder(small_workspace, small_bundle)
    folder.mkdir(parents=True)
    pd.concat([holdout, *earlier]).to_parquet(folder / PREDICTIONS)
    try:
        _, after = run(capsys, small_workspace, *words)
    finally:
        shutil.rmtree(folder)
    assert (before["past_origins"], after["past_origins"]) == (1, 3)
    assert after["value_sum_high"] / after["value_sum_low"] < before["value_sum_high"] / before["value_sum_low"]


@pytest.mark.parametrize(
    ("words", "expected", "error"),
    [
        (("--scheme", "quantile:60,30"), 2, "scheme_percents"),
        (("--segment", "planet=Mars"), 2, "condition_column"),
        (("--segment", "predicted_clv>1e12"), 4, "segment_empty"),
        (("--out", "tiers.doc"), 2, "segment_out"),
        (("--scheme", "mood"), 2, "scheme_unknown"),
        (("--scheme", "clusters:99"), 2, "scheme_clusters"),
        (("--scheme", "quadrant:p=3"), 2, "scheme_quadrant"),
        (("--scheme", "rules:nowhere.json"), 4, "no_rules"),
        (("--scheme", "quadrant", "--segment", "winback"), 4, "segment_value"),
        (("--segment", "tier=9", "--segment", "predicted_clv>0"), 4, "segment_value"),
        (("--segment", "tier=1", "--segment", "customer_id=nobody"), 4, "segment_empty"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(
    small_workspace: Workspace,
    small_bundle: Bundle,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    expected: int,
    error: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = run(
        capsys, small_workspace, "segment", "shop", "--model", small_bundle.id, "--out", "tiers.csv", *words
    )
    assert code == expected and said["error"]["code"] == error
    assert list(tmp_path.iterdir()) == []


RULES = {
    "segments": [
        {"name": "Likely", "rules": ["p_purchase>=0.3"], "description": "Write to them"},
        {"name": "Spent well", "rules": ["historic_value>=100"]},
    ]
}


@pytest.mark.examples(2)
@pytest.mark.parametrize("scheme", ["quadrant", "rfm", "clusters:3", "cost:5:4,1", "rules", "overlapping"])
def test_any_scheme_goes_to_a_file_and_says_what_its_segments_are(
    small_workspace: Workspace,
    small_bundle: Bundle,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    scheme: str,
) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({**RULES, "overlapping": scheme == "overlapping"}), encoding="utf-8")
    asked = f"rules:{file}" if scheme in ("rules", "overlapping") else scheme
    words = ("segment", "shop", "--model", small_bundle.id, "--scheme", asked, "--out", str(tmp_path / "out.csv"))
    code, said = run(capsys, small_workspace, *words)
    assert code == 0 and "tiers" not in said
    listed = pd.read_csv(tmp_path / "out.csv", dtype={"customer_id": "str", "segment": "str"}, encoding="utf-8-sig")
    assert len(listed) == said["customers"] and {"tier", "tier_name", "segment_name"} <= set(listed)
    for segment in said["segments"]:
        inside = (
            listed[f"in_{segment['segment']}"] == "yes"
            if scheme == "overlapping"
            else listed["segment"] == segment["segment"]
        )
        mine = listed[inside]
        assert len(mine) == segment["customers"]
        assert mine["predicted_clv"].sum() == to_the_cent(segment["value_sum"], len(mine))
        assert mine["segment_name"].str.contains(segment["name"], regex=False).all()
        if len(mine):
            assert_interval(segment)
    assert sum(one["customers"] > 0 for one in said["segments"]) > 1
    first = next(one for one in said["segments"] if one["customers"])
    again = (*words[:-1], str(tmp_path / "one.csv"), "--segment", first["segment"])
    code, one = run(capsys, small_workspace, *again)
    assert code == 0 and one["rows"] == first["customers"]
    side = json.loads(Path(one["side_file"]).read_text(encoding="utf-8"))
    assert side["scheme"] == one["scheme"] and first["segment"] in side["segment"]


def test_export_takes_segments_of_any_scheme(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = pd.read_parquet(next((small_workspace.predictions / small_bundle.id).glob("shop-*[0-9].parquet")))[
        "customer_id"
    ]
    people = pd.DataFrame({"customer_id": ids, "email": [f"p{n}@b.de" for n in range(len(ids))], "consent": "yes"})
    people.to_csv(tmp_path / "people.csv", index=False)
    words = ("export", "shop", "--model", small_bundle.id, "--format", "klaviyo", "--scheme", "quadrant", "--segment")
    out = tmp_path / "list.csv"
    code, said = run(
        capsys, small_workspace, *words, "protect", "--customers", str(tmp_path / "people.csv"), "--out", str(out)
    )
    assert code == 0 and said["rows"] > 0
    assert set(pd.read_csv(out)["clv_segment"]) == {"Protect"}


def test_embed_keeps_how_networks_see_customers(
    small_workspace: Workspace, small_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, small_workspace, "embed", "shop", "--model", small_bundle.id, "--cutoff", "2024-03-01")
    kept = pd.read_parquet(said["kept"])
    assert code == 0 and len(kept) == said["customers"] and kept["customer_id"].is_unique
    code, said = run(capsys, small_workspace, "embed", "shop", "--model", "none")
    assert code == 4 and said["error"]["code"] == "no_model"
