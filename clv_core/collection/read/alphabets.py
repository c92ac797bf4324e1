"""Encodings of texts, and which of them makes words of a text's letters or names of columns of its first lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from clv_core.collection.read.dialect import column_roles
from clv_core.collection.vocabulary.column_names import fold

MULTI_BYTE: Final = ("gb18030", "gbk", "gb2312", "big5", "cp932", "shift_jis", "euc_kr", "cp949", "euc_jp")
WINDOWS: Final = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874")
ONE_BYTE: Final = (*WINDOWS, "mac_roman", "cp850", "cp866", "koi8_r")
"""Encodings of one byte a letter that a line of column names can prove."""
USUAL: Final = ("utf-8", "utf-16", "gb18030", "big5", "cp932", "euc_kr", *WINDOWS)
"""What a person may choose among; any other encoding that Python knows can be said by name."""

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
"""Letters by language beside those of ASCII. Alone, chardet 7.7 takes five of six lists of Spanish words for cp1250."""
MARKS: Final = re.compile(r"[cdkm]?m[²³]|[a-z]{0,2}[ºª]|[²³¹£¥¢¼½¾×÷¿¡]", re.I)
"""What stands beside words in the West: m², Nº, £."""
MIN_SHARE: Final = 0.5
"""Share of the words that an encoding has to explain to overrule a guess."""
JUDGED_BYTES: Final = 1 << 20
WORD: Final = re.compile("[^\\x00-@\\[-`{-\x7f€‚„…†‡‰‹›‘’“”•–—™\xa0¦§©«¬\xad®°±µ¶·»]+")
"""A run of letters, and of marks where another encoding may have letters; marks that all of them share part words."""

FIRST_LINES: Final = 5
"""The column names stand in one of these, behind a remark or two."""
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
            bool(MARKS.fullmatch(word)) or any(_is_word(word.strip("¿¡"), letters) for letters in ALPHABETS[WESTERN])
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
    """Return the encoding that reads most known names of columns in one line, and how many; "" and 0 where none does.

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
