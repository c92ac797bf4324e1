"""The report page: one click starts the run, and its files are offered with what they say."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.i18n import translate
from clv_core.strategy.offers import Offer
from clv_core.workspace import Workspace
from pages.ui import reporting
from tests.pages.test_app_opens import texts

OPEN = Callable[..., AppTest]
ROOT = Path(__file__).resolve().parents[2]


def at_once(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """From now on runs are waited for, and noted."""
    commands: list[list[str]] = []

    def start(workspace: Workspace, command: list[str], *, language: str, label: str = "") -> jobs.Job:
        folder = workspace.jobs / f"20260101-00000{len(commands)}-report-abcdef"
        folder.mkdir()
        about = {"command": "report", "args": list(command), "label": label, "pid": None, "started": 0.0}
        jobs.update_status(folder, state=jobs.RUNNING, **about)
        commands.append(list(command))
        words = ["--job", str(folder), *command, "--workspace", str(workspace.root), "--lang", language]
        subprocess.run([sys.executable, "-m", "clv_core", *words], cwd=ROOT, check=True, capture_output=True)
        return jobs.Job(folder)

    monkeypatch.setattr(jobs, "start", start)
    return commands


@pytest.mark.parametrize("lang", ("en", "zh"))
def test_one_click_makes_slides_and_a_page_with_a_plan_that_is_assumed(
    open_page: OPEN, with_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(with_model, root)
    app = open_page(root, "report", lang=lang)
    started = at_once(monkeypatch)
    assert not app.exception and not app.error
    assert app.subheader[0].value == translate("reporting.headline", lang)
    app.button(key="make_report").click().run()
    assert not app.exception and not app.error
    files = sorted(path.suffix for path in (root / "exports").glob(f"*report-{lang}*"))
    assert files == [".html", ".pptx"]
    [command] = started
    assert command[:2] == ["report", "shop"] and "--budget" in command
    labels = [button.label for button in app.get("download_button")]
    assert labels == [translate("reporting.slides", lang), translate("reporting.page", lang)]
    page = next((root / "exports").glob("*.html")).read_text(encoding="utf-8")
    assert translate("report.plan.assumed", lang) in page
    assert app.subheader[0].value in page
    app.toggle(key="report_plan").set_value(False).run()
    assert app.subheader[0].value == translate("reporting.headline", lang)


def test_a_report_in_the_other_language_is_another_report(
    open_page: OPEN, with_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(with_model, root)
    app = open_page(root, "report", lang="en")
    started = at_once(monkeypatch)
    app.get("button_group")[0].set_value("zh").run()
    app.button(key="make_report").click().run()
    assert not app.exception and len(started) == 1
    assert "未来 90 天" in texts(app) and list((root / "exports").glob("*report-zh*.html"))


def test_an_assumed_offer_is_the_same_when_the_command_line_reads_it() -> None:
    for text in ("name=Call,cost=8.25,effect=1:12.5%+2:10%,capacity=300", "name=Mail,cost=0.1,effect=2:2.25"):
        offer = Offer.parse(text)
        assert Offer.parse(reporting.offer_text(offer)) == offer
