"""Which rows of a dataset each cleaning rule would take, as a table of positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from clv_core.collection.engine import connect, file_text, run
from clv_core.collection.rows.duplicates import mark_duplicates
from clv_core.collection.store.version_store import Dataset
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
        """Return SQL that says whether the rule takes a row."""
        return f"{POSITION} IN (FROM rule_{rule})"

    def rows(self, rule: str) -> int:
        """Return how many rows the rule takes."""
        found = self.connection.execute(f"SELECT count(*) FROM rule_{rule}").fetchone()
        return int((found or (0,))[0])


@contextmanager
def marked(dataset: Dataset, rules: Mapping[str, float | None], progress: Progress) -> Iterator[Marks]:
    """Find what each rule takes; memory stays bounded, what does not fit goes to the dataset's disk.

    Args:
        dataset: the rows.
        rules: rule id -> its limit.
        progress: who listens.
    """
    manifest = dataset.manifest
    with own_folder(Workspace(dataset.folder.parents[2]), dataset.folder.parents[1].name, READING) as folder:
        connection = connect(folder, manifest.timezone)
        try:
            connection.execute("SET disabled_optimizers = ''")
            events = f"read_parquet({file_text(dataset.events_path)}, {POSITION} = true)"
            marks = Marks(connection, Scope(events, tuple(manifest.columns), manifest.timezone), folder)
            for key, limit in rules.items():
                _mark(marks, dataset, RULES[key], limit, progress)
            yield marks
        finally:
            connection.close()


def _mark(marks: Marks, dataset: Dataset, rule: Rule, limit: float | None, progress: Progress) -> None:
    scope, rows = marks.scope, dataset.manifest.rows_kept
    if rule.repeats:
        mark_duplicates(marks.connection, dataset.events_path, scope.columns, rows, progress)
    condition = rule.condition(scope, 0.0 if limit is None else limit)
    query = f"CREATE TEMP TABLE rule_{rule.id} AS SELECT {POSITION} AS position FROM {scope.events} WHERE {condition}"
    run(marks.connection, query, progress, "rules", rows)
