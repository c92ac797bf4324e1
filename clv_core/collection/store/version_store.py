"""The store of datasets: event logs in canonical columns as Parquet, each with a manifest of what was understood.

In ``workspace/datasets/<name>/``: ``current.json`` names the version; ``<version>/events.parquet`` holds the kept rows
(event_time in UTC), ``<version>/set_aside.parquet`` the others as they were read with line and reason,
``<version>/customers.parquet`` the customers table if there is one, ``<version>/withdrawn.parquet`` the orders that its
files call cancelled or refunded if they have the states of orders, ``<version>/manifest.json`` the :class:`Manifest`.
A version never changes: whatever is done to a dataset makes a new one, and the old ones can be returned
to until they are removed; ``removed.json`` then names them. (The same rows, read again, are the same version; its files
are then replaced by equal ones.)
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from clv_core import audit
from clv_core.collection.store.dataset import CUSTOMERS as CUSTOMERS
from clv_core.collection.store.dataset import EVENTS as EVENTS
from clv_core.collection.store.dataset import SET_ASIDE as SET_ASIDE
from clv_core.collection.store.dataset import VOIDED as VOIDED
from clv_core.collection.store.dataset import Dataset as Dataset
from clv_core.collection.store.manifest import Manifest as Manifest
from clv_core.errors import ClvError, NotFound, Refused
from clv_core.locks import changes, changing
from clv_core.workspace import Workspace, atomic_path, check_name, read_json, write_json

MANIFEST: Final = "manifest.json"
CURRENT: Final = "current.json"
REMOVED: Final = "removed.json"
UNFINISHED: Final = (".*.new.*.tmp", "*.new")
"""Folders of a dataset in which :func:`save_dataset` writes a version."""
PARQUET_END: Final = b"PAR1"
VERSION: Final = re.compile(r"[0-9a-f]{12}")
OBJECTIONS: Final = "objections"
"""Folder of a workspace with the list of who objected to profiling, and for each dataset without them, by its
version, the version that it was made from."""


def list_datasets(workspace: Workspace) -> list[Dataset]:
    """Return the current version of each dataset, by name."""
    sweep_unfinished(workspace)
    folders = sorted(path.parent for path in workspace.place("datasets").glob(f"*/{CURRENT}"))
    return [_current(folder) for folder in folders]


def open_dataset(workspace: Workspace, name: str) -> Dataset:
    """Return the current version of the dataset ``name``.

    Raises:
        NotFound: there is none; the error names those that there are.
    """
    folder = workspace.place("datasets") / check_name(name)
    sweep_unfinished(workspace, folder.name)
    if not (folder / CURRENT).exists():
        names = [dataset.name for dataset in list_datasets(workspace)]
        raise NotFound("no_dataset", name=name, known=names or "-")
    return _current(folder)


def versions(workspace: Workspace, name: str) -> list[Dataset]:
    """Return all versions of the dataset ``name``, the newest first.

    Raises:
        NotFound: there is no such dataset.
    """
    folder = open_dataset(workspace, name).folder.parent
    datasets = [_version(folder / version) for version in version_names(workspace, name)]
    return sorted(datasets, key=lambda item: (item.manifest.created, _written(item)), reverse=True)


def open_version(workspace: Workspace, name: str, version: str) -> Dataset:
    """Return one version of the dataset ``name``; of a dataset without those who objected, the one with everybody.

    Raises:
        NotFound: there is no such dataset or version.
    """
    by_version = {item.version: item for item in versions(workspace, name)}
    version = made_from(workspace).get(version, version)
    if version not in by_version:
        raise NotFound("no_version", name=name, version=version[:40], known=list(by_version))
    return by_version[version]


def raw_version(dataset: Dataset) -> Dataset:
    """Return the version without cleaning rules that ``dataset`` was made from; itself if no rule is on.

    Raises:
        Refused: that version was deleted.
    """
    if not dataset.manifest.raw_version:
        return dataset
    folder = dataset.folder.parent / dataset.manifest.raw_version
    if not (folder / MANIFEST).exists():
        raise Refused("no_raw_version", name=dataset.name, version=folder.name)
    return _version(folder)


def version_names(workspace: Workspace, name: str) -> list[str]:
    """Return the names of all versions of a dataset as its folder has them, also where none of them is current."""
    folders = (path.parent.name for path in (workspace.datasets / name).glob(f"*/{MANIFEST}"))
    return [version for version in folders if VERSION.fullmatch(version)]


def known_versions(workspace: Workspace, name: str) -> list[str]:
    """Return the names of all versions that a dataset has or had: what was made of a removed one may still be there."""
    path = workspace.datasets / name / REMOVED
    removed = read_json(path)["versions"] if path.exists() else []
    known = dict.fromkeys([*version_names(workspace, name), *removed])
    return [*known, *(made for made, parent in made_from(workspace).items() if parent in known and made not in known)]


def made_from(workspace: Workspace) -> dict[str, str]:
    """Return the version that each dataset without those who objected was made from, by its own version."""
    return {path.stem: read_json(path)["parent"] for path in workspace.place(OBJECTIONS).glob("*.json")}


def remove_versions(workspace: Workspace, name: str, removed: Sequence[str]) -> None:
    """Remove versions of the dataset ``name``, none of which is in use, for good."""
    folder = workspace.datasets / name
    stay = set(version_names(workspace, name)) - set(removed)
    write_json(
        folder / REMOVED,
        {"versions": [existing for existing in known_versions(workspace, name) if existing not in stay]},
    )
    for version in removed:
        (folder / version / MANIFEST).unlink(missing_ok=True)  # from here on it is no version any more
        shutil.rmtree(folder / version, ignore_errors=True)


def sweep_unfinished(workspace: Workspace, name: str = "*") -> None:
    """Remove versions that killed runs left half written, which hold customers' rows.

    Args:
        workspace: whose; one that this account may only read is left as it is.
        name: the dataset; ``*`` for all.
    """
    leftovers = [path for pattern in UNFINISHED for path in workspace.place("datasets").glob(f"{name}/{pattern}")]
    for path in leftovers if not workspace.read_only else ():
        with suppress(ClvError, OSError), changing(workspace, path.parent.name):  # not while a run is writing it
            shutil.rmtree(path, ignore_errors=True)


def version_of(*meaning: Any) -> str:
    """Return a version's name: a hash of all that gives it meaning (texts, numbers, lists), 12 hex digits."""
    return hashlib.sha256(repr(meaning).encode()).hexdigest()[:12]


@changes
def restore(workspace: Workspace, name: str, version: str) -> Dataset:
    """Make an earlier version of the dataset ``name`` the current one again, and note it in the audit log.

    Raises:
        NotFound: there is no such dataset or version.
        Refused: a run is changing the dataset.
    """
    dataset = open_version(workspace, name, version)
    activate(dataset)
    audit.note(workspace, "restore", dataset=name, version=version, outcome="done")
    return dataset


def activate(dataset: Dataset) -> None:
    """Make a stored version the current one."""
    write_json(dataset.folder.parent / CURRENT, {"version": dataset.version})


def save_dataset(
    workspace: Workspace,
    manifest: Manifest,
    events: Path,
    set_aside: Path,
    customers: Path | None = None,
    voided: Path | None = None,
) -> Dataset:
    """Store a version and make it the current one; the Parquet files are moved in.

    A crash leaves the dataset as it was: the version's folder appears complete, and only then does ``current.json``
    turn.
    """
    files = {EVENTS: events, SET_ASIDE: set_aside}
    files |= {name: path for name, path in ((CUSTOMERS, customers), (VOIDED, voided)) if path is not None}
    return _save(workspace.datasets / check_name(manifest.name), manifest, files, {})


def derive(dataset: Dataset, manifest: Manifest, *, current: bool = True, **files: Path) -> Dataset:
    """Store a new version of a dataset.

    Args:
        dataset: the version that it is made from.
        manifest: of the new version.
        current: whether it becomes the current one.
        files: ``events``, ``set_aside``, ``customers``, ``withdrawn``: Parquet files that are new, moved in; those not
            named are shared with ``dataset``, on disk too.
    """
    names = {"events": EVENTS, "set_aside": SET_ASIDE, "customers": CUSTOMERS, "withdrawn": VOIDED}
    new = {names[key]: path for key, path in files.items()}
    wanted = [EVENTS, SET_ASIDE] + ([CUSTOMERS] if manifest.customers_table is not None else [])
    wanted += [VOIDED] if dataset.voided_path else []
    shared = {name: dataset.folder / name for name in wanted if name not in new}
    return _save(dataset.folder.parent, manifest, new, shared, current=current)


def _save(
    folder: Path, manifest: Manifest, new: Mapping[str, Path], shared: Mapping[str, Path], *, current: bool = True
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
    if version.exists():  # the same rows, read again: its files are replaced one by one, so that it is never missing
        for path in sorted(made.iterdir(), key=lambda item: item.name == MANIFEST):
            os.replace(path, version / path.name)
        shutil.rmtree(made)  # a file that both share on disk is left by its move
        if VOIDED not in {*new, *shared}:
            (version / VOIDED).unlink(missing_ok=True)
    else:
        os.replace(made, version)
    if current:
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
    with _sound(folder / CURRENT):
        version = folder / str(read_json(folder / CURRENT)["version"])
    if not VERSION.fullmatch(version.name):
        raise NotFound("no_dataset", name=folder.name, known="-")
    return _version(version)


def _version(folder: Path) -> Dataset:
    """Open a version; the folder has the dataset's present name, whatever it was called when it was stored.

    Raises:
        Refused: its manifest cannot be read, or its events end before their end, as after a disk failed.
    """
    with _sound(folder / MANIFEST):
        manifest = Manifest.from_json(read_json(folder / MANIFEST))
    with _sound(folder / EVENTS), (folder / EVENTS).open("rb") as file:
        file.seek(-len(PARQUET_END), os.SEEK_END)
        if file.read() != PARQUET_END:
            raise ValueError("cut off")
    return Dataset(folder, dataclasses.replace(manifest, name=folder.parent.name))


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    """Name a file of a dataset that is missing, or not what was written; one that may not be read is another matter."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        place = path.parent if path.name == CURRENT else path.parent.parent
        raise Refused("dataset_damaged", name=place.name, path=str(path), folder=str(place)) from error


def _written(dataset: Dataset) -> int:
    return (dataset.folder / MANIFEST).stat().st_mtime_ns
