"""How the customers of a table and of a log agree, and what to say where few of them do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.customers.roles import ATTRIBUTE, ID, RoleProposal
from clv_core.collection.engine import file_text, name, one
from clv_core.collection.read.source import Source
from clv_core.collection.vocabulary.column_names import EMAIL, PHONE
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import Message, Refused

FEW: Final = 0.5
"""Below this share of the smaller side's customers, ids are probably written in two ways."""

REWRITES: Final = {
    "zeros": f"regexp_replace({CUSTOMER_ID}, '^0+', '')",
    "case": f"lower({CUSTOMER_ID})",
    "digits": f"nullif(regexp_replace({CUSTOMER_ID}, '[^0-9]', '', 'g'), '')",
}
"""Ways in which two systems write one id differently; catalogue key ``warning.customers_match_if.<id>``."""


@dataclass(frozen=True)
class Match:
    """How many customers there are.

    Args:
        customers: distinct customers of the table.
        log: distinct customers of the log.
        matched: those in both.
    """

    customers: int
    log: int
    matched: int

    @property
    def few(self) -> bool:
        """Whether so few match that the ids are probably of another shape."""
        return self.matched < FEW * min(self.customers, self.log)


def with_matching_id(
    connection: duckdb.DuckDBPyConnection, source: Source, proposals: list[RoleProposal], events: Path
) -> list[RoleProposal]:
    """Return the proposals with the ids in the column that most customers of the log are in.

    A companion file often has a number for each customer beside the e-mail address that the log knows them by. The
    column whose name says that it holds ids keeps that role unless an address or phone column matches twice as many.

    Args:
        connection: the engine.
        source: the customers file.
        proposals: by names and values.
        events: of the log.
    """
    candidates = [item.column for item in proposals if item.role == ID or item.field in (EMAIL, PHONE)]
    if not candidates or candidates == [item.column for item in proposals if item.role == ID]:
        return proposals
    ids = f"(SELECT DISTINCT lower(trim({CUSTOMER_ID})) FROM {file_text(events)})"
    cells = [f"lower(trim({name(column)}::VARCHAR))" for column in candidates]
    counts = ", ".join(f"count(DISTINCT {cell}) FILTER ({cell} IN {ids})" for cell in cells)
    matched = dict(zip(candidates, one(connection, f"SELECT {counts} FROM {source.relation()}"), strict=True))
    own = next((item.column for item in proposals if item.role == ID), "")
    best = max(candidates, key=lambda column: int(matched[column]))
    if best == own or int(matched[best]) <= 2 * int(matched.get(own, 0)):
        return proposals
    roles = {best: (ID, ""), own: (ATTRIBUTE, "")}
    return [
        replace(item, role=roles[item.column][0], field=roles[item.column][1]) if item.column in roles else item
        for item in proposals
    ]


def match_notes(
    connection: duckdb.DuckDBPyConnection, counts: Match, table: Path, events: Path, file: str
) -> tuple[Message, ...]:
    """Return what is to be said where few customers match: examples, and which other spelling would match more.

    Raises:
        Refused: none matches.
    """
    if not counts.few:
        return ()
    here, there = _unmatched(connection, table, events), _unmatched(connection, events, table)
    params = {"file": file, "customers": counts.customers, "log": counts.log, "here": here, "there": there}
    better = {how: match(connection, table, events, rewrite).matched for how, rewrite in REWRITES.items()}
    how, most = max(better.items(), key=lambda item: item[1])
    hint = Message(f"warning.customers_match_if.{how}", {"matched": most})
    helps = most > 2 * counts.matched
    if counts.matched == 0:
        raise Refused(f"customers_none_match_{how}" if helps else "customers_none_match", **params, matched=most)
    warning = Message("warning.customers_few_match", {**params, "matched": counts.matched})
    return (warning, hint) if helps else (warning,)


def match(connection: duckdb.DuckDBPyConnection, table: Path, events: Path, identity: str = CUSTOMER_ID) -> Match:
    """Count the customers of a table, of a log, and of both, told apart by an SQL expression of their ids."""
    sides = [f"(SELECT DISTINCT {identity} AS id FROM {file_text(path)})" for path in (table, events)]
    both = f"SELECT count(*) FROM {sides[0]} SEMI JOIN {sides[1]} USING (id)"
    row = one(connection, f"SELECT (SELECT count(id) FROM {sides[0]}), (SELECT count(id) FROM {sides[1]}), ({both})")
    return Match(*map(int, row))


def _unmatched(connection: duckdb.DuckDBPyConnection, table: Path, other: Path) -> list[str]:
    """Return three ids of ``table`` that ``other`` has not."""
    rows = connection.execute(
        f"SELECT DISTINCT {CUSTOMER_ID} FROM {file_text(table)} ANTI JOIN"
        f" (SELECT DISTINCT {CUSTOMER_ID} FROM {file_text(other)}) USING ({CUSTOMER_ID}) ORDER BY 1 LIMIT 3"
    ).fetchall()
    return [str(row[0])[:40] for row in rows]
