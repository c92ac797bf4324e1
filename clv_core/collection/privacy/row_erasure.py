"""Some customers' rows taken out of a log: events, rows set aside, and the customers table, with the accounting."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from clv_core.collection.engine import connect, file_text, name, text
from clv_core.collection.privacy.id_matcher import TOKENS, IdMatcher
from clv_core.collection.privacy.short_ids import NO_TEXTS, OF_OTHERS, CustomerIds, short_named
from clv_core.collection.readings.alike import habit_of
from clv_core.collection.readings.aside import OWN_COLUMNS
from clv_core.collection.readings.figures import figures
from clv_core.collection.readings.reading import ORDERED_ROWS
from clv_core.collection.stored.store import Manifest, version_of
from clv_core.collection.values.id_texts import MERGE, folded, folded_sql
from clv_core.collection.values.pseudonyms import BLANKS
from clv_core.collection.words.contact_fields import id_column
from clv_core.columns import CUSTOMER_ID, READ
from clv_core.jobs import Progress


@dataclass(frozen=True)
class Taken:
    """What is left of a log.

    Args:
        manifest: of what is left, the version that of the old one and of what was taken.
        files: ``events``, ``set_aside``, ``customers``, ``withdrawn``: the Parquet files that changed.
        events: rows taken out of the log.
        aside: rows taken out of those that were set aside.
        people: rows taken out of the customers table.
        cells: texts of other customers' rows that named one of them, and are empty now.
    """

    manifest: Manifest
    files: dict[str, Path]
    events: int = 0
    aside: int = 0
    people: int = 0
    cells: int = 0

    @property
    def rows(self) -> int:
        """All that was taken out or emptied."""
        return self.events + self.aside + self.people + self.cells


def erase_rows(
    manifest: Manifest,
    events: Path,
    set_aside: Path,
    customers: Path | None,
    ids: Collection[str],
    scratch: Path,
    progress: Progress,
    withdrawn: Path | None = None,
) -> Taken:
    """Take all rows of the customers ``ids`` out of a log; the files stay, new ones are written to ``scratch``.

    Rows are found by the customer's id; in rows set aside, also where it stands in any other cell or in a line that is
    no row. A text of another customer's row, or of the customers table, that names one of them becomes empty
    (:mod:`~clv_core.collection.privacy.short_ids`).

    Args:
        manifest: of the log.
        events: its kept rows.
        set_aside: the others.
        customers: the customers table, where there is one.
        ids: as the log calls them; of an e-mail address, all its spellings go.
        scratch: an empty folder.
        progress: who listens.
        withdrawn: what it remembers of orders that were called off, where it does.
    """
    connection, ids = connect(scratch), {folded(one) for one in ids}
    try:
        connection.register("gone", pa.table({"id": pa.array(sorted(ids), pa.string())}))
        connection.execute(f"SET preserve_insertion_order = {str(manifest.rows_kept <= ORDERED_ROWS).lower()}")
        needles, known = IdMatcher(ids), CustomerIds(ids, (events,))
        files: dict[str, Path] = {}
        counts = {"events": 0, "aside": 0, "people": 0, "cells": 0}
        counts["events"], counts["cells"] = _log(connection, events, needles, known, scratch / "left.parquet")
        if counts["events"] or counts["cells"]:
            files["events"] = scratch / "left.parquet"
        test = aside_test(connection, set_aside, manifest, needles, known)
        counts["aside"] = _without(connection, set_aside, test, scratch)
        if counts["aside"]:
            files["set_aside"] = scratch / f"left_{set_aside.name}"
        if customers is not None:
            target = scratch / f"left_{customers.name}"
            counts["people"], cells = _log(connection, customers, needles, known, target)
            counts["cells"] += cells
            if counts["people"] or cells:
                files["customers"] = target
        if withdrawn is not None and _without(
            connection, withdrawn, named_test(connection, withdrawn, needles, known), scratch
        ):
            files["withdrawn"] = scratch / f"left_{withdrawn.name}"
        if not files:
            return Taken(manifest, {})
        left = _recounted(connection, manifest, files.get("events", events), counts, progress)
        return Taken(left, files, **counts)
    finally:
        connection.close()


def cells_naming(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    column: str,
    needles: IdMatcher,
    known: CustomerIds,
    *,
    others: bool = False,
) -> list[str]:
    """Return those texts of a column that name one of the customers, each once.

    Args:
        connection: the engine.
        path: a Parquet file of a log.
        column: one that can hold texts.
        needles: the ids.
        known: tells columns of customers.
        others: whether the column holds ids of something else, where short ones name nobody.
    """
    found = names_any(connection, path, column, needles)
    return list(dict.fromkeys([*found, *short_named(connection, path, column, needles, known, others=others).named]))


def names_any(connection: duckdb.DuckDBPyConnection, path: Path, column: str, needles: IdMatcher) -> list[str]:
    """Return those texts of a column that hold one of the words, each once."""
    if not needles.words:
        return []
    shortest = min(len(word.encode()) for word in needles.words)
    query = f"SELECT DISTINCT {name(column)}::VARCHAR AS cell FROM {file_text(path)}"
    reader = connection.execute(f"{query} WHERE strlen({name(column)}::VARCHAR) >= {shortest}").to_arrow_reader()
    found: list[str] = []
    for batch in reader:
        cells = batch.column(0)
        found += [str(cells[int(row)].as_py()) for row in needles.rows(cells)]
    return found


def text_columns(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Return the columns of a Parquet file that can hold a text, within lists and records too."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {file_text(path)}").fetchall()
    return [str(row[0]) for row in rows if re.search(r"VARCHAR|JSON|BLOB|ENUM", str(row[1]))]


def set_aside_columns(manifest: Manifest, columns: Sequence[str]) -> dict[str, bool]:
    """Return the columns of rows set aside in which short ids are looked for -> whether they hold ids of others."""
    kinds = {manifest.mapping.get(key, key): key for key in READ}
    sought = [one for one in columns if one == "value" or one.lower() not in OWN_COLUMNS]
    return {one: kinds.get(one) in OF_OTHERS for one in sought if kinds.get(one) not in NO_TEXTS}


def aside_test(
    connection: duckdb.DuckDBPyConnection, path: Path, manifest: Manifest, needles: IdMatcher, known: CustomerIds
) -> str:
    """Return the SQL test of rows set aside that name one of the customers in the table ``gone``."""
    columns = text_columns(connection, path)
    own = manifest.mapping.get(CUSTOMER_ID, CUSTOMER_ID)
    own = f"{own} (source)" if own.lower() in OWN_COLUMNS else own
    likely = id_column([column for column in columns if column.lower() not in OWN_COLUMNS])
    tests = [_named_in(column) for column in dict.fromkeys((own, CUSTOMER_ID, likely)) if column in columns]
    sought = set_aside_columns(manifest, columns)
    for column in columns:
        others = sought.get(column, True)
        if found := cells_naming(connection, path, column, needles, known, others=others):
            tests.append(f"coalesce({name(column)}::VARCHAR IN ({', '.join(map(text, found))}), false)")
    if {"value", "column"} <= set(columns):
        split = f"regexp_split_to_array(coalesce(value, ''), {text(TOKENS)})"
        words = f"list_transform({split}, lambda w: {folded_sql('w')})"
        tests.append(f'("column" IS NULL AND list_has_any({words}, (SELECT list(id) FROM gone)))')
    return " OR ".join(tests) or "false"


def named_test(connection: duckdb.DuckDBPyConnection, path: Path, needles: IdMatcher, known: CustomerIds) -> str:
    """Return the SQL test of a table's rows that are of a customer in the table ``gone``, or name one in any text."""
    tests = [_named_in(CUSTOMER_ID)]
    for column in text_columns(connection, path):
        others = column in OF_OTHERS
        if column != CUSTOMER_ID and (found := cells_naming(connection, path, column, needles, known, others=others)):
            tests.append(f"coalesce({name(column)}::VARCHAR IN ({', '.join(map(text, found))}), false)")
    return " OR ".join(tests)


def _named_in(column: str) -> str:
    cell = folded_sql(f"trim({name(column)}, '{BLANKS}')")
    return f"coalesce({cell} IN (SELECT id FROM gone), false)"


def _log(
    connection: duckdb.DuckDBPyConnection, path: Path, needles: IdMatcher, known: CustomerIds, target: Path
) -> tuple[int, int]:
    """Write what is left of a table of customers where anything goes; return the rows and the cells that do."""
    file, test = file_text(path), _named_in(CUSTOMER_ID)
    gone = _count(connection, f"SELECT count(*) FROM {file} WHERE {test}")
    replaced, cells = [], 0
    for column in text_columns(connection, path):
        if column == CUSTOMER_ID:
            continue
        if found := cells_naming(connection, path, column, needles, known, others=column in OF_OTHERS):
            hit = f"coalesce({name(column)}::VARCHAR IN ({', '.join(map(text, found))}), false)"
            here = _count(connection, f"SELECT count(*) FROM {file} WHERE NOT ({test}) AND {hit}")
            if here:
                cells += here
                replaced.append(f"CASE WHEN {hit} THEN NULL ELSE {name(column)} END AS {name(column)}")
    if gone or cells:
        chosen = f"* REPLACE ({', '.join(replaced)})" if replaced else "*"
        connection.execute(f"COPY (SELECT {chosen} FROM {file} WHERE NOT ({test})) TO {text(str(target))}")
    return gone, cells


def _without(connection: duckdb.DuckDBPyConnection, path: Path, test: str, scratch: Path) -> int:
    """Write a table's other rows where ``test`` holds for any; return for how many it does."""
    file = file_text(path)
    gone = _count(connection, f"SELECT count(*) FROM {file} WHERE {test}")
    if gone:
        target = file_text(scratch / f"left_{path.name}")
        connection.execute(f"COPY (SELECT * FROM {file} WHERE NOT ({test})) TO {target} (FORMAT parquet)")
    return gone


def _recounted(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, events: Path, counts: dict[str, int], progress: Progress
) -> Manifest:
    """Return the manifest of what is left; its files become one entry, for rows are not known by file."""
    recorded: dict[str, Any] = {"rows_kept": 0, "customers": 0, "purchases": 0, "net_revenue": 0.0}
    if _count(connection, f"SELECT count(*) FROM {file_text(events)}"):
        recorded = figures(connection, events, manifest.timezone, progress).recorded()
    kept, aside = recorded["rows_kept"], manifest.rows_set_aside - counts["aside"]
    rows = {
        "rows_read": kept + aside + manifest.rows_duplicate,
        "rows_kept": kept,
        "rows_set_aside": aside,
        "rows_duplicate": manifest.rows_duplicate,
    }
    habit = habit_of(manifest)
    part: dict[str, Any] = {"source": manifest.source, **rows}
    part |= {"rows_overlap": sum(one.get("rows_overlap", 0) for one in manifest.parts)}
    part |= {"date_order": habit.date_order, "decimal": habit.decimal}
    part |= {"hidden": list(habit.hidden)} if habit.hidden else {}
    part |= {"encoding": habit.encoding} if habit.encoding else {}
    part |= {"similar_ids": MERGE} if manifest.merges_similar_ids else {}
    table = manifest.customers_table
    if table is not None and counts["people"]:
        table = {**table, "rows": table["rows"] - counts["people"], "rows_read": table["rows_read"] - counts["people"]}
    return dataclasses.replace(
        manifest,
        **{**recorded, **rows},
        version=version_of(manifest.version, "without", kept, aside, recorded["net_revenue"], table and table["rows"]),
        parts=[part],
        customers_table=table,
    )


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
