"""A dataset without the customers: new versions of what is in use are written, every version that held them goes."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from clv_core.collection.customers import recount
from clv_core.collection.engine import connect_memory, file_text, text
from clv_core.collection.engine import name as quoted
from clv_core.collection.engine import one as one_row
from clv_core.collection.ingest import scratch_folder
from clv_core.collection.privacy.id_matcher import redact_values
from clv_core.collection.privacy.row_erasure import (
    Taken,
    aside_test,
    cells_naming,
    erase_rows,
    set_aside_columns,
    text_columns,
)
from clv_core.collection.privacy.short_ids import OF_OTHERS, short_named
from clv_core.collection.stored.store import (
    MANIFEST,
    VERSION,
    Dataset,
    Manifest,
    delete_dataset,
    derive,
    derive_aside,
    open_dataset,
    version_of,
    versions,
)
from clv_core.columns import CUSTOMER_ID, EVENT_TIME
from clv_core.deployment.artifacts import remove
from clv_core.erasure.data_subjects import DataSubjects, Unsure
from clv_core.features.kept import FOLDER as RELATIONS
from clv_core.jobs import Progress
from clv_core.workspace import Workspace, read_json, write_json

MADE: Final = "erase"


@dataclass(frozen=True)
class Rewritten:
    """What became of a dataset.

    Args:
        name: the dataset.
        destroyed: versions that held the customers.
        version: the version in use now; "" where nobody else was in the dataset, which is gone.
        events: rows taken out of the version that was in use.
        aside: rows taken out of those that were set aside.
        people: rows taken out of its customers table.
    """

    name: str
    destroyed: tuple[str, ...]
    version: str
    events: int = 0
    aside: int = 0
    people: int = 0


def first_events(held: Sequence[Dataset], wanted: DataSubjects) -> dict[str, date]:
    """Return when each of the customers was first seen, in any of a dataset's versions; local dates by id."""
    found: dict[str, date] = {}
    for one in held:
        with connect_memory() as connection:
            connection.register("gone", pa.table({"id": pa.array(sorted(wanted.ids), pa.string())}))
            zone = text(one.manifest.timezone)
            local = f"timezone({zone}, timezone('UTC', min({EVENT_TIME})))::DATE"
            query = (
                f"SELECT {CUSTOMER_ID}, {local} FROM {file_text(one.events_path)}"
                f" WHERE {CUSTOMER_ID} IN (SELECT id FROM gone) GROUP BY 1"
            )
            for customer, day in connection.execute(query).fetchall():
                found[customer] = min(day, found.get(customer, day))
    return found


def holding(workspace: Workspace, name: str, wanted: DataSubjects) -> list[Dataset]:
    """Return the versions of a dataset that hold any of the customers; files that versions share are read once."""
    seen: dict[tuple[int, int], bool] = {}
    found = []
    for one in versions(workspace, name):
        tests = []
        for path in (one.events_path, one.set_aside_path, one.customers_path, one.withdrawn_path):
            if path is not None and path.exists():
                stamp = (path.stat().st_dev, path.stat().st_ino)
                if stamp not in seen:
                    seen[stamp] = _file_holds(path, one.manifest, wanted, aside=path == one.set_aside_path)
                tests.append(seen[stamp])
        if any(tests):
            found.append(one)
    return found


def rewrite(workspace: Workspace, name: str, wanted: DataSubjects, progress: Progress) -> Rewritten | None:
    """Write the dataset anew without the customers and destroy all versions that hold them; None where none does."""
    home = workspace.datasets / name
    held = {one.version: one for one in holding(workspace, name, wanted)}
    current = open_dataset(workspace, name)
    _redact_manifests(workspace, name, wanted, kept=set(held))
    if not held:
        return None
    shutil.rmtree(home / RELATIONS, ignore_errors=True)
    done = Rewritten(name, tuple(held), current.version)
    if current.version in held or current.manifest.raw_version in held:
        raw = current.manifest.raw_version
        if raw in held:
            raw = _written(workspace, held[raw], wanted, "", progress, turn=False)[0].version
        left, taken = _written(workspace, current, wanted, raw, progress, turn=True)
        done = Rewritten(name, tuple(held), left.version, taken.events, taken.aside, taken.people)
        if taken.manifest.rows_kept == 0:
            delete_dataset(workspace, name)
            return dataclasses.replace(done, version="")
    for version in held:
        remove(home / version)
    shutil.rmtree(home / RELATIONS, ignore_errors=True)
    return done


def _written(
    workspace: Workspace, dataset: Dataset, wanted: DataSubjects, raw_version: str, progress: Progress, *, turn: bool
) -> tuple[Manifest, Taken]:
    """Write one version without the customers; return its manifest and what was taken out."""
    with scratch_folder(workspace) as scratch:
        has_table = dataset.manifest.customers_table is not None
        customers = dataset.customers_path if has_table else None
        taken = erase_rows(
            dataset.manifest,
            dataset.events_path,
            dataset.set_aside_path,
            customers,
            wanted.ids,
            scratch,
            progress,
            dataset.withdrawn_path,
        )
        if taken.manifest.rows_kept == 0:
            return taken.manifest, taken
        told = _redacted(taken.manifest.to_json(), wanted)
        manifest = dataclasses.replace(
            Manifest.from_json(told),
            name=dataset.name,
            version=version_of(taken.manifest.version, MADE, raw_version),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            made=MADE,
            parent="",
            raw_version=raw_version,
        )
        if manifest.customers_table is not None:
            people = taken.files.get("customers", dataset.customers_path)
            events = taken.files.get("events", dataset.events_path)
            manifest = dataclasses.replace(manifest, customers_table=recount(people, events, manifest.customers_table))
        (derive if turn else derive_aside)(dataset, manifest, **taken.files)
        return manifest, taken


def _file_holds(path: Path, manifest: Manifest, wanted: DataSubjects, *, aside: bool) -> bool:
    with connect_memory() as connection:
        connection.register("gone", pa.table({"id": pa.array(sorted(wanted.ids), pa.string())}))
        file = file_text(path)
        if aside:
            test = aside_test(connection, path, manifest, wanted.needles, wanted.customers)
            return connection.execute(f"SELECT 1 FROM {file} WHERE {test} LIMIT 1").fetchone() is not None
        test = f"{CUSTOMER_ID} IN (SELECT id FROM gone)"
        if connection.execute(f"SELECT 1 FROM {file} WHERE {test} LIMIT 1").fetchone() is not None:
            return True
        columns = (column for column in text_columns(connection, path) if column != CUSTOMER_ID)
        about = wanted.needles, wanted.customers
        return any(cells_naming(connection, path, one, *about, others=one in OF_OTHERS) for one in columns)


def unsure(workspace: Workspace, name: str, wanted: DataSubjects) -> Iterator[Unsure]:
    """Yield the columns of a dataset's versions in which short ids stand that may mean something else."""
    seen = set()
    for one in versions(workspace, name):
        for path in filter(None, (one.events_path, one.set_aside_path, one.customers_path, one.withdrawn_path)):
            if wanted.needles.short and path.exists() and path.stat().st_ino not in seen:
                seen.add(path.stat().st_ino)
                place = str(path.relative_to(workspace.root))
                yield from _unsure_in(path, one.manifest, wanted, place, aside=path == one.set_aside_path)


def _unsure_in(path: Path, manifest: Manifest, wanted: DataSubjects, place: str, *, aside: bool) -> Iterator[Unsure]:
    with connect_memory() as connection:
        columns = [column for column in text_columns(connection, path) if column != CUSTOMER_ID]
        others = {column: column in OF_OTHERS for column in columns}
        for column, of_others in (set_aside_columns(manifest, columns) if aside else others).items():
            known = short_named(connection, path, column, wanted.needles, wanted.customers, others=of_others)
            if known.unsure:
                connection.register("unsure", pa.table({"cell": pa.array(list(known.unsure), pa.string())}))
                cell = f"{quoted(column)}::VARCHAR"
                query = f"SELECT count(*) FROM {file_text(path)} WHERE {cell} IN (SELECT cell FROM unsure)"
                ids = frozenset[str]().union(*known.unsure.values())
                yield Unsure(place, column, int(one_row(connection, query)[0]), len(ids))


def _redact_manifests(workspace: Workspace, name: str, wanted: DataSubjects, kept: set[str]) -> None:
    """Take examples that name a customer out of the manifests of versions that stay."""
    for path in (workspace.datasets / name).glob(f"*/{MANIFEST}"):
        if VERSION.fullmatch(path.parent.name) and path.parent.name not in kept:
            values = read_json(path)
            said = _redacted(values, wanted)
            if said != values:
                write_json(path, said)


def _redacted(values: dict[str, Any], wanted: DataSubjects) -> dict[str, Any]:
    """Return a manifest without the customers; in what it tells people, examples of cells, short ids go too."""
    said: dict[str, Any] = redact_values(values, wanted.ids, wanted.needles)
    warnings = [{**one, "params": wanted.needles.without_short(one["params"])} for one in said["warnings"]]
    return {**said, "warnings": warnings}
