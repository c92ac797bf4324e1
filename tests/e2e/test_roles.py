"""A short walk for each role through the sample: what it sees, what it may do, and what it may not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from clv_core import audit
from clv_core.i18n import translate
from clv_core.workspace import Workspace
from tests.e2e.conftest import ROOT, guarding, signed, window
from tests.e2e.studio import Studio
from tests.e2e.test_walk import look

PEOPLE = """
[people]
"vera@shop.example" = "viewer"
"ana@shop.example" = "analyst"
"ada@shop.example" = "admin"
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with the sample and its model."""
    root = tmp_path_factory.mktemp("sample")
    made = [sys.executable, "-m", "clv_core", "demo", "--workspace", str(root)]
    subprocess.run(made, cwd=ROOT, check=True, capture_output=True)
    return Workspace(root)


@pytest.fixture(scope="module")
def guarded(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over it that asks who is there."""
    with guarding(workspace.root, tmp_path_factory.mktemp("settings"), PEOPLE) as address:
        yield address


@contextmanager
def signed_in(chromium: str, address: str, who: str, theme: str) -> Iterator[Studio]:
    """Open a window on the app as one of the people, with the cookie that a provider's answer leaves."""
    with window(chromium, address, color_scheme=theme, accept_downloads=True) as studio:
        cookie = {"name": "_streamlit_user", "value": signed(address, f"{who}@shop.example"), "url": address}
        studio.page.context.add_cookies([cookie])
        yield studio


def walk(studio: Studio, lang: str, *names: str) -> None:
    """Open pages; each is whole and in its language."""
    for name in names:
        studio.open(name, lang=lang, dataset="sample")
        studio.finish()
        studio.begins(translate(f"page.{name}", lang))
        assert look(studio, lang) == [], name


def test_viewer_reads_results_and_takes_no_list_along(chromium: str, guarded: str) -> None:
    with signed_in(chromium, guarded, "vera", "dark") as studio:
        walk(studio, "zh", "home", "segments", "report", "exports")
        assert studio.page.get_by_role("button", name=translate("exporting.make", "zh")).is_disabled()
        assert studio.outside == []


def test_analyst_makes_a_list_of_the_best_customers(chromium: str, guarded: str, workspace: Workspace) -> None:
    with signed_in(chromium, guarded, "ana", "light") as studio:
        walk(studio, "en", "upload", "evaluate", "strategy", "exports")
        studio.click(translate("exporting.make"))
        with studio.page.expect_download() as list_:
            studio.click(translate("exporting.download"))
        assert list_.value.suggested_filename.endswith(".csv")
        assert any(
            "export" in entry["action"] for entry in audit.lines(workspace) if entry["who"] == "ana@shop.example"
        )


def test_admin_sees_who_did_what(chromium: str, guarded: str) -> None:
    with signed_in(chromium, guarded, "ada", "light") as studio:
        walk(studio, "en", "models", "monitor", "privacy")
        studio.page.get_by_test_id("stMain").get_by_text(translate("privacy.what.audit"), exact=True).first.click()
        studio.wait()
        assert studio.page.get_by_test_id("stDataFrame").count() == 1
