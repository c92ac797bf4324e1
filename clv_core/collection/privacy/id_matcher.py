"""Ids inside any text: one pass over the bytes finds where one of thousands of words stands.

Each word's first bytes are looked up in a table, vectorised; only the few places that pass are compared in full. A word
counts where no letter or digit is beside it, so that ``shop-1200`` does not stand in ``shop-12001``. An e-mail address
is found in any case.

A short word (``17``, ``C4``) names a customer where it is a whole cell or a whole word of a column of customers; in
other texts it may mean something else, so that whoever looks for it says where it was seen instead of taking it out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clv_core.collection.values.id_texts import CAPITALS, SMALL, folded

Place = tuple[int, int, int]
"""A word's row, where it starts, and its size in bytes."""

ERASED: Final = "[erased]"
TOKENS: Final = r"[^\w.@+-]+"
"""What stands between the words of a text."""
EDGES: Final = ".+-"
"""What may end a word and is none of it."""
CLOCK: Final = re.compile(r"\b\d{1,2}:\d{2}(:\d{2})?\b")
"""A time of day, whose numbers are no words."""
SHORTEST: Final = 8
LONG: Final = 12
BLOCK: Final = 1 << 20
BITS: Final = 20
WORD_BYTES: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
FOLDED: Final = np.frombuffer(bytes(range(256)).translate(bytes.maketrans(CAPITALS.encode(), SMALL.encode())), np.uint8)
"""What each byte is where case does not count."""


def distinctive(word: str) -> bool:
    """Say whether a word can be told from others wherever it stands; ``17`` or ``20240131`` means many things."""
    mixed = bool(re.search(r"\d", word) and re.search(r"[^\W\d_]", word))
    size = len(word.encode())
    return size >= LONG or (size >= SHORTEST and (mixed or "@" in word))


def coded(word: str) -> bool:
    """Say whether a word of any length looks like an id, as ``C4`` does, and not like a number or a word of speech."""
    return "@" in word or bool(re.search(r"\d", word) and re.search(r"[^\W\d_]", word))


class IdMatcher:
    """Words to be found.

    Args:
        words: any. Those that are :func:`distinctive` are found wherever they stand; the others are ``short``.
    """

    def __init__(self, words: Iterable[str]) -> None:
        known = {folded(word) for word in words}
        self.words = sorted(filter(distinctive, known))
        self.short = known.difference(self.words)
        self.phrases = sorted(word for word in self.short if split_words(word) != [word])
        self._exact = _ByteWords(word.encode() for word in self.words if "@" not in word)
        self._mails = _ByteWords(word.encode() for word in self.words if "@" in word)

    def within(self, text: str | bytes) -> bool:
        """Say whether any word stands in a text."""
        data = text.encode() if isinstance(text, str) else text
        return bool(self._found(np.frombuffer(data, np.uint8), np.array([0, len(data)], np.int64), first=True))

    def short_in(self, text: str) -> set[str]:
        """Return the short words that a text is, or that stand in it by themselves."""
        if not self.short:
            return set()
        found = {folded(word) for word in (text.strip(), *split_words(text))} & self.short
        return found | {word for word in self.phrases if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)}

    def redacted(self, text: str) -> str:
        """Return a text with every word replaced."""
        data = text.encode()
        places = self._found(np.frombuffer(data, np.uint8), np.array([0, len(data)], np.int64))
        parts, at = [], 0
        for _, start, size in sorted(places, key=lambda place: (place[1], -place[2])):
            if start >= at:
                parts += [data[at:start], ERASED.encode()]
                at = start + size
        return b"".join([*parts, data[at:]]).decode()

    def without_short(self, value: Any) -> Any:
        """Return a JSON value with the short words in its texts replaced."""
        if isinstance(value, str):
            for word in self.short_in(value):
                value = re.sub(rf"(?<![\w@]){re.escape(word)}(?![\w@])", ERASED, value)
            return value
        if isinstance(value, list):
            return [self.without_short(item) for item in value]
        return {key: self.without_short(item) for key, item in value.items()} if isinstance(value, dict) else value

    def rows(self, texts: pa.Array[Any]) -> NDArray[np.int64]:
        """Return the places of the texts of an array that hold any word, ascending."""
        if not self.words or len(texts) == 0:
            return np.array([], np.int64)
        plain = texts.cast(pa.large_string()).fill_null("")
        plain = pa.concat_arrays([plain]) if plain.offset else plain
        _, offsets, data = plain.buffers()
        starts = np.frombuffer(offsets, np.int64)[plain.offset : plain.offset + len(plain) + 1]
        content = np.frombuffer(data, np.uint8) if data is not None else np.array([], np.uint8)
        return np.unique(np.array([row for row, _, _ in self._found(content, starts)], np.int64))

    def _found(self, data: NDArray[np.uint8], offsets: NDArray[np.int64], first: bool = False) -> list[Place]:
        found = self._exact.found(data, offsets, first)
        if self._mails.known and not (found and first):
            found += self._mails.found(FOLDED[data], offsets, first)
        return found


class _ByteWords:
    """Words as bytes, to be found as they are.

    Args:
        words: each of at least ``SHORTEST`` bytes.
    """

    def __init__(self, words: Iterable[bytes]) -> None:
        self._by_head: dict[int, list[bytes]] = {}
        for word in words:
            self._by_head.setdefault(int.from_bytes(word[:SHORTEST], "little"), []).append(word)
        self._heads = np.array(sorted(self._by_head), np.uint64)
        self._table = np.zeros(1 << BITS, bool)
        self._table[_mixed((self._heads & np.uint64(0xFFFFFFFF)).astype(np.uint32))] = True

    @property
    def known(self) -> bool:
        """Whether there is any word."""
        return bool(self._by_head)

    def found(self, data: NDArray[np.uint8], offsets: NDArray[np.int64], first: bool) -> list[Place]:
        """Return ``(row, start, size)`` of each word in the rows that ``offsets`` cut ``data`` into.

        Args:
            data: the rows' bytes.
            offsets: where each begins, and the last one ends.
            first: whether one place is enough.
        """
        found: list[Place] = []
        if not self.known:
            return found
        low, high = int(offsets[0]), int(offsets[-1])
        for begin in range(low, high, BLOCK):
            for start in self._candidates(data[begin : min(high, begin + BLOCK + SHORTEST - 1)]):
                place = begin + int(start)
                row = int(np.searchsorted(offsets, place, side="right")) - 1
                end = int(offsets[row + 1])
                found += [(row, place, size) for size in self._sizes(data, place, int(offsets[row]), end)]
                if found and first:
                    return found
        return found

    def _candidates(self, block: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return where eight bytes stand that begin a word."""
        count = len(block) - SHORTEST + 1
        if count <= 0:
            return np.array([], np.int64)
        wide = block.astype(np.uint32)
        four = wide[:count] | wide[1 : count + 1] << 8 | wide[2 : count + 2] << 16 | wide[3 : count + 3] << 24
        places: NDArray[np.int64] = np.flatnonzero(self._table[_mixed(four.astype(np.uint32))])
        heads = np.ascontiguousarray(block[places[:, None] + np.arange(SHORTEST)]).view("<u8").ravel()
        at = np.minimum(np.searchsorted(self._heads, heads), len(self._heads) - 1)
        found: NDArray[np.int64] = places[self._heads[at] == heads]
        return found

    def _sizes(self, data: NDArray[np.uint8], start: int, low: int, high: int) -> list[int]:
        """Return the sizes of the words that stand at ``start`` with no letter or digit beside them."""
        if start > low and int(data[start - 1]) in WORD_BYTES:
            return []
        found = []
        for word in self._by_head[int.from_bytes(data[start : start + SHORTEST].tobytes(), "little")]:
            end = start + len(word)
            whole = end <= high and data[start:end].tobytes() == word
            if whole and (end == high or int(data[end]) not in WORD_BYTES):
                found.append(len(word))
        return found


def split_words(text: str) -> list[str]:
    """Return the words of a text; a number with its decimals, or a date, is one."""
    words = re.split(TOKENS, CLOCK.sub(" ", text))
    return [stripped for word in words if (stripped := word.strip(EDGES))]


def redact_values(value: Any, ids: Collection[str], needles: IdMatcher) -> Any:
    """Return a JSON value with ids replaced: words in any text, and texts that are an id, or a list of such, whole.

    Args:
        value: of any JSON type; numbers are left alone.
        ids: a set, :func:`folded`, looked up whole.
        needles: looked for inside longer texts.
    """
    if isinstance(value, str):
        said = needles.redacted(value)
        parts = [ERASED if folded(part) in ids else part for part in said.split(", ")]
        return ", ".join(parts)
    if isinstance(value, list):
        return [redact_values(item, ids, needles) for item in value]
    if isinstance(value, dict):
        return {redact_values(key, ids, needles): redact_values(item, ids, needles) for key, item in value.items()}
    return value


def _mixed(four: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return places in the table for groups of four bytes."""
    return (four * np.uint32(2654435761)) >> np.uint32(32 - BITS)
