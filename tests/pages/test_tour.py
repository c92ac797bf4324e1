"""The guided tour: it begins with the sample and its model in place, and leads over the real pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core import jobs
from clv_core.i18n import LANGUAGES, translate
from clv_core.jobs import NoProgress
from clv_core.monitoring import watch_dataset
from clv_core.strategy.segments.rfm_and_quadrant import QUADRANT_KEYS
from clv_core.upkeep import demo
from clv_core.upkeep.demo import add_demo
from clv_core.workspace import Workspace
from pages.ui.home import tour
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import OPEN, args_of, do, newest, texts

pytestmark = pytest.mark.first(2)


@pytest.fixture(scope="module")
def with_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tour")
    dataset, _ = add_demo(Workspace(root), progress=NoProgress())
    watch_dataset(dataset, NoProgress())
    return root


def test_the_sample_is_loaded_by_a_run_and_shown_when_it_is_over(open_page: OPEN, tmp_path: Path) -> None:
    app = do(open_page(tmp_path, "home", lang="en"), "door_sample")
    assert args_of(tmp_path, "demo") == ["demo"]
    dataset, bundle = add_demo(Workspace(tmp_path), progress=NoProgress())
    jobs.finish(newest(tmp_path, "demo").folder, "en", result={"dataset": dataset.name, "model": bundle.id})
    app.run()
    assert app.session_state["dataset"] == dataset.name and app.session_state["model"] == bundle.id
    assert all(button.key != "tour_end" for button in app.button)


def test_the_tour_begins_at_once_where_the_sample_is_there(open_page: OPEN, with_demo: Path) -> None:
    app = do(open_page(with_demo, "home", lang="en"), "door_tour")
    assert translate("tour.step", "en", step=1, steps=len(tour.PAGES)) in texts(app)
    assert translate("tour.home.title", "en") in texts(app)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_leads_over_all_pages_and_back_and_no_page_is_empty(open_page: OPEN, with_demo: Path, lang: str) -> None:
    app = do(open_page(with_demo, "home", lang=lang), "door_tour")
    last = len(tour.PAGES) - 1
    for at, name in enumerate(tour.STEPS):
        app.switch_page(BY_NAME[name].path).run()  # a test stays on the page that it opened itself
        assert not app.error and not app.exception, name
        assert app.title[0].value == translate(f"page.{name}", lang)
        said = texts(app)
        assert translate(f"tour.{name}.title", lang) in said
        assert translate(f"tour.{name}.say", lang) not in said  # that is for the speaker's window
        assert app.button(key="tour_back").disabled == (at == 0)
        if at < last:
            app.button(key="tour_next").click().run()
            assert app.title[0].value == translate(f"page.{tour.PAGES[at + 1]}", lang)
    started = {job.status().command for job in jobs.jobs(Workspace(with_demo))}
    assert started <= {"demo", "check", "report"}
    assert all(button.key != "tour_next" for button in app.button)
    app.button(key="tour_end").click().run()
    assert all(button.key != "tour_end" for button in app.button)


def test_each_step_chooses_what_the_story_is_about(open_page: OPEN, with_demo: Path) -> None:
    app = do(open_page(with_demo, "home", lang="en"), "door_tour")
    assert app.session_state["upload_file"].path == demo.NEXT_QUARTER
    for _ in range(4):
        app.button(key="tour_next").click().run()
    assert app.session_state["card_search"] == demo.shown_customer()
    assert app.session_state["export_format"] == "klaviyo" and app.session_state["export_by_sample"] == "quadrant"
    (chosen,) = [one.value for one in app.button_group if str(one.key).startswith("export_segments_")]
    assert [QUADRANT_KEYS[place - 1] for place in chosen] == ["win_back"]


def test_it_takes_less_than_five_minutes() -> None:
    spoken = sum(len(translate(f"tour.{name}.say", "en").split()) for name in tour.PAGES)
    read_out = sum(len(translate(f"tour.{name}.say", "zh")) for name in tour.PAGES)
    on_screen = 20 * len(tour.PAGES)  # seconds to open a page and point at what its notes name
    assert spoken / 130 * 60 + on_screen < 300  # words a minute of an unhurried talk
    assert read_out / 240 * 60 + on_screen < 300  # characters a minute


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_acquisition_step_shows_what_the_paid_channels_cost(open_page: OPEN, with_demo: Path, lang: str) -> None:
    said = texts(open_page(with_demo, "acquisition", lang=lang))
    assert translate("acquisition.no_spend", lang) not in said
    assert all(channel in said for channel in ("search", "social", "affiliate", "email"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_notes_say_what_to_show_and_say_at_the_step_of_the_other_window(
    open_page: OPEN, with_demo: Path, lang: str
) -> None:
    guided = do(open_page(with_demo, "home", lang=lang), "door_tour")
    guided.button(key="tour_next").click().run()
    notes = open_page(with_demo, "notes", lang=lang, tour=guided.session_state[tour.TOKEN])
    said = texts(notes)
    assert translate("tour.upload.say", lang) in said and translate("tour.upload.show", lang) in said
    assert translate("tour.home.say", lang) not in said
    alone = texts(open_page(with_demo, "notes", lang=lang))
    assert all(translate(f"tour.{name}.say", lang) in alone for name in tour.PAGES)


def test_who_leaves_the_way_is_told_where_it_goes_on_and_who_jumps_ahead_is_followed(
    open_page: OPEN, with_demo: Path
) -> None:
    app = open_page(with_demo, "train", lang="en")
    app.session_state[tour.AT] = 2
    app.run()
    assert translate("tour.elsewhere", "en", page=translate("page.evaluate", "en")) in texts(app)
    app.button(key="tour_next").click().run()
    assert app.title[0].value == translate("page.evaluate", "en")
    app.switch_page(BY_NAME["monitor"].path).run()
    assert translate("tour.step", "en", step=tour.PAGES.index("monitor") + 1, steps=len(tour.PAGES)) in texts(app)
