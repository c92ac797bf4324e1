"""One version of a model: its bundle, where it came from, and its role."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.bundle_record import read_record
from clv_core.errors import Message, Refused
from clv_core.evaluation import Trust

Role = Literal["champion", "challenger", ""]
Source = Literal["trained", "imported", "found"]

QUERY: Final = """
    SELECT versions.*, names.champion, names.challenger, models_folder() AS models
    FROM versions JOIN names USING (name)
"""


@dataclass(frozen=True)
class Version:
    """A registered bundle.

    Args:
        name: of the model; the dataset's name by default.
        number: 1, 2, ...; never used twice.
        bundle: the bundle's id, its folder under ``models/``.
        digest: content address, 64 hexadecimal digits.
        registered: ISO time in UTC.
        source: ``trained`` here, ``imported``, or ``found`` on disk.
        role: ``champion``, ``challenger`` or empty.
        archived: whether it is no longer offered.
        backup: content of ``bundle.json`` when it was registered: lists show a damaged bundle by it.
        folder: the bundle's folder.
    """

    name: str
    number: int
    bundle: str
    digest: str
    registered: str
    source: Source
    role: Role
    archived: bool
    backup: str
    folder: Path

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """Return the version of a row of :data:`QUERY`."""
        number = int(row["number"])
        role: Role = "champion" if number == row["champion"] else "challenger" if number == row["challenger"] else ""
        return cls(
            name=row["name"],
            number=number,
            bundle=row["bundle"],
            digest=row["digest"],
            registered=row["registered"],
            source=row["source"],
            role=role,
            archived=bool(row["archived"]),
            backup=row["record"],
            folder=Path(row["models"], row["bundle"]),
        )

    @cached_property
    def record(self) -> dict[str, Any]:
        """The record in ``bundle.json``, read on first use; the backup where that is damaged or missing."""
        try:
            record = read_record(self.folder)
        except Refused:
            record = {}
        if record.get("digest") != self.digest:
            record = json.loads(self.backup)
        return {**record, "dataset": {**record["dataset"], "name": self.name}}

    @property
    def data_hash(self) -> str:
        """Content hash of the dataset version that it was trained on."""
        return str(self.record["dataset"]["version"])

    @property
    def trust(self) -> Trust:
        """The verdict of its training."""
        return Trust.from_json(self.record["trust"])

    @property
    def untrained(self) -> bool:
        """Whether it is the pre-trained network, which has learned nothing from the log."""
        return bool(self.record.get("untrained"))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary of the facts that lists of versions show."""
        record = self.record
        kept = ("created", "dataset", "cutoff", "horizon_days")
        return {
            "name": self.name,
            "version": self.number,
            "model": self.bundle,
            "role": self.role,
            "archived": self.archived,
            "kind": record["model"],
            "digest": self.digest,
            "source": self.source,
            "registered": self.registered,
            **{name: record[name] for name in kept},
            "currency": record.get("currency", ""),
            "trust": record["trust"]["verdict"],
            "metrics": record.get("metrics", {}),
            "cost": record.get("actual", {}),
        }


@dataclass(frozen=True)
class Served:
    """A version whose files all passed their checksums.

    Args:
        version: the champion, or the one that is served in place of a damaged champion.
        bundle: its files; each is checked again as it is read.
        warnings: empty for the champion.
    """

    version: Version
    bundle: Bundle
    warnings: tuple[Message, ...] = ()
