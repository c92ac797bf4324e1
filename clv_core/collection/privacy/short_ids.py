"""Texts of a table that name customers, by ids of any length.

A long id names its customer in any text. A short one may mean something else: ``7`` in ``referred_by`` is a customer,
in a review it is a number of stars. So a short number or word names a customer only in a column nearly all of whose
words are ids of customers, whatever it is called; a short code such as ``C4`` does in any text, but not in columns of
products, orders and the like, which hold ids of other things.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from clv_core.collection.engine import connect_memory, file_text, name
from clv_core.collection.parse.id_texts import folded, folded_sql
from clv_core.collection.privacy.id_matcher import IdMatcher, is_code, split_words
from clv_core.columns import CUSTOMER_ID, READ, REVIEW_TEXT, Kind

MIN_SHARE: Final = 0.9
"""Share of a column's words that are ids, from which on it is a column of customers."""
SAMPLE_CELLS: Final = 10_000
BATCH: Final = 1 << 16
OTHER_IDS: Final = {key for key, column in READ.items() if column.kind is Kind.TEXT} - {CUSTOMER_ID, REVIEW_TEXT}
"""Columns whose texts are ids and names of something else."""


@dataclass(frozen=True)
class CustomerIds:
    """The ids of all customers: those who are erased, and those of some logs.

    Args:
        ids: of those who are erased, folded.
        logs: Parquet files with a column ``customer_id``.
    """

    ids: Collection[str]
    logs: tuple[Path, ...] = ()

    def cover(self, words: Iterable[str]) -> bool:
        """Return whether nearly all of some words are ids of customers."""
        sample = set(map(folded, words))
        others, limit = sample.difference(self.ids), (1 - MIN_SHARE) * len(sample)
        for log in self.logs:
            if len(others) <= limit:
                break
            with connect_memory() as connection:
                connection.register("words", pa.table({"word": pa.array(sorted(others), pa.string())}))
                ids = f"SELECT {folded_sql(CUSTOMER_ID)} FROM {file_text(log)}"
                rows = connection.execute(f"SELECT word FROM words WHERE word IN ({ids})").fetchall()
            others -= {str(row[0]) for row in rows}
        return bool(sample) and len(others) <= limit


def texts_naming(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    column: str,
    matcher: IdMatcher,
    customers: CustomerIds,
    *,
    other_ids: bool = False,
) -> list[str]:
    """Return the texts of a column that name one of the customers who are erased, each once.

    Args:
        connection: of DuckDB.
        path: a Parquet file of a log, or of what came with it.
        column: one that can hold texts.
        matcher: finds the ids.
        customers: recognises columns of customers.
        other_ids: whether the column holds ids of something else, in which short ids name nobody.
    """
    texts: list[str] = []
    short: dict[str, set[str]] = {}
    shortest = 0 if matcher.short else min((len(word.encode()) for word in matcher.words), default=0)
    for batch in _distinct_texts(connection, path, column, shortest):
        texts += [str(batch[int(row)]) for row in matcher.rows(batch)]
        if not other_ids:
            short |= {str(batch[row]): ids for row, ids in matcher.short_rows(batch).items()}
    codes = {cell for cell, ids in short.items() if any(map(is_code, ids))}
    if len(codes) < len(short) and not customers.cover(_sample(connection, path, column)):
        short = {cell: short[cell] for cell in codes}
    return list(dict.fromkeys([*texts, *short]))


def _distinct_texts(
    connection: duckdb.DuckDBPyConnection, path: Path, column: str, min_bytes: int = 0
) -> Iterator[pa.Array[Any]]:
    """Yield the different texts of a column of a Parquet file that have at least ``min_bytes``, as arrays."""
    cell = f"{name(column)}::VARCHAR"
    query = f"SELECT DISTINCT {cell} AS cell FROM {file_text(path)} WHERE strlen({cell}) >= {min_bytes}"
    yield from (batch.column(0) for batch in connection.execute(query).to_arrow_reader(BATCH))


def _sample(connection: duckdb.DuckDBPyConnection, path: Path, column: str) -> set[str]:
    """Return the words of some different texts of a column."""
    cell = f"{name(column)}::VARCHAR"
    query = f"SELECT DISTINCT {cell} FROM {file_text(path)} WHERE {name(column)} IS NOT NULL LIMIT {SAMPLE_CELLS}"
    cells = (str(row[0]) for row in connection.execute(query).fetchall())
    return set(islice((word for cell in cells for word in split_words(cell)), 10 * SAMPLE_CELLS))
