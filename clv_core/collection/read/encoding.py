"""Bytes become UTF-8 text with one kind of line end; warnings name whatever had to be changed, with its lines.

Where the bytes prove no encoding, the one is taken that makes words of a text's letters, or names of columns of its
first lines.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import chardet
import numpy as np
from chardet import EncodingEra

from clv_core.collection.read.dialect import column_roles
from clv_core.collection.vocabulary.column_names import fold
from clv_core.errors import Message, Refused, UsageError

BLOCK: Final = 1 << 23
"""Bytes read at a time."""
MAX_JUDGED_LINES: Final = 5_000
"""Lines with bytes beyond ASCII by which an encoding is judged."""
MAX_LINES_NAMED: Final = 5
"""Line numbers quoted in a message."""
MIN_LINES: Final = 3
"""Lines that are not UTF-8 from which a text may be judged by how it looks."""
MIN_NAMES: Final = 2
"""Recognised names of columns that outrank how the rest looks (a guess: one may be an accident, two hardly)."""
ASCII_LINE: Final = "a,\n"
"""Its bytes occur in text that can be cut into lines before it is decoded."""

MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass
class Survey:
    """What one pass over the bytes saw.

    Args:
        encoding: how the file is to be decoded.
        valid: whether every block decoded as UTF-8.
        nuls: NUL bytes.
        returns: carriage returns without a line feed.
        both: whether CRLF and LF line ends are mixed.
        quotes: quotation marks.
        lines: line feeds.
    """

    encoding: str = "utf-8"
    valid: bool = True
    nuls: int = 0
    returns: int = 0
    both: bool = False
    quotes: int = 0
    lines: int = 0
    judged: list[bytes] = field(default_factory=list)


def survey(path: Path, blocks: int | None = None) -> Survey:
    """Read the file once, in blocks of complete lines, and return what its bytes look like.

    Args:
        path: a text file.
        blocks: how many blocks of 8 MB are read; None: all.
    """
    seen = Survey()
    with path.open("rb") as file:
        head = file.read(BLOCK)
    for mark, encoding in MARKS:
        if head.startswith(mark):
            seen.encoding = encoding
    if seen.encoding == "utf-8" and head.count(0) > len(head) // 5:
        seen.encoding = "utf-16-be" if head[::2].count(0) > head[1::2].count(0) else "utf-16-le"
    if seen.encoding not in ("utf-8", "utf-8-sig"):
        seen.valid = False
        return seen
    pairs = 0
    for block in islice(_blocks(path), blocks):
        seen.lines += int(np.count_nonzero(np.frombuffer(block, np.uint8) == 10))
        if b"\0" in block:
            seen.nuls += block.count(b"\0")
        if b'"' in block:
            seen.quotes += block.count(b'"')
        if b"\r" in block:
            ends = block.count(b"\r\n")
            pairs += ends
            seen.returns += block.count(b"\r") - ends
        if block.isascii():
            continue
        try:
            codecs.utf_8_decode(block, "strict", True)
        except UnicodeDecodeError:
            seen.valid = False
            if len(seen.judged) < MAX_JUDGED_LINES:
                seen.judged += [line for line in block.split(b"\n") if not line.isascii()][:MAX_JUDGED_LINES]
    seen.both = 0 < pairs < seen.lines
    return seen


def known_encoding(name: str) -> str:
    """Return Python's own name of an encoding that a person named.

    Raises:
        UsageError: there is no such encoding of texts.
    """
    try:
        b"".decode(name)
        ASCII_LINE.encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise UsageError("encoding_name", encoding=name[:60]) from error


def single_byte(encoding: str) -> bool:
    """Say whether an encoding reads every byte as a letter, so that a file cannot prove it."""
    return not encoding.startswith("utf") and len(bytes(range(128, 256)).decode(encoding, "replace")) == 128


def rewrite(
    path: Path, seen: Survey, target: Path, *, encoding: str = "", usual: str = "", called: str = ""
) -> tuple[Message, ...]:
    """Write ``path`` to ``target`` as UTF-8 with LF line ends and no NULs; return what was done.

    Args:
        path: a text file.
        seen: :func:`survey` of it; gets the encoding that it was read in.
        target: what is written.
        encoding: the one that the person named; it holds for every line.
        usual: the encoding of one byte a letter of an earlier file like it; read so where it is not UTF-8.
        called: what the person calls the file, where it is not the path's name.

    Raises:
        Refused: the bytes show no encoding, or do not fit the one that was named.
    """
    notes: list[Message] = []
    fallback = ""
    if encoding:
        seen.encoding = encoding
    elif not seen.valid and seen.encoding.startswith("utf-8"):
        with path.open("rb") as file:
            head = file.read(1 << 16).rpartition(b"\n")[0]
        of_all_lines, fallback = _judge(head, seen.judged, called or path.name, usual)
        if of_all_lines:
            seen.encoding = of_all_lines
            notes.append(Message("warning.encoding", {"encoding": of_all_lines}))
    elif not seen.valid and seen.encoding != "utf-16":  # which has a mark
        notes.append(Message("warning.encoding", {"encoding": seen.encoding}))
    damage = _Lines()
    nuls = _Lines()
    with target.open("w", encoding="utf-8", newline="") as out:
        number, carriage = 1, ""
        try:
            for text, lines in _decoded(path, seen.encoding, fallback, damage, strict=bool(encoding)):
                if encoding and damage.count:
                    raise Refused("encoding_said", file=called or path.name, encoding=encoding, line=damage.first[0])
                if "\0" in text:
                    nuls.note(text, "\0", number)
                    text = text.replace("\0", "")
                text = carriage + text
                carriage = (
                    "\r" if text.endswith("\r") else ""
                )  # the other half of the line's end may be in the next block
                out.write(text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n"))
                number += lines
        except UnicodeError as error:
            raise Refused("encoding_said", file=called or path.name, encoding=seen.encoding, line=number) from error
        out.write("\n" if carriage else "")
    if damage.count:
        code = "warning.mixed_encoding" if fallback else "warning.bad_bytes"
        notes.append(Message(code, {"lines": damage.count, "first": damage.text(), "encoding": fallback}))
    if nuls.count:
        notes.append(Message("warning.nul_bytes", {"lines": nuls.count, "first": nuls.text()}))
    if seen.returns or seen.both:
        notes.append(Message("warning.newlines", {}))
    return tuple(notes)


@dataclass
class _Lines:
    """Counts lines, and names the first few."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        self.count += 1
        if len(self.first) < MAX_LINES_NAMED:
            self.first.append(number)

    def note(self, text: str, mark: str, number: int) -> None:
        for offset, line in enumerate(text.split("\n")):
            if mark in line:
                self.add(number + offset)

    def text(self) -> list[str]:
        return [*map(str, self.first), *(["…"] if self.count > len(self.first) else [])]


def _judge(head: bytes, lines: list[bytes], name: str, usual: str = "") -> tuple[str, str]:
    """Return (encoding of all lines, "") or ("", encoding of the lines that are not UTF-8).

    A short text in a multi-byte encoding often happens to be valid UTF-8, so such an encoding wins when it reads every
    line; one of the single-byte encodings reads anything, so it wins only where hardly a line is UTF-8, and its words
    distinguish it from the others, unless an earlier file was in one (``usual``). Column names that logs use outrank
    both, and where nothing else is not ASCII, as in a Chinese or Russian log of numbers, one such name is enough.
    """
    bad = [line for line in lines if not _reads(line, "utf-8")]
    sample = head + b"\n".join(bad) if _reads(head, "utf-8") else head
    guess = chardet.detect(sample, encoding_era=EncodingEra.MODERN_WEB).get("encoding") or ""
    guess = codecs.lookup(guess).name if guess else ""
    by_words = encoding_of_words(bad, "" if guess in ("ascii", "utf-8", "utf-8-sig") else guess)
    few = len(bad) < MIN_LINES
    alone = few and len(bad) == len(lines)
    named, names = encoding_of_names(lines, (usual, by_words, *MULTI_BYTE, *(ONE_BYTE if alone else ())))
    by_name = names >= MIN_NAMES or (alone and names > 0)
    encoding = named if by_name else by_words
    as_before = bool(usual) and (few or encoding not in MULTI_BYTE) and not by_name
    as_before = as_before and all(_reads(line, usual) for line in bad)
    encoding = usual if as_before else encoding
    proven = alone and by_name if few else encoding in MULTI_BYTE
    if proven and all(_reads(line, encoding) for line in lines):
        return encoding, ""
    if encoding in MULTI_BYTE:
        encoding = ""
    plain = as_before or (encoding == WESTERN and word_share(b"\n".join(bad), WESTERN) == 1)
    if len(bad) < 0.9 * len(lines) or (len(lines) <= 2 and not plain):
        return "", encoding if not few or as_before else ""
    if not encoding:
        raise Refused("unknown_encoding", file=name)
    return encoding, ""


def _reads(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(
    path: Path, encoding: str, fallback: str, damage: _Lines, *, strict: bool = False
) -> Iterator[tuple[str, int]]:
    """Yield (text, line feeds in it); lines that do not decode are read by ``fallback`` or marked with U+FFFD.

    Where ``strict``, an encoding whose line ends are not those of ASCII fails with UnicodeError instead.
    """
    if not ASCII_LINE.encode(encoding).endswith(ASCII_LINE.encode()):
        with path.open(encoding=encoding, errors="strict" if strict else "replace", newline="") as file:
            while text := file.read(BLOCK):
                yield text.removeprefix("\ufeff"), text.count("\n")
        return
    number = 1
    for block in _blocks(path):
        try:
            text = block.decode(encoding)
        except UnicodeDecodeError:
            pairs = enumerate(block.split(b"\n"), number)
            text = "\n".join(_line(line, position, encoding, fallback, damage) for position, line in pairs)
        lines = block.count(b"\n")
        yield text.removeprefix("\ufeff"), lines
        number += lines


def _line(line: bytes, number: int, encoding: str, fallback: str, damage: _Lines) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        damage.add(number)
        return line.decode(fallback or encoding, "replace")


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield the file in blocks that end at a line feed (or at a block's end where a line is longer than it)."""
    rest = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield rest + block[:cut]
                rest = block[cut:]
            else:
                rest += block
                if len(rest) > 8 * BLOCK:
                    yield rest
                    rest = b""
    if rest:
        yield rest


MULTI_BYTE: Final = ("gb18030", "gbk", "gb2312", "big5", "cp932", "shift_jis", "euc_kr", "cp949", "euc_jp")
WINDOWS: Final = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874")
ONE_BYTE: Final = (*WINDOWS, "mac_roman", "cp850", "cp866", "koi8_r")
"""Encodings of one byte a letter that a line of column names can prove."""
USUAL: Final = ("utf-8", "utf-16", "gb18030", "big5", "cp932", "euc_kr", *WINDOWS)
"""What a person may choose among; any other encoding of Python can be named."""

WESTERN: Final = "cp1252"
ALPHABETS: Final = {
    WESTERN: (
        *("äöüß", "àâçéèêëîïôùûüœæ", "áéíñóúü", "áàâãçéêíóôõúü", "àèéìòù", "àçèéíïòóúü"),  # de fr es pt it ca
        *("åäöéüšž", "æøåé", "éëïöüáó", "áéíóúýþæöð"),  # sv fi, da nb, nl, is
    ),
    "cp1250": (
        *("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž"),  # pl cs sk
        *("áéíóöőúüű", "čćđšž", "ăâîșțşţ"),  # hu, hr sl, ro
    ),
    "cp1251": ("абвгдежзийклмнопрстуфхцчшщъыьэюяёђѓєѕіїјљњћќўџґ",),
    "cp1253": ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",),
    "cp1254": ("çğıi̇öşüâîû",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöüõšž"),  # lt lv et
}
"""Letters by language, without those of ASCII. chardet 7.7 alone takes five of six Spanish word lists for cp1250."""
SIGNS: Final = re.compile(r"[cdkm]?m[²³]|[a-z]{0,2}[ºª]|[²³¹£¥¢¼½¾×÷¿¡]", re.I)
"""Signs next to words in the West: m², Nº, £."""
MIN_SHARE: Final = 0.5
"""Share of the words that an encoding has to explain to overrule a guess."""
JUDGED_BYTES: Final = 1 << 20
"""Bytes of these lines that are given to chardet, whose time grows with them."""
WORD: Final = re.compile("[^\\x00-@\\[-`{-\x7f€‚„…†‡‰‹›‘’“”•–—™\xa0¦§©«¬\xad®°±µ¶·»]+")
"""A run of letters, and of marks where another encoding may have letters; marks that all of them share part words."""

FIRST_LINES: Final = 5
"""The column names are in one of these, behind a remark or two (a guess)."""
BETWEEN: Final = re.compile(r'[,;\t|]|"')


def encoding_of_words(lines: Iterable[bytes], guess: str) -> str:
    """Return the guess, or an encoding whose alphabets make words of more of the text.

    Args:
        lines: of a text that is no UTF-8, those that are not ASCII.
        guess: an encoding, or empty.
    """
    if guess and guess not in ALPHABETS:
        return guess
    text = b"\n".join(lines)[:JUDGED_BYTES]
    shares = {encoding: word_share(text, encoding) for encoding in dict.fromkeys((guess or WESTERN, *ALPHABETS))}
    best = max(shares, key=lambda encoding: shares[encoding])  # the first of equals
    return best if shares[best] >= MIN_SHARE else guess


def word_share(text: bytes, encoding: str) -> float:
    """Return which part of the words that are not ASCII are words of a language, 0 to 1, each word counted once.

    A Western text may mix its languages (a German shop sells Crème to Señor), any other is in one. Where nothing but
    marks is not ASCII, it is 1: cp1252 and those akin to it agree about these.
    """
    words = {word for word in WORD.findall(text.decode(encoding, "replace")) if not word.isascii()}
    if not words:
        return 1.0
    if encoding == WESTERN:
        count = sum(
            bool(SIGNS.fullmatch(word)) or any(_is_word(word.strip("¿¡"), letters) for letters in ALPHABETS[WESTERN])
            for word in words
        )
    else:
        count = max(sum(_is_word(word, letters) for word in words) for letters in ALPHABETS[encoding])
    return count / len(words)


def _is_word(word: str, letters: str) -> bool:
    is_latin = letters[0] < "\u0370"  # Greek and Cyrillic words hold no letters of ASCII
    cased = word.islower() or word.isupper() or word.istitle()
    return cased and all(letter in letters or (is_latin and letter.isascii()) for letter in word.lower())


def encoding_of_names(lines: Iterable[bytes], encodings: Sequence[str]) -> tuple[str, int]:
    """Return the encoding with most recognised names of columns in one line, and their number; "" and 0 for none.

    Encodings with two bytes a letter read each other's texts as letters too: Korean names become Chinese that nobody
    writes. Names that logs use are no accident.

    Args:
        lines: of a text, those that are not ASCII.
        encodings: that it could be in; of equals the first is returned.
    """
    first = list(islice(lines, FIRST_LINES))
    counts = {encoding: _count_names(first, encoding) for encoding in dict.fromkeys(encodings) if encoding}
    best = max(counts, key=lambda encoding: counts[encoding], default="")
    return (best, counts[best]) if best and counts[best] else ("", 0)


def _count_names(lines: Iterable[bytes], encoding: str) -> int:
    """Return how many names that are not ASCII one of the lines holds, 0 where the encoding does not read them all."""
    try:
        texts = [line.decode(encoding) for line in lines]
    except UnicodeDecodeError:
        return 0
    return max(
        (sum(not fold(cell).isascii() and bool(column_roles(cell)) for cell in BETWEEN.split(text)) for text in texts),
        default=0,
    )
