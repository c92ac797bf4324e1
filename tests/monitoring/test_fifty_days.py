"""A chain runs unattended for 50 days: what each day leaves is reckoned here again, by other means."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from clv_core.cli import main
from clv_core.collection.simulate import SimulationPlan, simulate
from clv_core.collection.sources import Source, add_source, load_state
from clv_core.collection.store.version_store import open_dataset
from clv_core.jobs import NoProgress
from clv_core.monitoring.schedules import Schedule, add_schedule, history, run_due
from clv_core.pipeline import train
from clv_core.preprocessing.refresh import refresh
from clv_core.workspace import Workspace
from tests.conftest import SMALL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
DAYS = 50


def in_process(workspace: Workspace, words: Sequence[str], language: str, label: str) -> dict[str, Any] | None:
    """Run a step by the same command line as a job does, without a process of its own."""
    code = main([*words, "--workspace", str(workspace.root), "--quiet"])
    return None if code == 0 else {"code": "unexpected", "params": {"kind": str(code)}}


def test_a_chain_runs_unattended_for_fifty_days(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    simulate("btyd", SimulationPlan(400, 500, 5, 90)).write(tmp_path / "log")
    rows = duckdb.sql(f"SELECT * FROM read_csv('{tmp_path / 'log' / 'events.csv'}', all_varchar = true)").fetchall()
    columns = [item[0] for item in duckdb.sql(f"DESCRIBE FROM '{tmp_path / 'log' / 'events.csv'}'").fetchall()]
    at, who = columns.index("event_time"), columns.index("customer_id")
    last = max(datetime.fromisoformat(row[at][:10]) for row in rows)
    begin = last - timedelta(days=DAYS)
    table = sqlite3.connect(tmp_path / "shop.sqlite")
    table.execute(f"CREATE TABLE orders ({', '.join(f'{name} TEXT' for name in columns)})")

    def arrive(low: datetime, high: datetime) -> None:
        new = [row for row in rows if low <= datetime.fromisoformat(row[at][:10]) < high]
        table.executemany(f"INSERT INTO orders VALUES ({', '.join('?' * len(columns))})", new)
        table.commit()

    arrive(datetime.min, begin)
    add_source(
        workspace, Source("orders", "sqlite", str(tmp_path / "shop.sqlite"), "shop", "orders", time_column="event_time")
    )
    refresh(workspace, "orders")
    train(workspace, "shop", SMALL, progress=NoProgress())  # the first is the champion
    lists = tmp_path / "lists"
    steps = (
        "source run orders",
        f"score shop --model champion --out {lists}/scores-{{day}}.csv",
        "monitor shop --model champion",
        f"export shop --model champion --format csv --out {lists}/list-{{day}}.csv",
    )
    now = begin.replace(tzinfo=UTC) + timedelta(hours=5)
    add_schedule(workspace, Schedule("nightly", "0 4 * * *", steps), now)
    for day in range(DAYS):
        today = begin + timedelta(days=day)
        arrive(today, today + timedelta(days=1))
        now = today.replace(tzinfo=UTC) + timedelta(days=1, hours=4)
        assert run_due(workspace, now - timedelta(minutes=1), in_process) == {}
        assert run_due(workspace, now, in_process) == {"nightly": "done"}
        there = [row for row in rows if datetime.fromisoformat(row[at][:10]) <= today]
        manifest = open_dataset(workspace, "shop").manifest
        assert manifest.rows_kept == len(there)
        with (lists / f"scores-{now:%Y-%m-%d}.csv").open(newline="") as file:
            scored = list(csv.DictReader(file))
        assert {row["customer_id"] for row in scored} == {row[who] for row in there}
        end = max(datetime.fromisoformat(row[at][:10]) for row in there) + timedelta(days=1)
        assert {row["as_of"][:10] for row in scored} == {f"{end:%Y-%m-%d}"}
        with (lists / f"list-{now:%Y-%m-%d}.csv").open(newline="") as file:
            assert len(list(csv.reader(file))) - 1 == len(scored)
    runs = history(workspace, "nightly")
    assert [len(run["steps"]) for run in runs] == [len(steps)] * DAYS
    assert [run["started"][:10] for run in reversed(runs)] == [
        f"{begin + timedelta(days=n + 1):%Y-%m-%d}" for n in range(DAYS)
    ]
    assert load_state(workspace, "orders").error is None
    table.close()
