"""Retention: nothing goes unless it is set, what is due is said first, and exactly that goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core import audit, jobs
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset, versions
from clv_core.deployment.artifacts import artifacts
from clv_core.deployment.registry import Registry
from clv_core.errors import Refused, UsageError
from clv_core.jobs import NoProgress
from clv_core.monitoring.schedules import Schedule
from clv_core.preprocessing.add_customers import add_customers
from clv_core.preprocessing.clean import clean
from clv_core.upkeep.retention import KINDS, Retention, expire, load_retention, plan_retention, save_retention
from clv_core.workspace import Workspace, write_json
from tests.commands.conftest import done, refused, run

NOW = datetime.now(UTC)
DAYS = 400
LIMIT = 200
"""Days that the log goes back, and that events stay."""


def day(ago: int) -> datetime:
    return (NOW - timedelta(days=ago)).replace(hour=12, minute=0, second=0, microsecond=0)


def log(folder: Path, first: int, last: int) -> Path:
    """Write events of the days ``first`` to ``last`` ago: old ones of old-n, late ones of new-n, both of all-n."""
    rows = ["customer_id,event_time,amount"]
    for ago in range(first, last, -1):
        age = "old" if ago > LIMIT else "new"
        rows += [f"{age}-{ago % 30:04},{day(ago):%Y-%m-%d %H:%M},{1 + ago % 7}.5"]
        rows += [f"all-{ago % 20:04},{day(ago):%Y-%m-%d %H:%M},{2 + ago % 5}.25"]
    rows.append("someone-else,no day,5")
    path = folder / f"log-{first}.csv"
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with the dataset ``shop``, of two versions, with a customers table in the second."""
    made = Workspace(tmp_path / "workspace")
    ingest(made, log(tmp_path, DAYS, 50), "shop")
    append(made, "shop", log(tmp_path, 50, 0))
    return made


def with_customers(workspace: Workspace, folder: Path) -> None:
    ids = sorted(pd.read_parquet(open_dataset(workspace, "shop").events_path)["customer_id"].unique())
    people = folder / "people.csv"
    people.write_text("\n".join(["customer_id,email", *(f"{one},{one}@shop.example" for one in [*ids, "prospect-1"])]))
    add_customers(workspace, "shop", people, Roles(contacts={"email": "email"}), progress=NoProgress())


def due(workspace: Workspace) -> dict[str, int]:
    return {one.kind: one.due for one in plan_retention(workspace) if one.due}


def keep(workspace: Workspace, **days: int) -> None:
    save_retention(workspace, Retention(**days))


def older(path: Path, days: int) -> None:
    for one in [path, *path.rglob("*")]:
        os.utime(one, (time.time() - days * 86_400,) * 2)


def files(workspace: Workspace) -> dict[str, bytes]:
    paths = [path for path in workspace.root.rglob("*") if path.is_file() and path.parent.name != "audit"]
    return {str(path): path.read_bytes() for path in paths if not {"locks", "scratch"} & {*path.parts}}


def test_nothing_goes_unless_it_is_set(workspace: Workspace) -> None:
    before = files(workspace)
    plan = plan_retention(workspace)
    assert [one.kind for one in plan] == list(KINDS) and {one.days for one in plan} == {0}
    assert not any(one.due or one.next or one.notes for one in plan)
    expire(workspace, NoProgress())
    assert files(workspace) == before


def test_events_go_by_their_own_time_and_take_along_what_is_left_of_their_customers(
    workspace: Workspace, tmp_path: Path
) -> None:
    with_customers(workspace, tmp_path)
    before = pd.read_parquet(open_dataset(workspace, "shop").events_path)
    limit = pd.Timestamp((NOW - timedelta(days=LIMIT)).replace(tzinfo=None))
    recent = before[before["event_time"] >= limit]
    keep(workspace, events=LIMIT)
    plan = {one.kind: one for one in plan_retention(workspace)}["events"]
    assert (plan.items, plan.due) == (len(before), len(before) - len(recent)) and plan.due > 300
    assert datetime.fromisoformat(plan.next) > NOW and datetime.fromisoformat(plan.oldest) == day(DAYS)
    expire(workspace, NoProgress())
    dataset = open_dataset(workspace, "shop")
    after = pd.read_parquet(dataset.events_path)
    assert sorted(after["event_time"]) == sorted(recent["event_time"])
    assert after["amount"].sum() == pytest.approx(recent["amount"].sum())
    manifest = dataset.manifest
    assert (manifest.rows_kept, manifest.customers) == (len(recent), recent["customer_id"].nunique())
    assert manifest.net_revenue == pytest.approx(recent["amount"].sum()) and manifest.made == "expire"
    assert manifest.rows_read == manifest.rows_kept + manifest.rows_set_aside + manifest.rows_duplicate
    assert manifest.rows_set_aside == 0 and pd.read_parquet(dataset.rejected_path).empty
    people = set(pd.read_parquet(dataset.customers_path)["customer_id"])
    assert people == {*recent["customer_id"], "prospect-1"}
    assert [one.version for one in versions(workspace, "shop")] == [dataset.version]
    holding = {word: [path for path, text in files(workspace).items() if word in text] for word in (b"old-", b"new-")}
    assert holding[b"old-"] == [] and str(dataset.events_path) in holding[b"new-"]
    assert due(workspace) == {}


def test_a_cleaned_dataset_loses_old_events_in_its_raw_version_too(workspace: Workspace) -> None:
    clean(workspace, "shop", {"zero_price": None})
    assert open_dataset(workspace, "shop").manifest.raw_version
    keep(workspace, events=LIMIT)
    expire(workspace, NoProgress())
    current = open_dataset(workspace, "shop")
    stored = {one.version: one for one in versions(workspace, "shop")}
    assert set(stored) == {current.version, current.manifest.raw_version}
    for one in stored.values():
        assert pd.read_parquet(one.events_path)["event_time"].min() > pd.Timestamp(day(LIMIT + 1).replace(tzinfo=None))


def test_a_dataset_of_old_events_only_is_left_and_said(workspace: Workspace) -> None:
    keep(workspace, events=2)
    before = open_dataset(workspace, "shop").version
    later = {one.kind: one for one in plan_retention(workspace, Retention(events=2))}["events"]
    assert later.due > 0  # the last event, yesterday at noon, is younger at any time of day
    ingest_old = workspace.root.parent / "old.csv"
    ingest_old.write_text("customer_id,event_time,amount\nc1,2020-01-01,5\nc2,2020-02-01,6\n")
    ingest(workspace, ingest_old, "ancient")
    plan = {one.kind: one for one in plan_retention(workspace)}["events"]
    assert "retention.note.all_events" in [note.code for note in plan.notes]
    ancient = open_dataset(workspace, "ancient").version
    expire(workspace, NoProgress())
    assert open_dataset(workspace, "ancient").version == ancient
    assert open_dataset(workspace, "shop").version != before


def test_what_the_current_model_and_its_rollback_lose_is_said_before(workspace: Workspace) -> None:
    for model in ("naive", "bgnbd"):
        trained = done(workspace, "train", "shop", "--horizon-days", "120", "--model", model)
        version = Registry(workspace).find(trained["model"])
        assert version is not None
        Registry(workspace).promote("shop", version.number)
    keep(workspace, events=LIMIT)
    notes = {note.code: note.params for one in plan_retention(workspace) for note in one.notes}
    assert notes["retention.note.champion"]["version"] == 2 and notes["retention.note.rollback"]["version"] == 1
    assert (
        notes["retention.note.short"] == {"name": "shop", "left": LIMIT, "needed": 240}
        or abs(notes["retention.note.short"]["left"] - LIMIT) <= 1
    )
    keep(workspace, events=300)
    codes = {note.code for one in plan_retention(workspace) for note in one.notes}
    assert "retention.note.champion" in codes and "retention.note.short" not in codes


def test_old_results_go_but_those_that_the_current_model_needs(workspace: Workspace) -> None:
    words = ("train", "shop", "--horizon-days", "30", "--model")
    trained = [done(workspace, *words, model)["model"] for model in ("naive", "bgnbd")]
    registry = Registry(workspace)
    for model in trained:
        version = registry.find(model)
        assert version is not None
        done(workspace, "score", "shop", "--model", model, "--out", workspace.root.parent / f"{model}.csv")
    registry.promote("shop", registry.versions("shop")[0].number)
    champion = registry.champion("shop")
    assert champion is not None
    for artifact in artifacts(workspace, "shop"):
        older(artifact.path, 40)
    keep(workspace, scores=30)
    plan = {one.kind: one for one in plan_retention(workspace)}["scores"]
    kept = [one for one in registry.earlier("shop")[:1]] + [champion]
    expected = [one for one in artifacts(workspace, "shop") if one.model not in {item.bundle for item in kept}]
    assert plan.due == len([one for one in expected if one.kind not in ("tuning", "serving")])
    assert "retention.note.scores_kept" in [note.code for note in plan.notes]
    expire(workspace, NoProgress())
    left = {one.model for one in artifacts(workspace, "shop") if one.kind == "scores"}
    assert left == {item.bundle for item in kept}
    append(workspace, "shop", log(workspace.root.parent, 2, -1))
    plan = {one.kind: one for one in plan_retention(workspace)}["scores"]
    assert plan.due > 0 and "retention.note.unchecked" in [note.code for note in plan.notes]


def test_results_without_those_who_objected_are_those_that_the_current_model_needs(workspace: Workspace) -> None:
    words = ("train", "shop", "--horizon-days", "30", "--model", "bgnbd")
    done(workspace, "objections", "add", "all-0003")
    model = done(workspace, *words)["model"]
    done(workspace, "score", "shop", "--model", model, "--out", workspace.root.parent / "scores.csv")
    made = [artifact for artifact in artifacts(workspace, "shop") if artifact.kind == "scores"]
    assert made and all(artifact.version != open_dataset(workspace, "shop").version for artifact in made)
    for artifact in made:
        older(artifact.path, 40)
    keep(workspace, scores=30)
    expire(workspace, NoProgress())
    assert all(artifact.path.exists() for artifact in made)


def test_uploads_and_earlier_versions_go_and_what_is_in_use_stays(workspace: Workspace) -> None:
    uploads = workspace.folder("uploads")
    for name in ("once-old", "once-new", "browser-old"):
        (uploads / name).mkdir()
        (uploads / name / "log.csv").write_text("x")
    older(uploads / "once-old", 10)
    older(uploads / "browser-old", 10)
    current, earlier = versions(workspace, "shop")
    for one in (current, earlier):
        manifest = one.manifest.to_json() | {"created": (NOW - timedelta(days=10)).isoformat(timespec="seconds")}
        write_json(one.folder / "manifest.json", manifest)
    keep(workspace, raw=5)
    plan = plan_retention(workspace)[0]
    assert (plan.kind, plan.due) == ("raw", 2)
    assert [(note.code, note.params["n"]) for note in plan.notes] == [("retention.note.versions", 1)]
    expire(workspace, NoProgress())
    assert sorted(path.name for path in uploads.iterdir()) == ["browser-old", "once-new"]
    assert [one.version for one in versions(workspace, "shop")] == [current.version]


def test_exports_runs_and_lines_of_the_audit_log_go_and_what_is_outside_is_said(workspace: Workspace) -> None:
    exports, outside = workspace.exports, workspace.root.parent / "away.csv"
    for path in (exports / "old.csv", exports / "new.csv", outside):
        path.write_text("customer_id\nc1\n")
    older(exports / "old.csv", 40)
    older(outside, 40)
    folder = workspace.jobs / "20240101-000000-score-abcdef"
    folder.mkdir()
    jobs.update_status(folder, command="score", state=jobs.DONE)
    status = jobs.JobStatus.of(folder).to_json() | {"updated": time.time() - 40 * 86_400}
    write_json(folder / "status.json", status)
    audit.path_of(workspace).write_text(
        f'{{"at": "{(NOW - timedelta(days=40)).isoformat(timespec="seconds")}", "who": "ana", "action": "train"}}\n'
    )
    audit.note(workspace, "delete", dataset="other")
    keep(workspace, exports=30, jobs=30, audit=30)
    assert due(workspace) == {"exports": 1, "jobs": 1, "audit": 1}
    expire(workspace, NoProgress())
    assert [path.name for path in exports.glob("*.csv")] == ["new.csv"] and outside.exists()
    assert not folder.exists() and audit.verify(workspace).found == 0
    noted = [(line["action"], line.get("kind"), line.get("rows")) for line in audit.lines(workspace)][::-1]
    assert ("train", None, None) not in noted
    assert [one[1:] for one in noted if one[0] == "expire"] == [("exports", 1), ("jobs", 1), ("audit", 1)]
    assert due(workspace) == {}


def test_the_commands_set_say_and_remove(workspace: Workspace) -> None:
    before = files(workspace)
    answer = done(workspace, "retention", "events=200", "jobs=90")["retention"]
    assert {one["kind"]: one["days"] for one in answer}["events"] == 200
    assert load_retention(workspace) == Retention(events=200, jobs=90)
    assert [line["kind"] for line in audit.lines(workspace)[:2]] == ["jobs", "events"]
    dry = done(workspace, "prune", "--expired", "--dry-run")
    assert dry["dry_run"] and {one["kind"]: one["due"] for one in dry["expired"]}["events"] > 0
    assert {name: text for name, text in files(workspace).items() if "retention" not in name} == before
    removed = done(workspace, "prune", "--expired")["expired"]
    assert removed[:-1] == dry["expired"][:-1]  # the last is the audit log, which has a line more by then
    assert due(workspace) == {}
    assert done(workspace, "retention", "events=0")["retention"][1]["days"] == 0
    for words in ((), ("shop", "--expired"), ("shop", "--dry-run")):
        assert refused(workspace, "prune", *words)[1] == "prune_what"
    for pair in ("events=-1", "events=x", "sales=3", "events=99999999"):
        assert refused(workspace, "retention", pair) == (2, "retention_days")


def test_a_schedule_may_remove_what_is_due() -> None:
    Schedule("nightly", "0 6 * * *", ("prune --expired",)).check()
    with pytest.raises(UsageError):
        Schedule("nightly", "0 6 * * *", ("delete shop",)).check()


def test_while_a_run_works_on_a_dataset_its_events_stay(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(workspace, events=LIMIT)
    folder = workspace.jobs / "20240101-000000-score-abcdef"
    folder.mkdir()
    jobs.update_status(folder, command="score", args=("score", "shop"), label="shop", pid=os.getppid())
    monkeypatch.setattr(jobs, "_alive", lambda status, folder: True)
    before = open_dataset(workspace, "shop")
    with pytest.raises(Refused, match="shop"):
        expire(workspace, NoProgress())
    assert open_dataset(workspace, "shop") == before
    line = audit.lines(workspace)[0]
    assert (line["action"], line["kind"], line["rows"], line["outcome"]) == ("expire", "events", 0, "failed")


@pytest.mark.parametrize("tamper", [lambda days: {**days, "events": -1}, lambda days: {**days, "sales": 3}])
def test_a_file_of_days_that_nobody_can_mean_is_refused(
    workspace: Workspace, tamper: Callable[[dict[str, int]], dict[str, int]]
) -> None:
    write_json(workspace.root / "retention.json", tamper(Retention().to_json()))
    assert run(workspace, "prune", "--expired")[0] == 4
