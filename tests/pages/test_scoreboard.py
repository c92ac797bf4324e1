"""The comparison on the evaluate page: offered, made, and true to the files of the backtest."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.cli import main
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.deployment.saved_evaluation import backtest_folder
from clv_core.i18n import translate
from clv_core.training.fit import MODELS
from clv_core.training.windows import rolling_origins
from clv_core.workspace import Workspace, write_json
from pages.ui import i18n, widgets
from pages.ui.evaluate import scoreboard
from tests.pages.conftest import OPEN, do

pytestmark = pytest.mark.first(3)

PARTS = ("value", "low", "high")
MODELS_PART = ("evaluate_part", "models")


@pytest.fixture(scope="module")
def compared(with_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose model has been compared with the naive one at two cutoffs."""
    root = tmp_path_factory.mktemp("compared")
    shutil.copytree(with_model, root, dirs_exist_ok=True)
    bundle = list_bundles(Workspace(root))[0]
    out = backtest_folder(Workspace(root), bundle)
    words = ["backtest", "shop", "--horizon-days", "60", "--origins", "2", "--models", "bgnbd,naive", "--out", str(out)]
    assert main([*words, "--workspace", str(root)]) == 0
    return root


def test_the_comparison_is_offered_and_started_with_the_models_own_settings(
    open_page: OPEN, with_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i18n, "span", lambda seconds: f"{seconds!r} s")  # whole minutes may be the same by chance
    app = do(open_page(with_model, "evaluate", lang="en"), MODELS_PART)
    dataset = open_dataset(Workspace(with_model), "shop")
    allowed = len(rolling_origins(date.fromisoformat(dataset.manifest.first_event[:10]), dataset.log_end, 90))
    key = f"board_cutoffs_{list_bundles(Workspace(with_model))[0].id}"
    assert allowed >= 3 and app.segmented_control(key=key).options[-1] == str(allowed)
    short = _seconds_said(app)
    do(app, (key, allowed))
    assert short < _seconds_said(app)
    app.button(key="start_board").click().run()
    words = list(jobs.jobs(Workspace(with_model), "backtest")[0].status().args)
    assert words[:4] == ["backtest", "shop", "--horizon-days", "90"]
    assert "cutoffs=3" in words and "bgnbd" in words[words.index("--models") + 1].split(",")
    assert "--folds" not in words  # BG/NBD does not learn from single customers


@pytest.mark.parametrize("model", MODELS)
def test_folds_are_asked_for_where_the_command_takes_them(with_model: Path, tmp_path: Path, model: str) -> None:
    bundle = list_bundles(Workspace(with_model))[0]
    config = {**bundle.record.config, "model": model}
    ours = Bundle(bundle.folder, replace(bundle.record, model=model, config=config))
    words = scoreboard.command(ours, [model, "naive"], tmp_path, 3)
    assert ("--folds" in words) != MODELS[model].baseline
    assert "--folds" not in scoreboard.command(ours, [model, "naive"], tmp_path, 1)
    assert words[words.index("--models") + 1] == f"{model},naive"


@pytest.mark.parametrize(
    ("model", "first"),
    [("blend", ["hybrid", "instant_tuned"]), ("hybrid", ["mlp", "rnn"]), ("bgnbd", ["blend"]), ("naive", ["blend"])],
)
def test_a_model_is_held_against_its_parts_and_any_other_against_the_usual_one(model: str, first: list[str]) -> None:
    proposed = scoreboard.rivals(model, "blend")
    assert proposed[: len(first)] == first and {model, "bgnbd"}.isdisjoint(proposed)
    assert set(proposed) <= set(MODELS) and len(set(proposed)) == len(proposed)


def test_the_person_chooses_whom_the_model_is_held_against(
    open_page: OPEN, with_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i18n, "span", lambda seconds: f"{seconds!r} s")  # whole minutes may be the same by chance
    app = do(open_page(with_model, "evaluate", lang="en"), MODELS_PART)
    bundle = list_bundles(Workspace(with_model))[0]
    offered = app.multiselect(key=f"board_rivals_{bundle.id}")
    assert offered.value == ["blend", "paretonbd", "lightgbm", "naive"]
    before = _seconds_said(app)
    offered.set_value(["naive", "ziln_mlp"]).run()
    assert 0 < _seconds_said(app) < before
    app.button(key="start_board").click().run()
    words = list(max(jobs.jobs(Workspace(with_model), "backtest"), key=lambda job: job.id).status().args)
    assert words[words.index("--models") + 1] == "bgnbd,naive,ziln_mlp"


def _seconds_said(app: AppTest) -> float:
    (said,) = (item.value for item in app.caption if item.value.startswith("Takes about "))
    return float(said.removeprefix("Takes about ").partition(" s.")[0])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_verdicts_figures_and_parts_are_those_of_the_files(open_page: OPEN, compared: Path, lang: str) -> None:
    app = do(open_page(compared, "evaluate", lang=lang), MODELS_PART)
    folder = next(compared.glob("datasets/*/made/*/*/backtest"))
    scores, parts = pd.read_csv(folder / "scoreboard.csv"), pd.read_csv(folder / "slices.csv")
    tables = [item.value for item in app.dataframe]
    board = next(frame for frame in tables if translate("metric.decile_mape", lang) in frame)
    mean = scores[(scores["model"] == "bgnbd") & (scores["metric"] == "gini")]["value"].mean()
    assert board[translate("metric.gini", lang)].iloc[0] == f"{mean:.3f}"
    misses = scores[(scores["model"] == "bgnbd") & (scores["metric"] == "bias")]["value"]
    size = translate("board.size", lang, metric=translate("metric.bias", lang))
    assert board[size].iloc[0] == f"{misses.abs().mean():.1%}"
    assert not any("Naive" in item.value for item in app.markdown), "one model has one name on a page"
    sliced = next(frame for frame in tables if translate("board.slice", lang) in frame)
    latest = parts[parts["origin"] == parts["origin"].max()]
    assert len(sliced) == latest["slice"].nunique()
    one = latest[(latest["slice"] == "one_time_buyers") & (latest["model"] == "bgnbd")].iloc[0]
    row = sliced[sliced[translate("board.slice", lang)] == translate("slice.one_time_buyers", lang)].iloc[0]
    assert row[translate("column.customers", lang)] == f"{one['customers']:,}"
    ranged = next(
        frame
        for frame in tables
        if translate("column.metric", lang) in frame and translate("column.meaning", lang) not in frame
    )
    last = scores[(scores["origin"] == scores["origin"].max()) & (scores["model"] == "bgnbd")]
    assert len(ranged) == last["metric"].nunique() >= 20
    said = {name: f"{value:.3f}" for name, value in last.set_index("metric").loc["gini"].items() if name in PARTS}
    gini = ranged[ranged[translate("column.metric", lang)] == translate("metric.gini", lang)].iloc[0]
    assert gini[translate("model.bgnbd", lang)] == translate("board.range", lang, **said)
    files = {item.key for item in app.get("download_button")}
    assert {f"download_{name}" for name in ("scoreboard", "slices", "seasons", "stability")} <= files
    seasonal = next(frame for frame in tables if translate("board.season", lang) in frame)
    for frame in (sliced, seasonal):
        misses = frame[next(name for name in frame if name.startswith(translate("metric.mae", lang)))]
        assert all(text.endswith(" EUR") for text in misses if text != "–")
    assert len(seasonal) == pd.read_csv(folder / "seasons.csv")["season"].nunique()
    verdicts = json.loads((folder / "backtest.json").read_text())["verdicts"]
    ranked = [one["outcome"] for one in verdicts if (one["model"], one["metric"]) == ("bgnbd", "gini")]
    counts = {outcome: ranked.count(outcome) for outcome in ("beats", "ties", "loses")}
    assert ranked and any(
        widgets.escape(translate("board.ranking", lang, **counts)) in one.value for one in app.markdown
    )
    assert any(
        translate("board.stable.origins", lang, overlap="").split("，")[0][:8] in item.value for item in app.markdown
    )


@pytest.mark.parametrize(("lang", "outcome"), [("en", "leans"), ("zh", "holds")])
def test_the_second_view_says_what_its_file_says(open_page: OPEN, compared: Path, lang: str, outcome: str) -> None:
    folder = next(compared.glob("datasets/*/made/*/*/backtest"))
    before = (folder / "backtest.json").read_bytes()
    params = {"seen": 0.761, "unseen": 0.702, "low": 0.03, "high": 0.08, "folds": 2}
    said = {"model": "bgnbd", "folds": 2, "outcome": outcome, "code": outcome, "params": params}
    write_json(folder / "backtest.json", {**json.loads(before), "folds": said})
    rows = [("plain", 0, 0.761), ("unseen", 0, 0.702), ("unseen", 1, 0.65), ("unseen", 2, 0.75), ("plain", 1, 0.1)]
    table = pd.DataFrame([(*row, "gini") for row in rows], columns=["view", "fold", "value", "metric"])
    table.to_csv(folder / "folds.csv", index=False)
    try:
        app = do(open_page(compared, "evaluate", lang=lang), MODELS_PART)
    finally:
        (folder / "backtest.json").write_bytes(before)
        (folder / "folds.csv").unlink()
    assert any(translate(f"folds.{outcome}", lang, **params) in item.value for item in app.markdown)
    shown = next(item.value for item in app.dataframe if translate("board.folds.view", lang) in item.value)
    assert shown[translate("metric.gini", lang)].to_list() == ["0.761", "0.702", "0.650 – 0.750"]
