"""Finds customers' ids, of any length, inside any text and in the texts of a table.

An id counts where no letter or digit is next to it: ``shop-1200`` is not in ``shop-12001``. An e-mail address counts
in any case. A short id (``17``, ``C4``) may mean something else in most texts, so that :class:`IdMatcher` reports it
apart: ``7`` in ``referred_by`` is a customer, in a review it is a number of stars. In a table a short number or word
names a customer only in a column nearly all of whose words are ids of customers, whatever it is called; a short code
such as ``C4`` does in any text, but not in columns of products, orders and the like, which hold ids of other things.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clv_core.collection.engine import connect_memory, file_text, name
from clv_core.collection.parse.id_texts import WHOLE, folded, folded_sql
from clv_core.columns import CUSTOMER_ID, READ, REVIEW_TEXT, Kind
from clv_core.errors import Message

ERASED: Final = "[erased]"
TOKENS: Final = r"[^\w.@+-]+"
"""What separates the words of a text."""
EDGES: Final = ".+-"
"""What may end a word without being part of it."""
CLOCK: Final = re.compile(r"\b\d{1,2}:\d{2}(:\d{2})?\b")
"""A time of day, whose numbers are no words."""
MIN_BYTES: Final = 8
"""Length from which on a code is unmistakable: shorter ones occur as codes of other things (a guess)."""
MIN_PLAIN_BYTES: Final = 12
"""The same of other ids: longer than dates and most words (a guess)."""
WORDS_AT_ONCE: Final = 300
"""A pattern of 1,000 ids takes 15 times as long as one of 500: it no longer fits what RE2 keeps of its states."""
BEFORE, AFTER = "(?:^|[^0-9A-Za-z])", "(?:$|[^0-9A-Za-z])"


def distinctive(word: str) -> bool:
    """Return whether an id is unmistakable wherever it occurs; ``17`` or ``20240131`` means many things."""
    size = len(word.encode())
    return size >= MIN_PLAIN_BYTES or (size >= MIN_BYTES and is_code(word))


def is_code(word: str) -> bool:
    """Return whether a word looks like an id, as ``C4`` does, and not like a number or a word of speech."""
    return "@" in word or bool(re.search(r"\d", word) and re.search(r"[^\W\d_]", word))


class IdMatcher:
    """Finds ids in texts.

    Args:
        words: the ids. Those that are :func:`distinctive` match wherever they occur; the others are ``short``.
    """

    def __init__(self, words: Iterable[str]) -> None:
        ids = {folded(word) for word in words}
        self.words = sorted(filter(distinctive, ids))
        self.short = ids.difference(self.words)
        self.phrases = sorted(word for word in self.short if split_words(word) != [word])
        ordered = [_pattern(word) for word in sorted(self.words, key=len, reverse=True)]
        blocks = range(0, len(ordered), WORDS_AT_ONCE)
        self._patterns = ["|".join(ordered[at : at + WORDS_AT_ONCE]) for at in blocks]

    def within(self, text: str | bytes | NDArray[np.uint8]) -> bool:
        """Return whether a distinctive id is in a text."""
        if isinstance(text, str):
            return any(words.search(text) for words in self._compiled)
        offsets = pa.py_buffer(np.array([0, len(text)], np.int64))
        cell = pa.LargeBinaryArray.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(text)])
        return any(self._matches(cell, words)[0].as_py() for words in self._patterns)

    def short_in(self, text: str) -> set[str]:
        """Return the short ids that a text is, or that are words of it."""
        if not self.short:
            return set()
        matches = {folded(word) for word in (text.strip(), *split_words(text))} & self.short
        return matches | {word for word in self.phrases if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)}

    def short_rows(self, texts: pa.Array[Any]) -> dict[int, set[str]]:
        """Return the places of the texts of an array in which :meth:`short_in` finds ids -> those ids."""
        if not self.short or len(texts) == 0:
            return {}
        texts = texts.cast(pa.large_string()).fill_null("")
        tokens = pc.split_pattern_regex(texts, TOKENS)
        words = pc.utf8_lower(pc.utf8_trim(pc.list_flatten(tokens), EDGES))
        words = pc.replace_substring_regex(words, WHOLE, r"\1")
        short = pa.array(sorted(word.lower() for word in self.short), pa.large_string())
        rows = set(pc.list_parent_indices(tokens).filter(pc.is_in(words, short)).to_pylist())
        unclear = pc.invert(pc.string_is_ascii(texts))  # a word ends elsewhere for pyarrow than for Python
        for phrase in self.phrases:
            unclear = pc.or_(unclear, pc.match_substring(texts, phrase, ignore_case=True))
        rows.update(np.flatnonzero(unclear.to_numpy(zero_copy_only=False)).tolist())
        return {row: ids for row in sorted(rows) if (ids := self.short_in(str(texts[row])))}

    def redacted(self, text: str) -> str:
        """Return a text with every distinctive id replaced by :data:`ERASED`."""
        for words in self._compiled:
            text = words.sub(ERASED, text)
        return text

    @cached_property
    def _compiled(self) -> list[re.Pattern[str]]:
        """For one text: the engine of :meth:`rows` compiles a pattern at each call, which takes milliseconds."""
        return [re.compile(f"(?<![0-9A-Za-z])(?:{words})(?![0-9A-Za-z])") for words in self._patterns]

    def without_short(self, value: Any) -> Any:
        """Return a JSON value with the short ids in its texts replaced."""
        if isinstance(value, str):
            for word in self.short_in(value):
                value = re.sub(rf"(?<![\w@]){re.escape(word)}(?![\w@])", ERASED, value)
            return value
        if isinstance(value, list):
            return [self.without_short(item) for item in value]
        return {key: self.without_short(item) for key, item in value.items()} if isinstance(value, dict) else value

    def rows(self, texts: pa.Array[Any]) -> NDArray[np.int64]:
        """Return the places of the texts of an array that hold a distinctive id, ascending."""
        if not self.words or len(texts) == 0:
            return np.array([], np.int64)
        texts = texts.cast(pa.large_string()).fill_null("")
        masks = [self._matches(texts, words).to_numpy(zero_copy_only=False) for words in self._patterns]
        return np.flatnonzero(np.any(masks, axis=0)).astype(np.int64)

    def _matches(self, texts: pa.Array[Any], words: str) -> pa.Array[Any]:
        """Return which texts hold one of the words of a pattern."""
        return pc.match_substring_regex(texts, f"{BEFORE}(?:{words}){AFTER}")


def _pattern(word: str) -> str:
    return f"(?i:{re.escape(word)})" if "@" in word else re.escape(word)


def split_words(text: str) -> list[str]:
    """Return the words of a text; a number with its decimals, or a date, is one."""
    words = re.split(TOKENS, CLOCK.sub(" ", text))
    return [stripped for word in words if (stripped := word.strip(EDGES))]


def redact_values(value: Any, ids: Collection[str], matcher: IdMatcher) -> Any:
    """Return a JSON value with ids replaced: inside texts, and texts that are an id or a list of ids.

    Args:
        value: of any JSON type; numbers stay.
        ids: :func:`~clv_core.collection.parse.id_texts.folded`; a text, or a part of it between commas, is replaced
            where it is one of them.
        matcher: finds ids inside longer texts.
    """
    if isinstance(value, str):
        return ", ".join(ERASED if folded(part) in ids else part for part in matcher.redacted(value).split(", "))
    if isinstance(value, list):
        return [redact_values(item, ids, matcher) for item in value]
    if isinstance(value, dict):
        return {redact_values(key, ids, matcher): redact_values(item, ids, matcher) for key, item in value.items()}
    return value


def redact_messages(messages: Iterable[Message], ids: Collection[str]) -> list[Message]:
    """Return messages with ids replaced in what they quote."""
    matcher = IdMatcher(ids)
    return [replace(message, params=redact_values(message.params, ids, matcher)) for message in messages]


MIN_SHARE: Final = 0.9
"""Share of a column's words that are ids, from which on it is a column of customers."""
SAMPLE_CELLS: Final = 10_000
"""Different cells by which a column is judged."""
BATCH: Final = 1 << 16
"""Rows searched at a time."""
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
        unmatched, limit = sample.difference(self.ids), (1 - MIN_SHARE) * len(sample)
        for log in self.logs:
            if len(unmatched) <= limit:
                break
            with connect_memory() as connection:
                connection.register("words", pa.table({"word": pa.array(sorted(unmatched), pa.string())}))
                ids = f"SELECT {folded_sql(CUSTOMER_ID)} FROM {file_text(log)}"
                rows = connection.execute(f"SELECT word FROM words WHERE word IN ({ids})").fetchall()
            unmatched -= {str(row[0]) for row in rows}
        return bool(sample) and len(unmatched) <= limit


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
