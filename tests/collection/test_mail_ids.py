"""A customer who is an e-mail address is one, however it is written: in a log, the next one, and a table beside it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from clv_core.collection.append import append
from clv_core.collection.customers import Roles, read_customers
from clv_core.collection.files.text_table import read_text_table
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset
from clv_core.collection.values.id_texts import folded, folded_sql, folded_texts
from clv_core.collection.values.pseudonyms import load_key, pseudonym
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

SPELT = ["Ann@Shop.example", "ann@shop.example", "ANN@SHOP.EXAMPLE", "bob@shop.example", "AB12", "ab12"]
CUSTOMERS = {"ann@shop.example", "bob@shop.example", "AB12", "ab12"}


def log(folder: Path, ids: list[str], month: int) -> Path:
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
    manifest = ingest(workspace, log(tmp_path, SPELT, 1), "shop", pseudonymise=hashed)
    assert manifest.customers == len(CUSTOMERS)
    known = set(pd.read_parquet(open_dataset(workspace, "shop").events_path)["customer_id"])
    assert known == ({pseudonym(load_key(workspace), one) for one in CUSTOMERS} if hashed else CUSTOMERS)
    said = {warning["code"]: warning["params"] for warning in manifest.warnings}
    counts = {"column": "customer", "customers": 1, "spellings": 3, "capitals": 1}
    assert said["warning.spelt_mails"] == counts and "warning.mails_lowered" not in said
    assert "ann@" not in str(said).lower()
    later = append(workspace, "shop", log(tmp_path, ["aNN@shop.example", "Bob@Shop.Example"], 2))
    assert later.customers == len(CUSTOMERS)


def test_addresses_with_capitals_and_of_one_spelling_each_are_told_too(workspace: Workspace, tmp_path: Path) -> None:
    for ids, code in (
        (["Ann@a.example", "bob@a.example"], {"warning.mails_lowered"}),
        (["ann@a.example", "bob@a.example"], set()),
    ):
        manifest = ingest(workspace, log(tmp_path, ids * 3, 1), "shop")
        assert {one["code"] for one in manifest.warnings} & {"warning.mails_lowered", "warning.spelt_mails"} == code


def test_a_table_in_other_case_is_of_the_same_customers(workspace: Workspace, tmp_path: Path) -> None:
    ingest(workspace, log(tmp_path, SPELT, 1), "shop")
    table = tmp_path / "people.csv"
    table.write_text("customer_id,age\nANN@shop.example,30\nBob@SHOP.example,40\nAB12,50\n", encoding="utf-8")
    roles = Roles(static=("age",))
    reading = read_customers(table, open_dataset(workspace, "shop"), roles, tmp_path, NoProgress())
    assert (reading.match.customers, reading.match.matched) == (3, 3)
    key = b"k" * 32
    hidden, _ = read_text_table(table, key)
    assert list(hidden["customer_id"]) == [
        pseudonym(key, one) for one in ("ann@shop.example", "bob@shop.example", "AB12")
    ]
