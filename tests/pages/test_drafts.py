"""Drafts of the upload page: taken up after a reload or a restart, for a day, by their owner alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core.erasure.erase import remove_uploads
from clv_core.workspace import Workspace
from pages.ui.upload.drafts import DRAFT_FILE, KEPT_SECONDS
from tests.pages.conftest import OPEN, SIGN_IN, texts

ROWS = b"who,when,paid\n" + b"".join(
    f"c{day % 40},2024-{day // 28 % 12 + 1:02}-{day % 28 + 1:02},{day}.5\n".encode() for day in range(300)
)
RESTORED = "Your draft was restored"


def uploaded(open_page: OPEN, root: Path) -> AppTest:
    """Open the page and upload a file."""
    app = open_page(root, "upload")
    app.file_uploader[0].upload("till.csv", ROWS).run()
    assert "till.csv" in texts(app) and RESTORED not in texts(app)
    return app


def draft_of(root: Path) -> Path:
    """Return the one draft of a workspace."""
    (path,) = root.glob(f"uploads/*/{DRAFT_FILE}")
    return path


def currency(app: AppTest) -> str:
    """Return the currency that the page shows."""
    (box,) = [item for item in app.text_input if str(item.key).startswith("currency_")]
    return str(box.value)


def test_a_new_session_has_file_and_answers_again(open_page: OPEN, tmp_path: Path) -> None:
    app = uploaded(open_page, tmp_path)
    (box,) = [item for item in app.text_input if str(item.key).startswith("currency_")]
    box.set_value("CHF").run()
    again = open_page(tmp_path, "upload")
    assert RESTORED in texts(again) and "till.csv" in texts(again) and currency(again) == "CHF"


def test_a_dropped_draft_is_gone(open_page: OPEN, tmp_path: Path) -> None:
    uploaded(open_page, tmp_path)
    again = open_page(tmp_path, "upload")
    again.button(key="another_file").click().run()
    assert RESTORED not in texts(again) and not list(tmp_path.glob(f"uploads/*/{DRAFT_FILE}"))
    assert len(open_page(tmp_path, "upload").file_uploader) == 1


def test_a_draft_is_its_owners_alone(open_page: OPEN, tmp_path: Path, sign_in: SIGN_IN) -> None:
    sign_in("ana@shop.example")
    uploaded(open_page, tmp_path)
    sign_in("bea@shop.example", groups=["clv-analysts"])
    other = open_page(tmp_path, "upload")
    assert "till.csv" not in texts(other) and len(other.file_uploader) == 1
    sign_in("ana@shop.example")
    assert RESTORED in texts(open_page(tmp_path, "upload"))


def test_a_draft_is_swept_after_a_day(open_page: OPEN, tmp_path: Path) -> None:
    uploaded(open_page, tmp_path)
    draft, then = draft_of(tmp_path), time.time() - KEPT_SECONDS - 60
    for path in (draft, draft.parent):
        os.utime(path, (then, then))
    assert RESTORED not in texts(open_page(tmp_path, "upload")) and not draft.parent.exists()


def test_an_erasure_removes_drafts(open_page: OPEN, tmp_path: Path) -> None:
    uploaded(open_page, tmp_path)
    draft = draft_of(tmp_path)
    assert remove_uploads(Workspace(tmp_path)) >= 1 and not draft.parent.exists()
    assert RESTORED not in texts(open_page(tmp_path, "upload"))


@pytest.mark.parametrize("text", ["{", '{"owner": "", "paths": []}', '{"owner": "", "paths": [], "answers": {}}'])
def test_a_draft_that_cannot_be_read_is_none(open_page: OPEN, tmp_path: Path, text: str) -> None:
    uploaded(open_page, tmp_path)
    draft_of(tmp_path).write_text(text)
    again = open_page(tmp_path, "upload")
    assert RESTORED not in texts(again) and len(again.file_uploader) == 1


def test_a_draft_leads_to_no_file_of_the_workspace(open_page: OPEN, tmp_path: Path) -> None:
    uploaded(open_page, tmp_path)
    draft = draft_of(tmp_path)
    other = tmp_path / "other.csv"
    other.write_bytes(ROWS)
    draft.write_text(draft.read_text().replace(str(draft.parent / "till.csv"), str(other)))
    assert RESTORED not in texts(open_page(tmp_path, "upload"))
