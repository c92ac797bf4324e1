"""Every language's words are found as people write them, mean one thing, and its months are months."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from babel import Locale

from clv_core.collection.parse.time_texts import tidy, written_time
from clv_core.collection.vocabulary.language_files import (
    FOLDER,
    MONTHS,
    PATTERNS,
    SCHEMA,
    UNIQUE,
    WORDS,
    fold,
    load_vocabulary,
)

LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.toml"))
LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


def entries(language: str, kind: str) -> Iterator[tuple[str, str, str]]:
    """Yield table, key and entry of all words, or of all regular expressions, of a language."""
    for table, keys in load_vocabulary().languages[language].items():
        for key, held in keys.items():
            if SCHEMA[table].get(key, WORDS) == kind:
                yield from ((table, key, entry) for entry in held)


@LANGUAGE
def test_a_file_stands_by_itself_and_is_called_by_a_code_that_others_know(language: str, tmp_path: Path) -> None:
    shutil.copy(FOLDER / f"{language}.toml", tmp_path)
    assert set(load_vocabulary(tmp_path).languages) == {language}
    name = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))["name"]
    assert name and Locale.parse(language).language == language


@LANGUAGE
def test_a_word_means_what_its_file_says_in_any_case_and_stands_there_once(language: str) -> None:
    indexes = {table: load_vocabulary().index(table) for table in UNIQUE}
    seen: set[tuple[str, str, str]] = set()
    for table, key, word in entries(language, WORDS):
        if table not in UNIQUE:
            continue
        assert fold(word) and (table, key, fold(word)) not in seen, f"[{table}] {key} has {word!r} twice"
        seen.add((table, key, fold(word)))
        for written in (word, word.upper(), f" {word.replace(' ', '_')}:"):
            assert indexes[table].get(fold(written)) == key, f"[{table}] {key} {written!r}"


@LANGUAGE
def test_no_regular_expression_finds_itself_everywhere(language: str) -> None:
    everywhere = [
        entry for _, _, entry in entries(language, PATTERNS) if re.search(entry, "") or re.search(entry, "\n")
    ]
    assert everywhere == []


@LANGUAGE
def test_every_month_is_read(language: str) -> None:
    named = [(month, names) for table, month, names in entries(language, WORDS) if table == "months"]
    wide = Locale(language).months["format"]["wide"]  # in numbers, some languages write dates in an order of their own
    named += [(MONTHS[number - 1], name) for number, name in wide.items() if not re.search(r"\d", name)]
    assert {month for month, _ in named} in (set(MONTHS), set())
    days = [f"3 {name} 2024 10:30" for _, name in named]
    query = f"SELECT month({written_time('day')}) FROM (SELECT {tidy('day')} AS day FROM unnest($1) AS of(day))"
    found = [row[0] for row in duckdb.connect().execute(query, [days]).fetchall()]
    wanted = [MONTHS.index(month) + 1 for month, _ in named]
    assert [day for day, one, right in zip(days, found, wanted, strict=True) if one != right] == []
