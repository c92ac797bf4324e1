"""A workspace in one file, taken while others write to it; and a new workspace from such a file.

The files of a workspace are replaced by a rename, never changed in place, but for logs that only grow and the registry.
So a backup first links them all into a folder of its own, which takes no time and no space, and packs that at leisure;
SQLite copies the registry. A dataset or registry that points to something which was deleted in that moment is taken
again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final

from clv_core import __version__
from clv_core.deployment.registry import database
from clv_core.errors import Refused
from clv_core.jobs import Progress
from clv_core.locks import running
from clv_core.workspace import Workspace, atomic_path

LIST: Final = "backup.json"
FORMAT: Final = 1
LEFT_OUT: Final = ("locks", "scratch", "runs", "jobs", "uploads", database.FOLDER)
"""Folders of running work; the registry is copied by SQLite."""
GROWING: Final = ".jsonl"
PACKED: Final = (".parquet", ".safetensors", ".zip", ".gz", ".xlsx", ".pptx")
"""Endings of files that would hardly get smaller."""
TRIES: Final = 20
CHUNK: Final = 1 << 20


def back_up(workspace: Workspace, out: Path, progress: Progress) -> dict[str, Any]:
    """Write everything that is stored to ``out``, a zip with the checksum of each file.

    The key of pseudonyms lies beside the workspace and is not in it: keep it elsewhere.

    Returns:
        ``{files, bytes, datasets, models}``.

    Raises:
        Refused: customers are being erased, or what is stored changed during each of :data:`TRIES` tries.
    """
    scratch = workspace.folder("scratch")
    with running(workspace), TemporaryDirectory(dir=scratch, prefix=".backup-") as folder:
        copy = Path(folder) / "copy"
        copy.mkdir()
        for entry in sorted(workspace.root.iterdir()):
            if entry.name not in (*LEFT_OUT, "datasets", "models") and not entry.name.startswith("."):
                _link(entry, copy / entry.name)
        for dataset in _visible(workspace.place("datasets")):
            _again(dataset.name, partial(_link_dataset, dataset, copy / "datasets" / dataset.name))
        _again("registry", partial(_link_models, workspace, copy))
        files = sorted(path for path in copy.rglob("*") if path.is_file())
        sums: dict[str, str] = {}
        with atomic_path(out) as temporary, zipfile.ZipFile(temporary, "w", allowZip64=True) as archive:
            for number, path in enumerate(files):
                progress.report("packing", number, len(files))
                name = path.relative_to(copy).as_posix()
                sums[name] = _pack(path, archive, name)
            created = datetime.now(UTC).isoformat(timespec="seconds")
            about = {"format": FORMAT, "code_version": __version__, "created": created}
            archive.writestr(LIST, json.dumps({**about, "files": sums}, ensure_ascii=False, indent=1))
        progress.report("packing", len(files), len(files))
        counts = {part: len(_visible(copy / part)) for part in ("datasets", "models")}
    return {"files": len(files), "bytes": out.stat().st_size, **counts}


def recover(archive: Path, root: Path, progress: Progress) -> dict[str, Any]:
    """Make a workspace from a backup, in one step: killed before its end it leaves nothing at ``root``.

    Args:
        archive: what :func:`back_up` wrote.
        root: of the new workspace; nothing, or an empty folder.
        progress: listener.

    Returns:
        ``{files, created, code_version}``.

    Raises:
        Refused: there is something at ``root``, or the archive is no sound backup.
    """
    if root.exists() and any(root.iterdir()):
        raise Refused("recover_into", path=str(root))
    try:
        with zipfile.ZipFile(archive) as packed, atomic_path(root) as temporary:
            listed = json.loads(packed.read(LIST))
            names = set(packed.namelist()) - {LIST}
            if listed["format"] != FORMAT or names != set(listed["files"]) or not all(map(_is_inside, names)):
                raise Refused("backup_damaged", path=archive.name)
            temporary.mkdir()
            for number, (name, checksum) in enumerate(sorted(listed["files"].items())):
                progress.report("unpacking", number, len(names))
                if _unpack(packed, name, temporary / name) != checksum:
                    raise Refused("backup_damaged", path=archive.name)
            progress.report("unpacking", len(names), len(names))
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise Refused("backup_damaged", path=archive.name) from error
    return {"files": len(names), "created": listed["created"], "code_version": listed["code_version"]}


def _again(name: str, take: Callable[[], bool]) -> None:
    """Call ``take`` until what it takes did not change meanwhile."""
    for _ in range(TRIES):
        if take():
            return
    raise Refused("backup_changing", name=name)


def _link_dataset(dataset: Path, target: Path) -> bool:
    """Link a dataset; False where the version that it points to was deleted meanwhile."""
    shutil.rmtree(target, ignore_errors=True)
    pointer = dataset / "current.json"
    try:
        target.mkdir(parents=True)
        _link(pointer, target / pointer.name)
        _link(dataset, target)
        current = json.loads((target / pointer.name).read_text(encoding="utf-8"))
        return Path(target, current["version"], "manifest.json").is_file()
    except FileNotFoundError:
        shutil.rmtree(target, ignore_errors=True)
        return not pointer.exists()  # the whole dataset was deleted, or is only being made


def _link_models(workspace: Workspace, copy: Path) -> bool:
    """Copy the registry and link the models; False where one of the registry's was deleted meanwhile."""
    shutil.rmtree(copy / "models", ignore_errors=True)
    registry = copy / database.FOLDER / database.FILE
    registry.parent.mkdir(exist_ok=True)
    registry.unlink(missing_ok=True)
    models = workspace.place("models")
    if not database.path_of(workspace).exists():
        if models.is_dir():
            _link(models, copy / "models")
        return True
    with database.transaction(workspace) as source, closing(sqlite3.connect(registry)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = WAL")
        bundles = [bundle for (bundle,) in target.execute("SELECT bundle FROM versions")]
    _link(models, copy / "models")
    return all((copy / "models" / bundle).is_dir() or not (models / bundle).is_dir() for bundle in bundles)


def _link(source: Path, target: Path) -> None:
    """Link a file, or all visible files below a folder; logs that grow are copied.

    Raises:
        FileNotFoundError: the file is gone.
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
    """Return the folders in a folder, and its files, but for those that are being written or deleted."""
    entries: Iterable[Path] = folder.iterdir() if folder.is_dir() else ()
    return sorted(one for one in entries if not one.name.startswith(".") and (files or one.is_dir()))


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
