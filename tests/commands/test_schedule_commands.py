"""Schedules at the command line: steps are checked when they are added, and exit codes say how a night went."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.collection.sources import Source, add_source
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import Message
from clv_core.jobs import NoProgress
from clv_core.monitoring import chains
from clv_core.monitoring.chains import StepResult
from clv_core.monitoring.schedules import STEPS, Schedule, add_schedule, list_schedules, load_schedule
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.destinations import add_destination
from clv_core.workspace import Workspace
from tests.commands.conftest import done, run
from tests.monitoring.conftest import Receiver, Steps, receiver
from tests.monitoring.watched_shop import finding, plant, watch_of

__all__ = ["receiver"]

ADD = ("schedule", "add", "nightly", "--cron", "0 6 * * *")
GOOD = (
    "source run orders",
    "score shop --model champion --out 'my lists/{day}.csv'",
    "monitor shop --model champion --retr --every 7",
    "segment shop --model champion --scheme quantile:10,30,60 --segment tier=1 --out top-{day}.csv",
    "export shop --model champion --format csv --out list-{day}.csv",
    "report shop --model champion --out report-{day}.html",
    "summary shop --model champion --out night.html",
    "push shop --model champion --to lake",
    "backup backup-{day}.zip",
    "prune shop --keep 7",
    "prune --expired",
    "models prune shop --keep 5",
)


@pytest.fixture
def workspace(small_workspace: Workspace, tmp_path: Path) -> Workspace:
    work = Workspace(shutil.copytree(small_workspace.root, tmp_path / "workspace"))
    add_source(work, Source("orders", "folder", str(tmp_path), "shop", "*.csv"))
    add_source(work, Source("unread", "folder", str(tmp_path), "later", "*.csv"))
    add_destination(work, "lake", "bucket", f"file://{tmp_path}/lake")
    return work


def test_every_kind_of_step_is_taken_as_it_is(workspace: Workspace) -> None:
    said = done(workspace, *ADD, *(word for step in GOOD for word in ("--step", step)))
    assert said["steps"] == list(GOOD) and said["warnings"] == []
    assert {kind for kind in STEPS if any(step.startswith(kind) for step in GOOD)} == {*STEPS}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("source run nowhere", "nowhere"),
        ("score other --model champion --out a.csv", "other"),
        ("score shop --model champion", "--out"),
        ("score shop --out a.csv", "--model"),
        ("score --model champion --out a.csv", "dataset"),
        ("score shop --model champion --out a.pdf", ".parquet"),
        ("score shop --model challenger --out a.csv", "challenger"),
        ("score shop --model shop-1-none --out a.csv", "shop-1-none"),
        ("score later --model champion --out a.csv", "later"),
        ("monitor shop --model champion --chunk yearly", "yearly"),
        ("monitor shop --model champion --webhook nonsense", "nonsense"),
        ("monitor shop --model champion --every soon --retrain", "soon"),
        ("segment shop --model champion --scheme by_moon --out a.csv", "by_moon"),
        ("segment shop --model champion --segment nonsense --out a.csv", "nonsense"),
        ("segment shop --model champion --out a.pdf", ".csv"),
        ("export shop --model champion --format csv --out a.xlsx", ".csv"),
        ("export shop --model champion --format csv --suppress none.csv --out a.csv", "none.csv"),
        ("export shop --model champion --format klaviyo --out a.csv", "email"),
        ("report shop --model champion --out a.html --budget 100", "offer"),
        ("report shop --model champion --out a.doc", ".html"),
        ("push shop --model champion --to nowhere", "nowhere"),
        ("push shop --model champion", "--to"),
        ("summary shop", "--model"),
        ("prune", "--expired"),
        ("prune shop --expired", "--expired"),
        ("prune other", "other"),
        ("models prune other", "other"),
        ("models prune shop --help", "help"),
        ("backup", "backup"),
    ],
)
def test_a_step_that_could_never_run_is_refused_with_the_reason(workspace: Workspace, step: str, said: str) -> None:
    before = list_schedules(workspace)
    code, answer = run(workspace, *ADD, "--step", step)
    error = answer["error"]
    assert code in (2, 4)
    assert said in error["message"] and step in error["message"]
    assert list_schedules(workspace) == before


def test_what_an_earlier_step_makes_need_not_be_there(workspace: Workspace) -> None:
    assert done(workspace, *ADD, "--step", "source run unread", "--step", "prune later")["name"] == "nightly"
    assert run(workspace, *ADD, "--step", "prune later", "--step", "source run unread")[0] == 4


def test_a_list_for_a_platform_needs_to_know_who_agreed(workspace: Workspace, tmp_path: Path) -> None:
    ids = pd.read_parquet(open_dataset(workspace, "shop").events_path, columns=["customer_id"])["customer_id"].unique()
    people = pd.DataFrame({"customer_id": ids, "email": [f"c{number}@shop.example" for number in range(len(ids))]})
    people.to_csv(tmp_path / "people.csv", index=False)
    add_customers(workspace, "shop", tmp_path / "people.csv", Roles(), progress=NoProgress())
    step = "export shop --model champion --format klaviyo --out a.csv"
    code, answer = run(workspace, *ADD, "--step", step)
    assert code == 3 and "agreed" in answer["error"]["message"]
    assert done(workspace, *ADD, "--step", f"{step} --assume-consent")["name"] == "nightly"


def test_a_summary_without_an_address_is_warned_of(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLV_WEBHOOK_URL", raising=False)
    monkeypatch.delenv("CLV_SMTP_HOST", raising=False)
    said = done(workspace, *ADD, "--step", "summary shop --model champion")
    assert [one["code"] for one in said["warnings"]] == ["schedule_no_address"]


def refused(workspace: Workspace, *words: str) -> dict[str, Any]:
    """Return what a command says that ends as a failed chain does."""
    code, answer = run(workspace, *words)
    assert code == 6
    return answer


def chain(workspace: Workspace, name: str, *steps: str) -> None:
    """Save a chain that is due, whatever its steps need."""
    add_schedule(workspace, Schedule(name, "* * * * *", steps), datetime(2026, 1, 1, tzinfo=UTC))


def test_a_night_with_a_failed_chain_ends_with_6_and_says_which(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chains, "run_as_job", Steps("score"))
    chain(workspace, "bad", "score shop --model champion --out a.csv")
    chain(workspace, "good", "prune shop")
    said = refused(workspace, "run-due")
    assert said["error"]["code"] == "chain_failed" and said["error"]["params"] == {"names": ["bad"]}
    assert said["result"] == {"ran": {"bad": "failed", "good": "done"}}
    assert done(workspace, "run-due") == {"ran": {}}
    said = refused(workspace, "schedule", "run", "bad")
    assert said["result"]["last"]["error"]["code"] == "no_champion" and "no current model" in said["error"]["message"]
    assert done(workspace, "schedule", "run", "good")["last"]["outcome"] == "done"


def test_status_is_a_health_check(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "run_as_job", Steps("score"))
    assert done(workspace, "schedule", "status", "--json") == {"well": True, "schedules": []}
    chain(workspace, "late", "prune shop")
    said = refused(workspace, "schedule", "status", "--json")
    assert said["result"]["well"] is False and said["result"]["schedules"][0]["state"] == "missed"
    done(workspace, "run-due")
    said = done(workspace, "schedule", "status", "--json")
    assert {key: said["schedules"][0][key] for key in ("name", "state", "error")} == {
        **{"name": "late", "state": "done"},
        "error": None,
    }
    chain(workspace, "bad", "score shop --model champion --out a.csv")
    refused(workspace, "run-due")
    (workspace.place("schedules") / "torn.json").write_text("{")
    states = {one["name"]: one["state"] for one in refused(workspace, "schedule", "status")["result"]["schedules"]}
    assert states == {"bad": "failed", "late": "done", "torn": "damaged"}
    assert load_schedule(workspace, "late")[1].failures == 0
    said = done(workspace, "schedule", "list")
    assert [one["name"] for one in said["schedules"]] == ["bad", "late"] and [*said["damaged"]] == ["torn"]


def in_process(workspace: Workspace, words: Sequence[str], language: str, label: str) -> StepResult:
    """Run a step by the same command line as a job does, without a process of its own."""
    code, answer = run(workspace, *words, "--lang", language)
    return (
        StepResult(Message(answer["error"]["code"], answer["error"]["params"])) if code else StepResult(result=answer)
    )


def test_a_summary_goes_where_alerts_go_with_the_nights_record(
    workspace: Workspace, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLV_SMTP_HOST", "CLV_SMTP_TO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(chains, "run_as_job", in_process)
    summary = "summary shop --model champion"
    chain(workspace, "nightly", "prune shop", summary, f"{summary} --out {tmp_path}/night.html")
    assert done(workspace, "run-due")["ran"] == {"nightly": "done"}
    (late, posted) = receiver.posted
    assert late["kind"] == "missed" and posted["dataset"] == "shop"
    assert posted["nights"][0]["schedule"] == "nightly" and posted["nights"][0]["outcome"] == "running"
    assert "What ran" in posted["text"] and "“prune shop”" in posted["text"]
    assert "“prune shop”" in (tmp_path / "night.html").read_text()
    code, answer = run(workspace, *summary.split(), "--webhook", "http://127.0.0.1:9/x")
    assert (code, answer["error"]["code"], answer["result"]["sent"]) == (5, "webhook_failed", False)
    monkeypatch.delenv("CLV_WEBHOOK_URL")
    assert run(workspace, *summary.split())[1]["error"]["code"] == "smtp_settings"


@pytest.mark.parametrize(
    ("language", "said", "count"),
    [
        ("en", "27,266 EUR less than expected", "Business: 1 finding."),
        ("zh", "比预期少 27,266 EUR", "业务：1 项发现。"),
    ],
)
def test_the_summary_begins_with_what_the_watch_of_the_night_found(
    workspace: Workspace,
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    said: str,
    count: str,
) -> None:
    for name in ("CLV_SMTP_HOST", "CLV_SMTP_TO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(chains, "run_as_job", in_process)
    plant(open_dataset(workspace, "shop"), watch_of(finding()))
    summary = "summary shop --model champion"
    steps = ("monitor shop --business", summary, f"{summary} --out {tmp_path}/night.html")
    add_schedule(
        workspace, Schedule("nightly", "0 6 * * *", steps, language=language), datetime(2026, 3, 2, tzinfo=UTC)
    )
    assert done(workspace, "run-due")["ran"] == {"nightly": "done"}
    found, posted = [one for one in receiver.posted if "business" in one]
    assert said in found["text"] and found["business"]["state"] == "found", "sent by monitor, as new alerts are"
    assert said in posted["text"].splitlines()[1] and count in posted["text"]
    assert posted["business"]["findings"][0]["size"] == -27_266.0
    assert posted["nights"][0]["steps"][0]["figures"]["business"]["state"] == "found"
    assert said in (tmp_path / "night.html").read_text()
