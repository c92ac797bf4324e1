"""The country of phone numbers that name none: proposed where the numbers are plain, asked for where they are not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import phonenumbers
import pytest

from clv_core.errors import Message
from clv_core.strategy.contacts.regions import proposed_region, region_names
from clv_core.strategy.exports.preview import preview
from tests.strategy.test_platforms import few, made

BEIJING = ["138 1170 4871", "13809097345", "139-1070-4877", "15001012203", "17810064871", "+442071838750", "", None]


def test_mobile_numbers_of_the_chinese_mainland_propose_it() -> None:
    assert proposed_region(pd.Series(BEIJING)) == "CN"


@pytest.mark.parametrize(
    "numbers",
    (
        ["14155550100", "1 (646) 555-0199", "1-312-555-0123"],  # with the calling code of North America
        ["020 7183 8750", "07911 123456"],
        ["13811704871", "020 7183 8750"],
        ["+8613811704871", "+8613809097345"],  # they name it themselves
        [],
    ),
)
def test_other_numbers_propose_nothing(numbers: list[str]) -> None:
    assert proposed_region(pd.Series(numbers, dtype="str")) == ""


def test_the_names_of_regions_are_those_of_all_countries_whose_numbers_are_known() -> None:
    zh, en = region_names("zh"), region_names("en")
    assert set(zh) == set(en) <= set(phonenumbers.SUPPORTED_REGIONS)
    assert (zh["CN"], en["CN"], zh["GB"]) == ("中国", "China", "英国")


def test_the_phone_list_for_tencent_reads_numbers_without_a_code_as_those_of_the_mainland(tmp_path: Path) -> None:
    scored, people = few(phone=["13800138000", "13811704871"])
    assert made(scored, people, "phone_hashes", tmp_path).rows == 2


def test_numbers_that_name_no_country_are_told_apart_from_those_that_cannot_be_read() -> None:
    from clv_core.strategy.exports.export import Contacts

    scored, people = few(phone=["13800138000", "+99 12", "020 7183 8750"], email=["a@b.de", "b@b.de", "c@b.de"])
    found = preview(scored, "google_customer_match", Contacts(people))
    assert Message("warning.phones_unplaced", {"phones": 2}) in found.notes
    chosen = preview(scored, "google_customer_match", Contacts(people, region="CN"))
    assert "warning.phones_unplaced" not in [note.code for note in chosen.notes]
