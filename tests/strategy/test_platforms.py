import csv
import dataclasses
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.errors import ClvError, NeedsAnswer, NotEnoughData, Refused, UsageError
from clv_core.i18n import has
from clv_core.strategy.contacts.contacts import emails, named, phones, sha256
from clv_core.strategy.contacts.countries import country_codes
from clv_core.strategy.contacts.reach import reachable
from clv_core.strategy.exports import platforms
from clv_core.strategy.exports.export import Contacts, Exported, Side, export, log_export
from clv_core.strategy.exports.files import write_csv_parts
from clv_core.strategy.exports.formats import EXPORTS
from clv_core.strategy.exports.preview import preview
from clv_core.workspace import Workspace

SIDE = Side("shop", "a" * 12, "shop-hybrid-1", "1998-07-01", 182, "EUR", "tier=1", "quantile:10,30,60")
HEADERS = {
    "google_customer_match": ["Email", "Phone", "First Name", "Last Name", "Country", "Zip"],
    "meta_value_based": ["email", "phone", "madid", "fn", "ln", "ct", "st", "zip", "country", "value"],
    "tiktok": ["Email_SHA256", "Phone_SHA256", "MAID"],
}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


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
        }
    )


@pytest.fixture
def customers(scored: pd.DataFrame) -> pd.DataFrame:
    ids = scored["customer_id"]
    return pd.DataFrame(
        {
            "Customer_ID": ids,
            "E-Mail": " Test" + ids + "@Gmail.com ",
            "Phone Number": "020 7183 8750",
            "First Name": " José",
            "Last Name": "=Smith",
            "country": "United Kingdom",
            "zip": "SW1A 1AA",
            "madid": "AECE52E7-03EE-455A-B3C4-E57283966239",
            "consent": "yes",
        }
    )


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def made(scored: pd.DataFrame, customers: pd.DataFrame, format: str, path: Path, **options: Any) -> Exported:
    return export(scored, format, path / "list.csv", side=SIDE, contacts=Contacts(customers, **options))


def test_the_published_hash_is_ours() -> None:
    clean = emails(pd.Series([" Test@GMAIL.com "]))
    assert sha256(clean)[0] == "87924606b4131a8aceeeae8868531fbb9712aaa07a5d3a756b26ce0f5d6ca674"


@pytest.mark.parametrize("format", HEADERS)
def test_ad_platform_files_have_exact_headers_and_hashes(
    scored: pd.DataFrame, customers: pd.DataFrame, format: str, tmp_path: Path
) -> None:
    customers["consent"] = True
    rows = read(made(scored, customers, format, tmp_path).files[0])
    assert list(rows[0]) == HEADERS[format]
    email, phone = digest("test00000@gmail.com"), digest("+442071838750")
    expected = {
        "google_customer_match": [email, phone, digest("josé"), digest("=smith"), "GB", "SW1A 1AA"],
        "meta_value_based": [
            email, digest("442071838750"), "AECE52E7-03EE-455A-B3C4-E57283966239", digest("josé"), digest("smith"),
            "", "", digest("sw1a1aa"), digest("gb"), "500.00",
        ],
        "tiktok": [email, phone, "aece52e7-03ee-455a-b3c4-e57283966239"],
    }  # fmt: skip
    assert list(rows[0].values()) == expected[format]
    assert len(rows) == 1200


def test_klaviyo_has_email_first_properties_and_iso_dates(
    scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path
) -> None:
    rows = read(made(scored, customers, "klaviyo", tmp_path).files[0])
    assert list(rows[0])[:2] == ["Email", "Phone Number"]
    assert rows[0]["Email"] == "test00000@gmail.com" and rows[0]["Phone Number"] == "+442071838750"
    assert rows[0]["last_purchase"] == "1996-01-01" and rows[0]["clv_as_of"] == "1998-07-01"
    assert rows[0]["predicted_clv"] == "500.00" and rows[0]["customer_id"] == "00000"
    assert rows[0]["Email Marketing Consent"] == "Subscribed"


def test_klaviyo_without_any_email_starts_with_the_phone(
    scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path
) -> None:
    customers = customers.drop(columns="E-Mail").assign(**{"Phone Number": [f"+4420718{i:05}" for i in range(1200)]})
    rows = read(made(scored, customers, "klaviyo", tmp_path).files[0])
    assert list(rows[0])[0] == "Phone Number" and "Email Marketing Consent" not in rows[0]


def test_hubspot_is_keyed_by_email_and_keeps_bytes(
    scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path
) -> None:
    customers.loc[5, "E-Mail"] = None
    result = made(scored, customers, "hubspot", tmp_path)
    rows = read(result.files[0])
    assert list(rows[0])[0] == "Email" and len(rows) == 1199
    assert rows[0]["Last Name"] == "=Smith" and rows[0]["First Name"] == " José"
    assert rows[0]["Country/Region"] == "United Kingdom"
    assert result.left_out == {"no_contact": 1}


def test_only_who_agreed_and_is_not_suppressed_is_in_the_list(
    scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path
) -> None:
    customers["consent"] = ["yes", "no", "", None, "TRUE", "同意", "unsubscribed", "1"] + ["y"] * 1192
    customers = customers.drop(index=10)
    suppressed = ["00020", "test00021@gmail.com"]
    result = made(scored, customers, "hubspot", tmp_path, suppressed=suppressed)
    ids = {row["customer_id"] for row in read(result.files[0])}
    gone = {"00001", "00002", "00003", "00006", "00010", "00020", "00021"}
    assert ids == set(scored["customer_id"]) - gone
    assert result.left_out == {"suppressed": 2, "no_consent": 4, "no_contact": 1}
    assert result.rows == len(ids) and result.reach == {"email": len(ids)}


def test_without_a_word_on_consent_the_person_is_asked(
    scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path
) -> None:
    silent = customers.drop(columns="consent")
    with pytest.raises(NeedsAnswer) as caught:
        made(scored, silent, "hubspot", tmp_path)
    assert caught.value.message("zh") and list(tmp_path.iterdir()) == []
    assert made(scored, silent, "hubspot", tmp_path, assume_consent=True).rows == 1200


def test_of_customers_who_share_a_contact_the_most_valuable_stays(
    scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path
) -> None:
    customers.loc[[3, 4, 5], "E-Mail"] = "same@example.org"
    result = made(scored.sample(frac=1, random_state=0), customers, "hubspot", tmp_path)
    rows = [row for row in read(result.files[0]) if row["Email"] == "same@example.org"]
    assert [row["customer_id"] for row in rows] == ["00003"]
    assert result.left_out == {"same_contact": 2}


@pytest.mark.parametrize(("format", "fewest"), [("meta_value_based", 100), ("tiktok", 1000)])
def test_lists_too_small_for_the_platform_are_refused(
    scored: pd.DataFrame, customers: pd.DataFrame, format: str, fewest: int, tmp_path: Path
) -> None:
    assert made(scored[:fewest], customers, format, tmp_path).rows == fewest
    with pytest.raises(NotEnoughData) as caught:
        made(scored[: fewest - 1], customers, format, tmp_path)
    assert str(fewest) in caught.value.message("zh").replace(",", "")


def test_phones_become_e164_by_own_country_then_region() -> None:
    texts = pd.Series(["(212) 736-5000", "+86 10 6552 9988", "10 6552 9988", "12", "", None, "=1+1"])
    countries = pd.Series(["US", "", "CN", "US", "US", "", ""])
    assert phones(texts, countries, None).tolist() == ["+12127365000", "+861065529988", "+861065529988", "", "", "", ""]
    assert phones(pd.Series(["212 736 5000"]), pd.Series([""]), "us").tolist() == ["+12127365000"]


def test_countries_are_known_by_code_and_by_name_in_both_languages() -> None:
    assert country_codes(pd.Series(["de", " Germany", "德国", "UK", "Atlantis", None])).tolist() == ["DE"] * 3 + [
        "GB",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("US", ("USA", "usa", "U.S.", "U.S.A.", "United States of America", "the United States", "美国", "840")),
        ("GB", ("GBR", "gb", "U.K.", "Great Britain", "united  kingdom", "英国")),
        ("DE", ("DEU", "Deutschland", "德国")),
        ("HK", ("HKG", "Hong Kong", "Hong Kong SAR China", "香港", "中国香港特别行政区")),
        ("CH", ("CHE", "Schweiz", "Suisse", "Svizzera")),
        ("NL", ("NLD", "Nederland", "The Netherlands", "Holland")),
        ("TR", ("TUR", "Turkey", "Türkiye")),
        ("", ("ZZ", "XX", "SU", "Europe", "Atlantis", "")),
    ],
)
def test_countries_are_known_by_long_codes_and_the_names_people_write(code: str, names: tuple[str, ...]) -> None:
    assert country_codes(pd.Series(names)).tolist() == [code] * len(names)


@pytest.mark.parametrize("region", ("GB", "gb", "UK", "GBR", "Great Britain", " 英国 "))
def test_the_region_of_phone_numbers_is_a_code_or_a_name(region: str) -> None:
    assert phones(pd.Series(["020 7183 8750"]), pd.Series([""]), region).tolist() == ["+442071838750"]


@pytest.mark.parametrize("region", ("ZZ", "XX", "Atlantis", "AQ"))
def test_a_region_that_is_no_country_is_refused_in_words(region: str, scored: pd.DataFrame, tmp_path: Path) -> None:
    people = pd.DataFrame({"customer_id": scored["customer_id"], "phone": "020 7183 8750", "consent": "yes"})
    with pytest.raises(UsageError) as caught:
        made(scored, people, "google_customer_match", tmp_path, region=region)
    assert region in caught.value.message("zh") and not list(tmp_path.iterdir())


def test_a_preview_counts_the_countries_that_are_not_known(scored: pd.DataFrame) -> None:
    where = ["Germany", "Atlantis", "atlantis", "", "Mordor"]
    people = pd.DataFrame({"customer_id": scored["customer_id"].head(5), "country": where, "consent": "yes"})
    people = people.assign(email=[f"p{n}@b.de" for n in range(5)])
    found = preview(scored, "google_customer_match", Contacts(people))
    assert found.rows == 5 and found.unknown_countries == {"Atlantis": 1, "atlantis": 1, "Mordor": 1}
    assert found.to_json("en")["unknown_countries"] == found.unknown_countries


def test_what_cannot_be_an_address_is_no_address() -> None:
    assert emails(pd.Series(["a@b", "@b.c", "a b@c.de", "=1+1", "A.B+c@d-e.co.uk", None])).tolist() == [
        "", "", "", "", "a.b+c@d-e.co.uk", "",
    ]  # fmt: skip


def test_contacts_need_unique_ids(scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        made(scored, customers.drop(columns="Customer_ID"), "hubspot", tmp_path)
    assert caught.value.code == "contacts_no_id"
    with pytest.raises(Refused) as caught:
        made(scored, pd.concat([customers, customers[:1]]), "hubspot", tmp_path)
    assert caught.value.params == {"rows": 1, "customer": "00000"}


def test_large_lists_are_split_and_lose_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Email": [f"person{i}@example.org" for i in range(5000)], "note": 'a "quoted"\r\nnote'})
    files = write_csv_parts(frame, tmp_path / "list.csv", largest_file=60_000)
    assert len(files) > 1 and all(file.stat().st_size <= 60_000 for file in files)
    assert [file.name for file in files[:2]] == ["list-1.csv", "list-2.csv"]
    again = pd.concat([pd.read_csv(io.BytesIO(file.read_bytes()), dtype="str") for file in files], ignore_index=True)
    assert again["Email"].tolist() == frame["Email"].tolist()


def test_a_list_of_more_rows_than_a_platform_reads_is_split(tmp_path: Path) -> None:
    scored, people = few(email=[f"p{i}@example.org" for i in range(11)])
    files = write_csv_parts(people[["email"]], tmp_path / "list.csv", None, most_rows=4)
    rows = [read(file) for file in files]
    assert [len(part) for part in rows] == [3, 3, 3, 2]
    assert [row["email"] for part in rows for row in part] == people["email"].tolist()
    # HubSpot: 512 MB and 1,048,576 rows a file, its header among them (knowledge.hubspot.com, set up import files).
    assert (EXPORTS["hubspot"].largest_file, EXPORTS["hubspot"].most_rows) == (512_000_000, 1_048_575)
    assert (EXPORTS["tiktok"].largest_file or 0) < 1_000_000_000


def test_no_part_of_an_earlier_list_stays_beside_a_smaller_one(
    scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays = {"list-99.csv", "list-of-mine.csv"}
    for name in stays:
        (tmp_path / name).write_text("mine")
    for most, expected in (
        (20_000, None),
        (50_000, None),
        (50_000_000, {"list.csv", "list.csv.json"}),
        (50_000, None),
        (50_000_000, {"list.csv", "list.csv.json"}),
    ):
        smaller = dataclasses.replace(EXPORTS["klaviyo"], largest_file=most)
        monkeypatch.setitem(EXPORTS, "klaviyo", smaller)
        result = export(scored, "klaviyo", tmp_path / "list.csv", side=SIDE, contacts=Contacts(customers))
        left = {path.name for path in tmp_path.iterdir()} - stays
        assert left == {path.name for path in (*result.files, result.side_file)} and expected in (None, left)
        assert (len(result.files) > 1) == (expected is None)


@pytest.mark.parametrize("format", EXPORTS)
def test_every_format_says_what_it_is_and_is_logged(
    scored: pd.DataFrame, customers: pd.DataFrame, format: str, tmp_path: Path
) -> None:
    entry = EXPORTS[format]
    customers["Phone Number"] = [f"138{row:08}" for row in range(len(customers))]
    customers["country"] = "China"
    contacts = Contacts(customers) if entry.needs_contacts else None
    result = export(scored, format, tmp_path / f"list{entry.suffix}", side=SIDE, contacts=contacts)
    record = json.loads(result.side_file.read_text(encoding="utf-8"))
    assert record["rows"] == 1200 and record["format"] == format and record["files"] == [f"list{entry.suffix}"]
    assert {
        "cutoff": "1998-07-01",
        "horizon_days": 182,
        "model": "shop-hybrid-1",
        "currency": "EUR",
    }.items() <= record.items()
    workspace = Workspace(tmp_path / "workspace")
    log_export(workspace, result, format, SIDE)
    log_export(workspace, result, format, SIDE)
    lines = [json.loads(line) for line in (workspace.exports / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2 and lines[1]["rows"] == 1200 and {"who", "made", "format", "segment"} <= set(lines[1])
    assert has(f"export.{format}", "en") and has(f"export.{format}", "zh")


def ids(rows: list[dict[str, str]]) -> set[str]:
    return {row["customer_id"] for row in rows}


def few(**columns: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of a few customers, and their contacts: everybody agreed where nothing else is said."""
    people = pd.DataFrame(columns)
    people = people.assign(customer_id=[f"c{row}" for row in range(len(people))])
    people = people if "consent" in people else people.assign(consent="yes")
    return people[["customer_id"]].assign(predicted_clv=[9.0 - row for row in range(len(people))]), people


def test_who_shares_an_address_with_somebody_who_did_not_agree_is_left_out_too(tmp_path: Path) -> None:
    scored, people = few(
        email=["u4@x.com", "U4@X.com ", "b@x.com", "c@x.com", "d@x.com"],
        phone=["", "", "020 7183 8750", "+44 20 7183 8750", ""],
        consent=["no", "yes", "", "yes", "yes"],
    )
    result = made(scored, people, "hubspot", tmp_path, region="GB")
    assert ids(read(result.files[0])) == {"c4"} and result.left_out == {"no_consent": 2, "shared_contact": 2}
    with pytest.raises(NotEnoughData):
        made(scored[:4], people.assign(consent="yes"), "hubspot", tmp_path, region="GB", suppressed=["c0", "c2"])


def test_somebody_outside_the_list_who_did_not_agree_holds_the_address_too(tmp_path: Path) -> None:
    scored, people = few(email=["a@x.com", "b@x.com", "A@x.com"], consent=["yes", "yes", "no"])
    result = made(scored[:2], people, "hubspot", tmp_path)
    assert ids(read(result.files[0])) == {"c1"} and result.left_out == {"shared_contact": 1}


def test_a_phone_number_of_everybody_is_taken_out_of_the_list_and_the_customers_are_not(tmp_path: Path) -> None:
    scored, people = few(
        email=[f"{row}@x.com" for row in range(8)], phone=["+14155552671"] * 8, consent=["no"] + ["yes"] * 7
    )
    result = made(scored, people, "hubspot", tmp_path)
    rows = read(result.files[0])
    assert len(rows) == 7 and {row["Phone Number"] for row in rows} == {""} and result.unread == {}
    assert [(one.code, one.params["customers"]) for one in result.notes] == [("warning.phones_crowded", 7)]


@pytest.mark.parametrize("word", ["+8613800138001", "138-0013-8001", "0086 138 0013 8001", "8613800138001"])
def test_a_phone_number_on_a_list_of_the_moment_leaves_its_customer_out(tmp_path: Path, word: str) -> None:
    scored, people = few(email=["a@x.com", "b@x.com"], phone=["13800138000", "13800138001"])
    for region in (None, "CN"):
        result = made(scored, people, "hubspot", tmp_path, region=region, suppressed=[word])
        assert ids(read(result.files[0])) == {"c0"} and result.left_out == {"suppressed": 1}
    generic = export(scored, "csv", tmp_path / "a.csv", side=SIDE, contacts=Contacts(people, suppressed=[word]))
    assert generic.rows == 1 and generic.left_out == {"suppressed": 1}


def test_phones_and_addresses_that_a_spreadsheet_or_an_address_book_touched_are_read() -> None:
    texts = pd.Series(
        [
            "13800138000.0", "138-0013-8000 (王)", "+8613800138000;+8613900139000", "'+86 138 0013 8000",
            "13800138000/13900139000", "010-62345678转8001", "1.3800138E10",
        ]
    )  # fmt: skip
    expected = ["+8613800138000"] * 5 + ["+861062345678", ""]
    assert phones(texts, pd.Series(["CN"] * 7), None).tolist() == expected
    german = phones(pd.Series(["030 / 901820", "0049 30 901820"]), pd.Series(["DE", ""]), None)
    assert german.tolist() == ["+4930901820", "+4930901820"]
    written = ["a@b.co;c@d.co", '"A" <A@b.com>', "mailto:a@b.com", ".a@b.com", "o'neil@b.com"]
    assert emails(pd.Series(written)).tolist() == ["a@b.co", "a@b.com", "a@b.com", "", "o'neil@b.com"]


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
    assert ids(read(made(scored, people, "hubspot", tmp_path).files[0])) == {"c0"}


def test_of_two_columns_for_one_field_the_surer_name_counts() -> None:
    people = pd.DataFrame(
        {"Customer ID": ["a"], "Default Address Phone": [""], "Phone": ["1"], "Accepts Marketing": ["x"]}
    )
    people = people.assign(**{"Email Marketing Consent": "no", "Default Address Province Code": "NY"})
    known = named(people)
    assert known.loc[0, ["phone", "consent", "state"]].tolist() == ["1", "no", "NY"]


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
    found = preview(scored, "hubspot", Contacts(people))
    assert found.rows == len(yes) and found.unknown_consent == {"perhaps": 2, "Perhaps?": 1}


def test_meta_gets_names_places_and_postal_codes_as_it_matches_them(tmp_path: Path) -> None:
    scored, people = few(
        email=["a@x.com", "b@x.com"], first_name=["Anne-Marie ", "Zoë"], last_name=["O’Neil", "De La Cruz"],
        city=["St. Louis", "München"], state=["New  York", "Nordrhein-Westfalen"], zip=["02139-4307", "SW1A 1AA"],
        country=["USA", "GB"],
    )  # fmt: skip
    rows = platforms.meta(reachable(scored, people, ("email",), None, False, ()).customers)
    assert rows.loc[0, ["fn", "ln", "ct", "st", "zip", "country"]].tolist() == [
        digest(word) for word in ("annemarie", "oneil", "stlouis", "ny", "02139", "us")
    ]
    assert rows.loc[1, ["fn", "ln", "ct", "st", "zip"]].tolist() == [
        digest(word) for word in ("zoë", "delacruz", "münchen", "nordrheinwestfalen", "sw1a1aa")
    ]


def test_tiktok_gets_addresses_without_a_tag_with_their_full_stops_and_google_of_its_own_mail_alone() -> None:
    scored, people = few(email=["J.o.h.n.1+promo@mail.gmail.com"])
    customers = reachable(scored, people, ("email",), None, False, ()).customers
    assert platforms.tiktok(customers)["Email_SHA256"].tolist() == [digest("j.o.h.n.1@mail.gmail.com")]
    assert platforms.google(customers)["Email"].tolist() == [digest("j.o.h.n.1+promo@mail.gmail.com")]


def test_klaviyo_says_subscribed_of_addresses_alone(tmp_path: Path) -> None:
    scored, people = few(email=["a@x.com", ""], phone=["", "+442071838750"])
    rows = read(made(scored, people, "klaviyo", tmp_path).files[0])
    assert [row["Email Marketing Consent"] for row in rows] == ["Subscribed", ""]


def test_mailchimp_is_keyed_by_the_address_with_the_code_of_the_country_and_tags(tmp_path: Path) -> None:
    scored, people = few(email=["A@x.com"], phone=["020 7183 8750"], country=["United Kingdom"], first_name=["Ann"])
    [row] = read(made(scored.assign(tier=1), people, "mailchimp", tmp_path).files[0])
    assert list(row)[0] == "Email Address" and row["Email Address"] == "a@x.com" and row["First Name"] == "Ann"
    assert (row["Country"], row["Phone Number"], row["Tags"]) == ("GB", "+442071838750", "CLV tier 1")


def test_klaviyo_gets_the_code_of_a_country_however_it_is_written(tmp_path: Path) -> None:
    written = ["at", "AUT", " Österreich ", "Austria"]
    scored, people = few(email=[f"{name}@x.com" for name in "abcde"], country=[*written, "Atlantis"])
    rows = read(made(scored, people, "klaviyo", tmp_path).files[0])
    assert [row["Country"] for row in rows] == ["AT"] * 4 + ["Atlantis"]


def test_tencent_gets_one_hash_a_line_of_mainland_mobiles_alone(tmp_path: Path) -> None:
    scored, people = few(phone=["+86 138 0013 8000", "+442071838750", "010-62345678", "13800138000"])
    result = made(scored, people, "phone_hashes", tmp_path, region="CN")
    assert result.files[0].read_text().split() == ["7945bd83237335e5376ff44d62e4f0ae"]
    assert result.left_out == {"no_contact": 2, "same_contact": 1}


def test_suppressed_customers_are_in_no_generic_list_either(
    scored: pd.DataFrame, customers: pd.DataFrame, tmp_path: Path
) -> None:
    contacts = Contacts(customers, suppressed=["00007"])
    result = export(scored, "csv", tmp_path / "list.csv", side=SIDE, contacts=contacts)
    assert result.rows == 1199 and result.left_out == {"suppressed": 1}


def test_a_platform_without_contacts_and_an_unknown_format_are_refused(scored: pd.DataFrame, tmp_path: Path) -> None:
    for format, code in (("tiktok", "export_needs_contacts"), ("pigeon", "export_format")):
        with pytest.raises(UsageError) as caught:
            export(scored, format, tmp_path / "list.csv", side=SIDE)
        assert caught.value.code == code and caught.value.message("zh")
    with pytest.raises(ClvError):
        export(scored[:0], "csv", tmp_path / "list.csv", side=SIDE)
    assert list(tmp_path.iterdir()) == []


def test_many_customers_go_out_whole(tmp_path: Path) -> None:
    n = 5_000
    rng = np.random.default_rng(0)
    ids = pd.Series([f"{i:06}" for i in range(n)])
    scored = pd.DataFrame({"customer_id": ids, "predicted_clv": rng.lognormal(3, 1, n), "p_purchase": rng.random(n)})
    customers = pd.DataFrame(
        {"customer_id": ids, "email": ids + "@example.org", "phone": "+4420718" + ids.str[1:], "consent": "yes"}
    )
    assert made(scored, customers, "google_customer_match", tmp_path).rows == n
