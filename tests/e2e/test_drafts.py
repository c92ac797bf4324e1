"""A file in hand survives a reload and a restart of the server, in each step, and is nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clv_core.i18n import translate
from tests.e2e.conftest import guarding, signed, window
from tests.e2e.studio import Studio

pytestmark = pytest.mark.slow

PEOPLE = """
[people]
"ana@shop.example" = "analyst"
"ben@shop.example" = "analyst"
"""
NAME, MONTH_FIRST = "machines.csv", re.compile("2024-06-05")
"""The file, and the reading of its days that is not the first."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Orders of nine customers, whose days can be read in two ways."""
    rows = [f"M{n % 9},0{n % 6 + 1}/0{n % 5 + 1}/2024,{n % 7 + 1}.50" for n in range(60)]
    path = tmp_path / NAME
    path.write_text("\n".join(["customer_id,date,amount", *rows]), encoding="utf-8")
    return path


@contextmanager
def as_person(chromium: str, address: str, who: str, lang: str, theme: str) -> Iterator[Studio]:
    """Open the upload page as one of the people."""
    with window(chromium, address, color_scheme=theme) as studio:
        cookie = {"name": "_streamlit_user", "value": signed(address, f"{who}@shop.example"), "url": address}
        studio.page.context.add_cookies([cookie])
        studio.open("upload", lang=lang)
        yield studio


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
def test_a_draft_outlives_reload_and_restart_for_its_owner_alone(
    chromium: str, tmp_path: Path, file: Path, lang: str, theme: str
) -> None:
    root, settings = tmp_path / "workspace", tmp_path / "settings"
    for folder in (root, settings):
        folder.mkdir()
    save = translate("upload.save", lang)
    with guarding(root, settings, PEOPLE) as address, as_person(chromium, address, "ana", lang, theme) as studio:
        studio.page.set_input_files("input[type=file]", str(file))
        studio.wait_for(NAME)
        asked = text(studio, lang)
        load_again(studio, lang)
        assert text(studio, lang) == asked  # while it asks
        studio.page.get_by_role("button", name=MONTH_FIRST).click()
        studio.wait_for(save)
        checked = text(studio, lang)
        assert NAME in checked and checked != asked
        load_again(studio, lang)
        assert text(studio, lang) == checked  # once it is answered
    with guarding(root, settings, PEOPLE) as address:
        with as_person(chromium, address, "ben", lang, theme) as studio:
            assert NAME not in studio.text() and studio.page.locator("input[type=file]").count()
        with as_person(chromium, address, "ana", lang, theme) as studio:
            studio.wait_for(translate("upload.restored", lang))
            assert text(studio, lang) == checked
            studio.picture(f"draft-restarted_{lang}")


def load_again(studio: Studio, lang: str) -> None:
    """Load the page anew, as a person does."""
    studio.page.reload()
    studio.wait_for(translate("upload.restored", lang))


def text(studio: Studio, lang: str) -> str:
    """Return what stands on the page but for the line that a draft was restored."""
    return studio.text().replace(f"{translate('upload.restored', lang)}\n\n", "")
