"""The monitor page: what it says is what monitoring found, alerts can be acknowledged, a retraining can be started."""

from __future__ import annotations

import json
import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs, pipeline
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import Message
from clv_core.evaluation import Estimate, Intervals
from clv_core.i18n import LANGUAGES, say_change, say_day, say_number, translate
from clv_core.jobs import NoProgress
from clv_core.monitoring import Outcome
from clv_core.monitoring import monitor as watch
from clv_core.monitoring.health import UNKNOWN, Recommendation
from clv_core.monitoring.monitor import monitor
from clv_core.monitoring.monitoring_report import save_outcome
from clv_core.monitoring.realized.realized_value import Realised, Tier, compare_realized
from clv_core.monitoring.retraining import MetricPair
from clv_core.strategy.segments import SegmentLabel, save_labels
from clv_core.workspace import Workspace
from pages.ui.navigation import BY_NAME
from tests.monitoring.steady_shop import another_channel, changed_from, day_after, steady_log, write_log
from tests.monitoring.test_telling import Hook, serving
from tests.monitoring.watched_shop import plant, watch_of
from tests.pages.conftest import OPEN, SIGN_IN, details, do, texts

pytestmark = pytest.mark.first(5)

SHELL = Path(__file__).resolve().parents[2] / "pages" / "shell.py"
CUTOFF = day_after(240)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose shop got a new channel after its model's cutoff, and the report of it."""
    root = tmp_path_factory.mktemp("changed")
    work = Workspace(root)
    events = changed_from(steady_log(500, 330, seed=3), CUTOFF, another_channel)
    ingest(work, write_log(events, root / "events.csv"), "shop", currency="EUR")
    plant(open_dataset(work, "shop"), watch_of())
    config = TrainConfig(horizon_days=60, model="bgnbd", cutoffs=3)
    bundle = pipeline.train(work, "shop", config, cutoff=CUTOFF, progress=NoProgress())
    monitor(Scored.open(work, "shop", bundle.id), progress=NoProgress())
    return root


@pytest.fixture
def root(changed: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return shutil.copytree(changed, tmp_path / "changed")


def test_the_page_says_what_was_found_and_what_to_do(open_page: OPEN, changed: Path) -> None:
    app = details(open_page(changed, "monitor", lang="en"))
    assert not app.error
    assert app.header[0].value == translate("recommend.retrain.data")
    said = texts(app)
    for question in ("data", "predictions", "realised"):
        assert translate(f"monitor.question.{question}") in said
    assert "“kiosk”" in said and translate("light.data.amber", n=1) in said
    assert translate("monitor.interval") in said and app.dataframe[0].value.shape[0] == 6
    assert [button.label for button in app.get("download_button")] == [
        translate("monitor.download.report"), translate("monitor.download.checks"),
    ]  # fmt: skip
    came = next(item.value for item in app.dataframe if "until" in item.value)
    last = CUTOFF + timedelta(days=60 - 1)
    assert came["until"].iloc[-1].date() == last, "the last day that is counted, not the first that is not"
    log = pd.read_csv(changed / "events.csv", parse_dates=["event_time"])
    known = set(log.loc[log["event_time"] < pd.Timestamp(CUTOFF), "customer_id"])
    days = log["event_time"].dt.date.between(CUTOFF, last) & log["customer_id"].isin(known)
    assert came["realised"].iloc[-1] == pytest.approx(log.loc[days, "amount"].sum(), abs=0.01)
    assert do(app, ("monitor_part", "drift")).selectbox(key="monitor_series").options


@pytest.mark.parametrize("lang", LANGUAGES)
def test_revenue_does_not_match_while_the_top_tier_is_outside_its_range(
    open_page: OPEN, root: Path, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    def top_below(*args: Any) -> tuple[list[Realised], list[Tier], Intervals | None]:
        realised, (top, *others), intervals = compare_realized(*args)
        return realised, [replace(top, low=1.01 * top.realised, high=1.5 * top.realised), *others], intervals

    work = Workspace(root)
    scored = Scored.open(work, "shop", list_bundles(work)[0].id)
    monkeypatch.setattr(watch, "compare_realized", top_below)
    found = watch.monitor(scored, progress=NoProgress())
    total, top = found.realised[-1], found.tiers[0]
    assert total.side == "inside" and top.side == "below", "the total alone would say yes"
    light = found.to_json()["lights"]["realised"]
    assert (light["light"], light["code"]) == ("amber", "light.realised.tier.below")
    save_labels(scored.dataset, "tiers:4", {"1": SegmentLabel("Gold_club")})
    app = details(open_page(root, "monitor", lang=lang))
    (said,) = [item.value for item in app.caption if "Gold" in item.value]
    amounts = [say_number(value, lang) for value in (top.realised, 1.01 * top.realised)]
    assert said.startswith("Gold\\_club") and all(amount in said for amount in amounts)
    shown = [item.value for item in app.dataframe if translate("column.tier", lang) in item.value][0]
    inside = {side: translate(f"monitor.side.{side}", lang) for side in ("inside", "below", "above")}
    assert list(shown[translate("monitor.column.side", lang)]) == [inside[tier.side] for tier in found.tiers]
    assert shown[translate("monitor.column.side", lang)].iloc[0] == inside["below"]


def test_an_alert_that_was_seen_no_longer_turns_the_light(open_page: OPEN, root: Path) -> None:
    app = details(open_page(root, "monitor", lang="zh"))
    (seen,) = [button for button in app.button if button.label == translate("monitor.acknowledge", "zh")]
    seen.click().run()
    assert app.header[0].value == translate("recommend.keep", "zh")
    said = texts(app)
    assert translate("monitor.alerts.none", "zh") in said and "“kiosk”" in said
    assert app.expander[0].label == translate("monitor.alerts.seen", "zh", n=1)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_where_nothing_came_after_the_cutoff_it_is_too_early_to_say_that_nothing_changed(
    open_page: OPEN, with_model: Path, tmp_path: Path, lang: str
) -> None:
    own = Path(shutil.copytree(with_model, tmp_path / "early"))
    found = monitor(Scored.open(Workspace(own), "shop", list_bundles(Workspace(own))[0].id), progress=NoProgress())
    assert {light.colour for light in found.lights} == {UNKNOWN}
    app = details(open_page(own, "monitor", lang=lang))
    said = texts(app)
    until = {"en": "28 Jan 2025", "zh": "2025年1月28日"}[lang]
    assert not app.error and app.header[0].value == translate("monitor.early", lang, until=until)
    assert translate("monitor.light.unknown", lang) not in said and translate("monitor.alerts", lang) not in said
    assert app.button(key="monitor_retrain").disabled
    day = {"en": "31 Dec 2024", "zh": "2024年12月31日"}[lang]
    about = translate("monitor.about.early", lang, cutoff=day, kind="|").partition("|")[0]
    assert day in about and any(about in item.value for item in app.caption)
    do(app, "monitor_add")
    assert app.title[0].value == translate("page.upload", lang), "the way on is to add what came since"


def test_one_click_starts_the_retraining_and_the_page_says_what_came_of_it(open_page: OPEN, root: Path) -> None:
    work = Workspace(root)
    app = do(details(open_page(root, "monitor", lang="en")), "monitor_retrain")
    job = jobs.jobs(work, "monitor")[0]
    model = list_bundles(work)[0].id
    assert job.status().args == ("monitor", "shop", "--model", model, "--retrain")
    assert app.button(key=f"cancel_{job.id}") and not app.dataframe
    why = Message("retrain.stays", {"origin": "2023-10-01", "customers": 1234})
    figures = (MetricPair("gini", 0.61, 0.62, Estimate(0.01, -0.01, 0.03)),)
    outcome = Outcome("stays", model, "other", why, figures=figures)
    result = {"retrain": outcome.to_json()}
    untold = {"error": jobs.JobError("webhook_failed", {"host": "chat.example", "reason": "HTTP 500"})}
    for ending in ({"state": jobs.DONE}, {"state": jobs.FAILED, **untold}):
        jobs.update_status(job.folder, **ending, result=result)
        app.run()
        said = texts(app)
        assert "1,234 customers" in said and "0.610" in said
    assert "chat.example" in app.error[0].value
    later = replace(outcome, why=Message(why.code, {**why.params, "customers": 4321}))
    save_outcome(work, [model], later)  # as a night does, without a job
    said = texts(app.run())
    assert "4,321 customers" in said and "1,234 customers" not in said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_advice_and_button_say_the_same_about_retraining_now(open_page: OPEN, root: Path, lang: str) -> None:
    app = details(
        open_page(root, "monitor", lang=lang)
    )  # the channel is new since the cutoff, a forecast period and more ago
    assert app.header[0].value == translate("recommend.retrain.data", lang)
    assert app.button(key="monitor_retrain").label == translate("monitor.retrain", lang)
    assert app.button(key="monitor_retrain").proto.type == "primary"
    path = next(root.glob("datasets/*/made/*/*/monitoring/report.json"))
    report = json.loads(path.read_text())
    report["alerts"][0]["begin"] = day_after(280).isoformat()  # the log ends after 330 days
    path.write_text(json.dumps(report))
    app.run()
    assert app.header[0].value == translate("recommend.keep.wait", lang, since=say_day(day_after(341), lang))
    button = app.button(key="monitor_retrain")
    assert (button.label, button.proto.type) == (translate("monitor.retrain.anyway", lang), "secondary")
    assert not button.disabled


@pytest.mark.parametrize("lang", LANGUAGES)
def test_monitor_and_evaluate_show_the_same_figure_of_the_promoted_model(
    open_page: OPEN, root: Path, lang: str
) -> None:
    """The mean over random starts, by which models are compared, stands beside it."""
    work = Workspace(root)
    model = list_bundles(work)[0]
    own = model.record.metrics["bias"]
    why = Message("retrain.promoted", {"origin": "2023-06-30", "customers": 500})
    mean = MetricPair("bias", 0.21, own - 0.1, Estimate(-0.05, -0.2, 0.1))
    save_outcome(work, [model.id], Outcome("promoted", "old", model.id, why, "2023-06-30", 500, (mean,), 3))
    evaluated = {tile.label: tile.value for tile in open_page(root, "evaluate", lang=lang).metric}
    shown = evaluated[translate("metric.bias", lang)]
    texts_of = {name: say_change(figure, 1) for name, figure in (("own", own), ("challenger", own - 0.1))}
    assert shown == texts_of["own"] != texts_of["challenger"]
    app = details(open_page(root, "monitor", lang=lang))
    line = translate(
        "monitor.figure.starts",
        lang,
        metric=translate("metric.bias", lang),
        champion="+21.0%",
        starts=3,
        **texts_of,
    )
    said = [item.value for item in app.caption]
    assert line in said
    assert translate("monitor.figure.test", lang, origin=say_day("2023-06-30", lang)) in said
    assert any(texts_of["challenger"] in item.value and "21.0%" in item.value for item in app.markdown), "it got worse"


@pytest.mark.parametrize(("broken", "note"), [(True, "monitor.retrain.broken"), (False, "monitor.retrain.note")])
def test_beside_the_button_stands_what_becomes_of_a_better_challenger(
    open_page: OPEN, changed: Path, monkeypatch: pytest.MonkeyPatch, broken: bool, note: str
) -> None:
    monkeypatch.setattr(Recommendation, "of_broken_data", broken)
    said = translate(note, as_of="26 Nov 2023", horizon=60)  # the last day of the log
    assert said in [item.value for item in details(open_page(changed, "monitor", lang="en")).caption]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_checks_name_events_and_columns_in_the_language_of_the_page_and_amounts_have_a_unit(
    open_page: OPEN, root: Path, lang: str
) -> None:
    app = do(details(open_page(root, "monitor", lang=lang)), ("monitor_part", "drift"))
    chooser = app.selectbox(key="monitor_series")
    assert translate("monitor.what.events", lang, value=translate("event.purchase", lang)) in chooser.options
    if lang == "zh":
        assert not [one for one in chooser.options if re.search("[a-z]{4}", one)]
    price = translate("monitor.what.amount", lang)
    charts = [json.loads(one.proto.spec)["layout"] for one in chooser.set_value(price).run().get("plotly_chart")]
    titles = [chart["yaxis"]["title"]["text"] for chart in charts if "title" in chart["yaxis"]]
    assert translate("column.in_unit", lang, label=price, unit="EUR") in titles


def test_a_report_that_is_not_there_is_made_by_a_run(open_page: OPEN, root: Path) -> None:
    shutil.rmtree(next(root.glob("datasets/*/made/*/*/monitoring")))
    app = details(open_page(root, "monitor", lang="en"))
    assert translate("monitor.wait") in texts(app)
    assert jobs.jobs(Workspace(root), "monitor")[0].status().args[:2] == ("monitor", "shop")


@pytest.mark.slow
def test_what_a_viewer_has_looked_at_is_told_to_nobody(
    root: Path, sign_in: SIGN_IN, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may change things, and cron, tell of the same alerts later."""
    with contextmanager(serving)(Hook()) as hook:
        monkeypatch.setenv("CLV_WORKSPACE", str(root))
        monkeypatch.setenv("CLV_WEBHOOK_URL", hook.url)
        for email, told in (("bob@shop.example", 0), ("ana@shop.example", 1)):
            shutil.rmtree(next(root.glob("datasets/*/made/*/*/monitoring")))
            sign_in(email)
            app = AppTest.from_file(str(SHELL), default_timeout=60).run()
            details(app.switch_page(BY_NAME["monitor"].path).run())
            job = jobs.jobs(Workspace(root), "monitor")[0]
            while job.status().state == jobs.RUNNING:
                time.sleep(0.2)
            assert job.status().result["alerts"] and len(hook.received) == told
