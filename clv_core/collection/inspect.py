"""A first look at a file, in seconds whatever its size: form, columns, and what each column seems to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from clv_core.collection.engine import connect
from clv_core.collection.infer.answers import Answers
from clv_core.collection.infer.columns.choose import taken
from clv_core.collection.infer.columns.proposal import ENOUGH, Proposal
from clv_core.collection.infer.columns.propose import propose
from clv_core.collection.infer.debit_credit import with_sides
from clv_core.collection.infer.profile import SAMPLE_ROWS
from clv_core.collection.read.archives import beginning
from clv_core.collection.read.source import Source, count_rows, open_source, sample, with_named_columns
from clv_core.collection.recipes import completed_answers, find_recipe
from clv_core.collection.vocabulary.column_names import PRICE
from clv_core.columns import AMOUNT, CUSTOMER_ID, EVENT_TIME, UNIT_PRICE
from clv_core.errors import Message, Refused
from clv_core.scratch import temporary_folder


@dataclass(frozen=True)
class Inspection:
    """What a file seems to be.

    Args:
        file: its name.
        content: ``text``, ``json``, ``parquet``.
        encoding: of a text file.
        delimiter: between the cells of a text file.
        columns: one proposal a source column: name, samples, canonical column or None, confidence 0 to 1.
        missing: canonical columns that are needed and not recognised.
        rows_estimate: about how many rows.
        bytes: size of what is read.
        notes: what had to be done to read it.
        recipe: name of the recipe that says what its columns are; empty where none does.
    """

    file: str
    content: str
    encoding: str
    delimiter: str
    columns: tuple[Proposal, ...]
    missing: tuple[str, ...]
    rows_estimate: int
    bytes: int
    notes: tuple[Message, ...]
    recipe: str = ""


def inspect_file(
    source: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    header: bool | None = None,
    original: str = "",
    encoding: str = "",
    sheet: str = "",
    recipe: str = "",
) -> Inspection:
    """Look at the first rows of ``source``; nothing is stored.

    Args:
        source: a file, or a folder of Parquet files.
        mapping: canonical column -> source column, as the person has said so far.
        header: whether a text file's first line names its columns; None looks.
        original: what the person calls the file, where it is not the path's name.
        encoding: of a text file; empty looks.
        sheet: of a workbook; empty looks.
        recipe: as :class:`~clv_core.collection.infer.answers.Answers` has it.

    Raises:
        NeedsAnswer: it may or may not name its columns, or several sheets could be the log.
        Refused: it holds no table, its bytes show no encoding, or not the one that was said.
    """
    with temporary_folder("clv-inspect-") as folder:
        connection = connect(folder, reads=source)
        try:
            looked_at, share = beginning(source, folder)
            called = original or source.name
            said = dict(mapping or {})
            table = open_source(
                connection,
                looked_at,
                folder,
                header=header,
                original=called,
                named=said.values(),
                encoding=encoding,
                sheet=sheet,
            )
            known = find_recipe(recipe, table.columns, called)
            said = dict(completed_answers(Answers(mapping=said), known, table.columns).mapping)
            table = with_named_columns(connection, table, said.values())
            rows = sample(connection, table, SAMPLE_ROWS)
            proposals = with_sides(propose(table.columns, rows, said), said)
            estimate = _estimate(connection, table, rows, share)
        except duckdb.Error as error:
            raise Refused("unreadable_table", file=original or source.name) from error
        finally:
            connection.close()
    named = {item.canonical for item in proposals if item.confidence >= ENOUGH}
    needed = [column for column in (CUSTOMER_ID, EVENT_TIME) if column not in named]
    if not named & {AMOUNT, UNIT_PRICE, PRICE}:
        needed.append(AMOUNT)
    delimiter = "" if table.dialect is None else " " if table.dialect.blanks else table.dialect.delimiter
    return Inspection(
        file=table.file,
        content=table.content.value,
        encoding=table.encoding,
        delimiter=delimiter,
        columns=tuple(taken(proposals)),
        missing=tuple(needed),
        rows_estimate=estimate,
        bytes=round(table.bytes / share),
        notes=table.notes,
        recipe="" if known is None else known.name,
    )


def _estimate(connection: duckdb.DuckDBPyConnection, table: Source, rows: list[dict[str, object]], share: float) -> int:
    """Return about how many rows there are, from those in the ``share`` that was looked at."""
    if len(rows) < SAMPLE_ROWS:
        return len(rows)
    if table.dialect is not None:
        return max(round(table.lines / share) - table.dialect.header_line, len(rows))
    return count_rows(connection, table)
