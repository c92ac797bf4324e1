"""A dataset grows by next month's file, or becomes one with others.

:func:`append` reads a file as the dataset was read, and adds it without the rows that are there already.
:func:`combine` makes a new dataset of several: the rows of each after its cleaning rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from clv_core.collection.answers import Answers
from clv_core.collection.customers.reading import carry_over
from clv_core.collection.engine import connect_memory, file_text, text
from clv_core.collection.engine import name as quoted
from clv_core.collection.ingest import describe, scratch_folder
from clv_core.collection.merge.merging import merge_logs
from clv_core.collection.merge.order_updates import WholeOrders, without_their_voids
from clv_core.collection.parse.id_texts import load_key
from clv_core.collection.privacy.erased_customers import exclude_erased
from clv_core.collection.recipes import NONE
from clv_core.collection.rows.duplicates import has_event_ids
from clv_core.collection.rows.read_settings import (
    ask_money,
    load_with_settings,
    one_part,
    read_settings_of,
)
from clv_core.collection.rows.rejected_rows import EXAMPLES, first_lines
from clv_core.collection.store.dataset import LogFiles
from clv_core.collection.store.version_store import (
    Dataset,
    Manifest,
    derive,
    open_dataset,
    raw_version,
    save_dataset,
    version_of,
)
from clv_core.errors import Message, Refused, UsageError
from clv_core.jobs import NoProgress, Progress
from clv_core.locks import changes, changing
from clv_core.workspace import Workspace, check_name


def saved_answers(dataset: Dataset) -> Answers:
    """Return the answers about a dataset's file that hold for the next one too.

    Date order, decimal mark, encoding, sheet, currency and what to do with purchases that come again are left open: the
    next file shows its own, and the dataset's are taken only where it does not. What repeats is dropped or kept as it
    was in the dataset; a column that is not what its name says, by an answer, is not taken for it again.
    """
    manifest = dataset.manifest
    answers = manifest.answers or Answers(timezone=manifest.timezone)
    duplicates = answers.duplicates or _usual_rule(dataset)
    refused = {canonical: column for canonical, column in answers.mapping.items() if not column}
    answers = replace(answers, date_order=None, decimal=None, currency="", encoding="", sheet="", overlap=None)
    answers = replace(answers, recipe=NONE if answers.recipe else "")  # the recipe's answers are among these
    return replace(answers, mapping=refused, duplicates=duplicates)


@changes
def append(
    workspace: Workspace,
    name: str,
    source: Path | Sequence[Path],
    *,
    answers: Answers | None = None,
    progress: Progress | None = None,
    original: str = "",
    inactive: bool = False,
    whole: WholeOrders | None = None,
    on_read: Callable[[Sequence[LogFiles]], None] | None = None,
) -> Manifest:
    """Append one file or several to the dataset ``name`` and return the manifest of the new version.

    Rows that the dataset holds already (:mod:`clv_core.collection.merge.overlap`) count as duplicates and as
    ``rows_overlap``; rows of orders that the file has in another state
    (:mod:`clv_core.collection.merge.order_updates`) take the place of the old ones. Columns are read as they were in
    the dataset; new ones are NULL in the old rows, missing ones in the new rows. Where cleaning rules are on, the files
    join the raw version: the rules have to be applied again (:func:`clv_core.preprocessing.clean.append` does). The
    customers table stays.

    Args:
        workspace: where the dataset is.
        name: the dataset.
        source: a file or several, each as :func:`~clv_core.collection.ingest.ingest` takes it.
        answers: the person's answers about the files, a mapping only where it differs; None: :func:`saved_answers`.
        progress: who listens.
        original: what the person calls the file, where it is not the path's name.
        inactive: whether the new version is stored without becoming the current one.
        whole: given where the files hold all lines of each of their orders, and which orders no longer exist: their
            rows take the place of all that the dataset has of these orders. None: they may hold some lines.
        on_read: called with the files once they are read, before they are merged; they are deleted afterwards.

    Returns:
        The manifest. Where all rows are there already, no version is made: it then records what became of the file's
        rows, under the current version, with the warning ``nothing_new``.

    Raises:
        NotFound: there is no such dataset.
        NeedsAnswer: something can be read in two ways, or the file's currency is not the dataset's.
        Refused: a file cannot be used, or lacks a column, or another run is changing the dataset; it stays as it was.
    """
    listener = progress or NoProgress()
    current = open_dataset(workspace, name)
    raw = raw_version(current)
    given = saved_answers(raw) if answers is None else answers
    paths = [source] if isinstance(source, Path) else list(source)
    with scratch_folder(workspace) as scratch:
        parts = []
        for number, path in enumerate(paths, 1):
            folder = scratch / f"file-{number}"
            folder.mkdir()
            parts.append(_read(workspace, raw, path, given, folder, listener, original if len(paths) == 1 else ""))
        if on_read is not None:
            on_read(parts)
        log = LogFiles.of(raw)
        if whole is not None:
            with connect_memory() as connection:
                log = without_their_voids(connection, log, parts, scratch / "withdrawn_before.parquet")
        merged = merge_logs([log, *parts], scratch, listener, always=False, overlap=given.overlap, whole=whole)
        if merged.events == raw.events_path:
            files, rows = [part.manifest.source for part in parts], sum(part.manifest.rows_kept for part in parts)
            nothing_new = Message("warning.nothing_new", {"file": files, "rows": rows})
            warnings = [*merged.manifest.warnings, nothing_new]
            return replace(merged.manifest, version=current.version, warnings=warnings)
        table, extras = carry_over(current, merged.events, scratch)
        manifest = replace(
            merged.manifest,
            version=version_of(merged.manifest.version, current.version),
            made="append",
            parent=current.version,
            raw_version="",
            rules={},
            customers_table=table,
        )
        extras |= {"withdrawn": merged.voided} if merged.voided is not None else {}
        derive(raw, manifest, current=not inactive, events=merged.events, set_aside=merged.rejected, **extras)
    return manifest


def _read(
    workspace: Workspace,
    dataset: Dataset,
    path: Path,
    answers: Answers,
    scratch: Path,
    progress: Progress,
    original: str,
) -> LogFiles:
    manifest = dataset.manifest
    key = load_key(workspace, manifest.key_fingerprint) if manifest.pseudonymised else None
    settings = replace(read_settings_of(manifest), events=(dataset.events_path,))
    result = load_with_settings(path, answers, settings, scratch, progress, original=original, key=key)
    ask_money(LogFiles.of(dataset), result, answers)
    part = LogFiles(describe(result, dataset.name), result.events, result.rejected, result.voided)
    part = exclude_erased(workspace, part, scratch / "left", progress)
    return _without_known_rejects(dataset, part, scratch / "rejected_anew.parquet")


def _without_known_rejects(dataset: Dataset, part: LogFiles, target: Path) -> LogFiles:
    """Return a file without the rejected rows that the dataset rejected before: they count as repeated ones.

    A source fetches its last days each night, and with them the rows that cannot be used. Of rows that are alike, as
    many are known as the dataset has rejected.
    """
    if not part.manifest.rows_set_aside or not dataset.manifest.rows_set_aside:
        return part
    before, new = file_text(dataset.rejected_path), file_text(part.rejected)
    with connect_memory() as connection:
        held, columns = (
            [row[0] for row in connection.execute(f"DESCRIBE FROM {file}").fetchall()] for file in (before, new)
        )
        cells = [column for column in columns if column not in ("file", "line")]
        if not {*cells} <= {*held}:
            return part
        names = ", ".join(map(quoted, cells))
        alike = " AND ".join(f"b.{quoted(cell)} IS NOT DISTINCT FROM n.{quoted(cell)}" for cell in cells)
        connection.execute(
            f"COPY (SELECT n.* EXCLUDE (clv_place)"
            f" FROM (SELECT *, row_number() OVER (PARTITION BY {names} ORDER BY line) AS clv_place FROM {new}) n"
            f" LEFT JOIN (SELECT {names}, count(*) AS clv_known FROM {before} GROUP BY ALL) b ON {alike}"
            f" WHERE clv_place > coalesce(clv_known, 0) ORDER BY line) TO {text(str(target))} (FORMAT parquet)"
        )
        reasons = connection.execute(f"SELECT DISTINCT 'warning.' || reason FROM {new}").fetchall()
        examples = f"list((line, value) ORDER BY line)[:{EXAMPLES}]"
        query = f"SELECT reason, count(*), {examples} FROM {file_text(target)} GROUP BY reason"
        rows = connection.execute(query).fetchall()
    new_rows = {f"warning.{reason}": int(n) for reason, n, _ in rows}
    first = {f"warning.{reason}": first_lines(lines) for reason, _, lines in rows}
    about_rejects = {row[0] for row in reasons}
    warnings = [
        replace(item, params={**item.params, "rows": new_rows[item.code], "first": first[item.code]})
        if item.code in about_rejects
        else item
        for item in part.manifest.warnings
        if item.code in new_rows or item.code not in about_rejects
    ]
    (only,) = part.manifest.parts
    left = sum(new_rows.values())
    duplicate = part.manifest.rows_duplicate + part.manifest.rows_set_aside - left
    parts = [replace(only, rows_set_aside=left, rows_duplicate=duplicate)]
    manifest = replace(part.manifest, parts=parts, warnings=warnings, rows_set_aside=left, rows_duplicate=duplicate)
    return replace(part, manifest=manifest, rejected=target)


def _usual_rule(dataset: Dataset) -> str:
    """Return whether rows that repeat are dropped, by the rule of a dataset without an answer."""
    manifest = dataset.manifest
    if any(item.code == "warning.duplicates_of_totals" for item in manifest.warnings):
        return "keep"
    with connect_memory() as connection:
        named = has_event_ids(connection, dataset.events_path, manifest.columns, manifest.timezone)
    return "drop" if named else "keep"


def combine(workspace: Workspace, names: Sequence[str], new_name: str, *, progress: Progress | None = None) -> Manifest:
    """Store the union of the datasets ``names`` as ``new_name`` and return its manifest.

    Datasets of the same columns are taken for exports of one log: a row that an earlier one holds counts once, as often
    as it is there (:mod:`clv_core.collection.merge.overlap`). Datasets of other columns hold other events, and
    nothing of theirs is compared. Time zone, name of the columns' sources and answers are the first's; the customers
    table is that of the first dataset that has one. The originals stay.

    Args:
        workspace: where the datasets are.
        names: at least two, each once.
        new_name: of a dataset that is not there yet.
        progress: who listens.

    Raises:
        UsageError: fewer than two, or one twice.
        NotFound: there is no dataset of a name.
        Refused: the new name is taken; currencies or pseudonyms differ; nothing is left behind.
    """
    new_name = check_name(new_name)
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError("combine_two", names=list(names))
    with changing(workspace, new_name), scratch_folder(workspace) as scratch:
        datasets = [open_dataset(workspace, name) for name in names]
        if (workspace.datasets / new_name).exists():
            raise Refused("combine_name_taken", new=new_name)
        parts = [_part(dataset) for dataset in datasets]
        same_columns = [_columns(part) == _columns(parts[0]) for part in parts]
        merged = merge_logs(parts, scratch, progress or NoProgress(), compare=same_columns, ask=False)
        keeper = next((item for item in datasets if item.manifest.customers_table is not None), None)
        table, customers = (None, {}) if keeper is None else carry_over(keeper, merged.events, scratch)
        manifest = replace(
            merged.manifest,
            name=new_name,
            version=version_of(merged.manifest.version, *(dataset.version for dataset in datasets)),
            made="combine",
            parent="",
            raw_version="",
            rules={},
            warnings=[*merged.manifest.warnings, *_warnings(datasets)],
            customers_table=table,
        )
        save_dataset(workspace, manifest, merged.events, merged.rejected, customers.get("customers"), merged.voided)
    return manifest


def _part(dataset: Dataset) -> LogFiles:
    """Return a dataset as one part, whatever it was made of."""
    manifest = replace(dataset.manifest, source=dataset.name)
    part = replace(one_part(manifest), version=dataset.version)
    return replace(LogFiles.of(dataset), manifest=replace(manifest, parts=[part]))


def _columns(part: LogFiles) -> set[str]:
    return {column.lower() for column in part.manifest.columns}


def _warnings(datasets: Sequence[Dataset]) -> list[Message]:
    """Return warnings about customers tables and cleaning rules."""
    tables = [dataset.name for dataset in datasets if dataset.manifest.customers_table is not None]
    cleaned = [dataset.name for dataset in datasets if dataset.manifest.rules]
    return [
        *([Message("warning.customers_of", {"name": tables[0], "left": tables[1:]})] if tables else []),
        *([Message("warning.combined_cleaned", {"names": cleaned})] if cleaned else []),
    ]
