"""What the browser sends is copied to disk in blocks, and the server's memory is given back at once.

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

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.typing import UploadedFile

from clv_core import reader_process
from clv_core.workspace import Workspace

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


def sweep(uploads: Path) -> None:
    """Remove what sessions left behind that ended days ago without saying so."""
    for folder in uploads.iterdir():
        if folder.is_dir() and time.time() - folder.stat().st_mtime > LEFT_AFTER_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
