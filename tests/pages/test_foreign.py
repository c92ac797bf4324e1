"""What Streamlit says by itself is said in the language of the page."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from clv_core.i18n import catalogue
from pages.ui import chrome, received
from tests.pages.conftest import OPEN

BUILT = Path(st.__file__).parent / "static" / "static" / "js"
PAGES = Path(__file__).resolve().parents[2] / "pages"


def style(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def test_a_chinese_page_has_our_words_for_those_of_streamlit_and_an_english_one_keeps_them(
    open_page: OPEN, with_dataset: Path
) -> None:
    said = style(open_page(with_dataset, "home", lang="zh"))
    for name, place in chrome.PLACES.items():
        assert f'{place}::after{{content:"{catalogue("zh")[f"streamlit.{name}"]}"' in said
    assert "::after" not in style(open_page(with_dataset, "home", lang="en"))


def test_a_drop_zone_says_which_kinds_it_takes(open_page: OPEN, with_dataset: Path) -> None:
    said = style(open_page(with_dataset, "home", lang="zh"))
    for kinds in (received.LISTS, received.EXPERIMENTS, received.MODELS):
        assert f"• {', '.join(kinds).upper()}" in said


def test_every_box_of_several_options_says_in_our_words_what_to_do_with_it() -> None:
    boxes = [
        (f"{path.relative_to(PAGES)}:{node.lineno}", {given.arg for given in node.keywords})
        for path in sorted(PAGES.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "multiselect"
    ]
    assert boxes and [where for where, given in boxes if "placeholder" not in given] == []


@pytest.mark.parametrize("name", sorted(chrome.PLACES))
def test_streamlit_still_says_what_we_translate(name: str) -> None:
    """Another version may say it in other words, or build the place anew: then look at it in a browser."""
    said = catalogue("en")[f"streamlit.{name}"]
    assert any(said in script.read_text(encoding="utf-8") for script in BUILT.glob("*.js"))
