"""The command ``models``: every action answers with one line of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clv_core.deployment.registry import Registry
from clv_core.workspace import Workspace
from tests.commands.conftest import done, refused, run
from tests.deployment.registry import tiny


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    registry = Registry(Workspace(tmp_path / "workspace"))
    for seed in (1, 2, 3):
        registry.register(tiny.save(registry.workspace, seed, held=True))
    return registry.workspace


def models(workspace: Workspace, words: str, *more: object) -> dict[str, Any]:
    return done(workspace, "models", *words.split(), *more)


def test_list_and_show(workspace: Workspace) -> None:
    known = models(workspace, "list")
    assert known["champions"] == {"shop": 1} and [one["version"] for one in known["versions"]] == [3, 2, 1]
    assert known == models(workspace, "list shop") == models(workspace, "list --quiet --lang zh")
    one = models(workspace, "show shop champion")
    assert one["version"] == 1 and one["sound"] and one["card"].startswith("# ")
    assert one["config"]["model"] == "naive" and one["history"][0]["why"] == "first"


def test_promote_rollback_archive_delete(workspace: Workspace) -> None:
    assert models(workspace, "promote shop 2")["role"] == "champion"
    assert models(workspace, "rollback shop")["version"] == 1
    assert models(workspace, "archive shop 3")["archived"] is True
    assert models(workspace, "archive shop 3 --back")["archived"] is False
    gone = models(workspace, "delete shop 3")
    assert gone["deleted"]["version"] == 3 and gone["champion"] == 1
    assert refused(workspace, "models", "delete", "shop", 1) == (4, "champion_stays")
    models(workspace, "delete shop 2")
    code, answer = run(workspace, "models", "delete", "shop", "champion")
    assert (code, answer["error"]["code"]) == (4, "last_champion_stays") and "--force" in answer["error"]["message"]
    assert models(workspace, "delete shop champion --force")["champion"] is None


def test_prune_says_what_stays_and_what_is_gone(workspace: Workspace) -> None:
    assert models(workspace, "prune shop --keep 2") == {"name": "shop", "kept": [3, 1], "removed": [2]}


def test_compare_tests_the_difference_on_the_same_customers(workspace: Workspace) -> None:
    pair = models(workspace, "compare shop 1 v2")
    assert (pair["one"]["version"], pair["other"]["version"]) == (1, 2)
    assert pair["advantage"]["mae"] == {"value": 0.0, "low": 0.0, "high": 0.0} and pair["settings"] == {}


def test_export_and_import(workspace: Workspace, tmp_path: Path) -> None:
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    assert "holdout.parquet" not in models(workspace, "export shop 1 --out", one)["files"] and one.is_file()
    assert "holdout.parquet" in models(workspace, "export shop 1 --with-holdout --out", two)["files"]
    came, again = (models(workspace, "import --name store", two) for _ in range(2))
    assert (came["name"], came["version"], came["role"]) == ("store", 1, "champion")
    assert came["new"] and not again["new"]
    assert models(workspace, "list shop")["versions"][2]["source"] == "trained"


@pytest.mark.parametrize(
    ("words", "code", "error", "named"),
    [
        ("list nothing", 4, "no_name", "shop"),
        ("rollback nothing", 4, "no_name", "shop"),
        ("show shop champion --lang fr", 2, "usage", "zh"),
        ("prune shop --keep 0", 2, "keep_models", ""),
        ("import {evil}", 4, "import_format", ""),
        ("export shop 1 --out one.pkl", 2, "export_zip", ""),
        ("promote shop", 2, "usage", "version"),
        ("applaud shop", 2, "usage", "archive"),
    ],
)
def test_what_cannot_be_is_refused(
    workspace: Workspace, tmp_path: Path, words: str, code: int, error: str, named: str
) -> None:
    (tmp_path / "evil.pkl").write_bytes(b"\x80\x04.")
    found, answer = run(workspace, "models", *words.format(evil=tmp_path / "evil.pkl").split())
    assert (found, answer["error"]["code"]) == (code, error) and named in answer["error"]["message"]
