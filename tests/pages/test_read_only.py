"""A workspace that may not be written: what is there is shown, what cannot be kept is said, and no page breaks."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection.store import version_store
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.database import path_of
from clv_core.i18n import translate
from clv_core.workspace import Workspace
from pages.ui import widgets
from tests.pages.conftest import OPEN


@pytest.fixture
def shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose folder takes nothing new from this account, whoever runs the tests."""
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **how: real(path, mode, **how) and not mode & os.W_OK)
    monkeypatch.setattr(Path, "mkdir", _refuse)
    return tmp_path


def _refuse(self: Path, *_: object, **__: object) -> None:
    if not self.is_dir():
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))


def test_who_only_reads_asks_no_folder_of_a_workspace_that_is_read_only(shut: Path) -> None:
    work = Workspace(shut)
    assert work.read_only
    assert version_store.list_datasets(work) == [] and list_bundles(work) == [] and jobs.jobs(work) == []


@pytest.mark.parametrize("lang", ("en", "zh"))
def test_every_page_says_that_nothing_can_be_kept(open_page: OPEN, shut: Path, lang: str) -> None:
    app = open_page(shut, "train", lang=lang)
    assert app.warning[0].value == translate("workspace.read_only", lang, path=widgets.escape(str(shut)))


def test_a_workspace_that_can_be_written_says_nothing_of_it(open_page: OPEN, tmp_path: Path) -> None:
    assert not open_page(tmp_path, "home", lang="en").warning and not Workspace(tmp_path / "none").read_only


def test_what_fails_before_the_page_begins_is_said_in_words(
    open_page: OPEN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jobs").write_text("no folder")
    monkeypatch.setattr(jobs, "jobs", lambda *_: Workspace(tmp_path).jobs)
    app = open_page(tmp_path, lang="en")
    assert widgets.escape(str(tmp_path / "jobs")) in app.error[0].value


@pytest.mark.parametrize("named", (True, False), ids=("a path", "no path, as Arrow does it"))
def test_a_page_that_may_not_write_says_where(
    named: bool, shut: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    monkeypatch.setenv("CLV_WORKSPACE", str(shut))
    monkeypatch.setattr(st, "error", lambda text, **_: said.append(text))
    where = shut / "jobs" if named else shut
    widgets.show_failure(PermissionError(errno.EACCES, "Permission denied", *([str(where)] if named else [])))
    assert said and widgets.escape(str(where)) in said[0] and "PermissionError" not in caplog.text


def test_a_part_that_draws_itself_anew_says_why_it_fails() -> None:
    def script() -> None:
        from clv_core.errors import Refused
        from pages.ui import widgets

        @widgets.safe_fragment
        def broken_part() -> None:
            raise Refused("no_earlier_champion", name="shop")

        broken_part()

    app = AppTest.from_function(script).run()
    assert app.error[0].value == translate("error.no_earlier_champion", name="shop")


def test_versions_are_read_where_sqlite_may_make_no_index(with_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    connect = sqlite3.connect

    def noting(where: str | Path, **how: object) -> sqlite3.Connection:
        made.append(str(where))
        return connect(where, **how)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(sqlite3, "connect", noting)
    found = Registry(Workspace(with_model)).versions("shop")
    assert [one.role for one in found] == ["champion"]
    assert all("mode=ro" in where for where in made) and path_of(Workspace(with_model)).exists()
