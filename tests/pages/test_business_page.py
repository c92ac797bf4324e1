"""The monitor page's first screen: the business, whether it is as expected, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import Message
from clv_core.i18n import LANGUAGES, say_day, translate
from clv_core.monitoring.saved_watch import find_watch, watch_path
from clv_core.workspace import Workspace
from pages.ui import navigation
from tests.monitoring.steady_shop import day_after, steady_log, write_log
from tests.monitoring.watched_shop import END, finding, plant, watch_of
from tests.pages.conftest import OPEN, SIGN_IN, details, do, really, texts

OUT, BACK = 360, 369
"""First and last day without any event."""


@pytest.fixture(scope="module")
def out_for_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose shop, without any model, had no event for ten days, and three weeks since."""
    root = tmp_path_factory.mktemp("out")
    events = steady_log(600, 390, seed=4)
    out = events["event_time"].between(pd.Timestamp(day_after(OUT)), pd.Timestamp(day_after(BACK + 1)))
    ingest(Workspace(root), write_log(events[~out], root / "events.csv"), "shop", currency="EUR")
    return root


def drawn(app: AppTest) -> dict[str, Any]:
    """Return the chart of figures by day."""
    (chart,) = app.get("plotly_chart")
    found: dict[str, Any] = json.loads(chart.proto.spec)
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_ten_days_without_an_event_are_the_first_thing_that_it_says(
    open_page: OPEN, out_for_days: Path, lang: str
) -> None:
    dataset = open_dataset(Workspace(out_for_days), "shop")
    if find_watch(dataset) is None:
        waiting = open_page(out_for_days, "monitor", lang=lang)
        assert translate("monitor.business.wait", lang) in texts(waiting) and waiting.get("progress")
        assert really(out_for_days, "monitor") == ["monitor", "shop", "--business"]
    app = open_page(out_for_days, "monitor", lang=lang)
    said = app.header[0].value
    assert all(say_day(day_after(day), lang) in said for day in (OUT, BACK))
    assert {"en": "Outage", "zh": "中断"}[lang] in said
    sentence = next(item.value for item in app.markdown if say_day(day_after(OUT), lang) in item.value)
    assert "80%" in sentence and "EUR" in sentence, "its size with the interval"
    figure = drawn(app)
    shade = figure["layout"]["shapes"][0]
    assert (shade["x0"][:10], shade["x1"][:10]) == (day_after(OUT - 1).isoformat(), day_after(BACK).isoformat())
    red = figure["data"][-1]
    assert red["name"] == translate("monitor.business.marked", lang)


def test_without_findings_it_says_that_all_is_as_expected_with_figures_and_the_model_is_one_click_away(
    open_page: OPEN, root: Path
) -> None:
    app = open_page(root, "monitor", lang="en")
    assert app.header[0].value == "Business as expected as of 30 Jun 2024"
    assert [tile.label for tile in app.metric] == ["Net revenue", "Orders"]
    assert "layout" in drawn(app) and not drawn(app)["layout"].get("shapes")
    details(app)
    assert translate("monitor.wait") in texts(app), "its report is made by a run"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_was_seen_is_no_headline_any_more(open_page: OPEN, bare: Path, lang: str) -> None:
    dataset = open_dataset(Workspace(bare), "shop")
    old, views = finding(150, 10), finding(5, None, kind="events_missing", series="events:view", facts={"name": "view"})
    plant(dataset, watch_of(finding(), views, old))
    app = open_page(bare, "monitor", lang=lang)
    buttons = [button for button in app.button if button.label == translate("monitor.acknowledge", lang)]
    assert len(buttons) == 2 and app.expander[0].label == translate("monitor.business.earlier", lang, n=1)
    buttons[0].click().run()
    assert app.header[0].value.startswith({"en": "Events of the kind “View”", "zh": "缺少“浏览”"}[lang])
    assert app.expander[0].label == translate("monitor.business.earlier", lang, n=2)
    assert find_watch(dataset).records[0].acknowledged.at  # type: ignore[union-attr]


def test_a_figure_and_a_span_can_be_chosen_and_only_its_own_findings_are_marked(open_page: OPEN, bare: Path) -> None:
    views = finding(5, None, kind="events_missing", series="events:view", facts={"name": "view"})
    plant(open_dataset(Workspace(bare), "shop"), watch_of(finding(), views))
    app = open_page(bare, "monitor", lang="en")
    days = drawn(app)["data"][1]["x"]
    assert days[0][:10] == (END - pd.Timedelta(days=12 + 42)).isoformat()[:10]
    do(app, ("watch_series_revenue", "Orders"), ("watch_span_around", "all"))
    figure = drawn(app)
    assert len(figure["data"][1]["x"]) == 200 and len(figure["layout"]["shapes"]) == 1
    assert "Orders" in figure["layout"]["yaxis"]["title"]["text"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_not_watched_is_said_with_the_reason(open_page: OPEN, bare: Path, lang: str) -> None:
    short = Message("watch.unwatched.short", {"days": 60, "needed": 98})
    plant(open_dataset(Workspace(bare), "shop"), watch_of(unwatched=(short,), courses=False))
    app = open_page(bare, "monitor", lang=lang)
    assert app.header[0].value.replace("\\", "") == translate("watch.headline.unwatched", lang)
    assert short.text(lang) in texts(app).replace("\\", "")
    assert app.button(key="monitor_add"), "the way on is to add data"


def test_a_viewer_reads_it_and_marks_nothing_as_seen(open_page: OPEN, bare: Path, sign_in: SIGN_IN) -> None:
    plant(open_dataset(Workspace(bare), "shop"), watch_of(finding()))
    sign_in("bob@shop.example")
    app = open_page(bare, "monitor", lang="en")
    assert app.header[0].value.startswith("Outage")
    assert all(button.disabled for button in app.button if button.key and button.key.startswith("seen_"))


def test_a_watch_that_is_not_there_is_made_by_a_run_once(open_page: OPEN, bare: Path) -> None:
    watch_path(open_dataset(Workspace(bare), "shop")).unlink()
    for _ in range(2):
        app = open_page(bare, "monitor", lang="en")
        assert navigation.MONITOR_VIEW in {str(one.key) for one in app.get("button_group")}
    assert [job.status().args for job in jobs.jobs(Workspace(bare), "monitor")] == [("monitor", "shop", "--business")]
