"""A file of any form becomes a table of text that DuckDB streams: :class:`Source`."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from clv_core.collection.answers import Answers
from clv_core.collection.engine import TextRow, file_text, name, one_file, run, text
from clv_core.collection.read.archives import last_byte, unpack
from clv_core.collection.read.content import BYTE_ORDER_MARKS, Content, identify
from clv_core.collection.read.derived_columns import derived_columns, named_columns
from clv_core.collection.read.dialect import MAX_COLUMNS, Dialect, detect, unique_names
from clv_core.collection.read.encoding import BLOCK, known_encoding, rewrite, survey
from clv_core.collection.read.json_values import (
    KEYED_ROWS,
    MAX_NESTED,
    MAX_OBJECT_BYTES,
    cell_text,
    is_nested_too_deep,
    keys_of_wide,
    leaves,
    refuse_nested_events,
    unfolded,
    unfolding,
    unwrapped,
)
from clv_core.collection.read.layouts import laid_out, without_backticks
from clv_core.collection.read.quotes import Reject, close_quotes, quotes_hold, quotes_pair
from clv_core.errors import Message, Refused
from clv_core.jobs import Progress

UNRECORDED: Final = ", rejects_table = 'other_errors', rejects_scan = 'other_scans', rejects_limit = 1"
"""Rejects are left out without being recorded. (To ignore errors is no choice: everything after the first line with
text behind a closing quote would be left out too, in silence.)"""

IN_MEMORY: Final = 32_000_000
"""Bytes of text that are kept in memory."""
COMPRESSED: Final = 8
"""Bytes of text in one of Parquet, about."""

WORKBOOK_SUFFIXES: Final = (".xlsx", ".xlsm", ".xlsb", ".xls")
JSON_SUFFIXES: Final = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Source:
    """A table of text, one row a line of the log.

    Args:
        file: what the person calls it.
        content: what it is.
        path: what is read: the file itself, or a clean copy in the scratch folder.
        columns: the file's column names, in order.
        encoding: how it was decoded, for text.
        dialect: how its cells are separated, for text.
        notes: what had to be done to read it.
        rejects: lines already detected to be no rows.
        bytes: size of what is read.
        lines: lines in it, for text.
        paths: for JSON and Parquet, the keys that lead to each column's value.
        unfolded: values of JSON objects in cells, as columns with their paths; what held them is none of ``columns``.
        read: the file's columns where some are unfolded.
        made: columns that are made of others, the last ones, with their SQL.
        loaded: table expression of all of it in the engine (:func:`load`); empty where the file is parsed each time.
    """

    file: str
    content: Content
    path: Path
    columns: tuple[str, ...]
    encoding: str = ""
    dialect: Dialect | None = None
    notes: tuple[Message, ...] = ()
    rejects: list[Reject] = field(default_factory=list)
    bytes: int = 0
    lines: int = 0
    paths: tuple[tuple[str, ...], ...] = ()
    unfolded: tuple[tuple[str, tuple[str, ...]], ...] = ()
    read: tuple[str, ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    loaded: str = ""

    def relation(self, *, record: bool = False) -> str:
        """Return the SQL table expression; every column is text, an empty cell NULL.

        Args:
            record: whether lines that are no rows are recorded (for :func:`recorded_rejects`).
        """
        if self.loaded:
            return self.loaded
        table = unfolded(self._table(record), self.unfolded)
        if not self.made:
            return table
        return f"(SELECT *, {', '.join(f'{made} AS {name(column)}' for column, made in self.made)} FROM {table})"

    @property
    def is_small(self) -> bool:
        """Whether its text fits into memory, and what is read of it as well."""
        return self.bytes <= IN_MEMORY / (COMPRESSED if self.content is Content.PARQUET else 1)

    @property
    def own_columns(self) -> tuple[str, ...]:
        """Columns of the file, or of objects in its cells."""
        return self.columns[: len(self.columns) - len(self.made)]

    def _table(self, record: bool) -> str:
        columns = self.read or self.own_columns
        if self.dialect is None:
            if self.content is Content.PARQUET:
                files = _files(self.path)
                if all(len(path) == 1 for path in self.paths):
                    return f"(SELECT nullif(COLUMNS(*)::VARCHAR, '') FROM read_parquet({files}, union_by_name = true))"
                values = (".".join(map(name, path)) for path in self.paths)
                cells = zip(columns, (f"nullif(({value})::VARCHAR, '')" for value in values), strict=True)
                texts = ", ".join(f"{cell} AS {name(column)}" for column, cell in cells)
                return f"(SELECT {texts} FROM read_parquet({files}, union_by_name = true))"
            kinds = ", ".join(f"{text(top)}: 'VARCHAR'" for top in dict.fromkeys(path[0] for path in self.paths))
            reader = (
                f"read_json({file_text(self.path)}, columns = {{{kinds}}}, maximum_object_size = {MAX_OBJECT_BYTES})"
            )
            cells = zip(columns, map(cell_text, self.paths), strict=True)
            return f"(SELECT {', '.join(f'{cell} AS {name(column)}' for column, cell in cells)} FROM {reader})"
        return self.dialect.table(self.path, columns, f"store_rejects = true{'' if record else UNRECORDED}")


def open_source(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    scratch: Path,
    answers: Answers | None = None,
    *,
    original: str = "",
    usual: str = "",
    fewest: int = 2,
) -> Source:
    """Find out what ``path`` is and make it readable; copies are made only where the bytes need it.

    Args:
        connection: for Parquet and JSON schemas.
        path: a file, or a folder of Parquet files.
        scratch: where copies go.
        answers: the person's answers about it.
        original: what the person calls the file, where it is not the path's name.
        usual: the encoding of one byte a letter of an earlier file like it, for one that proves none.
        fewest: columns that Parquet or JSON has at least.

    Raises:
        Refused: it holds no table, or its text is not in the encoding that was named.
        UsageError: there is no encoding or no sheet of the name.
        NeedsAnswer: it may or may not name its columns, or several sheets could be the log.
    """
    called, answers = original or path.name, answers or Answers()
    if answers.encoding:
        answers = replace(answers, encoding=known_encoding(answers.encoding))
    content = identify(path)
    notes: tuple[Message, ...] = ()
    for _ in range(2):
        if content in (Content.GZIP, Content.ZIP, Content.WORKBOOK):
            if content is Content.WORKBOOK and path.suffix.lower() not in WORKBOOK_SUFFIXES and "." in path.name:
                notes += (Message("warning.content", {"file": called, "kind": "Excel (xlsx)"}),)
            path, messages = unpack(path, content, scratch, sheet=answers.sheet, header=answers.header)
            notes += messages
            content = identify(path)
    if content in (Content.GZIP, Content.ZIP, Content.WORKBOOK):
        raise Refused("nested_archive", file=called)
    if content in (Content.PARQUET, Content.JSON):
        if content is Content.JSON:
            path, messages = _unmarked(path, scratch / "unmarked.json")
            notes += messages
            with path.open("rb") as file:
                if is_nested_too_deep(iter(partial(file.read, BLOCK), b"")):
                    raise Refused("nested_too_deep", file=called, limit=MAX_NESTED)
            path, messages = unwrapped(connection, path, scratch)
            notes += messages
        source = _structured(connection, path, content, called, fewest)
        if content is Content.JSON and not called.lower().removesuffix(".gz").endswith(JSON_SUFFIXES):
            notes += (Message("warning.content", {"file": called, "kind": "JSON"}),)
        return _completed(connection, source, notes)
    return _completed(connection, _text(connection, path, scratch, answers, called, usual), notes)


def _unmarked(path: Path, target: Path) -> tuple[Path, tuple[Message, ...]]:
    """Return JSON as UTF-8 without a mark, with which DuckDB 1.5 reads a list of records as one value."""
    with path.open("rb") as file:
        marked = file.read(3).startswith(BYTE_ORDER_MARKS)
    return (target, rewrite(path, survey(path), target)) if marked else (path, ())


def _completed(connection: duckdb.DuckDBPyConnection, source: Source, notes: tuple[Message, ...]) -> Source:
    """Return a source with the warnings of before it was read, and columns for values inside cells of others."""
    values = unfolding(connection, source.relation(), source.columns, MAX_COLUMNS)
    if values:
        objects = {path[0] for _, path in values}
        plain = (column for column in source.columns if column not in objects)
        columns = (*plain, *(column for column, _ in values))
        source = replace(source, read=source.columns, columns=columns, unfolded=values)
    made = derived_columns(connection, source.relation(), source.columns)
    columns = (*source.columns, *(column for column, _ in made))
    return replace(source, notes=notes + source.notes, columns=columns, made=made)


def with_named_columns(connection: duckdb.DuckDBPyConnection, source: Source, named: Collection[str]) -> Source:
    """Return a source, not loaded yet, with columns for those of ``named`` that are two of its own: ``A | B``."""
    named = [column for column in named if column not in source.columns]
    made = named_columns(connection, source.relation(), source.own_columns, named)
    columns = (*source.columns, *(column for column, _ in made))
    return replace(source, columns=columns, made=(*source.made, *made))


def _files(path: Path) -> str:
    """Return SQL for the path of a file, or of all Parquet files of a folder."""
    return text(f"{one_file(path)}/*.parquet") if path.is_dir() else file_text(path)


def _structured(
    connection: duckdb.DuckDBPyConnection, path: Path, content: Content, called: str, fewest: int
) -> Source:
    reader = "read_parquet" if content is Content.PARQUET else "read_json"
    try:
        keys = keys_of_wide(connection, path, MAX_COLUMNS, called) if content is Content.JSON else ()
        paths: tuple[tuple[str, ...], ...]
        if keys:  # objects in the records are cells like those of a table, and the best of their values columns
            paths = tuple((key,) for key in keys)
        else:
            options = "" if content is Content.PARQUET else f", sample_size = {KEYED_ROWS}"
            relation = connection.sql(f"SELECT * FROM {reader}({_files(path)}, union_by_name = true{options})")
            tops = zip(relation.columns, relation.types, strict=True)
            paths = tuple(path for top, kind in tops for path in leaves((top,), kind))
            refuse_nested_events(paths, relation.columns, relation.types, called)
        columns = unique_names(map(".".join, paths))
    except duckdb.Error as error:
        if "maximum_object_size" in str(error):
            raise Refused("large_object", file=called) from error
        raise Refused("broken_file", file=called, kind="Parquet" if content is Content.PARQUET else "JSON") from error
    if len(columns) < fewest:
        raise Refused("one_column", file=called, found=[column[:60] for column in columns])
    if len(columns) > MAX_COLUMNS:
        raise Refused("too_many_columns", file=called, columns=len(columns), limit=MAX_COLUMNS)
    parts = path.glob("*.parquet") if path.is_dir() else [path]
    return Source(called, content, path, columns, bytes=sum(part.stat().st_size for part in parts), paths=paths)


def _text(
    connection: duckdb.DuckDBPyConnection, path: Path, scratch: Path, answers: Answers, called: str, usual: str
) -> Source:
    seen, named_encoding = survey(path), answers.encoding
    notes: tuple[Message, ...] = ()
    if not seen.valid or seen.nuls or seen.returns or seen.both or named_encoding not in ("", "utf-8"):
        clean = scratch / "clean.txt"
        notes = rewrite(path, seen, clean, encoding=named_encoding, usual=usual, called=called)
        path = clean
        encoding, seen = seen.encoding, survey(clean)
    else:
        encoding = seen.encoding
    if unmarked := without_backticks(path, scratch / "unmarked.txt"):
        path, seen = unmarked, survey(unmarked)
        notes = (*notes, Message("warning.backticks", {}))
    dialect = detect(path, called, header=answers.header, named=answers.mapping.values())
    if dialect.blanks:
        path = _tabs(path, scratch / "tabs.txt")
    rejects: list[Reject] = []
    plain = dialect.quote == dialect.escape == '"' and (not seen.quotes or quotes_pair(path, dialect.delimiter))
    if dialect.quote and not plain and not quotes_hold(path, dialect):
        closed = scratch / "closed.txt"
        rejects = close_quotes(path, closed, dialect)
        path = closed
    if not rejects:
        path, dialect = laid_out(connection, path, dialect, scratch)
    warnings = notes + dialect.notes
    size, lines = path.stat().st_size, seen.lines - len(rejects) + (last_byte(path) not in (b"\n", b""))
    return Source(called, Content.TEXT, path, dialect.columns, encoding, dialect, warnings, rejects, size, lines)


def _tabs(path: Path, target: Path) -> Path:
    """Rewrite runs of blanks as one tab, block by block."""
    with path.open("rb") as source, target.open("wb") as out:
        rest = b""
        while block := source.read(BLOCK):
            block = rest + block
            cut = block.rfind(b"\n") + 1
            rest = block[cut:]
            out.write(_squeeze(block[:cut]))
        out.write(_squeeze(rest))
    return target


def _squeeze(block: bytes) -> bytes:
    block = re.sub(rb"[ \t]+", b"\t", block.replace(b"\r\n", b"\n"))
    return re.sub(rb"\t(?=\n|\Z)", b"", re.sub(rb"(?:^|(?<=\n))\t", b"", block))


def load(connection: duckdb.DuckDBPyConnection, source: Source, progress: Progress) -> Source:
    """Return the source with its text in a table of the engine, so that no question parses a small file again.

    A large one stays as it is: to copy it takes as long as to parse it for each question, and more memory.

    Args:
        connection: the engine.
        source: a file.
        progress: who listens.
    """
    if not source.is_small:
        return source
    run(connection, f"CREATE TEMP TABLE clv_text AS FROM {source.relation(record=True)}", progress, "read")
    return replace(source, loaded="clv_text")


def sample(connection: duckdb.DuckDBPyConnection, source: Source, rows: int) -> list[TextRow]:
    """Return the first ``rows`` rows as text."""
    columns = ", ".join(map(name, source.columns))  # the table may have further columns, read from cells of these
    fetched = connection.execute(f"SELECT {columns} FROM {source.relation()} LIMIT {rows}").fetchall()
    return [dict(zip(source.columns, row, strict=True)) for row in fetched]
