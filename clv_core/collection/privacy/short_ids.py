"""Cells that name customers by short ids, told from cells whose numbers and words mean something else.

``7`` in ``referred_by`` is a customer, in a review it is a number of stars. A column holds customers where nearly all
of its words are ids of the log, whatever it is called. An id like ``C4`` names its customer in any text that came with
the log. Columns of products, orders and the like hold ids of other things.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from clv_core.collection.engine import connect_memory, file_text, name, text
from clv_core.collection.privacy.id_matcher import EDGES, TOKENS, IdMatcher, coded, split_words
from clv_core.collection.values.id_texts import folded, folded_sql
from clv_core.columns import CUSTOMER_ID, READ, REVIEW_TEXT, Kind

NEARLY_ALL: Final = 0.9
JUDGED_CELLS: Final = 10_000
OF_OTHERS: Final = {key for key, column in READ.items() if column.kind is Kind.TEXT} - {CUSTOMER_ID, REVIEW_TEXT}
"""Columns whose texts are ids and names of something else."""
NO_TEXTS: Final = {key for key, column in READ.items() if column.kind is not Kind.TEXT}


@dataclass(frozen=True)
class CustomerIds:
    """The customers of some logs, and those who are erased.

    Args:
        ids: of those who are erased, folded.
        logs: Parquet files with a column ``customer_id``.
    """

    ids: Collection[str]
    logs: tuple[Path, ...] = ()

    def are(self, words: Iterable[str]) -> bool:
        """Say whether nearly all of some words are ids of customers."""
        judged = set(map(folded, words))
        left = judged.difference(self.ids)
        for log in self.logs:
            if len(left) <= (1 - NEARLY_ALL) * len(judged):
                break
            with connect_memory() as connection:
                connection.register("words", pa.table({"word": pa.array(sorted(left), pa.string())}))
                ids = f"SELECT {folded_sql(CUSTOMER_ID)} FROM {file_text(log)}"
                found = connection.execute(f"SELECT word FROM words WHERE word IN ({ids})").fetchall()
            left -= {str(row[0]) for row in found}
        return bool(judged) and len(left) <= (1 - NEARLY_ALL) * len(judged)


@dataclass(frozen=True)
class ShortNamed:
    """Cells of a column in which short ids stand.

    Args:
        named: those that name a customer.
        unsure: those in which the words may mean something else, with the ids.
    """

    named: tuple[str, ...]
    unsure: Mapping[str, frozenset[str]]


def short_named(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    column: str,
    needles: IdMatcher,
    known: CustomerIds,
    *,
    others: bool = False,
) -> ShortNamed:
    """Return the cells of a column of the log, or of what came with it, in which short ids stand.

    Args:
        connection: the engine.
        path: a Parquet file.
        column: one that can hold texts.
        needles: the ids.
        known: tells columns of customers.
        others: whether the column holds ids of something else.
    """
    hits = {cell: found for cell in _candidates(connection, path, column, needles) if (found := needles.short_in(cell))}
    if not hits or others:
        return ShortNamed((), {cell: frozenset(found) for cell, found in hits.items()})
    plain = {cell for cell, found in hits.items() if not any(map(coded, found))}
    if plain and known.are(_words(connection, path, column)):
        plain = set()
    named = tuple(cell for cell in hits if cell not in plain)
    return ShortNamed(named, {cell: frozenset(hits[cell]) for cell in hits if cell in plain})


def _candidates(connection: duckdb.DuckDBPyConnection, path: Path, column: str, needles: IdMatcher) -> list[str]:
    """Return the different texts of a column in which a short id may stand."""
    if not needles.short:
        return []
    cell = f"{name(column)}::VARCHAR"
    connection.register("short", pa.table({"id": pa.array(sorted(needles.short), pa.string())}))
    word = folded_sql(f"trim(w, '{EDGES}')")
    words = f"list_transform(regexp_split_to_array({cell}, {text(TOKENS)}), w -> {word})"
    tests = [f"trim({cell}) IN (SELECT id FROM short)", f"list_has_any({words}, (SELECT list(id) FROM short))"]
    tests += [f"contains({cell}, {text(phrase)})" for phrase in needles.phrases]
    query = f"SELECT DISTINCT {cell} FROM {file_text(path)} WHERE {name(column)} IS NOT NULL AND ({' OR '.join(tests)})"
    return [str(row[0]) for row in connection.execute(query).fetchall()]


def _words(connection: duckdb.DuckDBPyConnection, path: Path, column: str) -> set[str]:
    """Return the words of some different texts of a column."""
    cell = f"{name(column)}::VARCHAR"
    query = f"SELECT DISTINCT {cell} FROM {file_text(path)} WHERE {name(column)} IS NOT NULL LIMIT {JUDGED_CELLS}"
    cells = (str(row[0]) for row in connection.execute(query).fetchall())
    return set(islice((word for cell in cells for word in split_words(cell)), 10 * JUDGED_CELLS))
