"""A file loaded to the end: kept rows, rejected rows, and a summary. Nothing is stored yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.answers import Answers
from clv_core.collection.engine import file_text, name, one, reading_file, run, text
from clv_core.collection.infer.columns.column_choice import ask_amount
from clv_core.collection.infer.columns.proposal import WORTH_ASKING
from clv_core.collection.infer.customers import personal_columns
from clv_core.collection.infer.ledger import account
from clv_core.collection.infer.plan.cells import UNPRICED
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.infer.profile import SAMPLE_ROWS, Profile, profile
from clv_core.collection.parse.id_texts import MERGE, fingerprint_of, pseudonym_sql
from clv_core.collection.questions import add_readings, question_of, settled
from clv_core.collection.read.layouts import with_pseudonyms
from clv_core.collection.read.line_numbers import recorded_rejects
from clv_core.collection.read.quotes import Reject
from clv_core.collection.read.source import Source, load, open_source, sample, with_named_columns
from clv_core.collection.recipes import completed_answers, find_recipe
from clv_core.collection.rows.duplicates import drop_duplicates
from clv_core.collection.rows.log_summary import LogSummary, has_totals, summarize
from clv_core.collection.rows.quality_checks import check_quality
from clv_core.collection.rows.rejected_rows import Problem, write_rejected
from clv_core.collection.rows.similar_ids import find_spellings, write_respelled
from clv_core.collection.rows.voided_orders import count_voided, write_voided
from clv_core.collection.store.manifest import ColumnAccount
from clv_core.collection.store.version_store import version_of
from clv_core.collection.vocabulary.order_statuses import CANCELLED, REFUNDED
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TYPE, PURCHASE, QUANTITY, RETURN, UNIT_PRICE
from clv_core.errors import ClvError, Message, NeedsAnswer, Refused
from clv_core.jobs import NoProgress, Progress

ORDERED_ROWS: Final = 5_000_000
"""Up to this many rows are stored in the file's order; more are stored as they come, which takes a third less time."""

MANY_COLUMNS, GROUPED_CELLS, MIN_GROUP_ROWS = 32, 4_000_000, 2_048
"""With more columns, about so many cells are written at a time, and so many rows at least: the engine's own number of
rows would not fit into its memory (300 columns took eight times as long)."""

MIN_SPLIT: Final = 10
"""Rows with more cells than columns that are rejected without a question (a guess)."""
MAX_SPLIT: Final = 0.01
"""Rows with more cells than columns, and their share, that may be rejected; of more, too much would be missing."""

UNREADABLE: Final = {
    "bad_time": "no_readable_time",
    "no_time": "no_readable_time",
    "time_out_of_range": "no_readable_time",
    "bad_amount": "no_readable_amount",
    "no_amount": "no_readable_amount",
    "no_customer": "no_customer_ids",
}
"""Reason of rejected rows -> code of the error where no row is left."""


@dataclass(frozen=True)
class LoadedFile:
    """What became of every row of a file.

    Args:
        source: the file.
        profile: how it was read.
        events: Parquet file of kept rows.
        rejected: Parquet file of the others.
        problems: rejected rows by reason.
        rows_read: kept + rejected + duplicate.
        rows_rejected: rows in ``rejected``.
        rows_duplicate: exact repetitions that were dropped.
        summary: what the kept rows amount to.
        warnings: all of them.
        version: content hash, 12 hex digits.
        key_fingerprint: of the key of the pseudonyms; empty where ids are readable.
        answers: what it was read with: the person's answers, completed by a recipe's.
        recipe: name of the recipe; empty where none was used.
        voided: :func:`~clv_core.collection.rows.voided_orders.write_voided`.
        columns: what became of each column.
    """

    source: Source
    profile: Profile
    events: Path
    rejected: Path
    problems: tuple[Problem, ...]
    rows_read: int
    rows_rejected: int
    rows_duplicate: int
    summary: LogSummary
    warnings: tuple[Message, ...]
    version: str
    answers: Answers = field(default_factory=Answers)
    recipe: str = ""
    key_fingerprint: str = ""
    voided: Path | None = None
    columns: tuple[ColumnAccount, ...] = ()


def load_log(
    path: Path,
    answers: Answers,
    scratch: Path,
    progress: Progress,
    *,
    original: str = "",
    key: bytes | None = None,
    hidden: Collection[str] = (),
    part: bool = False,
    usual: str = "",
) -> LoadedFile:
    """Load the file ``path`` into Parquet files below ``scratch``.

    Args:
        path: a file, or a folder of Parquet files.
        answers: the person's answers about it.
        scratch: an empty folder.
        progress: who listens.
        original: what the person calls the file, where it is not the path's name.
        key: makes ids and contact fields keyed hashes (:mod:`clv_core.collection.parse.id_texts`).
        hidden: with a key, columns that become hashes whatever they are called and hold.
        part: whether it is one file of several, which need not hold purchases or several customers by itself.
        usual: the encoding of an earlier file like it
            (:func:`~clv_core.collection.read.source.open_source`).

    Raises:
        NeedsAnswer: something can be read in two ways.
        NotFound: there is no recipe of the given name.
        UsageError: the file lacks a column that was named, or that the recipe needs.
        Refused: it cannot be used.
    """
    revenue = None
    with reading_file(original or path.name, scratch, answers.timezone, reads=path) as connection:
        try:
            progress.report("read", 0, 1)
            source = open_source(connection, path, scratch, answers, original=original, usual=usual)
            recipe = find_recipe(answers.recipe, source.columns, source.file)
            answers = completed_answers(answers, recipe, source.columns)
            source = with_named_columns(connection, source, answers.mapping.values())
            source = load(connection, source, progress)
            progress.report("columns", 0, 1)
            revenue = partial(net_revenue, connection, source)
            seen = profile(connection, source, answers, progress)
            source = seen.source
            if key is not None:
                source = replace(source, notes=with_pseudonyms(source.notes, key))
                seen = _pseudonymise(connection, source, seen, key, hidden)
            columns, doubts = account(seen.log, seen.plan, seen.notes)
            loaded = _load_rows(connection, source, seen, answers, scratch, progress, part=part)
            loaded = replace(loaded, columns=columns, warnings=(*loaded.warnings, *doubts))
            question = question_of(loaded.warnings, answers, revenue, is_small=source.is_small)
            if question is not None:
                raise question
        except NeedsAnswer as error:
            add_readings(error, answers, revenue or (lambda _: None))
            raise
        return replace(
            loaded,
            warnings=tuple(map(settled, loaded.warnings)),
            answers=answers,
            recipe="" if recipe is None else recipe.name,
            key_fingerprint="" if key is None else fingerprint_of(key),
        )


def _load_rows(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    seen: Profile,
    answers: Answers,
    scratch: Path,
    progress: Progress,
    *,
    part: bool,
) -> LoadedFile:
    plan = seen.plan
    events, rejected = scratch / "events.parquet", scratch / "set_aside.parquet"
    rejects = recorded_rejects(connection, source)
    rows = seen.rows + len(rejects)
    if not answers.broken_rows:
        _ask_split(rejects, source, rows)
    typed = plan.typed(source.relation())
    accepted = _write_accepted(connection, typed, events, seen.rows, progress, len(plan.stored))
    if not plan.without_totals and has_totals(connection, events):
        seen = replace(seen, plan=replace(plan, without_totals=True))
        return _load_rows(connection, source, seen, answers, scratch, progress, part=part)
    problems = write_rejected(connection, seen, rejects, rejected, progress, any_bad=accepted < seen.rows)
    rows_rejected = sum(problem.rows for problem in problems)
    if accepted + rows_rejected != rows:
        raise Refused("rows_do_not_add_up", file=source.file, counted=rows, found=accepted + rows_rejected)
    voided = write_voided(connection, plan, typed, events, progress, seen.rows)
    events, voided, of_ids = _merge_spellings(connection, source, plan, answers, events, voided)
    warnings = [*source.notes, *seen.notes, *(problem.message() for problem in problems), *of_ids]
    duplicates = 0
    if accepted:
        by_row = replace(plan, orders=replace(plan.orders, whole=False))
        shared = plan.orders.shared(by_row.judged(source.relation()))
        unique = drop_duplicates(connection, events, plan.stored, accepted, answers, progress, shared=shared)
        events, duplicates = unique.events, unique.dropped
        progress.report("figures", 0, 1)
        summary = summarize(connection, events, answers.timezone, progress)
        if not part:
            _check_value(summary, problems, seen, source.file, answers)
        warnings += [*unique.warnings, *check_quality(connection, events, plan, summary, source.file)]
        version = version_of(unique.content, summary.rows, plan.stored, answers.timezone, seen.currency)
    else:
        if not part or count_voided(connection, voided)[0] == 0:
            _refuse(problems, source.file, rows, named=voided is not None)
        last_void = one(connection, f"SELECT max(told) FROM {file_text(voided)}")[0] if voided else datetime(1970, 1, 1)
        summary = LogSummary.empty(last_void)
        version = version_of(0, plan.stored, answers.timezone, seen.currency)
    return LoadedFile(
        source=replace(source, loaded=""),
        profile=seen,
        events=events,
        rejected=rejected,
        problems=problems,
        rows_read=rows,
        rows_rejected=rows_rejected,
        rows_duplicate=duplicates,
        summary=summary,
        warnings=tuple(warnings),
        version=version,
        voided=voided,
    )


def net_revenue(connection: duckdb.DuckDBPyConnection, source: Source, answers: Answers) -> float | None:
    """Return what a file comes to as it is read with some answers; None where it can't be without more of them."""
    try:
        seen = profile(connection, source, answers, NoProgress())
    except ClvError:
        return None
    typed = seen.plan.typed(seen.source.relation())
    total = f"sum({AMOUNT}::DECIMAL(38, 6)) FILTER (reason IS NULL AND {EVENT_TYPE} IN ('{PURCHASE}', '{RETURN}'))"
    return round(float(one(connection, f"SELECT {total} FROM ({typed})")[0] or 0), 2)


def _merge_spellings(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    plan: ReadingPlan,
    answers: Answers,
    events: Path,
    voided: Path | None,
) -> tuple[Path, Path | None, tuple[Message, ...]]:
    """Return the files with one spelling of each customer's id, and the warnings about it.

    Raises:
        NeedsAnswer: it is not plain that similar ids are one customer.
    """
    table, id_value = (source.relation(), plan.clean(CUSTOMER_ID)) if plan.secret else (file_text(events), CUSTOMER_ID)
    ids, hashed = f"SELECT DISTINCT {id_value} AS id, false AS old FROM {table} WHERE id IS NOT NULL", bool(plan.secret)
    warnings = find_spellings(connection, ids, answers.similar_ids, hashed=hashed)
    if not warnings and not (hashed and answers.similar_ids == MERGE):
        return events, voided, ()
    files = [file for file in (events, voided) if file is not None]
    made = [file.with_name(f"one_spelling_{file.name}") for file in files]
    for file, target in zip(files, made, strict=True):
        write_respelled(connection, file, target, plan.secret)
    return made[0], made[1] if voided is not None else None, warnings


def _write_accepted(
    connection: duckdb.DuckDBPyConnection, typed: str, events: Path, rows: int, progress: Progress, columns: int
) -> int:
    """Write the rows that are kept of a typed table of ``rows`` and ``columns``, and return how many they are."""
    accepted = f"SELECT * EXCLUDE reason FROM ({typed}) WHERE reason IS NULL"
    group = f", ROW_GROUP_SIZE {max(MIN_GROUP_ROWS, GROUPED_CELLS // columns)}" if columns > MANY_COLUMNS else ""
    query = f"COPY ({accepted}) TO {text(str(events))} (FORMAT parquet{group})"
    connection.execute(f"SET preserve_insertion_order = {str(rows <= ORDERED_ROWS).lower()}")
    count = run(connection, query, progress, "write", rows)
    connection.execute("SET preserve_insertion_order = true")
    return count


def _pseudonymise(
    connection: duckdb.DuckDBPyConnection, source: Source, seen: Profile, key: bytes, hidden: Collection[str]
) -> Profile:
    """Return the profile whose plan makes ids and contact fields keyed hashes."""
    id_column = seen.plan.column_of[CUSTOMER_ID]
    personal = set(personal_columns(source.columns, seen.plan.column_of, sample(connection, source, SAMPLE_ROWS)))
    personal |= {column for column in source.columns if column.lower() in {item.lower() for item in hidden}}
    for made, query in source.made:  # an id that is made of two columns is hidden in both
        if made in personal or made == id_column:
            personal |= {column for column in source.own_columns if name(column) in query}
    plan = replace(seen.plan, secret=pseudonym_sql(key), hidden=frozenset(personal))
    shown = [id_column, *(column for column in source.columns if column in personal and column != id_column)]
    return replace(seen, plan=plan, notes=(*seen.notes, Message("warning.pseudonymised", {"columns": shown})))


def _ask_split(rejects: Sequence[Reject], source: Source, rows: int) -> None:
    """Ask whether a file is to be used of which many rows have more cells than there are columns."""
    wide = [item for item in rejects if item.is_wide]
    if len(wide) >= MIN_SPLIT and len(wide) > MAX_SPLIT * rows and source.dialect is not None:
        mark = {"\t": "tab"}.get(source.dialect.delimiter, source.dialect.delimiter)
        params = {"file": source.file, "rows": len(wide), "all": rows, "line": wide[0].line, "delimiter": mark}
        raise NeedsAnswer("split_rows", text=wide[0].text[:80], **params)


def _example(problem: Problem) -> str:
    return problem.examples[0][1][:60] if problem.examples else ""


def _refuse(problems: tuple[Problem, ...], file: str, rows: int, *, named: bool) -> None:
    """Refuse a file of which no row can be used, and say why.

    Args:
        problems: rejected rows by reason.
        file: what the person calls it.
        rows: of the file.
        named: whether it names the orders that were voided, so that they could be taken out of a dataset.
    """
    if not problems:
        raise Refused("no_rows", file=file)
    worst = problems[0]
    if worst.reason in (CANCELLED, REFUNDED):
        off = sum(problem.rows for problem in problems if problem.reason in (CANCELLED, REFUNDED))
        code = "only_withdrawn" if named else "only_withdrawn_unnamed"
        raise Refused(code, file=file, rows=rows, off=off, column=worst.source_column)
    code = UNREADABLE.get(worst.reason, "")
    params = {"file": file, "rows": rows, "column": worst.source_column, "example": _example(worst)}
    if worst.source_column and sum(item.rows for item in problems if UNREADABLE.get(item.reason, "") == code) < rows:
        reasons = "; ".join(f"{item.rows:,}: {item.source_column or '–'} ({item.reason})" for item in problems[:4])
        raise Refused("no_usable_rows_mixed", reasons=reasons, **params)
    raise Refused(code or "no_usable_rows", **params)


def _check_value(
    summary: LogSummary, problems: tuple[Problem, ...], seen: Profile, file: str, answers: Answers
) -> None:
    """Refuse a log that no customer value can be learned from, or ask what it could be learned from."""
    plan = seen.plan
    money = plan.column_of.get(AMOUNT) or plan.column_of.get(UNIT_PRICE, "")
    if summary.purchases == 0:
        if summary.returns and EVENT_TYPE not in plan.column_of and AMOUNT not in answers.mapping:
            raise NeedsAnswer("returns_mostly", rows=summary.returns, column=money)
        if not plan.has_money:
            ask_amount(list(seen.log.proposals), file, quantity=plan.column_of.get(QUANTITY, ""), least=WORTH_ASKING)
        for item in problems:
            if item.reason in ("bad_amount", "no_amount"):
                params = {"rows": item.rows, "column": item.source_column, "example": _example(item)}
                raise Refused("no_readable_amount", file=file, **params)
        unpriced = summary.event_types.get(UNPRICED, 0)
        if unpriced:
            raise Refused("no_readable_amount", file=file, rows=unpriced, column=money or AMOUNT, example="")
    check_enough(summary, file)


def check_enough(summary: LogSummary, file: str) -> None:
    """Refuse a log without purchases or with one customer only."""
    if summary.purchases == 0:
        raise Refused("no_purchases", file=file, rows=summary.rows, types=list(summary.event_types)[:12])
    if summary.customers < 2:
        raise Refused("one_customer", file=file, rows=summary.rows, customer=summary.example_customer[:40])
