"""The guided tour: it begins with the sample and its model in place, and leads over the real pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core import jobs
from clv_core.deployment.demo import add_demo
from clv_core.i18n import LANGUAGES, translate
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from pages.ui.home import tour
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import OPEN, args_of, do, newest, texts

pytestmark = pytest.mark.first(2)


@pytest.fixture(scope="module")
def with_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tour")
    add_demo(Workspace(root), progress=NoProgress())
    return root


def test_the_door_prepares_the_sample_and_then_the_tour_begins(open_page: OPEN, with_demo: Path) -> None:
    app = do(open_page(with_demo, "home", lang="en"), "door_tour")
    assert args_of(with_demo, "demo") == ["demo"]
    [bundle] = [path.name for path in Workspace(with_demo).models.iterdir()]
    jobs.finish(newest(with_demo, "demo").folder, "en", result={"dataset": "sample", "model": bundle})
    app.run()
    assert app.title[0].value == translate("page.upload", "en")
    assert app.session_state["dataset"] == "sample" and app.session_state["model"] == bundle
    assert translate("tour.step", "en", step=1, steps=len(tour.STEPS)) in texts(app)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_leads_over_all_pages_and_back_and_each_answers_without_waiting(
    open_page: OPEN, with_demo: Path, lang: str
) -> None:
    app = open_page(with_demo, "upload", lang=lang)
    app.session_state[tour.AT] = 0
    last = len(tour.STEPS) - 1
    for at, name in enumerate(tour.STEPS):
        app.switch_page(BY_NAME[name].path).run()  # a test stays on the page that it opened itself
        assert not app.error, name
        assert app.title[0].value == translate(f"page.{name}", lang)
        said = texts(app)
        for key in (f"tour.{name}.look", f"tour.{name}.say"):
            assert translate(key, lang) in said
        assert app.button(key="tour_back").disabled == (at == 0)
        if at < last:
            app.button(key="tour_next").click().run()
            assert app.title[0].value == translate(f"page.{tour.STEPS[at + 1]}", lang)
    started = {job.status()["command"] for job in jobs.jobs(Workspace(with_demo))}
    assert started <= {"demo"}
    assert all(button.key != "tour_next" for button in app.button)
    app.button(key="tour_back").click().run()
    assert app.title[0].value == translate(f"page.{tour.STEPS[last - 1]}", lang)
    app.switch_page(BY_NAME[tour.STEPS[last]].path).run()
    app.button(key="tour_end").click().run()
    assert all(button.key != "tour_end" for button in app.button)


def test_who_leaves_the_way_is_told_where_it_goes_on_and_who_jumps_ahead_is_followed(
    open_page: OPEN, with_demo: Path
) -> None:
    app = open_page(with_demo, "train", lang="en")
    app.session_state[tour.AT] = 2
    app.run()
    assert translate("tour.elsewhere", "en", page=translate("page.evaluate", "en")) in texts(app)
    app.button(key="tour_next").click().run()
    assert app.title[0].value == translate("page.evaluate", "en")
    app.switch_page(BY_NAME["segments"].path).run()
    assert translate("tour.step", "en", step=tour.STEPS.index("segments") + 1, steps=len(tour.STEPS)) in texts(app)


def test_without_the_tour_no_guide_is_shown(open_page: OPEN, with_demo: Path) -> None:
    app = open_page(with_demo, "segments", lang="en")
    assert all(button.key != "tour_end" for button in app.button)
