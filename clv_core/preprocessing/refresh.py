"""A source is read into its dataset: what is new is fetched and read as a file is, and how far that went is kept.

Killed at any moment, the next run fetches from where the last complete one ended: rows that the dataset holds already
are recognised (:mod:`clv_core.collection.merge.overlap`) and not added twice.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from clv_core import audit
from clv_core.collection.answers import Answers, named_anew
from clv_core.collection.check import Check, check_file
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import saved_answers
from clv_core.collection.rows.read_settings import answers_json
from clv_core.collection.rows.remembered_settings import recall
from clv_core.collection.sources import (
    REPLACE,
    Pulled,
    Source,
    SourceState,
    check_role,
    load_source,
    load_state,
    pull,
    save_state,
)
from clv_core.collection.store.version_store import Manifest, open_dataset
from clv_core.errors import ClvError, Message, NotFound, Refused
from clv_core.jobs import NoProgress, Progress
from clv_core.locks import changing
from clv_core.preprocessing.clean import append
from clv_core.scratch import temporary_folder
from clv_core.workspace import Workspace

PREVIEW_ROWS: Final = 1000


@dataclasses.dataclass(frozen=True)
class Refreshed:
    """What a run of a source did.

    Args:
        manifest: of the dataset's current version.
        rows: fetched from a database; for files, rows read.
        new_rows: that the dataset has more than before.
        files: names of the files that were read.
        seconds: that it took.
        warnings: what the run left out.
    """

    manifest: Manifest
    rows: int
    new_rows: int
    files: tuple[str, ...]
    seconds: float
    warnings: tuple[Message, ...] = ()


def refresh(workspace: Workspace, name: str, *, progress: Progress | None = None) -> Refreshed:
    """Run a source: add what is new to its dataset, or read everything anew where it is replaced.

    Raises:
        NotFound: there is no such source.
        NeedsAnswer: something can be read in two ways.
        Refused: another run changes the dataset, or what came cannot be read; the dataset stays as it was.
        ClvError: the source cannot be reached.
    """
    source, started = load_source(workspace, name), time.monotonic()
    state = load_state(workspace, name)
    try:
        with changing(workspace, source.dataset):
            return _run(workspace, source, state, progress or NoProgress(), started)
    except ClvError as error:
        if error.code != "cancelled":
            said = {"code": error.code, "params": error.params}
            save_state(workspace, name, dataclasses.replace(state, failed=_now(), error=said))
            audit.note(workspace, "source run", source=name, dataset=source.dataset, outcome="failed")
        raise


def _run(workspace: Workspace, source: Source, state: SourceState, progress: Progress, started: float) -> Refreshed:
    before = _manifest(workspace, source.dataset)
    known = state if before is not None and state.version == before.version else SourceState(rows=state.rows)
    with temporary_folder("clv-source-") as folder:
        pulled = pull(source, folder, known, progress)
        if not pulled.paths and before is None:
            raise Refused("source_empty", source=source.name)
        manifest = before
        if pulled.paths:
            manifest = _read(workspace, source, pulled, before, progress)
    after = open_dataset(workspace, source.dataset).manifest
    rows = pulled.rows or (manifest.rows_read if manifest is not None and pulled.paths else 0)
    new_rows = after.rows_kept - (before.rows_kept if before is not None else 0)
    seconds = round(time.monotonic() - started, 1)
    files = {} if before is None else dict(known.files)
    warnings = [message.coded() for message in pulled.warnings]
    done = SourceState(after.version, pulled.watermark, {**files, **pulled.files}, _now(), rows, new_rows, seconds)
    save_state(workspace, source.name, dataclasses.replace(done, warnings=warnings, role=state.role))
    facts = {"source": source.name, "dataset": source.dataset, "version": after.version}
    audit.note(workspace, "source run", **facts, rows=new_rows, outcome="done")
    return Refreshed(after, rows, new_rows, tuple(pulled.files), seconds, pulled.warnings)


def _read(
    workspace: Workspace, source: Source, pulled: Pulled, before: Manifest | None, progress: Progress
) -> Manifest:
    paths = list(pulled.paths)
    original = source.name if len(paths) == 1 and not pulled.files else ""
    if before is None or source.grows == REPLACE:
        said: dict[str, Any] = dict(source.answers)
        try:
            return ingest(
                workspace, paths, source.dataset, remembered=True, progress=progress, original=original, **said
            )
        except NotFound as error:
            if error.code != "nothing_remembered":
                raise
        return ingest(workspace, paths, source.dataset, progress=progress, original=original, **said)
    answers = answers_for(saved_answers(open_dataset(workspace, source.dataset)), source.answers)
    return append(workspace, source.dataset, paths, answers=answers, progress=progress, original=original)


def answers_for(saved: Answers, said: Mapping[str, Any]) -> Answers:
    """Return how a file is read: as was saved, but for what was said, which adds to saved events and states."""
    given = {key: value for key, value in said.items() if value not in (None, "", {})}
    for key in {"events", "states"} & given.keys():
        given[key] = {**getattr(saved, key), **given[key]}
    return dataclasses.replace(saved, **given)


def said_of(source: Source, **given: Any) -> Source:
    """Return a source with more said of how it is read; a column that is named anew is no longer what it was."""
    before = Answers(**source.answers)
    if "mapping" in given:
        given["mapping"] = named_anew(before.mapping, given["mapping"])
    after: dict[str, Any] = answers_json(answers_for(before, given))
    return dataclasses.replace(source, answers={key: after[key] for key in [*source.answers, *given]})


def sample(source: Source, folder: Path, progress: Progress | None = None) -> Path:
    """Fetch the first rows of a source, or its newest file, into an empty folder and return the file.

    Raises:
        Refused: it holds nothing, or is no table.
        ClvError: it cannot be reached.
    """
    pulled = pull(source, folder, SourceState(), progress or NoProgress(), limit=PREVIEW_ROWS)
    if not pulled.paths:
        raise Refused("source_empty", source=source.name)
    return pulled.paths[0]


def check_sample(workspace: Workspace, source: Source, path: Path) -> Check:
    """Return how a file of :func:`sample` would be read; nothing is stored.

    Raises:
        NeedsAnswer: something can be read in two ways.
        Refused: it cannot be used.
    """
    said = dict(source.answers)
    if not said and path.suffix == ".parquet":
        known = recall(workspace, pq.read_schema(path).names)
        said = {} if known is None else answers_json(known)
    return check_file(path, original=source.name if path.suffix == ".parquet" else path.name, **said)


def note_role(workspace: Workspace, source: Source) -> list[Message]:
    """Look at what a source's role may do (:func:`clv_core.collection.sources.check_role`), keep and return it."""
    found = check_role(source)
    state = load_state(workspace, source.name)
    role = [message.coded() for message in found]
    save_state(workspace, source.name, dataclasses.replace(state, role=role))
    return found


def columns(source: Source) -> tuple[list[str], list[str]]:
    """Return the columns of a source, and the names of its files; for testing whether it can be read.

    Raises:
        ClvError: it cannot be reached, or is not a table.
    """
    with temporary_folder("clv-source-") as folder:
        pulled = pull(source, folder, SourceState(), NoProgress(), limit=1)
        tables = [path for path in pulled.paths if path.suffix == ".parquet"]
        return (pq.read_schema(tables[0]).names if tables else []), list(pulled.files)


def _manifest(workspace: Workspace, name: str) -> Manifest | None:
    try:
        return open_dataset(workspace, name).manifest
    except NotFound:
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
