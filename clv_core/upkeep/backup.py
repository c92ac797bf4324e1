"""A workspace in one file, taken while others write to it; and a new workspace from such a file.

The files of a workspace are replaced by a rename, never changed in place, but for logs that only grow and the registry.
So a backup first links them all into a folder of its own, which takes no time and no space, and packs that at leisure.
SQLite copies the registry; writers wait until the models are linked as well. A dataset whose version in use is deleted
in that moment is taken again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, ValidationError

from clv_core import __version__, audit
from clv_core.audit_chain import Head, last_head, read_log
from clv_core.collection.privacy import VIEW
from clv_core.collection.store import CURRENT, MANIFEST, VERSION
from clv_core.deployment.registry import database
from clv_core.errors import NotFound, Refused
from clv_core.jobs import Progress
from clv_core.locks import running, writing
from clv_core.records import JsonObject, JsonRecord
from clv_core.workspace import Workspace, atomic_path, read_json

LIST: Final = "backup.json"
FORMAT: Final[Literal[1]] = 1
"""Of :class:`BackupList`; another one is refused."""
LEFT_OUT: Final = ("locks", "scratch", "runs", "jobs", "uploads", database.FOLDER)
"""Folders of running work; the registry is copied by SQLite."""
GROWING: Final = ".jsonl"
PACKED: Final = (".parquet", ".safetensors", ".zip", ".gz", ".xlsx", ".pptx")
"""Endings of files that would hardly get smaller."""
TRIES: Final = 20
"""Of linking a dataset that changes meanwhile. A guess: each try takes milliseconds, and a change comes once a run."""
CHUNK: Final = 1 << 20
"""Bytes that are read at once."""
DAMAGED: Final = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError)
"""Errors of reading a damaged, encrypted or foreign zip."""
NO_PATH: Final = (FileExistsError, IsADirectoryError, NotADirectoryError)
"""Errors of writing where a file's name is also the folder of another."""
SHOWN: Final = 80
"""Letters of an unusable list that its refusal repeats."""


@dataclass(frozen=True)
class BackupList(JsonRecord):
    """The table of contents of a backup, in its file :data:`LIST`.

    Args:
        format: :data:`FORMAT`.
        code_version: of CLV Studio.
        created: ISO time in UTC.
        files: SHA-256 by name.
        audit: head of the audit log, ``COUNT:HASH``; "" in backups of earlier versions.
    """

    OMITTED: ClassVar[frozenset[str]] = frozenset({"audit"})

    format: Literal[1]
    code_version: Annotated[str, Field(max_length=40)]
    created: Annotated[str, Field(max_length=40)]
    files: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    audit: Annotated[str, Field(pattern=r"^([0-9]{1,12}:[0-9a-f]{64})?$")] = ""


def back_up(workspace: Workspace, out: Path, progress: Progress) -> JsonObject:
    """Write everything that is stored to ``out``, a zip with the checksum of each file.

    The key of pseudonyms lies next to the workspace and is not in it: keep it elsewhere.

    Returns:
        ``{files, bytes, datasets, models, audit}``, the last the head of the audit log.

    Raises:
        Refused: customers are being erased, or what is stored changed during each of :data:`TRIES` tries.
    """
    scratch = workspace.folder("scratch")
    with running(workspace), TemporaryDirectory(dir=scratch, prefix=".backup-") as folder:
        copy = Path(folder) / "copy"
        copy.mkdir()
        for entry in sorted(workspace.root.iterdir()):
            if entry.name not in (*LEFT_OUT, "datasets", "models") and not entry.name.startswith("."):
                with writing(audit.path_of(workspace)) if entry.name == audit.FOLDER else nullcontext():
                    _link(entry, copy / entry.name)
        head = str(audit.head(Workspace(copy)))
        _link_models(workspace, copy)
        _link_datasets(workspace.place("datasets"), copy / "datasets")
        files = sorted(path for path in copy.rglob("*") if path.is_file())
        sums: dict[str, str] = {}
        with atomic_path(out) as temporary, zipfile.ZipFile(temporary, "w", allowZip64=True) as archive:
            for number, path in enumerate(files):
                progress.report("packing", number, len(files))
                name = path.relative_to(copy).as_posix()
                sums[name] = _pack(path, archive, name)
            created = datetime.now(UTC).isoformat(timespec="seconds")
            listed = BackupList(FORMAT, __version__, created, sums, head)
            archive.writestr(LIST, json.dumps(listed.to_json(), ensure_ascii=False, indent=1))
        progress.report("packing", len(files), len(files))
        counts = {part: len(_visible(copy / part)) for part in ("datasets", "models")}
    return {"files": len(files), "bytes": out.stat().st_size, **counts, "audit": head}


def audit_head(archive: Path) -> Head:
    """Return the head that the audit log had when a backup was taken; of an earlier version's, of the log in it.

    Raises:
        Refused: the archive is no sound backup.
        NotFound: there is no archive.
    """
    if not archive.is_file():
        raise NotFound("no_file", path=str(archive))
    try:
        with zipfile.ZipFile(archive) as packed:
            listed = _read_list(packed, archive.name)
            if listed.audit:
                return Head.parse(listed.audit)
            name = f"{audit.FOLDER}/{audit.FILE}"
            return last_head(read_log(packed.read(name) if name in listed.files else b""))
    except DAMAGED as error:
        raise Refused("backup_damaged", path=archive.name) from error


def recover(archive: Path, root: Path, progress: Progress) -> JsonObject:
    """Make a workspace from a backup, in one step: killed before its end it leaves nothing at ``root``.

    Args:
        archive: what :func:`back_up` wrote.
        root: of the new workspace; nothing, or an empty folder.
        progress: listener.

    Returns:
        ``{files, created, code_version}``.

    Raises:
        Refused: there is something at ``root``, or the archive is no sound backup.
        NotFound: there is no archive.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise Refused("recover_into", path=str(root))
    if not archive.is_file():
        raise NotFound("no_file", path=str(archive))
    try:
        with zipfile.ZipFile(archive) as packed, atomic_path(root) as temporary:
            listed = _read_list(packed, archive.name)
            names = set(packed.namelist()) - {LIST}
            if names != set(listed.files) or not all(map(_is_inside, names)):
                raise Refused("backup_damaged", path=archive.name)
            temporary.mkdir()
            for number, (name, checksum) in enumerate(sorted(listed.files.items())):
                progress.report("unpacking", number, len(names))
                if _unpack(packed, name, temporary / name) != checksum:
                    raise Refused("backup_damaged", path=archive.name)
            progress.report("unpacking", len(names), len(names))
    except (*DAMAGED, *NO_PATH) as error:
        raise Refused("backup_damaged", path=archive.name) from error
    return {"files": len(names), "created": listed.created, "code_version": listed.code_version}


def _read_list(packed: zipfile.ZipFile, archive: str) -> BackupList:
    """Return the table of contents of a backup.

    Raises:
        Refused: it is not one; the error quotes what the file holds.
    """
    text = packed.read(LIST).decode("utf-8", errors="replace")
    try:
        return BackupList.from_json(json.loads(text))
    except ValidationError as error:
        fault = error.errors()[0]
        value = "-" if fault["type"] == "missing" else json.dumps(fault["input"], ensure_ascii=False)
        problem = ": ".join(filter(None, (".".join(map(str, fault["loc"])), value)))
        raise Refused("backup_list", path=archive, file=LIST, found=problem[:SHOWN]) from error
    except (ValueError, RecursionError) as error:
        raise Refused("backup_list", path=archive, file=LIST, found=text[:SHOWN]) from error


def _link_models(workspace: Workspace, copy: Path) -> None:
    """Link the models and copy the registry, which is locked meanwhile."""
    models = workspace.models
    if not database.path_of(workspace).exists():
        _link(models, copy / models.name)
        return
    registry = copy / database.FOLDER / database.FILE
    registry.parent.mkdir()
    with database.transaction(workspace, write=True):  # SQLite copies from a connection that does not write
        with database.transaction(workspace) as source, closing(sqlite3.connect(registry)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = WAL")
        _link(models, copy / models.name)


def _link_datasets(datasets: Path, copy: Path) -> None:
    """Link all datasets, again where one was renamed or added meanwhile."""
    for _ in range(TRIES):
        before = _visible(datasets)
        for dataset in before:
            _link_dataset(dataset, copy / dataset.name)
        if {*_visible(datasets)} <= {*before}:
            return
    raise Refused("backup_changing", name=datasets.name)


def _link_dataset(dataset: Path, target: Path) -> None:
    """Link a dataset with the version in use; nothing where it is deleted or only being made."""
    pointer = dataset / CURRENT
    for _ in range(TRIES):
        shutil.rmtree(target, ignore_errors=True)
        if not pointer.exists():
            return
        with suppress(FileNotFoundError):  # deleted this moment
            target.mkdir(parents=True)
            _link(pointer, target / CURRENT)
            _link(dataset, target)
            for version in filter(VERSION.fullmatch, os.listdir(target)):
                if not any((target / version / file).exists() for file in (MANIFEST, VIEW)):  # its deletion had begun
                    shutil.rmtree(target / version)
            if (target / read_json(target / CURRENT)["version"]).is_dir():
                return
    raise Refused("backup_changing", name=dataset.name)


def _link(source: Path, target: Path) -> None:
    """Link a file, or all visible files below a folder; logs that grow are copied.

    Raises:
        FileNotFoundError: the file no longer exists.
    """
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for entry in _visible(source, files=True):
            with suppress(FileNotFoundError):  # replaced or deleted this moment: what points to it is checked
                _link(entry, target / entry.name)
    elif not target.exists():
        if source.suffix != GROWING:
            with suppress(OSError):  # a disk without links
                os.link(source, target)
                return
        shutil.copyfile(source, target)


def _visible(folder: Path, *, files: bool = False) -> list[Path]:
    """Return the folders in a folder, and its files, but for those that are being written or deleted.

    A manifest comes last: a deletion removes it first, so where it still exists all else was linked before.
    """
    entries: Iterable[Path] = folder.iterdir() if folder.is_dir() else ()
    visible = (entry for entry in entries if not entry.name.startswith(".") and (files or entry.is_dir()))
    return sorted(visible, key=lambda entry: (entry.name == MANIFEST, entry.name))


def _pack(path: Path, archive: zipfile.ZipFile, name: str) -> str:
    """Add a file to an archive and return its checksum."""
    entry = zipfile.ZipInfo.from_file(path, name)
    entry.compress_type = zipfile.ZIP_STORED if path.suffix in PACKED else zipfile.ZIP_DEFLATED
    digest = hashlib.sha256()
    with path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as packed:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            packed.write(chunk)
    return digest.hexdigest()


def _unpack(archive: zipfile.ZipFile, name: str, target: Path) -> str:
    """Write a file of an archive and return its checksum."""
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as packed, target.open("wb") as file:
        while chunk := packed.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _is_inside(name: str) -> bool:
    """Return whether an archive's name stays below the folder that it is unpacked in."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name
