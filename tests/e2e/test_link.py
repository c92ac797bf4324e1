"""A link to a page, for whoever comes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.upkeep.demo import add_demo
from clv_core.workspace import Workspace
from tests.e2e.conftest import serving, window

pytestmark = pytest.mark.slow


def test_a_link_to_a_page_is_understood_by_a_server_that_has_just_started(chromium: str, tmp_path: Path) -> None:
    with serving(tmp_path) as address, window(chromium, address) as studio:
        studio.open("upload", lang="en")
        assert studio.page.get_by_role("dialog").count() == 0
        studio.begins(translate("page.upload", "en"))


def test_back_goes_one_page_back(chromium: str, tmp_path: Path) -> None:
    with serving(tmp_path) as address, window(chromium, address) as studio:
        studio.open("home", lang="en")
        for name in ("explore", "train", "upload"):
            studio.page.get_by_role("link", name=translate(f"page.{name}", "en"), exact=True).click()
            studio.wait()
        for name in ("train", "explore", "home"):
            studio.page.go_back()
            studio.wait()
            studio.begins(translate(f"page.{name}", "en"))


def test_back_takes_back_a_choice(chromium: str, tmp_path: Path) -> None:
    with serving(tmp_path) as address, window(chromium, address) as studio:
        studio.open("upload", lang="en")
        studio.page.get_by_role("radio", name="简体中文").or_(studio.page.get_by_text("简体中文")).first.click()
        studio.wait()
        studio.begins(translate("page.upload", "zh"))
        studio.page.go_back()
        studio.wait()
        studio.begins(translate("page.upload", "en"))


def test_a_choice_stays_though_the_browser_hears_of_its_address_late(chromium: str, tmp_path: Path) -> None:
    """What the server says is held back for a second, as a slow line or a busy browser does."""
    late: list[tuple[Any, Any]] = []
    held = False

    def between(browser: Any) -> None:
        server = browser.connect_to_server()
        server.on_message(lambda said: late.append((browser, said)) if held else browser.send(said))

    with serving(tmp_path) as address, window(chromium, address) as studio:
        studio.page.route_web_socket("**/_stcore/stream", between)
        studio.open("upload", lang="en")
        held = True
        studio.page.get_by_text("简体中文").first.click()
        studio.page.wait_for_timeout(1_000)
        studio.page.get_by_text(translate("upload.way.path", "en")).first.click()
        studio.page.wait_for_timeout(1_000)
        held = False
        for browser, said in late:
            browser.send(said)
        studio.wait()
        studio.begins(translate("page.upload", "zh"))


def test_a_page_says_to_the_browser_which_it_is_and_in_which_language_it_is_to_be_read(
    chromium: str, tmp_path: Path
) -> None:
    with serving(tmp_path) as address, window(chromium, address) as studio:
        studio.open("upload", lang="zh")
        studio.until(lambda: studio.page.title() == f"{translate('page.upload', 'zh')} · CLV Studio")
        studio.until(lambda: studio.page.evaluate("document.documentElement.lang") == "zh-CN")
        studio.page.get_by_text("English").first.click()
        studio.wait()
        studio.page.get_by_role("link", name=translate("page.train", "en"), exact=True).click()
        studio.wait()
        studio.until(lambda: studio.page.title() == f"{translate('page.train', 'en')} · CLV Studio")
        studio.until(lambda: studio.page.evaluate("document.documentElement.lang") == "en")
        above = "document.querySelector('[data-testid=stMainBlockContainer]').getBoundingClientRect().top"
        padding = (
            "parseFloat(getComputedStyle(document.querySelector('[data-testid=stMainBlockContainer]')).paddingTop)"
        )
        title = studio.page.evaluate("document.querySelector('h1').parentElement.getBoundingClientRect().top")
        assert title - studio.page.evaluate(f"{above} + {padding}") < 5, "the title stands where the page begins"


def test_a_change_of_language_keeps_the_model(chromium: str, tmp_path: Path) -> None:
    add_demo(Workspace(tmp_path), progress=NoProgress())
    with serving(tmp_path) as address, window(chromium, address) as studio:
        studio.open("home", lang="en")
        (model,) = parse_qs(urlsplit(studio.page.url).query)["model"]
        studio.page.get_by_text("简体中文").first.click()
        studio.begins(translate("page.home", "zh"))
        studio.page.get_by_role("link", name=translate("page.evaluate", "zh"), exact=True).click()
        studio.begins(translate("page.evaluate", "zh"))
        studio.wait()
        assert parse_qs(urlsplit(studio.page.url).query)["model"] == [model]
        assert studio.page.get_by_test_id("stAlert").filter(has_text="找不到该模型").count() == 0
