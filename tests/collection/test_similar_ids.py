"""Ids that spreadsheets, keyboards and exports write in several ways are one customer each, in and between files."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.append import append
from clv_core.collection.customers import Roles, read_customers
from clv_core.collection.ingest import ingest
from clv_core.collection.privacy.erased import LEDGER
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.erasing.erase import erase
from clv_core.errors import NeedsAnswer, Refused
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(4)

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


def codes(manifest: Manifest) -> set[str]:
    return {item["code"].removeprefix("warning.") for item in manifest.warnings}


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
@pytest.mark.parametrize("form", ["{:08}", "Ab{}", "9" * 15 + "{}", "K{}.5"])
def test_ids_in_one_spelling_stay_as_they_are(tmp_path: Path, form: str) -> None:
    manifest = ingest(
        Workspace(tmp_path / "ws"), log(tmp_path, "a.csv", lambda person, _: form.format(person + 1001)), "shop"
    )
    assert ids(Workspace(tmp_path / "ws")) == {form.format(person + 1001) for person in range(PEOPLE)}
    assert not codes(manifest) & {"ids_merged", "odd_ids"}


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
    assert made.customers == appended.customers == PEOPLE and "ids_merged" in codes(made) & codes(appended)
    assert ids(together) == ids(later) == {str(person + 1001) for person in range(PEOPLE)}


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
    ingest(
        workspace,
        log(tmp_path, "a.csv", lambda who, order: f"{who + 1001:08}" if order % 2 else f"{who + 1001}"),
        "shop",
    )
    table = tmp_path / "people.csv"
    table.write_text("customer_id,age\n" + "".join(f"{who + 1001:08}.0,3{who % 10}\n" for who in range(PEOPLE)))
    found = read_customers(table, open_dataset(workspace, "shop"), Roles(static=("age",)), tmp_path, NoProgress())
    assert found.match.matched == PEOPLE
