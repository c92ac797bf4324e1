"""A source and its dataset after each load: whole orders, deleted ones, and days that differ."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.sources import Source, add_source, load_source, load_state, save_state, update_source
from clv_core.collection.store.version_store import open_dataset, restore
from clv_core.errors import NeedsAnswer
from clv_core.preprocessing.clean import append
from clv_core.preprocessing.refresh import Refreshed, refresh
from clv_core.workspace import Workspace

COLUMNS = "order_id, customer_id, event_time, product_id, amount"


class Shop:
    """500 orders of two lines each, from January to May."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path)
        texts = "order_id TEXT, customer_id TEXT, event_time TEXT, product_id TEXT"
        self.sql(f"CREATE TABLE lines ({texts}, amount REAL, updated_at TEXT)")
        for order in range(500):
            day = f"2024-{1 + order // 100:02d}-{1 + order % 100 // 4:02d} 10:{order % 60:02d}:00"
            for line in range(2):
                self.add(f"o{order}", f"c{order % 40}", day, f"p{line}", 10 + order / 4 + line / 4)

    def sql(self, query: str, *values: object) -> list[tuple[object, ...]]:
        rows = self.connection.execute(query, values).fetchall()
        self.connection.commit()
        return rows

    def add(self, *line: object) -> None:
        self.sql(f"INSERT INTO lines ({COLUMNS}, updated_at) VALUES (?, ?, ?, ?, ?, ?)", *line, line[2])

    def total(self) -> tuple[int, float]:
        ((rows, amount),) = self.sql("SELECT count(*), round(sum(amount), 2) FROM lines")
        return int(str(rows)), float(str(amount))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.sqlite")


@pytest.fixture
def work(tmp_path: Path, shop: Shop) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    source = Source("shop", "sqlite", str(tmp_path / "shop.sqlite"), "shop", "lines", time_column="event_time")
    add_source(workspace, source)
    refresh(workspace, "shop")
    return workspace


def held(workspace: Workspace) -> tuple[int, float]:
    manifest = open_dataset(workspace, "shop").manifest
    return manifest.rows_kept, manifest.net_revenue


def codes(done: Refreshed) -> list[str]:
    return [message.code.removeprefix("warning.") for message in done.warnings]


def test_a_late_line_of_fifty_old_orders_costs_none_of_their_lines(work: Workspace, shop: Shop) -> None:
    for order in range(50):
        shop.add(f"o{order}", f"c{order % 40}", "2024-05-25 12:00:00", "p9", 9.99)
    done = refresh(work, "shop")
    assert (done.new_rows, codes(done)) == (50, []) and done.rows < 200
    assert held(work) == shop.total()
    assert done.reconciled.rows == done.reconciled.held_rows and not done.reconciled.days


def test_lines_that_changed_later_cost_no_other_line_of_their_orders(work: Workspace, shop: Shop) -> None:
    """The column of the last change tells what is new: of an order with one changed line, the others are old."""
    update_source(work, replace(load_source(work, "shop"), time_column="updated_at"))
    refresh(work, "shop", everything=True)
    shop.sql("UPDATE lines SET amount = amount + 1, updated_at = '2024-05-26' WHERE product_id = 'p0' AND rowid < 7")
    done = refresh(work, "shop")
    assert held(work) == shop.total() and codes(done) == []


def test_orders_deleted_in_the_source_leave_and_a_version_brings_them_back_for_good(
    work: Workspace, shop: Shop
) -> None:
    before = open_dataset(work, "shop").manifest.version
    shop.sql("DELETE FROM lines WHERE order_id IN ('o498', 'o499')")
    done = refresh(work, "shop")
    assert codes(done) == ["source_orders_gone"] and done.warnings[0].params["names"] == ["o498", "o499"]
    assert held(work) == shop.total() and done.new_rows == -4
    restore(work, "shop", before)
    done = refresh(work, "shop")
    assert "source_orders_back" in codes(done) and held(work)[0] == 1000
    assert "source_differs" in codes(done) and done.reconciled.days


def test_a_source_that_lost_most_of_its_orders_takes_none_away(work: Workspace, shop: Shop) -> None:
    shop.sql("DELETE FROM lines WHERE CAST(substr(order_id, 2) AS INTEGER) % 3 > 0")
    done = refresh(work, "shop", everything=True)
    assert "source_orders_missing" in codes(done) and held(work)[0] == 1000


def test_late_rows_beyond_the_look_back_are_counted_with_their_days_until_everything_is_read(
    work: Workspace, shop: Shop
) -> None:
    shop.add("late", "c1", "2024-02-03 10:00:00", "p1", 5.25)
    shop.sql("UPDATE lines SET amount = amount + 2 WHERE order_id = 'o10' AND product_id = 'p0'")
    for _ in range(2):
        done = refresh(work, "shop")
        assert codes(done) == ["source_late"]
        days = ["2024-01-03", "2024-02-03"]
        assert done.warnings[0].params == {"source": "shop", "rows": 1, "amount": 7.25, "days": days}
        assert load_state(work, "shop").reconciled.days == tuple(days)
    assert "--all" in done.warnings[0].text()
    assert codes(refresh(work, "shop", everything=True)) == [] and held(work) == shop.total()
    assert codes(refresh(work, "shop")) == []


def test_rows_that_were_rejected_are_counted_apart(work: Workspace, shop: Shop) -> None:
    shop.add("o600", None, "2024-05-25 13:00:00", "p1", 3)
    shop.add("o601", "c1", None, "p1", 3)
    done = refresh(work, "shop")
    assert codes(done) == ["source_left_out", "source_late"] and done.reconciled.left_out == 1
    assert done.warnings[0].params["days"] == ["2024-05-25"] and done.warnings[1].params["days"] == ["-"]


def test_where_the_dataset_holds_other_files_no_order_is_replaced_or_removed(
    work: Workspace, shop: Shop, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text(f"{COLUMNS.replace(', ', ',')}\no499,c7,2024-05-25 09:00:00,p5,3.5\n")
    append(work, "shop", other)
    shop.sql("DELETE FROM lines WHERE order_id = 'o497'")
    for _ in range(2):
        done = refresh(work, "shop")
        assert "source_not_alone" in codes(done) and "source_orders_gone" not in codes(done)
    assert held(work)[0] == 1001


def test_times_that_are_no_days_to_the_database_are_read_and_not_compared(tmp_path: Path, shop: Shop) -> None:
    workspace, path = Workspace(tmp_path / "other"), str(tmp_path / "shop.sqlite")
    day = "substr(event_time, 9, 2) || '.' || substr(event_time, 6, 2) || '.2024'"
    query = f"SELECT order_id, customer_id, {day} AS event_time, product_id, amount, updated_at FROM lines"
    add_source(workspace, Source("shop", "sqlite", path, "shop", query, time_column="updated_at"))
    for _ in range(2):
        done = refresh(workspace, "shop")
        assert codes(done) == ["source_not_compared"] and held(workspace) == shop.total() and not done.reconciled


def test_a_source_that_an_earlier_version_read_is_measured_as_a_whole(work: Workspace, shop: Shop) -> None:
    save_state(work, "shop", replace(load_state(work, "shop"), gaps=None))
    shop.add("late", "c1", "2024-02-03 10:00:00", "p1", 5.25)
    done = refresh(work, "shop")
    assert codes(done) == ["source_differs"] and done.reconciled.days == ("2024-02-03",)


def test_identical_lines_of_an_order_without_a_product_are_asked_about(tmp_path: Path) -> None:
    workspace, path = Workspace(tmp_path / "workspace"), tmp_path / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE lines (order_id TEXT, customer_id TEXT, event_time TEXT, amount REAL)")
    rows = [(f"o{i // 3}", f"c{i % 9}", f"2024-01-{1 + i // 30:02d} 10:00:00", 5.0) for i in range(0, 300, 3)]
    connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?)", rows + rows[::10])
    connection.commit()
    add_source(workspace, Source("shop", "sqlite", str(path), "shop", "lines", time_column="event_time"))
    with pytest.raises(NeedsAnswer) as raised:
        refresh(workspace, "shop")
    assert raised.value.code == "duplicates_dropped"
    lines = [",".join(map(str, row)) for row in rows + rows[::10]]
    (tmp_path / "lines.csv").write_text("\n".join(["order_id,customer_id,event_time,amount", *lines, ""]))
    with pytest.raises(NeedsAnswer) as as_file:
        ingest(workspace, tmp_path / "lines.csv", "file")
    assert as_file.value.params["readings"] == raised.value.params["readings"]
