"""Attributes that will help no model: the same for everybody, or another one for nearly each customer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.customers.values import NUMBER, Attribute
from clv_core.collection.engine import file_text, name, one
from clv_core.errors import Message

ENOUGH_TEXTS: Final = 50
ENOUGH_NUMBERS: Final = 100
"""So many values are needed before "nearly all differ" means something."""


def value_notes(
    connection: duckdb.DuckDBPyConnection, table: Path, attributes: Sequence[Attribute]
) -> tuple[Message, ...]:
    """Return warnings about attributes that are constant, empty, or almost an id.

    Args:
        connection: the engine.
        table: the written customers table.
        attributes: those that are on.
    """
    found: list[Message] = []
    for attribute in attributes:
        column = name(attribute.name)
        whole = f"bool_and({column} = floor({column}))" if attribute.kind == NUMBER else "false"
        known, distinct, integers = one(
            connection, f"SELECT count({column}), count(DISTINCT {column}), {whole} FROM {file_text(table)}"
        )
        params = {"column": attribute.name, "rows": int(known), "distinct": int(distinct)}
        if distinct <= 1:
            found.append(Message("warning.customers_constant", params))
        elif attribute.dated_by is None and (
            (attribute.kind != NUMBER and known >= ENOUGH_TEXTS and distinct > 0.9 * known)
            or (integers and known >= ENOUGH_NUMBERS and distinct == known)
        ):
            found.append(Message("warning.customers_unique", params))
    return tuple(found)
