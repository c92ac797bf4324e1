"""Dates with names of months and days in other languages, as the Unicode consortium writes them (CLDR, by babel)."""

from __future__ import annotations

import unicodedata
from datetime import datetime

import pytest
from babel.dates import format_date, format_datetime

from clv_core.collection.mapping.columns.proposed import TIME
from clv_core.collection.values import time_texts, times
from tests.collection.test_values import ask

pytestmark = pytest.mark.first(2)

LANGUAGES = (
    *("en_US", "en_GB", "de_DE", "de_AT", "fr_FR", "es_ES", "es_MX", "it_IT", "pt_BR", "pt_PT", "nl_NL", "sv_SE"),
    *("da_DK", "nb_NO", "fi_FI", "pl_PL", "cs_CZ", "sk_SK", "hu_HU", "ro_RO", "tr_TR", "ru_RU", "uk_UA", "el_GR"),
    *("id_ID", "ms_MY", "vi_VN", "ar_EG"),
)  # fmt: skip
CELL = time_texts.plain("x")
DIRECTIONS = dict.fromkeys(map(ord, time_texts.DIRECTIONS))
DAYS = [datetime(2023, month, day, 16, 5) for month in range(1, 13) for day in (3, 21)]


@pytest.mark.examples(4)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("style", ["medium", "long", "full"])
def test_dates_of_every_month_are_read_in_the_language_that_they_are_written_in(language: str, style: str) -> None:
    written = [format_date(day, style, language) for day in DAYS]
    midnights = [day.replace(hour=0, minute=0) for day in DAYS]
    assert ask(times.TimeReading("mdy" if language == "en_US" else "dmy").value(CELL), written) == midnights
    assert all(TIME.fullmatch(unicodedata.normalize("NFKC", day).translate(DIRECTIONS)) for day in written)


@pytest.mark.examples(3)
@pytest.mark.parametrize("language", ["de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "pl_PL", "cs_CZ", "ru_RU", "fi_FI"])
def test_a_clock_behind_such_a_date_is_read_too(language: str) -> None:
    written = [format_datetime(day, "d MMM y", locale=language) + " " + f"{day:%H:%M}" for day in DAYS]
    assert ask(times.TimeReading().value("x"), written) == DAYS


@pytest.mark.parametrize(
    "value",
    [
        "3.1.2023 klo 16.05", "3. 1. 2023 16:05", "2023.01.03. 16:05", "2023. 1. 3. 오후 4:05", "03/01/2023 16h05",
        "03-01-2023 16.05", "January 3rd, 2023 4:05 PM", "03-янв-2023 16:05", "3 tháng 1, 2023 16:05",
        "3 sty 2023, 16:05", "3. Jan. 2023, 16:05 Uhr", "3 jan. 2023 kl. 16.05", "mar. 3 janv. 2023 à 16:05",
        "2023-Jan-03 16:05", "3 Januari 2023 pukul 16.05",
    ],
)  # fmt: skip
def test_marks_and_words_of_other_countries_between_the_parts(value: str) -> None:
    assert ask(times.TimeReading("dmy").value("x"), [value]) == [datetime(2023, 1, 3, 16, 5)]
    assert TIME.fullmatch(value)


@pytest.mark.examples(3)
@pytest.mark.parametrize("value", ["3 blau 2023", "2023. blau 3.", "31 lutego 2023", "marraskuu", "tiistai 3 ja 2023"])
def test_what_is_no_month_is_no_time(value: str) -> None:
    assert ask(times.form("x"), [value]) == ["unreadable"]
