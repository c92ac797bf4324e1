"""One version of a model: its bundle, where it came from, and its role."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.bundle_record import RECORD, read_record
from clv_core.deployment.model_record import ModelRecord
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
    def record(self) -> ModelRecord:
        """The record in ``bundle.json``, read on first use; the backup where that is damaged or missing.

        Raises:
            Refused: this version of the program reads neither.
        """
        with suppress(Refused):
            if (record := read_record(self.folder)).digest == self.digest:
                return record.named(self.name)
        try:
            return ModelRecord.from_json(json.loads(self.backup)).named(self.name)
        except ValueError as error:
            raise Refused("bundle_damaged", model=self.bundle, file=RECORD) from error

    @property
    def is_readable(self) -> bool:
        """Whether this version of the program reads its record: not one that a later version wrote."""
        with suppress(Refused):
            return bool(self.record)
        return False

    @property
    def as_bundle(self) -> Bundle:
        """Its bundle by :attr:`record`; no file of it is checked."""
        return Bundle(self.folder, self.record)

    @property
    def data_hash(self) -> str:
        """Content hash of the dataset version that it was trained on."""
        return self.record.dataset.version

    @property
    def trust(self) -> Trust:
        """The verdict of its training."""
        return self.record.trust

    @property
    def untrained(self) -> bool:
        """Whether it is the pre-trained network, which has learned nothing from the log."""
        return self.is_readable and self.record.untrained

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary of the facts that lists of versions show."""
        facts = self.record.to_json()
        return {
            "name": self.name,
            "version": self.number,
            "model": self.bundle,
            "role": self.role,
            "archived": self.archived,
            "kind": self.record.model,
            "digest": self.digest,
            "source": self.source,
            "registered": self.registered,
            **{name: facts[name] for name in ("created", "dataset", "cutoff", "horizon_days", "currency")},
            "trust": self.record.trust.verdict,
            "metrics": facts["metrics"],
            "cost": facts["actual"],
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
