"""A link to a page, for whoever comes first."""

from __future__ import annotations

from pathlib import Path

from clv_core.i18n import translate
from tests.e2e.conftest import serving, window


def test_a_link_to_a_page_is_understood_by_a_server_that_has_just_started(chromium: str, tmp_path: Path) -> None:
    with serving(tmp_path) as address, window(chromium, address) as studio:
        studio.open("upload", lang="en")
        assert studio.page.get_by_role("dialog").count() == 0
        assert studio.text().startswith(translate("page.upload", "en"))
