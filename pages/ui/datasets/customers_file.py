"""The customers file in hand: where it lies, and what its columns were said to be."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.typing import UploadedFile

from clv_core import reader_process
from clv_core.collection.customers import RoleProposal, inspect_customers
from clv_core.scratch import temporary_folder
from pages.ui import received, session
from pages.ui.upload import server_path, uploading

FILE: Final = "customers_file"
HEADER: Final = "customers_header"
ID, OFF, STATIC, DATED = "id", "off", "static", "dated"


@dataclass(frozen=True)
class CustomersFile:
    """A customers file that a person is adding.

    Args:
        path: where it lies.
        folder: our own folder for it, removed afterwards.
    """

    path: Path
    folder: Path


@dataclass(frozen=True)
class Uses:
    """What each column is used as.

    Args:
        customer_id: column of ids; empty: none.
        static: attributes known at any cutoff.
        dated: attribute -> column that says since when it holds.
        contacts: contact field or ``consent`` -> column; an empty column leaves out what was proposed.
    """

    customer_id: str = ""
    static: Sequence[str] = ()
    dated: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)

    def words(self) -> list[str]:
        """Return them as words of the command line; a column that begins with a hyphen stays a column."""
        words = [f"--id={self.customer_id}"] if self.customer_id else []
        for column in self.static:
            words += [f"--static={column}"]
        for column, date in self.dated.items():
            words += [f"--dated={column}={date}"]
        for name, column in self.contacts.items():
            words += [f"--contact={name}={column}"]
        return words


def chosen() -> CustomersFile | None:
    """Return the file in hand; one that has vanished is forgotten."""
    found: CustomersFile | None = st.session_state.get(FILE)
    return found if found is not None and found.path.exists() else None


def take_upload(file: UploadedFile) -> None:
    """Copy an upload to disk and give its memory back."""
    folder = session.workspace().folder("uploads", secrets.token_hex(6))
    (path,) = received.copy([file], folder)
    _begin(CustomersFile(path, folder))
    st.session_state["customers_round"] = st.session_state.get("customers_round", 0) + 1


def take_path(text: str) -> None:
    """Choose a file on the server.

    Raises:
        Denied: the role of who is here does not allow it.
        Refused: there is none that may be chosen.
    """
    _begin(CustomersFile(server_path.checked(text), session.workspace().folder("uploads", secrets.token_hex(6))))


def _begin(file: CustomersFile) -> None:
    drop()
    st.session_state[FILE] = file


def drop() -> None:
    """Forget the file; our copy of an upload is removed."""
    found: CustomersFile | None = st.session_state.pop(FILE, None)
    st.session_state.pop(HEADER, None)
    run = session.followed("customers")
    if run is not None:
        session.unfollow(run)
    if found is not None:
        shutil.rmtree(found.folder, ignore_errors=True)


def answer(header: bool | None) -> None:
    """Keep whether the file names its columns."""
    st.session_state[HEADER] = header


def proposals(path: Path, header: bool | None, events: Path) -> list[RoleProposal]:
    """Return what each column of the file seems to be.

    Args:
        path: the file.
        header: whether it names its columns; None looks.
        events: of the log whose customers they are.

    Raises:
        NeedsAnswer: the file may or may not name its columns.
        Refused: it holds no table.
    """
    return _proposals(uploading.stamp_of(path), header, events, path)


@st.cache_resource(max_entries=8, show_spinner=False)
def _proposals(stamp: str, header: bool | None, events: Path, _path: Path) -> list[RoleProposal]:
    work = session.workspace()
    with temporary_folder("clv-customers-") as folder:
        return reader_process.run(work, _path, inspect_customers, _path, folder, header=header, events=events)
