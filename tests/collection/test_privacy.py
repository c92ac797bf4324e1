"""Lists that name nobody, and words found inside texts, held against plain Python."""

from __future__ import annotations

import hashlib
import hmac
import random
import re
import string

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some

from clv_core.collection.parse.id_texts import load_key, pseudonym
from clv_core.collection.privacy.id_matcher import ERASED, IdMatcher, distinctive, redact_values
from clv_core.collection.privacy.keyed_list import KeyedList
from clv_core.collection.privacy.suppression_list import FILE, PURPOSE, SuppressionList
from clv_core.errors import Refused
from clv_core.workspace import Workspace


def plainly(words: list[str], text: str) -> bool:
    """Say whether a word stands in a text with no letter or digit beside it, as the standard library sees it."""
    return any(re.search(rf"(?<![0-9A-Za-z]){re.escape(word)}(?![0-9A-Za-z])", text) for word in words)


@given(
    some.lists(some.text("ab1-é", min_size=8, max_size=14), min_size=1, max_size=5),
    some.lists(some.text("ab1-é ,", max_size=40), max_size=6),
)
def test_words_are_found_where_plain_search_finds_them(words: list[str], texts: list[str]) -> None:
    needles = IdMatcher(words)
    known = [word for word in words if distinctive(word)]
    texts = [*texts, *(f"x {word}, y" for word in words), *(f"x{word}" for word in words)]
    expected = [place for place, text in enumerate(texts) if plainly(known, text)]
    assert list(needles.rows(pa.array([*texts, None]))) == expected
    assert [place for place, text in enumerate(texts) if needles.within(text)] == expected
    for text in texts:
        said = needles.redacted(text)
        assert (ERASED in said) == plainly(known, text) and (said == text or not plainly(known, said))


def test_thousands_of_words_are_found_among_many_texts() -> None:
    draw = random.Random(3)
    words = ["".join(draw.choices(string.ascii_letters + string.digits, k=24)) for _ in range(4000)]
    texts = pa.array(words[2000:] + [f"id={words[5]}&x=1", f"{words[6]}a", words[7][:23]])
    found = IdMatcher(words[:2000]).rows(pa.chunked_array([texts]).combine_chunks())
    assert list(found) == [2000] and len(IdMatcher(words).rows(texts)) == 2001


@pytest.mark.parametrize(
    ("word", "can"),
    [("17", False), ("20240131", False), ("shop-1200", True), ("a@b.example", True), ("123456789012", True)],
)
def test_a_word_that_means_many_things_is_not_looked_for(word: str, can: bool) -> None:
    assert distinctive(word) is can


def test_an_address_is_found_in_any_case_and_another_id_in_its_own() -> None:
    needles = IdMatcher(["Ann@shop.example", "shop-1200"])
    texts = ["of ANN@Shop.example,", "xann@shop.example", "SHOP-1200", "é shop-1200, ann@SHOP.example"]
    assert list(needles.rows(pa.array(texts))) == [0, 3]
    assert needles.redacted(texts[3]) == f"é {ERASED}, {ERASED}" and needles.redacted(texts[2]) == texts[2]
    said = redact_values({"examples": "A@b.c, B@b.c"}, {"a@b.c"}, IdMatcher([]))
    assert said == {"examples": f"{ERASED}, B@b.c"}


def test_json_loses_ids_and_keeps_numbers() -> None:
    value = {"rows": 17, "examples": "17, 18", "note": "of shop-1200.", "list": ["shop-12001", "17"]}
    said = redact_values(value, {"17", "shop-1200"}, IdMatcher(["17", "shop-1200"]))
    assert said == {"rows": 17, "examples": f"{ERASED}, 18", "note": f"of {ERASED}.", "list": ["shop-12001", ERASED]}


def test_the_list_is_hmac_under_a_key_of_its_own_and_names_nobody(workspace: Workspace) -> None:
    people = KeyedList(workspace, FILE, PURPOSE)
    assert people.add(["anna-1", " anna-1 ", "Bert@Shop.example"]) == 2 and people.add(["anna-1"]) == 0
    root = load_key(workspace)
    key = hmac.new(root, PURPOSE.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, b"anna-1", hashlib.sha256).hexdigest()
    assert people.entries()[0]["hashes"][0] == expected != pseudonym(root, "anna-1")
    written = people.file.read_text()
    assert not any(word in written.lower() for word in ("anna", "bert", pseudonym(root, "anna-1")))


def test_marks_agree_with_one_by_one(workspace: Workspace) -> None:
    stop = SuppressionList.of(workspace)
    ids = pd.Series([f"c{n}" for n in range(50)])
    stop.add(ids[::7].tolist())
    stop = SuppressionList.of(workspace)
    assert stop.hides(pd.DataFrame({"customer_id": ids})).tolist() == [stop.holds(one) for one in ids]
    assert stop.without(pd.DataFrame({"customer_id": ids}))["customer_id"].tolist() == [
        one for place, one in enumerate(ids) if place % 7
    ]


def test_addresses_count_in_any_case_and_pseudonyms_count_too(workspace: Workspace) -> None:
    SuppressionList.of(workspace).add(["Bert@Shop.example", "anna-1"])
    stop = SuppressionList.of(workspace)
    frame = pd.DataFrame(
        {
            "customer_id": ["x", pseudonym(load_key(workspace), "anna-1"), "anna-2"],
            "email": ["bert@shop.EXAMPLE ", None, "other@shop.example"],
        }
    )
    assert stop.hides(frame).tolist() == [True, True, False]
    assert SuppressionList.of(workspace).remove(["bert@shop.example"]) == 1 and stop.remove(["Bert@Shop.example"]) == 0


def test_without_its_key_a_list_lets_nobody_through_in_silence(workspace: Workspace) -> None:
    SuppressionList.of(workspace).add(["anna-1"])
    workspace.root.with_name("workspace.key").unlink()
    with pytest.raises(Refused):
        SuppressionList.of(workspace)
