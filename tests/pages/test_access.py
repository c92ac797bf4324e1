"""Roles: who may read, take away, train, delete; faked sign-ins, and the settings file."""

from __future__ import annotations

import os
import shutil
import signal
import tomllib
from pathlib import Path
from typing import Any

import pytest

from clv_core import audit, pipeline
from clv_core.collection.answers import Answers
from clv_core.collection.rows.remembered_settings import recall, remember
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.registry import Registry
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.strategy.segments.saved_segments import load_rules, put_by_hand
from clv_core.workspace import Workspace
from pages.ui import access
from pages.ui.upload import uploading
from tests.pages.conftest import OPEN, ROLES, SIGN_IN, START, details, do


@pytest.fixture(scope="module")
def with_dataset(with_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: what these tests are refused is written into the audit log of the workspace."""
    return Path(shutil.copytree(with_dataset, tmp_path_factory.mktemp("access") / "with_dataset"))


@pytest.fixture(scope="module")
def with_model(with_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, for the same reason."""
    return Path(shutil.copytree(with_model, tmp_path_factory.mktemp("access") / "with_model"))


@pytest.mark.parametrize(
    ("person", "role"),
    [
        ({"email": "ana@shop.example"}, "admin"),
        ({"email": "Ana@Shop.Example "}, "admin"),
        ({"email": "bob@shop.example"}, "viewer"),
        ({"email": "bob@shop.example", "groups": ["x", "clv-analysts"]}, "analyst"),
        ({"email": "eve@other.example", "groups": "clv-analysts"}, "analyst"),
        ({"email": "eve@other.example"}, ""),
        ({"email": "ana@shop.example", "email_verified": False}, ""),
        ({"email": "x@evil.example@shop.example"}, "viewer"),
        ({"email": "x@shop.example.evil"}, ""),
        ({}, ""),
    ],
)
def test_a_role_comes_from_the_address_the_claims_or_the_domain(person: dict[str, Any], role: str) -> None:
    assert access.role_of(person, tomllib.loads(ROLES)) == role


@pytest.mark.parametrize("word", ["required", "Required ", "true", "1", "on", "yes", "requird"])
def test_any_word_but_a_no_requires_a_login(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("CLV_LOGIN", word)
    assert access.is_login_required() and access.role() == ""
    for no in ("", "off", "No", "false", "0"):
        monkeypatch.setenv("CLV_LOGIN", no)
        assert not access.is_login_required() and all(access.may(action) for action in access.ACTIONS)


def test_a_login_that_is_required_and_not_set_up_lets_nobody_in(
    open_page: OPEN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLV_LOGIN", "required")
    app = open_page(tmp_path)
    assert [item.value for item in app.header] == ["Please sign in"] and not app.title and not app.button


def test_nobody_sees_a_page_before_they_sign_in(open_page: OPEN, with_model: Path, sign_in: SIGN_IN) -> None:
    sign_in()
    app = open_page(with_model, "home")
    assert [button.key for button in app.button] == ["sign_in"]
    assert not app.title and not app.metric and not app.sidebar.selectbox


def test_who_has_no_role_gets_no_further_and_it_is_noted(open_page: OPEN, with_model: Path, sign_in: SIGN_IN) -> None:
    sign_in("eve@other.example")
    app = open_page(with_model, "home")
    assert [item.value for item in app.header] == ["You have no access yet"] and not app.metric
    line = audit.lines(Workspace(with_model))[0]
    assert (line["action"], line["who"], line["outcome"]) == ("login", "eve@other.example", "refused")


def test_a_viewer_reads_and_takes_nothing_away(open_page: OPEN, with_model: Path, sign_in: SIGN_IN) -> None:
    sign_in("bob@shop.example")
    app = open_page(with_model, "segments")
    assert not app.error and app.header
    assert any("bob@\u2060shop.example" in item.value for item in app.sidebar.caption), "no link to write to"
    buttons = {button.proto.id.split("-")[-1]: button.proto.disabled for button in app.get("download_button")}
    assert buttons and all(buttons.values())


@pytest.mark.usefixtures("never_grey")
def test_a_viewer_has_neither_a_training_nor_a_report_even_past_the_button(
    open_page: OPEN, with_model: Path, sign_in: SIGN_IN
) -> None:
    sign_in("bob@shop.example")
    before = len(list((with_model / "jobs").glob("*")))
    app = do(open_page(with_model, "train"), "start_training")
    assert "role" in app.error[0].value and len(list((with_model / "jobs").glob("*"))) == before
    app = do(open_page(with_model, "report", lang="zh"), "make_report")
    assert "需要分析师角色" in app.error[0].value and "您当前是查看者" in app.error[0].value
    assert len(list((with_model / "jobs").glob("*"))) == before


@pytest.mark.usefixtures("never_grey")
def test_a_viewer_has_one_run_at_a_time_and_is_told_so(open_page: OPEN, root: Path, sign_in: SIGN_IN) -> None:
    def runs() -> list[str]:
        return sorted(path.name.split("-")[2] for path in (root / "jobs").iterdir())

    sign_in("bob@shop.example")
    details(open_page(root, "monitor"))
    waiting = open_page(root, "explore")
    assert runs() == ["monitor"] and translate("job.one") in [box.value for box in waiting.info]
    app = do(open_page(root, "customer"), "card_recommend")
    assert "one run at a time" in app.error[0].value
    assert runs() == ["monitor"]
    sign_in("eve@shop.example")
    open_page(root, "explore")
    assert runs() == ["explore", "monitor"]


@pytest.mark.parametrize(
    ("page", "key", "role"),
    [
        ("train", "start_training", "analyst"),
        ("train", "start_tuning", "analyst"),
        ("report", "make_report", "analyst"),
        ("home", "door_tour", "analyst"),
        ("models", "delete_version", "administrator"),
    ],
)
@pytest.mark.parametrize(("email", "grey"), [("bob@shop.example", True), ("ana@shop.example", False)])
def test_a_button_is_grey_for_those_who_may_not_and_says_whom_to_ask(
    open_page: OPEN, with_model: Path, sign_in: SIGN_IN, page: str, key: str, role: str, email: str, grey: bool
) -> None:
    sign_in(email)
    button = open_page(with_model, page).button(key=key)
    assert (f"the role {role}" in button.help) is grey and button.disabled is grey


@pytest.mark.parametrize(
    ("person", "grey"), [(("eve@other.example", "clv-analysts"), True), (("ana@shop.example",), False)]
)
def test_a_run_that_was_cut_off_is_started_again_by_those_who_may_start_it(
    open_page: OPEN, bare: Path, sleeping_job: START, sign_in: SIGN_IN, person: tuple[str, ...], grey: bool
) -> None:
    job = sleeping_job(Workspace(bare), ["delete", "shop"], "shop")
    os.killpg(job.status().pid, signal.SIGKILL)
    os.waitpid(job.status().pid, 0)
    sign_in(person[0], **({"groups": person[1]} if person[1:] else {}))
    assert open_page(bare, "datasets", run=job.id).button(key="once_more_delete").disabled is grey


@pytest.mark.usefixtures("never_grey")
def test_a_viewer_stops_no_training_and_forgets_no_answers_even_past_the_button(
    open_page: OPEN, bare: Path, sleeping_job: START, sign_in: SIGN_IN, tmp_path: Path
) -> None:
    job = sleeping_job(Workspace(bare), ["train", "shop"], "shop")
    sign_in("bob@shop.example")
    app = do(open_page(bare, "train"), f"cancel_{job.id}", "confirm")
    assert "role" in app.error[0].value and job.status().state == "running"
    columns, path = ["customer_id", "date", "amount"], tmp_path / "log.csv"
    path.write_text("customer_id,date,amount\nA,2024-03-25,10\nB,2024-04-26,12.5\n")
    remember(Workspace(bare), columns, Answers(currency="EUR"))
    app = open_page(bare, "upload")
    app.session_state[uploading.FILE] = uploading.FilesInHand((path,), tmp_path / "own")
    app.run()
    app.button(key="recall_forget").click().run()
    assert "role" in app.error[0].value and recall(Workspace(bare), columns) is not None


@pytest.mark.parametrize(("email", "grey"), [("bob@shop.example", True), ("ana@shop.example", False)])
@pytest.mark.parametrize(("page", "part"), [("upload", {}), ("datasets", {"datasets_what": "customers"})])
def test_files_are_taken_from_those_who_may_make_something_of_them(
    open_page: OPEN, with_dataset: Path, sign_in: SIGN_IN, page: str, part: dict[str, str], email: str, grey: bool
) -> None:
    """A file that nobody can save lies on the server all the same."""
    sign_in(email)
    app = open_page(with_dataset, page)
    for key, value in part.items():
        app.session_state[key] = value
    app.run()
    (uploader,) = app.get("file_uploader")
    assert uploader.proto.disabled is grey and ("role analyst" in uploader.proto.help) is grey
    assert page != "upload" or any("role analyst" in box.value for box in app.info) is grey


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("monitor shop --model m", "read"),
        ("monitor shop --model m --retrain", "promote"),
        ("monitor shop --model m --retrain --leave", "train"),
        ("price shop --model m", "read"),
        ("embed shop --model m", "read"),
        ("recommend shop --model m", "read"),
        ("clean shop --list", "read"),
        ("clean shop --rule bots", "change"),
        ("models import file.zip", "change"),
    ],
)
def test_a_run_is_what_its_words_make_it(command: str, action: str) -> None:
    assert access.action_of(command.split()) == action


@pytest.mark.parametrize(("email", "shown"), [("bob@shop.example", False), ("ana@shop.example", True)])
def test_segments_are_named_and_ruled_by_those_who_may_change_them(
    open_page: OPEN, with_model: Path, sign_in: SIGN_IN, email: str, shown: bool
) -> None:
    sign_in(email)
    app = open_page(with_model, "segments")
    app.session_state["segments_view"] = "names"
    app.run()
    assert any(box.key.startswith("name_") for box in app.text_input) is shown
    assert any("role analyst" in box.value for box in app.info) is not shown


@pytest.mark.usefixtures("never_grey")
def test_a_viewer_puts_nobody_into_a_segment_even_past_the_button(
    open_page: OPEN, root: Path, sign_in: SIGN_IN
) -> None:
    dataset = open_dataset(Workspace(root), "shop")
    put_by_hand(dataset, "mine", "Friends", "somebody")
    sign_in("bob@shop.example")
    app = open_page(root, "customer")
    name = next(box for box in app.selectbox if str(box.key).startswith("card_segment_"))
    name.set_value("Friends").run()
    app.button(key="card_segment_add").click().run()
    assert "role" in app.error[0].value and load_rules(dataset, "mine").rules[0].by_hand == ("somebody",)


def test_a_viewer_is_told_that_offers_are_not_kept(open_page: OPEN, with_model: Path, sign_in: SIGN_IN) -> None:
    said = {one: translate(f"budget.offers.{one}", "en") for one in ("kept", "session")}
    for email, lasting in (("bob@shop.example", "session"), ("ana@shop.example", "kept")):
        sign_in(email)
        app = open_page(with_model, "strategy", lang="en")
        (line,) = [one.value for one in app.caption if one.value.startswith(translate("budget.offers.assumed", "en"))]
        assert [one for one in said if said[one] in line] == [lasting]


@pytest.mark.parametrize(
    ("email", "claims", "allowed"),
    [
        ("bob@shop.example", {}, {"read"}),
        (
            "kim@else.example",
            {"groups": ["clv-analysts"]},
            {"read", "export", "upload", "train", "change", "suppress", "objections"},
        ),
        ("ana@shop.example", {}, set(access.ACTIONS)),
    ],
)
def test_each_role_may_what_the_table_says(
    sign_in: SIGN_IN, email: str, claims: dict[str, Any], allowed: set[str]
) -> None:
    sign_in(email, **claims)
    assert {action for action in access.ACTIONS if access.may(action)} == allowed


@pytest.mark.usefixtures("never_grey")
def test_an_analyst_promotes_nothing_and_an_administrator_s_promotion_is_noted(
    open_page: OPEN, root: Path, sign_in: SIGN_IN
) -> None:
    workspace = Workspace(root)
    config = TrainConfig(horizon_days=90, model="naive", cutoffs=2)
    second = pipeline.train(workspace, "shop", config, progress=NoProgress())
    first = Registry(workspace).champion("shop")
    assert first is not None and first.bundle != second.id
    sign_in("kim@else.example", groups=["clv-analysts"])
    app = do(open_page(root, "models"), "promote_challenger", "confirm")
    assert "role" in app.error[0].value and Registry(workspace).champion("shop") == first
    sign_in("ana@shop.example")
    app = do(open_page(root, "models"), "promote_challenger", "confirm")
    champion = Registry(workspace).champion("shop")
    assert champion is not None and champion.bundle == second.id
    line = next(one for one in audit.lines(workspace) if one["action"] == "models promote")
    assert (line["who"], line["version"]) == ("ana@shop.example", champion.number)
