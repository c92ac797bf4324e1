"""Every sentence in English and Simplified Chinese, from ``assets/locale/<language>/*.po``.

A catalogue entry's msgid is a stable key (``error.no_amount``), its msgstr the sentence in that language with
``str.format`` placeholders (``{rows:,}``) and, behind a count, a choice of singular and plural
(``{rows:,} {rows:row was|rows were} read``). A sentence may count several things, which gettext's own plural forms
cannot: they take one number a message. All ``.po`` files of a language's folder form one catalogue; a key may
stand in one file only. Catalogues are read by babel as text: no compiled ``.mo`` is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from math import isfinite
from numbers import Real
from string import Formatter
from typing import Any, Final

from clv_core.program_files import ASSETS

LANGUAGES: Final = {"en": "English", "zh": "简体中文"}
DEFAULT_LANGUAGE: Final = "en"
BABEL_LOCALES: Final = {"en": "en_GB", "zh": "zh_CN"}
FIGURE_IN_HAN: Final = re.compile(r"[+−-]?\d[\d.,年月]*(?:[\u4e00-\u9fff]| (?:天|次|件|个月|小时|分钟|秒))")
ISO_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
SHARE: Final = re.compile(r"\.(\d)%")
HAN_BEHIND: Final = re.compile(r" [\u4e00-\u9fff]")
HAN_BETWEEN: Final = re.compile(r" [\u4e00-\u9fff]{1,2} ")
MINUS: Final = "−"
"""Sign of negative numbers in everything that a person reads; files for programs have a hyphen."""
MIN_SHOWN: Final = 1e-4
"""An amount below this is shown as 0: it is no sum of money, and more zeros behind the point help no reader."""
EXACT_BELOW: Final = 100_000
"""Counts of customers, purchases and pieces below this are shown exactly, as tables have them."""
LOCALE_FOLDER: Final = ASSETS / "locale"


class Spoken(Formatter):
    """``str.format`` for sentences: choices by number, a real minus sign, and shares formatted by :func:`say_share`."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return one value of a sentence formatted, or the word that agrees with it (``row|rows``)."""
        if "|" in format_spec:
            singular, plural = format_spec.split("|")
            number = f"{value:,.0f}" if isinstance(value, float) else str(value)
            return singular if number == "1" else plural
        if isinstance(value, Real) and (share := SHARE.fullmatch(format_spec)):
            return say_share(float(value), int(share[1]))
        formatted = str(super().format_field(value, format_spec))
        return _minus(formatted) if isinstance(value, Real) else formatted


SPOKEN: Final = Spoken()


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> dict[str, str]:
    """Return all sentences of ``language`` by key.

    Raises:
        ValueError: a key occurs twice; the catalogue tests catch this before a person does.
    """
    from babel.messages.pofile import read_po

    sentences: dict[str, str] = {}
    for path in sorted((LOCALE_FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if not message.id:
                    continue
                if message.id in sentences:
                    raise ValueError(f"{path.name}: key {message.id!r} occurs twice")
                sentences[str(message.id)] = str(message.string)
    return sentences


def translate(key: str, language: str = DEFAULT_LANGUAGE, **params: Any) -> str:
    """Return the sentence ``key`` in ``language`` with ``params`` filled in.

    A list among them is joined by :func:`say_list`. A sentence has ``{in_currency}`` behind an amount: a space and the
    ``currency`` among the parameters, or nothing where it has no name.

    Raises:
        KeyError: the key is in no catalogue; a test holds every key used in the code against the catalogues.
    """
    currency = params.get("currency")
    texts = {
        name: say_list(map(str, value), language) if isinstance(value, list) else value
        for name, value in params.items()
    }
    values = {"in_currency": f" {currency}" if currency else "", **texts}
    template = catalogue(language)[key]
    return _set_tight(template, values) if language == "zh" else SPOKEN.vformat(template, (), values)


def _set_tight(template: str, params: dict[str, Any]) -> str:
    """Return a Chinese sentence with its parameters, without spaces behind figures that end in Chinese.

    Sentences leave a space around figures (``182 天``); behind ``1.86万``, ``120 天`` or ``2026年10月28日`` there is
    none, and between two of these (``2023年1月1日至2024年12月30日``) there are none. Names that come from data keep
    theirs: it sets them apart.
    """
    text, figure = [], ""
    for literal, name, form, conversion in Formatter().parse(template):
        value = ""
        if name is not None:
            field = f"{name}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}"
            value = SPOKEN.vformat(f"{{{field}}}", (), params)
        if FIGURE_IN_HAN.fullmatch(figure) and HAN_BEHIND.match(literal):
            both = HAN_BETWEEN.fullmatch(literal) and FIGURE_IN_HAN.fullmatch(value)
            literal = literal.strip() if both else literal[1:]
        text += [literal, value]
        figure = value
    return "".join(text)


def _minus(number: str) -> str:
    """Return a number as it was set, with a real minus sign."""
    return number.replace("-", MINUS, 1)


def has(key: str, language: str = DEFAULT_LANGUAGE) -> bool:
    """Say whether ``key`` has a sentence (for names that come from data, such as event types)."""
    return key in catalogue(language)


def closest_language(locale: str | None) -> str:
    """Return the language to greet a browser locale (such as ``zh-CN``) with."""
    return "zh" if (locale or "").lower().startswith("zh") else DEFAULT_LANGUAGE


def room(letter: str) -> int:
    """Return how many Latin letters take the room of a letter: two that of 名."""
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def say_number(value: float, language: str = DEFAULT_LANGUAGE, digits: int = 3) -> str:
    """Return ``value`` rounded as a person would say it: ``477,000``, ``2.5 million``, ``47.7万``.

    Args:
        value: any finite number; below zero with a real minus sign.
        language: decides the large units (million / 万, 亿).
        digits: significant digits to keep.
    """
    rounded = float(f"{value:.{digits}g}")
    magnitude, sign = abs(rounded), MINUS if rounded < 0 else ""
    if magnitude < MIN_SHOWN:
        return "0"
    units = [(1e8, "亿"), (1e4, "万")] if language == "zh" else [(1e9, " billion"), (1e6, " million")]
    for size, name in units:
        if magnitude >= size:
            return f"{sign}{float(f'{magnitude / size:.{digits}g}'):,.10g}{name}"
    return f"{sign}{magnitude:,.0f}" if magnitude >= 10 ** (digits - 1) else f"{sign}{magnitude:,.10g}"


def say_count(count: int, language: str = DEFAULT_LANGUAGE) -> str:
    """Return how many there are: exactly below 100,000, so that it agrees with a table next to it, else rounded."""
    return f"{count:,.0f}" if abs(count) < EXACT_BELOW else say_number(float(count), language)


def say_orders(orders: int | None, lines: int, language: str = DEFAULT_LANGUAGE) -> str:
    """Return how many orders there are, with their lines where these are more; lines alone where nobody counted orders.

    Args:
        orders: of :func:`clv_core.collection.rows.log_summary.order_key`, None where they were not counted.
        lines: purchase rows.
        language: code.
    """
    key = "count.lines" if orders is None else "count.orders" if orders == lines else "count.orders_lines"
    counts = {} if orders is None else {"orders": say_count(orders, language)}
    return translate(key, language, lines=say_count(lines, language), **counts)


def say_money(value: float, currency: str, language: str = DEFAULT_LANGUAGE, digits: int = 3) -> str:
    """Return an amount as a person would say it, with the log's currency where it has a name.

    Below 1 it has two digits at most, as in tables: 0.72 and not 0.718. From 100 to 100,000 it is exact to the unit, so
    that parts add up to their sum.
    """
    if digits == 3 and 100 <= abs(value) < EXACT_BELOW:
        return f"{_minus(f'{value:,.0f}')} {currency}".strip()
    return f"{say_number(float(value), language, digits if abs(value) >= 1 else min(digits, 2))} {currency}".strip()


def say_share(share: float, digits: int = 0) -> str:
    """Return a share as a percentage; only exactly 0 and 1 are shown as 0 % and 100 %.

    Args:
        share: 0 to 1; a change may lie outside.
        digits: decimals, up to three where fewer would round to 0 % or 100 %.
    """
    if not isfinite(share):
        return "–"
    percentage = f"{share:.{digits}%}"
    rounded = float(percentage[:-1]) / 100
    if rounded in (0.0, 1.0) and abs(share - rounded) > 5e-6 and digits < 3:
        return say_share(share, digits + 1)
    return _minus(percentage)


def say_list(names: Iterable[str], language: str = DEFAULT_LANGUAGE) -> str:
    """Return names in a row, with the mark that the language puts between them."""
    return ("、" if language == "zh" else ", ").join(names)


def say_clauses(clauses: Iterable[str], language: str = DEFAULT_LANGUAGE) -> str:
    """Return clauses in a row, each of which may hold a list, with the mark that the language puts between them."""
    return ("；" if language == "zh" else "; ").join(clauses)


def say_together(sentences: Iterable[str], language: str = DEFAULT_LANGUAGE) -> str:
    """Return sentences in a row: Chinese puts no space between them."""
    return ("" if language == "zh" else " ").join(sentences)


def say_change(change: float, digits: int = 0) -> str:
    """Return a signed share as a percentage with a real minus sign: ``+12%``, ``−11%``; – where there is none.

    Args:
        change: 0.12 is +12%.
        digits: decimals.
    """
    return _minus(f"{change:+.{digits}%}") if isfinite(change) else "–"


def say_miss(predicted: float, actual: float) -> str:
    """Return by how much a prediction missed, as a signed share of what came; – where nothing came."""
    return say_change((predicted - actual) / actual) if actual > 0 else "–"


def without_options(sentences: str) -> str:
    """Return a message without the sentences that are about command line options, for pages and reports."""
    parts = re.split(r"(?<=[.。])(?=\s*[A-Z\u4e00-\u9fff])", sentences)
    remaining = [part for part in parts if not re.search(r"(^|\W)--[a-z]", part)] or parts
    return "".join(remaining).strip()


def say_elapsed(seconds: float, language: str = DEFAULT_LANGUAGE) -> str:
    """Return a duration in readable units."""
    if seconds < 90:
        return translate("unit.seconds", language, n=max(1, round(seconds)))
    if seconds < 5400:
        return translate("unit.minutes", language, n=round(seconds / 60))
    return translate("unit.hours", language, n=round(seconds / 3600, 1))


def say_day(value: date | str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return a day, or the day of an ISO time, in the language's own order."""
    from babel.dates import format_date

    when = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return format_date(when, "long" if language == "zh" else "d MMM y", locale=BABEL_LOCALES[language])


def say_last_day(end: date | str, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the last day of a span that ends at the midnight with which the day ``end`` begins."""
    midnight = date.fromisoformat(end[:10]) if isinstance(end, str) else end
    return say_day(midnight - timedelta(days=1), language)


def say_iso_day(value: Any, language: str = DEFAULT_LANGUAGE) -> Any:
    """Return a sentence's parameter: an ISO day in the language's own order, all else unchanged."""
    return say_day(value, language) if isinstance(value, str) and ISO_DAY.fullmatch(value) else value


def say_span(first: date, last: date, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the first and the last day of a span, as short as the language writes them."""
    from babel.dates import format_interval

    span = str(format_interval(first, last, "yMd" if language == "zh" else "yMMMd", locale=BABEL_LOCALES[language]))
    return span.replace("\u2009", " ")
