"""Which of the encodings with one byte a letter a text is in: the one that makes words of its letters.

Such an encoding reads any bytes, so the question is what they become. A word speaks for an encoding where it could be
one of a language written in it: read as cp1252, the bytes of ``Matěj`` (``Matìj``) are a word of no language of the
West, and no word is half Cyrillic. Western files mix their languages (a German shop sells ``Crème`` to ``Señor``), so a
word of any of them speaks for cp1252; another encoding has to do better in one language. Where they tie, cp1252 is
meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

WESTERN: Final = "cp1252"
OTHERS: Final = ("cp1250", "cp1251", "cp1253", "cp1254")
LEAST: Final = 0.5
"""Share of the words that an encoding has to explain to overrule a guess."""

JUDGED_BYTES: Final = 1 << 20

_CONSONANT: Final = "[b-df-hj-np-tv-xz]"
_WEST: Final = (
    "[a-zäöüß]",  # German
    f"[a-zéîô]|è(?={_CONSONANT}{{1,3}}[eé]|[gq]u|s$)|[àù]$|ê(?=[c-npqrtv])"
    "|[âû](?=[b-npqrt])|(?<=[aeiou])[ëï]|œ(?=[iu])|ç(?=[aou])",  # French
    "[a-záéíóúü]|ñ(?=[aeiouáéíóú])",  # Spanish
    "[a-záàéíóôúü]|â(?=[mn])|ê(?=[mns]|$)|ç(?=[aouáâãéóôõú])|ã(?=[eo])|õ(?=e)"
    "|(?:(?<=nh)|(?<=[imç])|(?<=^.))ãs?$",  # Portuguese
    "[a-z]|[àèéìíòóù]$",  # Italian: accents end a word
    f"[a-zéíïóúü]|[àò](?={_CONSONANT}|$)|è(?=s?$|[cdglmrsxz]|[nt]i[ac])|ç(?=[aou]|$)",  # Catalan
    "[a-zåäöéüšž]",  # Swedish, Finnish
    f"[a-zåé]|æ(?={_CONSONANT})|(?<=[lnr])æ$|ø(?={_CONSONANT}|e[nr]|y)|^.{{0,3}}ø$|jø$",  # Danish, Norwegian
    "[a-zéöüáó]|(?<=[aeiou])[ëï]",  # Dutch
    f"[a-záéíóúæö]|(?<=[aeiouáéíóúýöær])ð|^þ|^[þð]?{_CONSONANT}{{0,3}}ý",  # Icelandic
)
"""Letters of a word by language, and beside which others they stand where those of another encoding do not."""

_MARKS: Final = r"[cdkm]?m[²³]|[a-z]{0,2}[ºª]|[²³¹£¥¢¼½¾×÷¿¡]"
"""What stands beside words in the West: m², Nº, £."""

_ASKED: Final = "(?:[¿¡](?=(?-i:[A-ZÁÉÍÓÚ])))?"
_WESTERN: Final = re.compile(f"{_MARKS}|{_ASKED}(?:{'|'.join(f'(?:{one})+' for one in _WEST)})", re.I)
_LANGUAGES: Final = tuple(
    re.compile(f"(?:{letters})+", re.I)
    for letters in (
        "[a-ząćęłńóśźż]",  # Polish
        "[a-záčďéěíňóřšťúůýž]",  # Czech
        "[a-záäčďéíĺľňóôŕšťúýž]",  # Slovak
        "[a-záéíóöőúüű]",  # Hungarian
        "[a-zčćđšž]",  # Croatian, Slovene
        "[a-zăâîșțşţ]",  # Romanian
        "[a-zçğıİöşüâîû]",  # Turkish
        "[a-ząčęėįšųūž]",  # Lithuanian
        "[a-zāčēģīķļņšūž]",  # Latvian
        "[a-zäöüõšž]",  # Estonian
    )
) + tuple(
    re.compile(letters)
    for letters in (
        "[Ѐ-Я]?[а-џґ]+|[Ѐ-ЯҐ]+",  # a Cyrillic word has capitals at its start, or throughout
        "[Ά-Ϋ]?[ά-ώΐ]+|[Ά-Ϋ]+",  # Greek, likewise
        "[\u05b0-\u05f4]+",  # Hebrew
        "[\u060c-\u06d2\u200c-\u200f]+",  # Arabic
        "[\u0e01-\u0e5b]+",  # Thai
        ".*[\u3000-\u9fff\uac00-\ud7a3\uff00-\uffef]{2}.*"  # Chinese, Japanese, Korean: more than one in a row
        "|[\u3000-\u9fff\uac00-\ud7a3\uff00-\uffef]+",
    )
)
_VIETNAMESE: Final = re.compile("[a-zàâăáéèêíìóòôơúùưýđ\u0300\u0301\u0303\u0309\u0323]+", re.I)
"""Counts in its own encoding only: without its accents it has the letters of many."""

_WORD: Final = re.compile("[^\\x00-@\\[-`{-\x7f€‚„…†‡‰‹›‘’“”•–—™\xa0¦§©«¬\xad®°±µ¶·»]+")
"""A run of letters, and of marks where another encoding may have letters; marks that all of them share part words."""


def settled(lines: Iterable[bytes], guess: str) -> str:
    """Return the encoding of ``lines``: cp1252 or another where its words are more than those of the guess.

    Args:
        lines: of a text that is no UTF-8, those that are not ASCII.
        guess: an encoding, or empty.
    """
    text = b"\n".join(lines)[:JUDGED_BYTES]
    rivals = dict.fromkeys(one for one in (WESTERN, guess, *OTHERS) if one)
    shares = {one: share(text, one) for one in rivals}
    best = max(shares, key=lambda one: shares[one])  # the first of equals
    return best if shares[best] >= LEAST else guess


def share(text: bytes, encoding: str) -> float:
    """Return which part of the words that are not ASCII are words of a language, 0 to 1, each word counted once.

    Where nothing but marks is not ASCII, it is 1: cp1252 and those akin to it agree about these.
    """
    words = {word for word in _WORD.findall(text.decode(encoding, "replace")) if not word.isascii()}
    if encoding == WESTERN:
        known = sum(_WESTERN.fullmatch(word) is not None for word in words)
    else:
        languages = (_VIETNAMESE,) if encoding == "cp1258" else _LANGUAGES
        known = max(sum(one.fullmatch(word) is not None for word in words) for one in languages)
    return known / len(words) if words else 1.0
