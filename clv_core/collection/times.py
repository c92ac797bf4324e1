"""Texts become times: each value's form is told apart first, so that nothing is guessed by a whole column's average.

Forms: ``naive`` and ``zoned`` (ISO, without or with an offset, which follows: ``zoned +08:00``), ``compact`` (19970131,
19970131235959), ``day_first``, ``month_first``, ``either`` and ``same`` (31/01/2024, 01/31/2024, 01/02/2024,
01/01/2024), ``year_first``, ``day_or_year``, ``month_or_year`` and ``any`` (20-03-30, 20-03-12, what fits all three),
``epoch`` in seconds to nanoseconds, ``excel`` (serial days), ``written`` (month names, Chinese), ``missing``,
``unreadable``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from clv_core.collection.engine import text
from clv_core.collection.numbers import DIGITS
from clv_core.errors import Message, NeedsAnswer

EARLIEST: Final = date(1980, 1, 1)
"""Older times are default values of databases and spreadsheets (0000, 1899-12-30, 1900, 1970-01-01), not events."""

CLOCKS: Final = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S/%f", " %I:%M:%S %p", " %I:%M %p")
WRITTEN: Final = (
    *(f"%d-%b-{{year}}{clock.replace('/', '.')}" for clock in CLOCKS),
    *(f"{{year}}-%m-%d{clock}" for clock in CLOCKS if "%p" in clock),
)
PLAIN: Final = (DIGITS[0] + "－／：．\u3000", DIGITS[1] + "-/:. ")
"""Digits of other scripts and marks of full width, and what is read instead."""

SPLIT: Final = r"\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{1,2})( .*)?"
ZONED: Final = "zoned"
ORDERS: Final = {"dmy": "%d/%m/{year}", "mdy": "%m/%d/{year}", "ymd": "{year}/%m/%d"}
FITS: Final = {
    "day_first": ("dmy",),
    "month_first": ("mdy",),
    "year_first": ("ymd",),
    "either": ("dmy", "mdy"),
    "same": ("dmy", "mdy"),
    "day_or_year": ("dmy", "ymd"),
    "month_or_year": ("mdy", "ymd"),
    "any": ("dmy", "mdy", "ymd"),
}
"""Form of a date such as 03/04/24 -> the orders that it can be read in."""


TIDY: Final = (
    (r"^(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*[,.]? +", ""),
    (r" ?\([A-Za-z ]+\)$", ""),
    (r"(\d):(\d\d),(\d{1,9})", r"\1:\2.\3"),
    (r"^([A-Za-z]{3})[a-z]*\.? +(\d{1,2}),? +(\d{2,4})\b,? *", r"\2-\1-\3 "),
    (r"^(\d{1,2})[ /-]([A-Za-z]{3})[a-z]*\.?[ /-](\d{2,4})\b[,:]? *", r"\1-\2-\3 "),
    (r"^(\d{4})(\d\d)(\d\d)[T ](\d\d):?(\d\d):?(\d\d)", r"\1-\2-\3 \4:\5:\6"),
    (r"^(\d{4})[./年] ?(\d{1,2})[./月] ?(\d{1,2})日? *", r"\1-\2-\3 "),
    (r"^(\d{1,2}[./-]\d{1,2}[./-]\d{2,4}), ?(\d)", r"\1 \2"),
    (r"(\d[时時点點])整?$", r"\100分"),
    (r"(?:上午|凌晨|早上) *(\d.*)", r"\1 AM"),
    (r"下午 *(\d.*)|晚上 *((?:0?[1-9]|1[01])[:时時点點].*)", r"\1\2 PM"),
    (r"(\d{1,2})[时時点點](\d{1,2})分?(?:(\d{1,2})秒)?", r"\1:\2:0\3"),
    (r":0(\d\d)\b", r":\1"),
    (r"(:\d\d.*?) ?(?:GMT|UTC)?([+-]\d\d)$", r"\1\2:00"),
    (r"(:\d\d.*?) ?(?:GMT|UTC)?([+-]\d\d):?(\d\d)$", r"\1\2:\3"),
    (r"(:\d\d.*?) ?(?:GMT|UTC)$", r"\1Z"),
    (r"([T ]\d{1,2}:\d\d) ?(Z|[+-]\d\d:\d\d)$", r"\1:00\2"),
    (r" +$", ""),
)
"""Pattern, and what is written instead."""

SHIFT: Final = r" ?([+-]\d\d:\d\d|Z|UTC|GMT)$"


@dataclass(frozen=True)
class TimeReading:
    """How a column of times is read.

    Args:
        order: ``dmy``, ``mdy`` or ``ymd`` for dates such as 03/04/24; empty where none occur.
        timezone: where times without an offset belong.
        utc: whether that zone is UTC, so that no conversion is needed.
    """

    order: str = ""
    timezone: str = "UTC"

    def value(self, column: str) -> str:
        """Return SQL for the UTC time of ``column`` (a text expression, missing values NULL), or NULL."""
        naive = self._from_zone
        digits = _number(column)
        return (
            f"CASE WHEN {plainest(column)} THEN {naive(f'try_cast({column} AS TIMESTAMP)')}"
            f" WHEN {_plain_iso(column)} THEN {naive(f'try_cast({column} AS TIMESTAMP)')}"
            f" WHEN {_plain_utc(column)} THEN try_cast({column} AS TIMESTAMP)"
            f" WHEN {_digits(column)} THEN CASE"
            f" WHEN strlen({column}) IN (8, 12, 14) AND {_compact(column)} IS NOT NULL THEN {naive(_compact(column))}"
            f" WHEN {digits} BETWEEN 2e8 AND 2e10 THEN make_timestamp(round({digits} * 1e6)::BIGINT)"
            f" WHEN {digits} BETWEEN 2e11 AND 2e13 THEN make_timestamp(round({digits} * 1e3)::BIGINT)"
            f" WHEN {digits} BETWEEN 2e14 AND 2e16 THEN make_timestamp({digits}::BIGINT)"
            f" WHEN {digits} BETWEEN 2e17 AND 2e19 THEN make_timestamp(round({digits} / 1e3)::BIGINT)"
            f" WHEN {digits} BETWEEN 20000 AND 90000"
            f" THEN {naive(f'make_timestamp(round(({digits} - 25569) * 86400)::BIGINT * 1000000)')} END"
            f" WHEN {_is_split(column)} THEN {naive(_split_time(column, self.order))}"
            f" ELSE coalesce(timezone('UTC', try_cast({_offset(column)} AS TIMESTAMPTZ)),"
            f" list_transform([{tidy(column)}], lambda t: {self._tidied('t')})[1]) END"
        )

    def _tidied(self, column: str) -> str:
        """Return SQL for the UTC time of a text that :func:`tidy` has been over."""
        shift = f"regexp_extract({column}, {text(SHIFT)}, 1)"
        return (
            f"CASE WHEN {_is_split(column)} THEN {self._from_zone(_split_time(column, self.order))}"
            f" ELSE coalesce(timezone('UTC', try_cast({column} AS TIMESTAMPTZ)),"
            f" CASE WHEN {shift} = '' THEN {self._from_zone(_written_time(column))}"
            f" ELSE {_written_time(_unshifted(column))} - {_shift(shift)} END) END"
        )

    def _from_zone(self, time: str) -> str:
        return time if self.timezone == "UTC" else f"timezone('UTC', timezone({text(self.timezone)}, {time}))"


def plain(column: str) -> str:
    """Return SQL for ``column`` in ASCII digits and marks, as :func:`form` and :class:`TimeReading` expect it."""
    return f"translate({column}, {text(PLAIN[0])}, {text(PLAIN[1])})"


def form(column: str) -> str:
    """Return SQL for the form of ``column`` (a text expression, missing values NULL)."""
    digits = _number(column)
    return (
        f"CASE WHEN {column} IS NULL THEN 'missing'"
        f" WHEN {plainest(column)} AND try_cast({column} AS TIMESTAMP) IS NOT NULL THEN 'naive'"
        f" WHEN {_plain_iso(column)} OR {_plain_utc(column)} THEN CASE"
        f" WHEN try_cast({column} AS TIMESTAMP) IS NULL THEN 'unreadable'"
        f" WHEN {column}[-1] = 'Z' THEN 'zoned' ELSE 'naive' END"
        f" WHEN {_digits(column)} THEN CASE"
        f" WHEN strlen({column}) IN (8, 12, 14) AND {_compact(column)} IS NOT NULL THEN 'compact'"
        f" WHEN {digits} BETWEEN 2e8 AND 2e10 THEN 'epoch_s' WHEN {digits} BETWEEN 2e11 AND 2e13 THEN 'epoch_ms'"
        f" WHEN {digits} BETWEEN 2e14 AND 2e16 THEN 'epoch_us' WHEN {digits} BETWEEN 2e17 AND 2e19 THEN 'epoch_ns'"
        f" WHEN {digits} BETWEEN 20000 AND 90000 THEN 'excel' ELSE 'unreadable' END"
        f" WHEN {_is_split(column)} THEN {_split_form(column)}"
        f" WHEN try_cast({_offset(column)} AS TIMESTAMPTZ) IS NOT NULL THEN {_zone_form(column)}"
        f" ELSE list_transform([{tidy(column)}], lambda t: {_tidied_form('t')})[1] END"
    )


def _split_form(column: str) -> str:
    """Return SQL for the orders that fit; where the year may come first, those that give no possible time do not.

    It is not looked for before a dot: 05.04.24 is written where the day comes first.
    """
    times = ", ".join(f"'{order}': {_split_time(column, order)}" for order in ORDERS)
    year = f"(coalesce({in_range('s.ymd')}, false) AND NOT regexp_matches({column}, '^\\d+\\.'))"

    def fits(order: str) -> str:
        return f"s.{order} IS NOT NULL AND (NOT {year} OR {in_range(f's.{order}')})"

    day, month = fits("dmy"), fits("mdy")
    judged = (
        f"CASE WHEN {day} AND {month} THEN CASE WHEN {year} THEN 'any' WHEN s.dmy = s.mdy THEN 'same' ELSE 'either' END"
        f" WHEN {day} THEN CASE WHEN {year} THEN 'day_or_year' ELSE 'day_first' END"
        f" WHEN {month} THEN CASE WHEN {year} THEN 'month_or_year' ELSE 'month_first' END"
        f" WHEN {year} THEN 'year_first' ELSE 'unreadable' END"
    )
    return f"list_transform([{{{times}}}], lambda s: {judged})[1]"


def _zone_form(column: str) -> str:
    marked = f"regexp_matches({column}, '(Z|[A-Za-z]{{3,}}|[+-]\\d\\d(:?\\d\\d)?)$') AND strlen({column}) > 11"
    return f"CASE WHEN {marked} THEN {_zoned(column)} ELSE 'naive' END"


def _zoned(column: str) -> str:
    """Return SQL for the form of a time with an offset, which is part of it unless it is none."""
    found = f"regexp_extract({column}, '([+-]\\d\\d):?(\\d\\d)?$', ['hours', 'minutes'])"
    offset = f"list_transform([{found}], lambda o: o.hours || ':' || coalesce(nullif(o.minutes, ''), '00'))[1]"
    return f"concat('zoned', regexp_extract(' ' || {offset}, '^ .*[1-9].*'))"


def _tidied_form(column: str) -> str:
    shifted = f"regexp_extract({column}, {text(SHIFT)}, 1) <> ''"
    return (
        f"CASE WHEN {_is_split(column)} THEN {_split_form(column)}"
        f" WHEN try_cast({column} AS TIMESTAMPTZ) IS NOT NULL THEN {_zone_form(column)}"
        f" WHEN {_written_time(_unshifted(column))} IS NOT NULL"
        f" THEN CASE WHEN {shifted} THEN {_zoned(column)} ELSE 'written' END ELSE 'unreadable' END"
    )


def decide(
    forms: dict[str, int], column: str, date_order: str | None, timezone: str
) -> tuple[TimeReading, tuple[Message, ...]]:
    """Return how the column is read, given how many values there are of each form, and what is to be said.

    Args:
        forms: values by form.
        column: the column's name in the file.
        date_order: the person's answer: ``dmy``, ``mdy``, ``ymd`` or None.
        timezone: where times without an offset belong.

    Raises:
        NeedsAnswer: dates fit several orders alike, or no one order fits them all.
    """
    count = forms.get
    order, found = _order(forms, column, date_order)
    notes = list(found)
    epochs = [unit for unit in ("epoch_s", "epoch_ms", "epoch_us", "epoch_ns") if count(unit)]
    if len(epochs) > 1 or (epochs and sum(map(count, epochs)) < _readable(forms)):  # type: ignore[arg-type]
        notes.append(Message("warning.epoch_mixed", {"column": column, "forms": _list(forms)}))
    if count("excel"):
        notes.append(Message("warning.excel_dates", {"column": column, "rows": count("excel")}))
    offsets = Counter({kind[len(ZONED) :]: rows for kind, rows in forms.items() if kind.startswith(ZONED)})
    east = Counter({offset: rows for offset, rows in offsets.items() if offset})
    if offsets and count("naive"):
        params = {"column": column, "rows": count("naive"), "timezone": timezone}
        notes.append(Message("warning.times_without_zone", params))
    if timezone == "UTC" and 2 * east.total() > _readable(forms):
        usual = east.most_common(1)[0][0].strip()
        params = {"column": column, "rows": east.total(), "offset": usual, "timezone": timezone}
        notes.append(Message("warning.days_of_utc", params))
    return TimeReading(order, timezone), tuple(notes)


def _order(forms: dict[str, int], column: str, answer: str | None) -> tuple[str, tuple[Message, ...]]:
    """Return the one order that fits all dates such as 03/04/24, and on what proof; empty where there are none."""
    split = {kind: rows for kind, rows in forms.items() if kind in FITS}
    if answer or not split:
        return answer or "", ()
    rows = sum(split.values())
    asked = "_year" if any("ymd" in FITS[kind] for kind in split) else ""
    left = [order for order in ORDERS if all(order in FITS[kind] for kind in split)]
    if not left:
        only = {kind: split.get(kind, 0) for kind in ("day_first", "month_first", "year_first")}
        raise NeedsAnswer(f"dates_contradict{asked}", column=column, rows=rows, **only)
    if split.keys() == {"same"}:
        return left[0], ()
    if len(left) > 1:
        raise NeedsAnswer(f"dates_ambiguous{asked}", column=column, rows=rows - split.get("same", 0))
    proof = sum(count for kind, count in split.items() if FITS[kind] == (left[0],))
    if not proof:
        return left[0], (Message("warning.read_as_all_fit", {"column": column, "order": left[0], "rows": rows}),)
    return left[0], (Message(f"warning.read_as_{left[0]}", {"column": column, "proof": proof, "rows": rows}),)


def in_range(time: str) -> str:
    """Return SQL that says whether a UTC time can be an event's."""
    latest = date.today() + timedelta(days=2)
    return f"{time} >= TIMESTAMP '{EARLIEST}' AND {time} < TIMESTAMP '{latest}'"


def _list(forms: dict[str, int]) -> str:
    return ", ".join(f"{kind} {rows:,}" for kind, rows in sorted(forms.items()) if kind != "missing")


def _readable(forms: dict[str, int]) -> int:
    return sum(rows for kind, rows in forms.items() if kind not in ("missing", "unreadable"))


def plainest(column: str) -> str:
    """Tell 2024-01-31 10:11:12 by its marks: the form that most logs have."""
    return f"{column} LIKE '____-__-__ __:__:__'"


def _plain_iso(column: str) -> str:
    """Quickly tell ISO texts without an offset, which need no time zone machinery."""
    length = f"(strlen({column}) = 19 OR (strlen({column}) IN (23, 26) AND {column}[20] = '.'))"
    return (
        f"{column}[5] IN ('-', '/') AND (strlen({column}) = 10 OR ({length}"
        f" AND {column}[17] = ':' AND {column}[-1] BETWEEN '0' AND '9'"
        f" AND {column}[-3] NOT IN ('+', '-') AND {column}[-5] NOT IN ('+', '-') AND {column}[-6] NOT IN ('+', '-')))"
    )


def _plain_utc(column: str) -> str:
    """Quickly tell ISO texts that end with Z."""
    return f"{column}[5] = '-' AND {column}[17] = ':' AND {column}[-1] = 'Z' AND strlen({column}) IN (20, 24, 27)"


def _digits(column: str) -> str:
    """Tell whole numbers with or without a fraction, of serial days behind a comma too.

    In scientific form only where no digit of the time is lost.
    """
    return f"regexp_full_match({column}, '\\d{{5,19}}(\\.\\d+)?|\\d{{5}},\\d+|\\d\\.\\d{{9,}}[eE]\\+?\\d\\d')"


def _number(digits: str) -> str:
    return f"try_cast(replace({digits}, ',', '.') AS DOUBLE)"


def _compact(column: str) -> str:
    """Read 19970131, 199701312359 or 19970131235959; milliseconds of the nineties have twelve digits too, but no 19."""
    read = f"try_strptime({column}, ['%Y%m%d', '%Y%m%d%H%M%S', '%Y%m%d%H%M'])"
    return f"CASE WHEN starts_with({column}, '19') OR starts_with({column}, '20') THEN {read} END"


def _is_split(column: str) -> str:
    return f"regexp_full_match({column}, {text(SPLIT)})"


def _offset(column: str) -> str:
    """Write an offset without colon (+0800) as the engine reads it (+08:00)."""
    return f"regexp_replace({column}, '\\s?([+-]\\d\\d)(\\d\\d)$', '\\1:\\2')"


def tidy(column: str) -> str:
    """Return SQL that writes the marks of other systems as the engine reads them.

    Weekdays are dropped; months with names become 31-Jan-2024, Chinese dates 2024-1-31 with AM or PM behind; dots,
    commas and blanks between the parts, GMT+0800 (CST), 20240131T101112 and 10:11:12,345 become those of ISO.
    """
    for pattern, instead in TIDY:
        column = f"regexp_replace({column}, {text(pattern)}, {text(instead)})"
    return column


def _written_time(column: str) -> str:
    """Return SQL for dates with a month's name, and for clocks of twelve hours."""
    full, short = (f"[{', '.join(text(item.format(year=year)) for item in WRITTEN)}]" for year in ("%Y", "%y"))
    has_year = f"regexp_matches({column}, '\\d{{4}}')"
    return f"CASE WHEN {has_year} THEN try_strptime({column}, {full}) ELSE try_strptime({column}, {short}) END"


def _unshifted(column: str) -> str:
    return f"regexp_replace({column}, {text(SHIFT)}, '')"


def _shift(offset: str) -> str:
    """Return SQL for the interval of an offset such as +08:00, or none for Z, UTC and GMT."""
    minutes = f"try_cast({offset}[2:3] AS INT) * 60 + try_cast({offset}[5:6] AS INT)"
    return f"to_minutes(CASE {offset}[1] WHEN '+' THEN {minutes} WHEN '-' THEN -({minutes}) ELSE 0 END)"


def _split_time(column: str, order: str) -> str:
    """Return SQL for dates such as 31/01/2024, 1.2.24 or 24-01-31, with or without a clock."""
    slashed = f"translate({column}, '.-', '//')"

    def read(year: str) -> str:
        day = ORDERS[order or "dmy"].format(year=year)
        return f"try_strptime({slashed}, [{', '.join(text(day + clock) for clock in CLOCKS)}])"

    if order == "ymd":
        return f"CASE WHEN regexp_matches({column}, '^\\d\\d[/.-]\\d+[/.-]\\d\\d?( |$)') THEN {read('%y')} END"
    return (
        f"CASE WHEN regexp_matches({column}, '[/.-]\\d{{4}}( |$)') THEN {read('%Y')}"
        f" WHEN regexp_matches({column}, '[/.-]\\d\\d( |$)') THEN {read('%y')} END"
    )
