"""Files from people: what a browser sends is copied to disk in blocks, a path that somebody typed is checked.

Streamlit holds an upload in memory until the session ends, long after its widget is gone, unless its record is removed.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar, cast

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.typing import UploadedFile

from clv_core import reader_process
from clv_core.collection.parse.pseudonyms import key_path
from clv_core.environment import Environment
from clv_core.errors import Refused
from clv_core.workspace import Workspace
from pages.ui import access, session

T = TypeVar("T")
LISTS: Final = ("txt", "csv", "xlsx")
EXPERIMENTS: Final = ("csv", "txt", "xlsx", "parquet", "jsonl")
MODELS: Final = ("zip",)
"""Kinds of files that are taken: of customers, of an experiment, of a version; a log may be of any."""
COPY_BYTES: Final = 8_000_000
LEFT_AFTER_SECONDS: Final = 2 * 86_400


def copy(files: Sequence[UploadedFile], folder: Path) -> tuple[Path, ...]:
    """Copy uploads into ``folder`` and let go of their bytes; files of one name get a number."""
    paths: list[Path] = []
    for number, file in enumerate(files):
        safe = re.sub(r"[^\w .()+-]", "_", Path(file.name).name).strip(" .")[-120:] or "log"
        path = folder / (safe if not (folder / safe).exists() else f"{number + 1} {safe}")
        file.seek(0)
        with path.open("wb") as target:
            shutil.copyfileobj(file, target, COPY_BYTES)
        let_go(file)
        paths.append(path)
    return tuple(paths)


def read_once(file: UploadedFile, workspace: Workspace, read: Callable[[Path], T]) -> T:
    """Return what ``read`` makes of an upload's copy in a process of its own; the copy is gone afterwards."""
    path = workspace.folder("uploads") / f"once-{secrets.token_hex(6)}{Path(file.name).suffix.lower()}"
    try:
        path.touch(mode=0o600)
        path.write_bytes(file.getvalue())
        return reader_process.run(workspace, Path(file.name), read, path)
    finally:
        path.unlink(missing_ok=True)


def let_go(file: UploadedFile) -> None:
    """Remove an upload from the server's memory."""
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
        Denied: the role of who is here does not allow to change data.
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
    """Say whether a path leads into the workspace, or to a key, a secret, or the roles of people."""
    workspace = session.workspace()
    own = [workspace.root, key_path(workspace), access.settings_path(), *map(Path, st.get_option("secrets.files"))]
    return ".streamlit" in path.parts or any(path.is_relative_to(place.resolve()) for place in own)
