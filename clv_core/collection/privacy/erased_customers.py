"""Erased customers: their rows go from the tables of a log, and are left out of every file that is read later.

:func:`erase_rows` takes them from events, rejected rows, customers and voided orders. The ledger of whom it was done
for is ``erasures/ledger.jsonl``, a :class:`~clv_core.collection.privacy.keyed_list.KeyedList`; whoever comes back in a
file is recognised by it (:func:`exclude_erased`, :func:`exclude_erased_customers`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from clv_core.collection.customers import CustomersReading
from clv_core.collection.customers.reading import match
from clv_core.collection.engine import connect, connect_memory, file_text, name, one, text
from clv_core.collection.parse.id_texts import BLANKS, folded, folded_sql, similar_mark, similar_mark_sql
from clv_core.collection.privacy.id_matcher import (
    OTHER_IDS,
    TOKENS,
    CustomerIds,
    IdMatcher,
    redact_messages,
    texts_naming,
)
from clv_core.collection.privacy.keyed_list import KeyedList
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.rows.log_loader import ORDERED_ROWS
from clv_core.collection.rows.log_summary import summarize
from clv_core.collection.rows.read_settings import one_part
from clv_core.collection.rows.rejected_rows import OWN_COLUMNS
from clv_core.collection.rows.voided_orders import count_voided
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.store.dataset_labels import names_to_follow
from clv_core.collection.store.version_store import Dataset, Manifest, open_dataset, version_of
from clv_core.collection.vocabulary.column_names import id_column
from clv_core.columns import CUSTOMER_ID, EVENT_TIME, READ, Kind
from clv_core.errors import Message, NotFound, Refused
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

LEDGER: Final = "erasures/ledger.jsonl"
PURPOSE: Final = "clv studio erased customers"
DATASET: Final = "dataset"


EVENTS, SET_ASIDE, CUSTOMERS, VOIDED = "events", "set_aside", "customers", "withdrawn"
"""The tables of a log, as :func:`clv_core.collection.store.version_store.derive` calls their files."""
NUMBERS_AND_TIMES: Final = {key for key, column in READ.items() if column.kind is not Kind.TEXT}


def erased_customers(workspace: Workspace) -> KeyedList:
    """Return the ledger, whose entries name the ``dataset`` that they hold for ("" for all)."""
    return KeyedList(workspace, LEDGER, PURPOSE, lambda word: (similar_mark(word),))


def erased_list(workspace: Workspace, dataset: str) -> SuppressionList:
    """Return those who were erased from all datasets or from ``dataset``, by id, as a list to hold frames against.

    Raises:
        Refused: there is a ledger, and the key that it was made with is missing.
    """
    ledger, renamed = erased_customers(workspace), names_to_follow(workspace)
    hashes = ledger.hashes(lambda entry: renamed.get(entry[DATASET], entry[DATASET]) in ("", dataset))
    if hashes:
        ledger.sql("x")  # refuses another key
    return SuppressionList(ledger, hashes, frozenset(), numbers=False)


def returning_ids(
    workspace: Workspace, dataset: str, tables: dict[Path, list[str]], scratch: Path, *, similar: bool = False
) -> frozenset[str]:
    """Return the ids in some Parquet files that belong to erased customers, as the files write them.

    Args:
        workspace: whose ledger counts.
        dataset: what the files are for.
        tables: text columns by file; ids are cells or words within them.
        scratch: an empty folder.
        similar: whether ids that differ only in capitals, blanks or leading zeros are one customer.
    """
    ledger, renamed = erased_customers(workspace), names_to_follow(workspace)
    hashes = ledger.hashes(lambda entry: renamed.get(entry[DATASET], entry[DATASET]) in ("", dataset))
    if not hashes:
        return frozenset()
    ids: set[str] = set()
    with connect(scratch) as connection:
        connection.register("hashes", pa.table({"hash": pa.array(sorted(hashes), pa.string())}))
        for path, columns in tables.items():
            for column in columns:
                cell = f"trim({name(column)}, '{BLANKS}')"
                words = [f"SELECT DISTINCT {cell} AS word FROM {file_text(path)}"]
                if column != CUSTOMER_ID:
                    split = f"unnest(regexp_split_to_array({cell}, {text(TOKENS)}))"
                    words.append(f"SELECT DISTINCT {split} AS word FROM {file_text(path)}")
                spellings = ["word", similar_mark_sql("word")] if similar else ["word"]
                test = " OR ".join(f"{ledger.sql(word)} IN (SELECT hash FROM hashes)" for word in spellings)
                query = f"SELECT word FROM ({' UNION '.join(words)}) WHERE {test}"
                ids |= {str(row[0]) for row in connection.execute(query).fetchall()}
    return frozenset(ids)


def exclude_erased(workspace: Workspace, part: LogFiles, scratch: Path, progress: Progress) -> LogFiles:
    """Return a log without the rows of erased customers, and with a warning that counts them.

    Raises:
        Refused: the log is of erased customers alone.
    """
    if not (workspace.root / LEDGER).exists():
        return part
    scratch.mkdir(parents=True, exist_ok=True)
    manifest = part.manifest
    tables = {EVENTS: part.events, SET_ASIDE: part.rejected}
    tables |= {VOIDED: part.voided} if part.voided is not None else {}
    with connect_memory() as connection:
        columns = {path: [CUSTOMER_ID] for path in tables.values()}
        columns[part.rejected] = text_columns(connection, part.rejected)
    similar = manifest.merges_similar_ids or _merges_similar_ids(workspace, manifest.name)
    ids = returning_ids(workspace, manifest.name, columns, scratch, similar=similar)
    if not ids:
        return part
    left = erase_rows(manifest, tables, ids, scratch, progress)
    if not left.files:
        return part
    files = {**tables, **left.files}
    if left.manifest.rows_kept == 0 and (manifest.rows_kept or _is_empty(files.get(VOIDED))):
        raise Refused("erased_all", file=manifest.source, customers=len(ids))
    rows = left.rows[EVENTS] + left.rows[SET_ASIDE]
    excluded = Message("warning.erased_left_out", {"customers": len(ids), "rows": rows})
    warnings = [*redact_messages(left.manifest.warnings, ids), excluded]
    return LogFiles(
        dataclasses.replace(left.manifest, warnings=warnings), files[EVENTS], files[SET_ASIDE], files.get(VOIDED)
    )


def exclude_erased_customers(
    workspace: Workspace, dataset: Dataset, reading: CustomersReading, scratch: Path
) -> CustomersReading:
    """Return a customers table without erased customers, and with a warning that counts them.

    Raises:
        Refused: the table is of erased customers alone.
    """
    columns, similar = {reading.table: [CUSTOMER_ID]}, dataset.manifest.merges_similar_ids
    ids = returning_ids(workspace, dataset.name, columns, scratch, similar=similar)
    if not ids:
        return reading
    left = scratch / "people.parquet"
    with connect(scratch) as connection:
        connection.register("erased", pa.table({"id": pa.array(sorted(ids), pa.string())}))
        query = f"SELECT * FROM {file_text(reading.table)} WHERE {CUSTOMER_ID} NOT IN (SELECT id FROM erased)"
        rows = int(one(connection, f"COPY ({query}) TO {text(str(left))} (FORMAT parquet)")[0])
    if rows == 0:
        raise Refused("erased_all", file=reading.file, customers=len(ids))
    excluded = Message("warning.erased_left_out", {"customers": len(ids), "rows": reading.rows - rows})
    with connect_memory() as connection:
        matched = match(connection, left, dataset.events_path)
    return dataclasses.replace(
        reading,
        table=left,
        rows_read=reading.rows_read - (reading.rows - rows),
        match=dataclasses.replace(reading.match, customers=matched.customers, matched=matched.matched),
        content=version_of(reading.content, "without", rows),
        warnings=(*redact_messages(reading.warnings, ids), excluded),
    )


def _merges_similar_ids(workspace: Workspace, name: str) -> bool:
    """Return whether a dataset, where there is one, has customers whose ids were written in several ways."""
    try:
        return open_dataset(workspace, name).manifest.merges_similar_ids
    except NotFound:
        return False


def _is_empty(voided: Path | None) -> bool:
    with connect_memory() as connection:
        return count_voided(connection, voided)[0] == 0


@dataclass(frozen=True)
class ErasedRows:
    """What is left of a log.

    Args:
        manifest: of what is left, with a version of its own.
        files: the Parquet files that changed, by table.
        rows: how many rows were erased, by table.
        cells: texts in rows of other customers that named an erased one, and are empty now.
    """

    manifest: Manifest
    files: dict[str, Path]
    rows: dict[str, int]
    cells: int = 0


def erase_rows(
    manifest: Manifest, tables: Mapping[str, Path], ids: Collection[str], scratch: Path, progress: Progress
) -> ErasedRows:
    """Erase customers from a log; its files stay, new ones are written to ``scratch``.

    A row of events or of the customers table is removed by its id; a text of another customer's row that names one of
    them becomes empty. A rejected row, or one of a voided order, is removed if any of its cells names one of them.

    Args:
        manifest: of the log.
        tables: Parquet files by table; ``events`` must be there.
        ids: as the log writes them; of an e-mail address, all its spellings go.
        scratch: an empty folder.
        progress: receives the progress.
    """
    with connect(scratch) as connection:
        connection.execute(f"SET preserve_insertion_order = {str(manifest.rows_kept <= ORDERED_ROWS).lower()}")
        search = LogSearch(connection, manifest, ids, tables[EVENTS])
        files: dict[str, Path] = {}
        rows: dict[str, int] = {}
        cells = 0
        for table, path in tables.items():
            target = scratch / f"left_{table}.parquet"
            rows[table], emptied = _write_rest(connection, path, search.tests(table, path), target)
            cells += emptied
            if rows[table] or emptied:
                files[table] = target
        if not files:
            return ErasedRows(manifest, {}, rows)
        left = _recounted(connection, manifest, files.get(EVENTS, tables[EVENTS]), rows, progress)
        return ErasedRows(left, files, rows, cells)


def erase_before(
    manifest: Manifest, tables: Mapping[str, Path], before: datetime, scratch: Path, progress: Progress
) -> ErasedRows:
    """Erase what is older than a time from a log; its files stay, new ones are written to ``scratch``.

    Events go by their time, voided orders by when the log told of them, and so do customers of the customers table all
    of whose events go. Rejected rows have no time that can be read, and all go if an event does.

    Args:
        manifest: of the log.
        tables: Parquet files by table; ``events`` must be there.
        before: the time, with a zone.
        scratch: an empty folder.
        progress: receives the progress.
    """
    limit = f"TIMESTAMP {text(before.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S'))}"
    with connect(scratch) as connection:
        connection.execute(f"SET preserve_insertion_order = {str(manifest.rows_kept <= ORDERED_ROWS).lower()}")
        events = file_text(tables[EVENTS])
        recent = f"SELECT {CUSTOMER_ID} FROM {events} WHERE {EVENT_TIME} >= {limit}"
        expired = f"{CUSTOMER_ID} IN (SELECT {CUSTOMER_ID} FROM {events}) AND {CUSTOMER_ID} NOT IN ({recent})"
        tests = {EVENTS: f"{EVENT_TIME} < {limit}", SET_ASIDE: "true", CUSTOMERS: expired, VOIDED: f"told < {limit}"}
        files: dict[str, Path] = {}
        rows: dict[str, int] = {}
        for table, path in tables.items():
            target = scratch / f"left_{table}.parquet"
            rows[table], _ = _write_rest(connection, path, TableTests(tests[table], {}), target)
            if not rows[EVENTS]:
                return ErasedRows(manifest, {}, dict.fromkeys(tables, 0))
            if rows[table]:
                files[table] = target
        return ErasedRows(_recounted(connection, manifest, files[EVENTS], rows, progress), files, rows)


@dataclass(frozen=True)
class TableTests:
    """What of a table names customers, as SQL tests.

    Args:
        rows: of the rows that are erased.
        cells: by column, of the texts that are emptied in the other rows.
    """

    rows: str
    cells: Mapping[str, str]

    @property
    def any(self) -> str:
        """Of the rows that name a customer anywhere."""
        return " OR ".join([self.rows, *self.cells.values()])


class LogSearch:
    """Finds what names customers in the tables of a log.

    Args:
        connection: of DuckDB; gets a table ``erased`` of the ids.
        manifest: of the log.
        ids: of the customers, as the log writes them.
        logs: Parquet files of events, by which columns of customers are recognised.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, manifest: Manifest, ids: Collection[str], *logs: Path
    ) -> None:
        ids = {folded(word) for word in ids}
        self._connection, self._manifest = connection, manifest
        self._matcher, self._customers = IdMatcher(ids), CustomerIds(ids, logs)
        connection.register("erased", pa.table({"id": pa.array(sorted(ids), pa.string())}))

    def tests(self, table: str, path: Path) -> TableTests:
        """Return what names customers in the Parquet file ``path`` of a table."""
        columns = text_columns(self._connection, path)
        if table == SET_ASIDE:
            return TableTests(self._rejected_test(path, columns), {})
        cells = self._texts(path, {column: column in OTHER_IDS for column in columns if column != CUSTOMER_ID})
        tests = TableTests(_is_erased(CUSTOMER_ID), cells)
        return TableTests(tests.any, {}) if table == VOIDED else tests

    def holds(self, table: str, path: Path) -> bool:
        """Return whether the Parquet file ``path`` of a table names a customer anywhere."""
        id_tests = [] if table == SET_ASIDE else [_is_erased(CUSTOMER_ID)]  # which is faster
        return any(self._has_rows(path, test) for test in id_tests) or self._has_rows(path, self.tests(table, path).any)

    def _has_rows(self, path: Path, test: str) -> bool:
        query = f"SELECT 1 FROM {file_text(path)} WHERE {test} LIMIT 1"
        return self._connection.execute(query).fetchone() is not None

    def _texts(self, path: Path, other_ids: Mapping[str, bool]) -> dict[str, str]:
        """Return the tests of texts that name a customer, by column, for columns that have such.

        Args:
            path: a Parquet file.
            other_ids: the columns, and whether each holds ids of something else.
        """
        tests = {}
        for column, other in other_ids.items():
            texts = texts_naming(self._connection, path, column, self._matcher, self._customers, other_ids=other)
            if texts:
                tests[column] = f"coalesce({name(column)}::VARCHAR IN ({', '.join(map(text, texts))}), false)"
        return tests

    def _rejected_test(self, path: Path, columns: list[str]) -> str:
        """Return the test of rejected rows; these have the columns of their file and :data:`OWN_COLUMNS`."""
        mapping = self._manifest.mapping
        id_name = mapping.get(CUSTOMER_ID, CUSTOMER_ID)
        id_name = f"{id_name} (source)" if id_name.lower() in OWN_COLUMNS else id_name
        likely = id_column([column for column in columns if column.lower() not in OWN_COLUMNS])
        tests = [_is_erased(column) for column in dict.fromkeys((id_name, CUSTOMER_ID, likely)) if column in columns]
        meaning = {mapping.get(key, key): key for key in READ}
        other = {column: meaning.get(column) in OTHER_IDS | NUMBERS_AND_TIMES for column in columns}
        other |= {column: True for column in columns if column.lower() in OWN_COLUMNS and column != "value"}
        tests += self._texts(path, other).values()
        if {"value", "column"} <= set(columns):  # a line that could not be cut into cells
            split = f"regexp_split_to_array(coalesce(value, ''), {text(TOKENS)})"
            words = f"list_transform({split}, lambda w: {folded_sql('w')})"
            tests.append(f'("column" IS NULL AND list_has_any({words}, (SELECT list(id) FROM erased)))')
        return " OR ".join(tests) or "false"


def text_columns(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Return the columns of a Parquet file that can hold a text, within lists and records too."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {file_text(path)}").fetchall()
    return [str(row[0]) for row in rows if re.search(r"VARCHAR|JSON|BLOB|ENUM", str(row[1]))]


def _is_erased(column: str) -> str:
    cell = folded_sql(f"trim({name(column)}, '{BLANKS}')")
    return f"coalesce({cell} IN (SELECT id FROM erased), false)"


def _write_rest(connection: duckdb.DuckDBPyConnection, path: Path, tests: TableTests, target: Path) -> tuple[int, int]:
    """Write what is left of a table if anything is erased; return the numbers of rows erased and of cells emptied."""
    counts = [f"count(*) FILTER (WHERE {tests.rows})"]
    counts += [f"count(*) FILTER (WHERE NOT ({tests.rows}) AND {test})" for test in tests.cells.values()]
    rows, *cells = one(connection, f"SELECT {', '.join(counts)} FROM {file_text(path)}")
    if rows or any(cells):
        emptied = [
            f"CASE WHEN {test} THEN NULL ELSE {name(column)} END AS {name(column)}"
            for (column, test), cell_count in zip(tests.cells.items(), cells, strict=True)
            if cell_count
        ]
        columns = f"* REPLACE ({', '.join(emptied)})" if emptied else "*"
        rest = f"SELECT {columns} FROM {file_text(path)} WHERE NOT ({tests.rows})"
        connection.execute(f"COPY ({rest}) TO {text(str(target))} (FORMAT parquet)")
    return rows, sum(cells)


def _recounted(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    events: Path,
    erased: Mapping[str, int],
    progress: Progress,
) -> Manifest:
    """Return the manifest of what is left; its files become one entry, for rows are not counted by file."""
    recorded: dict[str, Any] = {"rows_kept": 0, "customers": 0, "orders": 0, "purchases": 0, "net_revenue": 0.0}
    if one(connection, f"SELECT count(*) FROM {file_text(events)}")[0]:
        recorded = summarize(connection, events, manifest.timezone, progress).recorded()
    accepted, rejected = recorded["rows_kept"], manifest.rows_set_aside - erased.get(SET_ASIDE, 0)
    rows = {
        "rows_read": accepted + rejected + manifest.rows_duplicate,
        "rows_kept": accepted,
        "rows_set_aside": rejected,
        "rows_duplicate": manifest.rows_duplicate,
    }
    table = manifest.customers_table
    if table is not None and (people := erased.get(CUSTOMERS, 0)):
        table = dataclasses.replace(table, rows=table.rows - people, rows_read=table.rows_read - people)
    left = dataclasses.replace(
        manifest,
        **{**recorded, **rows},
        version=version_of(
            manifest.version, "without", accepted, rejected, recorded["net_revenue"], table and table.rows
        ),
        customers_table=table,
    )
    return dataclasses.replace(left, parts=[one_part(left)])
