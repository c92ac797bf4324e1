"""The names that a log gives its events, and the event type that each is taken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import connect, name, text
from clv_core.collection.mapping.kinds.documents import of_documents, read_documents
from clv_core.collection.mapping.kinds.payments import are_means
from clv_core.collection.mapping.plan.names import UNKNOWN
from clv_core.collection.parse.numbers import BELOW
from clv_core.collection.read.source import Source, open_source
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, MISSING, fold
from clv_core.collection.vocabulary.row_types import is_stored_value
from clv_core.columns import EVENT_TYPES, PURCHASE
from clv_core.errors import Refused
from clv_core.scratch import temporary_folder

MOST: Final = 200
"""Names beyond this many are not listed: a column with more is hardly one of event types."""


MOST_KINDS: Final = 20


@dataclass(frozen=True)
class EventName:
    """One name of events in a log.

    Args:
        name: as it stands in the file; empty where a row says nothing.
        rows: how many rows carry it.
        event_type: what it is taken for.
        below: whether all its amounts are below zero.
        usual: what it would be taken for if the person said nothing.
    """

    name: str
    rows: int
    event_type: str
    below: bool = False
    usual: str = ""


def are_event_names(values: Sequence[str]) -> bool:
    """Say whether a column's values are names of events: most are known ones, or half of the different ones are, a
    purchase among them; or whether they are a ledger's documents, of several kinds.
    """
    if are_means(values):
        return False
    known: dict[str, str | None] = {value: EVENT_NAMES.get(fold(value)) for value in set(values)}
    known |= of_documents(set(values))
    if sum(known[value] is not None for value in values) > 0.5 * len(values):
        return True
    named = [kind for kind in known.values() if kind is not None]
    return PURCHASE in named and len(set(named)) > 1 and 2 * len(named) >= len(known)


def are_kinds(values: Sequence[str]) -> bool:
    """Say whether the values of a column that is called a type are kinds of rows: few, with points or top-ups."""
    different = set(values)
    return len(different) <= MOST_KINDS and not are_means(values) and any(map(is_stored_value, different))


def event_names(
    path: Path,
    column: str,
    said: Mapping[str, str],
    *,
    header: bool | None = None,
    money: str = "",
    encoding: str = "",
    sheet: str = "",
) -> tuple[EventName, ...]:
    """Return the names in ``column`` of the file ``path``, the most frequent first, at most :data:`MOST`.

    Args:
        path: a file, or a folder of Parquet files.
        column: the source column of event types.
        said: event name -> event type, as the person said so far.
        header: whether a text file's first line names its columns; None looks.
        money: the source column of amounts, "" where none is known.
        encoding: of a text file; empty looks.
        sheet: of a workbook; empty looks.

    Raises:
        NeedsAnswer: the file may or may not name its columns.
        Refused: it holds no table.
    """
    with temporary_folder("clv-names-") as folder:
        connection = connect(folder, reads=path)
        try:
            source = open_source(connection, path, folder, header=header, encoding=encoding, sheet=sheet)
            return names_of(connection, source, column, said, money)
        except duckdb.Error as error:
            raise Refused("unreadable_table", file=path.name) from error
        finally:
            connection.close()


def names_of(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: str,
    said: Mapping[str, str],
    money: str = "",
    found: Mapping[str, str] | None = None,
) -> tuple[EventName, ...]:
    """Return the names in ``column`` of an open source, as :func:`event_names` does.

    Args:
        connection: the engine.
        source: the file.
        column: of event types.
        said: event name -> event type, as the file is read.
        money: the source column of amounts, "" where none is known.
        found: event name -> event type, as the file itself tells.
    """
    below = f"coalesce(bool_and(regexp_matches({name(money)}, {text(BELOW)})), false)" if money else "false"
    rows = connection.execute(
        f"SELECT trim({name(column)}) AS event, count(*), {below} FROM {source.relation()} GROUP BY 1"
        f" ORDER BY count(*) DESC, event LIMIT {MOST}"
    ).fetchall()
    said = {**(read_documents(connection, source, column, money) if money else {}), **said}
    return tuple(
        EventName(event or "", int(count), taken_for(event or "", said), bool(low), taken_for(event or "", found or {}))
        for event, count, low in rows
    )


def taken_for(event: str, said: Mapping[str, str]) -> str:
    """Return the event type of a name: what the person said, else the usual synonyms, else the name itself."""
    if event in said:
        return said[event]
    return UNKNOWN if event.lower() in MISSING else EVENT_NAMES.get(fold(event), event)


def seen_values(raw: list[str], answers: Mapping[str, str]) -> dict[str, str]:
    """Return event type by name for the names in a sample, the person's ``answers`` (name -> type) first."""
    values = {value: EVENT_NAMES.get(fold(value), value) for value in raw}
    return {**{value: kind for value, kind in values.items() if kind in EVENT_TYPES}, **answers}
