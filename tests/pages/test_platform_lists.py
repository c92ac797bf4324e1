"""The segments page makes platform lists from the customers table, for those who may be contacted only."""

from __future__ import annotations

import csv
import hashlib
import shutil
from pathlib import Path

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.customers import Roles
from clv_core.deployment.bundle import list_bundles
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.preprocessing.customers import add_customers
from clv_core.workspace import Workspace
from pages.ui.navigation import DATASETS_PART
from tests.pages.conftest import OPEN


@pytest.fixture
def reachable(with_model: Path, tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """A copy of the workspace whose dataset knows e-mail addresses and consent, and these."""
    root = tmp_path / "workspace"
    shutil.copytree(with_model, root)
    workspace = Workspace(root)
    model = list_bundles(workspace)[0].id
    ids = pipeline.scores(workspace, "shop", model, progress=NoProgress())["customer_id"]
    agreed = ["no" if place % 3 == 0 else "yes" for place in range(len(ids))]
    people = pd.DataFrame({"customer_id": ids, "email": [f"p{n}@b.de" for n in range(len(ids))], "consent": agreed})
    people.to_csv(tmp_path / "people.csv", index=False)
    add_customers(workspace, "shop", tmp_path / "people.csv", Roles(), progress=NoProgress())
    pipeline.scores(workspace, "shop", model, progress=NoProgress())
    return root, people


def test_without_contact_fields_it_says_what_is_missing_and_leads_there(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "segments", lang="en")
    assert translate("lists.none") in [item.value for item in app.caption]
    assert all(item.key != "list_format" for item in app.selectbox)
    app.button(key="list_add_contacts").click().run()
    assert app.title[0].value == translate("page.datasets")
    assert app.segmented_control(key=DATASETS_PART).value == "customers"


def test_a_list_holds_who_agreed_and_is_not_on_the_stop_list(
    open_page: OPEN, reachable: tuple[Path, pd.DataFrame]
) -> None:
    root, people = reachable
    app = open_page(root, "segments", lang="en")
    app.selectbox(key="list_format").set_value("google_customer_match")
    app.text_area(key="list_suppress").set_value("P1@b.de\n\n")
    next(item for item in app.button if item.label == translate("lists.make", "en")).click().run()
    assert not app.error
    wanted = people[(people["consent"] == "yes") & (people["email"] != "p1@b.de")]
    said = [item.value for item in app.markdown]
    assert translate("lists.made", "en", rows=len(wanted), asked=len(people)) in said
    [file] = (root / "exports").glob("*google_customer_match*.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        mails = {row["Email"] for row in csv.DictReader(lines)}
    assert mails == {hashlib.sha256(mail.encode()).hexdigest() for mail in wanted["email"]}
    assert any(translate("export.left_out.no_consent", "en") in item.value for item in app.caption)
