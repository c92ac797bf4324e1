"""The ways in which logs write times, as SQL over a text column: how each is recognised, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Final

from babel import Locale, UnknownLocaleError

from clv_core.collection.engine import text
from clv_core.collection.parse.numbers import DIGITS, unless_ascii
from clv_core.collection.vocabulary.language_files import MONTHS, load_vocabulary

AT: Final = load_vocabulary().pattern("dates", "before_clock")
"""Separator between a date and its time of day."""
CLOCKS: Final = (*("", " %H:%M:%S", " %H:%M", " %H:%M:%S/%f", " %I:%M:%S %p", " %I:%M %p", " %I:%M:%S%p", " %I:%M%p"),)
WRITTEN: Final = (
    *(f"%d-%b-{{year}}{clock.replace('/', '.')}" for clock in CLOCKS),
    *(f"{{year}}-%m-%d{clock}" for clock in CLOCKS if "%p" in clock),
)
DIRECTIONS: Final = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Invisible marks of the direction in which a text is written."""
PLAIN: Final = (DIGITS[0] + "－／：．\u3000\u00a0\u202f" + DIRECTIONS, DIGITS[1] + "-/:.   ")
"""Digits of other scripts and marks of full width, and what is read instead; marks of direction are left out."""

SPLIT: Final = r"\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{1,2})( \d{1,2}:[\d:.]*( ?[AaPp][Mm])?)?"
ISO_OFFSET: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)? ?[+-]\d\d:?\d\d"
USUAL: Final = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?Z?)?"  # ISO
    rf"|{ISO_OFFSET}"
    r"|\d{5,19}(\.\d+)?"  # epochs, serial days, 20240131
    rf"|{SPLIT}",
    re.ASCII,
)
"""The usual spellings, as a sample shows them (:mod:`clv_core.collection.parse.numbers`)."""
ORDERS: Final = {"dmy": "%d/%m/{year}", "mdy": "%m/%d/{year}", "ymd": "{year}/%m/%d"}
WEEKDAYS: Final = (
    (r"^(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*[,.]? +", ""),
    (r"^\pL[\pL -]+[.,،]* +(\d{1,2}(?:\.|er|º)? (?:de )?\pL.*|\d{1,4}[./-] ?\d{1,2}[./-] ?\d{1,4}\b.*)$", r"\1"),
)
"""A day's name before a date, in any language: what follows is a day and a month."""
TIDY: Final = (
    (r" ?\([A-Za-z ]+\)$", ""),
    (r" ?\([月火水木金土日一二三四五六월화수목금토일]\)", " "),
    (r"(?i)(\d) ?(?:hs|hrs?|horas?|uhr|h)\.?$", r"\1"),
    (rf"(?i)(\d\.?(?: [гр]\.)?),? +(?:{AT}) +(\d)", r"\1 \2"),
    (r"( \d{1,2}) ?h ?(\d\d)(?: ?m(?:in)?)?$", r"\1:\2"),
    (r"^(\d{4}-\d{1,2}-\d{1,2})[T ](\d{1,2})$", r"\1 \2:00:00"),
    (r"(\d):(\d\d),(\d{1,9})", r"\1:\2.\3"),
    (r"(?i)^(?:ngày )?(\d{1,2})(?:,? tháng| thg\.?) (\d{1,2})(?:,? năm|,)? (\d{4})\b,? *", r"\3-\2-\1 "),
    (r"^([A-Za-z]{3})[a-z]*(?:\.? +|-)(\d{1,2})(?:st|nd|rd|th)?(?:,? +|-)(\d{2,4})\b,? *", r"\2-\1-\3 "),
    (
        r"^(\d{1,2})(?:\.|º|er|st|nd|rd|th)?[ ./-](?:de )?([A-Za-z]{3})[a-z]*\.?,?[ ./-](?:del? )?(\d{2,4})\b"
        r"[,:.]?(?: [гр]\.?)?,? *",
        r"\1-\2-\3 ",
    ),
    (r"^(\d{4})[. /-]+([A-Za-z]{3})[a-z]*[. /-]+(\d{1,2})\b[.,]* *", r"\3-\2-\1 "),
    (r"^(\d{1,2}-[A-Za-z]{3}-\d{4}) \pL{4,}( \d|$)", r"\1\2"),
    (r"^(\d{1,2})\. (\d{1,2})\. (\d{4})", r"\1.\2.\3"),
    (r"^(\d{4})(\d\d)(\d\d)[T ](\d\d):?(\d\d):?(\d\d)", r"\1-\2-\3 \4:\5:\6"),
    (r"^(\d{4}) ?[./年년] ?(\d{1,2}) ?[./月월] ?(\d{1,2})(?: ?[日일]|\.( |$))? *", r"\1-\2-\3 "),
    (r"( \d{1,2})\.(\d\d)\.(\d\d)", r"\1:\2:\3"),
    (r"( \d{1,2})\.(\d\d)$", r"\1:\2"),
    (r"(?i)(:\d\d)[.,]\d+( [AP]M)$", r"\1\2"),
    (r"^(\d{1,4}[./-]\d{1,2}[./-]\d{2,4})(?:, ?| - )(\d)", r"\1 \2"),
    (r"(\d[时時点點시])整?$", r"\100分"),
    (r"(\d) ?ص$", r"\1 AM"),
    (r"(\d) ?م$", r"\1 PM"),
    (r"(?:上午|凌晨|早上|午前|오전) *(\d.*)", r"\1 AM"),
    (r"(?:下午|午後|오후) *(\d.*)|晚上 *((?:0?[1-9]|1[01])[:时時点點].*)", r"\1\2 PM"),
    (r"(\d{1,2})[时時点點시] ?(\d{1,2})[分분]?(?: ?(\d{1,2})[秒초])?", r"\1:\2:0\3"),
    (r":0(\d\d)\b", r":\1"),
    (r"(:\d\d.*?) ?(?:GMT|UTC)([+-])(\d)$", r"\1\20\3"),
    (r"(:\d\d.*?) ?(?:GMT|UTC)?([+-]\d\d)$", r"\1\2:00"),
    (r"(:\d\d.*?) ?(?:GMT|UTC)?([+-]\d\d):?(\d\d)$", r"\1\2:\3"),
    (r"(:\d\d.*?) ?(?:GMT|UTC)$", r"\1Z"),
    (r"([T ]\d{1,2}:\d\d) ?(Z|[+-]\d\d:\d\d)$", r"\1:00\2"),
    (r"([T ]\d{1,2}:\d\d)( [A-Z][a-z]+/[A-Z][A-Za-z_/]+)$", r"\1:00\2"),
    (r" +$", ""),
)
"""Pattern, and what is written instead."""

_NAMES: Final = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?"
    "|Nov(?:ember)?|Dec(?:ember)?)"
)
ENGLISH_DATES: Final = (
    (r"^(\d{1,2})[ -]([A-Z][a-z]{2})[a-z]*[ -](\d{4})", r"\1-\2-\3"),
    (r"^([A-Z][a-z]{2})[a-z]* (\d{1,2}),? (\d{4})", r"\2-\1-\3"),
)
"""31 March 2024 and Mar 31, 2024, and what is written instead."""
ENGLISH_TIME: Final = (
    rf"(?:\d{{1,2}}[ -]{_NAMES}[ -]|{_NAMES} \d{{1,2}},? )\d{{4}}(?: \d{{1,2}}:\d\d(?::\d\d)?(?: ?[AaPp][Mm])?)?"
)
ENGLISH: Final = rf"(?i)^\d{{0,4}}[ ./-]?(?:{'|'.join(MONTHS)})\PL|^\d+[年년/.-]\d"
"""A date that has an English abbreviation already, or no month's name: the usual ones, by a quick test."""
MONTH: Final = r"^((?:\d{1,4}\PL{1,3}|\d{1,2}er )?(?:de )?)([\pL\pM]+(?:\.[\pL\pM]+)?)(\PL.*)$"
"""A month's name in 1 de enero de 2023, 1. März 2023 and 2023. jan. 3."""
SHIFT: Final = r" ?([+-]\d\d:\d\d|Z|UTC|GMT|[A-Z][a-z]+/[A-Z][A-Za-z_/]+)$"
"""An offset, or a zone's full name, behind a time."""


def plain(column: str) -> str:
    """Return SQL for ``column`` in ASCII digits and marks, as :func:`form` and :class:`TimeReading` expect it."""
    return unless_ascii(column, f"translate({column}, {text(PLAIN[0])}, {text(PLAIN[1])})")


def plainest(column: str) -> str:
    """Tell 2024-01-31 10:11:12 by its marks: the form that most logs have."""
    return f"{column} LIKE '____-__-__ __:__:__'"


def plain_iso(column: str) -> str:
    """Return SQL of a quick test for ISO texts without an offset, which need no time zone machinery."""
    length = f"(strlen({column}) = 19 OR (strlen({column}) IN (23, 26) AND {column}[20] = '.'))"
    return (
        f"{column}[5] IN ('-', '/') AND (strlen({column}) = 10 OR ({length}"
        f" AND {column}[17] = ':' AND {column}[-1] BETWEEN '0' AND '9'"
        f" AND {column}[-3] NOT IN ('+', '-') AND {column}[-5] NOT IN ('+', '-') AND {column}[-6] NOT IN ('+', '-')))"
    )


def plain_utc(column: str) -> str:
    """Return SQL of a quick test for ISO texts that end with Z."""
    return f"{column}[5] = '-' AND {column}[17] = ':' AND {column}[-1] = 'Z' AND strlen({column}) IN (20, 24, 27)"


def with_offset(column: str) -> str:
    """Return SQL for the UTC time of ISO texts with an offset, which many shops write; NULL for others."""
    time = f"timezone('UTC', try_cast({offset(column)} AS TIMESTAMPTZ))"
    return f"CASE WHEN regexp_full_match({column}, {text(ISO_OFFSET)}) THEN {time} END"


def digits(column: str) -> str:
    """Return SQL for whether a text is a number with or without a fraction, of serial days behind a comma too.

    In scientific form only where no digit of the time is lost.
    """
    return f"regexp_full_match({column}, '\\d{{5,19}}(\\.\\d+)?|\\d{{5}},\\d+|\\d\\.\\d{{9,}}[eE]\\+?\\d\\d')"


def number(digits: str) -> str:
    """Return SQL for the number in a text that :func:`digits` accepts."""
    return f"try_cast(replace({digits}, ',', '.') AS DOUBLE)"


def compact(column: str) -> str:
    """Read 19970131, 1997031 (the 31st day), 199701312359 or 19970131235959.

    Milliseconds of the nineties have twelve digits too, but no 19.
    """
    day = f"try_strptime({column}, '%Y%j')"
    time = f"try_strptime({column}, ['%Y%m%d', '%Y%m%d%H%M%S', '%Y%m%d%H%M'])"
    read = f"CASE strlen({column}) WHEN 7 THEN {day} ELSE {time} END"
    return f"CASE WHEN starts_with({column}, '19') OR starts_with({column}, '20') THEN {read} END"


def is_split(column: str) -> str:
    """Tell dates in parts such as 31/01/2024 or 24-01-31, with or without a clock."""
    return f"regexp_full_match({column}, {text(SPLIT)})"


def offset(column: str) -> str:
    """Write an offset without colon (+0800) as the engine reads it (+08:00)."""
    return f"regexp_replace({column}, '\\s?([+-]\\d\\d)(\\d\\d)$', '\\1:\\2')"


def tidy(column: str) -> str:
    """Return SQL that writes the marks of other systems as the engine reads them.

    Weekdays are dropped; months with names become 31-Jan-2024, Chinese, Japanese and Korean dates 2024-1-31 with AM or
    PM behind; dots, commas and blanks between the parts, GMT+0800 (CST), 20240131T101112 and 10:11:12,345 become those
    of ISO.
    """
    column = _replaced(column, WEEKDAYS)
    return f"list_transform([{column}], d -> {_replaced(_in_english('d'), TIDY)})[1]"


def _replaced(column: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, instead in rules:
        column = f"regexp_replace({column}, {text(pattern)}, {text(instead)})"
    return column


def _in_english(column: str) -> str:
    """Return SQL for a date whose month is called by its English abbreviation, where it had another name."""
    cases = " ".join(
        f"WHEN m IN ({', '.join(map(text, sorted(names)))}) THEN '{month}'" for month, names in _month_names().items()
    )
    parts = f"regexp_extract({column}, {text(MONTH)}, ['before', 'month', 'after'])"
    month = f"list_transform([lower(p.month)], m -> CASE {cases} END)[1]"
    translated = f"list_transform([{parts}], p -> p.before || {month} || p.after)[1]"
    english = f"regexp_matches({column}, {text(ENGLISH)})"
    return f"CASE WHEN {english} THEN {column} ELSE coalesce({translated}, {column}) END"


@cache
def _month_names() -> dict[str, set[str]]:
    """Return English abbreviation -> names in all languages, in lower case, without the dot behind an abbreviation.

    Babel has most; it is used only where a log writes months by name, since to load its languages takes a tenth of
    a second.
    """
    vocabulary = load_vocabulary()
    names = {month: set(vocabulary.entries("months", month)) for month in MONTHS}
    for language in vocabulary.languages:
        try:
            months = Locale(language).months
        except UnknownLocaleError:
            continue
        for context, width in product(("format", "stand-alone"), ("wide", "abbreviated")):
            for number, name in months[context][width].items():
                names[MONTHS[number - 1]].add(name.rstrip(".").lower())
    return names


def is_english(column: str) -> str:
    """Tell 31 March 2024 10:11 and Mar 31, 2024 10:11 AM, which need no tidying."""
    return f"regexp_full_match({column}, {text(ENGLISH_TIME)})"


def english_time(column: str) -> str:
    """Return SQL for the time in a text that :func:`is_english` accepts."""
    formats = [item.format(year="%Y") for item in WRITTEN if item.startswith("%d")]
    return f"list_transform([{_replaced(column, ENGLISH_DATES)}], lambda e: {_first_fitting('e', formats)})[1]"


def written_time(column: str) -> str:
    """Return SQL for dates with a month's name, and for clocks of twelve hours."""
    full, short = (_first_fitting(column, [item.format(year=year) for item in WRITTEN]) for year in ("%Y", "%y"))
    return f"CASE WHEN regexp_matches({column}, '\\d{{4}}') THEN {full} ELSE {short} END"


def _first_fitting(column: str, formats: Sequence[str]) -> str:
    """Return SQL for the time of a text by the first of some formats that fits it, NULL where none does.

    A format that fails costs six times one that fits. So only those are tried that have as many colons as the text, and
    AM or PM at their end where it ends so.
    """

    def tried(some: Sequence[str]) -> str:
        # DuckDB 1.5.6 looks one byte behind a text that ends before the format does, and may crash: a blank is there.
        return f"try_strptime({column} || ' ', [{', '.join(map(text, some))}])"

    def read(colons: int) -> str:
        some = [item for item in formats if item.count(":") == colons]
        halves, rest = ([item for item in some if item.endswith("%p") is half] for half in (True, False))
        if not halves:
            return tried(rest)
        return f"CASE WHEN regexp_matches({column}, '[mM]\\s*$') THEN {tried(halves)} ELSE {tried(rest)} END"

    return (
        f"CASE WHEN NOT contains({column}, ':') THEN {read(0)} WHEN regexp_matches({column}, ':.*:') THEN {read(2)}"
        f" ELSE {read(1)} END"
    )


def unshifted(column: str) -> str:
    """Return SQL for a text without the offset at its end."""
    return f"regexp_replace({column}, {text(SHIFT)}, '')"


def in_zone(time: str, zone: str) -> str:
    """Return SQL for the UTC time of a clock's time in a zone, which is a name or an offset such as +08:00."""
    gap = f"if(strlen({zone}) > 1 AND {zone}[1] BETWEEN 'A' AND 'Z', ' ', '')"
    return f"timezone('UTC', try_cast(strftime({time}, '%Y-%m-%d %H:%M:%S.%f') || {gap} || {zone} AS TIMESTAMPTZ))"


def split_time(column: str, order: str) -> str:
    """Return SQL for dates such as 31/01/2024, 1.2.24 or 24-01-31, with or without a clock."""
    slashed = f"translate({column}, '.-', '//')"

    def read(year: str) -> str:
        day = ORDERS[order or "dmy"].format(year=year)
        return _first_fitting(slashed, [day + clock for clock in CLOCKS])

    if order == "ymd":
        return f"CASE WHEN regexp_matches({column}, '^\\d\\d[/.-]\\d+[/.-]\\d\\d?( |$)') THEN {read('%y')} END"
    return (
        f"CASE WHEN regexp_matches({column}, '[/.-]\\d{{4}}( |$)') THEN {read('%Y')}"
        f" WHEN regexp_matches({column}, '[/.-]\\d\\d( |$)') THEN {read('%y')} END"
    )
