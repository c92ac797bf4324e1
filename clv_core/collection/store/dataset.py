"""One stored version of a log: its files, its days, and its rows as every reader sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.datatypes as dt

from clv_core.collection.engine import one_file
from clv_core.collection.store.manifest import Manifest
from clv_core.columns import COLUMNS, EVENT_TIME, Kind
from clv_core.errors import NotEnoughData

EVENTS: Final = "events.parquet"
SET_ASIDE: Final = "set_aside.parquet"
CUSTOMERS: Final = "customers.parquet"
VOIDED: Final = "withdrawn.parquet"
MADE: Final = "made"
"""Folder of a dataset that holds what was made from it (:mod:`clv_core.deployment.artifacts`)."""
TYPES: Final = {Kind.TEXT: "string", Kind.TIME: "timestamp", Kind.NUMBER: "float64"}


@dataclass(frozen=True)
class Objected:
    """Who is left out of what models read, because they objected to profiling.

    Args:
        customers: how many of the log.
        net_revenue: what they spent in it.
    """

    customers: int
    net_revenue: float


@dataclass(frozen=True)
class Dataset:
    """One stored version of a log.

    Args:
        folder: the version's folder.
        manifest: its manifest.
        version_with_all: of a dataset without those who objected
            (:func:`~clv_core.collection.privacy.objections.without_objected`), the version with everybody.
    """

    folder: Path
    manifest: Manifest
    version_with_all: Dataset | None = None

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
    def made_folder(self) -> Path:
        """The folder of what was made from this version."""
        return self.folder.parent / MADE / self.version

    @property
    def rejected_path(self) -> Path:
        """The Parquet file of rejected rows."""
        return self.folder / SET_ASIDE

    @property
    def customers_path(self) -> Path:
        """The Parquet file of the customers table; it exists where ``manifest.customers_table`` is not None."""
        return self.folder / CUSTOMERS

    @property
    def with_all(self) -> Dataset:
        """The version with everybody: counts of the past, contacts, consent."""
        return self.version_with_all or self

    @property
    def objected(self) -> Objected:
        """Who is left out of it because they objected to profiling; nobody of a version."""
        everybody, left = self.with_all.manifest, self.manifest
        return Objected(everybody.customers - left.customers, round(everybody.net_revenue - left.net_revenue, 2))

    @property
    def voided_path(self) -> Path | None:
        """The Parquet file of voided orders (:mod:`clv_core.collection.rows.voided_orders`), if there is one."""
        path = self.folder / VOIDED
        return path if path.exists() else None

    @property
    def log_start(self) -> date:
        """Local date of the first event."""
        return date.fromisoformat(self.manifest.log_start)

    @property
    def log_end(self) -> date:
        """First local midnight after the last event."""
        return date.fromisoformat(self.manifest.log_end)

    @property
    def last_day(self) -> date:
        """Local date of the last event."""
        return self.manifest.last_day

    def check_value(self) -> None:
        """Refuse to learn value from a log that has none.

        Raises:
            NotEnoughData: every purchase has an amount of 0.
        """
        if self.manifest.brings_nothing:
            raise NotEnoughData("no_value")

    def events(self, connection: ibis.BaseBackend) -> ibis.Table:
        """Return all kept rows with every canonical column, then the extras; nothing is read yet.

        Args:
            connection: an Ibis DuckDB connection.

        Returns:
            Text columns as string, numbers as float64, ``event_time`` as a naive timestamp in the log's time zone;
            columns that the log has not are NULL.
        """
        return canonical_events(connection.read_parquet(one_file(self.events_path)), self.manifest.timezone)


def canonical_events(stored: ibis.Table, zone: str) -> ibis.Table:
    """Return rows of Parquet files with every canonical column, then the extras; nothing is read yet.

    Args:
        stored: of DuckDB; ``event_time`` is naive, in UTC.
        zone: the log's time zone.

    Returns:
        As :meth:`Dataset.events`.
    """
    columns = {}
    for column in COLUMNS:
        kind = TYPES[column.kind]
        value = stored[column.name] if column.name in stored.columns else ibis.null(kind)
        if column.name == EVENT_TIME and zone != "UTC":
            value = timezone(zone, timezone("UTC", value))
        columns[column.name] = value.cast(kind)
    extras = {name: stored[name] for name in stored.columns if name not in columns}
    return stored.select(**columns, **extras)


@dataclass(frozen=True)
class LogFiles:
    """A log that is not stored yet, or one of several that become one.

    Args:
        manifest: what it is.
        events: Parquet file of its rows.
        rejected: Parquet file of the others.
        voided: of a log with the states of its orders, the voided ones
            (:func:`~clv_core.collection.rows.voided_orders.write_voided`).
    """

    manifest: Manifest
    events: Path
    rejected: Path
    voided: Path | None = None

    @classmethod
    def of(cls, dataset: Dataset) -> LogFiles:
        """Return the files of a stored version."""
        return cls(dataset.manifest, dataset.events_path, dataset.rejected_path, dataset.voided_path)


def _timezone(zone: str, time: Any) -> Any:
    """Move a time between its naive and its zoned form (the function of this name in DuckDB and PostgreSQL)."""


timezone = ibis.udf.scalar.builtin(_timezone, name="timezone", signature=((dt.string, dt.timestamp), dt.timestamp))
