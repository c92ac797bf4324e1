"""Erases customers from datasets and models, which are never changed in place.

Of a dataset, the version in use is written anew without them, and every version that held them is destroyed. A bundle
is written anew and takes its old name in one transaction of the registry, so that files, checksums, seal and row agree;
its weights, and with them its content address, stay as they are.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from clv_core.collection import connect_memory, file_text, local_time, scratch_folder
from clv_core.collection.customers import recount
from clv_core.collection.privacy import (
    CUSTOMERS,
    EVENTS,
    SET_ASIDE,
    VOIDED,
    ErasedRows,
    LogSearch,
    erase_rows,
    redact_values,
)
from clv_core.collection.store import (
    MANIFEST,
    VERSION,
    Dataset,
    Manifest,
    delete_dataset,
    derive,
    open_dataset,
    version_of,
    versions,
)
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.deployment import (
    FILES,
    LEAVING,
    MODEL_FILES,
    Bundle,
    ModelRecord,
    read_record,
    remove,
    sealed,
    staging,
    with_checksums,
    write_record,
)
from clv_core.deployment.registry import transaction
from clv_core.erasure.certificate import ErasedDataset
from clv_core.erasure.data_subjects import DataSubjects
from clv_core.erasure.file_erasure import erase_from, search
from clv_core.jobs import Progress
from clv_core.records import JsonObject
from clv_core.workspace import Workspace, read_json, sync_all, write_json

MADE: Final = "erase"


def versions_holding(workspace: Workspace, name: str, subjects: DataSubjects) -> list[Dataset]:
    """Return the versions of a dataset that name any of the customers; files that versions share are searched once."""
    hits: dict[tuple[int, int], bool] = {}
    affected = []
    for dataset in versions(workspace, name):
        files = []
        for table, path in _tables(dataset).items():
            files.append((path.stat().st_dev, path.stat().st_ino))
            if files[-1] not in hits:
                with connect_memory() as connection:
                    log = LogSearch(connection, dataset.manifest, subjects.ids, *subjects.customers.logs)
                    hits[files[-1]] = log.holds(table, path)
        if any(hits[file] for file in files):
            affected.append(dataset)
    return affected


def first_events(affected: Sequence[Dataset], subjects: DataSubjects) -> dict[str, date]:
    """Return the local date of each customer's first event in any of a dataset's versions, by id.

    ``erased`` has the ids; the query reads only their events, one row a customer.
    """
    first: dict[str, date] = {}
    for dataset in affected:
        with connect_memory() as connection:
            connection.register("erased", pa.table({"id": pa.array(sorted(subjects.ids), pa.string())}))
            local = f"{local_time(f'min({EVENT_TIME})', dataset.manifest.timezone)}::DATE"
            query = (
                f"SELECT {CUSTOMER_ID}, {local} FROM {file_text(dataset.events_path)}"
                f" WHERE {CUSTOMER_ID} IN (SELECT id FROM erased) GROUP BY 1"
            )
            for customer, day in connection.execute(query).fetchall():
                first[customer] = min(day, first.get(customer, day))
    return first


def rewrite_dataset(
    workspace: Workspace, name: str, affected: Sequence[Dataset], subjects: DataSubjects, progress: Progress
) -> ErasedDataset | None:
    """Write a dataset anew without the customers and destroy the versions that hold them.

    Args:
        workspace: whose.
        name: the dataset.
        affected: :func:`versions_holding` of it.
        subjects: the customers.
        progress: receives the progress.

    Returns:
        ``{name, destroyed, version, events, aside, people}`` for the certificate: the versions destroyed, the one in
        use now ("" where nobody else was in the dataset, which is deleted), and how many rows the one in use before
        has lost: events, rejected rows, rows of its customers table. None where no version holds any of them.
    """
    home, destroyed = workspace.datasets / name, [dataset.version for dataset in affected]
    current = open_dataset(workspace, name)
    for path in home.glob(f"*/{MANIFEST}"):
        if VERSION.fullmatch(path.parent.name) and path.parent.name not in destroyed:
            manifest = read_json(path)
            if (redacted := _redacted(manifest, subjects)) != manifest:
                write_json(path, redacted)
    if not affected:
        return None
    version, rows = current.version, dict[str, int]()
    raw = next((dataset for dataset in affected if dataset.version == current.manifest.raw_version), None)
    if raw is not None or current.version in destroyed:
        raw_version = current.manifest.raw_version
        if raw is not None:
            raw_version = _write(workspace, raw, subjects, "", progress, is_current=False)[0].version
        manifest, erased = _write(workspace, current, subjects, raw_version, progress, is_current=True)
        rows, version = erased.rows, manifest.version if manifest.rows_kept else ""
    if version:
        for old_version in destroyed:
            remove(home / old_version)
    else:
        delete_dataset(workspace, name)
    return ErasedDataset(name, destroyed, version, *(rows.get(file, 0) for file in (EVENTS, SET_ASIDE, CUSTOMERS)))


def count_learned(bundle: Bundle, first_events: Mapping[str, date]) -> int:
    """Return how many of the customers a model learned from: those with an event before its cutoff.

    Args:
        bundle: the model; one that was not trained on the log learned from nobody.
        first_events: date of each customer's first event in the model's dataset.
    """
    if bundle.untrained:
        return 0
    return sum(day < bundle.record.cutoff for day in first_events.values())


def erase_from_bundle(workspace: Workspace, bundle: Bundle, subjects: DataSubjects) -> int | None:
    """Erase customers from a model's files.

    Returns:
        How many rows of its holdout were erased; None where no file names a customer. Files that the model is loaded
        from stay: changing them would make another model of it.

    Raises:
        Refused: the bundle is damaged.
    """
    files = [name for name in FILES if (bundle.folder / name).is_file()]
    named = [name for name in files if search(bundle.folder / name, subjects).named]
    changed = [name for name in named if name not in MODEL_FILES]
    record = read_record(bundle.folder)
    redacted = _redacted_record(record, subjects)
    if redacted == record and not changed:
        _register(workspace, bundle)
        return 0 if named else None
    bundle.check()
    with staging(workspace) as folder:
        for name in files:
            copy = shutil.copyfile if name in changed else os.link
            copy(bundle.folder / name, folder / name)
        rows = sum(erase_from(folder / name, subjects) for name in changed)
        write_record(folder, with_checksums(folder, redacted))
        sync_all(folder)
        leaving = bundle.folder.with_name(f"{LEAVING}{bundle.id}")
        with transaction(workspace, write=True) as connection:
            shutil.rmtree(leaving, ignore_errors=True)
            os.rename(bundle.folder, leaving)
            os.rename(folder, bundle.folder)
            connection.execute("UPDATE versions SET record = ? WHERE bundle = ?", (_record(bundle), bundle.id))
        shutil.rmtree(leaving, ignore_errors=True)
    return rows


def _tables(dataset: Dataset) -> dict[str, Path]:
    """Return the Parquet files of a version."""
    paths = {EVENTS: dataset.events_path, SET_ASIDE: dataset.rejected_path, CUSTOMERS: dataset.customers_path}
    paths |= {VOIDED: dataset.voided_path} if dataset.voided_path else {}
    return {table: path for table, path in paths.items() if path.exists()}


def _write(
    workspace: Workspace,
    dataset: Dataset,
    subjects: DataSubjects,
    raw_version: str,
    progress: Progress,
    *,
    is_current: bool,
) -> tuple[Manifest, ErasedRows]:
    """Write a version without the customers, unless nothing is left; return its manifest and what was erased."""
    with scratch_folder(workspace) as scratch:
        erased = erase_rows(dataset.manifest, _tables(dataset), subjects.ids, scratch, progress)
        if erased.manifest.rows_kept == 0:
            return erased.manifest, erased
        manifest = dataclasses.replace(
            Manifest.from_json(_redacted(erased.manifest.to_json(), subjects)),
            name=dataset.name,
            version=version_of(erased.manifest.version, MADE, raw_version),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            made=MADE,
            parent="",
            raw_version=raw_version,
        )
        if manifest.customers_table is not None:
            files = {**_tables(dataset), **erased.files}
            table = recount(files[CUSTOMERS], files[EVENTS], manifest.customers_table)
            manifest = dataclasses.replace(manifest, customers_table=table)
        derive(dataset, manifest, current=is_current, **erased.files)
        return manifest, erased


def _redacted(manifest: JsonObject, subjects: DataSubjects) -> JsonObject:
    """Return a manifest without the customers; short ids go where it quotes cells, in its warnings."""
    redacted: JsonObject = redact_values(manifest, subjects.ids, subjects.matcher)
    warnings = [
        {**warning, "params": subjects.matcher.without_short(warning["params"])} for warning in redacted["warnings"]
    ]
    return {**redacted, "warnings": warnings}


def _redacted_record(record: ModelRecord, subjects: DataSubjects) -> ModelRecord:
    """Return a model's record without the customers in what it quotes of the log."""
    values = record.to_json()
    quoted = {name: values[name] for name in ("signals", "trust", "warnings")}
    return ModelRecord.from_json(values | redact_values(quoted, subjects.ids, subjects.contact_matcher))


def _register(workspace: Workspace, bundle: Bundle) -> None:
    """Write the record into the registry, where a killed run left an earlier one."""
    with transaction(workspace) as connection:
        row = connection.execute("SELECT record FROM versions WHERE bundle = ?", (bundle.id,)).fetchone()
    if row is not None and json.loads(row[0]) != json.loads(_record(bundle)):
        with transaction(workspace, write=True) as connection:
            connection.execute("UPDATE versions SET record = ? WHERE bundle = ?", (_record(bundle), bundle.id))


def _record(bundle: Bundle) -> str:
    """Return the record on disk, under the dataset's name of today, as the registry keeps it."""
    return sealed(read_record(bundle.folder).named(bundle.record.dataset.name).to_json())
