"""One count of orders: what the command, the record, the questions of agents and the pages say is one number."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core import cli
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.features.explore.cube import Cube, build_cube
from clv_core.features.explore.key_figures import figures
from clv_core.features.explore.selection import CubePart, Selection
from clv_core.i18n import say_orders
from clv_core.jobs import NoProgress
from clv_core.mcp_server import Tools
from clv_core.workspace import Workspace, read_json, write_json

LINES = 900


@pytest.fixture
def log(tmp_path: Path) -> pd.DataFrame:
    """Lines of orders of one to four, some delivered a day later, some without an order id, and views and returns."""
    random = np.random.default_rng(5)
    order = np.sort(random.integers(0, 300, LINES))
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(order // 2, "D")
    rows = pd.DataFrame(
        {
            "customer_id": [f"C{number % 40}" for number in order],
            "event_time": start + pd.to_timedelta(np.where(random.random(LINES) < 0.1, 34, 10), "h"),
            "event_type": random.choice(["purchase", "purchase", "purchase", "view", "return"], LINES),
            "amount": random.integers(100, 900, LINES) / 100,
            "order_id": [f"o{number}" if number % 5 else "" for number in order],
            "product_id": [f"P{number}" for number in range(LINES)],
        }
    )
    rows.loc[rows["event_type"] == "view", ["amount", "order_id"]] = [np.nan, ""]
    rows.loc[rows["event_type"] == "return", "amount"] *= -1
    rows.to_csv(tmp_path / "log.csv", index=False)
    return rows


def counted(rows: pd.DataFrame) -> tuple[int, int]:
    """Return orders and lines: order ids of customers, and days of customers where there are none."""
    bought = rows[rows["event_type"] == "purchase"]
    with_id, without = bought[bought["order_id"] != ""], bought[bought["order_id"] == ""]
    orders = len(with_id[["customer_id", "order_id"]].drop_duplicates())
    orders += len(without.assign(day=without["event_time"].dt.date)[["customer_id", "day"]].drop_duplicates())
    return orders, len(bought)


def test_every_door_counts_the_same_orders_and_lines(
    log: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "workspace"

    def clv(*words: str) -> dict:
        assert cli.main([*words, "--workspace", str(root)]) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    orders, lines = counted(log)
    assert orders < lines
    answers = [
        clv("check", str(tmp_path / "log.csv")),
        clv("ingest", str(tmp_path / "log.csv"), "--name", "shop"),
        clv("datasets", "shop"),
        clv("datasets")["datasets"][0],
        Tools(Workspace(root), by_key=False).list_datasets()[0].model_dump(),
    ]
    assert [(one["orders"], one["lines"]) for one in answers] == [(orders, lines)] * len(answers)
    assert answers[1]["purchases"] == lines  # as before
    cube: Cube = build_cube(Workspace(root), "shop", NoProgress())
    assert figures(Selection.of(CubePart(cube))).orders == orders
    assert read_json(open_dataset(Workspace(root), "shop").folder / "manifest.json")["orders"] == orders
    cleaned = clv("clean", "shop", "--rule", "tiny_orders=2")
    left = pd.read_parquet(open_dataset(Workspace(root), "shop").events_path).fillna({"order_id": ""})
    assert (cleaned["orders"], cleaned["lines"]) == counted(left) < (orders, lines)


def test_a_log_without_order_ids_has_an_order_a_customer_and_day(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "customer_id,event_time,amount\na,2024-01-01 23:30,5\na,2024-01-02 00:30,7\n"
        "b,2024-01-02 10:00,4\nb,2024-01-02 12:00,3\n"
    )
    manifest = ingest(Workspace(tmp_path / "workspace"), tmp_path / "log.csv", "shop", timezone="Asia/Shanghai")
    assert (manifest.orders, manifest.lines) == (3, 4)


def test_a_manifest_that_is_older_than_the_count_is_shown_without_it(tmp_path: Path, log: pd.DataFrame) -> None:
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, tmp_path / "log.csv", "shop")
    path = open_dataset(workspace, "shop").folder / "manifest.json"
    write_json(path, {name: value for name, value in read_json(path).items() if name != "orders"})
    manifest = open_dataset(workspace, "shop").manifest
    assert manifest.orders is None and manifest.lines == counted(log)[1]
    assert say_orders(manifest.orders, manifest.lines) == f"{manifest.lines} lines"
    assert say_orders(2, 5) == "2 orders (5 lines)" and say_orders(1, 1, "zh") == "1 笔订单"
