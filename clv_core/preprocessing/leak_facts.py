"""What a sample of customers did before, in and after spans of the log, beside the attributes as known at its start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd

from clv_core.collection.customers import Attribute
from clv_core.collection.engine import connect, fetch, file_text, name, text
from clv_core.collection.store.version_store import Dataset
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, PURCHASE, RETURN
from clv_core.jobs import Progress
from clv_core.scratch import temporary_folder

LARGEST_SAMPLE: Final = 15_000
"""Customers of the table and the log, picked by a hash of their ids, so that the same are picked again."""

VALUE: Final = "value"
FACTS: Final = ("net", "days", "first", "last", "events", "seen")
REST: Final = tuple(f"{when}_{fact}" for when in ("before", "after") for fact in FACTS)
"""Columns on what a customer did outside the span: net value, purchase days, the first and last of them (in days from
the span's start), rows, and the last day seen."""


def facts_about(
    dataset: Dataset,
    customers: Path,
    attributes: Sequence[Attribute],
    spans: Sequence[tuple[date, date]],
    progress: Progress,
) -> list[pd.DataFrame]:
    """Return one frame a span: one row a customer seen before it, with ``value`` (net in the span), :data:`REST`, and
    ``attribute_0`` and so on, dated ones as known before the span.

    Args:
        dataset: the log; it is read once, whatever its size, and only the sample's rows are kept.
        customers: the customers table, ids written as in the log.
        attributes: those to be looked at.
        spans: first day and first day after.
        progress: who listens.
    """
    table, events = file_text(customers), file_text(dataset.events_path)
    day = f"timezone({text(dataset.manifest.timezone)}, timezone('UTC', {EVENT_TIME}))::DATE"
    with temporary_folder("clv-leaks-") as folder:
        connection = connect(folder)
        try:
            picked = (
                f"CREATE TEMP TABLE picked AS SELECT {CUSTOMER_ID} FROM (SELECT DISTINCT {CUSTOMER_ID} FROM {events})"
                f" SEMI JOIN {table} USING ({CUSTOMER_ID})"
                f" ORDER BY hash({CUSTOMER_ID}), {CUSTOMER_ID} LIMIT {LARGEST_SAMPLE}"
            )
            fetch(connection, picked, progress, "leaks")
            kept = (
                f"CREATE TEMP TABLE kept AS SELECT {CUSTOMER_ID}, {AMOUNT}, {day} AS day,"
                f" {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}') AS money, {EVENT_TYPE} = '{PURCHASE}' AS bought"
                f" FROM {events} SEMI JOIN picked USING ({CUSTOMER_ID})"
            )
            fetch(connection, kept, progress, "leaks")
            return [_facts(connection, table, attributes, start, end) for start, end in spans]
        finally:
            connection.close()


def _facts(
    connection: duckdb.DuckDBPyConnection, table: str, attributes: Sequence[Attribute], start: date, end: date
) -> pd.DataFrame:
    known = [f"{_known(attribute, start)} AS attribute_{number}" for number, attribute in enumerate(attributes)]
    facts = [f"coalesce(sum({AMOUNT}) FILTER (money AND NOT before AND NOT after), 0) AS {VALUE}"]
    facts += [fact for when in ("before", "after") for fact in _sums(when)]
    query = f"""
        WITH wanted AS (
            SELECT {", ".join([CUSTOMER_ID, *known])} FROM {table} SEMI JOIN picked USING ({CUSTOMER_ID}) GROUP BY 1
        ),
        days AS (
            SELECT * REPLACE (day - DATE '{start}' AS day), day < DATE '{start}' AS before, day >= DATE '{end}' AS after
            FROM kept
        ),
        facts AS (SELECT {CUSTOMER_ID}, {", ".join(facts)} FROM days GROUP BY 1 HAVING bool_or(before))
        SELECT * FROM facts JOIN wanted USING ({CUSTOMER_ID}) ORDER BY hash({CUSTOMER_ID}), {CUSTOMER_ID}
    """
    frame: pd.DataFrame = connection.execute(query).df()
    return frame


def _sums(when: str) -> list[str]:
    parts = {
        "net": f"coalesce(sum({AMOUNT}) FILTER (money AND {when}), 0)",
        "days": f"count(DISTINCT day) FILTER (bought AND {when})",
        "first": f"min(day) FILTER (bought AND {when})",
        "last": f"max(day) FILTER (bought AND {when})",
        "events": f"count(*) FILTER ({when})",
        "seen": f"max(day) FILTER ({when})",
    }
    return [f"{parts[fact]} AS {when}_{fact}" for fact in FACTS]


def _known(attribute: Attribute, start: date) -> str:
    column = name(attribute.name)
    if attribute.dated_by is None:
        return f"max({column})"
    date_column = name(attribute.dated_by)
    return f"arg_max({column}, {date_column}) FILTER ({date_column} < DATE '{start}' AND {column} IS NOT NULL)"
