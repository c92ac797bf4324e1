"""Addresses, numbers and countries as they come out of shops and spreadsheets, and what platforms find them by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import phonenumbers
import pytest

from clv_core.collection.privacy.stoplist import StopList
from clv_core.collection.values.email_texts import addresses, every_address
from clv_core.strategy.contacts.contacts import emails, phones
from clv_core.strategy.contacts.countries import country_codes
from clv_core.strategy.contacts.reach import Reach, hidden, reachable
from clv_core.strategy.exports import platforms
from clv_core.workspace import Workspace

MOBILES = [
    (region, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (number := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)) is not None
]
"""A mobile number of each country, by libphonenumber."""


def reached(people: pd.DataFrame, *, suppressed: tuple[str, ...] = (), stop: StopList | None = None) -> Reach:
    """Return who can be reached of some customers, all of whom agreed where nothing else is said."""
    people = people.assign(customer_id=[f"c{row}" for row in range(len(people))])
    people = people if "consent" in people else people.assign(consent="yes")
    scored = people[["customer_id"]].assign(predicted_clv=[9.0 - row for row in range(len(people))])
    return reachable(scored, people, ("email", "phone"), None, False, suppressed, stop)


@pytest.mark.parametrize(
    "written",
    [
        "ana@x.com\u200b", "\ufeffana@x.com", "\u202aAna@X.com\u202c", "ａｎａ＠ｘ．ｃｏｍ", "'ana@x.com'",
        "(ana@x.com)", "“ana@x.com”", "ana@x.com.", "mailto:ana@x.com?subject=Hi", "ana@x.com、bea@x.com",
        "ana@x.com；bea@x.com", "ana@x.com/bea@x.com", "Ana <ana@x.com>, Bea <bea@x.com>",
    ],
)  # fmt: skip
def test_an_address_has_the_hash_that_the_platform_finds_it_by_whatever_stands_around_it(written: str) -> None:
    people = reached(pd.DataFrame({"email": [written]})).customers
    assert platforms.google(people)["Email"].tolist() == [hashlib.sha256(b"ana@x.com").hexdigest()]


def test_what_could_not_be_read_is_said_once_and_never_of_nothing() -> None:
    unplaced = reached(pd.DataFrame({"email": ["a@x.com", "b@x.com"], "phone": ["0171 1234567", "0171 1234568"]}))
    assert [one.code for one in unplaced.not_understood] == ["warning.phones_unplaced"]
    broken = reached(pd.DataFrame({"email": ["a@x", "b@x.com"], "phone": ["+49 171 1234567", "+49 171 1234568"]}))
    assert [one.text("en") for one in broken.not_understood] == [
        "E-mail addresses of customers who may be contacted that could not be read: 1. They look like this, with a for "
        "each letter and 9 for each digit: a@a."
    ]


def test_what_is_no_address_is_not_made_one() -> None:
    written = ["ana @x.com", "ana@@x.com", "ana@x.com/path", "ana@-x.com", "ana@x..com", "@", "\u200b"]
    assert emails(pd.Series(written)).tolist() == [""] * len(written)


def test_all_addresses_of_a_cell_are_known_under_their_cell() -> None:
    cells = pd.Series(["Ana <ana@x.com>; Bea@x.com", None, "cy@x.com", "none"], index=[7, 7, 8, 9])
    found = every_address(cells)
    assert sorted(zip(found.index, found, strict=True)) == [(7, "ana@x.com"), (7, "bea@x.com"), (8, "cy@x.com")]
    assert addresses("call me") == () and addresses("a@x.com a@X.com") == ("a@x.com",)


@pytest.mark.examples(2)
@pytest.mark.parametrize("word", ["bea@x.com", "BEA@X.com\u200b", "+49 170 1234567", "0049-1701234567"])
def test_who_has_a_second_address_or_number_on_the_list_is_left_alone(tmp_path: Path, word: str) -> None:
    people = pd.DataFrame(
        {"email": ["cy@x.com", "ana@x.com; bea@x.com"], "phone": ["+4915123456789", "+44 7911 123456; +49 170 1234567"]}
    )
    ids = pd.DataFrame({"customer_id": ["c0", "c1"]})
    stop = StopList.of(Workspace(tmp_path / "ws"))
    assert reached(people, stop=stop).left_out == {}
    stop.add([word])
    kept = StopList.of(Workspace(tmp_path / "ws"))
    for found in (reached(people, suppressed=(word,)), reached(people, stop=kept)):
        assert found.left_out == {"suppressed": 1} and found.customers["customer_id"].tolist() == ["c0"]
    assert hidden(ids, people.assign(customer_id=["c0", "c1"]), [word]).tolist() == [False, True]
    assert kept.hides(people.assign(customer_id=["c0", "c1"])).tolist() == [False, True]
    assert kept.names(word) and kept.remove([word.strip("\u200b").lower()]) == 1


def test_an_address_that_is_written_on_the_list_with_a_name_is_the_address(tmp_path: Path) -> None:
    stop = StopList.of(Workspace(tmp_path / "ws"))
    stop.add(["Bea Roe <bea@x.com>"])
    known = pd.DataFrame({"customer_id": ["c0", "c1"], "email": ["bea@x.com", "roe@x.com"]})
    assert StopList.of(Workspace(tmp_path / "ws")).hides(known).tolist() == [True, False]


def test_who_did_not_agree_keeps_all_addresses_of_the_cell_out() -> None:
    people = pd.DataFrame({"email": ["bea@x.com", "ana@x.com, bea@x.com", "cy@x.com"], "consent": ["yes", "no", "yes"]})
    found = reached(people)
    assert found.left_out == {"no_consent": 1, "shared_contact": 1}
    assert found.customers["email"].tolist() == ["cy@x.com"]


def test_a_mobile_number_whose_plus_a_spreadsheet_took_is_read_as_it_was() -> None:
    regions, numbers = map(pd.Series, zip(*MOBILES, strict=True))
    assert len(numbers) > 200 and phones(numbers.str.lstrip("+"), regions, None).tolist() == numbers.tolist()


def test_a_number_that_names_no_country_is_still_a_number_at_home() -> None:
    written = ["04915 123456", "0171 1234567", "1711234567", "49 171-1234567", "030 901820/21"]
    expected = ["+494915123456", "+491711234567", "+491711234567", "+491711234567", "+4930901820"]
    assert phones(pd.Series(written), pd.Series(["DE"] * 5), None).tolist() == expected


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("US", ("United States (US)", "America")),
        ("GB", ("United Kingdom (UK)",)),
        ("CI", ("Côte d'Ivoire", "Cote d'Ivoire", "Côte d’Ivoire", "CIV")),
        ("TR", ("Turkiye", "TÜRKİYE")),
        ("KR", ("Korea, Republic of", "South Korea", "대한민국")),
        ("CN", ("中华人民共和国", "PRC", "China (CN)", "Mainland China")),
        ("AE", ("UAE", "United Arab Emirates")),
        ("BR", ("Brasil", "BRA")),
        ("", ("EU", "EZ", "UN", "European Union", "Atlantis (US)", "(US)")),
    ],
)
def test_countries_are_known_by_the_names_that_shop_systems_write(code: str, names: tuple[str, ...]) -> None:
    assert country_codes(pd.Series(names)).tolist() == [code] * len(names)


def test_google_gets_its_own_mail_without_full_stops_and_tags_and_all_other_as_it_is() -> None:
    # The first and the fourth are the examples of Google's own page.
    written = ["cloudy.sanfrancisco+shopping@gmail.com", "j.o+a.b+c@googlemail.com", "j.o+a@mail.gmail.com"]
    expected = ["cloudysanfrancisco@gmail.com", "jo@googlemail.com", "j.o+a@mail.gmail.com"]
    written += ["user.name+NYC@Example.com", ""]
    expected += ["user.name+nyc@example.com", ""]
    assert platforms.google_emails(emails(pd.Series(written))).tolist() == expected


@pytest.mark.parametrize("platform", [platforms.google, platforms.tiktok, platforms.meta])
def test_a_list_that_nobody_can_be_in_is_empty(platform: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    nobody = reached(pd.DataFrame({"email": ["none", ""]}))
    assert nobody.left_out == {"no_contact": 2} and platform(nobody.customers).empty
