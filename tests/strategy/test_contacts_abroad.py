"""A customers file in another language goes to an ad platform as it is: its columns and words are understood."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest

from clv_core.collection.words.contact_fields import contact_columns
from clv_core.strategy.contacts.contacts import phones
from clv_core.strategy.contacts.reach import reachable
from clv_core.strategy.exports import platforms

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
def test_it_is_read_and_who_did_not_agree_is_left_out(country: str) -> None:
    names, agreed, refused, phone = FILES[country]
    columns = names.split(", ")
    assert contact_columns(columns) == dict(zip(columns, FIELDS, strict=True))
    rows = [
        ["Ana@X.example", phone, "Ana", "Li", "Ort", "10115", country, agreed],
        ["bea@x.example", "", "Bea", "Li", "Ort", "10115", country, refused],
    ]
    people = pd.DataFrame(rows, columns=columns).assign(customer_id=["c0", "c1"])
    scored = pd.DataFrame({"customer_id": ["c0", "c1"], "predicted_clv": [2.0, 1.0]})
    found = reachable(scored, people, ("email", "phone"), None, False, ())
    assert found.left_out == {"no_consent": 1} and found.reach == {"email": 1, "phone": 1}
    assert not found.not_understood
    row = platforms.google(found.customers).iloc[0]
    assert row["Email"] == hashlib.sha256(b"ana@x.example").hexdigest()
    assert (row["Country"], row["Zip"]) == (country, "10115")


def test_consent_that_is_only_likely_is_asked_about() -> None:
    assert contact_columns(["Newsletter", "Ort der Filiale", "Nom du produit"]) == {}


def test_a_number_behind_00_is_read_also_where_its_own_country_dials_another_prefix() -> None:
    given = pd.Series(["0086 139 1000 0001", "0044 (0)20 7183 8750", "(415) 555-2671", "011 44 20 7183 8750", "00 12"])
    read = ["+8613910000001", "+442071838750", "+14155552671", "+442071838750", ""]
    assert phones(given, pd.Series([""] * len(given)), "US").tolist() == read
    assert (
        phones(given[:2], pd.Series(["", ""]), "CN").tolist() == phones(given[:2], pd.Series(["", ""]), None).tolist()
    )
