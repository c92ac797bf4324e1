"""The dataset: an event log in canonical columns as Parquet, with a manifest that says what was understood.

In ``workspace/datasets/<name>/``: ``current.json`` names the version; ``<version>/events.parquet`` holds the kept rows
(event_time in UTC), ``<version>/set_aside.parquet`` the others as they were read with line and reason,
``<version>/manifest.json`` the :class:`Manifest`.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
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
MANIFEST: Final = "manifest.json"
CURRENT: Final = "current.json"
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
        rows_duplicate: exact repetitions that were dropped.
        customers: distinct customers.
        purchases: purchase rows.
        first_event: earliest event, ISO UTC.
        last_event: latest event, ISO UTC.
        log_start: local date of the first event, ISO.
        log_end: first local midnight after the last event, ISO.
        net_revenue: sum of purchase and return amounts, to the cent.
        event_types: rows by event type.
        warnings: ``{code, params}`` of each warning.
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
    def log_start(self) -> date:
        """Local date of the first event."""
        return date.fromisoformat(self.manifest.log_start)

    @property
    def log_end(self) -> date:
        """First local midnight after the last event."""
        return date.fromisoformat(self.manifest.log_end)

    def events(self, connection: ibis.BaseBackend) -> ibis.Table:
        """Return all kept rows with every canonical column, then the extras; nothing is read yet.

        Args:
            connection: an Ibis DuckDB connection.

        Returns:
            Text columns as string, numbers as float64, ``event_time`` as a naive timestamp in the log's time zone;
            columns that the log has not are NULL.
        """
        stored = connection.read_parquet(self.events_path)
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


def save_dataset(workspace: Workspace, manifest: Manifest, events: Path, set_aside: Path) -> Dataset:
    """Store a version and make it the current one; the two Parquet files are moved in.

    A crash leaves the dataset as it was: the version's folder appears whole, and only then does ``current.json`` turn.
    """
    folder = workspace.datasets / check_name(manifest.name)
    version = folder / manifest.version
    shutil.rmtree(version, ignore_errors=True)
    with atomic_path(version) as temporary:
        temporary.mkdir()
        shutil.move(events, temporary / EVENTS)
        shutil.move(set_aside, temporary / SET_ASIDE)
        write_json(temporary / MANIFEST, manifest.to_json())
    write_json(folder / CURRENT, {"version": manifest.version})
    return Dataset(version, manifest)


def delete_dataset(workspace: Workspace, name: str) -> None:
    """Remove all versions of the dataset ``name``.

    Raises:
        NotFound: there is none.
    """
    folder = open_dataset(workspace, name).folder.parent
    (folder / CURRENT).unlink()
    shutil.rmtree(folder)


def _current(folder: Path) -> Dataset:
    version = folder / str(read_json(folder / CURRENT)["version"])
    if not re.fullmatch(r"[0-9a-f]{12}", version.name):
        raise NotFound("no_dataset", name=folder.name, known="-")
    return Dataset(version, Manifest.from_json(read_json(version / MANIFEST)))
