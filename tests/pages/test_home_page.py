"""The home page: the loop says what was done, and the table of datasets what the other pages say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core import jobs
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.zero_shot import zero_shot
from clv_core.i18n import say_day, say_money, translate
from clv_core.jobs import NoProgress
from clv_core.monitoring.health import assess_health, recommend
from clv_core.monitoring.monitoring_report import Report, report_folder
from clv_core.workspace import Workspace
from pages.ui.home import dashboard
from tests.manifests import export_record, report_facts
from tests.pages.conftest import OPEN, SAMPLE, do, scores_file


@pytest.fixture
def own(root: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("CLV_WORKSPACE", str(root))
    return Workspace(root)


def test_acting_is_done_once_a_list_left_and_not_when_a_page_kept_its_scores(own: Workspace) -> None:
    dataset, model = open_dataset(own, "shop"), list_bundles(own)[0]
    (own.exports / f"{model.id}-scores.parquet").touch()
    assert "strategy" not in dashboard.steps_done(dataset, model)
    lines = [export_record(model=model.id, format=format).to_json() for format in ("reasons", "csv")]
    log = own.exports / "log.jsonl"
    log.write_text(json.dumps(lines[0]) + "\n", encoding="utf-8")
    assert "strategy" not in dashboard.steps_done(dataset, model)
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert "strategy" in dashboard.steps_done(dataset, model)


def test_watching_is_done_once_monitoring_has_compared_something(own: Workspace) -> None:
    dataset, model = open_dataset(own, "shop"), list_bundles(own)[0]
    assert "monitoring" not in dashboard.steps_done(dataset, model)
    facts, health = report_facts(), assess_health([], {})
    report = Report(facts, [], health, recommend(health), [], [], [], [], [])
    report.save(report_folder(Scored.of(own, dataset, model)))
    assert "monitoring" not in dashboard.steps_done(dataset, model), "too early is no comparison"
    replace(report, chunks=[["2025-01-01", "2025-02-01"]]).save(report_folder(Scored.of(own, dataset, model)))
    assert "monitoring" in dashboard.steps_done(dataset, model)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_dataset_ends_on_the_last_day_of_its_log(open_page: OPEN, with_dataset: Path, lang: str) -> None:
    last = open_dataset(Workspace(with_dataset), "shop").log_end - timedelta(days=1)
    table = open_page(with_dataset, "home", lang=lang).dataframe[0].value
    assert table[translate("column.until", lang)].tolist() == [say_day(last, lang)]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_model_is_not_said_to_have_learned_what_the_log_got_since(
    open_page: OPEN, own: Workspace, tmp_path: Path, lang: str
) -> None:
    learned = open_dataset(own, "shop").log_end
    before = open_page(own.root, "home", lang=lang)
    row = pd.read_csv(SAMPLE, dtype=str).query("event_type == 'purchase'").tail(1)
    row = row.assign(customer_id="new", event_time=f"{learned + timedelta(days=3)} 12:00:00")
    row.to_csv(tmp_path / "next.csv", index=False)
    append(own, "shop", tmp_path / "next.csv")
    after = open_page(own.root, "home", lang=lang)
    assert not after.error
    last = say_day(learned - timedelta(days=1), lang)
    assert last not in before.header[0].value and last in after.header[0].value


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_revenues_say_in_what_currency_they_are(open_page: OPEN, with_dataset: Path, lang: str) -> None:
    table = open_page(with_dataset, "home", lang=lang).dataframe[0].value
    assert table[translate("manage.currency", lang)].tolist() == ["EUR"]


def test_a_first_look_has_passed_neither_model_nor_training(own: Workspace) -> None:
    zero_shot(own, "shop", progress=NoProgress())
    look = next(bundle for bundle in list_bundles(own) if bundle.untrained)
    assert not {"model", "training", "evaluation"} & dashboard.steps_done(open_dataset(own, "shop"), look)


def test_an_empty_workspace_offers_the_upload_once(open_page: OPEN, tmp_path: Path) -> None:
    app = open_page(tmp_path, "home", lang="en")
    assert "door_upload" in [button.key for button in app.button]
    assert "door_on" not in [button.key for button in app.button]


def test_a_button_that_is_pressed_twice_starts_one_run_which_both_presses_follow(
    open_page: OPEN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second press may end the page's run before it has remembered the first one's: it knows nothing of it."""
    first, second, later = (open_page(tmp_path, "home", lang="en") for _ in range(3))
    for app in (first, second):
        do(app, "door_sample")
    [job] = jobs.jobs(Workspace(tmp_path))
    assert [app.query_params["run"] for app in (first, second)] == [job.id] * 2
    monkeypatch.setattr(jobs, "DOUBLE_CLICK_SECONDS", 0.0)
    do(later, "door_sample")
    assert len(jobs.jobs(Workspace(tmp_path))) == 2


def test_home_opens_with_what_the_model_predicts(open_page: OPEN, with_model: Path) -> None:
    scores = pd.read_parquet(scores_file(with_model))
    app = open_page(with_model, "home", lang="en")
    assert say_money(scores["predicted_clv"].sum(), "EUR") in app.header[0].value
    buyers = round(scores["p_purchase"].sum())
    assert translate("home.buyers", buyers=f"{buyers:,}") in [one.value for one in app.header]
    assert "home_next" in [button.key for button in app.button] and "door_on" not in [one.key for one in app.button]
