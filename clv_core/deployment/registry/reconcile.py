"""Make the registry's rows and the bundles' folders agree: finish or undo what a killed process left.

a folder without a row                 registered: it was placed, or comes from before the registry
a first look without a row             stays so: it is a version once a user keeps or promotes it
a row whose folder is being removed    the folder is restored: the deletion was never committed
a folder being removed without a row   removed: the deletion was committed
a folder being written for a day       removed: its process is dead
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from clv_core.collection.store import names_to_follow
from clv_core.deployment.bundle import LEAVING, RECORD, STAGING, Bundle, read_record
from clv_core.deployment.registry import registry_rows as table
from clv_core.deployment.registry.database import path_of, transaction, writable
from clv_core.errors import Refused
from clv_core.workspace import Workspace

STALE_SECONDS: Final = 24 * 3600.0
"""Age at which a folder being written is a dead process's: longer than any bundle takes to write."""


def reconcile(workspace: Workspace) -> None:
    """Make rows and folders agree; where they do, this is one listing and one query.

    A registry that this account may only read stays as it is.
    """
    models = workspace.root / "models"
    folders = {entry.name for entry in os.scandir(models) if entry.is_dir()} if models.is_dir() else set()
    if not folders and not path_of(workspace).exists():
        return
    with transaction(workspace) as rows:
        agreed = not _differences(models, folders, rows)
    if agreed or (path_of(workspace).exists() and not writable(workspace)):
        return
    with transaction(workspace, write=True) as rows:
        folders = {entry.name for entry in os.scandir(models) if entry.is_dir()}
        removed = _restore(models, folders, rows)
        _register(workspace, _unregistered(models, folders, rows), rows)
    for name in removed:
        shutil.rmtree(models / name, ignore_errors=True)


def usable(folder: Path) -> Bundle:
    """Return the bundle in a folder, once its checksums hold.

    Raises:
        Refused: it is no sound bundle.
    """
    bundle = Bundle(folder, read_record(folder))
    bundle.check()
    return bundle


def _differences(models: Path, folders: set[str], rows: sqlite3.Connection) -> bool:
    now = time.time()
    leaving = [name for name in folders if name.startswith(LEAVING)]
    stale = [name for name in folders if name.startswith(STAGING) and _age(models / name, now) > STALE_SECONDS]
    return bool(leaving or stale or _unregistered(models, folders, rows))


def _unregistered(models: Path, folders: set[str], rows: sqlite3.Connection) -> list[str]:
    """Return the folders with a bundle that is not registered, and not recorded as unusable in its present state."""
    registered = {row[0] for row in rows.execute("SELECT bundle FROM versions")}
    unregistered = {name for name in folders - registered if not name.startswith(".")}
    unusable = dict(rows.execute("SELECT bundle, stamp FROM unusable").fetchall()) if unregistered else {}
    return [name for name in sorted(unregistered) if (stamp := _stamp(models / name)) and unusable.get(name) != stamp]


def _register(workspace: Workspace, names: list[str], rows: sqlite3.Connection) -> None:
    """Register bundles in the order in which they were made; of a new name, the newest trained one is champion.

    That is the one that was used before there was a registry.
    """
    moved, bundles = names_to_follow(workspace), []
    for name in names:
        with suppress(Refused):
            bundle = usable(workspace.models / name)
            if not bundle.untrained:
                bundles.append(bundle)
                continue
        # A damaged bundle or a first look: noted, so that it is not opened again before its record changes.
        rows.execute("INSERT OR REPLACE INTO unusable VALUES (?, ?)", (name, _stamp(workspace.models / name)))
    bundles.sort(key=lambda bundle: bundle.record.created)
    latest: dict[str, int] = {}
    for bundle in bundles:
        name = bundle.record.dataset.name
        name = moved.get(name, name)
        new = table.champion(rows, name) is None
        added = table.add(rows, name, bundle, "found")
        if new or name in latest:
            latest[name] = added
    for name, number in latest.items():
        champion = table.champion(rows, name)
        if champion is not None and champion.number != number:
            table.set_champion(rows, name, number, "found")


def _restore(models: Path, folders: set[str], rows: sqlite3.Connection) -> list[str]:
    """Undo deletions that were not committed; return the folders to remove."""
    removed, now = [], time.time()
    for name in folders:
        if name.startswith(LEAVING):
            bundle = name.removeprefix(LEAVING)
            if bundle not in folders and table.find(rows, bundle) is not None:
                os.rename(models / name, models / bundle)
            else:
                removed.append(name)
        elif name.startswith(STAGING) and _age(models / name, now) > STALE_SECONDS:
            removed.append(name)
    return removed


def _stamp(folder: Path) -> int:
    """Return when the record in a folder was last written, 0 where there is none."""
    try:
        return (folder / RECORD).stat().st_mtime_ns
    except OSError:
        return 0


def _age(folder: Path, now: float) -> float:
    try:
        return now - folder.stat().st_mtime
    except OSError:
        return 0.0
