"""Keyed hashes: SQL against Python's hmac, and a key that is kept apart, made once, and not mixed up."""

from __future__ import annotations

import hashlib
import hmac
import stat
import unicodedata
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append, combine
from clv_core.collection.parse.id_texts import fingerprint_of, key_path, load_key, pseudonym, pseudonym_sql
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import Refused
from clv_core.workspace import Workspace
from tests.collection.test_ledgers import report

pytestmark = pytest.mark.first(6)

BLANK = "' '"
TEXTS = ["c1", "用户42", "a" * 63, "b" * 64, "x" * 5000, "o'brien \\x41 {a}", "é", "e\u0301", "\U0001f600", "0", "007"]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("CLV_KEY_FILE", raising=False)
    return Workspace(tmp_path / "workspace")


@pytest.mark.parametrize("key", [bytes(32), bytes(range(32)), b"long" * 40], ids=["zeros", "range", "long"])
def test_the_hash_is_python_s_hmac_in_both_languages(key: bytes) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest($1) AS id", [TEXTS])
        found = dict(connection.execute(f"SELECT id, {pseudonym_sql(key, 'id')} FROM t").fetchall())
    composed = {text: unicodedata.normalize("NFC", text).encode() for text in TEXTS}
    wanted = {text: hmac.new(key, plain, hashlib.sha256).hexdigest() for text, plain in composed.items()}
    assert found == wanted == {text: pseudonym(key, text) for text in TEXTS}


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=90), min_size=1))
def test_any_text_has_one_hash(texts: list[str]) -> None:
    key = bytes(range(32))
    with duckdb.connect() as connection:
        query = f"SELECT coalesce({pseudonym_sql(key).format(column='id')}, '') FROM (SELECT unnest($1) AS id)"
        found = [row[0] for row in connection.execute(query, [texts]).fetchall()]
    assert found == [pseudonym(key, text) for text in texts]


def test_blanks_around_do_not_count_and_nothing_stays_nothing() -> None:
    key = bytes(32)
    assert pseudonym(key, " \u3000c1\t") == pseudonym(key, "c1") and pseudonym(key, "C1") != pseudonym(key, "c1")
    assert pseudonym(key, "") == pseudonym(key, " \u00a0") == ""
    with duckdb.connect() as connection:
        query = f"SELECT {pseudonym_sql(key, 'NULL::VARCHAR')}, {pseudonym_sql(key, BLANK)}"
        assert connection.execute(query).fetchone() == (None, None)


def test_the_key_is_made_once_beside_the_workspace_for_its_owner_only(workspace: Workspace) -> None:
    key = load_key(workspace)
    path = key_path(workspace)
    assert len(key) == 32 and load_key(workspace) == key == load_key(workspace, fingerprint_of(key))
    assert workspace.root not in path.parents and path.parent == workspace.root.parent
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert fingerprint_of(key) not in key.hex()


def test_another_place_can_be_named(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLV_KEY_FILE", str(tmp_path / "vault" / "key"))
    load_key(workspace)
    assert (tmp_path / "vault" / "key").exists() and not (tmp_path / "workspace.key").exists()


def test_a_key_that_is_gone_other_or_broken_is_an_error_and_never_made_anew(workspace: Workspace) -> None:
    with pytest.raises(Refused) as gone:
        load_key(workspace, "0123456789ab")
    assert gone.value.code == "key_missing" and not key_path(workspace).exists()
    load_key(workspace)
    with pytest.raises(Refused) as other:
        load_key(workspace, "0123456789ab")
    assert other.value.code == "key_other"
    for content in ("short", "ab" * 8, ""):
        key_path(workspace).write_text(content)
        with pytest.raises(Refused) as broken:
            load_key(workspace)
        assert broken.value.code == "key_unreadable"


PEOPLE = [
    (f"user-{i:04}", f"u{i}@mail.example", f"+49 151 {i:07}", f"10.0.{i % 9}.{i}", f"Ann{i} Lee") for i in range(40)
]
HEAD = "customer_id,event_time,amount,Email,contact phone,src,客户姓名,copy,colour\n"


def secret_log(folder: Path, name: str = "log.csv", month: int = 1, extra: str = "") -> Path:
    path = folder / name
    rows = [
        f"{who},2024-{month:02}-{1 + i % 28:02},{i}.5,{mail},{phone},{ip},{person},{who},red"
        for i, (who, mail, phone, ip, person) in enumerate(PEOPLE)
    ]
    broken = f"{PEOPLE[3][0]},2024-01-05,5,{PEOPLE[3][1]},a,b,c,d,e,f,g,h,{PEOPLE[4][0]}"
    bad = f"{PEOPLE[5][0]},never,1,{PEOPLE[5][1]},{PEOPLE[5][2]},{PEOPLE[5][3]},{PEOPLE[5][4]},{PEOPLE[5][0]},red"
    path.write_text(HEAD + "\n".join([*rows, broken, bad]) + "\n" + extra, encoding="utf-8")
    return path


def everything(folder: Path) -> str:
    """Return all that a dataset's folder holds as one text, Parquet decoded."""
    texts = []
    with duckdb.connect() as connection:
        for path in sorted(folder.rglob("*")):
            if path.suffix == ".parquet":
                texts.append(str(connection.execute(f"SELECT * FROM '{path}'").fetchall()))
            if path.is_file():
                texts.append(path.read_bytes().decode("utf-8", errors="replace"))
    return "\n".join(texts)


def test_no_id_and_no_contact_is_left_anywhere_in_the_dataset(workspace: Workspace, tmp_path: Path) -> None:
    manifest = ingest(workspace, secret_log(tmp_path), "log", pseudonymise=True)
    append(workspace, "log", secret_log(tmp_path, "feb.csv", 2))
    assert manifest.pseudonymised and manifest.rows_set_aside == 2
    found = everything(workspace.datasets / "log")
    assert [text for person in PEOPLE for text in person if text in found] == []
    assert load_key(workspace).hex() not in found
    ingest(workspace, secret_log(tmp_path), "readable")
    shown = everything(workspace.datasets / "readable")
    assert all(text in shown for person in PEOPLE for text in person)


def test_the_hashed_log_is_the_same_log(workspace: Workspace, tmp_path: Path) -> None:
    plain = ingest(workspace, secret_log(tmp_path), "plain")
    hashed = ingest(workspace, secret_log(tmp_path), "hashed", pseudonymise=True)
    key = load_key(workspace)
    assert (hashed.net_revenue, hashed.customers, hashed.columns) == (plain.net_revenue, plain.customers, plain.columns)
    with duckdb.connect() as connection:
        one, two = (
            connection.execute(f"SELECT customer_id, amount, \"Email\", colour FROM '{item.events_path}'").fetchall()
            for item in (open_dataset(workspace, "plain"), open_dataset(workspace, "hashed"))
        )
    assert [(pseudonym(key, who), amount, pseudonym(key, mail), colour) for who, amount, mail, colour in one] == two


def test_next_month_gets_the_same_hashes_and_needs_the_same_key(workspace: Workspace, tmp_path: Path) -> None:
    ingest(workspace, secret_log(tmp_path), "log", pseudonymise=True)
    made = append(workspace, "log", secret_log(tmp_path, "feb.csv", 2, "user-0001,2024-01-02,1.5,,,,,,\n"))
    assert made.customers == len(PEOPLE) and made.pseudonymised
    assert append(workspace, "log", secret_log(tmp_path)).parts[-1].rows_overlap == len(PEOPLE)
    key_path(workspace).write_text("ab" * 32)
    with pytest.raises(Refused) as other:
        append(workspace, "log", secret_log(tmp_path, "march.csv", 3))
    assert other.value.code == "key_other"
    ingest(workspace, secret_log(tmp_path), "new key", pseudonymise=True)
    ingest(workspace, secret_log(tmp_path), "plain")
    for name, code in (("new key", "pseudonym_keys_differ"), ("plain", "pseudonyms_differ")):
        with pytest.raises(Refused) as refused:
            combine(workspace, ["log", name], "both")
        assert refused.value.code == code


def test_a_column_hidden_once_stays_hidden(workspace: Workspace, tmp_path: Path) -> None:
    """Next month only one of many rows fills a column whose values, not its name, had shown that it is personal."""
    head = "customer_id,event_time,amount,note\n"
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text(head + "".join(f"c{i},2024-01-02,1,p{i}@mail.example\n" for i in range(9)))
    rows = "".join(f"c{i},2024-02-02,1,nothing here\n" for i in range(9))
    two.write_text(f"{head}{rows}c1,2024-02-03,1,q1@mail.example\n")
    ingest(workspace, one, "log", pseudonymise=True)
    append(workspace, "log", two)
    assert "mail.example" not in everything(workspace.datasets / "log")


def test_the_first_heading_of_a_report_by_customer_is_a_pseudonym_too(workspace: Workspace, tmp_path: Path) -> None:
    names = report(tmp_path / "report.csv")
    manifest = ingest(workspace, tmp_path / "report.csv", "books", pseudonymise=True)
    (note,) = (one for one in manifest.warnings if one.code == "warning.headed_groups")
    assert note.params["first"] == pseudonym(load_key(workspace), "Customer 0")
    assert [who for who in names if who in everything(workspace.datasets / "books")] == []
