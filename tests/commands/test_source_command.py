"""The command ``source``: what is added, asked, changed and previewed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.sources import load_source, load_state
from clv_core.workspace import Workspace
from tests.commands.conftest import codes, done, refused, run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    columns = "order_id TEXT, customer_id TEXT, created_at TEXT, amount REAL, pieces INTEGER"
    connection.execute(f"CREATE TABLE lines ({columns})")
    rows = [(f"o{i // 2}", f"c{i % 7}", f"2024-01-{1 + i // 10:02d}", 5 + i, None if i % 3 else 2) for i in range(200)]
    connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", [("o0", "c1", None, 3, None), *rows])
    connection.commit()
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def add(workspace: Workspace, path: Path, *words: object) -> tuple[int, dict[str, Any]]:
    where = ["--kind", "sqlite", "--from", path, "--what", "lines", "--time-column", "created_at"]
    return run(workspace, "source", "add", "shop", *where, *words)


def test_the_number_of_the_order_is_asked_for_where_no_column_is_named_like_it(
    workspace: Workspace, path: Path
) -> None:
    assert add(workspace, path)[1]["order_column"] == "order_id"
    query = "SELECT order_id AS x, customer_id, created_at, amount FROM lines"
    words = [*"source add other --kind sqlite --time-column created_at --from".split(), path, "--what", query]
    code, answer = run(workspace, *words)
    assert (code, answer["error"]["code"]) == (3, "source_order_column")
    assert "x" in answer["error"]["message"] and "--order-column" in answer["error"]["message"]
    assert done(workspace, *words, "--order-column", "none")["order_column"] == "none"


def test_adding_a_name_that_exists_shows_what_changes_then_changes_it(workspace: Workspace, path: Path) -> None:
    add(workspace, path, "--look-back", 2)
    done(workspace, "source", "run", "shop", "--map", "event_time=created_at")
    watermark = load_state(workspace, "shop").watermark
    code, answer = run(workspace, "source", "add", "shop", "--look-back", "30")
    assert code == 3 and answer["error"]["params"]["changes"] == ["look_back_days: 2 -> 30"]
    assert load_source(workspace, "shop").look_back_days == 2
    changed = done(workspace, "source", "add", "shop", "--look-back", "30", "--change")
    assert changed["changed"] == {"look_back_days": [2, 30]} and changed["time_column"] == "created_at"
    assert load_source(workspace, "shop").answers["mapping"] == {"event_time": "created_at"}
    assert load_state(workspace, "shop").watermark == watermark
    done(workspace, "source", "add", "shop", "--what", "SELECT * FROM lines WHERE amount > 9", "--change")
    assert load_state(workspace, "shop").watermark == ""  # other rows: everything is fetched
    assert refused(workspace, "source", "add", "new") == (2, "source_needs")


def test_a_preview_shows_what_is_missing_as_missing(workspace: Workspace, path: Path) -> None:
    add(workspace, path)
    rows = done(workspace, "source", "preview", "shop")["first_rows"]
    assert rows[0]["quantity"] == "2.0" and rows[1]["quantity"] is None


def test_a_run_says_what_it_compared(workspace: Workspace, path: Path) -> None:
    add(workspace, path)
    answer = done(workspace, "source", "run", "shop", "--map", "event_time=created_at")
    compared = answer["reconciled"]
    days = {"first": "2024-01-01", "last": "2024-01-20", "rows": 200, "held_rows": 200}
    assert compared.items() >= days.items()
    assert compared["amount"] == compared["held_amount"] and "no_time" in codes(answer)
