"""``backtest`` by the command line: verdicts in words, slices and stability beside the scoreboard."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.workspace import Workspace
from tests.test_pipeline import run


@pytest.fixture(scope="module")
def tested(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("backtest")
    words = ("backtest", "shop", "--horizon-days", "60", "--origins", "2", "--models", "ziln_mlp,bgnbd,naive")
    options = ("--seeds", "2", "--set", "steps=100", "--set", "cutoffs=3", "--workspace", small_workspace.root)
    code, result = run(*words, *options, "--out", out, "--lang", "zh")
    assert code == 0, result
    return result, out


def test_the_first_model_is_held_against_each_other_in_words(tested: tuple[dict, Path]) -> None:
    verdicts = tested[0]["verdicts"]
    assert {(found["model"], found["other"]) for found in verdicts} == {("ziln_mlp", "bgnbd"), ("ziln_mlp", "naive")}
    for found in verdicts:
        low, high = found["advantage"]["low"], found["advantage"]["high"]
        assert found["outcome"] == ("beats" if low > 0 else "loses" if high < 0 else "ties")
        assert "ZILN MLP" in found["message"] and "{" not in found["message"]
        assert any("一" <= letter <= "鿿" for letter in found["message"])


def test_advantages_are_those_of_the_scoreboard(tested: tuple[dict, Path]) -> None:
    board = pd.read_csv(tested[1] / "scoreboard.csv").query("metric == 'gini'").groupby("model")["value"].mean()
    found = next(v for v in tested[0]["verdicts"] if (v["other"], v["metric"]) == ("naive", "gini"))
    assert found["advantage"]["value"] == pytest.approx(board["ziln_mlp"] - board["naive"], abs=1e-9)


def test_slices_and_stability_are_written_for_every_origin_and_seed(tested: tuple[dict, Path]) -> None:
    result, out = tested
    slices = pd.read_csv(out / "slices.csv")
    assert set(slices["origin"]) == set(result["origins"]) and len(result["origins"]) == 2
    assert set(slices["model"]) == {"ziln_mlp", "ziln_mlp#2", "bgnbd", "naive"}
    assert {"never_buyers", "one_time_buyers", "new", "value_decile_1"} <= set(slices["slice"])
    stable = pd.read_csv(out / "stability.csv")
    assert stable["overlap"].between(0, 1).all()
    said = {(found["model"], found["between"]): found["overlap"] for found in result["stability"]}
    assert set(said) == {("ziln_mlp", "seeds"), ("ziln_mlp", "origins"), ("bgnbd", "origins"), ("naive", "origins")}
    assert said["ziln_mlp", "seeds"] > 0.2  # chance is a tenth
