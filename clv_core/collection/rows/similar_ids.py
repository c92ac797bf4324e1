"""Ids that hardly differ: one customer in two spellings would be two customers, each worth half."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.engine import file_text, numbered_rows, one, text
from clv_core.collection.parse.id_texts import MERGE, PADDED, WHOLE, unified_sql
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, NeedsAnswer

MIN_GROUPS: Final = 3
"""Groups of similar ids, before that is no accident."""
MIN_USUAL: Final = 10
"""Ids in the most usual form, among which a single one that is written otherwise is no accident either."""
MIN_SHARE: Final = 0.05
"""Share of the customers who are in one; of ids whose capitals mean something, fewer are similar."""
MIN_TWINS: Final = 0.5
"""Share of the ids in the less usual forms that have a twin, from which on both forms name the same customers."""
FORM: Final = (
    f"concat(CASE WHEN id = lower(id) THEN 'small' WHEN id = upper(id) THEN 'capital' ELSE 'mixed' END,"
    f" contains(id, ' '), regexp_matches(id, {text(PADDED)}),"
    f" regexp_matches(id, {text(WHOLE)}))"
)
"""How an id is written: in small letters, with a blank, padded with zeros."""


def find_spellings(
    connection: duckdb.DuckDBPyConnection, ids: str, answer: str | None, *, ask: bool = True, hashed: bool = False
) -> tuple[Message, ...]:
    """Make the table ``spellings (id, instead)`` of ids that are another one's, and return the warnings about them.

    They are where most ids of the less usual forms have a twin in another form and none in their own: small letters and
    capitals, with and without padding zeros or blanks. The twin in the log, else that in the most usual form, is taken.

    Args:
        connection: the engine.
        ids: query of ``id`` and ``old``: whether it is in the log already, and stays as it is.
        answer: of the person: ``merge``, ``separate`` or None.
        ask: whether to ask where it is not plain; if not, they stay apart.
        hashed: whether the ids become pseudonyms: all then get the spelling that every other one can be turned into.

    Raises:
        NeedsAnswer: many ids have a twin, and it is not plain that they are one customer.
    """
    every = f"SELECT id, bool_or(old) AS old FROM ({ids}) WHERE NOT contains(id, '@') GROUP BY id"
    count, keys = one(connection, f"SELECT count(*), count(DISTINCT {unified_sql('id')}) FROM ({every})")
    if hashed and answer == MERGE:
        _unify(connection, every)
    if count == keys or answer not in (None, MERGE):
        return ()
    # Inner: each id's unified key and its form. Outer: how many ids share the key, the key in that form, and the form.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE similar_ids AS SELECT *, count(*) OVER (PARTITION BY key) AS ids,"
        f" bool_and(old) OVER (PARTITION BY key) AS all_old, count(*) OVER (PARTITION BY key, form) AS same,"
        f" count(*) OVER (PARTITION BY form) AS usual"
        f" FROM (SELECT *, {unified_sql('id')} AS key, {FORM} AS form FROM ({every}))"
    )
    # Inner: whether an id has a twin, and the most usual form. Outer: counts of these, and an example.
    groups, several, clashes, rare, usual, twins, example, other = one(
        connection,
        "SELECT count(DISTINCT key) FILTER (twin), count(*) FILTER (twin), count(*) FILTER (twin AND same > 1),"
        " count(*) FILTER (form <> main), count(*) FILTER (form = main),"
        " count(*) FILTER (twin AND form <> main), min(id) FILTER (twin),"
        " arg_min(last, id) FILTER (twin) FROM (SELECT *, ids > 1 AND NOT all_old AS twin, max(id) OVER (PARTITION BY"
        " key) AS last, first_value(form) OVER (ORDER BY usual DESC, form) AS main FROM similar_ids)",
    )
    if not groups:
        return ()
    params = {"ids": several, "people": groups, "separate": count, "merged": keys, "examples": [example, other]}
    many = groups >= MIN_GROUPS or usual >= MIN_USUAL
    if answer is None and (clashes or twins < MIN_TWINS * rare or not many):
        if ask and groups >= MIN_GROUPS and several >= MIN_SHARE * count:
            raise NeedsAnswer("similar_ids", **params)
        return ()
    if hashed:
        _unify(connection, every)
    else:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE spellings AS SELECT id, instead FROM (SELECT id, old, first_value(id)"
            " OVER (PARTITION BY key ORDER BY old DESC, usual DESC, strlen(id), id) AS instead FROM similar_ids"
            " WHERE ids > 1) WHERE NOT old AND id <> instead"
        )
    return (Message("warning.ids_merged", params),)


def _unify(connection: duckdb.DuckDBPyConnection, ids: str) -> None:
    query = f"SELECT id, {unified_sql('id')} AS instead FROM ({ids}) WHERE id <> instead"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE spellings AS {query}")


def write_respelled(connection: duckdb.DuckDBPyConnection, source: Path, target: Path, secret: str = "") -> None:
    """Write a Parquet file with each id of the table ``spellings`` as the one that it is.

    Args:
        connection: the engine.
        source: events, or orders that were called off.
        target: the new file.
        secret: SQL template with ``{column}`` by which the file's ids became pseudonyms; empty where they did not.
    """
    veiled = [secret.format(column=column) if secret else column for column in ("id", "instead")]
    table = f"SELECT {veiled[0]} AS clv_id, {veiled[1]} AS clv_instead FROM spellings"
    rows = f"SELECT *, file_row_number AS clv_row FROM {numbered_rows(source)}"
    customer = f"coalesce(clv_instead, {CUSTOMER_ID}) AS {CUSTOMER_ID}"
    connection.execute(
        f"COPY (SELECT * EXCLUDE (file_row_number, clv_row, clv_id, clv_instead) REPLACE ({customer}) FROM ({rows})"
        f" LEFT JOIN ({table}) ON {CUSTOMER_ID} = clv_id ORDER BY clv_row) TO {file_text(target)} (FORMAT parquet)"
    )
