"""The command ``models``: every action answers with one line of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clv_core.cli import main
from clv_core.commands.parser import SPECS
from clv_core.deployment.registry import Registry
from clv_core.workspace import Workspace
from tests.deployment.registry import tiny


@pytest.fixture
def root(tmp_path: Path) -> Path:
    registry = Registry(Workspace(tmp_path / "workspace"))
    for seed in (1, 2, 3):
        registry.register(tiny.save(registry.workspace, seed, held=True))
    return registry.workspace.root


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: object) -> tuple[int, dict[str, Any]]:
        code = main(["models", *map(str, words), "--workspace", str(root)])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return call


def test_list_and_show(run: Any) -> None:
    code, found = run("list")
    assert code == 0 and found["champions"] == {"shop": 1}
    assert [one["version"] for one in found["versions"]] == [3, 2, 1]
    assert run("list", "shop")[1] == found
    code, said = run("list", "nothing")
    assert code == 4 and said["error"]["code"] == "no_name" and "shop" in said["error"]["message"]
    code, one = run("show", "shop", "champion")
    assert code == 0 and one["version"] == 1 and one["sound"] and one["card"].startswith("# ")
    assert one["config"]["model"] == "naive" and one["history"][0]["why"] == "first"


def test_every_action_takes_what_every_command_takes(run: Any) -> None:
    assert run("list", "--quiet", "--lang", "zh") == run("list")
    code, said = run("show", "shop", "champion", "--lang", "fr")
    assert code == 2 and said["error"]["code"] == "usage" and "zh" in said["error"]["message"]


def test_promote_rollback_archive_delete(run: Any) -> None:
    assert run("promote", "shop", 2)[1]["role"] == "champion"
    assert run("rollback", "shop")[1]["version"] == 1
    assert run("archive", "shop", 3)[1]["archived"] is True
    assert run("archive", "shop", 3, "--back")[1]["archived"] is False
    code, said = run("delete", "shop", 3)
    assert code == 0 and said["deleted"]["version"] == 3 and said["champion"] == 1
    code, said = run("delete", "shop", 1)
    assert code == 4 and said["error"]["code"] == "champion_stays"
    assert run("delete", "shop", 2)[0] == 0
    code, said = run("delete", "shop", "champion")
    assert code == 4 and said["error"]["code"] == "last_champion_stays" and "--force" in said["error"]["message"]
    assert run("delete", "shop", "champion", "--force")[1]["champion"] is None
    code, said = run("rollback", "nothing")
    assert code == 4 and said["error"]["code"] == "no_name"


def test_prune_says_what_stays_and_what_is_gone(run: Any) -> None:
    assert run("prune", "shop", "--keep", 2) == (0, {"name": "shop", "kept": [3, 1], "removed": [2]})
    code, said = run("prune", "shop", "--keep", 0)
    assert code == 2 and said["error"]["code"] == "keep_models"


def test_compare_tests_the_difference_on_the_same_customers(run: Any) -> None:
    code, found = run("compare", "shop", 1, "v2")
    assert code == 0 and (found["one"]["version"], found["other"]["version"]) == (1, 2)
    assert found["advantage"]["mae"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["settings"] == {}


def test_export_and_import(run: Any, tmp_path: Path) -> None:
    code, made = run("export", "shop", 1, "--out", tmp_path / "one.zip")
    assert code == 0 and "holdout.parquet" not in made["files"] and (tmp_path / "one.zip").is_file()
    assert "holdout.parquet" in run("export", "shop", 1, "--out", tmp_path / "two.zip", "--with-holdout")[1]["files"]
    code, came = run("import", tmp_path / "two.zip", "--name", "store")
    assert code == 0 and (came["name"], came["version"], came["role"]) == ("store", 1, "champion")
    assert came["new"] and not run("import", tmp_path / "two.zip", "--name", "store")[1]["new"]
    code, found = run("list", "shop")
    assert code == 0, found
    assert found["versions"][2]["source"] == "trained"
    (tmp_path / "evil.pkl").write_bytes(b"\x80\x04.")
    code, said = run("import", tmp_path / "evil.pkl")
    assert code == 4 and said["error"]["code"] == "import_format"
    assert run("export", "shop", 1, "--out", tmp_path / "one.pkl")[0] == 2


def test_bad_usage(run: Any) -> None:
    assert run("promote", "shop")[0] == 2
    assert run("applaud", "shop")[0] == 2
    assert {name.removeprefix("models ") for name in SPECS if name.startswith("models ")} == {
        "list", "show", "compare", "promote", "rollback", "archive", "delete", "prune", "export", "import",
    }  # fmt: skip
