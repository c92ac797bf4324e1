"""How many customers and buyers a model of each forecast period could be tested on, as training counts them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from clv_core.collection.engine import connect, file_text, text
from clv_core.collection.store.version_store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.disk import ignore_unwritable
from clv_core.scratch import temporary_folder
from clv_core.workspace import read_json, write_json

FILE: Final = "holdout_sizes.json"
"""In a version's folder: ``{timezone, log_end, sizes: {days: [customers, buyers]}}``."""


class HoldoutSize(NamedTuple):
    """Whom a model can be tested on when the last days of a log are held out.

    Args:
        customers: seen before these days.
        buyers: those of them whose orders less returns in these days come to more than 0.
    """

    customers: int
    buyers: int


def count_holdouts(
    connection: duckdb.DuckDBPyConnection, events: Path, timezone: str, log_end: str, horizons: Sequence[int]
) -> dict[int, HoldoutSize]:
    """Return the size of the holdout by forecast period.

    Args:
        connection: to read with.
        events: a log's events, Parquet, times in UTC.
        timezone: in which its days begin.
        log_end: midnight after the last event, ISO day.
        horizons: days.
    """
    # Converting the few cutoffs to UTC takes a third of the time of converting each event's time to the log's zone.
    zone, end = text(timezone), f"TIMESTAMP '{log_end}'"
    begins = {days: f"timezone('UTC', timezone({zone}, {end} - INTERVAL {days} DAY))" for days in horizons}
    money = f"{EVENT_TYPE} IN ({', '.join(text(kind) for kind in MONEY_TYPES)})"
    sums = [f"sum({AMOUNT}) FILTER ({money} AND {EVENT_TIME} >= {begins[days]}) AS net_{days}" for days in horizons]
    counts = [
        f"count(*) FILTER (first < {begins[days]}{bought})"
        for days in horizons
        for bought in ("", f" AND round(net_{days}, 6) > 0")
    ]
    row = connection.execute(
        f"SELECT {', '.join(counts)} FROM (SELECT min({EVENT_TIME}) AS first, {', '.join(sums)}"
        f" FROM {file_text(events)} GROUP BY {CUSTOMER_ID})"
    ).fetchone()
    numbers = list(map(int, row or ()))
    return {days: HoldoutSize(*numbers[2 * place : 2 * place + 2]) for place, days in enumerate(horizons)}


def holdout_sizes(dataset: Dataset, horizons: Sequence[int]) -> dict[int, HoldoutSize]:
    """Return :func:`count_holdouts` of a dataset, saved with its version: a large log takes seconds."""
    facts, path = dataset.manifest, dataset.folder / FILE
    key = {"timezone": facts.timezone, "log_end": facts.log_end}  # the same rows may be read again in another zone
    saved = read_json(path) if path.is_file() else {}
    valid = {name: saved.get(name) for name in key} == key
    sizes = {int(days): HoldoutSize(*size) for days, size in saved["sizes"].items()} if valid else {}
    missing = [days for days in horizons if days not in sizes]
    if missing:
        with temporary_folder("clv-") as folder, connect(folder) as connection:
            sizes |= count_holdouts(connection, dataset.events_path, facts.timezone, facts.log_end, missing)
        with ignore_unwritable():
            write_json(path, {**key, "sizes": sizes})
    return {days: sizes[days] for days in horizons}
