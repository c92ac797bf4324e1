"""The audit log: only ever added to, by many at once, and closed to what names anybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clv_core import audit, jobs
from clv_core.cli import main
from clv_core.collection.ingest import ingest
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset, restore
from clv_core.deployment.registry import Registry
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers, remove_customers
from clv_core.preprocessing.clean import clean
from clv_core.workspace import Workspace
from tests.deployment.registry import tiny


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_lines_say_who_what_and_when_the_latest_first(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLV_ACTOR", "ana@shop.example")
    audit.note(workspace, "train", dataset="shop", model="shop-1", rows=None)
    audit.note(workspace, "delete", dataset="shop")
    latest, first = audit.lines(workspace)
    names = ("who", "action", "dataset", "model")
    assert [first[name] for name in names] == ["ana@shop.example", "train", "shop", "shop-1"]
    assert latest["action"] == "delete" and "rows" not in first and latest["at"] >= first["at"]


def test_a_line_takes_no_other_fact(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="customer"):
        audit.note(workspace, "export", customer="anna-1")  # type: ignore[call-arg]
    assert audit.lines(workspace) == []


def test_many_writers_lose_no_line_and_one_that_was_cut_off_is_left_out(workspace: Workspace) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: audit.note(workspace, "train", rows=number), range(200)))
    assert sorted(line["rows"] for line in audit.lines(workspace)) == list(range(200))
    with audit.path_of(workspace).open("a") as file:
        file.write('{"at": "2024')
    assert len(audit.lines(workspace)) == 200
    audit.note(workspace, "delete", dataset="shop")
    assert [line["action"] for line in audit.lines(workspace, 2)] == ["delete", "train"]


def test_a_name_with_odd_characters_costs_no_line(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLV_ACTOR", "ann\u2028of\x85sales")
    audit.note(workspace, "delete", dataset="shop")
    assert [line["who"] for line in audit.lines(workspace)] == ["ann\u2028of\x85sales"]
    SuppressionList.of(workspace).add(["c1"])
    assert SuppressionList.of(workspace).holds("c1")


def test_a_new_version_is_noted_wherever_it_was_made(workspace: Workspace, tmp_path: Path) -> None:
    """Pages call what commands call, so the line is written where the version is made."""
    rows = [f"c{n % 4},2024-01-{1 + n:02},{n}.5,ads" for n in range(20)]
    file = tmp_path / "log.csv"
    file.write_text("\n".join(["customer_id,event_time,amount,channel", *rows]))
    first = ingest(workspace, file, "shop").version
    people = tmp_path / "people.csv"
    people.write_text("\n".join(["customer_id,email", *(f"c{n},c{n}@shop.example" for n in range(4))]))
    clean(workspace, "shop", {"zero_price": None})
    add_customers(workspace, "shop", people, Roles(contacts={"email": "email"}), progress=NoProgress())
    remove_customers(workspace, "shop")
    restore(workspace, "shop", first)
    clean(workspace, "shop", {})
    found = audit.lines(workspace)
    assert [line["action"] for line in found] == ["clean", "restore", "customers remove", "customers", "clean"]
    assert all(line["dataset"] == "shop" and line["version"] for line in found)


def test_what_a_command_made_is_noted_and_not_merely_that_it_ran(workspace: Workspace, tmp_path: Path) -> None:
    file, root = tmp_path / "log.csv", ["--workspace", str(tmp_path)]
    days = [f"2024-{1 + n // 28:02}-{1 + n % 28:02}" for n in range(330)]
    rows = [f"c{n % 60},{day},{n}.5" for n, day in enumerate(days)]
    file.write_text("\n".join(["customer_id,event_time,amount", *rows]))
    assert main(["ingest", str(file), "--name", "shop", *root]) == 0
    assert main(["train", "shop", "--horizon-days", "30", "--model", "naive", *root]) == 0
    trained, read = audit.lines(workspace)
    assert (read["action"], read["version"]) == ("ingest", open_dataset(workspace, "shop").version)
    assert (trained["action"], trained["version"]) == ("train", 1) and trained["model"].startswith("shop-naive-")


def test_a_run_acts_for_who_started_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}

    class Process:
        def __init__(self, arguments: list[str], *, env: dict[str, str], **options: object) -> None:
            given.update(env)

    monkeypatch.setattr(jobs.subprocess, "Popen", Process)
    monkeypatch.setattr(jobs, "_children", {})
    audit.set_actor("bob@shop.example")
    try:
        jobs.start(workspace, ["train", "shop"], language="en")
    finally:
        audit.set_actor("")
    assert given["CLV_ACTOR"] == "bob@shop.example"


def test_keys_and_what_changes_the_role_of_a_model_are_noted_once(workspace: Workspace, tmp_path: Path) -> None:
    for seed in (1, 2):
        Registry(workspace).register(tiny.save(workspace, seed, "shop"))
    archive, root = str(tmp_path / "model.zip"), ["--workspace", str(tmp_path)]
    calls = ("keys add backend", "keys revoke backend", "models promote shop 2", "models rollback shop")
    for call in (*calls, f"models export shop 2 --out {archive}", "models delete shop 2", f"models import {archive}"):
        assert main([*call.split(), *root]) == 0
    noted = [(line["action"], line.get("version"), "key" in line) for line in audit.lines(workspace)][::-1]
    assert noted[:4] == [("keys add", None, True), ("keys revoke", None, True), *(
        (f"models {action}", number, False) for action, number in (("promote", 2), ("rollback", 1))
    )]  # fmt: skip
    assert [action for action, *_ in noted[4:]] == ["models export", "models delete", "models import"]
