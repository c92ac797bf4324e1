"""Runs of a source: their warnings and counts are theirs, and a row that cannot be used is told of once."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.sources import Source, add_source
from clv_core.collection.store import open_dataset
from clv_core.commands.ingestion import loaded
from clv_core.preprocessing.refresh import Refreshed, refresh
from clv_core.workspace import Workspace
from tests.conftest import Clv

BEGIN = datetime(2026, 1, 1, 10)
ORDERS = 30
"""A day."""


class Shop:
    """A database with thirty orders a day, and a source that fetches the last three days again."""

    def __init__(self, folder: Path) -> None:
        self.table = sqlite3.connect(folder / "shop.sqlite")
        self.table.execute("CREATE TABLE orders (order_id text, customer_id text, event_time text, amount real)")
        self.workspace, self.days, self.count = Workspace(folder / "workspace"), 0, 0
        for _ in range(40):
            self.sell()
        columns = {"time_column": "event_time", "order_column": "order_id"}
        add_source(self.workspace, Source("orders", "sqlite", str(folder / "shop.sqlite"), "shop", "orders", **columns))

    def insert(self, customer: str | None, amount: float | None, minutes: int) -> None:
        self.count += 1
        when = BEGIN + timedelta(days=self.days, minutes=minutes)
        self.table.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", (f"o{self.count}", customer, str(when), amount))

    def sell(self, *, bad: int = 0) -> None:
        """Sell for a day, with so many rows without a customer and without an amount."""
        for minutes in range(ORDERS):
            self.insert(f"c{minutes % 13}", 10.0 + minutes, minutes)
        for number in range(bad):
            self.insert(None, 5.0, 100 + number)
            self.insert("c1", None, 200 + number)
        self.table.commit()
        self.days += 1

    def night(self) -> Refreshed:
        return refresh(self.workspace, "orders")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def codes(done: Refreshed) -> list[str]:
    """Return what a run told, with how many rows each is about."""
    messages = (*done.reading_warnings, *done.warnings)
    return sorted(f"{message.code.removeprefix('warning.')} {message.params.get('rows')}" for message in messages)


def test_a_row_that_cannot_be_used_is_told_of_in_the_night_it_came_and_kept_once(shop: Shop) -> None:
    shop.night()
    told = []
    for bad in (2, 0, 1, 0, 0, 0):
        shop.sell(bad=bad)
        told.append(codes(shop.night()))
    both = [
        ["no_amount 2", "no_customer 2", "source_left_out 4"],
        ["no_amount 1", "no_customer 1", "source_left_out 2"],
    ]
    assert told == [both[0], [], both[1], [], [], []]
    dataset = open_dataset(shop.workspace, "shop")
    assert len(pd.read_parquet(dataset.rejected_path)) == dataset.manifest.rows_set_aside == 6
    manifest = dataset.manifest
    assert manifest.rows_read == manifest.rows_kept + manifest.rows_set_aside + manifest.rows_duplicate


def test_a_row_of_days_without_a_sale_is_told_of_once(shop: Shop) -> None:
    shop.night()
    shop.insert(None, 5.0, -60)
    shop.table.commit()
    told = [[one for one in codes(shop.night()) if one.startswith("no_")] for _ in range(3)]
    shop.sell()
    told.append([one for one in codes(shop.night()) if one.startswith("no_")])
    assert told == [["no_customer 1"], [], [], []]
    assert open_dataset(shop.workspace, "shop").manifest.rows_set_aside == 1


def test_of_rows_that_are_alike_as_many_are_known_as_were_rejected(shop: Shop) -> None:
    shop.night()
    for _ in range(2):  # the second time the same row again
        shop.sell()
        shop.table.execute("INSERT INTO orders VALUES ('odd', NULL, ?, 5.0)", (str(BEGIN + timedelta(days=40)),))
        shop.table.commit()
        assert codes(shop.night())[0] == "no_customer 1"
    shop.sell()
    assert codes(shop.night()) == []
    assert open_dataset(shop.workspace, "shop").manifest.rows_set_aside == 2


def test_counts_of_a_run_are_its_own(shop: Shop) -> None:
    first = shop.night()
    assert loaded(first.parts) == {
        **{"rows_read": 1200, "rows_kept": 1200, "rows_set_aside": 0, "rows_duplicate": 0},
        "rows_overlap": 0,
    }
    shop.sell(bad=1)
    second = shop.night()
    assert loaded(second.parts) == {
        **{"rows_read": 5 * ORDERS + 2, "rows_kept": ORDERS, "rows_set_aside": 2},
        **{"rows_duplicate": 4 * ORDERS, "rows_overlap": 4 * ORDERS},
    }
    third = shop.night()
    assert loaded(third.parts)["rows_kept"] == loaded(third.parts)["rows_set_aside"] == 0


def test_the_command_says_what_the_run_read_beside_what_the_dataset_holds(shop: Shop, clv: Clv) -> None:
    shop.night()
    shop.sell(bad=1)
    said = clv("source", "run", "orders")
    assert (said["rows_new"], said["loaded"]["rows_set_aside"], said["rows_kept"]) == (ORDERS, 2, 41 * ORDERS)
    assert [one["code"] for one in said["warnings"]] == ["no_amount", "no_customer", "source_left_out"]
    shop.sell()
    assert clv("source", "run", "orders")["warnings"] == []
