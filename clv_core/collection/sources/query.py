"""One SELECT and nothing else: a query is parsed, checked, and what is sent is written anew from what was checked."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import sqlglot
from sqlglot import exp

from clv_core.errors import Refused

TABLE: Final = re.compile(r"[\w$-]+(\.[\w$-]+){0,2}")
WRITES: Final = (exp.DML, exp.DDL, exp.Into, exp.Lock, exp.Command, exp.Copy, exp.Drop, exp.Alter, exp.Set)
HARMLESS: Final = frozenset(
    {"datetime", "julianday", "unixepoch", "from_unixtime", "unix_timestamp", "make_interval", "make_date", "to_json"}
)
"""Functions that the parser does not know by meaning and that only calculate. All others that it does not know are
refused: they may write, as ``setval`` and ``lo_import`` do, or run other queries."""


def select(what: str, dialect: str, *, time_column: str = "", since: date | None = None, limit: int = 0) -> str:
    """Return the SQL that fetches a table or the rows of a query.

    Comments are left out, as some databases execute them.

    Args:
        what: name of a table, or one SELECT.
        dialect: of both.
        time_column: with ``since``.
        since: only rows of this day and later.
        limit: at most so many rows; 0 is all.

    Raises:
        Refused: it is not one SELECT, or calls a function that may do more than calculate.
    """
    what = what.strip()
    if TABLE.fullmatch(what):
        quoted = dialect != "snowflake"  # which stores names in capitals unless they were quoted
        parts = [exp.to_identifier(part, quoted=quoted) for part in what.split(".")]
        table = exp.Table(**dict(zip(("this", "db", "catalog"), reversed(parts), strict=False)))
        tree: exp.Query = exp.select("*").from_(table)
    else:
        tree = _checked(what, dialect)
        if since is not None or limit:
            tree = exp.select("*").from_(tree.subquery("source"))
    if since is not None:
        tree = tree.where(exp.GTE(this=exp.column(time_column, quoted=True), expression=exp.Literal.string(str(since))))
    if limit:
        tree = tree.limit(limit)
    return tree.sql(dialect, comments=False)


def _checked(what: str, dialect: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(what, read=dialect) if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise Refused("query_not_select", found=what[:80]) from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise Refused("query_not_select", found=what[:80])
    tree = trees[0]
    if tree.find(*WRITES):
        raise Refused("query_not_select", found=what[:80])
    unknown = {node.name for node in tree.find_all(exp.Anonymous) if node.name.lower() not in HARMLESS}
    unknown |= {
        node.expression.name or str(node.expression)
        for node in tree.find_all(exp.Dot)
        if isinstance(node.expression, exp.Func)
    }
    if unknown:
        raise Refused("query_function", functions=sorted(unknown))
    return tree
