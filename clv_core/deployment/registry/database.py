"""The registry's SQLite file: created in one step, in WAL mode, one writer at a time, any number of readers."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from clv_core.disk import sqlite_full
from clv_core.errors import ClvError, Refused
from clv_core.locks import writing
from clv_core.workspace import Workspace, sync_all

FOLDER: Final = "registry"
FILE: Final = "registry.sqlite"
PATIENCE_SECONDS: Final = 60.0
"""How long a writer waits for another; a transaction takes milliseconds."""
_LAYOUT: Final = 1
"""``user_version`` of the file, raised with the schema."""
_SCHEMA: Final = f"""
CREATE TABLE names (
    name TEXT PRIMARY KEY,
    champion INTEGER NOT NULL,
    challenger INTEGER,
    FOREIGN KEY (name, champion) REFERENCES versions (name, number) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (name, challenger) REFERENCES versions (name, number) DEFERRABLE INITIALLY DEFERRED,
    CHECK (challenger IS NULL OR challenger <> champion)
);
CREATE TABLE versions (
    name TEXT NOT NULL REFERENCES names (name) DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    bundle TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    registered TEXT NOT NULL,
    source TEXT NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0,
    record TEXT NOT NULL,
    PRIMARY KEY (name, number)
);
CREATE TABLE moves (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    at TEXT NOT NULL,
    why TEXT NOT NULL,
    stands INTEGER NOT NULL
);
CREATE TABLE counters (name TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE unusable (bundle TEXT PRIMARY KEY, stamp INTEGER NOT NULL);
PRAGMA user_version = {_LAYOUT};
"""
"""``names`` holds the pointers: a constraint gives each name exactly one champion that exists. ``moves`` is the
history of champions; a rollback returns to those whose flag ``stands`` is set. Numbers are never used twice
(``counters``). ``unusable`` lists folders that cannot be registered, so that they are not read each time.
``versions.record`` is a backup of the bundle's record, for lists that show a damaged bundle."""


def path_of(workspace: Workspace) -> Path:
    """Return where the registry's file is, or will be."""
    return workspace.root / FOLDER / FILE


def writable(workspace: Workspace) -> bool:
    """Say whether this account may write where the registry's file is."""
    return os.access(path_of(workspace).parent, os.W_OK)


class Unusable(ClvError):
    """The registry cannot be read or written now; it may be soon."""


@contextmanager
def transaction(workspace: Workspace, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """Yield a connection inside one transaction.

    Args:
        workspace: whose registry.
        write: whether it changes anything; one that does keeps all other writers out from its beginning.

    Raises:
        Refused: the file is no registry, or damaged.
        ClvError: it was locked for a minute, or its disk is full.
    """
    path = path_of(workspace)
    try:
        with closing(_connect(workspace, path, write)) as connection:
            connection.row_factory = sqlite3.Row
            connection.create_function("models_folder", 0, lambda: str(workspace.place("models")))
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
    except sqlite3.DatabaseError as error:
        if not isinstance(error, sqlite3.OperationalError) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise Refused("registry_damaged", path=str(path)) from error  # of the latter kind: no table of ours
        raise Unusable("disk_full" if sqlite_full(error, path) else "registry_busy", path=str(path)) from error


def _connect(workspace: Workspace, path: Path, write: bool) -> sqlite3.Connection:
    """Connect to the file; without one, a reader gets an empty registry in memory and a writer creates the file."""
    if not path.exists():
        if not write:
            connection = sqlite3.connect(":memory:", isolation_level=None)
            connection.executescript(_SCHEMA)
            return connection
        _create(workspace, path)
    if not write and not writable(workspace):
        return _connect_read_only(path)
    where = f"{path.absolute().as_uri()}?mode=rw"  # were it moved away just now, no empty one would be made
    return sqlite3.connect(where, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None)


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Connect to a file in a folder that may not be written.

    For a file in WAL mode SQLite needs an index file. Where there is none and it may not create one, the file opens
    only as immutable. Source: https://www.sqlite.org/wal.html#read_only_databases
    """
    _, index = _sidecars(path)
    still = "" if index.exists() else "&immutable=1"
    where = f"{path.absolute().as_uri()}?mode=ro{still}"
    return sqlite3.connect(where, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None)


def _create(workspace: Workspace, path: Path) -> None:
    """Create the file under another name and move it into place; other processes wait.

    Of a file that was moved away, the write-ahead log may have stayed: SQLite would write it into the new one.
    """
    workspace.folder(FOLDER)
    if not writable(workspace):
        raise Unusable("registry_busy", path=str(path))
    new = path.with_name(f".{uuid.uuid4().hex}.sqlite")
    with writing(path):
        if path.exists():
            return
        try:
            with closing(sqlite3.connect(new, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_SCHEMA)
            sync_all(new)
            _remove(*_sidecars(path))
            os.replace(new, path)
            sync_all(path.parent, deep=False)
        finally:
            _remove(new, *_sidecars(new))


def _sidecars(path: Path) -> tuple[Path, Path]:
    """Return the files that SQLite adds to a database: its write-ahead log, and the index of it."""
    return Path(f"{path}-wal"), Path(f"{path}-shm")


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
