"""The cube of a dataset version: summed once from the log, small enough that every view is a query of a moment.

In ``made/<version>/explored/`` of the dataset's folder: ``cube.json`` (:class:`Cube`), and the tables below as Parquet:
folders of files in order of customer, or one file. Customers are numbers here; no id enters the cube. The SQL fills the
stored cube and any part of it:

    cells       customer x day x channel x country: events, views, carts, purchases (lines), orders, paid, returned
    active      customer, day, previous: the day of the customer's row before; the same day where it has several rows
    money_days  customer x day with a purchase or a return: purchases, orders, paid, returned; and of purchase days only
                first (the customer's), previous and next (NULL where there is none)
    rated       customer x day x channel x country x rating: ratings, and next, the first purchase day after that day
    sold        category x day x channel x country: purchases (lines), paid, returned

A distinct count over a span never needs a hash of customers: each row knows the day before it, so a customer is counted
once, on the first day inside the span. That is what lets a view over 20 million events answer within a second.

The log is coded once, then summed in runs of customers, so that memory stays bounded while the cube is made.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from clv_core.collection import fetch, measure_progress, one, text
from clv_core.collection.rows import order_key
from clv_core.collection.store import MADE, Dataset, open_dataset
from clv_core.columns import (
    AMOUNT,
    CART,
    CATEGORY,
    CHANNEL,
    COUNTRY,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    ORDER_ID,
    PURCHASE,
    RATING,
    RETURN,
    VIEW,
)
from clv_core.errors import Refused
from clv_core.features.duckdb_engine import Engine
from clv_core.jobs import NoProgress, Progress
from clv_core.records import JsonObject, JsonRecord
from clv_core.workspace import Workspace, atomic_path, read_json, write_json

if TYPE_CHECKING:
    import duckdb

LARGEST: Final = 1e12
"""No amount, and no sum of a customer's day, may reach this: it is what the stored decimals hold."""

RUN_ROWS: Final = 2_000_000
"""Rows of the log that are summed at a time, about."""

RECORD: Final = "cube.json"
FORMAT: Final = 2
"""Raised when the relations change; a cube of another format is made anew."""

OPTIONS: Final = 200
"""Most channels or countries to choose from: the most frequent ones."""


@dataclass(frozen=True)
class Cube(JsonRecord):
    """One dataset version, summed.

    Args:
        folder: where the relations are.
        dataset: the dataset's name.
        version: the dataset's version.
        currency: of all amounts; may be empty.
        start: local date of the first event.
        end: first local midnight after the last event.
        customers: distinct customers.
        events: rows of the log.
        channels: the log's channels, the most frequent first; empty where it has no such column.
        countries: the same of countries.
        has: what the log holds, of ``view, cart, purchase, return, rating, category``.
    """

    folder: Path
    dataset: str
    version: str
    currency: str
    start: date
    end: date
    customers: int
    events: int
    channels: tuple[str, ...]
    countries: tuple[str, ...]
    has: tuple[str, ...]

    def to_json(self) -> JsonObject:
        """Return a JSON-ready dictionary for :data:`RECORD`."""
        return {"format": FORMAT, **{name: value for name, value in super().to_json().items() if name != "folder"}}

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the cube in ``folder``; None where there is none, or one of another format."""
        path = folder / RECORD
        values = read_json(path) if path.is_file() else {}
        if values.pop("format", None) != FORMAT:
            return None
        return cls.from_json({**values, "folder": folder})


def build_cube(workspace: Workspace, name: str, progress: Progress) -> Cube:
    """Return the cube of the current version of the dataset ``name``, made if it is not there yet.

    Cubes of other versions are removed; they can be made again.

    Raises:
        NotFound: there is no such dataset.
        Refused: an amount is absurd.
    """
    dataset = open_dataset(workspace, name)
    folder, existing = cube_folder(dataset), find_cube(dataset)
    if existing is not None:
        return existing
    shutil.rmtree(folder, ignore_errors=True)
    engine = Engine()
    try:
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            cube = _Builder(dataset, engine, temporary, progress).cube(folder)
            write_json(temporary / RECORD, cube.to_json())
    except OSError:
        # Somebody else made the same cube in the meantime: it holds the same, and theirs stays.
        made = Cube.read(folder)
        if made is None:
            raise
        cube = made
    finally:
        engine.close()
    drop_cubes(workspace, dataset.name, keep=dataset.version)
    return cube


def find_cube(dataset: Dataset) -> Cube | None:
    """Return the cube of a dataset version, None where it has not been made."""
    return Cube.read(cube_folder(dataset))


def cube_folder(dataset: Dataset) -> Path:
    """Return where the cube of a dataset version lives; nothing is made."""
    return dataset.made_folder / "explored"


def drop_cubes(workspace: Workspace, name: str, keep: str = "") -> int:
    """Remove the cubes of the dataset ``name``, all but the version ``keep``, and return how many there were."""
    folders = workspace.place("datasets", name, MADE).glob("*/explored")
    removed = [path for path in folders if path.parent.name != keep]
    for path in removed:
        shutil.rmtree(path, ignore_errors=True)
    return len(removed)


VOCABULARIES: Final = {CHANNEL: "channels", COUNTRY: "countries", CATEGORY: "categories"}

CELLS: Final = f"""
SELECT customer, day, channel, country, count(*)::INTEGER AS events,
    count(*) FILTER (WHERE kind = '{VIEW}')::INTEGER AS views,
    count(*) FILTER (WHERE kind = '{CART}')::INTEGER AS carts,
    count(*) FILTER (WHERE kind = '{PURCHASE}')::INTEGER AS purchases,
    coalesce(sum(amount) FILTER (WHERE kind = '{PURCHASE}'), 0) AS paid,
    coalesce(-sum(amount) FILTER (WHERE kind = '{RETURN}'), 0) AS returned
FROM part GROUP BY customer, day, channel, country
"""

ORDERS: Final = f"""
SELECT customer, cell.day AS day, cell.channel AS channel, cell.country AS country, count(*)::INTEGER AS orders
FROM (SELECT customer, min({{'day': day, 'channel': channel, 'country': country}}) AS cell
    FROM part WHERE kind = '{PURCHASE}' GROUP BY customer, {order_key("day")})
GROUP BY ALL
"""
"""The inner query has one row an order (:func:`order_key`), the outer one counts them by cell. Where the lines of an
order differ in day, channel or country, it counts under the first of them, so that orders add up."""

NEVER: Final = "DATE '0001-01-01'"
"""A day before any log, for a customer's first row."""

PREVIOUS: Final = f"lag(day, 1, {NEVER}) OVER (PARTITION BY customer ORDER BY day, channel, country)"

ACTIVE: Final = f"SELECT customer, day, {PREVIOUS} AS previous FROM cells"

MONEY_DAYS: Final = """
WITH days AS (
    SELECT customer, day, sum(purchases)::INTEGER AS purchases, sum(orders)::INTEGER AS orders,
        sum(paid)::DECIMAL(18, 6) AS paid, sum(returned)::DECIMAL(18, 6) AS returned,
        CASE WHEN sum(purchases) > 0 THEN day END AS bought
    FROM cells WHERE purchases > 0 OR returned <> 0 GROUP BY customer, day)
SELECT customer, day, purchases, orders, paid, returned,
    min(bought) OVER (PARTITION BY customer) AS first,
    lag(bought IGNORE NULLS) OVER (PARTITION BY customer ORDER BY day) AS previous,
    lead(bought IGNORE NULLS) OVER (PARTITION BY customer ORDER BY day) AS next
FROM days
"""
"""``days`` sums cells by customer and day of money; the query adds the customer's first, previous and next purchase day
(``bought`` is the day itself where something was bought, else NULL)."""

RATINGS: Final = """
SELECT customer, day, channel, country, rating, count(*)::INTEGER AS ratings
FROM part WHERE rating IS NOT NULL GROUP BY ALL
"""

RATED: Final = """
SELECT ratings.*, bought.day AS next
FROM ratings ASOF LEFT JOIN (SELECT customer, day FROM money_days WHERE purchases > 0) AS bought
    ON ratings.customer = bought.customer AND ratings.day < bought.day
"""
"""Ratings, each with the customer's next purchase day (``bought``: all purchase days)."""

SOLD: Final = f"""
SELECT category, day, channel, country, count(*) FILTER (WHERE kind = '{PURCHASE}')::INTEGER AS purchases,
    coalesce(sum(amount) FILTER (WHERE kind = '{PURCHASE}'), 0) AS paid,
    coalesce(-sum(amount) FILTER (WHERE kind = '{RETURN}'), 0) AS returned
FROM lines WHERE kind IN ('{PURCHASE}', '{RETURN}') GROUP BY ALL ORDER BY ALL
"""

BUYERS: Final = """
SELECT customer, sum(orders) AS orders, max(day) FILTER (WHERE purchases > 0) AS last,
    (sum(paid) - sum(returned))::DOUBLE AS value
FROM money_days WHERE {period} GROUP BY customer HAVING sum(purchases) > 0
"""
"""One row a customer who bought in the period: orders, last purchase day, net value of the period."""


class _Builder:
    """One making of one cube.

    Args:
        dataset: the log.
        engine: where it is summed.
        folder: where the relations go.
        progress: listener.
    """

    def __init__(self, dataset: Dataset, engine: Engine, folder: Path, progress: Progress) -> None:
        self.dataset, self.folder, self.progress = dataset, folder, progress
        connection: Any = engine.connection
        connection.create_view("log", dataset.events(engine.connection))
        self.connection: duckdb.DuckDBPyConnection = connection.con
        measure_progress(self.connection, True)

    def cube(self, folder: Path) -> Cube:
        """Write all relations and return the record of the cube, which will live in ``folder``."""
        self._code()
        self._write("explore_categories", SOLD, "sold.parquet")
        facts = self.dataset.manifest
        runs = max(1, round(facts.rows_kept / RUN_ROWS))
        for relation in ("cells", "money_days", "rated"):
            (self.folder / relation).mkdir()
        for run in range(runs):
            self.progress.report("explore_sums", run, runs)
            self._sum(run, facts.customers * run // runs, facts.customers * (run + 1) // runs)
        self.progress.report("explore_sums", runs, runs)
        kinds = facts.event_types
        has = [kind for kind in (VIEW, CART, PURCHASE, RETURN) if kinds.get(kind)]
        has += [RATING] if one(self.connection, f"SELECT count({RATING}) FROM log")[0] else []
        has += [CATEGORY] if one(self.connection, "SELECT count(*) FROM categories")[0] else []
        return Cube(
            folder=folder,
            dataset=facts.name,
            version=facts.version,
            currency=facts.currency,
            start=self.dataset.log_start,
            end=self.dataset.log_end,
            customers=facts.customers,
            events=facts.rows_kept,
            channels=self._options("channels"),
            countries=self._options("countries"),
            has=tuple(has),
        )

    def _code(self) -> None:
        """Make the table ``lines``: what the sums need of each row, customers and texts as numbers.

        Customers are numbered by id (inner query: distinct ids), texts by falling frequency (inner query: their
        counts).
        """
        self._refuse_absurd()
        number = "(row_number() OVER (ORDER BY id) - 1)::INTEGER"
        customers = f"SELECT id, {number} AS customer FROM (SELECT DISTINCT {CUSTOMER_ID} AS id FROM log)"
        self._run("explore_customers", f"CREATE TABLE customers AS {customers}")
        for column, table in VOCABULARIES.items():
            counted = f"SELECT {column} AS text, count(*) AS events FROM log WHERE {column} IS NOT NULL GROUP BY 1"
            coded = f"SELECT *, (row_number() OVER (ORDER BY events DESC, text) - 1)::INTEGER AS code FROM ({counted})"
            self._run("", f"CREATE TABLE {table} AS {coded}")
            self._write("", f"SELECT * FROM {table} ORDER BY code", f"{table}.parquet")
        joins = " ".join(f"LEFT JOIN {table} ON log.{column} = {table}.text" for column, table in VOCABULARIES.items())
        codes = ", ".join(f"{table}.code AS {column}" for column, table in VOCABULARIES.items())
        lines = (
            f"SELECT customer, {EVENT_TIME}::DATE AS day, {codes}, {EVENT_TYPE} AS kind,"
            f" {AMOUNT}::DECIMAL(18, 6) AS amount, {ORDER_ID}, {RATING}::FLOAT AS rating"
            f" FROM log JOIN customers ON log.{CUSTOMER_ID} = customers.id {joins}"
        )
        self._run("explore_lines", f"CREATE TABLE lines AS {lines}", self.dataset.manifest.rows_kept)

    def _sum(self, run: int, low: int, high: int) -> None:
        """Write the relations of the customers from ``low`` to before ``high``.

        ``wide`` joins :data:`CELLS` with their :data:`ORDERS`; ``days`` sums them by customer and day, to refuse absurd
        amounts before they are cast to the stored decimals.
        """
        file = f"{run:05d}.parquet"
        between = f"customer >= {low} AND customer < {high}"
        self._run("", f"CREATE OR REPLACE TABLE part AS SELECT * FROM lines WHERE {between}")
        same = "cells.customer = o.customer AND cells.day = o.day" + "".join(
            f" AND cells.{key} IS NOT DISTINCT FROM o.{key}" for key in (CHANNEL, COUNTRY)
        )
        summed = f"SELECT cells.*, coalesce(o.orders, 0) AS orders FROM ({CELLS}) AS cells"
        self._run("", f"CREATE OR REPLACE TABLE wide AS {summed} LEFT JOIN ({ORDERS}) AS o ON {same}")
        days = "SELECT sum(abs(paid)) AS paid, sum(abs(returned)) AS returned FROM wide GROUP BY customer, day"
        largest = one(self.connection, f"SELECT max(greatest(paid, returned)) FROM ({days})")[0]
        if largest is not None and not largest < LARGEST:
            raise Refused("number_absurd", column=AMOUNT, value=str(largest), largest=LARGEST)
        exact = "* REPLACE (paid::DECIMAL(18, 6) AS paid, returned::DECIMAL(18, 6) AS returned)"
        order = "ORDER BY customer, day, channel, country"
        self._run("", f"CREATE OR REPLACE TABLE cells AS SELECT {exact}, {PREVIOUS} AS previous FROM wide {order}")
        self._write("", f"FROM cells {order}", f"cells/{file}")
        self._run("", f"CREATE OR REPLACE TABLE money_days AS {MONEY_DAYS}")
        self._write("", "FROM money_days ORDER BY customer, day", f"money_days/{file}")
        self._run("", f"CREATE OR REPLACE TABLE ratings AS {RATINGS}")
        self._write("", f"FROM ({RATED}) ORDER BY customer, day", f"rated/{file}")

    def _refuse_absurd(self) -> None:
        largest = one(self.connection, f"SELECT max(abs({AMOUNT})) FROM log")[0]
        if largest is not None and not largest < LARGEST:
            raise Refused("number_absurd", column=AMOUNT, value=str(largest), largest=LARGEST)

    def _options(self, table: str) -> tuple[str, ...]:
        rows = self.connection.execute(f"SELECT text FROM {table} ORDER BY code LIMIT {OPTIONS}").fetchall()
        return tuple(str(row[0]) for row in rows)

    def _write(self, stage: str, query: str, file: str) -> None:
        target = text(os.fspath(self.folder / file))
        self._run(stage, f"COPY ({query}) TO {target} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)")

    def _run(self, stage: str, query: str, rows: int = 0) -> None:
        """Execute a query; one without a stage is a step of a larger one, which reports by itself."""
        fetch(self.connection, query, self.progress if stage else NoProgress(), stage, rows)
