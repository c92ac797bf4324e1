"""Paths on the server: who may name one, and what none may lead to."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core import audit
from clv_core.collection.parse.id_texts import load_key
from clv_core.errors import ClvError
from clv_core.workspace import Workspace
from pages.ui import received
from tests.pages.conftest import OPEN, SIGN_IN, do

LOG = "customer_id,date,amount\nA,2024-03-25,10\nB,2024-04-26,12.5\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with its key and its audit log, beside settings of sign-in and a log."""
    for name in ("logs/shop.csv", "logs/other.csv", ".streamlit/secrets.toml", "roles.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(LOG)
    workspace = Workspace(tmp_path / "workspace")
    audit.note(workspace, "train")
    load_key(workspace)
    (tmp_path / "logs" / "link.csv").symlink_to(tmp_path / "workspace.key")
    monkeypatch.setenv("CLV_WORKSPACE", str(workspace.root))
    monkeypatch.setenv("CLV_ACCESS_FILE", str(tmp_path / "roles.toml"))
    return tmp_path


def refusal(text: str) -> str:
    with pytest.raises(ClvError) as caught:
        received.checked_path(text)
    return caught.value.code


@pytest.mark.parametrize(
    "name",
    (
        *("workspace", "workspace/audit/log.jsonl", "workspace/none.csv", "workspace.key", "roles.toml"),
        *(".streamlit/secrets.toml", "logs/../.streamlit/secrets.toml", "logs/link.csv"),
    ),
)
def test_no_path_leads_to_what_the_studio_keeps_for_itself(root: Path, name: str) -> None:
    assert refusal(str(root / name)) == "path_kept"
    assert received.checked_path(f' "{root / "logs" / "shop.csv"}" ') == root / "logs" / "shop.csv"
    assert {refusal(text) for text in ("", str(root / "none.csv"), "a\0b")} == {"no_file"}


def test_where_a_folder_is_named_paths_lie_below_it_and_begin_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLV_FILES", str(root / "logs"))
    assert received.checked_path("shop.csv") == received.checked_path(str(root / "logs" / "shop.csv"))
    outside = ("../roles.toml", str(root / "roles.toml"), "/etc/passwd", "/none", "link.csv")
    assert {refusal(text) for text in outside} == {"path_outside"}


def test_where_people_sign_in_paths_are_for_those_who_change_data_and_below_a_named_folder(
    root: Path, sign_in: SIGN_IN, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in("kim@else.example", groups="clv-analysts")
    assert refusal(str(root / "logs" / "shop.csv")) == "path_unset"
    monkeypatch.setenv("CLV_FILES", str(root / "logs"))
    assert received.checked_path("shop.csv").is_file()
    sign_in("bob@shop.example")
    assert refusal("shop.csv") == "access_denied"


@pytest.mark.usefixtures("never_grey")
@pytest.mark.parametrize(
    ("page", "view", "field", "form"),
    [
        ("upload", ("upload_way", "path"), "upload_path", "path"),
        ("datasets", ("datasets_what", "customers"), "customers_path_text", "customers_path"),
    ],
)
def test_a_viewer_opens_no_path_even_past_the_button(
    open_page: OPEN, bare: Path, sign_in: SIGN_IN, page: str, view: tuple[str, str], field: str, form: str
) -> None:
    sign_in("bob@shop.example")
    app = open_page(bare, page)  # the refusal is written into its audit log
    app.session_state[view[0]] = view[1]
    app.run()
    do(app, (field, __file__), form)
    assert "role" in app.error[0].value


def test_a_viewer_still_looks_at_the_sample(open_page: OPEN, tmp_path: Path, sign_in: SIGN_IN) -> None:
    sign_in("bob@shop.example")
    app = open_page(tmp_path, "upload")
    app.session_state["upload_way"] = "sample"
    app.run()
    app.button(key="open_sample").click().run()
    assert not app.error and any("events.parquet" in one.value for one in app.markdown)
