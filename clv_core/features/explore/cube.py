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
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Self

from clv_core.collection.store import MADE, Dataset
from clv_core.records import JsonObject, JsonRecord
from clv_core.workspace import Workspace, read_json

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


def cube_folder(dataset: Dataset) -> Path:
    """Return where the cube of a dataset version lives; nothing is made."""
    return dataset.made_folder / "explored"


def find_cube(dataset: Dataset) -> Cube | None:
    """Return the cube of a dataset version, None where it has not been made."""
    return Cube.read(cube_folder(dataset))


def drop_cubes(workspace: Workspace, name: str, keep: str = "") -> int:
    """Remove the cubes of the dataset ``name``, all but the version ``keep``, and return how many there were."""
    folders = workspace.place("datasets", name, MADE).glob("*/explored")
    found = [path for path in folders if path.parent.name != keep]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return len(found)


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

RATED: Final = """
SELECT ratings.*, bought.day AS next
FROM ratings ASOF LEFT JOIN (SELECT customer, day FROM money_days WHERE purchases > 0) AS bought
    ON ratings.customer = bought.customer AND ratings.day < bought.day
"""

BUYERS: Final = """
SELECT customer, sum(orders) AS orders, max(day) FILTER (WHERE purchases > 0) AS last,
    (sum(paid) - sum(returned))::DOUBLE AS value
FROM money_days WHERE {period} GROUP BY customer HAVING sum(purchases) > 0
"""
"""One row a customer who bought in the period: orders, last purchase day, net value of the period."""
