"""The cube of a dataset version: summed once from the log, small enough that every view is a query of a moment.

In ``made/<version>/explored/`` of the dataset's folder: ``cube.json`` (:class:`Cube`), and the relations of
:mod:`clv_core.features.explore.relations` as Parquet: folders of files in order of customer, or one file. Customers are
numbers here; no id enters the cube.
"""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

from clv_core.collection.store.dataset import MADE, Dataset
from clv_core.workspace import Workspace, read_json

RECORD: Final = "cube.json"
FORMAT: Final = 1
"""Raised when the relations change; a cube of another format is made anew."""

OPTIONS: Final = 200
"""Most channels or countries to choose from: the most frequent ones."""


@dataclass(frozen=True)
class Cube:
    """One dataset version, summed.

    Args:
        folder: where the relations are.
        dataset: the dataset's name.
        version: the dataset's version.
        currency: of all amounts; may be empty.
        start: local date of the first event.
        end: first local midnight after the last event.
        customers: distinct customers.
        events: rows of the log.
        channels: the log's channels, the most frequent first; empty where it has no such column.
        countries: the same of countries.
        has: what the log holds, of ``view, cart, purchase, return, rating, category``.
    """

    folder: Path
    dataset: str
    version: str
    currency: str
    start: date
    end: date
    customers: int
    events: int
    channels: tuple[str, ...]
    countries: tuple[str, ...]
    has: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary for :data:`RECORD`."""
        values = dataclasses.asdict(self) | {"start": self.start.isoformat(), "end": self.end.isoformat()}
        return {"format": FORMAT, **{name: value for name, value in values.items() if name != "folder"}}

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the cube in ``folder``; None where there is none, or one of another format."""
        path = folder / RECORD
        values = read_json(path) if path.is_file() else {}
        if values.pop("format", None) != FORMAT:
            return None
        days = {name: date.fromisoformat(values[name]) for name in ("start", "end")}
        lists = {name: tuple(values[name]) for name in ("channels", "countries", "has")}
        return cls(folder=folder, **(values | days | lists))


def cube_folder(dataset: Dataset) -> Path:
    """Return where the cube of a dataset version lives; nothing is made."""
    return dataset.made_folder / "explored"


def find_cube(dataset: Dataset) -> Cube | None:
    """Return the cube of a dataset version, None where it has not been made."""
    return Cube.read(cube_folder(dataset))


def drop_cubes(workspace: Workspace, name: str, keep: str = "") -> int:
    """Remove the cubes of the dataset ``name``, all but the version ``keep``, and return how many there were."""
    folders = workspace.place("datasets", name, MADE).glob("*/explored")
    found = [path for path in folders if path.parent.name != keep]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return len(found)
