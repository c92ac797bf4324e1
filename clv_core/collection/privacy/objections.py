"""Who objected to profiling, and the datasets without them, which is all that models, scores and plans read.

``objections/list.jsonl`` is a list as the do-not-contact list is one: by id, e-mail or phone number, and naming nobody.
:func:`without_objected` makes the dataset that the steps from training on take, as if the log had no row of theirs; its
days, counts and end are those of the rows that are left. It is a folder beside the versions, with a version of its own
that differs with who objected, so that what was made before is out of date:

datasets/<name>/<its version>/     events.parquet, customers.parquet, view.json (its manifest)
objections/<its version>.json      the version that it was made from, and keyed hashes of who is not in it; stays for
                                   as long as a model may have been trained on it

Data pages, and sums of the past, are of the version with everybody.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd
import pyarrow as pa

from clv_core.collection.customers import recount
from clv_core.collection.engine import connect, connect_memory, file_text, local_time, name, one, text
from clv_core.collection.privacy.keyed_list import HASHES, KeyedList
from clv_core.collection.privacy.suppression_list import SuppressionList, marks_of
from clv_core.collection.rows.log_loader import ORDERED_ROWS
from clv_core.collection.rows.log_summary import summarize
from clv_core.collection.store.dataset import CUSTOMERS, EVENTS, Dataset
from clv_core.collection.store.manifest import Manifest
from clv_core.collection.store.version_store import MANIFEST, OBJECTIONS, VERSION, version_of, versions
from clv_core.collection.vocabulary.column_names import EMAIL, PHONE, contact_field
from clv_core.columns import BY_NAME, CUSTOMER_ID, EVENT_TIME
from clv_core.errors import NotEnoughData, Refused
from clv_core.jobs import NoProgress
from clv_core.scratch import READING, own_folder
from clv_core.workspace import Workspace, read_json, sync_all, write_json

FILE: Final = f"{OBJECTIONS}/list.jsonl"
PURPOSE: Final = "clv studio objections to profiling"
VIEW: Final = "view.json"
PARENT: Final = "parent"


@dataclass(frozen=True)
class _Objecting:
    """Who objects in one version of a dataset.

    Args:
        version: of the dataset without them.
        hashes: of each of them, on the list's key, by id.
        first: local date of each one's first event, by id; some are in the customers table alone.
    """

    version: str
    hashes: dict[str, str]
    first: dict[str, date]


NOBODY: Final = _Objecting("", {}, {})


def objection_list(workspace: Workspace, dataset: Dataset | None = None) -> SuppressionList:
    """Return the list of those who objected to profiling.

    Args:
        workspace: whose.
        dataset: whose customers table has addresses; None: customers are recognised by id alone.

    Raises:
        Refused: there is a list, and the key that it was made with is missing.
    """
    return SuppressionList.read(_people(workspace), dataset)


def without_objected(workspace: Workspace, dataset: Dataset) -> Dataset:
    """Return a dataset as models read it: without the rows of those who objected; itself where nobody of it did.

    It is made at the first use after the list or the dataset has changed.

    Args:
        workspace: whose list counts.
        dataset: a version with everybody.

    Raises:
        NotEnoughData: everybody objected.
        Refused: the list's key is missing, or the dataset cannot be made, as in a read-only workspace.
    """
    if not written_at(workspace) or dataset.version_with_all is not None:
        return dataset
    objecting = _objecting(workspace, dataset)
    if not objecting.hashes:
        return dataset
    folder = dataset.folder.parent / objecting.version
    if not (folder / VIEW).exists():
        _make(workspace, dataset, objecting, folder)
    manifest = Manifest.from_json(read_json(folder / VIEW))
    return Dataset(folder, dataclasses.replace(manifest, name=dataset.name), dataset)


def written_at(workspace: Workspace) -> int:
    """Return when the list was written last, in nanoseconds; 0 where there is none. For caches."""
    file = _people(workspace).file
    return file.stat().st_mtime_ns if file.exists() else 0


def has_objected(workspace: Workspace, dataset: Dataset, customer: str) -> bool:
    """Return whether a customer objected to profiling: by the id, or by an address that the dataset has of it."""
    version = dataset.with_all
    listed = objection_list(workspace, version)
    return bool(listed.hashes) and (customer in _objecting(workspace, version).hashes or listed.holds(customer))


def objected_ids(workspace: Workspace, dataset: Dataset) -> frozenset[str]:
    """Return the ids of those in a dataset who objected to profiling."""
    return frozenset(_objecting(workspace, dataset.with_all).hashes) if written_at(workspace) else frozenset()


def learned_from(workspace: Workspace, dataset: str, version: str, cutoff: date) -> int:
    """Return how many of those who object now a model was trained with: those with an event before its cutoff.

    Args:
        workspace: whose list counts.
        dataset: that the model was trained on, by name.
        version: that it was trained on.
        cutoff: first day that it has not seen.
    """
    if not _people(workspace).file.exists():
        return 0
    record = workspace.place(OBJECTIONS) / f"{version}.json"
    absent = set(read_json(record)[HASHES]) if record.exists() else set()
    learned: set[str] = set()
    for stored in versions(workspace, dataset):
        objecting = _objecting(workspace, stored)
        present = (customer for customer, hashed in objecting.hashes.items() if hashed not in absent)
        learned |= {customer for customer in present if objecting.first.get(customer, date.max) < cutoff}
    return len(learned)


def version_without(workspace: Workspace, dataset: Dataset) -> str:
    """Return the version of :func:`without_objected`, whether it is made yet or not; "" where nobody objected."""
    return _objecting(workspace, dataset.with_all).version


def versions_in_use(workspace: Workspace, dataset: Dataset) -> frozenset[str]:
    """Return the versions from which results of today are made: a dataset's own, and the one without who objected."""
    return frozenset({dataset.version, version_without(workspace, dataset)} - {""})


def made_without(workspace: Workspace, dataset: str) -> list[Path]:
    """Return the folders of datasets without those who objected, of all versions of a dataset and lists so far."""
    return sorted(path.parent for path in workspace.place("datasets", dataset).glob(f"*/{VIEW}"))


def _people(workspace: Workspace) -> KeyedList:
    return KeyedList(workspace, FILE, PURPOSE, marks_of)


def _objecting(workspace: Workspace, dataset: Dataset) -> _Objecting:
    """Return who of a version objects: whoever is recognised in any version of the dataset, by id or by an address."""
    listed = objection_list(workspace)
    if not listed.hashes:
        return NOBODY
    about = listed.people.file.stat()
    written = about.st_ino, about.st_mtime_ns
    manifests = [path for path in dataset.folder.parent.glob(f"*/{MANIFEST}") if VERSION.fullmatch(path.parent.name)]
    parts = (_recognised(workspace, path.parent, written, path.stat().st_mtime_ns) for path in sorted(manifests))
    return _present(listed.people, dataset.folder, written, dataset.manifest.created, frozenset[str]().union(*parts))


@lru_cache(maxsize=64)
def _recognised(
    workspace: Workspace,
    folder: Path,
    written: tuple[int, int],  # noqa: ARG001 - part of the key
    made: int,  # noqa: ARG001 - part of the key
) -> frozenset[str]:
    """Return the ids in a stored version that are on the list, or whose addresses in it are."""
    dataset = Dataset(folder, Manifest.from_json(read_json(folder / MANIFEST)))
    listed = objection_list(workspace, dataset)
    with connect_memory() as connection:
        return frozenset(customer for path in _files(folder) for customer in _hidden(connection, listed, path))


@lru_cache(maxsize=64)
def _present(
    people: KeyedList,
    folder: Path,
    written: tuple[int, int],  # noqa: ARG001 - part of the key
    created: str,  # noqa: ARG001 - part of the key
    ids: frozenset[str],
) -> _Objecting:
    """Return who of some customers is in a stored version."""
    manifest = Manifest.from_json(read_json(folder / MANIFEST))
    with connect_memory() as connection:
        connection.register("objected", pa.table({"id": pa.array(sorted(ids), pa.string())}))
        rows = [f"FROM {file_text(path)} WHERE {CUSTOMER_ID} IN (SELECT id FROM objected)" for path in _files(folder)]
        every = [connection.execute(f"SELECT DISTINCT {CUSTOMER_ID} {part}").fetchall() for part in rows]
        day = f"{local_time(f'min({EVENT_TIME})', manifest.timezone)}::DATE"
        first = dict(connection.execute(f"SELECT {CUSTOMER_ID}, {day} {rows[0]} GROUP BY 1").fetchall())
    present = sorted({str(row[0]) for part in every for row in part})
    hashes = {customer: people.hashes_of(customer)[0] for customer in present}
    return _Objecting(version_of(manifest.version, "without", sorted(hashes.values())) if hashes else "", hashes, first)


def _files(folder: Path) -> list[Path]:
    """Return the tables of a version that name its customers, the events first."""
    return [folder / EVENTS, *(path for path in [folder / CUSTOMERS] if path.exists())]


def _hidden(connection: duckdb.DuckDBPyConnection, listed: SuppressionList, path: Path) -> set[str]:
    """Return the ids in a Parquet file of those who are on a list: by id, or by an address in one of its rows."""
    columns = [str(row[0]) for row in connection.execute(f"DESCRIBE FROM {file_text(path)}").fetchall()]
    fields = {column: contact_field(column) for column in columns if column not in BY_NAME}
    selected = [f"{name(column)}::VARCHAR AS {field}" for column, field in fields.items() if field in (EMAIL, PHONE)]
    found: set[str] = set()
    for cell in selected or [""]:
        query = f"SELECT DISTINCT {', '.join(filter(None, [CUSTOMER_ID, cell]))} FROM {file_text(path)}"
        rows: pd.DataFrame = connection.execute(query).df()
        found |= set(rows.loc[listed.hides(rows).to_numpy(), CUSTOMER_ID].astype("str"))
    return found


def _make(workspace: Workspace, dataset: Dataset, objecting: _Objecting, target: Path) -> None:
    """Write a dataset without some customers; of two processes that do at once, the first one's stays."""
    if not os.access(target.parent, os.W_OK):
        raise Refused("objections_unwritten", name=dataset.name, path=str(target.parent))
    home = Workspace(target.parents[2])  # on the disk of the dataset, which may be a temporary one
    with own_folder(home, "datasets", READING) as scratch, connect(scratch) as connection:
        made = scratch / target.name
        made.mkdir()
        ids = pa.table({"id": pa.array(sorted(objecting.hashes), pa.string())})
        connection.register("objected", ids)
        is_ordered = dataset.manifest.rows_kept <= ORDERED_ROWS
        connection.execute(f"SET preserve_insertion_order = {str(is_ordered).lower()}")
        for file in (EVENTS, CUSTOMERS):
            if (dataset.folder / file).exists():
                rest = f"FROM {file_text(dataset.folder / file)} WHERE {CUSTOMER_ID} NOT IN (SELECT id FROM objected)"
                connection.execute(f"COPY ({rest}) TO {text(str(made / file))} (FORMAT parquet)")
        if one(connection, f"SELECT count(*) FROM {file_text(made / EVENTS)}")[0] == 0:
            raise NotEnoughData("objected_all", name=dataset.name, customers=len(objecting.hashes))
        manifest = dataset.manifest
        recorded = summarize(connection, made / EVENTS, manifest.timezone, NoProgress()).recorded()
        table = manifest.customers_table
        if table is not None:
            table = recount(made / CUSTOMERS, made / EVENTS, table)
        manifest = dataclasses.replace(manifest, **recorded, version=target.name, customers_table=table)
        write_json(made / VIEW, manifest.to_json())
        hashes = sorted(objecting.hashes.values())
        write_json(workspace.folder(OBJECTIONS) / f"{target.name}.json", {PARENT: dataset.version, HASHES: hashes})
        sync_all(made)
        try:
            os.replace(made, target)
        except OSError:
            if not (target / VIEW).exists():
                raise
