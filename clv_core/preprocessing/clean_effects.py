"""Which rows of a dataset each cleaning rule takes, and what that changes, in numbers and in three examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection import connect, file_text, one, run
from clv_core.collection.rows import mark_duplicates
from clv_core.collection.store import Dataset
from clv_core.columns import (
    AMOUNT,
    CUSTOMER_ID,
    EVENT_TIME,
    EVENT_TYPE,
    MONEY_TYPES,
    ORDER_ID,
    PRODUCT_ID,
    PURCHASE,
    QUANTITY,
)
from clv_core.jobs import Progress
from clv_core.preprocessing.clean_rules import POSITION, RULES, Rule, Scope
from clv_core.scratch import READING, own_folder
from clv_core.workspace import Workspace


@dataclass(frozen=True)
class Marks:
    """A connection in which the table ``rule_<id>`` holds the positions of the rows that the rule takes.

    Args:
        connection: where it is.
        scope: the rows.
        scratch: a folder for what is written.
    """

    connection: duckdb.DuckDBPyConnection
    scope: Scope
    scratch: Path

    def taken(self, rule: str) -> str:
        """Return the SQL condition of a row that the rule takes."""
        return f"{POSITION} IN (FROM rule_{rule})"

    def rows(self, rule: str) -> int:
        """Return how many rows the rule takes."""
        row = self.connection.execute(f"SELECT count(*) FROM rule_{rule}").fetchone()
        return int((row or (0,))[0])


@contextmanager
def marked(dataset: Dataset, rules: Mapping[str, float | None], progress: Progress) -> Iterator[Marks]:
    """Find what each rule takes; memory stays bounded, what does not fit goes to the dataset's disk.

    Args:
        dataset: the rows.
        rules: rule id -> its limit.
        progress: who listens.
    """
    manifest = dataset.manifest
    place = own_folder(Workspace(dataset.folder.parents[2]), dataset.folder.parents[1].name, READING)
    with place as folder, connect(folder, manifest.timezone) as connection:
        connection.execute("SET disabled_optimizers = ''")
        events = f"read_parquet({file_text(dataset.events_path)}, {POSITION} = true)"
        marks = Marks(connection, Scope(events, tuple(manifest.columns), manifest.timezone), folder)
        for key, limit in rules.items():
            _mark(marks, dataset, RULES[key], limit, progress)
        yield marks


def _mark(marks: Marks, dataset: Dataset, rule: Rule, limit: float | None, progress: Progress) -> None:
    scope, rows = marks.scope, dataset.manifest.rows_kept
    if rule.repeats:
        mark_duplicates(marks.connection, dataset.events_path, scope.columns, rows, progress)
    condition = rule.condition(scope, 0.0 if limit is None else limit)
    query = f"CREATE TEMP TABLE rule_{rule.id} AS SELECT {POSITION} AS position FROM {scope.events} WHERE {condition}"
    run(marks.connection, query, progress, "rules", rows)


EXAMPLES: Final = 3
SHOWN: Final = (CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, AMOUNT, ORDER_ID, PRODUCT_ID, QUANTITY)


@dataclass(frozen=True)
class Effect:
    """What a rule would change if it alone were switched on.

    Args:
        rule: its id.
        limit: the limit that was used; None: the rule has none.
        on: whether the version in question has it on.
        rows: rows that it would reject.
        customers: customers who would lose a row.
        customers_lost: those of them who would lose all.
        purchases: purchase rows among ``rows``.
        net_revenue: purchases and returns among ``rows``, to the cent.
        examples: three of the rows, the largest amounts first: canonical columns as text, times in the log's zone.
    """

    rule: str
    limit: float | None
    on: bool
    rows: int
    customers: int
    customers_lost: int
    purchases: int
    net_revenue: float
    examples: tuple[dict[str, str], ...]


def measure(marks: Marks, rule: str, limit: float | None, *, on: bool) -> Effect:
    """Return the effect of a rule whose rows are marked.

    Who would lose all rows: the two inner queries count each customer's rows in all and those that the rule takes, the
    outer one counts the customers for whom both are the same.
    """
    taken = f"SELECT * FROM {marks.scope.events} WHERE {marks.taken(rule)}"
    kinds = ", ".join(f"'{kind}'" for kind in MONEY_TYPES)
    rows, customers, purchases, revenue = one(
        marks.connection,
        f"SELECT count(*), count(DISTINCT {CUSTOMER_ID}), count(*) FILTER ({EVENT_TYPE} = '{PURCHASE}'),"
        f" sum({AMOUNT}::DECIMAL(38, 6)) FILTER ({EVENT_TYPE} IN ({kinds})) FROM ({taken})",
    )
    lost = 0
    if rows:
        lost = one(
            marks.connection,
            f"SELECT count(*) FROM (SELECT {CUSTOMER_ID}, count(*) AS had FROM {marks.scope.events} GROUP BY ALL) JOIN"
            f" (SELECT {CUSTOMER_ID}, count(*) AS loses FROM ({taken}) GROUP BY ALL) USING ({CUSTOMER_ID})"
            " WHERE loses = had",
        )[0]
    return Effect(
        rule=rule,
        limit=limit,
        on=on,
        rows=int(rows),
        customers=int(customers),
        customers_lost=int(lost),
        purchases=int(purchases),
        net_revenue=round(float(revenue or 0), 2),
        examples=_examples(marks, taken) if rows else (),
    )


def _examples(marks: Marks, taken: str) -> tuple[dict[str, str], ...]:
    columns = [column for column in SHOWN if column in marks.scope.columns]
    local = f"strftime({marks.scope.local_time}, '%Y-%m-%d %H:%M:%S')"
    cells = ", ".join(f"{local if column == EVENT_TIME else f'{column}::VARCHAR'}" for column in columns)
    rows = marks.connection.execute(
        f"SELECT {cells} FROM ({taken}) ORDER BY abs({AMOUNT}) DESC NULLS LAST, {POSITION} LIMIT {EXAMPLES}"
    ).fetchall()
    return tuple({column: cell for column, cell in zip(columns, row, strict=True) if cell is not None} for row in rows)
