"""The commands that keep datasets: each over the real parser, its JSON as other systems rely on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clv_core.audit import lines
from clv_core.collection.store.version_store import open_dataset
from clv_core.workspace import Workspace
from tests.commands.conftest import codes, done, refused

pytestmark = pytest.mark.first(3)

FILES = {
    "jan": "a,31/01/2024,1 b,30/01/2024,2",
    "feb": "a,31/01/2024,1 a,03/02/2024,4 ,01/02/2024,1",
    "first": "a,31/01/2024,1 b,30/01/2024,2 ,30/01/2024,2",
    "march": "a,03/02/2024,4",
    "later": "a,01/03/2024,4 b,02/03/2024,7",
    "last": "a,05/03/2024,9",
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("CLV_KEY_FILE", raising=False)
    for name, rows in FILES.items():
        text = "\n".join(["customer_id,event_time,amount", *rows.split(" "), ""])
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return Workspace(tmp_path / "workspace")


def call(workspace: Workspace, words: str) -> list[object]:
    """Return the words of a call, its files by their paths."""
    return [str(workspace.root.with_name(word)) if word.endswith(".csv") else word for word in words.split()]


def clv(workspace: Workspace, words: str) -> dict[str, Any]:
    return done(workspace, *call(workspace, words))


def test_append_keeps_the_keys_of_ingest_and_adds_the_overlap(workspace: Workspace) -> None:
    first = clv(workspace, "ingest jan.csv --name shop --timezone Asia/Shanghai")
    assert (first["rows_overlap"], len(first["parts"])) == (0, 1)
    made = clv(workspace, "ingest feb.csv --name shop --append")
    rows = {"rows_read": 5, "rows_kept": 3, "rows_set_aside": 1, "rows_duplicate": 1, "rows_overlap": 1}
    assert set(made) == {*first, "loaded"} and {key: made[key] for key in rows} == rows
    assert made["last_event"] == "2024-02-02T16:00:00Z"
    assert {"rows_overlap", "no_customer"} <= set(codes(made)) and all(one["message"] for one in made["warnings"])


def test_an_appended_file_is_warned_of_by_itself(workspace: Workspace) -> None:
    """A night's run would repeat all nights before it; what was said of those stands with the dataset."""
    clv(workspace, "ingest first.csv --name shop")
    second = clv(workspace, "ingest feb.csv --name shop --append")
    assert "no_customer" in codes(second)  # of its own, as the first file has one
    assert "no_customer" not in codes(clv(workspace, "ingest later.csv --name shop --append"))
    assert codes(clv(workspace, "datasets shop")).count("no_customer") == 2


def test_what_the_command_says_outranks_what_was_said_before(workspace: Workspace) -> None:
    clv(workspace, "ingest jan.csv --name shop --currency EUR --timezone Asia/Shanghai")
    words = "--date-order mdy --timezone UTC --map amount=amount"
    made = clv(workspace, f"ingest march.csv --name shop --append {words}")
    assert made["last_event"] == "2024-03-02T00:00:00Z"
    for words, code, error in (
        ("--currency USD", 4, "currencies_differ"),
        ("--pseudonymise", 4, "append_readable"),
        ("--remembered", 2, "usage"),
    ):
        assert refused(workspace, *call(workspace, f"ingest feb.csv --name shop --append {words}")) == (code, error)


def test_several_files_pseudonyms_and_remembered_answers(workspace: Workspace, tmp_path: Path) -> None:
    made = clv(workspace, "ingest jan.csv feb.csv --name shop --pseudonymise --currency EUR")
    assert [part["source"] for part in made["parts"]] == ["jan.csv", "feb.csv"]
    assert open_dataset(workspace, "shop").manifest.pseudonymised and (tmp_path / "workspace.key").exists()
    clv(workspace, "ingest jan.csv --name other --remembered")
    assert open_dataset(workspace, "other").manifest.currency == "EUR"
    clv(workspace, "ingest last.csv --name shop --append")
    assert refused(workspace, "combine", "shop", "other", "--name", "all") == (4, "pseudonyms_differ")


def test_a_dataset_s_life_by_the_command_line(workspace: Workspace) -> None:
    first = clv(workspace, "ingest jan.csv --name shop")
    clv(workspace, "ingest feb.csv --name shop --append")
    clv(workspace, "ingest jan.csv --name till")
    made = clv(workspace, "combine shop till --name all")
    assert (made["rows_kept"], made["rows_overlap"]) == (3, 3)
    listed = clv(workspace, "datasets")["datasets"]
    assert [(one["name"], one["made"], one["rows_kept"]) for one in listed] == [
        ("all", "combine", 3), ("shop", "append", 3), ("till", "ingest", 2),
    ]  # fmt: skip
    one = clv(workspace, "datasets shop")
    assert [item["made"] for item in one["versions"]] == ["append", "ingest"] and one["rows_read"] == 5
    back = clv(workspace, f"restore shop {first['version']}")
    assert back == {**first, "warnings": back["warnings"]}
    assert refused(workspace, "restore", "shop", "ffffffffffff")[0] == 4
    renamed = {"dataset": "store", "renamed": "shop", "models": 0, "predictions": 0}
    assert clv(workspace, "rename shop store") == renamed
    [line] = [one for one in lines(workspace) if one["action"] == "rename"]
    assert (line["dataset"], line["renamed"]) == ("store", "shop")
    gone = clv(workspace, "delete store")
    assert (gone["versions"], gone["remains"]) == (2, [{"kind": "dataset", "name": "all"}])
    assert refused(workspace, "delete", "store")[0] == 4
    assert [item["name"] for item in clv(workspace, "datasets")["datasets"]] == ["all", "till"]
