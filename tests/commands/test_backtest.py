"""``backtest`` by the command line: verdicts in words, slices and stability beside the scoreboard."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.cli import main
from clv_core.config import TrainConfig
from clv_core.errors import ClvError
from clv_core.training import choice
from clv_core.workspace import Workspace

pytestmark = pytest.mark.slow


def run(*words: object) -> tuple[int, dict[str, Any]]:
    """Give the command line these words; return its exit code and the JSON of its last line."""
    with redirect_stdout(io.StringIO()) as printed:
        code = main([*map(str, words)])
    return code, json.loads(printed.getvalue().splitlines()[-1])


@pytest.fixture(scope="module")
def tested(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("backtest")
    words = ("backtest", "shop", "--horizon-days", "60", "--origins", "2", "--models", "ziln_mlp,bgnbd,naive")
    options = ("--seeds", "2", "--set", "steps=60", "--set", "cutoffs=2", "--workspace", small_workspace.root)
    code, result = run(*words, *options, "--out", out, "--lang", "zh")
    assert code == 0, result
    return result, out


def test_the_first_model_is_held_against_each_other_in_words(tested: tuple[dict, Path]) -> None:
    verdicts = tested[0]["verdicts"]
    assert {(found["model"], found["other"]) for found in verdicts} == {("ziln_mlp", "bgnbd"), ("ziln_mlp", "naive")}
    for found in verdicts:
        low, high = found["advantage"]["low"], found["advantage"]["high"]
        told = "beats" if low > 0 else "loses" if high < 0 else "ties"
        assert found["outcome"] == ("ties" if found["metric"] == "bias" else told)  # two spans decide nothing on level
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
    seasons = pd.read_csv(out / "seasons.csv")
    assert set(seasons["model"]) == set(slices["model"]) and seasons["origins"].between(1, 2).all()
    stable = pd.read_csv(out / "stability.csv")
    assert stable["overlap"].between(0, 1).all()
    said = {(found["model"], found["between"]): found["overlap"] for found in result["stability"]}
    assert set(said) == {("ziln_mlp", "seeds"), ("ziln_mlp", "origins"), ("bgnbd", "origins"), ("naive", "origins")}
    assert said["ziln_mlp", "seeds"] > 0.2  # chance is a tenth


@pytest.fixture(scope="module")
def varied(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, pd.DataFrame, Path]:
    out = tmp_path_factory.mktemp("variants")
    words = ("backtest", "shop", "--horizon-days", "60", "--origins", "1", "--models", "ziln_mlp,bgnbd", *QUICK)
    variants = ("--variant", "review_text=false", "--variant", "event_types=purchases")
    code, result = run(*words, *variants, "--workspace", small_workspace.root, "--out", out)
    assert code == 0, result
    return result, pd.read_parquet(out / "predictions.parquet"), out


QUICK = ("--set", "steps=30", "--set", "cutoffs=2")
VARIANTS = {"ziln_mlp[review_text=false]", "ziln_mlp[event_types=purchases]"}


def test_each_variant_is_a_row_of_its_own_on_the_same_customers(varied: tuple[dict, pd.DataFrame, Path]) -> None:
    result, predictions, out = varied
    assert set(result["models"]) == {"ziln_mlp", "bgnbd"} | VARIANTS
    assert set(pd.read_csv(out / "scoreboard.csv")["model"]) == set(result["models"])
    assert {found["other"] for found in result["verdicts"]} == {"bgnbd"} | VARIANTS
    values = predictions.pivot(index="customer_id", columns="model", values="actual")
    assert not values.isna().any().any() and (values.nunique(axis=1) == 1).all()
    assert predictions.pivot(index="customer_id", columns="model", values="predicted_clv").corr().min().min() < 0.999


def test_trained_once_it_is_said_that_a_variant_may_differ_by_luck(varied: tuple[dict, pd.DataFrame, Path]) -> None:
    assert [found["code"] for found in varied[0]["warnings"]] == ["variant_once"]


@pytest.mark.slow
def test_trained_often_a_variant_is_judged_by_all_runs(small_workspace: Workspace, tmp_path: Path) -> None:
    """The variant is nothing but another random start: what single runs differ by is luck, and so the range holds 0."""
    words = ("backtest", "shop", "--horizon-days", "60", "--origins", "1", "--models", "ziln_mlp", *QUICK)
    options = ("--variant", "seed=40", "--seeds", "3", "--workspace", small_workspace.root, "--out", tmp_path)
    code, result = run(*words, *options)
    assert code == 0 and "warnings" not in result, result
    (origin,) = result["origins"]
    board = {name: metrics["gini"] for name, metrics in result["metrics"][origin].items()}
    runs = ("", "#2", "#3")
    apart = [board[f"ziln_mlp{run}"] - board[f"ziln_mlp[seed=40]{run}"] for run in runs]
    found = next(one for one in result["verdicts"] if one["metric"] == "gini")
    assert found["advantage"]["value"] == pytest.approx(sum(apart) / 3)
    assert found["params"]["ours"] == pytest.approx(sum(board[f"ziln_mlp{run}"] for run in runs) / 3)
    assert found["advantage"]["low"] < 0 < found["advantage"]["high"] and found["outcome"] == "ties"
    assert max(apart) - min(apart) < found["advantage"]["high"] - found["advantage"]["low"]


def test_a_variant_is_what_a_run_with_that_setting_gives(
    varied: tuple[dict, pd.DataFrame, Path], small_workspace: Workspace, tmp_path: Path
) -> None:
    words = ("backtest", "shop", "--horizon-days", "60", "--origins", "1", "--models", "ziln_mlp", *QUICK)
    options = ("--set", "review_text=false", "--workspace", small_workspace.root, "--out", tmp_path)
    assert run(*words, *options)[0] == 0
    alone = pd.read_parquet(tmp_path / "predictions.parquet").drop(columns="model")
    ours = varied[1].query("model == 'ziln_mlp[review_text=false]'").drop(columns="model")
    pd.testing.assert_frame_equal(ours.reset_index(drop=True), alone)


def test_those_whom_a_variant_does_not_know_get_what_never_buyers_were_worth(
    varied: tuple[dict, pd.DataFrame, Path], small_workspace: Workspace
) -> None:
    predictions = varied[1].set_index("customer_id")
    origin = pd.Timestamp(predictions["origin"].iloc[0])
    events = pd.read_parquet(next(small_workspace.datasets.glob("shop/*/events.parquet")))
    bought = events[events["event_type"].isin(["purchase", "return"]) & (events["event_time"] < origin)]
    unknown = ~predictions.index.isin(bought["customer_id"])
    theirs = predictions[unknown].query("model == 'ziln_mlp[event_types=purchases]'")
    assert len(theirs) > 20 and theirs["predicted_clv"].nunique() == 1
    baseline = predictions[unknown].query("model == 'bgnbd'")["predicted_clv"]
    assert theirs["predicted_clv"].iloc[0] == pytest.approx(baseline.iloc[0])


@pytest.mark.slow
def test_without_a_number_there_are_as_many_origins_as_the_log_allows(
    small_workspace: Workspace, tmp_path: Path
) -> None:
    where = ("--models", "naive", "--workspace", small_workspace.root, "--out", tmp_path)
    code, result = run("backtest", "shop", "--horizon-days", "90", *where)
    assert code == 0 and len(result["origins"]) == 4  # 540 days: 4 horizons, one more to learn from, 28 days before it
    assert len(run("backtest", "shop", "--horizon-days", "40", *where)[1]["origins"]) == 5


@pytest.mark.parametrize(("small", "model"), [(0, "blend"), (10**9, "instant_tuned")])
def test_without_names_it_is_the_model_that_train_takes_beside_the_simple_ones(
    small: int, model: str, small_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def stop(workspace: Workspace, name: str, config: TrainConfig, **how: Any) -> NoReturn:
        asked.update(how, model=config.model)
        raise ClvError("unexpected", kind="stop")

    monkeypatch.setattr(choice, "SMALL", small)
    monkeypatch.setattr(pipeline, "backtest", stop)
    words = ["backtest", "shop", "--horizon-days", "60", "--workspace", str(small_workspace.root)]
    assert main([*words, "--out", str(tmp_path)]) == ClvError.exit_code
    assert asked["model"] == model and asked["models"] == [model, "naive", "bgnbd"]


@pytest.mark.slow
def test_folds_are_written_beside_the_plain_figures(small_workspace: Workspace, tmp_path: Path) -> None:
    words = ("backtest", "shop", "--horizon-days", "60", "--origins", "2", "--models", "lightgbm,bgnbd", "--folds", "3")
    code, result = run(*words, "--set", "cutoffs=3", "--workspace", small_workspace.root, "--out", tmp_path)
    assert code == 0, result
    found, table = result["folds"], pd.read_csv(tmp_path / "folds.csv")
    assert (found["model"], found["folds"], found["origin"]) == ("lightgbm", 3, result["origins"][-1])
    assert found["metrics"]["plain"]["gini"] == pytest.approx(result["metrics"][found["origin"]]["lightgbm"]["gini"])
    gap = found["metrics"]["plain"]["gini"] - found["metrics"]["unseen"]["gini"]
    assert found["advantage"]["gini"]["value"] == pytest.approx(gap)
    assert (
        found["outcome"] in ("leans", "holds", "unsure")
        and f"{found['metrics']['unseen']['gini']:.3f}" in found["message"]
    )
    sizes = table[table["metric"] == "mae"].pivot(index="fold", columns="view", values="customers")
    assert sizes.loc[[1, 2, 3]].sum().eq(sizes.loc[0]).all() and (sizes["plain"] == sizes["unseen"]).all()


@pytest.mark.parametrize(("words", "code"), [("1", "setting_bounds"), ("3", "folds_need_model")])
def test_folds_that_say_nothing_are_refused(words: str, code: str, small_workspace: Workspace, tmp_path: Path) -> None:
    asked = ("backtest", "shop", "--horizon-days", "60", "--models", "bgnbd,lightgbm", "--folds", words)
    exit_code, result = run(*asked, "--workspace", small_workspace.root, "--out", tmp_path / "out")
    assert exit_code == 2 and result["error"]["code"] == code


@pytest.mark.parametrize(
    ("models", "variant", "code"),
    [
        ("bgnbd", "review_text=false", "variant_needs_model"),
        ("hybrid", "horizon_days=30", "variant_fixed"),
        ("hybrid", "review_text", "setting_pair"),
        ("hybrid", "colour=red", "setting_unknown"),
    ],
)
def test_a_variant_that_cannot_be_is_refused(
    models: str, variant: str, code: str, small_workspace: Workspace, tmp_path: Path
) -> None:
    words = ("backtest", "shop", "--horizon-days", "60", "--models", models, "--variant", variant)
    exit_code, result = run(*words, "--workspace", small_workspace.root, "--out", tmp_path / "out")
    assert exit_code == 2 and result["error"]["code"] == code
