"""What money and time zone a file was probably kept in, by its column names, its cells and the browser's time zone.

A proposal, to be shown preselected and changed by the person: nothing is read differently before it was seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import available_timezones

from babel.core import get_global
from babel.numbers import get_territory_currencies, list_currencies

from clv_core.collection.parse.currencies import is_unit, meant
from clv_core.collection.parse.times import offsets_of, zone_of_offsets
from clv_core.errors import Message

KANA, HANGUL, HAN = re.compile(r"[\u3040-\u30ff]"), re.compile(r"[\uac00-\ud7a3]"), re.compile(r"[\u4e00-\u9fff]")
SIMPLIFIED: Final = frozenset("订单额时间户购买实货价类优数产编号电话员姓称网络态")
TRADITIONAL: Final = frozenset("訂單額時間戶購買實貨價類優數產編號電話員稱網絡態")
"""Characters of both writings' usual column names; those that are the same in both show nothing."""
ONLY_SIMPLIFIED, ONLY_TRADITIONAL = SIMPLIFIED - TRADITIONAL, TRADITIONAL - SIMPLIFIED
AT_HOME: Final = {
    "zh_Hans": {"CNY": "Asia/Shanghai"},
    "zh_Hant": {"TWD": "Asia/Taipei", "HKD": "Asia/Hong_Kong", "MOP": "Asia/Macau"},
    "ja": {"JPY": "Asia/Tokyo"},
    "ko": {"KRW": "Asia/Seoul"},
}
"""Where shops write their exports in a script, by currency: each of these places has one time zone."""
SIGN: Final = re.compile(r"US\$|[¥￥€£₩$]")
IN_BRACKETS: Final = re.compile(r"[(（\[【]\s*([^()（）\[\]【】]{1,4}?)\s*[)）\]】]")
AT_NUMBER: Final = re.compile(r"(US\$|[¥￥€£₩$])\s*[-−]?\d|\d\s*([¥￥€£₩元円원])\s*$")


OFFSET: Final = re.compile(r"\d:\d\d(?::\d\d(?:\.\d+)?)? ?([+-]\d\d):?(\d\d)\s*$")
"""A time of day with an offset behind it."""


@dataclass(frozen=True)
class LocaleHint:
    """What may be preselected for a file.

    Args:
        currency: code, empty where there is no clue.
        timezone: name of an IANA zone, empty where there is no clue.
        why: the clue, to be shown with the choices; None where there is none.
    """

    currency: str = ""
    timezone: str = ""
    why: Message | None = None


def propose(columns: Sequence[str], cells: Iterable[str] = (), browser_zone: str | None = None) -> LocaleHint:
    """Return the currency and time zone that a file was probably kept in.

    A unit at the amounts outranks the script of the column names. A sign of several currencies, and a script of several
    places, are decided by the browser's time zone alone.

    Args:
        columns: names of the file's columns.
        cells: samples of its values.
        browser_zone: IANA name of the browser's time zone, where it is sent.
    """
    script = _script("".join(columns))
    places, browser_money = AT_HOME.get(script, {}), _money_of(browser_zone)
    cells = list(cells)
    units = _units(columns, cells)
    currency = _one(units, [*places, browser_money]) if units else _one(tuple(places), [browser_money])
    timezone = places.get(currency, "")
    if not timezone and currency and currency == browser_money:
        timezone = browser_zone or ""
    if not currency:
        return LocaleHint()
    code = "hint.locale.script"
    offsets = {f"{match[1]}:{match[2]}" for cell in cells if (match := OFFSET.search(cell))} - {"+00:00"}
    if offsets and timezone and not offsets <= offsets_of(timezone):
        code, timezone = "hint.locale.offset", zone_of_offsets(offsets)[0]
    if not timezone or (units and code == "hint.locale.script"):
        code = "hint.locale.unit" if timezone else "hint.locale.unit.currency"
    return LocaleHint(currency, timezone, Message(code, {"currency": currency, "timezone": timezone}))


def script_currencies(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the codes of the currencies of where the script of the column names is written; none for any other."""
    return tuple(AT_HOME.get(_script("".join(columns)), ()))


def _units(columns: Sequence[str], cells: Iterable[str]) -> tuple[str, ...]:
    """Return the currencies that all units in the file's names and cells could mean; none where they differ."""
    marks: list[str] = []
    for name in columns:
        marks += [*SIGN.findall(name), *(unit for unit in IN_BRACKETS.findall(name) if _is_unit(unit))]
    for cell in cells:
        marks += ["".join(pair) for pair in AT_NUMBER.findall(cell)]
    meanings = [meant(unit) for unit in dict.fromkeys(marks)]
    return tuple(code for code in meanings[0] if all(code in codes for codes in meanings)) if meanings else ()


def _is_unit(unit: str) -> bool:
    return is_unit(unit) or unit.upper() in list_currencies()


def _one(could: tuple[str, ...], settled_by: Sequence[str]) -> str:
    """Return the only code, or the first that something else names too; empty where neither is."""
    if len(could) == 1:
        return could[0]
    return next((code for code in settled_by if code in could), "")


def _script(text: str) -> str:
    """Return the writing of the column names as a key of :data:`AT_HOME`, empty for any other."""
    if KANA.search(text):
        return "ja"
    if HANGUL.search(text):
        return "ko"
    if not HAN.search(text):
        return ""
    simple, full = (len(letters & set(text)) for letters in (ONLY_SIMPLIFIED, ONLY_TRADITIONAL))
    return "zh_Hans" if simple >= full else "zh_Hant"


def _money_of(zone: str | None) -> str:
    """Return the currency of the country that a time zone lies in, empty where there is none."""
    if zone is None or zone not in available_timezones():
        return ""
    territory = get_global("zone_territories").get(zone, "")
    codes = get_territory_currencies(territory) if territory else []
    return str(codes[0]) if codes else ""
