"""Ids that hardly differ: one customer told in two spellings is two customers, each worth half."""

from __future__ import annotations

from typing import Final

import duckdb

from clv_core.collection.engine import one, text
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message

FEWEST: Final = 3
"""Ids with another spelling, before that is no accident."""
SHARE: Final = 0.05
"""Share of the customers who have one; of ids whose capitals mean something, fewer are alike."""
PHONE: Final = r"\+?[0-9][0-9\s()./-]{7,20}"
ABROAD: Final = r"\s*(\+|00)"
LOCAL_DIGITS: Final = 9
"""Digits at the end of a phone number that are the same with and without the code of its country."""


def alike_ids(connection: duckdb.DuckDBPyConnection, file: str) -> list[Message]:
    """Return a warning where many ids differ in capitals, blanks, leading zeros or a country's code only.

    Args:
        connection: the engine.
        file: SQL of the file of kept events.
    """
    digits = f"regexp_replace({CUSTOMER_ID}, '[^0-9]', '', 'g')"
    bare = f"ltrim(lower(regexp_replace({CUSTOMER_ID}, '\\s+', '', 'g')), '0')"
    phone = f"regexp_full_match({CUSTOMER_ID}, {text(PHONE)}) AND strlen({digits}) >= {LOCAL_DIGITS}"
    people = f"SELECT * FROM (SELECT DISTINCT {CUSTOMER_ID} FROM {file}) WHERE NOT contains({CUSTOMER_ID}, '@')"
    keys = (
        f"SELECT {CUSTOMER_ID} AS id, {bare} AS key FROM people UNION ALL SELECT {CUSTOMER_ID}, '+' ||"
        f" right({digits}, {LOCAL_DIGITS}) FROM people WHERE {phone}"
    )
    groups = (
        f"SELECT count(*) AS ids, min(id) AS one, max(id) AS other FROM ({keys}) WHERE key <> '' GROUP BY key"
        f" HAVING count(*) > 1 AND (key[1] <> '+' OR bool_or(regexp_matches(id, {text('^' + ABROAD)})))"
    )
    alike, several, first, other, every = one(
        connection,
        f"WITH people AS MATERIALIZED ({people}) SELECT count(*), coalesce(sum(ids), 0), min(one), arg_min(other, one),"
        f" (SELECT count(*) FROM people) FROM ({groups})",
    )
    if alike < FEWEST or several < SHARE * every:
        return []
    params = {"customers": int(several), "people": int(alike), "examples": [str(first)[:40], str(other)[:40]]}
    return [Message("warning.alike_ids", params)]
