"""The search for settings on the train page: started with the form's settings, told with its ranges, taken over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection import USUAL_HORIZONS
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.saved_evaluation import save_tuning
from clv_core.evaluation.bootstrap import Estimate
from clv_core.evaluation.tune import SPACE, Search, Trial, Tuning
from clv_core.i18n import translate
from clv_core.training.cost import DEFAULT
from clv_core.workspace import Workspace, read_json, write_json
from pages.ui.navigation import BY_NAME
from pages.ui.train.training import form_id, key_of
from tests.pages.conftest import OPEN, do, newest

SETTINGS = {
    "activation": "relu",
    "optimizer": "adam",
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


def of_shop(bare: Path) -> str:
    return form_id(open_dataset(Workspace(bare), "shop"))


def horizon_days(app: AppTest, bare: Path) -> int:
    return int(app.session_state[f"train_horizon_{of_shop(bare)}"])


def keep(
    bare: Path, days: int, model: str = DEFAULT, version: str = "", settings: dict[str, object] = SETTINGS
) -> None:
    """Keep a search that started from the default of a model and found ``SETTINGS``."""
    dataset = open_dataset(Workspace(bare), "shop")
    version = version or dataset.version
    dataset = replace(dataset, manifest=replace(dataset.manifest, version=version))
    config = TrainConfig(horizon_days=days, model=model)
    default = Trial(0, {name: getattr(config, name) for name in SPACE}, 1.0, "complete")
    trials = (default, Trial(1, settings, 0.9, "complete"))
    search = Search(trials, default, (date(2024, 4, 5), date(2024, 7, 4)))
    found = Tuning(search, "2024-10-02", {"gini": Estimate(0.01, -0.002, 0.03), "mae": Estimate(0.5, 0.2, 0.8)})
    save_tuning(dataset, config, found)


def test_the_search_is_a_job_for_the_horizon_and_the_model_that_were_chosen(open_page: OPEN, bare: Path) -> None:
    app = open_page(bare, "train", lang="en")
    days = horizon_days(app, bare)
    for model in (DEFAULT, "hybrid"):
        do(app, (key_of("model", of_shop(bare)), model), ("tune_trials", 40), "start_tuning")
        job = newest(bare, "tune")
        chosen = ["--horizon-days", str(days), "--model", model]
        assert job.status().args == ("tune", "shop", *chosen, "--trials", "40", "--origins", "3")
        jobs.update_status(job.folder, state=jobs.CANCELLED)
        app = open_page(bare, "train", lang="en")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_was_found_is_said_with_its_range(open_page: OPEN, bare: Path, lang: str) -> None:
    for days in USUAL_HORIZONS:
        keep(bare, days)
    app = open_page(bare, "train", lang=lang)
    said = translate("tune.range", lang, value="0.010", low="−0.002", high="0.030")
    assert any(said in frame.value.to_numpy() for frame in app.dataframe)
    money = translate("tune.range", lang, value="0.5 EUR", low="0.2 EUR", high="0.8 EUR")
    assert any(money in frame.value.to_numpy() for frame in app.dataframe)
    dates = {"en": "5 Apr 2024, 4 Jul 2024", "zh": "2024年4月5日、2024年7月4日"}[lang]
    assert translate("tune.chosen_on", lang, origins=dates) in [one.value for one in app.caption]
    judged = translate("tune.judged", lang, origin={"en": "2 Oct 2024", "zh": "2024年10月2日"}[lang], starts="3")
    assert judged in [one.value for one in app.caption]
    assert DEFAULT == "blend", "of which the search trains one part, whose error is said"
    assert translate("tune.part", lang, part=translate("model.hybrid", lang)) in [one.value for one in app.caption]


def test_a_search_from_before_starts_counted_does_not_claim_them(open_page: OPEN, bare: Path) -> None:
    for days in USUAL_HORIZONS:
        keep(bare, days)
    for path in bare.glob("datasets/shop/made/*/tuning-*.json"):
        write_json(path, {name: value for name, value in read_json(path).items() if name != "starts"})
    app = open_page(bare, "train", lang="en")
    said = [one.value for one in app.caption]
    assert translate("tune.judged.once", "en", origin="2 Oct 2024", starts="1") in said
    assert translate("tune.judged", "en", origin="2 Oct 2024", starts="3") not in said


def test_the_settings_are_taken_over_into_the_form(open_page: OPEN, bare: Path) -> None:
    assert set(SETTINGS) == set(SPACE)
    app = open_page(bare, "train", lang="en")
    keep(bare, horizon_days(app, bare))
    app.run()
    app.button(key="use_tuned").click().run()
    assert app.selectbox(key=key_of("rnn", of_shop(bare))).value == "lstm"
    assert app.number_input(key=key_of("learning_rate", of_shop(bare))).value == 0.004
    assert app.button(key="use_tuned").disabled


def test_a_value_that_is_leaving_is_offered_only_where_an_earlier_search_found_it(open_page: OPEN, bare: Path) -> None:
    app = open_page(bare, "train", lang="en")
    keys = {name: key_of(name, of_shop(bare)) for name in ("head", "optimizer")}
    offered = {name: app.selectbox(key=key).options for name, key in keys.items() if name != "head"}
    assert len(offered["optimizer"]) == 2 and not [box for box in app.selectbox if box.key == keys["head"]]
    keep(bare, horizon_days(app, bare), settings={**SETTINGS, "head": "tweedie", "optimizer": "sgd"})
    app.run()
    app.button(key="use_tuned").click().run()
    assert [app.selectbox(key=key).value for key in keys.values()] == ["tweedie", "sgd"]


def test_what_another_model_s_search_found_is_not_shown_and_not_overwritten(open_page: OPEN, bare: Path) -> None:
    app = open_page(bare, "train", lang="en")
    for model in ("mlp", "rnn"):
        keep(bare, horizon_days(app, bare), model)
    app.run()
    assert not any(button.key == "use_tuned" for button in app.button)
    for model in ("mlp", "rnn"):
        app.selectbox(key=key_of("model", of_shop(bare))).set_value(model).run()
        assert not app.button(key="use_tuned").disabled


def test_a_search_over_an_older_version_of_the_log_is_not_shown(open_page: OPEN, bare: Path) -> None:
    app = open_page(bare, "train", lang="en")
    keep(bare, horizon_days(app, bare), version="000000000000")
    app.run()
    assert not any(button.key == "use_tuned" for button in app.button)


def test_another_dataset_begins_with_its_own_choices_and_a_page_change_keeps_them(open_page: OPEN, bare: Path) -> None:
    rows = [f"C{n % 120},{date(2023, 1, 1) + timedelta(days=n * 2)},{n % 30 + 1}" for n in range(360)]
    (bare / "small.csv").write_text("\n".join(["customer_id,date,amount", *rows]))
    ingest(Workspace(bare), bare / "small.csv", "small")
    small, shop = (form_id(open_dataset(Workspace(bare), name)) for name in ("small", "shop"))
    app = open_page(bare, "train", lang="en", dataset="small")
    assert app.selectbox(key=key_of("model", small)).value == "instant_tuned"
    do(app, (f"train_horizon_{small}", 30), (key_of("seed", small), 7), ("dataset", "shop"))
    assert app.selectbox(key=key_of("model", shop)).value == DEFAULT
    assert app.segmented_control(key=f"train_horizon_{shop}").value != 30
    assert app.number_input(key=key_of("seed", shop)).value != 7
    app.switch_page(BY_NAME["home"].path).run().switch_page(BY_NAME["train"].path).run()
    app.selectbox(key="dataset").set_value("small").run()
    assert app.segmented_control(key=f"train_horizon_{small}").value == 30
    assert app.number_input(key=key_of("seed", small)).value == 7
