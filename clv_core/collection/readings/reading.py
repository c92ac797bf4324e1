"""A file read to the end: kept rows, set-aside rows, and figures. Nothing is stored yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import connect, file_text, name, one, run, text
from clv_core.collection.mapping.answers import Answers
from clv_core.collection.mapping.columns.money import WORTH_ASKING
from clv_core.collection.mapping.customers.personal import personal_columns
from clv_core.collection.mapping.plan.cells import UNPRICED
from clv_core.collection.mapping.plan.reading_plan import ReadingPlan
from clv_core.collection.mapping.profile import SAMPLE_ROWS, Profile, profile
from clv_core.collection.mapping.proposals.choosing import ask_amount
from clv_core.collection.parse.id_texts import MERGE
from clv_core.collection.parse.pseudonyms import fingerprint_of, pseudonym_sql
from clv_core.collection.questions import add_readings, question_of, settled
from clv_core.collection.read.layouts import with_pseudonyms
from clv_core.collection.read.line_numbers import recorded_rejects
from clv_core.collection.read.quotes import Reject
from clv_core.collection.read.source import Source, load, open_source, sample
from clv_core.collection.readings.aside import Problem, count_aside, write_aside
from clv_core.collection.readings.duplicates import without_repeats
from clv_core.collection.readings.figures import Figures, figures, has_totals, notices
from clv_core.collection.readings.similar_ids import find_spellings, write_respelled
from clv_core.collection.readings.withdrawn import lines_in, write_withdrawn
from clv_core.collection.stored.store import version_of
from clv_core.collection.vocabulary.order_statuses import CANCELLED, REFUNDED
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TYPE, PURCHASE, QUANTITY, RETURN, UNIT_PRICE
from clv_core.errors import ClvError, Message, NeedsAnswer, Refused
from clv_core.jobs import NoProgress, Progress

ORDERED_ROWS: Final = 5_000_000
"""Up to this many rows are stored in the file's order; more are stored as they come, which takes a third less time."""

MIN_SPLIT: Final = 10
MAX_SPLIT: Final = 0.01
"""Rows with more cells than columns, and their share, that may be set aside; of more, too much would be missing."""


@dataclass(frozen=True)
class Reading:
    """What became of every row of a file.

    Args:
        source: the file.
        profile: how it was read.
        events: Parquet file of kept rows.
        set_aside: Parquet file of the others.
        problems: set-aside rows by reason.
        rows_read: kept + set aside + duplicate.
        rows_set_aside: rows in ``set_aside``.
        rows_duplicate: exact repetitions that were dropped.
        figures: what the kept rows amount to.
        warnings: everything that is to be said.
        version: content hash, 12 hex digits.
        key_fingerprint: of the key of the pseudonyms; empty where ids are readable.
        withdrawn: :func:`~clv_core.collection.readings.withdrawn.write_withdrawn`.
    """

    source: Source
    profile: Profile
    events: Path
    set_aside: Path
    problems: tuple[Problem, ...]
    rows_read: int
    rows_set_aside: int
    rows_duplicate: int
    figures: Figures
    warnings: tuple[Message, ...]
    version: str
    key_fingerprint: str = ""
    withdrawn: Path | None = None


def read_log(
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
) -> Reading:
    """Read the file ``path`` into two Parquet files below ``scratch``.

    Args:
        path: a file, or a folder of Parquet files.
        answers: what the person has said about it.
        scratch: an empty folder.
        progress: who listens.
        original: what the person calls the file, where it is not the path's name.
        key: makes ids and contact fields keyed hashes (:mod:`clv_core.collection.parse.pseudonyms`).
        hidden: with a key, columns that become hashes whatever they are called and hold.
        part: whether it is one file of several, which need not hold purchases or several customers by itself.
        usual: the encoding of an earlier file like it
            (:func:`~clv_core.collection.read.source.open_source`).

    Raises:
        NeedsAnswer: something can be read in two ways.
        Refused: it cannot be used.
    """
    connection = connect(scratch, answers.timezone, reads=path)
    revenue = None
    try:
        progress.report("read", 0, 1)
        named = answers.mapping.values()
        source = open_source(
            connection,
            path,
            scratch,
            header=answers.header,
            original=original,
            named=named,
            encoding=answers.encoding,
            usual=usual,
            sheet=answers.sheet,
        )
        source = load(connection, source, progress)
        progress.report("columns", 0, 1)
        revenue = partial(net_revenue, connection, source)
        seen = profile(connection, source, answers, progress)
        source = seen.source
        if key is not None:
            source = replace(source, notes=with_pseudonyms(source.notes, key))
            seen = _veil(connection, source, seen, key, hidden)
        found = _account(connection, source, seen, answers, scratch, progress, part=part)
        question = question_of(found.warnings, answers, revenue)
        if question is not None:
            raise question
        found = replace(found, warnings=tuple(map(settled, found.warnings)))
        return replace(found, key_fingerprint=fingerprint_of(key)) if key is not None else found
    except NeedsAnswer as error:
        add_readings(error, answers, revenue or _unknown)
        raise
    except duckdb.OutOfMemoryException as error:
        raise Refused("out_of_memory", file=original or path.name) from error
    except duckdb.Error as error:
        raise Refused("unreadable_table", file=original or path.name) from error
    finally:
        connection.close()


def _account(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    seen: Profile,
    answers: Answers,
    scratch: Path,
    progress: Progress,
    *,
    part: bool,
) -> Reading:
    plan = seen.plan
    events, aside = scratch / "events.parquet", scratch / "set_aside.parquet"
    rejects = recorded_rejects(connection, source)
    if not answers.broken_rows:
        _ask_split(rejects, source, seen.rows + len(rejects))
    typed = plan.typed(source.relation())
    kept = _write_kept(connection, typed, events, seen.rows, progress)
    if not plan.without_totals and has_totals(connection, events):
        seen = replace(seen, plan=replace(plan, without_totals=True))
        return _account(connection, source, seen, answers, scratch, progress, part=part)
    found = write_aside(connection, source, plan, rejects, seen.rows, aside, progress, any_bad=kept < seen.rows)
    set_aside = count_aside(connection, aside)
    if kept + set_aside != seen.rows + len(rejects):
        params = {"counted": seen.rows + len(rejects), "found": kept + set_aside}
        raise Refused("rows_do_not_add_up", file=source.file, **params)
    withdrawn = write_withdrawn(connection, plan, typed, events, scratch / "withdrawn.parquet", progress, seen.rows)
    events, withdrawn, of_ids = _with_one_spelling(connection, source, plan, answers, events, withdrawn)
    about = partial(
        Reading,
        source=replace(source, loaded=""),
        profile=seen,
        set_aside=aside,
        problems=found,
        rows_read=seen.rows + len(rejects),
        rows_set_aside=set_aside,
        withdrawn=withdrawn,
    )
    said = [*source.notes, *seen.notes, *(problem.message() for problem in found), *of_ids]
    if not kept:
        if not part or lines_in(connection, withdrawn) == 0:
            _refuse(found, source.file, seen.rows + len(rejects), named=withdrawn is not None)
        version = version_of(0, plan.stored, answers.timezone, seen.currency)
        sums = _nothing(connection, withdrawn)
        return about(events=events, rows_duplicate=0, figures=sums, warnings=tuple(said), version=version)
    by_row = replace(plan, orders=replace(plan.orders, whole=False))
    unique = without_repeats(
        connection,
        events,
        plan.stored,
        kept,
        answers.duplicates,
        answers.timezone,
        scratch / "unique.parquet",
        progress,
        shared=plan.orders.shared(by_row.judged(source.relation())),
    )
    progress.report("figures", 0, 1)
    sums = figures(connection, unique.events, answers.timezone, progress)
    if not part:
        _check(sums, found, seen, source.file, answers)
    said += [*unique.notes, *notices(connection, unique.events, plan, sums, source.file)]
    return about(
        events=unique.events,
        rows_duplicate=unique.dropped,
        figures=sums,
        warnings=tuple(said),
        version=version_of(unique.content, sums.rows, plan.stored, answers.timezone, seen.currency),
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


def _unknown(_: Answers) -> None:
    """Return what a file that cannot be opened yet comes to."""


def _with_one_spelling(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    plan: ReadingPlan,
    answers: Answers,
    events: Path,
    withdrawn: Path | None,
) -> tuple[Path, Path | None, tuple[Message, ...]]:
    """Return the files with one spelling of each customer's id, and what is to be said of it.

    Raises:
        NeedsAnswer: it is not plain that similar ids are one customer.
    """
    table, own = file_text(events), CUSTOMER_ID
    if plan.secret:
        table, own = source.relation(), plan.clean(CUSTOMER_ID)
    ids = f"SELECT DISTINCT {own} AS id, false AS old FROM {table} WHERE id IS NOT NULL"
    hashed = bool(plan.secret)
    said = find_spellings(connection, ids, answers.similar_ids, hashed=hashed)
    if not said and not (hashed and answers.similar_ids == MERGE):
        return events, withdrawn, ()
    files = [file for file in (events, withdrawn) if file is not None]
    made = [file.with_name(f"one_spelling_{file.name}") for file in files]
    for file, target in zip(files, made, strict=True):
        write_respelled(connection, file, target, plan.secret)
    return made[0], made[1] if withdrawn is not None else None, said


def _write_kept(connection: duckdb.DuckDBPyConnection, typed: str, events: Path, rows: int, progress: Progress) -> int:
    """Write the rows that are kept of a typed table of ``rows``, and return how many they are."""
    kept = f"SELECT * EXCLUDE reason FROM ({typed}) WHERE reason IS NULL"
    query = f"COPY ({kept}) TO {text(str(events))} (FORMAT parquet)"
    connection.execute(f"SET preserve_insertion_order = {str(rows <= ORDERED_ROWS).lower()}")
    found = run(connection, query, progress, "write", rows)
    connection.execute("SET preserve_insertion_order = true")
    return found


def _veil(
    connection: duckdb.DuckDBPyConnection, source: Source, seen: Profile, key: bytes, hidden: Collection[str]
) -> Profile:
    """Return the profile whose plan makes ids and contact fields keyed hashes."""
    personal = set(personal_columns(source.columns, seen.plan.chosen, sample(connection, source, SAMPLE_ROWS)))
    personal |= {column for column in source.columns if column.lower() in {item.lower() for item in hidden}}
    for made, query in source.made:  # an id that is made of two columns is hidden in both
        if made in personal or made == seen.plan.chosen[CUSTOMER_ID]:
            personal |= {column for column in source.own_columns if name(column) in query}
    plan = replace(seen.plan, secret=pseudonym_sql(key), hidden=frozenset(personal))
    own = seen.plan.chosen[CUSTOMER_ID]
    shown = [own, *(column for column in source.columns if column in personal and column != own)]
    return replace(seen, plan=plan, notes=(*seen.notes, Message("warning.pseudonymised", {"columns": shown})))


def _ask_split(rejects: Sequence[Reject], source: Source, rows: int) -> None:
    """Ask whether a file is to be used of which many rows have more cells than there are columns."""
    wide = [item for item in rejects if item.is_wide]
    if len(wide) >= MIN_SPLIT and len(wide) > MAX_SPLIT * rows and source.dialect is not None:
        mark = {"\t": "tab"}.get(source.dialect.delimiter, source.dialect.delimiter)
        params = {"file": source.file, "rows": len(wide), "all": rows, "line": wide[0].line, "delimiter": mark}
        raise NeedsAnswer("split_rows", text=wide[0].text[:80], **params)


def _nothing(connection: duckdb.DuckDBPyConnection, withdrawn: Path | None) -> Figures:
    """Return the figures of a file that holds only orders which were called off; its span is that of nothing."""
    told = one(connection, f"SELECT max(told) FROM {file_text(withdrawn)}")[0] if withdrawn else datetime(1970, 1, 1)
    return Figures(0, 0, 0, 0, told, told, told.date(), told.date(), 0.0, {}, "")


def _refuse(found: tuple[Problem, ...], file: str, rows: int, *, named: bool) -> None:
    """Refuse a file of which no row can be used, and say why.

    Args:
        found: rows set aside by reason.
        file: what the person calls it.
        rows: of the file.
        named: whether it names the orders that were called off, so that they could be taken out of a dataset.
    """
    worst = found[0] if found else None
    if worst is None:
        raise Refused("no_rows", file=file)
    off = sum(item.rows for item in found if item.reason in (CANCELLED, REFUNDED))
    if worst.reason in (CANCELLED, REFUNDED):
        refusal = "only_withdrawn" if named else "only_withdrawn_unnamed"
        raise Refused(refusal, file=file, rows=rows, off=off, column=worst.source_column)
    code = {"bad_time": "no_readable_time", "no_time": "no_readable_time", "time_out_of_range": "no_readable_time"}
    code |= {"bad_amount": "no_readable_amount", "no_amount": "no_readable_amount", "no_customer": "no_customer_ids"}
    example = worst.examples[0][1][:60] if worst.examples else ""
    params = {"file": file, "rows": rows, "column": worst.source_column, "example": example}
    alike = sum(item.rows for item in found if code.get(item.reason) == code.get(worst.reason))
    if alike < rows and worst.source_column:
        reasons = "; ".join(f"{item.rows:,}: {item.source_column or '–'} ({item.reason})" for item in found[:4])
        raise Refused("no_usable_rows_mixed", reasons=reasons, **params)
    raise Refused(code.get(worst.reason, "no_usable_rows"), **params)


def _check(sums: Figures, found: tuple[Problem, ...], seen: Profile, file: str, answers: Answers) -> None:
    """Refuse a log that no customer value can be learned from, or ask what it could be learned from."""
    plan = seen.plan
    if sums.purchases == 0:
        if sums.returns and EVENT_TYPE not in plan.chosen and AMOUNT not in answers.mapping:
            money = plan.chosen.get(AMOUNT) or plan.chosen.get(UNIT_PRICE, "")
            raise NeedsAnswer("returns_mostly", rows=sums.returns, column=money)
        if not plan.has_money:
            ask_amount(list(seen.proposals), file, quantity=plan.chosen.get(QUANTITY, ""), least=WORTH_ASKING)
        for problem in found:
            if problem.reason in ("bad_amount", "no_amount"):
                example = problem.examples[0][1][:60] if problem.examples else ""
                params = {"file": file, "rows": problem.rows, "column": problem.source_column, "example": example}
                raise Refused("no_readable_amount", **params)
        unpriced = sums.event_types.get(UNPRICED, 0)
        if unpriced:
            column = plan.chosen.get(AMOUNT) or plan.chosen.get(UNIT_PRICE, AMOUNT)
            raise Refused("no_readable_amount", file=file, rows=unpriced, column=column, example="")
    check_enough(sums, file)


def check_enough(sums: Figures, file: str) -> None:
    """Refuse a log without purchases or with one customer only."""
    if sums.purchases == 0:
        types = list(sums.event_types)[:12]
        raise Refused("no_purchases", file=file, rows=sums.rows, types=types)
    if sums.customers < 2:
        raise Refused("one_customer", file=file, rows=sums.rows, customer=sums.example_customer[:40])
