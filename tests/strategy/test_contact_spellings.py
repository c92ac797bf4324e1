"""Addresses, numbers, countries and consent as shops and spreadsheets write them, and what platforms find them by."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import phonenumbers
import pytest

from clv_core.collection.parse.contact_texts import addresses, every_address
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.collection.vocabulary.column_names import contact_columns
from clv_core.errors import Message, UsageError
from clv_core.strategy.audiences import platforms
from clv_core.strategy.audiences.audience_filter import Audience, filter_audience
from clv_core.strategy.audiences.contacts import Contacts, canonical_contacts, emails, phones
from clv_core.strategy.audiences.countries import country_codes, proposed_region, region_names
from clv_core.strategy.audiences.export import preview
from clv_core.workspace import Workspace
from tests.strategy.lists import digest, few, made

MOBILES = [
    (region, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (number := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)) is not None
]
"""A mobile number of each country, by libphonenumber."""


def reached(people: pd.DataFrame, *, suppressed: tuple[str, ...] = (), stop: SuppressionList | None = None) -> Audience:
    """Return who can be reached of some customers, all of whom agreed where nothing else is said."""
    scored, contacts = few(**people)
    return filter_audience(scored, "google_customer_match", Contacts(contacts, suppressed=suppressed), stop)


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
    assert platforms.google(people)["Email"].tolist() == [digest("ana@x.com")]


def test_what_could_not_be_read_is_said_once_and_never_of_nothing() -> None:
    unplaced = reached(pd.DataFrame({"email": ["a@x.com", "b@x.com"], "phone": ["0171 1234567", "0171 1234568"]}))
    assert [one.code for one in unplaced.notes] == ["warning.phones_unplaced"]
    broken = reached(pd.DataFrame({"email": ["a@x", "b@x.com"], "phone": ["+49 171 1234567", "+49 171 1234568"]}))
    assert [one.text("en") for one in broken.notes] == [
        "1 unreadable email of contactable customers. Patterns (a = letter, 9 = digit): a@a."
    ]


def test_an_address_is_taken_out_of_a_cell_and_what_is_none_is_not_made_one() -> None:
    read = {
        " Test@GMAIL.com ": "test@gmail.com", "A.B+c@d-e.co.uk": "a.b+c@d-e.co.uk", "a@b.co;c@d.co": "a@b.co",
        '"A" <A@b.com>': "a@b.com", "mailto:a@b.com": "a@b.com", "o'neil@b.com": "o'neil@b.com",
    }  # fmt: skip
    none = ["ana @x.com", "ana@@x.com", "ana@x.com/path", "ana@-x.com", "ana@x..com", "@", "\u200b", ".a@b.com", "=1+1"]
    none += ["a@b", "@b.c", "a b@c.de", None]
    assert emails(pd.Series([*read, *none])).tolist() == [*read.values(), *[""] * len(none)]


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
    stop = SuppressionList.of(Workspace(tmp_path / "ws"))
    assert reached(people, stop=stop).left_out == {}
    stop.add([word])
    kept = SuppressionList.of(Workspace(tmp_path / "ws"))
    for found in (reached(people, suppressed=(word,)), reached(people, stop=kept)):
        assert found.left_out == {"suppressed": 1} and found.customers["customer_id"].tolist() == ["c0"]
    contacts = Contacts(people.assign(customer_id=["c0", "c1"]), suppressed=[word])
    assert filter_audience(ids, "csv", contacts).customers["customer_id"].tolist() == ["c0"]
    assert kept.hides(people.assign(customer_id=["c0", "c1"])).tolist() == [False, True]
    assert kept.names(word) and kept.remove([word.strip("\u200b").lower()]) == 1


def test_an_address_that_is_written_on_the_list_with_a_name_is_the_address(tmp_path: Path) -> None:
    stop = SuppressionList.of(Workspace(tmp_path / "ws"))
    stop.add(["Bea Roe <bea@x.com>"])
    known = pd.DataFrame({"customer_id": ["c0", "c1"], "email": ["bea@x.com", "roe@x.com"]})
    assert SuppressionList.of(Workspace(tmp_path / "ws")).hides(known).tolist() == [True, False]


def test_a_mobile_number_whose_plus_a_spreadsheet_took_is_read_as_it_was() -> None:
    regions, numbers = map(pd.Series, zip(*MOBILES, strict=True))
    assert len(numbers) > 200 and phones(numbers.str.lstrip("+"), regions, None).tolist() == numbers.tolist()


@pytest.mark.parametrize(
    ("read", "country", "region", "written"),
    [
        ("+12127365000", "US", None, ["(212) 736-5000"]),
        ("+12127365000", "", "us", ["212 736 5000"]),
        ("+861065529988", "", None, ["+86 10 6552 9988"]),
        ("+861065529988", "CN", "US", ["10 6552 9988"]),
        ("+861062345678", "CN", None, ["010-62345678转8001"]),
        ("+8613800138000", "CN", None, ["13800138000.0", "138-0013-8000 (王)", "'+86 138 0013 8000"]),
        ("+8613800138000", "CN", None, ["+8613800138000;+8613900139000", "13800138000/13900139000"]),
        ("+4930901820", "DE", None, ["030 / 901820", "030 901820/21"]),
        ("+4930901820", "", None, ["0049 30 901820"]),
        ("+494915123456", "DE", None, ["04915 123456"]),
        ("+491711234567", "DE", None, ["0171 1234567", "1711234567", "49 171-1234567"]),
        # 00 is read also where the region dials another prefix
        *[("+8613910000001", "", region, ["0086 139 1000 0001"]) for region in ("US", "CN", None)],
        *[("+442071838750", "", region, ["0044 (0)20 7183 8750"]) for region in ("US", "CN", None)],
        ("+442071838750", "", "US", ["011 44 20 7183 8750"]),
        ("+14155552671", "", "US", ["(415) 555-2671"]),
        *[("+442071838750", "", uk, ["020 7183 8750"]) for uk in ("GB", "gb", "UK", "GBR", "Great Britain", " 英国 ")],
        ("", "US", "US", ["12", "", None, "=1+1", "00 12"]),
        ("", "CN", None, ["1.3800138E10"]),
    ],
)  # fmt: skip
def test_phones_become_e164(read: str, country: str, region: str | None, written: list[str | None]) -> None:
    assert phones(pd.Series(written), pd.Series([country] * len(written)), region).tolist() == [read] * len(written)


@pytest.mark.parametrize("region", ["ZZ", "XX", "Atlantis", "AQ"])
def test_a_region_that_is_no_country_is_refused_in_words(region: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        made(*few(phone=["020 7183 8750"]), "google_customer_match", tmp_path, region=region)
    assert region in caught.value.message("zh") and not list(tmp_path.iterdir())


BEIJING = ["138 1170 4871", "13809097345", "139-1070-4877", "15001012203", "17810064871", "+442071838750", "", None]


@pytest.mark.parametrize(
    ("numbers", "region"),
    [
        (BEIJING, "CN"),
        (["14155550100", "1 (646) 555-0199", "1-312-555-0123"], ""),  # with the calling code of North America
        (["020 7183 8750", "07911 123456"], ""),
        (["13811704871", "020 7183 8750"], ""),
        (["+8613811704871", "+8613809097345"], ""),  # they name it themselves
        ([], ""),
    ],
)
def test_mobile_numbers_of_the_chinese_mainland_alone_propose_a_region(numbers: list[str], region: str) -> None:
    assert proposed_region(pd.Series(numbers, dtype="str")) == region


def test_the_names_of_regions_are_those_of_all_countries_whose_numbers_are_known() -> None:
    zh, en = region_names("zh"), region_names("en")
    assert set(zh) == set(en) <= set(phonenumbers.SUPPORTED_REGIONS)
    assert (zh["CN"], en["CN"], zh["GB"]) == ("中国", "China", "英国")


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("US", ("USA", "usa", "U.S.", "U.S.A.", "United States of America", "the United States", "美国", "840")),
        ("US", ("United States (US)", "America")),
        ("GB", ("UK", "GBR", "gb", "U.K.", "Great Britain", "united  kingdom", "英国", "United Kingdom (UK)")),
        ("DE", ("de", " Germany", "DEU", "Deutschland", "德国")),
        ("HK", ("HKG", "Hong Kong", "Hong Kong SAR China", "香港", "中国香港特别行政区")),
        ("CH", ("CHE", "Schweiz", "Suisse", "Svizzera")),
        ("NL", ("NLD", "Nederland", "The Netherlands", "Holland")),
        ("CI", ("Côte d'Ivoire", "Cote d'Ivoire", "Côte d’Ivoire", "CIV")),
        ("TR", ("TUR", "Turkey", "Türkiye", "Turkiye", "TÜRKİYE")),
        ("KR", ("Korea, Republic of", "South Korea", "대한민국")),
        ("CN", ("中华人民共和国", "PRC", "China (CN)", "Mainland China")),
        ("AE", ("UAE", "United Arab Emirates")),
        ("BR", ("Brasil", "BRA")),
        ("", ("EU", "EZ", "UN", "European Union", "Europe", "Atlantis (US)", "Atlantis", "(US)", "ZZ", "XX", "SU")),
        ("", ("", None)),
    ],
)
def test_countries_are_known_by_codes_and_the_names_that_people_write(code: str, names: tuple[str | None, ...]) -> None:
    assert country_codes(pd.Series(names)).tolist() == [code] * len(names)


@pytest.mark.parametrize(
    ("written", "google", "tiktok"),
    [  # the first and the second are the examples of Google's own page
        ("cloudy.sanfrancisco+shopping@gmail.com", "cloudysanfrancisco@gmail.com", "cloudy.sanfrancisco@gmail.com"),
        ("user.name+NYC@Example.com", "user.name+nyc@example.com", "user.name@example.com"),
        ("j.o+a.b+c@googlemail.com", "jo@googlemail.com", "j.o@googlemail.com"),
        ("J.o.h.n.1+promo@mail.gmail.com", "j.o.h.n.1+promo@mail.gmail.com", "j.o.h.n.1@mail.gmail.com"),
    ],
)
def test_google_gets_its_own_mail_plain_and_tiktok_all_without_tags(written: str, google: str, tiktok: str) -> None:
    people = reached(pd.DataFrame({"email": [written]})).customers
    assert platforms.google(people)["Email"].tolist() == [digest(google)]
    assert platforms.tiktok(people)["Email_SHA256"].tolist() == [digest(tiktok)]


def test_a_list_that_nobody_can_be_in_is_empty() -> None:
    nobody = reached(pd.DataFrame({"email": ["none", ""]}))
    assert nobody.left_out == {"no_contact": 2}
    assert all(platform(nobody.customers).empty for platform in (platforms.google, platforms.tiktok, platforms.meta))


def test_a_preview_counts_countries_that_are_not_known_and_numbers_that_name_none() -> None:
    where = ["Germany", "Atlantis", "atlantis", "", "Mordor"]
    people = few(
        phone=["13800138000", "+99 12", "020 7183 8750", "", ""], email=[f"p{n}@b.de" for n in range(5)], country=where
    )
    found = preview(people[0], "google_customer_match", Contacts(people[1]))
    assert found.rows == 5 and found.unknown_countries == {"Atlantis": 1, "atlantis": 1, "Mordor": 1}
    assert Message("warning.phones_unplaced", {"phones": 1}) in found.notes  # the first is no German number
    chosen = preview(people[0], "google_customer_match", Contacts(people[1], region="CN"))
    assert "warning.phones_unplaced" not in [note.code for note in chosen.notes]


FIELDS = ("email", "phone", "first_name", "last_name", "city", "zip", "country", "consent")
FILES = {
    "DE": (
        "E-Mail-Adresse, Telefonnummer, Vorname, Nachname, Ort, PLZ, Land, Einwilligung",
        "ja", "nein", "030 901820",
    ),
    "FR": (
        "Adresse e-mail, Téléphone, Prénom, Nom de famille, Ville, Code postal, Pays, Consentement",
        "oui", "non", "01 40 20 50 50",
    ),
    "ES": (
        "Correo electrónico, Teléfono, Primer nombre, Apellidos, Ciudad, Código postal, País, Consentimiento",
        "sí", "no", "910 83 01 48",
    ),
    "IT": (
        "Indirizzo email, Cellulare, first_name, Cognome, Città, zip, Paese, Consenso",
        "sì", "no", "06 698 1234",
    ),
    "PL": (
        "Adres e-mail, Telefon, Imię, Nazwisko, Miasto, Kod pocztowy, Kraj, Zgoda",
        "tak", "nie", "22 694 25 00",
    ),
    "JP": (
        "メールアドレス, 携帯電話番号, 名, 姓, 市区町村, 郵便番号, 国, メルマガ購読",
        "希望する", "希望しない", "03-3213-1111",
    ),
    "KR": (
        "이메일, 휴대폰번호, first_name, last_name, 도시, 우편번호, 국가, 마케팅수신동의",
        "예", "아니오", "02-120-1234",
    ),
    "RU": (
        "Эл. почта, Телефон, Имя, Фамилия, Город, Почтовый индекс, Страна, Согласие",
        "да", "нет", "8 495 777-77-77",
    ),
}  # fmt: skip
"""Names of the columns, how one agrees and how one does not, and a phone number as it is written at home."""


@pytest.mark.parametrize("country", FILES)
def test_a_file_in_another_language_is_read_and_who_did_not_agree_is_left_out(country: str) -> None:
    names, agreed, refused, phone = FILES[country]
    columns = names.split(", ")
    assert contact_columns(columns) == dict(zip(columns, FIELDS, strict=True))
    rows = [
        ["Ana@X.example", phone, "Ana", "Li", "Ort", "10115", country, agreed],
        ["bea@x.example", "", "Bea", "Li", "Ort", "10115", country, refused],
    ]
    scored, _ = few(email=["", ""])
    people = pd.DataFrame(rows, columns=columns).assign(customer_id=scored["customer_id"])
    found = filter_audience(scored, "google_customer_match", Contacts(people))
    assert found.left_out == {"no_consent": 1} and found.reach == {"email": 1, "phone": 1}
    assert not found.notes
    row = platforms.google(found.customers).iloc[0]
    assert row["Email"] == digest("ana@x.example")
    assert (row["Country"], row["Zip"]) == (country, "10115")


def test_consent_that_is_only_likely_is_asked_about() -> None:
    assert contact_columns(["Newsletter", "Ort der Filiale", "Nom du produit"]) == {}


def test_of_two_columns_for_one_field_the_surer_name_counts() -> None:
    people = {"Customer ID": ["a"], "Default Address Phone": [""], "Phone": ["1"], "Accepts Marketing": ["x"]}
    people |= {"Email Marketing Consent": ["no"], "Default Address Province Code": ["NY"]}
    assert canonical_contacts(pd.DataFrame(people)).loc[0, ["phone", "consent", "state"]].tolist() == ["1", "no", "NY"]
