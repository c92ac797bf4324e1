"""The audit log's check on the privacy page, and the note that a card was looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import audit
from clv_core.collection.privacy.card_log import card_views
from clv_core.i18n import translate
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN, do, texts


def opened(open_page: OPEN, root: Path, lang: str = "en") -> AppTest:
    app = open_page(root, "privacy", lang=lang)
    app.session_state["privacy_what"] = "audit"
    return app.run()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_checks_the_log_and_says_what_it_cannot_find(open_page: OPEN, bare: Path, lang: str) -> None:
    workspace = Workspace(bare)
    for number in range(5):
        audit.note(workspace, "train", rows=number)
    head = audit.head(workspace)
    app = opened(open_page, bare, lang)
    assert str(head) in [code.value for code in app.code]
    do(app, "audit_check")
    assert translate("privacy.audit.sound", lang, n=str(head.count)) in [item.value for item in app.success]
    assert translate("audit.limit.end", lang) in texts(app)
    path = audit.path_of(workspace)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-2]))
    do(app, ("audit_earlier", str(head)), "audit_check")
    (error,) = [item.value for item in app.error]
    assert translate("privacy.audit.tampered", lang, n=1) in error
    found = {"number": head.count - 1, "last": head.count, "place": head.count - 1}
    assert translate("audit.found.cut", lang, **found) in error
    do(app, ("audit_earlier", "nonsense"), "audit_check")
    assert "nonsense" in app.error[0].value


def test_who_opened_a_card_stands_in_the_log_once_and_is_looked_up(open_page: OPEN, root: Path) -> None:
    workspace = Workspace(root)
    earlier = sum(line["action"] == "card" for line in audit.lines(workspace))  # other tests share the workspace
    app = open_page(root, "customer")
    first = app.query_params.get("customer", "") or app.session_state["card_noted"][2]
    app.run()
    assert sum(line["action"] == "card" for line in audit.lines(workspace)) == earlier + 1
    views = card_views(workspace, first)
    assert 1 <= len(views) <= earlier + 1
    other = opened(open_page, root)
    assert translate("audit.card") in other.dataframe[0].value.to_string()
    assert first not in texts(other) + other.dataframe[0].value.to_string()
    do(other, ("audit_views_id", first), "audit_views")
    assert len(other.dataframe[1].value) == len(views)
    do(other, ("audit_views_id", "nobody"), "audit_views")
    assert translate("privacy.audit.views.none") in texts(other)
