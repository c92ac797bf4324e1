"""The names that a log gives its events, a ledger's documents among them, and what each is taken for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Unpack

import duckdb

from clv_core.collection.answers import Answers, Said
from clv_core.collection.engine import name, reading_file, text
from clv_core.collection.infer.log_table import LogTable
from clv_core.collection.infer.plan.cells import UNKNOWN
from clv_core.collection.parse.numbers import BELOW
from clv_core.collection.read.source import Source, open_source
from clv_core.collection.vocabulary.column_names import EVENT_NAMES, MEANS_OF_PAYMENT, MISSING, fold
from clv_core.collection.vocabulary.order_statuses import BILLS, CREDITS, PAYMENTS, is_stored_value
from clv_core.columns import AMOUNT, EVENT_TYPE, EVENT_TYPES, ORDER_STATUS, PURCHASE, RETURN
from clv_core.errors import Message
from clv_core.scratch import temporary_folder

WITH_MEANS: Final = frozenset(map(fold, ("credit", "debit", "other", "others", "none")))
"""Words among means of payment that have another meaning elsewhere."""


def are_means(values: Iterable[str]) -> bool:
    """Return whether a column's words are means of payment: "credit" next to "cash" is a card, and no credit note.

    Args:
        values: of the column.
    """
    words = set(map(fold, values))
    return bool(words & MEANS_OF_PAYMENT) and words <= MEANS_OF_PAYMENT | WITH_MEANS


def drop_payment_kinds(log: LogTable, column_of: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return ``column_of`` without an event type column that names no event, where a status describes each row.

    Args:
        log: the file.
        column_of: canonical name -> source column.
    """
    column = column_of.get(EVENT_TYPE, "")
    if not column or EVENT_TYPE in log.answers.mapping or not {AMOUNT, ORDER_STATUS} <= set(column_of):
        return dict(column_of), ()
    words = set(log.filled(column))
    if ledger_event_types(words) or any(fold(word) in EVENT_NAMES for word in words):
        return dict(column_of), ()
    return {canonical: source for canonical, source in column_of.items() if canonical != EVENT_TYPE}, ()


MAX_EVENT_NAMES: Final = 200
"""A column with more different words is hardly one of kinds of documents."""
MEANT: Final = dict.fromkeys(BILLS, PURCHASE) | dict.fromkeys(CREDITS, RETURN)


def ledger_event_types(names: Iterable[str]) -> dict[str, str]:
    """Return what a ledger's words for its documents are taken for; nothing where they are not those of one.

    There are invoices among them, and nothing else is named a sale: a payment is no second one, and remains an event
    under its own name. Where a ledger has orders or sales besides invoices, both may be of one sale, and neither is
    mapped.

    Args:
        names: all words of a column of events.
    """
    words = [word for word in names if word.lower() not in MISSING]
    if not any(MEANT.get(fold(word)) == PURCHASE for word in words):
        return {}
    sales = [word for word in words if EVENT_NAMES.get(fold(word)) == PURCHASE and fold(word) not in PAYMENTS]
    if any(fold(word) not in MEANT for word in sales):
        return {}
    meant = {word: MEANT[fold(word)] for word in words if fold(word) in MEANT}
    return meant | {word: word for word in words if fold(word) in PAYMENTS}


def is_payment_ledger(names: Iterable[str]) -> bool:
    """Return whether the words of a column of kinds are those of a ledger with payments and invoices.

    Args:
        names: all words of the column.
    """
    meant = ledger_event_types(names)
    return PURCHASE in meant.values() and any(fold(word) in PAYMENTS for word in meant)


def read_documents(connection: duckdb.DuckDBPyConnection, source: Source, column: str, money: str) -> dict[str, str]:
    """Return what the words of a column of events are taken for where it is a ledger whose invoices have amounts.

    Where credit notes stand below zero and refunds above, these only settle those.

    Args:
        connection: the engine.
        source: the file.
        column: of events.
        money: of amounts; empty without one.
    """
    word = f"trim({name(column)})"
    priced = f"count(nullif(trim({name(money)}), ''))" if money else "0"
    below = f"count(*) FILTER (regexp_matches({name(money)}, {text(BELOW)}))" if money else "0"
    rows = connection.execute(
        f"SELECT {word}, {priced}, {below} FROM {source.relation()} WHERE {word} IS NOT NULL GROUP BY 1"
        f" LIMIT {MAX_EVENT_NAMES + 1}"
    ).fetchall()
    meant = ledger_event_types(str(row[0]) for row in rows) if len(rows) <= MAX_EVENT_NAMES else {}
    if not any(row[1] and meant.get(str(row[0])) == PURCHASE for row in rows):
        return {}
    credited = any(row[2] and meant.get(str(row[0])) == RETURN for row in rows)
    paid_back = [str(row[0]) for row in rows if EVENT_NAMES.get(fold(str(row[0]))) == RETURN and not row[2]]
    return meant | {word: word for word in paid_back if credited and word not in meant}


MAX_KINDS: Final = 20
"""Different words of a column of row types. A guess."""


@dataclass(frozen=True)
class EventName:
    """One name of events in a log.

    Args:
        name: as in the file; empty for blank cells.
        rows: how many rows carry it.
        event_type: what it is taken for.
        below: whether all its amounts are below zero.
        usual: what it would be taken for without answers.
    """

    name: str
    rows: int
    event_type: str
    below: bool = False
    usual: str = ""


def are_event_names(values: Sequence[str]) -> bool:
    """Return whether a column's values are names of events: most are in the vocabulary, or half of the different ones
    are, a purchase among them; or whether they are a ledger's documents, of several kinds.
    """
    if are_means(values):
        return False
    meanings: dict[str, str | None] = {value: EVENT_NAMES.get(fold(value)) for value in set(values)}
    meanings |= ledger_event_types(set(values))
    if sum(meanings[value] is not None for value in values) > 0.5 * len(values):
        return True
    named = [kind for kind in meanings.values() if kind is not None]
    return PURCHASE in named and len(set(named)) > 1 and 2 * len(named) >= len(meanings)


def are_kinds(values: Sequence[str]) -> bool:
    """Return whether the values of a column that is called a type are kinds of rows: few, with points or top-ups."""
    different = set(values)
    return len(different) <= MAX_KINDS and not are_means(values) and any(map(is_stored_value, different))


def event_names(
    path: Path, column: str, event_types: Mapping[str, str], *, money: str = "", **read: Unpack[Said]
) -> tuple[EventName, ...]:
    """Return the names in ``column`` of the file ``path``, the most frequent first, at most :data:`MAX_EVENT_NAMES`.

    Args:
        path: a file, or a folder of Parquet files.
        column: the source column of event types.
        event_types: event name -> event type, as answered so far.
        money: the source column of amounts, "" without one.
        read: the other answers about how it is read.

    Raises:
        NeedsAnswer: the file may or may not name its columns.
        Refused: it holds no table.
    """
    with temporary_folder("clv-names-") as folder, reading_file(path.name, folder, reads=path) as connection:
        return names_of(connection, open_source(connection, path, folder, Answers(**read)), column, event_types, money)


def names_of(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    column: str,
    event_types: Mapping[str, str],
    money: str = "",
    detected: Mapping[str, str] | None = None,
) -> tuple[EventName, ...]:
    """Return the names in ``column`` of an open source, as :func:`event_names` does.

    Args:
        connection: the engine.
        source: the file.
        column: of event types.
        event_types: event name -> event type, as the file is read.
        money: the source column of amounts, "" without one.
        detected: event name -> event type, as inferred from the file.
    """
    below = f"coalesce(bool_and(regexp_matches({name(money)}, {text(BELOW)})), false)" if money else "false"
    rows = connection.execute(
        f"SELECT trim({name(column)}) AS event, count(*), {below} FROM {source.relation()} GROUP BY 1"
        f" ORDER BY count(*) DESC, event LIMIT {MAX_EVENT_NAMES}"
    ).fetchall()
    event_types = {**(read_documents(connection, source, column, money) if money else {}), **event_types}
    return tuple(
        EventName(
            event or "",
            int(count),
            event_type_of(event or "", event_types),
            bool(low),
            event_type_of(event or "", detected or {}),
        )
        for event, count, low in rows
    )


def event_type_of(event: str, event_types: Mapping[str, str]) -> str:
    """Return the event type of a name: as answered, else by the usual synonyms, else the name itself."""
    if event in event_types:
        return event_types[event]
    return UNKNOWN if event.lower() in MISSING else EVENT_NAMES.get(fold(event), event)


def known_event_types(raw: list[str], answers: Mapping[str, str]) -> dict[str, str]:
    """Return event type by name for the names in a sample, the person's ``answers`` (name -> type) first."""
    values = {value: EVENT_NAMES.get(fold(value), value) for value in raw}
    return {**{value: kind for value, kind in values.items() if kind in EVENT_TYPES}, **answers}
