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
from clv_core.workspace import Workspace


def run(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--workspace", str(workspace.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


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
        assert mine["predicted_clv"].sum() == pytest.approx(tier["value_sum"])
        assert mine["historic_value"].sum() == pytest.approx(tier["historic_value_sum"])
        assert tier["value_sum_low"] < tier["value_sum"] < tier["value_sum_high"]
    assert sum(tier["share_of_value"] for tier in said["tiers"]) == pytest.approx(1)
    assert said["value_sum"] == pytest.approx(listed["predicted_clv"].sum()) and said["past_origins"] == 1
    assert said["value_sum_low"] > sum(tier["value_sum_low"] for tier in said["tiers"])
    side = json.loads(Path(said["side_file"]).read_text(encoding="utf-8"))
    assert side["rows"] == said["rows"] and side["currency"] == "EUR" and side["horizon_days"] == 90
    log = [json.loads(line) for line in (small_workspace.exports / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[-1]["files"] == ["tiers.csv"] and log[-1]["rows"] == said["rows"]


def test_conditions_narrow_the_list_and_not_the_table(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("segment", "shop", "--model", small_bundle.id, "--segment", "1,2", "--segment", "p_purchase>=0.2", "--out")
    code, said = run(capsys, small_workspace, *words, str(tmp_path / "tiers.parquet"), "--lang", "zh")
    listed = pd.read_parquet(tmp_path / "tiers.parquet")
    assert code == 0 and said["tiers"][0]["name"] == "顶级价值用户"
    assert 0 < len(listed) == said["rows"] < said["customers"]
    assert set(listed["tier"]) <= {1, 2} and (listed["p_purchase"] >= 0.2).all()
    assert said["value_sum"] == pytest.approx(listed["predicted_clv"].sum())
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
