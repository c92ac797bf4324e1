"""What browsers have sent lies on disk; the server's memory has the names alone.

Streamlit's own manager keeps every content in memory, and a page that takes several files at once gets all of them
there once more. Pages read a content through :mod:`pages.ui.received`; the ``UploadedFile`` that a widget gives them
is empty.
"""

from __future__ import annotations

import atexit
import io
import shutil
import threading
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from streamlit.runtime import memory_uploaded_file_manager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from clv_core import scratch
from clv_core.workspace import Workspace

COPY_BYTES: Final = 8_000_000
"""What is in memory of a file while it is copied."""


class UploadsOnDisk(MemoryUploadedFileManager):
    """The files of all sessions, in a folder of this process below ``uploads`` that only its account may read.

    A file is removed when it is taken out, or its session ends; all are when the process ends, and those of a killed
    one when the next starts (:func:`clv_core.scratch.sweep_killed`). An erasure removes them as well: what is gone
    from the disk is no file any more, and its widget is empty.
    """

    def __init__(self, upload_endpoint: str) -> None:
        super().__init__(upload_endpoint)
        self._paths: dict[tuple[str, str], Path] = {}
        self._folder: Path | None = None
        self._making = threading.Lock()
        self._open = ExitStack()
        atexit.register(self._open.close)

    def add_stream(self, session_id: str, file: UploadedFileRec, content: BinaryIO) -> None:
        """Write a file to disk in blocks; one of the same id is replaced.

        Args:
            session_id: whose.
            file: its names, without data.
            content: read from where it is.

        Raises:
            OSError: the disk is full.
            UsageError: the workspace cannot be written to.
        """
        path = self._own_folder() / uuid.uuid4().hex
        try:
            with path.open("xb") as target:
                shutil.copyfileobj(content, target, COPY_BYTES)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        self.remove_file(session_id, file.file_id)
        self._paths[session_id, file.file_id] = path
        super().add_file(session_id, file)

    def add_file(self, session_id: str, file: UploadedFileRec) -> None:
        """Write a file to disk that is in memory."""
        self.add_stream(session_id, file._replace(data=b""), io.BytesIO(file.data))

    def get_files(self, session_id: str, file_ids: Sequence[str]) -> list[UploadedFileRec]:
        """Return the files that are still there, without data."""
        found = [
            (file, self._paths.get((session_id, file.file_id))) for file in super().get_files(session_id, file_ids)
        ]
        return [file for file, path in found if path is not None and path.is_file()]

    def path_of(self, session_id: str, file_id: str) -> Path:
        """Return where the content of a file of :meth:`get_files` lies."""
        return self._paths[session_id, file_id]

    def remove_file(self, session_id: str, file_id: str) -> None:
        """Remove a file, where it is there."""
        super().remove_file(session_id, file_id)
        self._unlink((session_id, file_id))

    def remove_session_files(self, session_id: str) -> None:
        """Remove all files of a session."""
        super().remove_session_files(session_id)
        for key in [key for key in list(self._paths) if key[0] == session_id]:
            self._unlink(key)

    def _unlink(self, key: tuple[str, str]) -> None:
        path = self._paths.pop(key, None)
        if path is not None:
            path.unlink(missing_ok=True)

    def _own_folder(self) -> Path:
        with self._making:
            if self._folder is None or not self._folder.is_dir():  # an erasure removes it
                folder = scratch.own_folder(Workspace.default(), scratch.UPLOADS, scratch.SENT)
                self._folder = self._open.enter_context(folder)
            return self._folder


def keep_on_disk() -> None:
    """Make servers of this process keep uploads on disk.

    ``st.App`` makes its manager by this name when it starts, and has no setting for another
    (``pages.ui.upload_gate`` stops a start that came to another one).
    """
    memory_uploaded_file_manager.MemoryUploadedFileManager = UploadsOnDisk  # type: ignore[misc]
