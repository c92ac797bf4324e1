"""The rows of a customers file: cleaned, typed, judged one by one, and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.customers.attributes import RAW, Attribute, raw_name, read_attributes, read_dates
from clv_core.collection.customers.roles import ChosenRoles, Roles
from clv_core.collection.engine import file_text, name, one, text
from clv_core.collection.infer.plan.reading_plan import ReadingPlan
from clv_core.collection.parse.id_texts import MERGE, pseudonym_sql
from clv_core.collection.read.line_numbers import line_breaks, lines_without_rows, recorded_rejects
from clv_core.collection.read.quotes import Reject
from clv_core.collection.read.source import Source
from clv_core.collection.rows.rejected_rows import EXAMPLES, Problem
from clv_core.collection.rows.similar_ids import find_spellings
from clv_core.collection.vocabulary.column_names import CONSENT, IMPERSONAL
from clv_core.columns import CUSTOMER_ID, EVENT_TIME, ORDER_ID
from clv_core.errors import Message, Refused

TYPED: Final = "clv_customers_typed"
NO_ID, HEADER, BAD_DATE, TWICE = "no_customer", "repeated_header", "customers_bad_date", "customers_twice"
"""Reasons why a row is rejected."""


@dataclass(frozen=True)
class CustomerTable:
    """The rows of a customers file in the engine, judged.

    Args:
        read: kept + rejected.
        kept: rows that can be used.
        attributes: attributes that are on, typed.
        dates: columns that date them.
        contacts: contact fields that are stored.
        problems: rejected rows by reason.
        notes: warnings about the reading.
    """

    read: int
    kept: int
    attributes: tuple[Attribute, ...]
    dates: tuple[str, ...]
    contacts: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Message, ...]

    def write(
        self, connection: duckdb.DuckDBPyConnection, target: Path, *, key: bytes | None = None, hash_ids: bool = False
    ) -> None:
        """Write the kept rows as Parquet, in the file's order.

        Args:
            connection: where the rows are.
            target: the Parquet file.
            key: makes contact fields that name or reach one person keyed hashes.
            hash_ids: makes ids keyed hashes too.
        """
        secret = "" if key is None else pseudonym_sql(key)
        id_value = secret.format(column=CUSTOMER_ID) if secret and hash_ids else CUSTOMER_ID
        shown = [f"{id_value} AS {CUSTOMER_ID}"]
        shown += [name(attribute.name) for attribute in self.attributes]
        shown += [name(date) for date in self.dates]
        taken = {attribute.name.lower() for attribute in self.attributes}
        for field in self.contacts:
            if field not in taken:
                cell = _contact_name(field)
                plain = key is None or field in (CONSENT, *IMPERSONAL)
                shown.append(f"{cell if plain else secret.format(column=cell)} AS {field}")
        query = f"SELECT {', '.join(shown)} FROM {TYPED} WHERE reason IS NULL ORDER BY clv_row"
        connection.execute(f"COPY ({query}) TO {text(str(target))} (FORMAT parquet)")


def read_table(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    selected: ChosenRoles,
    roles: Roles,
    timezone: str,
    log: Path | None = None,
) -> CustomerTable:
    """Read the rows of ``source`` into the engine.

    Args:
        connection: the engine.
        source: the file.
        selected: which column is what.
        roles: the person's answers.
        timezone: of the log.
        log: its events, where similar ids are one customer there: the file's ids are then spelt as in the log.

    Raises:
        NeedsAnswer: dates can be read in two ways.
        Refused: a static attribute is different in two rows of one customer.
    """
    _load(connection, source, selected)
    if log is not None:
        _spell_as(connection, log)
    rejects = recorded_rejects(connection, source)
    rows = int(one(connection, f"SELECT count(*) FROM {RAW}")[0])
    attributes, values, notes = read_attributes(connection, selected, roles)
    dates, messages = read_dates(connection, selected, roles, timezone)
    notes += messages
    bad = " OR ".join(f"({raw_name(date)} IS NOT NULL AND {value} IS NULL)" for date, value in dates.items())
    header = f"{CUSTOMER_ID} = {text(selected.customer_id)}"
    reason = (
        f"CASE WHEN {CUSTOMER_ID} IS NULL THEN '{NO_ID}' WHEN {header} THEN '{HEADER}'"
        f"{f' WHEN {bad} THEN {text(BAD_DATE)}' if bad else ''} END"
    )
    contacts = [_contact_name(field) for field in selected.contacts]
    shown = [f"{value} AS {name(column)}" for column, value in {**values, **dates}.items()] + contacts
    shown += [f"{raw_name(date)} AS {_was_name(date)}" for date in dates]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {TYPED} AS"
        f" SELECT clv_row, clv_breaks, {CUSTOMER_ID}, {', '.join(shown)}, {reason} AS reason FROM {RAW}"
    )
    stored = [name(column) for column in (*values, *dates)] + contacts
    if selected.dates:
        notes += _check_rows(connection, attributes)
    else:
        _reject_repeats(connection, stored)
    loaded = int(one(connection, f"SELECT count(*) FROM {TYPED} WHERE reason IS NULL")[0])
    problems = _problems(connection, source, selected, rejects, rows)
    return CustomerTable(
        rows + len(rejects), loaded, attributes, tuple(dates), tuple(selected.contacts), problems, tuple(notes)
    )


def _load(connection: duckdb.DuckDBPyConnection, source: Source, selected: ChosenRoles) -> None:
    """Load the columns that are used as text: ids and contact fields under their names, others under their own."""
    cells = [f"{_clean(CUSTOMER_ID, selected.customer_id)} AS {CUSTOMER_ID}"]
    cells += [f"{_clean(ORDER_ID, column)} AS {raw_name(column)}" for column in selected.attributes]
    cells += [f"{_clean(EVENT_TIME, column)} AS {raw_name(column)}" for column in selected.dates]
    cells += [
        f"nullif(trim({name(column)}), '') AS {_contact_name(field)}" for field, column in selected.contacts.items()
    ]
    breaks = "0" if source.dialect is None else line_breaks(source.columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {RAW} AS SELECT row_number() OVER () AS clv_row, {breaks} AS clv_breaks,"
        f" {', '.join(dict.fromkeys(cells))} FROM {source.relation(record=True)}"
    )


def _spell_as(connection: duckdb.DuckDBPyConnection, log: Path) -> None:
    """Write the ids that were loaded as a log has them, where they differ in capitals, blanks or leading zeros only."""
    log_ids = f"SELECT DISTINCT {CUSTOMER_ID} AS id, true AS old FROM {file_text(log)}"
    new = f"SELECT DISTINCT {CUSTOMER_ID} AS id, false AS old FROM {RAW} WHERE {CUSTOMER_ID} IS NOT NULL"
    if find_spellings(connection, f"{log_ids} UNION ALL {new}", MERGE, ask=False):
        connection.execute(f"UPDATE {RAW} SET {CUSTOMER_ID} = instead FROM spellings WHERE {CUSTOMER_ID} = id")


def _clean(like: str, column: str) -> str:
    """Return SQL for a column's text, trimmed and NULL where it means nothing, as a log's column ``like`` is."""
    return ReadingPlan((column,), {like: column}).clean(like)


def _reject_repeats(connection: duckdb.DuckDBPyConnection, stored: Sequence[str]) -> None:
    """Reject rows that repeat an id: of equal rows the first stays, of different ones none, as none is surer.

    The inner query gives each row its place among the rows of its id, and the smallest and largest hash of these, which
    differ where their values do; the outer one writes the reason.
    """
    same = f"hash(row({', '.join(stored)}))"
    group = f"(PARTITION BY {CUSTOMER_ID}, reason IS NULL)"
    first = f"row_number() OVER (PARTITION BY {CUSTOMER_ID}, reason IS NULL ORDER BY clv_row)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {TYPED} AS SELECT * REPLACE (CASE WHEN reason IS NULL"
        f" AND (clv_first > 1 OR clv_low <> clv_high) THEN '{TWICE}' ELSE reason END AS reason) FROM"
        f" (SELECT *, {first} AS clv_first, min({same}) OVER {group} AS clv_low, max({same}) OVER {group} AS clv_high"
        f" FROM {TYPED})"
    )


def _check_rows(connection: duckdb.DuckDBPyConnection, attributes: Sequence[Attribute]) -> list[Message]:
    """Give each customer one value of every static attribute, and return which dated values contradict each other.

    Raises:
        Refused: a static attribute is different in two rows of one customer.
    """
    notes: list[Message] = []
    filled = []
    for attribute in attributes:
        column = name(attribute.name)
        if attribute.dated_by is None:
            # Inner: customers with several values. Outer: how many, and one of them.
            varying = connection.execute(
                f"SELECT count(*), min({CUSTOMER_ID}) FROM (SELECT {CUSTOMER_ID} FROM {TYPED} WHERE reason IS NULL"
                f" GROUP BY {CUSTOMER_ID} HAVING count(DISTINCT {column}) > 1)"
            ).fetchone()
            if varying and varying[0]:
                params = {"column": attribute.name, "customers": int(varying[0]), "customer": str(varying[1])[:60]}
                raise Refused("customers_static_varies", **params)
            filled.append(f"max({column}) OVER (PARTITION BY {CUSTOMER_ID}, reason IS NULL) AS {column}")
            continue
        date = name(attribute.dated_by)
        undated = one(
            connection, f"SELECT count(*) FROM {TYPED} WHERE reason IS NULL AND {column} IS NOT NULL AND {date} IS NULL"
        )[0]
        if undated:
            params = {"column": attribute.name, "date": attribute.dated_by, "rows": int(undated)}
            notes.append(Message("warning.customers_undated", params))
        # Inner: days of a customer with several values. Outer: how many.
        torn = one(
            connection,
            f"SELECT count(*) FROM (SELECT 1 FROM {TYPED} WHERE reason IS NULL AND {date} IS NOT NULL"
            f" GROUP BY {CUSTOMER_ID}, {date} HAVING count(DISTINCT {column}) > 1)",
        )[0]
        if torn:
            params = {"column": attribute.name, "date": attribute.dated_by, "cases": int(torn)}
            notes.append(Message("warning.customers_same_day", params))
    if filled:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {TYPED} AS SELECT * REPLACE ({', '.join(filled)}) FROM {TYPED}"
        )
    return notes


def _problems(
    connection: duckdb.DuckDBPyConnection, source: Source, selected: ChosenRoles, rejects: Sequence[Reject], read: int
) -> tuple[Problem, ...]:
    """Return the rejected rows by reason, with their line numbers, the most frequent first."""
    about = {NO_ID: selected.customer_id, BAD_DATE: ", ".join(selected.dates), TWICE: selected.customer_id}
    dates = ", ".join(_was_name(date) for date in selected.dates)
    shown = f"CASE reason WHEN '{BAD_DATE}' THEN concat_ws(', ', {dates}) ELSE {CUSTOMER_ID} END"
    # Inner: line breaks in the cells above each row, which shift its line. Outer: count and examples by reason.
    rows = connection.execute(
        f"SELECT reason, count(*), arg_min(coalesce({shown if dates else CUSTOMER_ID}, ''), clv_row, {EXAMPLES}),"
        f" arg_min(clv_row + clv_before, clv_row, {EXAMPLES})"
        f" FROM (SELECT *, coalesce(sum(clv_breaks) OVER (ORDER BY clv_row ROWS BETWEEN UNBOUNDED PRECEDING"
        f" AND 1 PRECEDING), 0) AS clv_before FROM {TYPED}) WHERE reason IS NOT NULL GROUP BY reason"
    ).fetchall()
    first, size = (array.tolist() for array in lines_without_rows(source, rejects, read))
    gaps = list(zip(first, size, strict=True))
    header = source.dialect.header_line if source.dialect else 0
    problems = []
    for reason, count, values, places in rows:
        lines = [_line(header + int(place), gaps) for place in places]
        examples = tuple((line, str(value)[:200]) for line, value in zip(lines, values, strict=True))
        problems.append(Problem(reason, int(count), about.get(reason, ""), about.get(reason, ""), examples))
    for reason in dict.fromkeys(item.reason for item in rejects):
        same = [item for item in rejects if item.reason == reason]
        examples = tuple((item.line, item.text[:200]) for item in same[:EXAMPLES])
        problems.append(Problem(reason, len(same), "", "", examples))
    return tuple(sorted(problems, key=lambda item: (-item.rows, item.reason)))


def _line(place: int, gaps: Sequence[tuple[int, int]]) -> int:
    """Return the line of the row that would be at ``place`` without the gaps."""
    for first, lines in gaps:
        if first > place:
            break
        place += lines
    return place


def _was_name(column: str) -> str:
    """Return the name of the column with a date's text."""
    return name(f"clv_was_{column}")


def _contact_name(field: str) -> str:
    """Return the name of a contact field's text."""
    return f"clv_contact_{field}"
