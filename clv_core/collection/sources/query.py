"""One SELECT and nothing else: a query is parsed, checked, and what is sent is written anew from what was checked.

Texts that a database may end elsewhere than the parser does (escape strings, dollar quotes, backslashes) are refused:
what follows them could become code. What is sent must parse to a tree that was checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.parser import Parser
from sqlglot.tokens import Token, TokenType

from clv_core.errors import Refused

TABLE: Final = re.compile(r"[\w$-]+(\.[\w$-]+){0,2}")
WRITES: Final = (
    *(exp.DML, exp.DDL, exp.Into, exp.Lock, exp.Command, exp.Copy),
    *(exp.Drop, exp.Alter, exp.Set, exp.NextValueFor),
)
HARMLESS: Final = frozenset(
    {"datetime", "julianday", "unixepoch", "from_unixtime", "unix_timestamp", "make_interval", "make_date", "to_json"}
)
"""Functions that the parser does not know by meaning and that only calculate. All others that it does not know are
refused: they may write, as ``setval`` and ``lo_import`` do, or run other queries."""

PLAIN: Final = (TokenType.STRING, TokenType.BIT_STRING, TokenType.HEX_STRING)
"""Texts that every database ends where the parser does, unless there is a backslash in one."""
NO_COMMENT: Final = re.compile(r"--[^\s-].*")
"""To MySQL two minus signs, to the parser a comment: ``amount--discount``."""
BRACKETS: Final = {
    **dict.fromkeys((TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE), 1),
    **dict.fromkeys((TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE), -1),
}
MAX_REWRITES: Final = 2
"""Rounds until a query is written as it parses: MySQL's ``IF`` takes one more than others."""
MAX_TYPES_DEEP: Final = 8
"""Brackets in each other that may belong to a type or a function, as in ``DATE(...)``: the parser tries both, and its
time doubles with each (measured: .7 s at 12)."""


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
        Refused: it is not one SELECT, calls a function that may do more than calculate, has texts that databases read
            in different ways, or is nested too deeply.
    """
    with _not_too_deep():
        tree = _rows_of(what, dialect, wrapped=since is not None or limit > 0)
        if since is not None:
            tree = tree.where(exp.GTE(this=_column(time_column), expression=exp.Literal.string(str(since))))
        return _sent(tree.limit(limit) if limit else tree, dialect)


def select_orders(
    what: str, dialect: str, *, order_column: str, ids: str, time_column: str = "", before: date | None = None
) -> str:
    """Return the SQL that fetches the rows of some orders, of all days or of those before a day.

    Args:
        what: name of a table, or one SELECT.
        dialect: of both.
        order_column: column with the number of the order.
        ids: placeholder text for their numbers (:func:`literals`), which replace it, quotes included.
        time_column: with ``before``.
        before: only rows before this day, and those without a time.

    Raises:
        Refused: as :func:`select`.
    """
    with _not_too_deep():
        tree = _rows_of(what, dialect, wrapped=True)
        tree = tree.where(exp.In(this=_column(order_column), expressions=[exp.Literal.string(ids)]))
        if before is not None:
            older = exp.LT(this=_column(time_column), expression=exp.Literal.string(str(before)))
            tree = tree.where(exp.or_(older, exp.Is(this=_column(time_column), expression=exp.null())))
        return _sent(tree, dialect)


def count_days(what: str, dialect: str, *, time_column: str, amounts: Sequence[str]) -> str:
    """Return the SQL that counts the rows of each day, as ``day``, ``n`` and ``amount``.

    Args:
        what: name of a table, or one SELECT.
        dialect: of both.
        time_column: whose day; of SQLite a text that begins with the day.
        amounts: a column, or two whose product is summed up; empty for no sum.

    Raises:
        Refused: as :func:`select`.
    """
    with _not_too_deep():
        time: exp.Expression = _column(time_column)
        day: exp.Expression = exp.cast(time, "date")
        if dialect == "sqlite":
            day = exp.Substring(this=time, start=exp.Literal.number(1), length=exp.Literal.number(10))
        worth: exp.Expression = exp.null()
        if amounts:
            first, *quantity = map(_column, amounts)
            worth = exp.Sum(this=exp.Mul(this=first, expression=quantity[0]) if quantity else first)
        shown = [exp.alias_(day, "day"), exp.alias_(exp.Count(this=exp.Star()), "n"), exp.alias_(worth, "amount")]
        rows = _rows_of(what, dialect, wrapped=False).subquery("source")
        return _sent(exp.select(*shown).from_(rows).group_by(day.copy()), dialect)


def literals(values: Iterable[object], dialect: str) -> str:
    """Return values as SQL writes them in a list; texts with a backslash are refused where servers read it differently.

    Raises:
        Refused: there is such a text.
    """
    written = []
    for value in values:
        if isinstance(value, int | Decimal):
            written.append(str(value))
        elif dialect == "mysql" and "\\" in str(value):
            raise Refused("query_texts", found=str(value)[:40])
        else:
            written.append(exp.Literal.string(str(value)).sql(dialect))
    return ", ".join(written)


@contextmanager
def _not_too_deep() -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise Refused("query_nested") from error


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _rows_of(what: str, dialect: str, *, wrapped: bool) -> exp.Query:
    """Return the query of a table's rows, or the checked query, as a subquery where conditions are to be added."""
    what = what.strip()
    if TABLE.fullmatch(what):
        quoted = dialect != "snowflake"  # which stores names in capitals unless they were quoted
        parts = [exp.to_identifier(part, quoted=quoted) for part in what.split(".")]
        table = exp.Table(**dict(zip(("this", "db", "catalog"), reversed(parts), strict=False)))
        return exp.select("*").from_(table)
    tree = _checked(what, dialect)
    return exp.select("*").from_(tree.subquery("source")) if wrapped else tree


def _sent(tree: exp.Query, dialect: str) -> str:
    """Return a query as it is sent: it parses to a tree that was checked."""
    for _ in range(MAX_REWRITES):
        sent = tree.sql(dialect, comments=False)
        again = _checked(sent, dialect)
        if again == tree:
            return sent
        tree = again  # MySQL's IF is written as a CASE
    raise Refused("query_rewritten", found=sent[:200])


def _checked(what: str, dialect: str) -> exp.Query:
    _check_texts(what, dialect)
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


def _check_texts(sql: str, dialect: str) -> None:
    """Refuse texts and names that a database may end elsewhere than the parser does, and types nested without end."""
    tokenizer = Dialect.get_or_raise(dialect).tokenizer_class
    try:
        tokens = tokenizer(dialect=dialect).tokenize(sql)
    except sqlglot.errors.SqlglotError as error:
        raise Refused("query_not_select", found=sql[:80]) from error
    escapes = dialect == "mysql"  # whose servers can be set not to take a backslash for an escape
    opened: list[bool] = []
    gaps = zip([-1, *(token.end for token in tokens)], [*(token.start for token in tokens), len(sql)], strict=True)
    glued = [match for end, start in gaps if (match := NO_COMMENT.search(sql[end + 1 : start]))]
    if glued and dialect == "mysql":
        raise Refused("query_texts", found=glued[0].group()[:40])
    for before, token in zip([None, *tokens], tokens, strict=False):
        written = sql[token.start : token.end + 1]
        if _is_ambiguous(token, written, sql[token.start - 1 : token.start], escapes):
            raise Refused("query_texts", found=written[:40])
        bracket = BRACKETS.get(token.token_type, 0)
        if bracket > 0:
            opened.append(before is not None and before.token_type in Parser.TYPE_TOKENS)
        elif bracket and opened:
            opened.pop()
        if sum(opened) > MAX_TYPES_DEEP:
            raise Refused("query_nested")


def _is_ambiguous(token: Token, written: str, before: str, escapes: bool) -> bool:
    """Return whether a database may read a token otherwise than the parser: ``e'...'``, ``$a$...$a$``, ``U&'...'``.

    Args:
        token: as the parser reads it.
        written: its text in the query.
        before: the character in front of it.
        escapes: whether a server may be set otherwise than the parser takes backslashes.
    """
    is_text = token.token_type.name.endswith("STRING")
    if is_text and token.token_type not in PLAIN:
        return True
    if is_text or token.token_type is TokenType.IDENTIFIER:
        has_prefix = before == "&" or before == "_" or before.isalnum()
        return has_prefix or (escapes and "\\" in written)
    return written.startswith("$")
