"""Those who were erased must not come back with the next file: their rows are left out while it is read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from clv_core.collection.customers import CustomersReading, recount
from clv_core.collection.engine import connect, file_text, name, text
from clv_core.collection.privacy.id_matcher import TOKENS, IdMatcher, redact_values
from clv_core.collection.privacy.keyed_list import KeyedList
from clv_core.collection.privacy.row_erasure import erase_rows, text_columns
from clv_core.collection.readings.united import LogPart
from clv_core.collection.readings.withdrawn import lines_in
from clv_core.collection.stored.renaming import names_to_follow
from clv_core.collection.stored.store import Dataset, open_dataset, version_of
from clv_core.collection.values.id_texts import similar_mark, similar_mark_sql
from clv_core.collection.values.pseudonyms import BLANKS
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, NotFound, Refused
from clv_core.jobs import Progress
from clv_core.workspace import Workspace

LEDGER: Final = "erasures/ledger.jsonl"
PURPOSE: Final = "clv studio erased customers"
DATASET: Final = "dataset"


def erased(workspace: Workspace) -> KeyedList:
    """Return the list of those who were erased, each with the ``dataset`` that it holds for ("" for all)."""
    return KeyedList(workspace, LEDGER, PURPOSE, lambda word: (similar_mark(word),))


def returning_ids(
    workspace: Workspace, dataset: str, tables: dict[Path, list[str]], scratch: Path, *, similar: bool = False
) -> frozenset[str]:
    """Return the ids in some Parquet files that belong to erased customers, as the files have them.

    Args:
        workspace: whose ledger counts.
        dataset: what the files are for.
        tables: text columns by file; ids are whole cells or words within them.
        scratch: an empty folder.
        similar: whether ids that differ only in capitals, blanks or leading zeros are one customer.
    """
    ledger, moved = erased(workspace), names_to_follow(workspace)
    hashes = ledger.hashes(lambda entry: moved.get(entry[DATASET], entry[DATASET]) in ("", dataset))
    if not hashes:
        return frozenset()
    connection = connect(scratch)
    try:
        connection.register("hashes", pa.table({"hash": pa.array(sorted(hashes), pa.string())}))
        found: set[str] = set()
        for path, columns in tables.items():
            for column in columns:
                cell = f"trim({name(column)}, '{BLANKS}')"
                words = [f"SELECT DISTINCT {cell} AS word FROM {file_text(path)}"]
                if column != CUSTOMER_ID:
                    split = f"unnest(regexp_split_to_array({cell}, {text(TOKENS)}))"
                    words.append(f"SELECT DISTINCT {split} AS word FROM {file_text(path)}")
                every = " UNION ".join(words)
                spelt = ["word", similar_mark_sql("word")] if similar else ["word"]
                test = " OR ".join(f"{ledger.sql(word)} IN (SELECT hash FROM hashes)" for word in spelt)
                query = f"SELECT word FROM ({every}) WHERE {test}"
                found |= {str(row[0]) for row in connection.execute(query).fetchall()}
        return frozenset(found)
    finally:
        connection.close()


def exclude_erased(workspace: Workspace, part: LogPart, scratch: Path, progress: Progress) -> LogPart:
    """Return a file that was read, without the rows of those who were erased, and with a warning that says how many.

    Raises:
        Refused: nobody else is in it.
    """
    if not (workspace.root / LEDGER).exists():
        return part
    scratch.mkdir(parents=True, exist_ok=True)
    manifest = part.manifest
    columns = _columns(part.set_aside, scratch)
    tables = {part.events: [CUSTOMER_ID], part.set_aside: columns}
    tables |= {part.withdrawn: [CUSTOMER_ID]} if part.withdrawn is not None else {}
    similar = manifest.merges_similar_ids or _merges(workspace, manifest.name)
    ids = returning_ids(workspace, manifest.name, tables, scratch, similar=similar)
    if not ids:
        return part
    taken = erase_rows(manifest, part.events, part.set_aside, None, ids, scratch, progress, part.withdrawn)
    if not taken.files:
        return part
    withdrawn = taken.files.get("withdrawn", part.withdrawn)
    if taken.manifest.rows_kept == 0 and (manifest.rows_kept or _empty(withdrawn, scratch)):
        raise Refused("erased_all", file=manifest.source, customers=len(ids))
    said = Message("warning.erased_left_out", {"customers": len(ids), "rows": taken.events + taken.aside})
    warnings = [*redact_values(taken.manifest.warnings, ids, IdMatcher(ids)), said.coded()]
    return dataclasses.replace(
        part,
        manifest=dataclasses.replace(taken.manifest, warnings=warnings),
        events=taken.files.get("events", part.events),
        set_aside=taken.files.get("set_aside", part.set_aside),
        withdrawn=withdrawn,
    )


def exclude_erased_customers(
    workspace: Workspace, dataset: Dataset, reading: CustomersReading, scratch: Path
) -> CustomersReading:
    """Return a customers file that was read, without those who were erased.

    Raises:
        Refused: nobody else is in it.
    """
    tables, similar = {reading.table: [CUSTOMER_ID]}, dataset.manifest.merges_similar_ids
    ids = returning_ids(workspace, dataset.name, tables, scratch, similar=similar)
    if not ids:
        return reading
    left = scratch / "people.parquet"
    connection = connect(scratch)
    try:
        connection.register("gone", pa.table({"id": pa.array(sorted(ids), pa.string())}))
        query = f"SELECT * FROM {file_text(reading.table)} WHERE {CUSTOMER_ID} NOT IN (SELECT id FROM gone)"
        row = connection.execute(f"COPY ({query}) TO {text(str(left))} (FORMAT parquet)").fetchone()
        rows = int(row[0]) if row else 0
    finally:
        connection.close()
    if rows == 0:
        raise Refused("erased_all", file=reading.file, customers=len(ids))
    said = Message("warning.erased_left_out", {"customers": len(ids), "rows": reading.rows - rows})
    matched = recount(left, dataset.events_path, {})
    return dataclasses.replace(
        reading,
        table=left,
        rows_read=reading.rows_read - (reading.rows - rows),
        match=dataclasses.replace(reading.match, customers=matched["customers"], matched=matched["matched"]),
        content=version_of(reading.content, "without", rows),
        warnings=(
            *(Message(one["code"], one["params"]) for one in redact_values(_coded(reading), ids, IdMatcher(ids))),
            said,
        ),
    )


def _merges(workspace: Workspace, name: str) -> bool:
    """Say whether a dataset, where there is one, has customers whose ids were written in several ways."""
    try:
        return open_dataset(workspace, name).manifest.merges_similar_ids
    except NotFound:
        return False


def _coded(reading: CustomersReading) -> list[dict[str, Any]]:
    return [message.coded() for message in reading.warnings]


def _empty(withdrawn: Path | None, scratch: Path) -> bool:
    with connect(scratch) as connection:
        return lines_in(connection, withdrawn) == 0


def _columns(path: Path, scratch: Path) -> list[str]:
    connection = connect(scratch)
    try:
        return text_columns(connection, path)
    finally:
        connection.close()
