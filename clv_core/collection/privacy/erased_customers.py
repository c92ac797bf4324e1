"""The ledger of erased customers: their rows are left out of every file that is read later.

``erasures/ledger.jsonl``, a :class:`~clv_core.collection.privacy.keyed_list.KeyedList`.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final

import pyarrow as pa

from clv_core.collection.customers import CustomersReading
from clv_core.collection.customers.match import match
from clv_core.collection.engine import connect, connect_memory, file_text, name, one, text
from clv_core.collection.parse.id_texts import BLANKS, similar_mark, similar_mark_sql
from clv_core.collection.privacy.id_matcher import TOKENS, redact_messages
from clv_core.collection.privacy.keyed_list import KeyedList
from clv_core.collection.privacy.row_erasure import EVENTS, SET_ASIDE, VOIDED, erase_rows, text_columns
from clv_core.collection.rows.voided_orders import count_voided
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.store.dataset_labels import names_to_follow
from clv_core.collection.store.version_store import Dataset, open_dataset, version_of
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, NotFound, Refused
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

LEDGER: Final = "erasures/ledger.jsonl"
PURPOSE: Final = "clv studio erased customers"
DATASET: Final = "dataset"


def erased_customers(workspace: Workspace) -> KeyedList:
    """Return the ledger, whose entries name the ``dataset`` that they hold for ("" for all)."""
    return KeyedList(workspace, LEDGER, PURPOSE, lambda word: (similar_mark(word),))


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
