"""Next month's file joins a dataset: read as the dataset was, without the rows that it holds already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from clv_core.collection.customers import recount
from clv_core.collection.engine import connect_memory
from clv_core.collection.ingest import describe, scratch_folder
from clv_core.collection.mapping.answers import Answers
from clv_core.collection.parse.pseudonyms import load_key
from clv_core.collection.privacy.erased_customers import exclude_erased
from clv_core.collection.readings.alike import ask_currency, ask_unit, habit_of, read_alike
from clv_core.collection.readings.duplicates import have_identity
from clv_core.collection.readings.unite import unite
from clv_core.collection.readings.united import LogPart
from clv_core.collection.stored.store import (
    CUSTOMERS,
    MANIFEST,
    Dataset,
    Manifest,
    derive,
    derive_aside,
    open_dataset,
    version_of,
)
from clv_core.errors import Message, Refused
from clv_core.jobs import NoProgress, Progress
from clv_core.locks import changes
from clv_core.workspace import Workspace, read_json


def saved_answers(dataset: Dataset) -> Answers:
    """Return what was said about a dataset's file and holds for the next one too.

    Date order, decimal mark, encoding, sheet and currency are left open: the next file shows its own, and the dataset's
    are taken only where it does not. What repeats is dropped or kept as it was in the dataset; a column that was said
    not to be what its name says is not taken for it again.
    """
    manifest = dataset.manifest
    said = Answers(**manifest.answers) if manifest.answers else Answers(timezone=manifest.timezone)
    duplicates = said.duplicates or _own_rule(dataset)
    refused = {canonical: column for canonical, column in said.mapping.items() if not column}
    said = replace(said, date_order=None, decimal=None, currency="", encoding="", sheet="")
    return replace(said, mapping=refused, duplicates=duplicates)


@changes
def append(
    workspace: Workspace,
    name: str,
    source: Path | Sequence[Path],
    *,
    answers: Answers | None = None,
    progress: Progress | None = None,
    original: str = "",
    aside: bool = False,
) -> Manifest:
    """Append one file or several to the dataset ``name`` and return the manifest of the new version.

    Rows that the dataset holds already (:mod:`clv_core.collection.readings.overlap`) count as duplicates and as
    ``rows_overlap``; rows of orders that the file tells otherwise (:mod:`clv_core.collection.readings.restated`) take
    the place of the old ones. Columns are read as they were in the dataset; new ones are NULL in the old rows, missing
    ones in the new rows. Where cleaning rules are on, the files join the raw version: the rules have to be applied
    again (:func:`clv_core.pipeline.append` does). The customers table stays.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        source: a file or several, each as :func:`~clv_core.collection.ingest.ingest` takes it.
        answers: what the person said about the files, a mapping only where it differs; None: :func:`saved_answers`.
        progress: who listens.
        original: what the person calls the file, where it is not the path's name.
        aside: whether the new version is stored without becoming the current one.

    Returns:
        The manifest. Where all rows are held already, no version is made: it then says what became of the file's rows,
        under the current version, with the warning ``nothing_new``, or ``nothing_taken_out`` where the files have no
        rows but of orders that are out already.

    Raises:
        NotFound: there is no such dataset.
        NeedsAnswer: something can be read in two ways, or the file's currency is not the dataset's.
        Refused: a file cannot be used, or lacks a column, or another run is changing the dataset; it stays as it was.
    """
    listener = progress or NoProgress()
    current = open_dataset(workspace, name)
    raw, table = _raw(current), current.manifest.customers_table
    given = saved_answers(raw) if answers is None else answers
    paths = [source] if isinstance(source, Path) else list(source)
    with scratch_folder(workspace) as scratch:
        parts = []
        for number, path in enumerate(paths, 1):
            folder = scratch / f"file-{number}"
            folder.mkdir()
            parts.append(_read(workspace, raw, path, given, folder, listener, original if len(paths) == 1 else ""))
        whole = unite([LogPart.of(raw), *parts], scratch, listener, always=False, overlap=given.overlap)
        if whole.events == raw.events_path:
            said = [*whole.manifest.warnings, _nothing(parts).coded()]
            return replace(whole.manifest, version=current.version, warnings=said)
        manifest = replace(
            whole.manifest,
            version=version_of(whole.manifest.version, current.version),
            made="append",
            parent=current.version,
            raw_version="",
            rules={},
            customers_table=table and recount(current.customers_path, whole.events, table),
        )
        files_new = {"events": whole.events, "set_aside": whole.set_aside}
        files_new |= {"withdrawn": whole.withdrawn} if whole.withdrawn is not None else {}
        if table is not None:
            os.link(current.customers_path, scratch / CUSTOMERS)
            files_new["customers"] = scratch / CUSTOMERS
        (derive_aside if aside else derive)(raw, manifest, **files_new)
    return manifest


def _raw(dataset: Dataset) -> Dataset:
    """Return the version without cleaning rules."""
    version = dataset.manifest.raw_version
    if not version:
        return dataset
    folder = dataset.folder.parent / version
    if not (folder / MANIFEST).exists():
        raise Refused("no_raw_version", name=dataset.name, version=version)
    return Dataset(folder, replace(Manifest.from_json(read_json(folder / MANIFEST)), name=dataset.name))


def _read(
    workspace: Workspace,
    dataset: Dataset,
    path: Path,
    answers: Answers,
    scratch: Path,
    progress: Progress,
    original: str,
) -> LogPart:
    manifest = dataset.manifest
    key = load_key(workspace, manifest.key_fingerprint) if manifest.pseudonymised else None
    habit = replace(habit_of(manifest), events=(dataset.events_path,))
    reading, used = read_alike(path, answers, habit, scratch, progress, original=original, key=key)
    ask_currency(manifest, reading, answers)
    ask_unit(dataset.events_path, reading, answers)
    part = LogPart(describe(reading, dataset.name, used), reading.events, reading.set_aside, reading.withdrawn)
    return exclude_erased(workspace, part, scratch / "left", progress)


def _nothing(parts: Sequence[LogPart]) -> Message:
    """Return what is said where files bring nothing: their rows are held already, or all their orders are out."""
    rows = sum(part.manifest.rows_kept for part in parts)
    code = "warning.nothing_new" if rows else "warning.nothing_taken_out"
    return Message(code, {"file": [part.manifest.source for part in parts], "rows": rows})


def _own_rule(dataset: Dataset) -> str:
    """Return whether rows that repeat are dropped, by the rule of a dataset for which nothing was said."""
    manifest = dataset.manifest
    if any(item["code"] == "warning.duplicates_of_totals" for item in manifest.warnings):
        return "keep"
    with connect_memory() as connection:
        named = have_identity(connection, dataset.events_path, manifest.columns, manifest.timezone)
    return "drop" if named else "keep"
