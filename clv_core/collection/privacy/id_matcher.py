"""Finds customers' ids inside any text: one pass over the bytes finds any of thousands of ids.

The first bytes of each id are in a table, which is looked up vectorised; the few places that pass are compared in full.
An id counts where no letter or digit is next to it: ``shop-1200`` is not in ``shop-12001``. An e-mail address counts in
any case.

A short id (``17``, ``C4``) may mean something else in most texts, so that :class:`IdMatcher` reports it apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clv_core.collection.parse.id_texts import CAPITALS, SMALL, WHOLE, folded

Place = tuple[int, int, int]
"""An id's row, where it starts, and its size in bytes."""

ERASED: Final = "[erased]"
TOKENS: Final = r"[^\w.@+-]+"
"""What separates the words of a text."""
EDGES: Final = ".+-"
"""What may end a word without being part of it."""
CLOCK: Final = re.compile(r"\b\d{1,2}:\d{2}(:\d{2})?\b")
"""A time of day, whose numbers are no words."""
MIN_BYTES: Final = 8
MIN_PLAIN_BYTES: Final = 12
BLOCK: Final = 1 << 20
BITS: Final = 20
WORD_BYTES: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
FOLDED: Final = np.frombuffer(bytes(range(256)).translate(bytes.maketrans(CAPITALS.encode(), SMALL.encode())), np.uint8)
"""What each byte is where case does not count."""


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
        self._exact = _ByteWords(word.encode() for word in self.words if "@" not in word)
        self._mails = _ByteWords((word.encode() for word in self.words if "@" in word), ignore_case=True)

    def within(self, text: str | bytes | NDArray[np.uint8]) -> bool:
        """Return whether a distinctive id is in a text."""
        data = text.encode() if isinstance(text, str) else text
        content = data if isinstance(data, np.ndarray) else np.frombuffer(data, np.uint8)
        return bool(self._places(content, np.array([0, len(content)], np.int64), first=True))

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
        data = text.encode()
        places = self._places(np.frombuffer(data, np.uint8), np.array([0, len(data)], np.int64))
        parts, at = [], 0
        for _, start, size in sorted(places, key=lambda place: (place[1], -place[2])):
            if start >= at:
                parts += [data[at:start], ERASED.encode()]
                at = start + size
        return b"".join([*parts, data[at:]]).decode()

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
        texts = pa.concat_arrays([texts]) if texts.offset else texts
        _, offsets, data = texts.buffers()
        starts = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        content = np.frombuffer(data, np.uint8) if data is not None else np.array([], np.uint8)
        return np.unique(np.array([row for row, _, _ in self._places(content, starts)], np.int64))

    def _places(self, data: NDArray[np.uint8], offsets: NDArray[np.int64], first: bool = False) -> list[Place]:
        places = self._exact.places(data, offsets, first)
        if self._mails and not (places and first):
            places += self._mails.places(data, offsets, first)
        return places


class _ByteWords:
    """Finds words among bytes.

    Args:
        words: each of at least ``MIN_BYTES`` bytes.
        ignore_case: whether letters match in any case; the words are in small letters then.
    """

    def __init__(self, words: Iterable[bytes], *, ignore_case: bool = False) -> None:
        self._ignore_case = ignore_case
        self._by_head: dict[int, list[bytes]] = {}
        for word in words:
            self._by_head.setdefault(int.from_bytes(word[:MIN_BYTES], "little"), []).append(word)
        self._heads = np.array(sorted(self._by_head), np.uint64)
        self._table = np.zeros(1 << BITS, bool)
        self._table[_mixed((self._heads & np.uint64(0xFFFFFFFF)).astype(np.uint32))] = True

    def __bool__(self) -> bool:
        """Return whether there is any word."""
        return bool(self._by_head)

    def places(self, data: NDArray[np.uint8], offsets: NDArray[np.int64], first: bool) -> list[Place]:
        """Return ``(row, start, size)`` of each word in the rows that ``offsets`` cut ``data`` into.

        Args:
            data: the rows' bytes.
            offsets: where each begins, and the last one ends.
            first: whether one place is enough.
        """
        places: list[Place] = []
        low, high = int(offsets[0]), int(offsets[-1])
        for begin in range(low, high if self else low, BLOCK):
            for start in self._candidates(self._folded(data[begin : min(high, begin + BLOCK + MIN_BYTES - 1)])):
                place = begin + int(start)
                row = int(np.searchsorted(offsets, place, side="right")) - 1
                end = int(offsets[row + 1])
                places += [(row, place, size) for size in self._sizes(data, place, int(offsets[row]), end)]
                if places and first:
                    return places
        return places

    def _folded(self, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return FOLDED[data] if self._ignore_case else data

    def _candidates(self, block: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return where eight bytes are that begin a word."""
        count = len(block) - MIN_BYTES + 1
        if count <= 0:
            return np.array([], np.int64)
        wide = block.astype(np.uint32)
        four = wide[:count] | wide[1 : count + 1] << 8 | wide[2 : count + 2] << 16 | wide[3 : count + 3] << 24
        places: NDArray[np.int64] = np.flatnonzero(self._table[_mixed(four.astype(np.uint32))])
        heads = np.ascontiguousarray(block[places[:, None] + np.arange(MIN_BYTES)]).view("<u8").ravel()
        at = np.minimum(np.searchsorted(self._heads, heads), len(self._heads) - 1)
        candidates: NDArray[np.int64] = places[self._heads[at] == heads]
        return candidates

    def _sizes(self, data: NDArray[np.uint8], start: int, low: int, high: int) -> list[int]:
        """Return the sizes of the words at ``start`` that have no letter or digit next to them."""
        if start > low and int(data[start - 1]) in WORD_BYTES:
            return []
        sizes = []
        for word in self._by_head[int.from_bytes(self._folded(data[start : start + MIN_BYTES]).tobytes(), "little")]:
            end = start + len(word)
            matches = end <= high and self._folded(data[start:end]).tobytes() == word
            if matches and (end == high or int(data[end]) not in WORD_BYTES):
                sizes.append(len(word))
        return sizes


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


def _mixed(four: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return places in the table for groups of four bytes."""
    return (four * np.uint32(2654435761)) >> np.uint32(32 - BITS)
