"""The search for settings on the train page: started with the form's settings, told with its ranges, taken over."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection.store import open_dataset
from clv_core.evaluation.tune import SPACE
from clv_core.i18n import translate
from clv_core.training.choice import DEFAULT
from clv_core.workspace import Workspace, write_json
from pages.ui.training import USUAL_HORIZONS

OPEN = Callable[..., AppTest]
SETTINGS = {
    "learning_rate": 0.004,
    "weight_decay": 0.02,
    "dropout": 0.3,
    "batch_size": 256,
    "mlp_width": 32,
    "mlp_layers": 1,
    "rnn": "lstm",
    "rnn_width": 64,
    "max_steps_back": 80,
}


@pytest.fixture
def root(with_dataset: Path, tmp_path: Path) -> Path:
    shutil.copytree(with_dataset, tmp_path / "ws")
    return tmp_path / "ws"


def keep(root: Path, days: int, **changes: object) -> None:
    found = {
        "dataset": "shop",
        "version": open_dataset(Workspace(root), "shop").version,
        "settings": SETTINGS,
        "loss": 0.9,
        "default_loss": 1.0,
        "origin": "2024-10-02",
        "origins": ["2024-04-05", "2024-07-04"],
        "advantage": {"gini": {"value": 0.01, "low": -0.002, "high": 0.03}},
        "trials": [{"number": 0}, {"number": 1}],
    }
    (root / "tuning").mkdir(exist_ok=True)
    write_json(root / "tuning" / f"shop-{days}d.json", {**found, **changes})


def test_the_search_is_a_job_for_the_chosen_horizon(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "train", lang="en")
    days = app.session_state["train_horizon"]
    app.selectbox(key="tune_trials").set_value(40).run()
    app.button(key="start_tuning").click().run()
    words = jobs.jobs(Workspace(root), "tune")[0].status()["args"]
    chosen = ["--model", DEFAULT]
    assert words == ["tune", "shop", "--horizon-days", str(days), "--trials", "40", "--origins", "3", *chosen]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_was_found_is_said_with_its_range(open_page: OPEN, root: Path, lang: str) -> None:
    for days in USUAL_HORIZONS:
        keep(root, days)
    app = open_page(root, "train", lang=lang)
    assert not app.exception
    said = translate("tune.range", lang, value="0.010", low="-0.002", high="0.030")
    assert any(said in frame.value.to_numpy() for frame in app.dataframe)
    days = {"en": "5 Apr 2024, 4 Jul 2024", "zh": "2024年4月5日, 2024年7月4日"}[lang]
    assert translate("tune.chosen_on", lang, origins=days) in [one.value for one in app.caption]


def test_the_settings_are_taken_over_into_the_form(open_page: OPEN, root: Path) -> None:
    assert set(SETTINGS) == set(SPACE)
    app = open_page(root, "train", lang="en")
    keep(root, app.session_state["train_horizon"])
    app.run()
    app.button(key="use_tuned").click().run()
    assert app.selectbox(key="setting_rnn").value == "lstm"
    assert app.number_input(key="setting_learning_rate").value == 0.004
    assert not app.exception


def test_a_search_over_an_older_version_of_the_log_is_not_shown(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "train", lang="en")
    keep(root, app.session_state["train_horizon"], version="000000000000")
    app.run()
    assert not any(button.key == "use_tuned" for button in app.button)
