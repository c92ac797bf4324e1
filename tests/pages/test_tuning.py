"""The search for settings on the train page: started with the form's settings, told with its ranges, taken over."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection.ingest import ingest
from clv_core.collection.store import open_dataset
from clv_core.evaluation.tune import SPACE
from clv_core.i18n import translate
from clv_core.training.choice import DEFAULT
from clv_core.workspace import Workspace, write_json
from pages.ui.forms import key_of
from pages.ui.navigation import BY_NAME
from pages.ui.training import USUAL_HORIZONS, of

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


def of_shop(root: Path) -> str:
    return of(open_dataset(Workspace(root), "shop"))


def horizon_days(app: AppTest, root: Path) -> int:
    return int(app.session_state[f"train_horizon_{of_shop(root)}"])


def keep(root: Path, days: int, **changes: object) -> None:
    found = {
        "dataset": "shop",
        "version": open_dataset(Workspace(root), "shop").version,
        "settings": SETTINGS,
        "loss": 0.9,
        "default_loss": 1.0,
        "origin": "2024-10-02",
        "advantage": {"gini": {"value": 0.01, "low": -0.002, "high": 0.03}},
        "trials": [{"number": 0}, {"number": 1}],
    }
    (root / "tuning").mkdir(exist_ok=True)
    write_json(root / "tuning" / f"shop-{days}d.json", {**found, **changes})


def test_the_search_is_a_job_for_the_chosen_horizon(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "train", lang="en")
    days = horizon_days(app, root)
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


def test_the_settings_are_taken_over_into_the_form(open_page: OPEN, root: Path) -> None:
    assert set(SETTINGS) == set(SPACE)
    app = open_page(root, "train", lang="en")
    keep(root, horizon_days(app, root))
    app.run()
    app.button(key="use_tuned").click().run()
    assert app.selectbox(key=key_of("rnn", of_shop(root))).value == "lstm"
    assert app.number_input(key=key_of("learning_rate", of_shop(root))).value == 0.004
    assert not app.exception


def test_a_search_over_an_older_version_of_the_log_is_not_shown(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "train", lang="en")
    keep(root, horizon_days(app, root), version="000000000000")
    app.run()
    assert not any(button.key == "use_tuned" for button in app.button)


def test_another_dataset_begins_with_its_own_choices_and_a_page_change_keeps_them(open_page: OPEN, root: Path) -> None:
    rows = [f"C{n % 120},{date(2023, 1, 1) + timedelta(days=n * 2)},{n % 30 + 1}" for n in range(360)]
    (root / "small.csv").write_text("\n".join(["customer_id,date,amount", *rows]))
    ingest(Workspace(root), root / "small.csv", "small")
    small, shop = (of(open_dataset(Workspace(root), name)) for name in ("small", "shop"))
    app = open_page(root, "train", lang="en", dataset="small")
    assert app.selectbox(key=key_of("model", small)).value == "instant_tuned"
    app.segmented_control(key=f"train_horizon_{small}").set_value(30).run()
    app.number_input(key=key_of("seed", small)).set_value(7).run()
    app.selectbox(key="dataset").set_value("shop").run()
    assert app.selectbox(key=key_of("model", shop)).value == DEFAULT
    assert app.segmented_control(key=f"train_horizon_{shop}").value != 30
    assert app.number_input(key=key_of("seed", shop)).value != 7
    app.switch_page(BY_NAME["home"].path).run().switch_page(BY_NAME["train"].path).run()
    app.selectbox(key="dataset").set_value("small").run()
    assert app.segmented_control(key=f"train_horizon_{small}").value == 30
    assert app.number_input(key=key_of("seed", small)).value == 7
