"""A customers file read to the end: kept rows, counts, what matches the log, and warnings.

How far the customers of a table and of a log agree is counted (:func:`match`). Where few do, examples are shown, and
another spelling of the ids that more would match (:func:`match_notes`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.answers import Answers
from clv_core.collection.customers.attributes import value_notes
from clv_core.collection.customers.roles import ATTRIBUTE, ID, RoleProposal, propose_roles, settle
from clv_core.collection.customers.table import CustomerTable, read_table
from clv_core.collection.engine import connect_memory, file_text, name, one, reading_file
from clv_core.collection.infer.profile import SAMPLE_ROWS
from clv_core.collection.read.layouts import with_pseudonyms
from clv_core.collection.read.source import Source, open_source, sample
from clv_core.collection.rows.rejected_rows import Problem
from clv_core.collection.store.manifest import Attribute, CustomersTable, Roles
from clv_core.collection.store.version_store import Dataset, Manifest
from clv_core.collection.vocabulary.column_names import EMAIL, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, NotFound, Refused
from clv_core.jobs import Progress

FILE: Final = "customers.parquet"


@dataclass(frozen=True)
class CustomersReading:
    """What became of every row of a customers file.

    Args:
        file: what the person calls it.
        table: the Parquet file of kept rows.
        rows_read: kept + rejected.
        rows_set_aside: rows that could not be used.
        problems: rejected rows by reason, with examples.
        match: how its customers and the log's agree.
        attributes: attributes that are on.
        contacts: contact fields and ``consent`` that it holds.
        dates: columns that date attributes.
        off: columns of the file that are not taken.
        warnings: all of them.
        content: hash of the kept rows and of what gives them their meaning.
        roles: the person's answers.
        hashed: whether contact fields are keyed hashes.
    """

    file: str
    table: Path
    rows_read: int
    rows_set_aside: int
    problems: tuple[Problem, ...]
    match: Match
    attributes: tuple[Attribute, ...]
    contacts: tuple[str, ...]
    dates: tuple[str, ...]
    off: tuple[str, ...]
    warnings: tuple[Message, ...]
    content: str
    roles: Roles
    hashed: bool = False

    @property
    def rows(self) -> int:
        """Rows that are kept."""
        return self.rows_read - self.rows_set_aside


def inspect_customers(
    path: Path, scratch: Path, *, header: bool | None = None, original: str = "", events: Path | None = None
) -> list[RoleProposal]:
    """Return what each column of a customers file seems to be; nothing is stored.

    Args:
        path: the file.
        scratch: an empty folder.
        header: whether the file names its columns; None looks.
        original: what the person calls the file, where it is not the path's name.
        events: of the log whose customers they are, so that the column that holds its ids is proposed.

    Raises:
        NotFound: there is no such file.
        NeedsAnswer: the file may or may not name its columns.
        Refused: it holds no table.
    """
    with reading_file(original or path.name, scratch) as connection:
        source = open_source(connection, _existing(path), scratch, Answers(header=header), original=original)
        proposals = propose_roles(source.columns, sample(connection, source, SAMPLE_ROWS))
        return proposals if events is None else with_matching_id(connection, source, proposals, events)


def read_customers(
    path: Path,
    dataset: Dataset,
    roles: Roles,
    scratch: Path,
    progress: Progress,
    *,
    key: bytes | None = None,
    original: str = "",
) -> CustomersReading:
    """Read the customers file ``path`` for ``dataset`` into a Parquet file below ``scratch``.

    Args:
        path: a file of any form that a log may have.
        dataset: whose customers they are.
        roles: the person's answers about the columns.
        scratch: an empty folder.
        progress: who listens.
        key: makes contact fields keyed hashes; ids too, where the dataset's ids are.
        original: what the person calls the file, where it is not the path's name.

    Raises:
        NotFound: there is no such file.
        NeedsAnswer: something can be read in two ways, or nothing of the file is wanted.
        UsageError: a role names what there is not.
        Refused: it cannot be used, or none of its customers is in the log.
    """
    called, target, manifest, events = original or path.name, scratch / FILE, dataset.manifest, dataset.events_path
    with reading_file(called, scratch, manifest.timezone) as connection:
        progress.report("read", 0, 1)
        source = open_source(connection, _existing(path), scratch, Answers(header=roles.header), original=original)
        proposals = propose_roles(source.columns, sample(connection, source, SAMPLE_ROWS))
        if not roles.customer_id:
            proposals = with_matching_id(connection, source, proposals, events)
        selected = settle(source.columns, proposals, roles)
        progress.report("columns", 0, 1)
        log = events if manifest.merges_similar_ids else None
        table = read_table(connection, source, selected, roles, manifest.timezone, log)
        table = table if key is None else _nameless(table)
        _refuse_empty(table, called)
        progress.report("write", 0, 1)
        table.write(connection, target, key=key, hash_ids=key is not None and manifest.pseudonymised)
        counts = match(connection, target, events)
        messages = (
            *(source.notes if key is None else with_pseudonyms(source.notes, key)),
            *(
                Message("warning.customers_contact_guessed", {"column": selected.contacts[field], "field": field})
                for field in selected.guessed
            ),
            *table.notes,
            *(problem.message() for problem in table.problems),
            *match_notes(connection, counts, target, events, called),
            *value_notes(connection, target, table.attributes),
        )
        return CustomersReading(
            file=called,
            table=target,
            rows_read=table.read,
            rows_set_aside=table.read - table.kept,
            problems=table.problems,
            match=counts,
            attributes=table.attributes,
            contacts=tuple(selected.contacts),
            dates=selected.dates,
            off=selected.off,
            warnings=messages,
            content=_content(connection, target, table),
            roles=roles,
            hashed=key is not None,
        )


def _nameless(table: CustomerTable) -> CustomerTable:
    """Return the table without the text of rejected lines: it would name the person whose fields are hashed."""
    problems = (replace(item, examples=tuple((line, "") for line, _ in item.examples)) for item in table.problems)
    return replace(table, problems=tuple(problems))


def _refuse_empty(table: CustomerTable, called: str) -> None:
    """Refuse a file of which no row could be used.

    Raises:
        Refused: there is none; it shows a line of the problem that most rows have.
    """
    if table.kept:
        return
    worst = max(table.problems, key=lambda item: item.rows, default=None)
    first = worst.examples[0][1][:60] if worst and worst.examples else ""
    raise Refused("customers_no_rows", file=called, rows=table.read, first=first)


def entry(reading: CustomersReading, accepted: tuple[str, ...], warnings: tuple[Message, ...]) -> CustomersTable:
    """Return the manifest's record of a reading.

    Args:
        reading: the file, read.
        accepted: attributes that are refused by default and that the person takes all the same.
        warnings: further warnings, after the reading's own.
    """
    return CustomersTable(
        file=reading.file,
        rows_read=reading.rows_read,
        rows=reading.rows,
        rows_set_aside=reading.rows_set_aside,
        customers=reading.match.customers,
        matched=reading.match.matched,
        attributes=reading.attributes,
        date_columns=reading.dates,
        contacts=reading.contacts,
        off=reading.off,
        accepted=accepted,
        pseudonymised=reading.hashed,
        roles=reading.roles,
        warnings=(*warnings, *reading.warnings),
    )


def recount(customers: Path, events: Path, table: CustomersTable) -> CustomersTable:
    """Return a manifest's record of a customers table, with the customers matched anew after the log has changed.

    Args:
        customers: the stored customers table.
        events: the changed log.
        table: the entry as it was.
    """
    with connect_memory() as connection:
        counts = match(connection, customers, events)
    return replace(table, customers=counts.customers, matched=counts.matched)


def carry_over(dataset: Dataset, events: Path, scratch: Path) -> tuple[CustomersTable | None, dict[str, Path]]:
    """Return what a new version has of a dataset's customers table, for its manifest and for its files.

    Args:
        dataset: the version that may have one.
        events: of the new version.
        scratch: a folder on the same disk, where the table gets a name that may be moved; its bytes are shared.
    """
    if dataset.manifest.customers_table is None:
        return None, {}
    path = scratch / FILE
    os.link(dataset.customers_path, path)
    return recount(path, events, dataset.manifest.customers_table), {"customers": path}


def version_with(parent: Manifest, content: str) -> str:
    """Return the version of ``parent`` with a customers table of this content ("" for none)."""
    return hashlib.sha256(f"{parent.version} customers {content}".encode()).hexdigest()[:12]


def _content(connection: duckdb.DuckDBPyConnection, target: Path, table: CustomerTable) -> str:
    names = [row[0] for row in connection.execute(f"DESCRIBE FROM {file_text(target)}").fetchall()]
    cells = ", ".join(map(name, names))
    rows, total = one(connection, f"SELECT count(*), sum(hash(row({cells}))::HUGEINT) FROM {file_text(target)}")
    meaning = (names, int(rows), int(total), [dataclasses.astuple(attribute) for attribute in table.attributes])
    return hashlib.sha256(repr(meaning).encode()).hexdigest()[:16]


def _existing(path: Path) -> Path:
    if not path.exists():
        raise NotFound("customers_missing", file=path.name)
    return path


FEW: Final = 0.5
"""Below this share of the smaller side's customers, ids are probably written in two ways."""

REWRITES: Final = {
    "zeros": f"regexp_replace({CUSTOMER_ID}, '^0+', '')",
    "case": f"lower({CUSTOMER_ID})",
    "digits": f"nullif(regexp_replace({CUSTOMER_ID}, '[^0-9]', '', 'g'), '')",
}
"""Ways in which two systems write one id differently; catalogue key ``warning.customers_match_if.<id>``."""


@dataclass(frozen=True)
class Match:
    """How many customers there are.

    Args:
        customers: distinct customers of the table.
        log: distinct customers of the log.
        matched: those in both.
    """

    customers: int
    log: int
    matched: int

    @property
    def few(self) -> bool:
        """Whether so few match that the ids are probably of another shape."""
        return self.matched < FEW * min(self.customers, self.log)


def with_matching_id(
    connection: duckdb.DuckDBPyConnection, source: Source, proposals: list[RoleProposal], events: Path
) -> list[RoleProposal]:
    """Return the proposals with the ids in the column that most customers of the log are in.

    A companion file often has a number for each customer besides the e-mail address that is their id in the log. The
    column whose name is one of ids keeps that role unless an address or phone column matches twice as many.

    Args:
        connection: the engine.
        source: the customers file.
        proposals: by names and values.
        events: of the log.
    """
    candidates = [item.column for item in proposals if item.role == ID or item.field in (EMAIL, PHONE)]
    if not candidates or candidates == [item.column for item in proposals if item.role == ID]:
        return proposals
    ids = f"(SELECT DISTINCT lower(trim({CUSTOMER_ID})) FROM {file_text(events)})"
    cells = [f"lower(trim({name(column)}::VARCHAR))" for column in candidates]
    counts = ", ".join(f"count(DISTINCT {cell}) FILTER ({cell} IN {ids})" for cell in cells)
    matched = dict(zip(candidates, one(connection, f"SELECT {counts} FROM {source.relation()}"), strict=True))
    proposed = next((item.column for item in proposals if item.role == ID), "")
    best = max(candidates, key=lambda column: int(matched[column]))
    if best == proposed or int(matched[best]) <= 2 * int(matched.get(proposed, 0)):
        return proposals
    roles = {best: (ID, ""), proposed: (ATTRIBUTE, "")}
    return [
        replace(item, role=roles[item.column][0], field=roles[item.column][1]) if item.column in roles else item
        for item in proposals
    ]


def match_notes(
    connection: duckdb.DuckDBPyConnection, counts: Match, table: Path, events: Path, file: str
) -> tuple[Message, ...]:
    """Return warnings where few customers match: examples, and which other spelling would match more.

    Raises:
        Refused: none matches.
    """
    if not counts.few:
        return ()
    table_only, log_only = _unmatched(connection, table, events), _unmatched(connection, events, table)
    params = {"file": file, "customers": counts.customers, "log": counts.log, "here": table_only, "there": log_only}
    better = {how: match(connection, table, events, rewrite).matched for how, rewrite in REWRITES.items()}
    how, most = max(better.items(), key=lambda item: item[1])
    hint = Message(f"warning.customers_match_if.{how}", {"matched": most})
    helps = most > 2 * counts.matched
    if counts.matched == 0:
        raise Refused(f"customers_none_match_{how}" if helps else "customers_none_match", **params, matched=most)
    warning = Message("warning.customers_few_match", {**params, "matched": counts.matched})
    return (warning, hint) if helps else (warning,)


def match(connection: duckdb.DuckDBPyConnection, table: Path, events: Path, identity: str = CUSTOMER_ID) -> Match:
    """Count the customers of a table, of a log, and of both, by an SQL expression of their ids."""
    sides = [f"(SELECT DISTINCT {identity} AS id FROM {file_text(path)})" for path in (table, events)]
    both = f"SELECT count(*) FROM {sides[0]} SEMI JOIN {sides[1]} USING (id)"
    row = one(connection, f"SELECT (SELECT count(id) FROM {sides[0]}), (SELECT count(id) FROM {sides[1]}), ({both})")
    return Match(*map(int, row))


def _unmatched(connection: duckdb.DuckDBPyConnection, table: Path, other: Path) -> list[str]:
    """Return three ids of ``table`` that ``other`` has not."""
    rows = connection.execute(
        f"SELECT DISTINCT {CUSTOMER_ID} FROM {file_text(table)} ANTI JOIN"
        f" (SELECT DISTINCT {CUSTOMER_ID} FROM {file_text(other)}) USING ({CUSTOMER_ID}) ORDER BY 1 LIMIT 3"
    ).fetchall()
    return [str(row[0])[:40] for row in rows]
