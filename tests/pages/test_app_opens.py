"""Every page opens with an empty workspace, with a dataset, and with a model, in both languages, and leads on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core.deployment import Scored
from clv_core.deployment.bundle import list_bundles
from clv_core.i18n import translate
from clv_core.jobs import JobError, NoProgress
from clv_core.strategy.forecast import forecast
from clv_core.workspace import Workspace
from pages.ui import widgets
from pages.ui.navigation import PAGES, SEARCH, STRATEGY_PART
from tests.pages.conftest import OPEN, do, texts

ROOT = Path(__file__).resolve().parents[2]
STATES = ("empty", "with_dataset", "with_model")


def levels(app: AppTest) -> list[int]:
    """Return the levels of a page's headings, 1 to 6, in their order; those in its texts too."""
    found: list[int] = []
    for element in app.main:
        if element.type in ("title", "header", "subheader"):
            found.append(int(element.proto.tag.removeprefix("h")))
        elif element.type == "markdown":
            found += [len(marks) for marks in re.findall(r"^(#+) ", element.value, re.MULTILINE)]
    return found


@pytest.mark.examples(20)
@pytest.mark.parametrize("lang", ("en", "zh"))
@pytest.mark.parametrize("state", STATES, indirect=True)
@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_page_opens(open_page: OPEN, state: Path, page: str, lang: str) -> None:
    app = open_page(state, page, lang=lang)
    assert not app.error
    assert app.title[0].value == translate(f"page.{page}", lang)
    found = levels(app)
    assert found[0] == 1 and 1 not in found[1:], "one title a page"
    assert all(after <= before + 1 for before, after in pairwise(found)), "no level of headings is left out"
    assert app.query_params["lang"] == lang


NEED_A_MODEL = (
    "evaluate",
    "explain",
    "segments",
    "customer",
    "acquisition",
    "forecast",
    "demand",
    "strategy",
    "exports",
    "report",
)


@pytest.mark.parametrize("page", ("explore", "train", "monitor", "results", *NEED_A_MODEL))
def test_empty_workspace_says_what_is_missing_and_leads_there(open_page: OPEN, tmp_path: Path, page: str) -> None:
    app = open_page(tmp_path, page, lang="en")
    assert translate("need.dataset") in texts(app)
    app.button(key="need_dataset").click().run()
    assert app.title[0].value == translate("page.upload")


@pytest.mark.parametrize("page", NEED_A_MODEL)
def test_dataset_without_model_leads_to_training(open_page: OPEN, with_dataset: Path, page: str) -> None:
    app = open_page(with_dataset, page, lang="zh")
    assert translate("need.model", "zh") in texts(app)
    app.button(key="need_model").click().run()
    assert app.title[0].value == translate("page.train", "zh")


def test_the_log_of_a_page_that_fails_tells_where_and_quotes_no_cell(caplog: pytest.LogCaptureFixture) -> None:
    cell = "anna-0001"
    try:
        raise ValueError(f"could not convert string to float: {cell!r}")
    except ValueError as error:
        widgets.show_failure(error)
    assert "ValueError" in caplog.text and "test_app_opens.py" in caplog.text and cell not in caplog.text


def test_a_page_that_fails_says_when_and_whom_to_tell_and_the_log_has_the_same_time(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(widgets.st, "error", lambda text, icon: said.append(text))
    widgets.show_failure(KeyError("column"))
    widgets.show_error(JobError("unexpected", {"kind": "KeyError"}, ""))
    when = caplog.text.partition("page failed at ")[2].partition(" UTC")[0]
    assert len(when) > 10 and when in said[0] and "reload" in said[0].lower()
    assert not any(word in text for word in ("KeyError", "CLV_DEBUG") for text in said)


@pytest.mark.examples(4)
@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_sidebar_keeps_the_context_on_every_page(open_page: OPEN, with_model: Path, page: str) -> None:
    app = open_page(with_model, page, lang="en")
    assert app.selectbox(key="dataset").value == "shop"
    assert app.selectbox(key="model").value.startswith("shop-bgnbd-")
    assert app.query_params["dataset"] == "shop"


def test_pages_open_without_torch_but_the_one_that_asks_the_networks_and_without_a_web_server(root: Path) -> None:
    """It takes a second, which who comes first after a start would wait for; a forecast is saved, as after scoring."""
    work = Workspace(root)
    forecast(Scored.open(work, "shop", list_bundles(work)[0].id), NoProgress())
    script = (
        "import sys; from streamlit.testing.v1 import AppTest; from pages.ui.navigation import PAGES\n"
        "app = AppTest.from_file('pages/shell.py', default_timeout=60).run()\n"
        "for page in PAGES:\n"
        "    if page.name != 'explain':\n"
        "        app.switch_page(page.path).run()\n"
        "        print(page.name, *{'torch', 'fastapi'} & set(sys.modules), len(app.exception))"
    )
    environment = {**os.environ, "CLV_WORKSPACE": str(root)}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"{page.name} 0" for page in PAGES if page.name != "explain"]


def test_explain_opens_the_card_of_the_customer_who_is_explained(open_page: OPEN, with_model: Path) -> None:
    app = do(open_page(with_model, "explain", lang="en"), ("explain_part", "customer"))
    customer = app.selectbox(key="explain_customer").value
    app.button(key="explain_card").click().run()
    assert app.title[0].value == translate("page.customer") and app.text_input(key=SEARCH).value == customer


def test_segments_lead_to_their_budget(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "home", lang="en")
    app.session_state[STRATEGY_PART] = "price"
    app.switch_page("act/segments.py").run().button(key="to_budget").click().run()
    assert app.title[0].value == translate("page.strategy")
    assert app.segmented_control(key=STRATEGY_PART).value == "budget"


def test_a_result_leads_to_what_comes_of_it(open_page: OPEN, with_model: Path) -> None:
    app = do(open_page(with_model, "strategy", lang="en"), "to_report")
    assert app.title[0].value == translate("page.report")


def test_the_search_for_better_settings_is_unfolded_where_it_was_asked_for(open_page: OPEN, with_model: Path) -> None:
    def unfolded(app: AppTest) -> bool:
        return next(one.proto.expanded for one in app.expander if one.label == translate("tune.title"))

    assert not unfolded(open_page(with_model, "train", lang="en"))
    app = do(open_page(with_model, "evaluate", lang="en"), "to_tuning")
    assert unfolded(app)
