"""Who a customer is: the person who comes back, in any spelling of her id or address."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from clv_core.collection.customers import read_customers
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.parse.id_texts import folded, folded_sql, folded_texts, load_key, pseudonym
from clv_core.collection.privacy.erased_customers import LEDGER
from clv_core.collection.read.text_table import read_text_table
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset
from clv_core.erasure.erase import erase
from clv_core.errors import NeedsAnswer, Refused
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.collection.small_logs import read_lines, warnings

pytestmark = pytest.mark.first(13)

SPELT = ["Ann@Shop.example", "ann@shop.example", "ANN@SHOP.EXAMPLE", "bob@shop.example", "AB12", "ab12"]

CUSTOMERS = {"ann@shop.example", "bob@shop.example", "AB12", "ab12"}


def mail_log(folder: Path, ids: list[str], month: int) -> Path:
    file = folder / f"log{month}.csv"
    rows = [f"{who},2024-{month:02}-{day:02},{day}.50" for day, who in enumerate(ids, 1)]
    file.write_text("\n".join(["customer,date,amount", *rows]), encoding="utf-8")
    return file


@given(some.lists(some.one_of(some.none(), some.text("AaZzİßΣÉ@-1 ", max_size=8)), min_size=1))
def test_python_pandas_and_the_engine_fold_alike(words: list[str | None]) -> None:
    expected = [word if word is None else folded(word) for word in words]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (place INTEGER, word VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [[at, word] for at, word in enumerate(words)])
        found = connection.execute(f"SELECT {folded_sql('word')} FROM t ORDER BY place").fetchall()
    assert [row[0] for row in found] == expected
    series = folded_texts(pd.Series(words, dtype="str"))
    assert [None if pd.isna(word) else word for word in series] == expected
    for word in filter(None, words):
        word = word if word.isascii() else word.strip(" ")  # beside a sign that is left out a blank may be, too
        assert folded(word) == ("".join(c.lower() if c.isascii() else c for c in word) if "@" in word else word)


@pytest.mark.parametrize("hashed", [False, True])
def test_spellings_of_an_address_are_one_customer_and_other_ids_keep_their_case(
    workspace: Workspace, tmp_path: Path, hashed: bool
) -> None:
    manifest = ingest(workspace, mail_log(tmp_path, SPELT, 1), "shop", pseudonymise=hashed)
    assert manifest.customers == len(CUSTOMERS)
    known = set(pd.read_parquet(open_dataset(workspace, "shop").events_path)["customer_id"])
    assert known == ({pseudonym(load_key(workspace), one) for one in CUSTOMERS} if hashed else CUSTOMERS)
    later = append(workspace, "shop", mail_log(tmp_path, ["aNN@shop.example", "Bob@Shop.Example"], 2))
    assert later.customers == len(CUSTOMERS)


PEOPLE = 12


def wide(word: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) for sign in word)


def log(folder: Path, name: str, who: Callable[[int, int], str], *, month: int = 1, orders: int = 4) -> Path:
    """Write a log in which each of the people buys several times; ``who`` names a person in an order."""
    rows = [
        f"{who(person, order)},2024-{month:02}-{order + 1:02}T10:00:00,{person + 1}.50,o{month}-{person}-{order}"
        for order in range(orders)
        for person in range(PEOPLE)
    ]
    path = folder / name
    path.write_text("\n".join(["customer_id,event_time,amount,order_id", *rows]) + "\n", encoding="utf-8")
    return path


def ids(workspace: Workspace, name: str = "shop") -> set[str]:
    return set(pd.read_parquet(open_dataset(workspace, name).events_path)["customer_id"])


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("one", "other", "read"),
    [
        ("{}", "{}.0", "{}"),
        ("K{}", "wide", "K{}"),
        ("K{}", "K{}\u200b", "K{}"),
        ("K {}", "K\u00a0{}", "K {}"),
        (unicodedata.normalize("NFD", "José{}"), "José{}", "José{}"),
        ("K{}", "k{}", "K{}"),
        ("{}", "{:08}", "{}"),
        ("A{}", "A {}", "A{}"),
        ("C-{}", "C-{:06}", "C-{}"),
    ],
)
def test_one_customer_in_two_spellings_is_one(tmp_path: Path, one: str, other: str, read: str) -> None:
    """Whoever bought four times has four rows under one id, as the first spelling is (composed, without marks)."""

    def who(person: int, order: int) -> str:
        first = one.format(person + 1001)
        second = wide(first) if other == "wide" else other.format(person + 1001)
        return second if order % 2 and person else first

    manifest = ingest(Workspace(tmp_path / "ws"), log(tmp_path, "a.csv", who), "shop")
    assert manifest.customers == PEOPLE
    assert ids(Workspace(tmp_path / "ws")) == {read.format(person + 1001) for person in range(PEOPLE)}


@pytest.mark.examples(3)
@pytest.mark.parametrize("form", ["{:08}", "Ab{}", "9" * 15 + "{}", "K{}.5", "+49 170 5550{}", "{0}-1{0}"])
def test_ids_in_one_spelling_stay_as_they_are(tmp_path: Path, form: str) -> None:
    file = log(tmp_path, "a.csv", lambda person, _: form.format(person + 1001))
    manifest = ingest(Workspace(tmp_path / "ws"), file, "shop")
    assert ids(Workspace(tmp_path / "ws")) == {form.format(person + 1001) for person in range(PEOPLE)}
    assert not warnings(manifest).keys() & {"ids_merged", "odd_ids"}


def test_ids_whose_capitals_mean_something_are_asked_about(tmp_path: Path) -> None:
    """Ab and aB are of one form: a system that makes both tells its customers by capitals."""
    names = ["Ab1", "aB1", "Ab2", "aB2", "Ab3", "aB3", "Cd1", "Cd2", "Cd3", "Cd4", "Cd5", "Cd6"]
    file, workspace = log(tmp_path, "a.csv", lambda person, _: names[person]), Workspace(tmp_path / "ws")
    with pytest.raises(NeedsAnswer) as asked:
        ingest(workspace, file, "shop")
    assert asked.value.code == "similar_ids"
    assert (asked.value.params["separate"], asked.value.params["merged"]) == (12, 9)
    assert ingest(workspace, file, "shop", similar_ids="separate").customers == 12
    assert ingest(workspace, file, "shop", similar_ids="merge").customers == 9


def test_spellings_of_two_files_are_one_customer_together_and_in_an_append(tmp_path: Path) -> None:
    plain = log(tmp_path, "a.csv", lambda person, _: str(person + 1001))
    padded = log(tmp_path, "b.csv", lambda person, _: f"{person + 1001:08}", month=2)
    together, later = Workspace(tmp_path / "one"), Workspace(tmp_path / "two")
    made = ingest(together, [plain, padded], "shop")
    ingest(later, plain, "shop")
    appended = append(later, "shop", padded)
    assert made.customers == appended.customers == PEOPLE
    assert "ids_merged" in warnings(made) and "ids_merged" in warnings(appended)
    assert ids(together) == ids(later) == {str(person + 1001) for person in range(PEOPLE)}


def orders(other: str, values: list[str]) -> list[str]:
    """Return a log in which each order has a customer id of its own, and ``other`` says who it truly was."""
    lines = [f"order_id,customer_id,{other},order_date,amount"]
    return lines + [f"o{at},k{at},{value},2024-03-{at % 28 + 1:02},{at + 5}" for at, value in enumerate(values)]


@pytest.mark.parametrize("other", ["customer_unique_id", "email", "account"])
def test_an_id_of_each_order_is_asked_about_where_another_one_returns(tmp_path: Path, other: str) -> None:
    lines = orders(other, [f"a{at % 23}@example.com" for at in range(60)])
    with pytest.raises(NeedsAnswer, match=f'--map "customer_id={other}"') as caught:
        read_lines(tmp_path, lines)
    assert caught.value.code == "customer_once"
    assert read_lines(tmp_path, lines, mapping={"customer_id": other})[0].customers == 23
    assert read_lines(tmp_path, lines, mapping={"customer_id": "customer_id"})[0].customers == 60


def grouped(other: str, value: Callable[[int], str], *, ids: int = 60) -> list[str]:
    """Return a log of ids that return, each with one value of another column."""
    lines = [f"id,distinct_id,{other},order_date,amount"]
    return lines + [
        f"o{at},K{at * 7 % ids + 100},{value(at * 7 % ids)},2024-{at % 9 + 1:02}-{at % 28 + 1:02},{at % 50 + 5}.5"
        for at in range(4 * ids)
    ]


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("other", "value"),
    [
        ("person_id", lambda at: str(7000 + at // 2)),
        ("x7", lambda at: f"K{at // 2 + 500}"),
        ("account_email", lambda at: f"a{at // 2}@example.com"),
    ],
)
def test_an_id_that_groups_the_customers_is_asked_about(
    tmp_path: Path, other: str, value: Callable[[int], str]
) -> None:
    lines = grouped(other, value)
    with pytest.raises(NeedsAnswer) as caught:
        read_lines(tmp_path, lines, mapping={})
    params = caught.value.params
    assert (caught.value.code, params["ids"], params["people"]) == ("customers_grouped", 60, 30)
    assert [item["answers"] for item in params["readings"]] == [
        {"mapping": {"customer_id": other}},
        {"mapping": {"customer_id": "distinct_id"}},
    ]
    assert read_lines(tmp_path, lines, mapping={"customer_id": other})[0].customers == 30
    assert read_lines(tmp_path, lines, mapping={"customer_id": "distinct_id"})[0].customers == 60


def test_an_id_that_became_another_one_is_asked_about(tmp_path: Path) -> None:
    lines = grouped("merged_into", lambda at: f"K{at + 99}" if at % 3 == 1 else "")
    with pytest.raises(NeedsAnswer) as caught:
        read_lines(tmp_path, lines)
    assert caught.value.code == "customers_grouped" and caught.value.params["people"] == 40
    option = caught.value.params["columns"][0]
    assert read_lines(tmp_path, lines, mapping={"customer_id": option})[0].customers == 40


@pytest.mark.examples(4)
@pytest.mark.parametrize(
    ("other", "value"),
    [
        ("city", lambda at: f"Town{at % 30}"),
        ("postcode", lambda at: str(10000 + at // 2)),
        ("customer_postcode", lambda at: f"K{10000 + at // 2}"),
        ("user_score", lambda at: str(40 + at // 2)),
        ("household_income", lambda at: str(40000 + 500 * (at // 2))),
        ("sales_rep", lambda at: f"K{at % 5}"),
        ("club", lambda at: f"K{at // 4 + 500}"),
        ("customer_segment", lambda at: f"K{at // 2 + 500}"),
        ("loyalty_card", lambda at: f"K{at + 500}"),
        ("customer_name", lambda at: f"Ann Bell{at // 2}"),
        ("discount_code", lambda at: f"SUM{at // 2}"),
        ("first_order", lambda at: f"2023-{at % 9 + 1:02}-{at // 2 % 28 + 1:02}"),
    ],
)
def test_what_is_said_of_customers_is_no_other_id_of_theirs(
    tmp_path: Path, other: str, value: Callable[[int], str]
) -> None:
    manifest, *_ = read_lines(tmp_path, grouped(other, value))
    assert (manifest.mapping["customer_id"], manifest.customers) == ("distinct_id", 60)


def test_an_id_that_differs_between_the_rows_of_a_customer_is_no_group(tmp_path: Path) -> None:
    lines = [f"{line},{'person_id' if at == 0 else f'p{at % 37}'}" for at, line in enumerate(orders_of("K", 60))]
    assert read_lines(tmp_path, lines)[0].customers == 60


def orders_of(prefix: str, ids: int) -> list[str]:
    """Return a log of ids that return."""
    return ["order_id,distinct_id,order_date,amount"] + [
        f"o{at},{prefix}{at % ids},2024-{at % 9 + 1:02}-{at % 28 + 1:02},{at % 50 + 5}.5" for at in range(4 * ids)
    ]


def test_guests_with_a_number_of_their_own_are_customers_and_give_way_to_a_surer_id(tmp_path: Path) -> None:
    lines = ["stay,Guest Id,date,amount", *(f"s{at},{at % 23},2024-03-{at % 28 + 1:02},{at + 5}" for at in range(60))]
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.mapping["customer_id"] == "Guest Id" and manifest.customers == 23
    both = [f"{line},{'customer_id' if at == 0 else f'c{at % 17}'}" for at, line in enumerate(lines)]
    manifest, *_ = read_lines(tmp_path, both)
    assert manifest.mapping["customer_id"] == "customer_id" and manifest.customers == 17


def test_a_shop_where_people_come_back_keeps_its_ids(tmp_path: Path) -> None:
    lines = [line.replace(f",k{at},", f",k{at % 41},") for at, line in enumerate(orders("email", ["a@x.com"] * 60), -1)]
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.mapping["customer_id"] == "customer_id" and manifest.customers == 41


def guests(word: str, emails: bool) -> list[str]:
    lines = ["order_id,customer_id,order_date,amount" + (",contact" if emails else "")]
    for at in range(60):
        guest, email = at % 3 == 0, f"Guest{at % 9}@Example.com" if at % 3 == 0 else f"c{at % 7}@example.com"
        line = f"o{at},{word if guest else 100 + at % 7},2024-03-{at % 28 + 1:02},{at + 5}"
        lines.append(f"{line},{email}" if emails else line)
    return lines


@pytest.mark.examples(2)
@pytest.mark.parametrize("word", ["0", "Guest", "游客"])
def test_guests_of_one_id_are_told_apart_by_their_addresses(tmp_path: Path, word: str) -> None:
    manifest, events, warned = read_lines(tmp_path, guests(word, True))
    kept = set(events["customer_id"])
    assert {f"guest{at}@example.com" for at in (0, 3, 6)} <= kept and word not in kept and len(kept) == 3 + 7
    assert warned["guests_by_email"]["rows"] == 20 and manifest.rows_set_aside == 0


@pytest.mark.examples(2)
@pytest.mark.parametrize("word", ["anonymous", "Walk-in Customer", "CONSUMIDOR FINAL", "散客"])
def test_guests_without_an_address_are_set_aside(tmp_path: Path, word: str) -> None:
    manifest, events, warned = read_lines(tmp_path, guests(word, False))
    assert manifest.rows_set_aside == 20 and warned["guests_nameless"]["rows"] == 20
    assert word not in set(events["customer_id"])


def test_a_customer_called_0_is_no_guest_where_nothing_says_so(tmp_path: Path) -> None:
    manifest, events, warned = read_lines(tmp_path, guests("0", False))
    assert manifest.rows_set_aside == 0 and "0" in set(events["customer_id"])


def test_a_table_in_other_case_is_of_the_same_customers(workspace: Workspace, tmp_path: Path) -> None:
    ingest(workspace, mail_log(tmp_path, SPELT, 1), "shop")
    table = tmp_path / "people.csv"
    table.write_text("customer_id,age\nANN@shop.example,30\nBob@SHOP.example,40\nAB12,50\n", encoding="utf-8")
    roles = Roles(static=("age",))
    reading = read_customers(table, open_dataset(workspace, "shop"), roles, tmp_path, NoProgress())
    assert (reading.match.customers, reading.match.matched) == (3, 3)
    key = b"k" * 32
    hidden, _ = read_text_table(table, key)
    assert list(hidden["customer_id"]) == [pseudonym(key, one) for one in (SPELT[1], SPELT[3], SPELT[4])]


def test_pseudonyms_of_two_spellings_are_one(tmp_path: Path) -> None:
    file = log(tmp_path, "a.csv", lambda person, order: f"{'K' if order % 2 else 'k'}{person + 1001}")
    workspace = Workspace(tmp_path / "ws")
    assert ingest(workspace, file, "shop", pseudonymise=True).customers == PEOPLE
    padded = log(tmp_path, "b.csv", lambda person, _: f"K{person + 1001}", month=2)
    assert append(workspace, "shop", padded).customers == PEOPLE
    assert sum(erase(workspace, ["K1003"], progress=NoProgress()).customers.values()) == 1
    assert len(ids(workspace)) == PEOPLE - 1


@pytest.mark.parametrize("word", ["00001003", "1003"])
def test_who_is_erased_in_any_spelling_is_gone_and_does_not_come_back(tmp_path: Path, word: str) -> None:
    workspace = Workspace(tmp_path / "ws")
    both = log(tmp_path, "a.csv", lambda person, order: f"{person + 1001:08}" if order % 2 else f"{person + 1001}")
    ingest(workspace, both, "shop")
    erase(workspace, [word], progress=NoProgress())
    assert ids(workspace) == {str(person + 1001) for person in range(PEOPLE) if person != 2}
    assert (workspace.root / LEDGER).exists()
    appended = append(workspace, "shop", log(tmp_path, "b.csv", lambda person, _: f"{person + 1001:08}", month=3))
    assert appended.customers == PEOPLE - 1


def test_ids_that_a_spreadsheet_has_rounded_are_refused(tmp_path: Path) -> None:
    file = log(tmp_path, "a.csv", lambda person, _: f"{490_008_000_000 + 200_000 * person:.5E}")
    with pytest.raises(Refused) as refused:
        ingest(Workspace(tmp_path / "ws"), file, "shop")
    assert refused.value.code == "ids_rounded" and refused.value.params["rows"] == 4 * PEOPLE


def test_a_table_of_customers_is_held_against_the_log_in_any_spelling(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    both = log(tmp_path, "a.csv", lambda who, order: f"{who + 1001:08}" if order % 2 else f"{who + 1001}")
    ingest(workspace, both, "shop")
    table = tmp_path / "people.csv"
    table.write_text("customer_id,age\n" + "".join(f"{who + 1001:08}.0,3{who % 10}\n" for who in range(PEOPLE)))
    found = read_customers(table, open_dataset(workspace, "shop"), Roles(static=("age",)), tmp_path, NoProgress())
    assert found.match.matched == PEOPLE
