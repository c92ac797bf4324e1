"""Files from people: what a browser has sent is copied in blocks, a path that somebody typed is checked.

An upload stays until the session ends, long after its widget was removed, unless its record is removed.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TypeVar, cast

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.typing import UploadedFile

from clv_core import reader_process
from clv_core.collection.parse import key_path
from clv_core.environment import Environment
from clv_core.errors import Refused
from clv_core.workspace import Workspace
from pages.ui import access, session
from pages.ui.upload_gate import COPY_BYTES, UploadsOnDisk

T = TypeVar("T")
LISTS: Final = ("txt", "csv", "xlsx")
EXPERIMENTS: Final = ("csv", "txt", "xlsx", "parquet", "jsonl")
MODELS: Final = ("zip",)
"""Kinds of files that are taken: of customers, of an experiment, of a version; a log may be of any."""
LEFT_AFTER_SECONDS: Final = 86_400
"""Age at which files of a session without an end are deleted, and drafts with them."""


def copy(files: Sequence[UploadedFile], folder: Path) -> tuple[Path, ...]:
    """Copy uploads into ``folder`` and let go of them; files of one name get a number."""
    paths: list[Path] = []
    for number, file in enumerate(files):
        safe = re.sub(r"[^\w .()+-]", "_", Path(file.name).name).strip(" .")[-120:] or "log"
        path = folder / (safe if not (folder / safe).exists() else f"{number + 1} {safe}")
        save(file, path)
        let_go(file)
        paths.append(path)
    return tuple(paths)


def save(file: UploadedFile, path: Path) -> None:
    """Write the content of an upload to ``path``, in blocks."""
    with _content(file) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, COPY_BYTES)


@contextmanager
def _content(file: UploadedFile) -> Iterator[BinaryIO]:
    """Open an upload: from disk with the app's own server, from memory with another (``streamlit run``, AppTest)."""
    context = get_script_run_ctx()
    files = None if context is None else context.uploaded_file_mgr
    if context is not None and isinstance(files, UploadsOnDisk):
        with files.path_of(context.session_id, file.file_id).open("rb") as source:
            yield source
    else:
        file.seek(0)
        yield file


def read_once(file: UploadedFile, workspace: Workspace, read: Callable[[Path], T]) -> T:
    """Return what ``read`` makes of an upload's copy in a process of its own; the copy is deleted afterwards."""
    path = workspace.folder("uploads") / f"once-{secrets.token_hex(6)}{Path(file.name).suffix.lower()}"
    try:
        path.touch(mode=0o600)
        save(file, path)
        return reader_process.run(workspace, Path(file.name), read, path)
    finally:
        path.unlink(missing_ok=True)


def let_go(file: UploadedFile) -> None:
    """Remove an upload from the server."""
    context = get_script_run_ctx()
    if context is not None:
        files = cast(MemoryUploadedFileManager, context.uploaded_file_mgr)
        files.remove_file(session_id=context.session_id, file_id=file.file_id)
    file.close()


def new_folder() -> Path:
    """Return a new folder for files of this session; what is left of old ones is removed."""
    sweep(session.workspace().folder("uploads"))
    return session.workspace().folder("uploads", secrets.token_hex(6))


def sweep(uploads: Path) -> None:
    """Remove what sessions left behind that ended days ago without saying so."""
    for folder in uploads.iterdir():
        if folder.is_dir() and time.time() - folder.stat().st_mtime > LEFT_AFTER_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def checked_path(text: str) -> Path:
    """Return the file or folder that a typed path means; a relative one begins at ``$CLV_FILES``.

    Raises:
        Denied: the current user's role may not change data.
        Refused: there is none, it lies outside of ``$CLV_FILES``, or it is what CLV Studio keeps for itself.
    """
    access.require("change")
    typed = text.strip().strip("\"'")
    named = Environment.from_environment().files
    if access.is_login_required() and not named:
        raise Refused("path_unset", variable=Environment.variable("files"))
    below = Path(named).resolve()
    try:
        path = (below / Path(typed).expanduser()).resolve()
        if named and not path.is_relative_to(below):
            raise Refused("path_outside", folder=str(below))
        if _is_our_own(path):
            raise Refused("path_kept", path=typed[:200])
        exists = bool(typed) and path.exists()
    except (OSError, RuntimeError, ValueError):
        exists = False
    if not exists:
        raise Refused("no_file", path=typed[:200])
    return path


def _is_our_own(path: Path) -> bool:
    """Return whether a path leads into the workspace, or to a key, a secret, or the roles of people."""
    workspace = session.workspace()
    private_paths = [
        workspace.root,
        key_path(workspace),
        access.settings_path(),
        *map(Path, st.get_option("secrets.files")),
    ]
    return ".streamlit" in path.parts or any(path.is_relative_to(place.resolve()) for place in private_paths)
