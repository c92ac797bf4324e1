"""From files to a dataset on the upload page: the files in hand, the answers about them, and the runs on them."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import streamlit as st
from streamlit.typing import UploadedFile

from clv_core import jobs, reader_process
from clv_core.collection import (
    Answers,
    Check,
    Inspection,
    check_file,
    inspect_file,
    load_check,
    named_anew,
    option_words,
)
from clv_core.collection.infer import EventName
from clv_core.collection.infer.event_names import event_names
from clv_core.collection.read import sheet_titles
from clv_core.collection.store import SET_ASIDE
from clv_core.upkeep import CURRENCY, NAME, SAMPLE
from pages.ui import progress, received, session
from pages.ui.cache import cached
from pages.ui.upload import drafts

FILE: Final = "upload_file"
ANSWERS: Final = "upload_answers"
ROUND: Final = "upload_answer_round"
CHECKS: Final = "upload_checks"
RESTORED: Final = "upload_restored"
"""Whether the files in hand were found as a draft; absent until it was looked for."""
CHECKED_HERE_BYTES: Final = 20_000_000
"""Larger files are checked by a run of its own: the page stays free, and the server's memory as it was."""


@dataclass(frozen=True)
class FilesInHand:
    """The files that a person is turning into a dataset.

    Args:
        paths: where they lie, at least one.
        folder: our own folder for it: copies of uploads, and checks; removed afterwards.
    """

    paths: tuple[Path, ...]
    folder: Path

    @property
    def path(self) -> Path:
        """The first file: answers about its columns apply to all."""
        return self.paths[0]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size_of(path) for path in self.paths)

    @property
    def name(self) -> str:
        """A dataset name made from the first file's."""
        if self.path == SAMPLE:
            return NAME
        stem = re.sub(r"[^\w .-]+|^[\W_]+", " ", self.path.name.split(".")[0]).strip()
        return stem[:64].strip(" .") or "log"


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    if path.is_dir():
        return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    return path.stat().st_size


def chosen() -> FilesInHand | None:
    """Return the files in hand; where one has vanished, they are forgotten."""
    file: FilesInHand | None = st.session_state.get(FILE)
    return file if file is not None and all(path.exists() for path in file.paths) else None


def take_uploads(files: Sequence[UploadedFile]) -> None:
    """Copy uploads to disk, give their memory back, and forget the widget that held them."""
    folder = received.new_folder()
    _begin(FilesInHand(received.copy(files, folder), folder))
    st.session_state["upload_round"] = st.session_state.get("upload_round", 0) + 1


def take_path(text: str) -> None:
    """Choose a file or a folder of Parquet files on the server.

    Raises:
        Denied: the role of who is here does not allow it.
        Refused: there is none that may be chosen.
    """
    _begin(FilesInHand((received.checked_path(text),), received.new_folder()))


def take_shipped(path: Path = SAMPLE) -> FilesInHand:
    """Choose a file of the sample, set its currency, and return it."""
    file = FilesInHand((path,), received.new_folder())
    _begin(file)
    answer(currency=CURRENCY)
    return file


def _begin(file: FilesInHand) -> None:
    drop()
    st.session_state[FILE] = file
    _keep()


def restore() -> None:
    """Take up the person's draft, once in a session that has no files in hand."""
    if RESTORED in st.session_state:
        return
    st.session_state[RESTORED] = False
    draft = None if FILE in st.session_state else drafts.latest()
    if draft is not None:
        folder, paths, given = draft
        st.session_state[FILE] = FilesInHand(paths, folder)
        st.session_state[ANSWERS] = given
        st.session_state[RESTORED] = True


def is_restored() -> bool:
    """Return whether the files in hand were found as a draft."""
    return bool(st.session_state.get(RESTORED))


def _keep() -> None:
    file = chosen()
    if file is not None:
        drafts.keep(file.folder, file.paths, st.session_state.get(ANSWERS, {}))


def leave_out(file: FilesInHand, path: Path) -> None:
    """Go on without one of several files; our copy of it is removed."""
    st.session_state[FILE] = replace(file, paths=tuple(other for other in file.paths if other != path))
    if path.parent == file.folder:
        path.unlink(missing_ok=True)
    revise_answers()


def drop() -> None:
    """Forget the files; our copies of uploads and the checks are removed, and a check that runs is stopped."""
    stop_checks()
    st.session_state.pop(CHECKS, None)
    run = session.followed("ingest")
    if run is not None:
        session.unfollow(run)
    file: FilesInHand | None = st.session_state.pop(FILE, None)
    st.session_state.pop(ANSWERS, None)
    st.session_state[RESTORED] = False
    if file is not None:
        shutil.rmtree(file.folder, ignore_errors=True)


def answer(**given: Any) -> None:
    """Store answers about the file; in another encoding, on another sheet or by another recipe, its columns
    are others.
    """
    current = answers()
    if any(
        given.get(what, getattr(current, what)) != getattr(current, what) for what in ("encoding", "sheet", "recipe")
    ):
        given = {"mapping": {}, **given}
    st.session_state[ANSWERS] = {**st.session_state.get(ANSWERS, {}), **given}
    _keep()


def is_answered(what: str) -> bool:
    """Return whether the person, or the page for them, has answered one thing."""
    return what in st.session_state.get(ANSWERS, {})


def revise_answers(**given: Any) -> None:
    """Keep an answer that was not given in the table of columns; the table is drawn anew from it.

    A column that is named anew is no longer what it was named before.
    """
    current = answers()
    for key in ("events", "states", "rows"):
        if key in given:
            given[key] = {**getattr(current, key), **given[key]}
    if "mapping" in given:
        given["mapping"] = named_anew(current.mapping, given["mapping"])
    answer(**given)
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def answers() -> Answers:
    """Return all answers about the file."""
    return Answers(**st.session_state.get(ANSWERS, {}))


def inspection(path: Path, header: bool | None = None) -> Inspection:
    """Return what the file and each of its columns seem to be, read with the answers so far.

    Args:
        path: the file.
        header: whether it names its columns; None uses the answer.

    Raises:
        NeedsAnswer: the file may or may not name its columns.
        Refused: it holds no table, its bytes show no encoding, or not the one that was answered.
    """
    current = answers()
    header = current.header if header is None else header
    return _inspection(path, header, current.encoding, current.sheet, current.recipe)


def columns(path: Path) -> list[str]:
    """Return the names of a file's columns; raises as :func:`inspection` does."""
    return [item.column for item in inspection(path).columns]


@cached(32)
def _inspection(path: Path, header: bool | None, encoding: str, sheet: str, recipe: str) -> Inspection:
    look = partial(inspect_file, path, header=header, encoding=encoding, sheet=sheet, recipe=recipe)
    return reader_process.run(session.workspace(), path, look)


def names(path: Path, column: str, money: str) -> tuple[EventName, ...]:
    """Return the file's names of events, with their meanings before any answer."""
    current = answers()
    return _names(path, column, money, current.header, current.encoding, current.sheet)


@cached(8)
def _names(
    path: Path, column: str, money: str, header: bool | None, encoding: str, sheet: str
) -> tuple[EventName, ...]:
    read = partial(event_names, path, column, {}, header=header, money=money, encoding=encoding, sheet=sheet)
    return reader_process.run(session.workspace(), path, read)


@cached(32)
def sheets(path: Path) -> list[str]:
    """Return the names of the sheets of a workbook, none of another file."""
    return reader_process.run(session.workspace(), path, sheet_titles, path)


def check(file: FilesInHand, path: Path) -> Check | jobs.Job:
    """Return what one of the files would become, or the run that finds out.

    Raises:
        NeedsAnswer: something can be read in two ways.
        Refused: the file cannot be used.
    """
    out = check_folder(file, path)
    if size_of(path) <= CHECKED_HERE_BYTES and out.name not in st.session_state.get(CHECKS, {}):
        return _check(str(out), path, answers())
    job = start_check(file, path)
    return _loaded(str(out)) if job.status().state == jobs.DONE else job


def start_check(file: FilesInHand, path: Path) -> jobs.Job:
    """Return the run that finds out what one of the files would become."""
    out = check_folder(file, path)
    return _check_job(out.name, ["check", str(path), "--out", str(out), *option_words(answers())], path.name)


def check_folder(file: FilesInHand, path: Path) -> Path:
    """Return the folder of one file's check with the answers so far."""
    file_now = path.stat()
    about = f"{path}:{file_now.st_size}:{file_now.st_mtime_ns}{answers()!r}"
    return file.folder / f"check-{hashlib.sha256(about.encode()).hexdigest()[:12]}"


@cached(8)
def _check(out: str, _path: Path, _answers: Answers) -> Check:
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    current = {item.name: getattr(_answers, item.name) for item in fields(_answers)}
    return reader_process.run(session.workspace(), _path, check_file, _path, **current, set_aside=folder / SET_ASIDE)


@cached(8)
def _loaded(folder: str) -> Check:
    return load_check(Path(folder))


def _check_job(key: str, command: list[str], label: str) -> jobs.Job:
    """Return the run of this check; it is started once, and checks with earlier answers are stopped."""
    started: dict[str, str] = st.session_state.setdefault(CHECKS, {})
    if key not in started:
        stop_checks()
        started[key] = progress.start_job(command, label).id
    return jobs.find(session.workspace(), started[key])


def stop_checks() -> None:
    """Stop and forget the checks that still run; finished results stay."""
    started: dict[str, str] = st.session_state.get(CHECKS, {})
    for key, job_id in list(started.items()):
        job = jobs.find(session.workspace(), job_id)
        if job.status().is_running:
            job.cancel()
            del started[key]


def reads(job: jobs.Job) -> bool:
    """Return whether a run is about the files in hand."""
    file = chosen()
    return file is not None and str(file.path) in job.status().args


def save(file: FilesInHand, name: str, *more: str) -> None:
    """Start the run that makes the dataset, or a new version of it."""
    stop_checks()
    progress.start_job(["ingest", *map(str, file.paths), "--name", name, *option_words(answers()), *more], name)
    drafts.forget(file.folder)


def restart(job: jobs.Job, **given: Any) -> None:
    """Restart a run with an answer to its question; the answer is stored for the file in hand too."""
    status, file = job.status(), chosen() if reads(job) else None
    if file is not None:
        revise_answers(**given)
    progress.start_job([*status.args, *option_words(Answers(**given))], status.label)
    job.dismiss()
    if file is not None:
        drafts.forget(file.folder)
