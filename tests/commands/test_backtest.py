"""``backtest`` by the command line: verdicts in words, slices and stability beside the scoreboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pytest

from clv_core.config import TrainConfig
from clv_core.errors import ClvError
from clv_core.evaluation.backtest import BacktestPlan
from clv_core.training import cost
from clv_core.workspace import Workspace
from tests.commands.conftest import codes, done, run

pytestmark = pytest.mark.slow

QUICK = "--set steps=30 --set cutoffs=2"


def tried(workspace: Workspace, words: str, out: Path) -> dict[str, Any]:
    return done(workspace, "backtest", "shop", *words.split(), "--out", out)


@pytest.fixture(scope="module")
def tested(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    words = "--horizon-days 60 --origins 2 --models ziln_mlp,bgnbd,naive --seeds 2 --set steps=60 --set cutoffs=2"
    out = tmp_path_factory.mktemp("backtest")
    return tried(small_workspace, f"{words} --lang zh", out), out


def test_the_first_model_is_held_against_each_other_in_words(tested: tuple[dict[str, Any], Path]) -> None:
    verdicts = tested[0]["verdicts"]
    assert {(one["model"], one["other"]) for one in verdicts} == {("ziln_mlp", "bgnbd"), ("ziln_mlp", "naive")}
    for one in verdicts:
        low, high = one["advantage"]["low"], one["advantage"]["high"]
        expected = "beats" if low > 0 else "loses" if high < 0 else "ties"
        assert one["outcome"] == ("ties" if one["metric"] == "bias" else expected)  # two spans decide nothing on level
        assert "ZILN MLP" in one["message"] and "{" not in one["message"]
        assert any("一" <= letter <= "鿿" for letter in one["message"])
    board = pd.read_csv(tested[1] / "scoreboard.csv").query("metric == 'gini'").groupby("model")["value"].mean()
    gini = next(one for one in verdicts if (one["other"], one["metric"]) == ("naive", "gini"))
    assert gini["advantage"]["value"] == pytest.approx(board["ziln_mlp"] - board["naive"], abs=1e-9)


def test_slices_and_stability_are_written_for_every_origin_and_seed(tested: tuple[dict[str, Any], Path]) -> None:
    result, out = tested
    slices, seasons = pd.read_csv(out / "slices.csv"), pd.read_csv(out / "seasons.csv")
    assert set(slices["origin"]) == set(result["origins"]) and len(result["origins"]) == 2
    assert set(slices["model"]) == set(seasons["model"]) == {"ziln_mlp", "ziln_mlp#2", "bgnbd", "naive"}
    assert {"never_buyers", "one_time_buyers", "new", "value_decile_1"} <= set(slices["slice"])
    assert seasons["origins"].between(1, 2).all()
    assert pd.read_csv(out / "stability.csv")["overlap"].between(0, 1).all()
    overlap = {(one["model"], one["between"]): one["overlap"] for one in result["stability"]}
    assert set(overlap) == {("ziln_mlp", "seeds"), *((model, "origins") for model in ("ziln_mlp", "bgnbd", "naive"))}
    assert overlap["ziln_mlp", "seeds"] > 0.2  # chance is a tenth


@pytest.fixture(scope="module")
def varied(
    small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], pd.DataFrame, Path]:
    out = tmp_path_factory.mktemp("variants")
    words = "--horizon-days 60 --origins 1 --models ziln_mlp,bgnbd"
    variants = "--variant review_text=false --variant event_types=purchases"
    result = tried(small_workspace, f"{words} {variants} {QUICK}", out)
    return result, pd.read_parquet(out / "predictions.parquet"), out


def test_each_variant_is_a_row_of_its_own_on_the_same_customers_and_may_differ_by_luck(
    varied: tuple[dict[str, Any], pd.DataFrame, Path],
) -> None:
    result, predictions, out = varied
    variants = {"ziln_mlp[review_text=false]", "ziln_mlp[event_types=purchases]"}
    assert set(result["models"]) == {"ziln_mlp", "bgnbd"} | variants
    assert set(pd.read_csv(out / "scoreboard.csv")["model"]) == set(result["models"])
    assert {one["other"] for one in result["verdicts"]} == {"bgnbd"} | variants
    values = predictions.pivot(index="customer_id", columns="model", values="actual")
    assert not values.isna().any().any() and (values.nunique(axis=1) == 1).all()
    assert predictions.pivot(index="customer_id", columns="model", values="predicted_clv").corr().min().min() < 0.999
    assert codes(result) == ["variant_once"]


def test_trained_often_a_variant_is_judged_by_all_runs(small_workspace: Workspace, tmp_path: Path) -> None:
    """The variant is nothing but another random start: what single runs differ by is luck, and so the range holds 0."""
    words = "--horizon-days 60 --origins 1 --models ziln_mlp --variant seed=40 --seeds 3"
    result = tried(small_workspace, f"{words} {QUICK}", tmp_path)
    assert "warnings" not in result
    (origin,) = result["origins"]
    board = {name: metrics["gini"] for name, metrics in result["metrics"][origin].items()}
    runs = ("", "#2", "#3")
    apart = [board[f"ziln_mlp{run}"] - board[f"ziln_mlp[seed=40]{run}"] for run in runs]
    gini = next(one for one in result["verdicts"] if one["metric"] == "gini")
    assert gini["advantage"]["value"] == pytest.approx(sum(apart) / 3)
    assert gini["params"]["ours"] == pytest.approx(sum(board[f"ziln_mlp{run}"] for run in runs) / 3)
    assert gini["advantage"]["low"] < 0 < gini["advantage"]["high"] and gini["outcome"] == "ties"
    assert max(apart) - min(apart) < gini["advantage"]["high"] - gini["advantage"]["low"]


def test_a_variant_is_what_a_run_with_that_setting_gives(
    varied: tuple[dict[str, Any], pd.DataFrame, Path], small_workspace: Workspace, tmp_path: Path
) -> None:
    words = "--horizon-days 60 --origins 1 --models ziln_mlp --set review_text=false"
    tried(small_workspace, f"{words} {QUICK}", tmp_path)
    alone = pd.read_parquet(tmp_path / "predictions.parquet").drop(columns="model")
    ours = varied[1].query("model == 'ziln_mlp[review_text=false]'").drop(columns="model")
    pd.testing.assert_frame_equal(ours.reset_index(drop=True), alone)


def test_those_whom_a_variant_does_not_know_get_what_never_buyers_were_worth(
    varied: tuple[dict[str, Any], pd.DataFrame, Path], small_workspace: Workspace
) -> None:
    predictions = varied[1].set_index("customer_id")
    origin = pd.Timestamp(predictions["origin"].iloc[0])
    events = pd.read_parquet(next(small_workspace.datasets.glob("shop/*/events.parquet")))
    bought = events[events["event_type"].isin(["purchase", "return"]) & (events["event_time"] < origin)]
    unknown = predictions[~predictions.index.isin(bought["customer_id"])]
    theirs = unknown.query("model == 'ziln_mlp[event_types=purchases]'")["predicted_clv"]
    assert len(theirs) > 20 and theirs.nunique() == 1
    assert theirs.iloc[0] == pytest.approx(unknown.query("model == 'bgnbd'")["predicted_clv"].iloc[0])


def test_without_a_number_there_are_as_many_origins_as_the_log_allows(
    small_workspace: Workspace, tmp_path: Path
) -> None:
    """540 days: 4 horizons of 90, one more to learn from, 28 days before it."""
    for days, origins in ((90, 4), (40, 5)):
        assert len(tried(small_workspace, f"--horizon-days {days} --models naive", tmp_path)["origins"]) == origins


@pytest.mark.parametrize(("small", "model"), [(0, "blend"), (10**9, "instant_tuned")])
def test_without_names_it_is_the_model_that_train_takes_beside_the_simple_ones(
    small: int, model: str, small_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def stop(workspace: Workspace, name: str, config: TrainConfig, plan: BacktestPlan, **_: Any) -> NoReturn:
        asked.update(models=plan.models, model=config.model)
        raise ClvError("unexpected", kind="stop")

    monkeypatch.setattr(cost, "SMALL", small)
    monkeypatch.setattr("clv_core.evaluation.backtest.backtest", stop)
    assert run(small_workspace, "backtest", "shop", "--horizon-days", 60, "--out", tmp_path)[0] == ClvError.exit_code
    assert asked["model"] == model and asked["models"] == [model, "naive", "bgnbd"]


def test_folds_are_written_beside_the_plain_figures(small_workspace: Workspace, tmp_path: Path) -> None:
    words = "--horizon-days 60 --origins 2 --models lightgbm,bgnbd --folds 3 --set cutoffs=3"
    result = tried(small_workspace, words, tmp_path)
    folds, table = result["folds"], pd.read_csv(tmp_path / "folds.csv")
    assert (folds["model"], folds["folds"], folds["origin"]) == ("lightgbm", 3, result["origins"][-1])
    plain, unseen = (folds["metrics"][view]["gini"] for view in ("plain", "unseen"))
    assert plain == pytest.approx(result["metrics"][folds["origin"]]["lightgbm"]["gini"])
    assert folds["advantage"]["gini"]["value"] == pytest.approx(plain - unseen)
    assert folds["outcome"] in ("leans", "holds", "unsure") and f"{unseen:.3f}" in folds["message"]
    sizes = table[table["metric"] == "mae"].pivot(index="fold", columns="view", values="customers")
    assert sizes.loc[[1, 2, 3]].sum().eq(sizes.loc[0]).all() and (sizes["plain"] == sizes["unseen"]).all()
