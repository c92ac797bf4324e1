"""Whether a column of ids names customers: not one of each order's own, and not one id for all guests of a shop."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, one, text
from clv_core.collection.files.source import Source
from clv_core.collection.mapping.first_rows import filled
from clv_core.collection.mapping.proposed import SURE, Proposal
from clv_core.collection.values.id_texts import folded_sql
from clv_core.columns import CUSTOMER_ID, EVENT_TIME, EVENT_TYPE, ORDER_ID
from clv_core.errors import Message, NeedsAnswer

JUDGED_ROWS: Final = 200_000
FEWEST: Final = 20
"""Orders, before an id that never comes back is strange."""
ONCE: Final = 0.99
"""Ids per order, from here on nobody seems to have bought twice."""
AGAIN: Final = 0.98
FEWEST_AGAIN: Final = 3
FEWEST_IDS: Final = 0.05
"""Ids of the other column per id of the first: fewer are hardly customers, but shops, groups or salespeople."""
EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
NEARLY_ALL: Final = 0.9
FEWEST_EMAILS: Final = 3
NO_NUMBER: Final = ("0", "0.0", "-1")
GUESTS: Final = (
    *("guest", "guests", "guest user", "guest customer", "guest checkout", "anonymous", "anonymous user", "anon"),
    *(
        "walk-in",
        "walk in",
        "walkin",
        "walk-in customer",
        "walk in customer",
        "cash customer",
        "cash sale",
        "cash sales",
    ),
    *("counter sale", "counter customer", "retail customer", "pos customer", "default customer", "no name", "unknown"),
    *("unknown customer", "laufkunde", "laufkundschaft", "barverkauf", "barkunde", "diverse", "client comptoir"),
    *("client de passage", "client divers", "consumidor final", "cliente final", "público en general"),
    *("publico en general", "público general", "cliente genérico", "cliente generico", "cliente mostrador"),
    *(
        "cliente occasionale",
        "passant",
        "散客",
        "零散客户",
        "零售客户",
        "розничный покупатель",
        "частное лицо",
        "非会員",
    ),
    *("not logged in", "unregistered", "gast", "gastkunde", "gastbestellung", "invité", "invitado", "ospite"),
    *("游客", "访客", "匿名", "匿名用户", "遊客", "訪客", "ゲスト", "비회원", "гость", "convidado", "misafir", "gość"),
)
"""What shops write where an id would be, in lower case."""


def settle_customer(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    proposals: Sequence[Proposal],
    chosen: Mapping[str, str],
    mapping: Mapping[str, str],
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Return the columns with a customer that comes back, where the one that was taken never does, and what to say.

    Args:
        connection: the engine.
        source: the file.
        proposals: what each column seems to be.
        chosen: canonical name -> source column.
        mapping: what the person said of columns.

    Raises:
        NeedsAnswer: another column comes back, and is only likely to be the customer.
    """
    column = chosen[CUSTOMER_ID]
    others = [item for item in proposals if item.canonical == CUSTOMER_ID and item.column != column and item.samples]
    if CUSTOMER_ID in mapping or not others:
        return dict(chosen), ()
    event = name(chosen[EVENT_TIME if EVENT_TYPE in chosen or ORDER_ID not in chosen else ORDER_ID])
    ids = name(column)
    counts = "".join(
        f", count(DISTINCT {other}), count(DISTINCT ({other}, {event})) FILTER ({other} IS NOT NULL),"
        f" count(DISTINCT ({ids}, {other})) FILTER ({ids} IS NOT NULL), count(*) FILTER ({other} IS NULL)"
        for other in (name(item.column) for item in others)
    )
    known, orders, *rest = one(
        connection,
        f"SELECT count(DISTINCT {ids}), count(DISTINCT ({ids}, {event})) FILTER ({ids} IS NOT NULL){counts}"
        f" FROM (SELECT * FROM {source.relation()} LIMIT {JUDGED_ROWS})",
    )
    if orders < FEWEST or known < ONCE * orders:
        return dict(chosen), ()
    for item, at in zip(others, range(0, len(rest), 4), strict=True):
        people, bought, pairs, blank = rest[at : at + 4]
        back = people <= AGAIN * bought and bought - people >= FEWEST_AGAIN
        if not back or blank or pairs != known or people < FEWEST_IDS * known:
            continue
        params = {"column": column, "other": item.column, "ids": known, "orders": orders, "people": people}
        if item.confidence < SURE and not _are_emails(item.samples):
            raise NeedsAnswer("customer_once", canonical=CUSTOMER_ID, **params)
        return {**chosen, CUSTOMER_ID: item.column}, (Message("warning.customer_comes_back", params),)
    return dict(chosen), ()


def guests_of(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    rows: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, str],
) -> tuple[tuple[str, ...], str, tuple[Message, ...]]:
    """Return the ids that many people share because they are guests, the column of their e-mails, and what to say.

    The whole file is asked only where its first rows hold such an id.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        chosen: canonical name -> source column.

    Returns:
        The ids in lower case, and the column ("" where there is none: then rows of guests name nobody).
    """
    column = chosen[CUSTOMER_ID]
    if not {value.lower() for value in filled(rows, column)} & {*GUESTS, *NO_NUMBER}:
        return (), "", ()
    emails = email_columns(rows, source.columns, column)
    words = ", ".join(text(word) for word in (*GUESTS, *(NO_NUMBER if emails else ())))
    email = name(emails[0]) if emails else "NULL::VARCHAR"
    found = connection.execute(
        f"SELECT lower(trim({name(column)})) AS id, count(*), count(DISTINCT lower(trim({email}))) FROM"
        f" {source.relation()} WHERE lower(trim({name(column)})) IN ({words}) GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    pooled = [row for row in found if row[0] not in NO_NUMBER or row[2] >= FEWEST_EMAILS]
    if not pooled:
        return (), "", ()
    params = {"column": column, "ids": [row[0] for row in pooled], "rows": sum(row[1] for row in pooled)}
    ids = tuple(str(row[0]) for row in pooled)
    if not emails:
        return ids, "", (Message("warning.guests_nameless", params),)
    more = {"other": emails[0], "people": sum(row[2] for row in pooled)}
    return ids, emails[0], (Message("warning.guests_by_email", {**params, **more}),)


def spelt_mails(
    connection: duckdb.DuckDBPyConnection, source: Source, rows: Sequence[Mapping[str, Any]], column: str
) -> tuple[Message, ...]:
    """Return what is to be said of ids that are e-mail addresses, where some stand with capitals.

    The whole file is asked only where its first rows hold an address.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        column: of the customer's ids.
    """
    if not any("@" in value for value in filled(rows, column)):
        return ()
    cell = f"trim({name(column)})"
    capital, several, spellings = one(
        connection,
        f"SELECT count(*) FILTER (capital), count(*) FILTER (spellings > 1),"
        f" coalesce(sum(spellings) FILTER (spellings > 1), 0)"
        f" FROM (SELECT count(DISTINCT {cell}) AS spellings, bool_or({cell} <> {folded_sql(cell)}) AS capital"
        f" FROM {source.relation()} WHERE contains({name(column)}, '@') GROUP BY {folded_sql(cell)})",
    )
    if not capital:
        return ()
    params = {"column": column, "customers": int(several), "spellings": int(spellings), "capitals": int(capital)}
    return (Message("warning.spelt_mails" if several else "warning.mails_lowered", params),)


def email_columns(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], own: str) -> list[str]:
    """Return the columns beside the customer's own that hold e-mail addresses."""
    return [column for column in columns if column != own and _are_emails(filled(rows, column))]


def _are_emails(values: Sequence[str]) -> bool:
    return bool(values) and sum(bool(EMAIL.fullmatch(value)) for value in values) >= NEARLY_ALL * len(values)
