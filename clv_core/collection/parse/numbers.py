"""Texts become numbers: currency signs, thousands marks, decimal commas, accounting negatives, digits of other scripts,
and words for thousands and more behind them (1.82k, 2,5 Tsd., 7.2万).

Forms: ``integer``, ``cents`` (12.5, 12.50), ``point`` (12.3456, 1,234.56), ``comma`` (12,5, 1.234,56), ``point3``
(1.234) and ``comma3`` (1,234), which may be a decimal or a thousand, ``missing``, ``unreadable``; ``otherwise`` where
only plain figures were requested and a value is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from clv_core.collection.engine import text
from clv_core.collection.parse.currencies import MARK
from clv_core.collection.vocabulary.language_files import load_vocabulary
from clv_core.errors import Message

BELOW: Final = r"^[^0-9]*[(\-−－]|-\s*$"
"""A number written below zero, as a pattern of its text."""

MIN_GROUPED: Final = 8
"""Numbers with three digits behind a point before the point is sure to mark thousands (a guess)."""
MIN_INTEGERS: Final = 3
"""Integers in the same column before it is sure (a guess)."""

THREE_PLACES: Final = 4
"""Times as many numbers of three decimals as of fewer, from which on all have three, some with noughts at the end."""
LARGEST: Final = 1e12
"""Larger amounts cannot be summed to the cent in float64, and are slips of the keyboard."""

DIGITS: Final = ("０１２３４５６７８９" + "٠١٢٣٤٥٦٧٨٩" + "۰۱۲۳۴۵۶۷۸۹" + "๐๑๒๓๔๕๖๗๘๙", "0123456789" * 4)
"""Fullwidth, Arabic, Persian and Thai digits -> those of ASCII."""
MARKS: Final = ("．，－−﹣–٫٬", ".,----.,")
PIECES: Final = r"(?i)([0-9])\s*(件|个|個|pcs?\.?|Stk\.?|[x×])\s*$"
FOOTNOTES: Final = r"([0-9)])\s*[*†‡⁰¹²³⁴-⁹]+\s*$"
"""Marks behind a number that point to a note below the table."""
SIDE: Final = r"(?i)([0-9)])\s*(?:CR|DR)\.?\s*$"
"""Credit or debit, the side of an account, behind an amount."""
BLANKS: Final = r"[\s\x{00A0}\x{2007}\x{2009}\x{202F}'’`\x{200E}\x{200F}\x{061C}\x{202A}-\x{202E}\x{2066}-\x{2069}]"
USUAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""Plain figures, as a sample shows them (:mod:`clv_core.collection.parse.numbers`)."""

GROUPED: Final = {
    "comma": r"[+-]?([1-9][0-9]{0,2}([.][0-9]{3}){1,4}|[0-9]{1,15}),[0-9]{1,2}",
    "point": r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3}){1,4}[.][0-9]{1,2}",
}
"""Form -> amounts that show it and have nothing around them, as most do that are no plain figures: 1.234,56,
12,50 and 1,234.56."""

_FACTORS: Final = {
    form: int(factor)
    for factor in load_vocabulary().keys("scales")
    for word in load_vocabulary().entries("scales", factor)
    for form in {word, word.capitalize(), word.upper()}
} | {"M": 1_000_000, "MM": 1_000_000}  # only in capitals: 12 m and 12 mm are lengths
SCALE_WORDS: Final = "|".join(map(re.escape, sorted(_FACTORS, key=lambda word: (-len(word), word))))
"""Words for thousands and more behind a number, the longest first, as a pattern."""
_SCALED: Final = rf"([0-9])({SCALE_WORDS})\.?([)-]?)$"
"""One of them behind a number without blanks, with what closes a negative one."""


@dataclass(frozen=True)
class NumberReading:
    """How a column of numbers is read.

    Args:
        decimal: ``point`` or ``comma``: how 1.234 and 1,234 are read.
        proven: whether values show the mark, such as 12.50.
        usual: whether every value is a plain figure, so that the query needs no other spellings.
    """

    decimal: str = "point"
    proven: bool = False
    usual: bool = False

    def value(self, column: str) -> str:
        """Return SQL for the number in ``column`` (a text expression, missing values NULL), or NULL; always finite."""
        fast = f"WHEN {self._fast(column)} THEN try_cast({column} AS DOUBLE)"
        if self.usual and self.decimal == "point":
            return f"CASE {fast} END"
        fast += (
            f" WHEN {_is(column, GROUPED['comma'])}"
            f" THEN try_cast(replace(replace({column}, '.', ''), ',', '.') AS DOUBLE)"
            f" WHEN {_is(column, GROUPED['point'])} THEN try_cast(replace({column}, ',', '') AS DOUBLE)"
        )
        return f"CASE WHEN {column} IS NULL THEN NULL {fast} ELSE {self._otherwise(column)} END"

    def _otherwise(self, column: str) -> str:
        """Return SQL for the number in a text that is no plain figure."""
        comma3 = "replace(n, ',', '')" if self.decimal == "point" else "replace(n, ',', '.')"
        point3 = "n" if self.decimal == "point" else "replace(n, '.', '')"
        number = (
            f"list_transform([{_figure('t')}], lambda n: try_cast(CASE {_form('n')} WHEN 'integer' THEN n"
            f" WHEN 'cents' THEN n WHEN 'point' THEN replace(n, ',', '')"
            f" WHEN 'comma' THEN replace(replace(n, '.', ''), ',', '.')"
            f" WHEN 'point3' THEN {point3} WHEN 'comma3' THEN {comma3} END AS DOUBLE))[1]"
        )
        scaled = f"CASE WHEN {_scaled('t')} THEN round({number} * {_factor('t')}, 2) ELSE {number} END"
        slow = f"list_transform([{_stripped(column)}], lambda t: {scaled})"
        return f"list_transform({slow}, lambda v: CASE WHEN isfinite(v) THEN v END)[1]"

    def _fast(self, column: str) -> str:
        return plain(column) if self.decimal == "point" else f"NOT contains({column}, '.') AND {plain(column)}"


def form(column: str, *, usual: bool = False) -> str:
    """Return SQL for the form of ``column`` (a text expression, missing values NULL).

    Args:
        column: the expression.
        usual: whether only plain figures are classified, which is quick; all others are ``otherwise``.
    """
    figure = f"CASE WHEN {plain(column)} THEN {_form(column, OTHERWISE)} ELSE {text(OTHERWISE)} END"
    bare = f"list_transform([{_bare(column)}], lambda n: {_form('n')})[1]"
    grouped = "".join(f" WHEN {_is(column, pattern)} THEN '{mark}'" for mark, pattern in GROUPED.items())
    return (
        f"CASE WHEN {column} IS NULL THEN 'missing'"
        f" WHEN try_cast({column} AS BIGINT) IS NOT NULL AND NOT contains({column}, '.') THEN 'integer'"
        f" WHEN {column}[-3] = '.' AND isfinite(try_cast({column} AS DOUBLE)) THEN 'cents'"
        f"{'' if usual else grouped} ELSE {figure if usual else bare} END"
    )


def plain(column: str) -> str:
    """Return SQL of a quick test for plain numbers."""
    return f"isfinite(try_cast({column} AS DOUBLE))"


def unless_ascii(column: str, written: str) -> str:
    """Return SQL for a text, and ``written`` where it holds letters beyond ASCII: to look for these takes longer."""
    return f"CASE WHEN strlen({column}) = length({column}) THEN {column} ELSE {written} END"


def currencies(column: str) -> str:
    """Return SQL for the currency sign or code in ``column``, or NULL."""
    return f"nullif(upper(trim(regexp_extract({apart(column)}, {text(MARK)}))), '')"


def has_side(column: str) -> str:
    """Return SQL for whether a mark of credit or debit follows the number in ``column``."""
    return f"regexp_matches({column}, {text(SIDE)})"


def apart(column: str) -> str:
    """Return SQL for ``column`` with a blank between letters and figures: 12.50 EUR for 12.50EUR."""
    behind = f"regexp_replace({column}, '([0-9])(\\p{{L}})', '\\1 \\2', 'g')"
    return f"regexp_replace({behind}, '(\\p{{L}})([0-9])', '\\1 \\2', 'g')"


def proven(forms: dict[str, int]) -> str | None:
    """Return the decimal mark that values of these forms show, ``point`` or ``comma``; None where none does or both."""
    point, comma = forms.get("point", 0) + forms.get("cents", 0), forms.get("comma", 0)
    return None if bool(point) == bool(comma) else "point" if point else "comma"


def without_cents(forms: Iterable[Mapping[str, int]]) -> bool:
    """Return whether amounts of these forms, by column, are integers: 49.000 or 49,000 and 0, never 49.5 or 49.50.

    Three decimals of a currency that has as many would be written in all of them: 0.000.
    """
    counts = list(forms)
    grouped = max(sum(item.get(form, 0) for item in counts) for form in ("point3", "comma3"))
    integers = sum(item.get("integer", 0) for item in counts)
    broken = sum(item.get(form, 0) for item in counts for form in ("cents", "point", "comma"))
    return grouped >= MIN_GROUPED and integers >= MIN_INTEGERS and not broken


def decide(
    forms: dict[str, int], column: str, decimal: str | None, elsewhere: str | None = None, *, cents: bool = True
) -> tuple[NumberReading, tuple[Message, ...]]:
    """Return how the column is read, given how many values there are of each form, and the warnings.

    Args:
        forms: values by form.
        column: the column's name in the file.
        decimal: the person's answer: ``point``, ``comma`` or None.
        elsewhere: the mark that another column of the file shows, for a column that shows none itself.
        cents: whether amounts in the file may have any: without, what three digits follow is no decimal mark.
    """
    fine, comma = forms.get("point", 0), forms.get("comma", 0)
    point = fine + forms.get("cents", 0)
    point3, comma3 = forms.get("point3", 0), forms.get("comma3", 0)
    if decimal:
        return NumberReading(decimal), ()
    reading = NumberReading("comma" if comma > point else "point", proven=bool(comma or point))
    params = {"column": column, "point": point, "comma": comma, "rows": point3 + comma3}
    if elsewhere and point3 + comma3 and not point and not comma:
        return NumberReading(elsewhere), (Message(f"warning.decimal_elsewhere_{elsewhere}", params),)
    if point and comma:
        return reading, (Message("warning.decimal_mixed", params),)
    if comma:
        return reading, (Message("warning.decimal_comma", params),)
    if point3 and not point and not cents:
        return NumberReading("comma"), (Message("warning.decimal_no_cents", {**params, "rows": point3}),)
    of_three = point and point3 > THREE_PLACES * point  # of numbers of three places one in ten ends in a nought
    if point3 and not fine and not of_three:
        return reading, (Message("warning.decimal_unsure_point", {**params, "rows": point3}),)
    if comma3 and not point and cents:
        return reading, (Message("warning.decimal_unsure_comma", {**params, "rows": comma3}),)
    return reading, ()


def _bare(column: str) -> str:
    """Return SQL for the number without the marks around it, its minus first."""
    return f"list_transform([{_stripped(column)}], lambda t: {_figure('t')})[1]"


def _stripped(column: str) -> str:
    """Return SQL for the number without currency, pieces, footnote marks, sides of accounts and blanks."""
    written = f"translate({column}, {text(DIGITS[0] + MARKS[0])}, {text(DIGITS[1] + MARKS[1])})"
    ascii_digits = unless_ascii(column, written)
    figures = f"regexp_replace({ascii_digits}, {text(FOOTNOTES)}, '\\1')"
    booked = f"regexp_replace({figures}, {text(SIDE)}, '\\1')"
    counted = f"regexp_replace({booked}, {text(PIECES)}, '\\1')"
    return f"regexp_replace(regexp_replace({apart(counted)}, {text(MARK)}, '', 'g'), {text(BLANKS)}, '', 'g')"


def _figure(stripped: str) -> str:
    """Return SQL for a stripped number without a word for thousands and a dash of no cents (20.-), its minus first."""
    word = f"regexp_replace({stripped}, {text(_SCALED)}, '\\1\\3')"
    bare = f"CASE WHEN {_ends_in_digit(stripped)} THEN {stripped} ELSE {word} END"
    no_cents = f"regexp_replace({bare}, '[.,](-{{1,2}}|—)(\\)?)$', '\\2')"
    return f"regexp_replace({no_cents}, '^\\((.*)\\)$|^(.+)-$', '-\\1\\2')"


def _is(column: str, pattern: str) -> str:
    return f"regexp_full_match({column}, {text(pattern)})"


def _scaled(stripped: str) -> str:
    return f"(NOT {_ends_in_digit(stripped)} AND regexp_matches({stripped}, {text(_SCALED)}))"


def _ends_in_digit(stripped: str) -> str:
    """Return SQL of a quick test for numbers that no word follows."""
    return f"{stripped}[-1] BETWEEN '0' AND '9'"


def _factor(stripped: str) -> str:
    pairs = ", ".join(f"{text(word)}: {factor}" for word, factor in _FACTORS.items())
    return f"MAP {{{pairs}}}[regexp_extract({stripped}, {text(_SCALED)}, 2)]"


def _form(number: str, other: str = "unreadable") -> str:
    def full(pattern: str) -> str:
        return f"regexp_full_match({number}, {text(pattern)})"

    return (
        f"CASE WHEN {full(r'[+-]?[0-9]+')} THEN 'integer'"
        f" WHEN {full(r'[+-]?[1-9][0-9]{0,2}[.][0-9]{3}')} THEN 'point3'"
        f" WHEN {full(r'[+-]?[1-9][0-9]{0,2},[0-9]{3}')} THEN 'comma3'"
        f" WHEN {full(r'[+-]?[0-9]*[.][0-9]{1,2}')} THEN 'cents'"
        f" WHEN {full(r'[+-]?[0-9]*[.][0-9]+([eE][+-]?[0-9]+)?|[+-]?[0-9]+([.]|[eE][+-]?[0-9]+)')} THEN 'point'"
        f" WHEN {full(r'[+-]?[1-9][0-9]{0,2}((,[0-9]{2,3})+,[0-9]{3}|,[0-9]{3})([.][0-9]*)?')} THEN 'point'"
        f" WHEN {full(r'[+-]?[0-9]*,[0-9]+')} THEN 'comma'"
        f" WHEN {full(r'[+-]?[1-9][0-9]{0,2}([.][0-9]{3})+,[0-9]*')} THEN 'comma'"
        f" WHEN {full(r'[+-]?[1-9][0-9]{0,2}([.][0-9]{3}){2,}')} THEN 'comma'"
        f" ELSE {text(other)} END"
    )


OTHERWISE: Final = "otherwise"
"""The form of a value that has no usual spelling."""


def are_usual(values: Iterable[object], spelling: re.Pattern[str]) -> bool:
    """Say whether sample values (None where missing) seem to have a usual spelling; the table may yet have others."""
    return all(value is None or spelling.fullmatch(str(value).strip()) for value in values)
