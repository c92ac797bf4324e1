"""Keyed hashes: SQL against Python's hmac, and a key that is kept apart, made once, and not mixed up."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.collection.pseudonyms import fingerprint_of, key_path, load_key, pseudonym, pseudonym_sql
from clv_core.errors import Refused
from clv_core.workspace import Workspace

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
    wanted = {text: hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for text in TEXTS}
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
        query = f"SELECT {pseudonym_sql(key, 'NULL::VARCHAR')}, {pseudonym_sql(key, text_of(' '))}"
        assert connection.execute(query).fetchone() == (None, None)


def text_of(value: str) -> str:
    return f"'{value}'"


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
