"""The dataset: an event log in canonical columns as Parquet, with a manifest that says what was understood.

In ``workspace/datasets/<name>/``: ``current.json`` names the version; ``<version>/events.parquet`` holds the kept rows
(event_time in UTC), ``<version>/set_aside.parquet`` the others as they were read with line and reason,
``<version>/customers.parquet`` the customers table if there is one, ``<version>/manifest.json`` the :class:`Manifest`.
A version is never changed: whatever is done to a dataset makes a new one, and the old ones can be returned to.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

import ibis
import ibis.expr.datatypes as dt

from clv_core.columns import COLUMNS, EVENT_TIME, Kind
from clv_core.errors import Message, NotFound
from clv_core.workspace import Workspace, atomic_path, check_name, read_json, write_json

EVENTS: Final = "events.parquet"
SET_ASIDE: Final = "set_aside.parquet"
CUSTOMERS: Final = "customers.parquet"
MANIFEST: Final = "manifest.json"
CURRENT: Final = "current.json"
VERSION: Final = re.compile(r"[0-9a-f]{12}")
TYPES: Final = {Kind.TEXT: "string", Kind.TIME: "timestamp", Kind.NUMBER: "float64"}


@dataclass(frozen=True)
class Manifest:
    """What a dataset is, and what became of every row of its source.

    Args:
        name: the dataset's name.
        version: content hash of the events and of how they were read, 12 hex digits.
        created: when it was stored, ISO UTC.
        source: the file's name.
        timezone: IANA name of the log's time zone.
        currency: what the amounts are in, as the person or the file said it; may be empty.
        columns: columns of the Parquet file: canonical ones, then extras as text.
        mapping: canonical name -> name in the source.
        rows_read: kept + set aside + duplicate.
        rows_kept: rows in the Parquet file.
        rows_set_aside: rows that could not be used, kept beside it with line and reason.
        rows_duplicate: exact repetitions that were dropped, among them rows that an appended file shares with the log.
        customers: distinct customers.
        purchases: purchase rows.
        first_event: earliest event, ISO UTC.
        last_event: latest event, ISO UTC.
        log_start: local date of the first event, ISO.
        log_end: first local midnight after the last event, ISO.
        net_revenue: sum of purchase and return amounts, to the cent.
        event_types: rows by event type.
        warnings: ``{code, params}`` of each warning.
        made: how this version came about: ``ingest``, ``append``, ``combine``, ``clean``, ``customers`` or ``erase``.
        parent: the version that it was made from; empty for a first one.
        raw_version: where cleaning rules are on, the version without any; empty otherwise.
        rules: the cleaning rules that are on, by id, each with its limit (None where it has none).
        parts: one entry a file (or combined dataset): ``{source, rows_read, rows_kept, rows_set_aside, rows_duplicate,
            rows_overlap}``, the last being those of the duplicates that an earlier part holds already; also what the
            file itself has shown or the person said: ``{date_order, decimal}``, each empty where it did not matter.
        answers: what the person said about the file, as :class:`~clv_core.collection.profile.Answers` takes it, so
            that the next file of the same shape is read alike.
        pseudonymised: whether ids and contact fields are keyed hashes (:mod:`clv_core.collection.pseudonyms`).
        key_fingerprint: tells the key of these hashes from others, and nothing else of it; empty where there is none.
        customers_table: what the customers table holds (:mod:`clv_core.collection.customers`), or None.
        sampled: where the log is a sample of a larger one's customers, ``{customers, events, fraction}``: how many the
            larger one has, and the share of its customers that was taken, by a hash of their ids; else None.
    """

    name: str
    version: str
    created: str
    source: str
    timezone: str
    currency: str
    columns: list[str]
    mapping: dict[str, str]
    rows_read: int
    rows_kept: int
    rows_set_aside: int
    rows_duplicate: int
    customers: int
    purchases: int
    first_event: str
    last_event: str
    log_start: str
    log_end: str
    net_revenue: float
    event_types: dict[str, int]
    warnings: list[dict[str, Any]] = field(default_factory=list)
    made: str = "ingest"
    parent: str = ""
    raw_version: str = ""
    rules: dict[str, float | None] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    pseudonymised: bool = False
    key_fingerprint: str = ""
    customers_table: dict[str, Any] | None = None
    sampled: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the manifest of :meth:`to_json`'s dictionary; keys of later versions are left out."""
        known = {item.name for item in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})

    @property
    def messages(self) -> tuple[Message, ...]:
        """The warnings as messages."""
        return tuple(Message(item["code"], item["params"]) for item in self.warnings)


@dataclass(frozen=True)
class Dataset:
    """One stored version of a log.

    Args:
        folder: the version's folder.
        manifest: its manifest.
    """

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """The content hash."""
        return self.manifest.version

    @property
    def events_path(self) -> Path:
        """The Parquet file of kept rows."""
        return self.folder / EVENTS

    @property
    def set_aside_path(self) -> Path:
        """The Parquet file of rows set aside."""
        return self.folder / SET_ASIDE

    @property
    def customers_path(self) -> Path:
        """The Parquet file of the customers table; it exists where ``manifest.customers_table`` is not None."""
        return self.folder / CUSTOMERS

    @property
    def log_start(self) -> date:
        """Local date of the first event."""
        return date.fromisoformat(self.manifest.log_start)

    @property
    def log_end(self) -> date:
        """First local midnight after the last event."""
        return date.fromisoformat(self.manifest.log_end)

    def events(self, connection: ibis.BaseBackend, *, numbered: bool = False) -> ibis.Table:
        """Return all kept rows with every canonical column, then the extras; nothing is read yet.

        Args:
            connection: an Ibis DuckDB connection.
            numbered: whether ``file_row_number``, the rows' place in the file, is among the extras.

        Returns:
            Text columns as string, numbers as float64, ``event_time`` as a naive timestamp in the log's time zone;
            columns that the log has not are NULL.
        """
        stored = connection.read_parquet(self.events_path, file_row_number=numbered)
        columns = {}
        for column in COLUMNS:
            kind = TYPES[column.kind]
            value = stored[column.name] if column.name in stored.columns else ibis.null(kind)
            if column.name == EVENT_TIME and self.manifest.timezone != "UTC":
                value = timezone(self.manifest.timezone, timezone("UTC", value))
            columns[column.name] = value.cast(kind)
        extras = {name: stored[name] for name in stored.columns if name not in columns}
        return stored.select(**columns, **extras)


def _timezone(zone: str, time: Any) -> Any:
    """Move a time between its naive and its zoned form (the function of this name in DuckDB and PostgreSQL)."""


timezone = ibis.udf.scalar.builtin(_timezone, name="timezone", signature=((dt.string, dt.timestamp), dt.timestamp))


def list_datasets(workspace: Workspace) -> list[Dataset]:
    """Return the current version of each dataset, by name."""
    folders = sorted(path.parent for path in workspace.datasets.glob(f"*/{CURRENT}"))
    return [_current(folder) for folder in folders]


def open_dataset(workspace: Workspace, name: str) -> Dataset:
    """Return the current version of the dataset ``name``.

    Raises:
        NotFound: there is none; the error names those that there are.
    """
    folder = workspace.datasets / check_name(name)
    if not (folder / CURRENT).exists():
        known = ", ".join(dataset.name for dataset in list_datasets(workspace))
        raise NotFound("no_dataset", name=name, known=known or "-")
    return _current(folder)


def versions(workspace: Workspace, name: str) -> list[Dataset]:
    """Return all versions of the dataset ``name``, the newest first.

    Raises:
        NotFound: there is no such dataset.
    """
    folder = open_dataset(workspace, name).folder.parent
    found = [_version(path.parent) for path in folder.glob(f"*/{MANIFEST}") if VERSION.fullmatch(path.parent.name)]
    return sorted(found, key=lambda item: (item.manifest.created, _written(item)), reverse=True)


def version_of(*meaning: Any) -> str:
    """Return a version's name: a hash of all that gives it meaning (texts, numbers, lists), 12 hex digits."""
    return hashlib.sha256(repr(meaning).encode()).hexdigest()[:12]


def restore(workspace: Workspace, name: str, version: str) -> Dataset:
    """Make an earlier version of the dataset ``name`` the current one again; no version is lost.

    Raises:
        NotFound: there is no such dataset or version.
    """
    known = {item.version: item for item in versions(workspace, name)}
    if version not in known:
        raise NotFound("no_version", name=name, version=version[:40], known=", ".join(known))
    write_json(known[version].folder.parent / CURRENT, {"version": version})
    return known[version]


def save_dataset(
    workspace: Workspace, manifest: Manifest, events: Path, set_aside: Path, customers: Path | None = None
) -> Dataset:
    """Store a version and make it the current one; the Parquet files are moved in.

    A crash leaves the dataset as it was: the version's folder appears whole, and only then does ``current.json`` turn.
    """
    files = {EVENTS: events, SET_ASIDE: set_aside} | ({CUSTOMERS: customers} if customers else {})
    return _save(workspace.datasets / check_name(manifest.name), manifest, files, {})


def derive(dataset: Dataset, manifest: Manifest, **files: Path) -> Dataset:
    """Store a new version of a dataset and make it the current one.

    Args:
        dataset: the version that it is made from.
        manifest: of the new version.
        files: ``events``, ``set_aside``, ``customers``: Parquet files that are new, moved in; those not named are
            shared with ``dataset``, on disk too.
    """
    return _derive(dataset, manifest, files, turn=True)


def derive_aside(dataset: Dataset, manifest: Manifest, **files: Path) -> Dataset:
    """Store a new version as :func:`derive` does, without making it the current one."""
    return _derive(dataset, manifest, files, turn=False)


def _derive(dataset: Dataset, manifest: Manifest, files: Mapping[str, Path], *, turn: bool) -> Dataset:
    names = {"events": EVENTS, "set_aside": SET_ASIDE, "customers": CUSTOMERS}
    new = {names[key]: path for key, path in files.items()}
    wanted = [EVENTS, SET_ASIDE] + ([CUSTOMERS] if manifest.customers_table is not None else [])
    shared = {name: dataset.folder / name for name in wanted if name not in new}
    return _save(dataset.folder.parent, manifest, new, shared, turn=turn)


def _save(
    folder: Path, manifest: Manifest, new: Mapping[str, Path], shared: Mapping[str, Path], *, turn: bool = True
) -> Dataset:
    version, made = folder / manifest.version, folder / f"{manifest.version}.new"
    shutil.rmtree(made, ignore_errors=True)
    with atomic_path(made) as temporary:
        temporary.mkdir()
        for name, path in new.items():
            shutil.move(path, temporary / name)
        for name, path in shared.items():
            os.link(path, temporary / name)
        write_json(temporary / MANIFEST, manifest.to_json())
    if version.exists():  # the same rows, read again: its files are replaced one by one, so that it is never gone
        for path in sorted(made.iterdir(), key=lambda item: item.name == MANIFEST):
            os.replace(path, version / path.name)
        shutil.rmtree(made)  # a file that both share on disk is left by its move
    else:
        os.replace(made, version)
    if turn:
        write_json(folder / CURRENT, {"version": manifest.version})
    return Dataset(version, manifest)


def delete_dataset(workspace: Workspace, name: str) -> None:
    """Remove all versions of the dataset ``name``, also of one whose removal was cut off.

    Raises:
        NotFound: there is none.
    """
    folder = workspace.datasets / check_name(name)
    if not folder.is_dir():
        open_dataset(workspace, name)
    (folder / CURRENT).unlink(missing_ok=True)
    shutil.rmtree(folder)


def _current(folder: Path) -> Dataset:
    version = folder / str(read_json(folder / CURRENT)["version"])
    if not VERSION.fullmatch(version.name):
        raise NotFound("no_dataset", name=folder.name, known="-")
    return _version(version)


def _version(folder: Path) -> Dataset:
    """Open a version; the folder says what the dataset is called now, whatever it was called when it was stored."""
    manifest = Manifest.from_json(read_json(folder / MANIFEST))
    return Dataset(folder, dataclasses.replace(manifest, name=folder.parent.name))


def _written(dataset: Dataset) -> int:
    return (dataset.folder / MANIFEST).stat().st_mtime_ns
