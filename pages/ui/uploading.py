"""From a file to a dataset on the upload page: the file on disk, what it was understood to be, and the questions left.

An upload is copied to disk at once and its widget dropped, so that it does not stay in the server's memory.
"""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Final

import streamlit as st

from clv_core.collection.check import Check, check_file
from clv_core.collection.inspect import Inspection, inspect_file
from clv_core.collection.profile import Answers
from clv_core.errors import Refused
from pages.ui import state
from pages.ui.navigation import ASSETS

SAMPLE: Final = ASSETS / "sample" / "events.csv"
SAMPLE_NAME: Final = "sample"
FILE: Final = "upload_file"
ANSWERS: Final = "upload_answers"
CHECKED_BYTES: Final = 200_000_000
"""Larger files are not read twice: they are checked while they are saved."""
COPY_BYTES: Final = 8_000_000


@dataclass(frozen=True)
class Chosen:
    """The file that a person is turning into a dataset.

    Args:
        path: where it lies.
        temporary: whether it is our copy of an upload, to be removed afterwards.
    """

    path: Path
    temporary: bool

    @property
    def size(self) -> int:
        """Bytes of the file, or of all files of a folder."""
        if self.path.is_dir():
            return sum(part.stat().st_size for part in self.path.rglob("*") if part.is_file())
        return self.path.stat().st_size

    @property
    def stamp(self) -> str:
        """What changes when the file does."""
        about = self.path.stat()
        return f"{self.path}:{about.st_size}:{about.st_mtime_ns}"

    @property
    def name(self) -> str:
        """A dataset name made from the file's."""
        if self.path == SAMPLE:
            return SAMPLE_NAME
        stem = re.sub(r"[^\w .-]+|^[\W_]+", " ", self.path.name.split(".")[0]).strip()
        return stem[:64].strip(" .") or "log"


def chosen() -> Chosen | None:
    """Return the file in hand; one that has vanished is forgotten."""
    found: Chosen | None = st.session_state.get(FILE)
    return found if found is not None and found.path.exists() else None


def take_upload(name: str, content: BinaryIO) -> None:
    """Copy an upload to disk and forget the widget that holds it."""
    folder = state.workspace().folder("uploads", secrets.token_hex(6))
    safe = re.sub(r"[^\w .()+-]", "_", Path(name).name).strip(" .")[-120:] or "log"
    content.seek(0)
    with (folder / safe).open("wb") as file:
        shutil.copyfileobj(content, file, COPY_BYTES)
    _begin(Chosen(folder / safe, temporary=True))
    st.session_state["upload_round"] = st.session_state.get("upload_round", 0) + 1


def take_path(text: str) -> None:
    """Choose a file or a folder of Parquet files on the server.

    Raises:
        Refused: there is none.
    """
    path = Path(text.strip().strip("\"'")).expanduser()
    if not text.strip() or not path.exists():
        raise Refused("no_file", path=text.strip()[:200])
    _begin(Chosen(path.resolve(), temporary=False))


def _begin(file: Chosen) -> None:
    drop()
    st.session_state[FILE] = file
    st.session_state[ANSWERS] = {}


def drop() -> None:
    """Forget the file; a copy of an upload is removed."""
    found: Chosen | None = st.session_state.pop(FILE, None)
    st.session_state.pop(ANSWERS, None)
    if found is not None and found.temporary:
        shutil.rmtree(found.path.parent, ignore_errors=True)


def answer(**given: Any) -> None:
    """Keep what the person says about the file."""
    st.session_state[ANSWERS] = {**st.session_state.get(ANSWERS, {}), **given}


def answers() -> Answers:
    """Return all that the person has said about the file."""
    return Answers(**st.session_state.get(ANSWERS, {}))


@st.cache_data(max_entries=8, show_spinner=False)
def inspection(stamp: str, header: bool, _file: Chosen) -> Inspection:
    """Return what the file and each of its columns seem to be.

    Raises:
        NeedsAnswer: the file may or may not name its columns.
        Refused: it holds no table.
    """
    return inspect_file(_file.path, header=header)


@st.cache_data(max_entries=8, show_spinner=False)
def check(stamp: str, said: str, _file: Chosen, _answers: Answers) -> Check:
    """Read the file as saving would, and keep nothing.

    Args:
        stamp: of the file.
        said: the answers as text; with ``stamp`` what the result depends on.

    Raises:
        NeedsAnswer: something can be read in two ways.
        Refused: the file cannot be used.
    """
    return check_file(_file.path, **{item.name: getattr(_answers, item.name) for item in fields(_answers)})


def save(file: Chosen, name: str) -> None:
    """Start the run that makes the dataset."""
    said = answers()
    command = ["ingest", str(file.path), "--name", name, "--timezone", said.timezone]
    for canonical, column in said.mapping.items():
        command += ["--map", f"{canonical}={column}"]
    for option, value in (("date-order", said.date_order), ("decimal", said.decimal), ("currency", said.currency)):
        command += [f"--{option}", value] if value else []
    command += [f"--{said.duplicates}-duplicates"] if said.duplicates else []
    command += [] if said.header else ["--no-header"]
    state.start_job(command, name)
