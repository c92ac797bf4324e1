"""A file that is being mapped: the engine's table, its first rows, and the user's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb

from clv_core.collection.answers import Answers
from clv_core.collection.engine import TextRow, one
from clv_core.collection.infer.columns.proposal import Proposal, filled
from clv_core.collection.parse.cell_texts import number_cells
from clv_core.collection.read.source import Source

JUDGED_ROWS: Final = 20_000
"""First rows in which relations of amounts are tested: a limit of time."""
MARKS: Final = ("point", "comma")
"""Decimal marks that amounts are tried with before that of the file is decided."""
SEARCHED_ROWS: Final = 200_000
"""First rows in which customers, times and currencies are compared: a limit of time."""
MIN_RULE_SHARE: Final = 0.95
"""Share of rows from which on what they have in common is a rule: a few are corrected by hand. A guess."""
CENT: Final = 0.011
"""Amounts that differ by less are equal: a cent, and the rounding of doubles."""


@dataclass(frozen=True)
class LogTable:
    """A file that is being mapped.

    Args:
        connection: the engine.
        source: the file.
        rows: its first rows as text.
        answers: the user's answers.
        proposals: what each column seems to be.
    """

    connection: duckdb.DuckDBPyConnection
    source: Source
    rows: Sequence[TextRow]
    answers: Answers
    proposals: list[Proposal] = field(default_factory=list)

    @property
    def relation(self) -> str:
        """The table expression of all rows."""
        return self.source.relation()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, in file order."""
        return self.source.columns

    def first(self, rows: int) -> str:
        """Return the table expression of so many of the first rows."""
        return f"(SELECT * FROM {self.relation} LIMIT {rows})"

    def numbers(self, decimal: str, columns: Mapping[str, str], also: str = "") -> str:
        """Return the table expression of numbers in some columns of the first :data:`JUDGED_ROWS` rows.

        Args:
            decimal: ``point`` or ``comma``.
            columns: name in the table -> source column.
            also: SQL of more columns, with their names.
        """
        cells = zip(number_cells(columns.values(), decimal), columns, strict=True)
        selected = ", ".join([*(f"{cell} AS {called}" for cell, called in cells), *([also] if also else [])])
        return f"(SELECT {selected} FROM {self.first(JUDGED_ROWS)})"

    def filled(self, column: str) -> list[str]:
        """Return the stripped texts of a column of the first rows, without blank cells."""
        return filled(self.rows, column)

    def fetch_one(self, query: str) -> tuple[Any, ...]:
        """Return the first row of a query."""
        return one(self.connection, query)

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return list(self.connection.execute(query).fetchall())
