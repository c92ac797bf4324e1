"""Lists for platforms: each row as the platform asks for it, and who is in."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.errors import ClvError, NeedsAnswer, NotEnoughData, Refused, UsageError
from clv_core.strategy.audiences import platforms
from clv_core.strategy.audiences.audience_filter import filter_audience
from clv_core.strategy.audiences.contacts import Contacts
from clv_core.strategy.audiences.export import export
from clv_core.strategy.audiences.formats import EXPORTS
from clv_core.strategy.audiences.list_files import write_csv_parts
from tests.strategy.lists import SIDE, digest, few, ids, made, read

MAIL, PHONE, MAID = "test00000@gmail.com", "+442071838750", "AECE52E7-03EE-455A-B3C4-E57283966239"
FIRST = {
    "google_customer_match": {
        "Email": digest(MAIL), "Phone": digest(PHONE), "First Name": digest("josé"), "Last Name": digest("=smith"),
        "Country": "GB", "Zip": "SW1A 1AA",
    },
    "meta_value_based": {
        "email": digest(MAIL), "phone": digest(PHONE.lstrip("+")), "madid": MAID, "fn": digest("josé"),
        "ln": digest("smith"), "ct": "", "st": "", "zip": digest("sw1a1aa"), "country": digest("gb"), "value": "500.00",
    },
    "google_conversions": {
        "Google Click ID": "Cj00000", "Conversion Name": "Predicted customer value",
        "Conversion Time": "1998-06-01 10:20:30+00:00", "Conversion Value": "480.50", "Conversion Currency": "EUR",
    },
    "meta_events": {
        "email": digest(MAIL), "phone": digest(PHONE.lstrip("+")), "madid": MAID, "event_name": "Purchase",
        "fbc": "", "event_time": "1998-06-01T10:20:30Z", "value": "480.50", "currency": "EUR",
    },
    "tiktok": {"Email_SHA256": digest(MAIL), "Phone_SHA256": digest(PHONE), "MAID": MAID.lower()},
    "klaviyo": {
        "Email": MAIL, "Phone Number": PHONE, "customer_id": "00000", "predicted_clv": "500.00",
        "last_purchase": "1996-01-01", "clv_as_of": "1998-07-01", "Email Marketing Consent": "Subscribed",
    },
    "hubspot": {"Email": MAIL, "First Name": " José", "Last Name": "=Smith", "Country/Region": "United Kingdom"},
}  # fmt: skip
"""The first row of a list; the whole header stands in ``test_exports_read_back.py``."""


@pytest.fixture
def scored() -> pd.DataFrame:
    n = 1200
    return pd.DataFrame(
        {
            "customer_id": [f"{i:05}" for i in range(n)],
            "as_of": "1998-07-01",
            "horizon_days": 182,
            "p_purchase": np.linspace(0, 1, n),
            "predicted_clv": np.linspace(500, 0, n),
            "tier": 1,
            "last_purchase": pd.date_range("1996-01-01", periods=n).astype("datetime64[s]"),
            "converted_at": pd.Timestamp("1998-06-01 10:20:30"),
            "conversion_value": 480.5,
            "conversion_currency": "EUR",
        }
    )


@pytest.fixture
def customers(scored: pd.DataFrame) -> pd.DataFrame:
    mails = " Test" + scored["customer_id"] + "@Gmail.com "
    people = pd.DataFrame({"Customer_ID": scored["customer_id"], "E-Mail": mails, "Phone Number": "020 7183 8750"})
    people = people.assign(**{"First Name": " José", "Last Name": "=Smith", "country": "United Kingdom"})
    people = people.assign(gclid="Cj" + scored["customer_id"])
    return people.assign(zip="SW1A 1AA", madid=MAID, consent="yes")


@pytest.mark.parametrize("format", FIRST)
def test_a_row_of_each_platform(scored: pd.DataFrame, customers: pd.DataFrame, format: str, tmp_path: Path) -> None:
    rows = read(made(scored, customers.assign(consent=True), format, tmp_path).files[0])
    assert len(rows) == 1200 and FIRST[format].items() <= rows[0].items()


def test_klaviyo_says_subscribed_of_addresses_alone_and_gets_the_code_of_a_country(tmp_path: Path) -> None:
    written = ["at", "AUT", " Österreich ", "Austria", "Atlantis"]
    scored, people = few(email=[*(f"{n}@x.com" for n in range(4)), ""], phone=[*[""] * 4, PHONE], country=written)
    rows = read(made(scored, people, "klaviyo", tmp_path).files[0])
    assert [row["Country"] for row in rows] == ["AT"] * 4 + ["Atlantis"]
    assert [row["Email Marketing Consent"] for row in rows] == ["Subscribed"] * 4 + [""]


@pytest.mark.parametrize(
    ("format", "people", "first"),
    [
        ("klaviyo", {"phone": [PHONE]}, "Phone Number"),
        ("klaviyo", {"email": ["a@x.com"], "phone": [PHONE]}, "Email"),
        ("mailchimp", {"email": ["a@x.com"]}, "Email Address"),
    ],
)
def test_the_first_column_is_the_key(tmp_path: Path, format: str, people: dict[str, list[str]], first: str) -> None:
    (row,) = read(made(*few(**people), format, tmp_path).files[0])
    assert next(iter(row)) == first and ("Email Marketing Consent" in row) == (first == "Email")


def test_mailchimp_gets_the_code_of_the_country_and_tags(tmp_path: Path) -> None:
    scored, people = few(email=["A@x.com"], phone=["020 7183 8750"], country=["United Kingdom"], first_name=["Ann"])
    [row] = read(made(scored.assign(tier=1), people, "mailchimp", tmp_path).files[0])
    known = {"Email Address": "a@x.com", "First Name": "Ann", "Country": "GB", "Phone Number": PHONE}
    assert {**known, "Tags": "CLV tier 1"}.items() <= row.items()


def test_tencent_gets_one_hash_a_line_of_mainland_mobiles_alone(tmp_path: Path) -> None:
    scored, people = few(phone=["+86 138 0013 8000", PHONE, "010-62345678", "13800138000"])
    for region in ("CN", None):  # numbers without a code are the mainland's
        result = made(scored, people, "phone_hashes", tmp_path, region=region)
        assert result.files[0].read_text().split() == ["7945bd83237335e5376ff44d62e4f0ae"]
        assert result.left_out == {"no_contact": 2, "same_contact": 1}


def test_meta_gets_names_places_and_postal_codes_as_it_matches_them() -> None:
    scored, people = few(
        email=["a@x.com", "b@x.com"], first_name=["Anne-Marie ", "Zoë"], last_name=["O’Neil", "De La Cruz"],
        city=["St. Louis", "München"], state=["New  York", "Nordrhein-Westfalen"], zip=["02139-4307", "SW1A 1AA"],
        country=["USA", "GB"],
    )  # fmt: skip
    rows = platforms.meta(filter_audience(scored, "hubspot", Contacts(people)).customers)
    for row, words in enumerate(
        (
            ("annemarie", "oneil", "stlouis", "ny", "02139", "us"),
            ("zoë", "delacruz", "münchen", "nordrheinwestfalen", "sw1a1aa", "gb"),
        )
    ):
        assert rows.loc[row, ["fn", "ln", "ct", "st", "zip", "country"]].tolist() == [digest(word) for word in words]


def test_only_who_may_be_contacted_is_listed(scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path) -> None:
    customers["consent"] = ["yes", "no", "", None, "TRUE", "同意", "unsubscribed", "1"] + ["y"] * 1192
    customers.loc[11, "E-Mail"] = None
    customers.loc[[30, 31, 32], "E-Mail"] = "same@example.org"  # the most valuable stays
    suppressed = ["00020", "test00021@gmail.com"]
    shuffled = scored.sample(frac=1, random_state=0)
    result = made(shuffled, customers.drop(index=10), "hubspot", tmp_path, suppressed=suppressed)
    gone = {f"000{place:02}" for place in (1, 2, 3, 6, 10, 11, 20, 21, 31, 32)}
    assert ids(result) == set(scored["customer_id"]) - gone
    assert result.left_out == {"suppressed": 2, "no_consent": 4, "no_contact": 2, "same_contact": 2}
    assert result.rows == 1190 and result.reach == {"email": 1190}


@pytest.mark.parametrize(
    ("people", "inside", "left_out"),
    [
        (  # who shares an address or a number with somebody who did not agree
            {
                "email": ["u4@x.com", "U4@X.com ", "b@x.com", "c@x.com", "d@x.com"],
                "phone": ["", "", "020 7183 8750", "+44 20 7183 8750", ""],
                "consent": ["no", "yes", "", "yes", "yes"],
            },
            {"c4"},
            {"no_consent": 2, "shared_contact": 2},
        ),
        (  # all addresses of one cell
            {"email": ["bea@x.com", "ana@x.com, bea@x.com", "cy@x.com"], "consent": ["yes", "no", "yes"]},
            {"c2"},
            {"no_consent": 1, "shared_contact": 1},
        ),
    ],
)
def test_who_shares_a_contact_with_somebody_who_did_not_agree_is_left_out_too(
    tmp_path: Path, people: dict[str, list[str]], inside: set[str], left_out: dict[str, int]
) -> None:
    result = made(*few(**people), "hubspot", tmp_path, region="GB")
    assert ids(result) == inside and result.left_out == left_out


def test_somebody_outside_the_list_who_did_not_agree_holds_the_address_too(tmp_path: Path) -> None:
    scored, people = few(email=["a@x.com", "b@x.com", "A@x.com"], consent=["yes", "yes", "no"])
    result = made(scored[:2], people, "hubspot", tmp_path)
    assert ids(result) == {"c1"} and result.left_out == {"shared_contact": 1}


def test_who_shares_a_contact_with_somebody_suppressed_is_left_out_too(tmp_path: Path) -> None:
    scored, people = few(email=["u4@x.com", "U4@X.com ", "b@x.com", "c@x.com"], phone=["", "", PHONE, PHONE])
    for suppressed in (["c0", "c2"], ["u4@x.com", "b@x.com"]):
        with pytest.raises(NotEnoughData):
            made(scored, people, "hubspot", tmp_path, suppressed=suppressed)


def test_a_phone_number_of_everybody_is_taken_out_of_the_list_and_the_customers_are_not(tmp_path: Path) -> None:
    mails, phones = [f"{row}@x.com" for row in range(8)], ["+14155552671"] * 8
    result = made(*few(email=mails, phone=phones, consent=["no"] + ["yes"] * 7), "hubspot", tmp_path)
    rows = read(result.files[0])
    assert len(rows) == 7 and {row["Phone Number"] for row in rows} == {""} and result.unread == {}
    assert [(one.code, one.params["customers"]) for one in result.notes] == [("warning.phones_crowded", 7)]


@pytest.mark.parametrize(("owners", "inside"), [(5, 2), (6, 7)])
def test_a_phone_number_of_up_to_five_is_theirs_and_of_more_is_nobodys(
    tmp_path: Path, owners: int, inside: int
) -> None:
    mails, phones = [f"{row}@x.com" for row in range(owners + 2)], ["+14155552671"] * owners + ["", ""]
    consent = ["no"] + ["yes"] * (owners + 1)
    result = made(*few(email=mails, phone=phones, consent=consent), "hubspot", tmp_path)
    shared = {"shared_contact": owners - 1} if inside == 2 else {}
    assert len(ids(result)) == inside and result.left_out == {"no_consent": 1, **shared}


@pytest.mark.parametrize("word", ["+8613800138001", "138-0013-8001", "0086 138 0013 8001", "8613800138001"])
def test_a_phone_number_on_a_list_of_the_moment_leaves_its_customer_out(tmp_path: Path, word: str) -> None:
    scored, people = few(email=["a@x.com", "b@x.com"], phone=["13800138000", "13800138001"])
    for format, region in (("hubspot", None), ("hubspot", "CN"), ("csv", None)):
        result = made(scored, people, format, tmp_path, region=region, suppressed=[word])
        assert result.rows == 1 and result.left_out == {"suppressed": 1}
        assert format == "csv" or ids(result) == {"c0"}


def test_unknown_consent_is_asked_about(scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path) -> None:
    silent = customers.drop(columns="consent")
    with pytest.raises(NeedsAnswer) as caught:
        made(scored, silent, "hubspot", tmp_path)
    assert caught.value.message("zh") and list(tmp_path.iterdir()) == []
    assert made(scored, silent, "hubspot", tmp_path, assume_consent=True).rows == 1200


@pytest.mark.parametrize(
    "column",
    [
        "Accepts Email Marketing", "accepts_marketing", "Buyer Accepts Marketing", "Email Marketing Consent",
        "是否同意营销", "consent",
    ],
)  # fmt: skip
def test_consent_is_known_by_the_names_that_shops_and_platforms_write(tmp_path: Path, column: str) -> None:
    scored, people = few(email=["a@x.com", "b@x.com"], consent=["SUBSCRIBED", "NEVER_SUBSCRIBED"])
    people = people.rename(columns={"consent": column}).assign(**{"Accepts SMS Marketing": "yes"})
    assert ids(made(scored, people, "hubspot", tmp_path)) == {"c0"}


@pytest.mark.parametrize("column", ["Accepts SMS Marketing", "Newsletter subscriber", "unsubscribed", "短信订阅状态"])
def test_a_column_that_may_say_who_agreed_is_named_and_nobody_is_assumed_to(tmp_path: Path, column: str) -> None:
    scored, people = few(email=["a@x.com", "b@x.com"])
    with pytest.raises(NeedsAnswer) as caught:
        made(scored, people.rename(columns={"consent": column}), "hubspot", tmp_path)
    for language in ("en", "zh"):
        said = caught.value.message(language)
        assert "assume" not in said and column.lower().replace(" ", "_") in said.lower()


def test_words_of_consent_are_understood_or_counted(tmp_path: Path) -> None:
    yes = ["已订阅", "愿意", "√", "接受", "Y", "同意接收", "ja", "oui", "si", "accepts", "agreed", "x", "opted-in"]
    yes += ["confirmed", "Subscribed", "OPTED_IN", True, 1.0]
    no = ["no", "UNSUBSCRIBED", "never_subscribed", "否", "", None, "perhaps", "perhaps", "Perhaps?"]
    scored, people = few(email=[f"{row}@x.com" for row in range(len(yes + no))], consent=[*yes, *no])
    found = made(scored, people, "hubspot", tmp_path)
    assert found.rows == len(yes) and found.unknown_consent == {"perhaps": 2, "Perhaps?": 1}


@pytest.mark.parametrize(("format", "fewest"), [("meta_value_based", 100), ("tiktok", 1000)])
def test_lists_too_small_for_the_platform_are_refused(
    scored: pd.DataFrame, customers: pd.DataFrame, format: str, fewest: int, tmp_path: Path
) -> None:
    assert made(scored[:fewest], customers, format, tmp_path).rows == fewest
    with pytest.raises(NotEnoughData) as caught:
        made(scored[: fewest - 1], customers, format, tmp_path)
    assert str(fewest) in caught.value.message("zh").replace(",", "")


def test_contacts_need_unique_ids(scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path) -> None:
    twice = pd.concat([customers, customers[:1]])
    for people, code, params in (
        (customers.drop(columns="Customer_ID"), "contacts_no_id", {}),
        (twice, "contacts_id_twice", {"rows": 1, "customer": "00000"}),
    ):
        with pytest.raises(Refused) as caught:
            made(scored, people, "hubspot", tmp_path)
        assert caught.value.code == code and params.items() <= caught.value.params.items()


def test_a_platform_without_contacts_and_an_unknown_format_are_refused(scored: pd.DataFrame, tmp_path: Path) -> None:
    for format, code in (("tiktok", "export_needs_contacts"), ("pigeon", "export_format")):
        with pytest.raises(UsageError) as caught:
            export(scored, format, tmp_path / "list.csv", side=SIDE)
        assert caught.value.code == code and caught.value.message("zh")
    with pytest.raises(ClvError):
        export(scored[:0], "csv", tmp_path / "list.csv", side=SIDE)
    assert list(tmp_path.iterdir()) == []


def test_large_lists_are_split_and_lose_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Email": [f"person{i}@example.org" for i in range(5000)], "note": 'a "quoted"\r\nnote'})
    files = write_csv_parts(frame, tmp_path / "list.csv", largest_file=60_000)
    assert len(files) > 1 and all(file.stat().st_size <= 60_000 for file in files)
    assert [file.name for file in files[:2]] == ["list-1.csv", "list-2.csv"]
    again = pd.concat([pd.read_csv(io.BytesIO(file.read_bytes()), dtype="str") for file in files], ignore_index=True)
    assert again["Email"].tolist() == frame["Email"].tolist()
    files = write_csv_parts(frame[:11], tmp_path / "list.csv", None, most_rows=4)
    assert [len(read(file)) for file in files] == [3, 3, 3, 2]
    assert len(write_csv_parts(frame[:11], tmp_path / "two.csv", None, most_rows=6)) == 2
    assert [row["Email"] for file in files for row in read(file)] == frame["Email"][:11].tolist()
    # HubSpot: 512 MB and 1,048,576 rows a file, its header among them (knowledge.hubspot.com, set up import files).
    assert (EXPORTS["hubspot"].largest_file, EXPORTS["hubspot"].most_rows) == (512_000_000, 1_048_575)
    assert (EXPORTS["tiktok"].largest_file or 0) < 1_000_000_000


PART = 50_000
"""A limit by which the list below is written in parts."""


def test_no_part_of_an_earlier_list_stays_beside_a_smaller_one(
    scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays = {"list-99.csv", "list-of-mine.csv"}
    for name in stays:
        (tmp_path / name).write_text("mine")
    for most in (20_000, PART, 50_000_000, PART, 50_000_000):
        monkeypatch.setitem(EXPORTS, "klaviyo", dataclasses.replace(EXPORTS["klaviyo"], largest_file=most))
        result = made(scored, customers, "klaviyo", tmp_path)
        left = {path.name for path in tmp_path.iterdir()} - stays
        assert left == {path.name for path in (*result.files, result.side_file)}
        assert (len(result.files) > 1) == (most <= PART) == (left != {"list.csv", "list.csv.json"})
