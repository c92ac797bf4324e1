"""How many customers a model of a horizon could be measured by, as training counts them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import connect, file_text, text
from clv_core.collection.stored.store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, MONEY_TYPES
from clv_core.disk import ignore_unwritable
from clv_core.scratch import temporary_folder
from clv_core.workspace import read_json, write_json

KEPT: Final = "known_buyers.json"
"""In a version's folder: ``{timezone, log_end, buyers: {days: count}}``."""


def known_buyers(
    connection: duckdb.DuckDBPyConnection, events: Path, timezone: str, log_end: str, horizons: Sequence[int]
) -> dict[int, int]:
    """Return for each horizon how many a model that ends before it could be measured by.

    They were seen before the last so many days, and their orders less returns in these come to more than 0.

    Args:
        connection: to read with.
        events: a log's events, Parquet, times in UTC.
        timezone: in which its days begin.
        log_end: midnight after the last event, ISO day.
        horizons: days.
    """
    # The few midnights are told in UTC: to tell every event's time in the log's zone takes three times as long.
    zone, end = text(timezone), f"TIMESTAMP '{log_end}'"
    begins = {days: f"timezone('UTC', timezone({zone}, {end} - INTERVAL {days} DAY))" for days in horizons}
    money = f"{EVENT_TYPE} IN ({', '.join(text(kind) for kind in MONEY_TYPES)})"
    sums = [f"sum({AMOUNT}) FILTER ({money} AND {EVENT_TIME} >= {begins[days]}) AS net_{days}" for days in horizons]
    kept = [f"count(*) FILTER (first < {begins[days]} AND round(net_{days}, 6) > 0)" for days in horizons]
    found = connection.execute(
        f"SELECT {', '.join(kept)} FROM (SELECT min({EVENT_TIME}) AS first, {', '.join(sums)} FROM {file_text(events)}"
        f" GROUP BY {CUSTOMER_ID})"
    ).fetchone()
    return dict(zip(horizons, map(int, found or ()), strict=True))


def of_dataset(dataset: Dataset, horizons: Sequence[int]) -> dict[int, int]:
    """Return :func:`known_buyers` of a dataset, and keep them beside its events: they take seconds of a large log."""
    facts, path = dataset.manifest, dataset.folder / KEPT
    of = {"timezone": facts.timezone, "log_end": facts.log_end}
    kept = read_json(path) if path.is_file() else {}
    same = {name: kept.get(name) for name in of} == of  # not of the same rows, read again in another zone
    known = {int(days): count for days, count in kept["buyers"].items()} if same else {}
    missing = [days for days in horizons if days not in known]
    if missing:
        with temporary_folder("clv-") as folder, connect(folder) as connection:
            known |= known_buyers(connection, dataset.events_path, facts.timezone, facts.log_end, missing)
        with ignore_unwritable():
            write_json(path, {**of, "buyers": known})
    return {days: known[days] for days in horizons}
