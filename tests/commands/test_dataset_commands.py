"""The commands that keep datasets: each over the real parser, its JSON as other systems rely on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clv_core import cli
from clv_core.audit import lines
from clv_core.collection.stored.store import open_dataset
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(3)

HEAD = "customer_id,event_time,amount\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("CLV_KEY_FILE", raising=False)
    write(tmp_path / "jan.csv", "a,31/01/2024,1", "b,30/01/2024,2")
    write(tmp_path / "feb.csv", "a,31/01/2024,1", "a,03/02/2024,4", ",01/02/2024,1")
    return Workspace(tmp_path / "workspace")


def write(path: Path, *lines: str) -> Path:
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def clv(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the command line: words -> (exit code, JSON of the last line)."""

    def call(*words: object) -> tuple[int, dict[str, Any]]:
        code = cli.main([*map(str, words), "--workspace", str(workspace.root)])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return call


def test_append_keeps_the_keys_of_ingest_and_adds_the_overlap(clv: Any, tmp_path: Path) -> None:
    code, first = clv("ingest", tmp_path / "jan.csv", "--name", "shop", "--timezone", "Asia/Shanghai")
    assert (code, first["rows_overlap"], len(first["parts"])) == (0, 0, 1)
    code, made = clv("ingest", tmp_path / "feb.csv", "--name", "shop", "--append")
    assert code == 0 and set(made) == set(first)
    wanted = {"rows_read": 5, "rows_kept": 3, "rows_set_aside": 1, "rows_duplicate": 1, "rows_overlap": 1}
    assert {key: made[key] for key in wanted} == wanted
    assert made["last_event"] == "2024-02-02T16:00:00Z"
    assert {"rows_overlap", "no_customer"} <= {item["code"] for item in made["warnings"]}
    assert all(item["message"] for item in made["warnings"])


def test_an_appended_file_is_warned_of_by_itself(clv: Any, tmp_path: Path) -> None:
    """A night's run would repeat all nights before it; what was said of those stands with the dataset."""
    first = write(tmp_path / "first.csv", "a,31/01/2024,1", "b,30/01/2024,2", ",30/01/2024,2")
    clv("ingest", first, "--name", "shop")
    third = write(tmp_path / "third.csv", "a,01/03/2024,4", "b,02/03/2024,7")
    _, second = clv("ingest", tmp_path / "feb.csv", "--name", "shop", "--append")
    assert "no_customer" in {item["code"] for item in second["warnings"]}  # of its own, as the first file has one
    _, made = clv("ingest", third, "--name", "shop", "--append")
    assert "no_customer" not in {item["code"] for item in made["warnings"]}
    _, known = clv("datasets", "shop")
    assert [item["code"] for item in known["warnings"]].count("no_customer") == 2


def test_what_the_command_says_outranks_what_was_said_before(clv: Any, tmp_path: Path) -> None:
    clv("ingest", tmp_path / "jan.csv", "--name", "shop", "--currency", "EUR", "--timezone", "Asia/Shanghai")
    words = ["--append", "--date-order", "mdy", "--timezone", "UTC", "--map", "amount=amount"]
    code, made = clv("ingest", write(tmp_path / "march.csv", "a,03/02/2024,4"), "--name", "shop", *words)
    assert code == 0 and made["last_event"] == "2024-03-02T00:00:00Z"
    code, failed = clv("ingest", tmp_path / "feb.csv", "--name", "shop", "--append", "--currency", "USD")
    assert (code, failed["error"]["code"]) == (4, "currencies_differ")
    code, failed = clv("ingest", tmp_path / "feb.csv", "--name", "shop", "--append", "--pseudonymise")
    assert (code, failed["error"]["code"]) == (4, "append_readable")
    code, _ = clv("ingest", tmp_path / "feb.csv", "--name", "shop", "--append", "--remembered")
    assert code == 2


def test_several_files_pseudonyms_and_remembered_answers(clv: Any, tmp_path: Path, workspace: Workspace) -> None:
    files = [tmp_path / "jan.csv", tmp_path / "feb.csv"]
    code, made = clv("ingest", *files, "--name", "shop", "--pseudonymise", "--currency", "EUR")
    assert code == 0 and [part["source"] for part in made["parts"]] == ["jan.csv", "feb.csv"]
    assert open_dataset(workspace, "shop").manifest.pseudonymised and (tmp_path / "workspace.key").exists()
    code, again = clv("ingest", tmp_path / "jan.csv", "--name", "other", "--remembered")
    assert code == 0 and open_dataset(workspace, "other").manifest.currency == "EUR"
    assert clv("ingest", write(tmp_path / "march.csv", "a,05/03/2024,9"), "--name", "shop", "--append")[0] == 0
    assert clv("combine", "shop", "other", "--name", "all")[1]["error"]["code"] == "pseudonyms_differ"


def test_a_dataset_s_life_by_the_command_line(clv: Any, tmp_path: Path, workspace: Workspace) -> None:
    _, first = clv("ingest", tmp_path / "jan.csv", "--name", "shop")
    clv("ingest", tmp_path / "feb.csv", "--name", "shop", "--append")
    clv("ingest", tmp_path / "jan.csv", "--name", "till")
    code, made = clv("combine", "shop", "till", "--name", "all")
    assert code == 0 and (made["rows_kept"], made["rows_overlap"]) == (3, 3)
    code, listed = clv("datasets")
    assert [(item["name"], item["made"], item["rows_kept"]) for item in listed["datasets"]] == [
        ("all", "combine", 3),
        ("shop", "append", 3),
        ("till", "ingest", 2),
    ]
    code, one = clv("datasets", "shop")
    assert [item["made"] for item in one["versions"]] == ["append", "ingest"] and one["rows_read"] == 5
    code, back = clv("restore", "shop", first["version"])
    assert code == 0 and back == {**first, "warnings": back["warnings"]}
    assert clv("restore", "shop", "ffffffffffff")[0] == 4
    code, named = clv("rename", "shop", "store")
    assert (code, named) == (0, {"dataset": "store", "renamed": "shop", "models": 0, "predictions": 0})
    [line] = [one for one in lines(workspace) if one["action"] == "rename"]
    assert (line["dataset"], line["renamed"]) == ("store", "shop")
    code, gone = clv("delete", "store")
    assert (code, gone["versions"], gone["remains"]) == (0, 2, [{"kind": "dataset", "name": "all"}])
    assert clv("delete", "store")[0] == 4
    assert [item["name"] for item in clv("datasets")[1]["datasets"]] == ["all", "till"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("command", ["ingest", "combine", "datasets", "rename", "restore", "delete"])
def test_every_command_explains_itself(command: str, language: str) -> None:
    action = next(item for item in cli.build_parser(language)._actions if isinstance(item.choices, dict))
    assert isinstance(action.choices, dict)
    text = action.choices[command].declare().format_help()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in text) == (language == "zh")
