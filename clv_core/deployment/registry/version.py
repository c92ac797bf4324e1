"""One version of a model: which bundle it is, where it came from, and whether it speaks."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

from clv_core.deployment.record import read_record
from clv_core.errors import Refused
from clv_core.evaluation.trust import Trust

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
        name: what it is a version of; the dataset's name by default.
        number: 1, 2, ...; never given twice.
        bundle: the bundle's id, its folder under ``models/``.
        digest: content address, 64 hexadecimal digits.
        registered: ISO time in UTC.
        source: ``trained`` here, ``imported``, or ``found`` on disk.
        role: ``champion``, ``challenger`` or empty.
        archived: whether it is kept but no longer offered.
        text: what ``bundle.json`` said when it was registered, as JSON.
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
    text: str
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
            text=row["record"],
            folder=Path(row["models"], row["bundle"]),
        )

    @cached_property
    def record(self) -> dict[str, Any]:
        """What ``bundle.json`` says, or where it is damaged or gone, what it said when it was registered.

        It is read when it is asked for, as lists are long.
        """
        try:
            found = read_record(self.folder)
        except Refused:
            found = {}
        if found.get("digest") != self.digest or "seal" not in found:
            found = json.loads(self.text)
        return {**found, "dataset": {**found["dataset"], "name": self.name}}

    @property
    def data_hash(self) -> str:
        """Content hash of the dataset version that it was trained on."""
        return str(self.record["dataset"]["version"])

    @property
    def trust(self) -> Trust:
        """The verdict of its training."""
        return Trust.of(self.record["trust"])

    @property
    def untrained(self) -> bool:
        """Whether it is a first look, which has learned nothing from the log."""
        return bool(self.record.get("untrained"))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary of what tells versions apart."""
        record = self.record
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
            "created": record["created"],
            "dataset": record["dataset"],
            "cutoff": record["cutoff"],
            "horizon_days": record["horizon_days"],
            "currency": record.get("currency", ""),
            "trust": record["trust"]["verdict"],
            "metrics": record.get("metrics", {}),
            "cost": record.get("actual", {}),
        }
