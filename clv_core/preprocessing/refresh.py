"""A source is read into its dataset: what is new is fetched and read as a file is, and how far that went is kept.

Killed at any moment, the next run fetches from where the last complete one ended: rows that the dataset holds already
are recognised (:mod:`clv_core.collection.merge.overlap`) and not added twice.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from clv_core import audit
from clv_core.collection import Answers, Check, check_file, named_anew
from clv_core.collection.ingest import ingest
from clv_core.collection.merge import WholeOrders, saved_answers
from clv_core.collection.rows import recall
from clv_core.collection.sources import (
    KINDS,
    REPLACE,
    ComparedDays,
    Days,
    Held,
    Pulled,
    Source,
    SourceState,
    check_role,
    load_source,
    load_state,
    save_state,
)
from clv_core.collection.sources.pull import pull
from clv_core.collection.store import Dataset, Manifest, Part, open_dataset, raw_version
from clv_core.collection.vocabulary import LIKELY_NAMES, SURE_NAMES, fold
from clv_core.columns import ORDER_ID
from clv_core.errors import ClvError, Message, NeedsAnswer, NotFound, Refused
from clv_core.jobs import NoProgress, Progress
from clv_core.locks import changing
from clv_core.preprocessing.clean import SourceFiles, append
from clv_core.preprocessing.reconcile import (
    compare,
    compare_files,
    days_of_dataset,
    days_of_files,
    deleted_orders,
    held_of,
)
from clv_core.records import JsonObject
from clv_core.scratch import temporary_folder
from clv_core.workspace import Workspace

PREVIEW_ROWS: Final = 1000
"""Enough to recognise columns and formats; a guess."""
EVERY_NIGHT: Final = ("warning.rows_overlap", "warning.rule_")
"""How the codes of warnings begin that come with each night's load."""


@dataclasses.dataclass(frozen=True)
class Refreshed:
    """What a run of a source did.

    Args:
        manifest: of the dataset's current version.
        rows: fetched from a database; for files, rows read.
        new_rows: that the dataset has more than before.
        files: names of the files that were read.
        seconds: that it took.
        parts: accounting of what it read; none where there was nothing to read.
        warnings: what the run left out, and differences to the source.
        reading_warnings: on the rows that it read, but for those that were told of the run before.
        reconciled: what it compared; None where it compared nothing.
    """

    manifest: Manifest
    rows: int
    new_rows: int
    files: tuple[str, ...]
    seconds: float
    parts: tuple[Part, ...] = ()
    warnings: tuple[Message, ...] = ()
    reading_warnings: tuple[Message, ...] = ()
    reconciled: ComparedDays | None = None


def refresh(
    workspace: Workspace, name: str, *, everything: bool = False, progress: Progress | None = None
) -> Refreshed:
    """Run a source: add what is new to its dataset, or read everything anew where it is replaced; then compare both.

    Args:
        workspace: where the source and its dataset are.
        name: of the source.
        everything: whether all rows are fetched and compared, not those of the look-back alone.
        progress: who listens.

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
            return _run(workspace, source, state, everything, progress or NoProgress(), started)
    except ClvError as error:
        if error.code != "cancelled":
            message = Message(error.code, error.params)
            save_state(workspace, name, dataclasses.replace(state, failed=_now(), error=message))
            audit.note(workspace, "source run", source=name, dataset=source.dataset, outcome="failed")
        raise


def _run(
    workspace: Workspace, source: Source, state: SourceState, everything: bool, progress: Progress, started: float
) -> Refreshed:
    before = _dataset(workspace, source.dataset)
    is_known = before is not None and state.version == before.version and not everything
    previous = state if is_known else SourceState(rows=state.rows)
    raw = None if before is None else raw_version(before)
    existing = Held() if raw is None or not KINDS[source.kind].dialect else held_of(source, raw, previous)
    with temporary_folder("clv-source-") as folder:
        pulled = pull(source, folder, previous, progress, stored=existing)
        if not pulled.paths and before is None:
            raise Refused("source_empty", source=source.name)
        orders = deleted_orders(source, raw, pulled, existing, state)
        parts, told = tuple[Part, ...](), tuple[Message, ...]()
        if pulled.paths:
            manifest, read = _read(workspace, source, pulled, before, orders.whole_orders, progress)
            grown = before is not None and source.grows != REPLACE
            parts = tuple(manifest.parts[-len(pulled.paths) :] if grown else manifest.parts)
            told = new_warnings(raw, manifest.messages, state.told)
        after = open_dataset(workspace, source.dataset)
        not_kept = sum(part.rows_not_kept for part in parts)
        if KINDS[source.kind].dialect:
            compared = compare(source, raw_version(after), pulled, previous, not_kept, progress)
        else:
            compared = compare_files(source, raw_version(after), read if pulled.paths else {}, not_kept)
    rows = pulled.rows or (manifest.rows_read if pulled.paths else 0)
    new_rows = after.manifest.rows_kept - (before.manifest.rows_kept if before is not None else 0)
    seconds = round(time.monotonic() - started, 1)
    warnings = (*pulled.warnings, *orders.messages, *compared.messages)
    done = SourceState(
        version=after.version,
        watermark=pulled.watermark,
        files={**(previous.files if before is not None else {}), **pulled.files},
        refreshed=_now(),
        rows=rows,
        new_rows=new_rows,
        seconds=seconds,
        warnings=warnings,
        reconciled=compared.recorded(),
        gaps=compared.gaps if compared.first else previous.gaps,
        removed=orders.removed,
        role=state.role,
        told=(*state.told, *told) if before is not None and before.version == after.version else (),
    )
    save_state(workspace, source.name, done)
    facts = {"source": source.name, "dataset": source.dataset, "version": after.version}
    audit.note(workspace, "source run", **facts, rows=new_rows, outcome="done")
    files = tuple(pulled.files)
    return Refreshed(after.manifest, rows, new_rows, files, seconds, parts, warnings, told, done.reconciled)


def _read(
    workspace: Workspace,
    source: Source,
    pulled: Pulled,
    before: Dataset | None,
    whole_orders: WholeOrders | None,
    progress: Progress,
) -> tuple[Manifest, Days]:
    """Read what was fetched into the dataset; return its manifest, and rows and amount by day as they were read."""
    paths, answers = list(pulled.paths), dict(source.answers)
    original = source.name if len(paths) == 1 and not pulled.files else ""
    if before is not None and source.grows != REPLACE:
        read: list[Days] = []
        manifest = append(
            workspace,
            source.dataset,
            paths,
            answers=answers_for(saved_answers(before), source.answers),
            progress=progress,
            fetched=SourceFiles(original, whole_orders, lambda files: read.append(days_of_files(files))),
        )
        return manifest, read[0]
    try:
        manifest = ingest(
            workspace, paths, source.dataset, remembered=True, progress=progress, original=original, **answers
        )
    except NotFound as error:
        if error.code != "nothing_remembered":
            raise
        manifest = ingest(workspace, paths, source.dataset, progress=progress, original=original, **answers)
    dataset = open_dataset(workspace, source.dataset)
    return manifest, days_of_dataset(dataset, manifest.timezone)


def new_warnings(before: Dataset | None, messages: Sequence[Message], told: Sequence[Message]) -> tuple[Message, ...]:
    """Return the warnings of a load that the dataset does not have and that were not told, in whichever lines.

    That rows of the look-back come again is none, nor what a cleaning rule takes of all rows.
    """
    known = [_without_lines(message) for message in (*(() if before is None else before.manifest.messages), *told)]
    new = []
    for message in messages:
        if _without_lines(message) in known:
            known.remove(_without_lines(message))
        elif before is None or not message.code.startswith(EVERY_NIGHT):
            new.append(message)
    return tuple(new)


def _without_lines(message: Message) -> Message:
    return Message(message.code, {name: value for name, value in message.params.items() if name != "first"})


def answers_for(saved: Answers, answers: JsonObject) -> Answers:
    """Return how a file is read: as was saved, but for new answers, which add to saved events and states."""
    given = {key: value for key, value in answers.items() if value not in (None, "", {})}
    for key in {"events", "states", "rows"} & given.keys():
        given[key] = {**getattr(saved, key), **given[key]}
    return dataclasses.replace(saved, **given)


def said_of(source: Source, **given: Any) -> Source:
    """Return a source with further answers on how it is read; a column that is mapped anew loses its former mapping."""
    before = Answers(**source.answers)
    if "mapping" in given:
        given["mapping"] = named_anew(before.mapping, given["mapping"])
    after = answers_for(before, given).to_json()
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
    answers = dict(source.answers)
    if not answers and path.suffix == ".parquet":
        saved = recall(workspace, pq.read_schema(path).names)
        answers = {} if saved is None else saved.to_json()
    return check_file(path, original=source.name if path.suffix == ".parquet" else path.name, **answers)


def note_role(workspace: Workspace, source: Source) -> list[Message]:
    """Look at what a source's role may do (:func:`clv_core.collection.sources.check_role`), keep and return it."""
    warnings = check_role(source)
    state = load_state(workspace, source.name)
    save_state(workspace, source.name, dataclasses.replace(state, role=tuple(warnings)))
    return warnings


def with_order_column(source: Source) -> Source:
    """Return a source that can fetch orders with all their lines: with the column of their numbers by its name.

    Nothing is looked for where every run fetches everything, or where the source cannot be reached.

    Raises:
        NeedsAnswer: no column has such a name.
    """
    if not source.time_column or source.order_column or source.grows == REPLACE:
        return source
    try:
        names, _ = columns(source)
    except ClvError:
        return source
    named = source.answers.get("mapping", {}).get(ORDER_ID, "")
    candidates = (
        [named] if named else [column for column in names if (SURE_NAMES | LIKELY_NAMES).get(fold(column)) == ORDER_ID]
    )
    if not candidates:
        raise NeedsAnswer("source_order_column", source=source.name, columns=names)
    return dataclasses.replace(source, order_column=candidates[0])


def columns(source: Source) -> tuple[list[str], list[str]]:
    """Return the columns of a source, and the names of its files; for testing whether it can be read.

    Raises:
        ClvError: it cannot be reached, or is not a table.
    """
    with temporary_folder("clv-source-") as folder:
        pulled = pull(source, folder, SourceState(), NoProgress(), limit=1)
        tables = [path for path in pulled.paths if path.suffix == ".parquet"]
        return (pq.read_schema(tables[0]).names if tables else []), list(pulled.files)


def _dataset(workspace: Workspace, name: str) -> Dataset | None:
    try:
        return open_dataset(workspace, name)
    except NotFound:
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
