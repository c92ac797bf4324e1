"""What became of every row and column of a log that was read in Python."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Self

from clv_core.collection import connect_memory
from clv_core.collection.rows import count_by_reason
from clv_core.collection.store import ColumnAccount, Dataset
from clv_core.errors import Message
from clv_core.estimator.python_words import python_words
from clv_core.i18n import translate

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RejectedRows:
    """All rows that were rejected for one reason.

    Args:
        reason: stable name, for example ``no_customer``.
        text: the reason in words.
        rows: how many.
        examples: line (of a table: row, from 1) and cell of the first of them.
    """

    reason: str
    text: str
    rows: int
    examples: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class LoadResult:
    """What became of every row and column of a log: ``rows_read = rows_kept + rows_rejected + rows_duplicate``.

    Args:
        rows_read: of the table or file.
        rows_kept: that the model is trained on.
        rows_rejected: that could not be used, by :attr:`rejected`.
        rows_duplicate: exact repetitions that were dropped.
        customers: distinct ones.
        orders: of them.
        first_event: time of the first event, UTC.
        last_event: of the last.
        net_revenue: purchases less returns, in ``currency``.
        currency: of all amounts; empty where neither the log nor the caller named one.
        timezone: IANA name; days begin at its midnights.
        rejected: the rejected rows by reason, the most frequent first.
        columns: what became of each column of the source: used as what, left out as harmless, or doubted.
        warnings: of the load; :meth:`~clv_core.estimator.clv.CLV.fit` gives each as a warning.

    Examples:
        >>> print(clv.load_)
        1,481 rows read, 1,481 kept, 0 rejected, 0 duplicate; 296 customers, net revenue 58,434.00 EUR
    """

    rows_read: int
    rows_kept: int
    rows_rejected: int
    rows_duplicate: int
    customers: int
    orders: int | None
    first_event: str
    last_event: str
    net_revenue: float
    currency: str
    timezone: str
    rejected: tuple[RejectedRows, ...]
    columns: tuple[ColumnAccount, ...]
    warnings: tuple[Message, ...]

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Return what became of the source of a dataset."""
        facts = dataset.manifest
        names = ("rows_read", "rows_kept", "rows_duplicate", "customers", "orders", "first_event", "last_event")
        about = ("net_revenue", "currency", "timezone")
        return cls(
            rows_rejected=facts.rows_set_aside,
            rejected=_rejected(dataset.rejected_path) if facts.rows_set_aside else (),
            columns=tuple(column for part in facts.parts for column in part.columns),
            warnings=facts.messages,
            **{name: getattr(facts, name) for name in (*names, *about)},
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the rows by what became of them: what, rows, examples; one row each.

        Examples:
            >>> clv.load_.to_frame()
                    what  rows examples
            0       kept  1481
            1  duplicate     0
        """
        import pandas as pd

        rows = [("kept", self.rows_kept, ""), ("duplicate", self.rows_duplicate, "")]
        rows += [(group.reason, group.rows, _shown(group.examples)) for group in self.rejected]
        return pd.DataFrame(rows, columns=["what", "rows", "examples"])

    def __str__(self) -> str:
        """Return the account in words, one line each."""
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        """Return the account for a notebook."""
        first, *lines = self._lines()
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        cells = "".join(
            f"<tr><td>{escape(column.column)}</td><td>{column.state}</td><td>{escape(column.what)}</td></tr>"
            for column in self.columns
        )
        table = f"<table><tr><th>column</th><th>is</th><th>as, or why</th></tr>{cells}</table>" if cells else ""
        return f"<div><b>{escape(first)}</b><ul>{items}</ul>{table}</div>"

    def _lines(self) -> list[str]:
        money = f"{self.net_revenue:,.2f} {self.currency}".strip()
        counts = f"{self.rows_read:,} rows read, {self.rows_kept:,} kept, {self.rows_rejected:,} rejected, "
        lines = [f"{counts}{self.rows_duplicate:,} duplicate; {self.customers:,} customers, net revenue {money}"]
        lines += [f"{group.rows:,} rejected: {group.text} ({_shown(group.examples)})" for group in self.rejected]
        return [*lines, *(python_words(message.text()) for message in self.warnings)]


def _rejected(path: Path) -> tuple[RejectedRows, ...]:
    """Return the rows of a file of rejected rows by reason."""
    with connect_memory() as connection:
        counted = count_by_reason(connection, path)
    return tuple(
        RejectedRows(reason, translate(f"reason.{reason}", "en"), rows, examples) for reason, rows, examples in counted
    )


def _shown(examples: tuple[tuple[int, str], ...]) -> str:
    return "; ".join(f"row {line}: {cell[:60]}" if cell else f"row {line}" for line, cell in examples)
