"""One version of a model: its bundle, where it came from, and its role; and the comparison of two.

Two versions are compared by their settings and metrics, and by whether one is significantly better.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

import pandas as pd

from clv_core.config import TrainConfig
from clv_core.deployment.bundle import RECORD, Bundle, read_record
from clv_core.deployment.model_record import ModelRecord
from clv_core.errors import Message, Refused
from clv_core.evaluation import METRICS, Bootstrap, Estimate, Trust, with_role

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


TESTED: Final = with_role("versions")
"""Order, level and size: the three figures whose difference is tested."""
_IGNORED: Final = ("processes", "device")


@dataclass(frozen=True)
class Comparison:
    """Two versions of a name.

    Args:
        one: the first.
        other: the second.
        facts: ``(fact, of one, of the other)`` where they differ: data, cutoff, horizon, kind, code.
        settings: ``(setting, of one, of the other)`` where they differ.
        metrics: ``(metric, of one, of the other)``, on the holdout of each.
        advantage: by how much ``one`` is better, paired over the same customers, by metric; empty where the two were
            not measured on the same customers at the same origin and horizon.
    """

    one: Version
    other: Version
    facts: tuple[tuple[str, Any, Any], ...]
    settings: tuple[tuple[str, Any, Any], ...]
    metrics: tuple[tuple[str, float | None, float | None], ...]
    advantage: dict[str, Estimate]

    def better(self, metric: str) -> Version | None:
        """Return the version that is significantly better, None where neither is."""
        advantage = self.advantage.get(metric)
        if advantage is None or advantage.low <= 0 <= advantage.high:
            return None
        return self.one if advantage.value > 0 else self.other

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {
            "one": self.one.to_json(),
            "other": self.other.to_json(),
            "facts": _pairs(self.facts),
            "settings": _pairs(self.settings),
            "metrics": _pairs(self.metrics),
            "advantage": {name: asdict(estimate) for name, estimate in self.advantage.items()},
        }


def compare(one: Version, other: Version, bundles: tuple[Bundle, Bundle]) -> Comparison:
    """Compare two versions.

    Args:
        one: the first.
        other: the second.
        bundles: theirs, to read the holdouts from.

    Raises:
        Refused: a holdout was changed on disk.
    """
    a, b = one.record, other.record
    facts = [
        ("data", one.data_hash, other.data_hash),
        ("cutoff", a.cutoff.isoformat(), b.cutoff.isoformat()),
        ("horizon", a.horizon_days, b.horizon_days),
        ("kind", a.model, b.model),
        ("code", a.code_version, b.code_version),
    ]
    keys = [key for key in dict.fromkeys([*a.config, *b.config]) if key not in ("model", "horizon_days")]
    defaults = TrainConfig().to_json()  # of settings that are newer than a version
    values = [[record.config.get(key, defaults.get(key)) for key in keys] for record in (a, b)]
    settings = [item for item in zip(keys, *values, strict=True) if item[0] not in _IGNORED]
    first, second = a.metrics, b.metrics
    return Comparison(
        one=one,
        other=other,
        facts=tuple(item for item in facts if item[1] != item[2]),
        settings=tuple(item for item in settings if item[1] != item[2]),
        metrics=tuple((name, first.get(name), second.get(name)) for name in METRICS if name in {*first, *second}),
        advantage=_advantage(*(bundle.holdout(bundle.record.model) for bundle in bundles)),
    )


def _advantage(one: pd.DataFrame | None, other: pd.DataFrame | None) -> dict[str, Estimate]:
    """Return by how much ``one`` is better on the same customers; nothing where they are not the same."""
    if one is None or other is None:
        return {}
    keys = ["customer_id", "origin", "horizon_days", "actual"]
    facts = [frame[keys].sort_values("customer_id", ignore_index=True) for frame in (one, other)]
    if not facts[0].equals(facts[1]):
        return {}
    stacked = pd.concat([one.assign(model="one"), other.assign(model="other")], ignore_index=True)
    bootstrap, origin = Bootstrap.of(stacked, TESTED), str(one["origin"].iloc[0])
    measured = [name for name in TESTED if {(origin, model, name) for model in ("one", "other")} <= {*bootstrap.values}]
    return {name: bootstrap.advantage("one", "other", name) for name in measured}


def _pairs(rows: tuple[tuple[str, Any, Any], ...]) -> dict[str, list[Any]]:
    return {name: [one, other] for name, one, other in rows}
