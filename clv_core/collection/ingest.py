"""A file becomes a dataset: read as text, mapped, typed, accounted for, stored. A failure leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Unpack

from clv_core.collection.answers import Answers, Said
from clv_core.collection.inspect import inspect_file
from clv_core.collection.merge.merging import merge_logs
from clv_core.collection.parse.id_texts import load_key
from clv_core.collection.privacy.erased_customers import exclude_erased
from clv_core.collection.rows.log_loader import LoadedFile
from clv_core.collection.rows.read_settings import (
    ReadSettings,
    ask_money,
    load_with_settings,
    part_of,
    read_settings_of,
)
from clv_core.collection.rows.remembered_settings import completed, recalled, remember
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.store.manifest import SampledFrom, replacement_warnings
from clv_core.collection.store.version_store import Manifest, open_dataset, save_dataset
from clv_core.collection.vocabulary.column_names import SURE_NAMES, fold
from clv_core.columns import CUSTOMER_ID, ORDER_ID, PRODUCT_ID, READ
from clv_core.errors import ClvError, Message, NeedsAnswer, NotFound, Refused
from clv_core.jobs import NoProgress, Progress
from clv_core.locks import changing, running
from clv_core.scratch import READING, own_folder
from clv_core.workspace import Workspace, check_name


def ingest(
    workspace: Workspace,
    source: Path | Sequence[Path],
    name: str,
    *,
    remembered: bool = False,
    pseudonymise: bool = False,
    progress: Progress | None = None,
    original: str = "",
    sampled: SampledFrom | None = None,
    like: ReadSettings | None = None,
    **settings: Unpack[Said],
) -> Manifest:
    """Read ``source`` into the dataset ``name`` and return its manifest.

    Several files are read one by one with the same options; each is then appended to those before it, rows that these
    hold already being left out (:mod:`clv_core.collection.merge.overlap`).

    Args:
        workspace: where the dataset is stored.
        source: CSV or other delimited text, XLSX, JSON lines, Parquet (a file or a folder), also gzipped or zipped; or
            several of these.
        name: the dataset's name; a dataset of this name gets a new version.
        remembered: whether the answers about an earlier file of the same shape hold where none are given here.
        pseudonymise: whether ids and contact fields become keyed hashes (:mod:`clv_core.collection.parse.id_texts`).
        progress: who listens.
        original: what the person calls the file, where it is not the path's name; of one file only.
        sampled: what the source is a sample of, where it is one.
        like: how an earlier log was read, which the source is read like; it need then hold neither purchases nor
            several customers.
        settings: fields of :class:`~clv_core.collection.answers.Answers` that overrule the proposal. Without
            ``timezone`` it is the remembered one, or UTC; without ``duplicates``,
            the rule: exact repetitions are dropped where most rows carry an order or event id or a time of day.

    Raises:
        NeedsAnswer: something can be read in two ways; the message names the option that settles it.
        Refused: a file cannot be used, or another run is changing the dataset; nothing is left behind.
        UsageError: there is no such encoding.
        NotFound: ``remembered``, and no file of this shape is.
    """
    name, listener = check_name(name), progress or NoProgress()
    paths = [source] if isinstance(source, Path) else list(source)
    key = load_key(workspace) if pseudonymise else None
    part = len(paths) > 1 or like is not None
    files = _Files(
        workspace, name, Answers(**settings), remembered, "timezone" in settings, key, part, like or ReadSettings()
    )
    with changing(workspace, name), scratch_folder(workspace) as scratch:
        for path in paths:
            try:
                files.read(path, scratch, listener, original if len(paths) == 1 else "")
            except (NeedsAnswer, Refused) as error:
                refuse_tables(paths, error, files.answers)
                raise
        merged = (
            files.parts[0]
            if len(paths) == 1
            else merge_logs(files.parts, scratch, listener, overlap=files.answers.overlap)
        )
        manifest = merged.manifest if sampled is None else replace(merged.manifest, sampled=sampled)
        manifest = replace(manifest, warnings=[*manifest.warnings, *_lost(workspace, manifest)])
        save_dataset(workspace, manifest, merged.events, merged.rejected, voided=merged.voided)
    for columns, (answers, read_in) in files.shapes.items():
        remember(workspace, columns, answers, read_in)
    return manifest


@dataclass
class _Files:
    """The files of one log, read one by one: each as the first was, unless the answers differ.

    Args:
        workspace: where answers are remembered and erased customers listed.
        name: the dataset's.
        answers: those that hold for all files.
        remembered: whether the answers about an earlier file of the same shape hold.
        zoned: whether a time zone was given.
        key: of pseudonyms; None: ids stay.
        part: whether each is read as a part of a log, not as one by itself.
        like: how a log before them was read.
        parts: what has been read.
        shapes: columns of a file -> what is to be remembered of files like it, and its encoding.
    """

    workspace: Workspace
    name: str
    answers: Answers
    remembered: bool
    zoned: bool
    key: bytes | None
    part: bool
    like: ReadSettings
    parts: list[LogFiles] = field(default_factory=list)
    shapes: dict[tuple[str, ...], tuple[Answers, str]] = field(default_factory=dict)

    def read(self, path: Path, scratch: Path, progress: Progress, original: str) -> None:
        """Read one more file in a folder of its own under ``scratch``.

        Raises:
            NeedsAnswer: something can be read in two ways, or its currency is not that of the first.
            Refused: it cannot be used.
            NotFound: no file of this shape is remembered.
        """
        folder = scratch / f"file-{len(self.parts) + 1}"
        folder.mkdir()
        answers, habit = self.answers, self.like
        if self.remembered:
            answers, habit = recalled(self.workspace, path, answers, folder, original, zoned=self.zoned)
        elif self.parts:
            habit = replace(
                read_settings_of(self.parts[0].manifest), mapping={}, events=tuple(part.events for part in self.parts)
            )
        reading = load_with_settings(
            path, answers, habit, folder, progress, original=original, key=self.key, part=self.part
        )
        if self.parts:
            ask_money(self.parts[0], reading, answers)
        part = LogFiles(describe(reading, self.name), reading.events, reading.rejected, reading.voided)
        self.parts.append(exclude_erased(self.workspace, part, folder / "left", progress))
        remembered = completed(answers, habit) if self.remembered else self.answers
        self.shapes[reading.source.columns] = remembered, reading.source.encoding


def _lost(workspace: Workspace, manifest: Manifest) -> list[Message]:
    """Return warnings of what the dataset of this name had and no longer has, none where there is no such dataset."""
    try:
        before = open_dataset(workspace, manifest.name).manifest
    except NotFound:
        return []
    return replacement_warnings(before, manifest)


@contextmanager
def scratch_folder(workspace: Workspace) -> Iterator[Path]:
    """Yield a folder on the workspace's disk that is removed whatever happens: after a kill, by the next run."""
    with running(workspace), own_folder(workspace, "datasets", READING) as folder:
        yield folder


def describe(reading: LoadedFile, name: str) -> Manifest:
    """Return the manifest of ``reading`` as the dataset ``name``."""
    sums, plan, answers = reading.summary, reading.profile.plan, reading.answers
    return Manifest(
        name=name,
        version=reading.version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=reading.source.file,
        timezone=answers.timezone,
        currency=reading.profile.currency,
        columns=plan.stored,
        mapping={key: column for key, column in plan.column_of.items() if key in READ},
        rows_read=reading.rows_read,
        rows_set_aside=reading.rows_rejected,
        rows_duplicate=reading.rows_duplicate,
        **sums.recorded(),
        warnings=list(reading.warnings),
        parts=[part_of(reading)],
        answers=answers,
        pseudonymised=bool(reading.key_fingerprint),
        key_fingerprint=reading.key_fingerprint,
    )


KEYS: Final = (ORDER_ID, CUSTOMER_ID, PRODUCT_ID)
"""Columns that tables of a shop's database are joined on, the most likely first."""
LACKING: Final = (
    *("missing_column", "missing_columns", "which_amount", "no_amount", "mapped_column_missing"),
    *("customers_masked", "no_time_column"),
)
"""Codes of errors of a file that lacks what another table may hold."""


def refuse_tables(paths: Sequence[Path], error: ClvError, answers: Answers) -> None:
    """Refuse files of other columns that share ids, where one of them lacks what an event needs.

    Args:
        paths: the files that were to be read as one log.
        error: why one of them cannot be read.
        answers: those that hold for all of them.

    Raises:
        Refused: they are tables to be joined.
    """
    if len(paths) < 2 or error.code not in LACKING:
        return
    seen = [inspect_file(path, header=answers.header, encoding=answers.encoding, sheet=answers.sheet) for path in paths]
    tables = [{fold(item.column): item.column for item in table.columns} for table in seen]
    lacking = next((at for at, path in enumerate(paths) if path.name == error.params.get("file")), 0)
    different = [at for at in range(len(paths)) if at != lacking and set(tables[at]) != set(tables[lacking])]
    for key in KEYS:
        for at in different:
            shared = [name for name in tables[lacking] if name in tables[at] and SURE_NAMES.get(name) == key]
            if shared:
                params = {"file": paths[lacking].name, "other": paths[at].name, "column": tables[lacking][shared[0]]}
                raise Refused("files_to_join", **params) from error
