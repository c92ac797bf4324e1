"""One id for all guests of a shop: they are many people, whom their e-mails tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb

from clv_core.collection.engine import name, text
from clv_core.collection.mapping.columns.first_rows import filled
from clv_core.collection.mapping.customers.emails import email_columns
from clv_core.collection.read.source import Source
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message

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
