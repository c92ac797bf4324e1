"""Lists for ad and mail platforms: of segments and of plans, for those who may be contacted only."""

from __future__ import annotations

import csv
import hashlib
import shutil
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core.i18n import translate
from clv_core.strategy.audiences.export_records import export_log
from clv_core.workspace import Workspace
from pages.ui.navigation import DATASETS_PART
from tests.pages.conftest import OPEN, REACHABLE, Offered, do, enter_effects, keys_of, table_of

pytestmark = pytest.mark.first(4)


def test_without_contact_fields_it_says_what_is_missing_and_leads_there(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "segments", lang="en")
    assert translate("lists.none") in [item.value for item in app.caption]
    assert all(item.key != "list_format" for item in app.selectbox)
    app.button(key="list_add_contacts").click().run()
    assert app.title[0].value == translate("page.datasets")
    assert app.segmented_control(key=DATASETS_PART).value == "customers"


def test_a_list_holds_who_agreed_and_is_not_on_the_stop_list(open_page: OPEN, reachable: REACHABLE) -> None:
    root, people = reachable
    app = open_page(root, "segments", lang="en")
    assert "list_assume" not in keys_of(app, "checkbox"), "consent is in the table and is not asked for"
    app.text_area(key="list_suppress").set_value("P1@b.de\n\n")
    rows = made(app, root, "list", "google_customer_match")
    wanted = people[(people["consent"] == "yes") & (people["email"] != "p1@b.de")]
    said = [item.value for item in app.markdown]
    assert translate("lists.made", "en", rows=len(wanted), asked=len(people)) in said
    assert {row["Email"] for row in rows} == mails(people, wanted["customer_id"])
    assert any(translate("export.left_out.no_consent", "en") in item.value for item in app.caption)


def made(app: AppTest, root: Path, key: str, platform: str) -> list[dict[str, str]]:
    """Make a list where a form asks for it, and return its rows."""
    shutil.rmtree(root / "exports", ignore_errors=True)
    do(app, (f"{key}_format", platform), f"{key}_platform")
    assert not app.error, [one.value for one in app.error]
    [file] = (root / "exports").glob(f"*{platform}*.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def mails(people: pd.DataFrame, ids: pd.Series) -> set[str]:
    """Return what Google sees of those customers who agreed."""
    reached = people[people["customer_id"].isin(set(ids)) & (people["consent"] == "yes")]
    return {hashlib.sha256(mail.encode()).hexdigest() for mail in reached["email"]}


def test_the_customers_of_one_offer_go_to_a_platform(open_page: OPEN, reachable: REACHABLE, offered: Offered) -> None:
    root, people = reachable
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    whole = table_of(offered["download_plan_csv"])
    names = whole["offer"].unique().tolist()
    assert len(names) > 1
    rows = made(app, root, "plan", "klaviyo")
    agreed = people.loc[people["consent"] == "yes", "customer_id"]
    expected = whole[whole["customer_id"].isin(agreed)].set_index("customer_id")["offer"].to_dict()
    assert {row["customer_id"]: row["clv_offer"] for row in rows} == expected
    app.button_group(key="plan_offer").set_value(names[0]).run()
    only = table_of(offered["download_plan_csv"])
    assert set(only["customer_id"]) == set(whole.loc[whole["offer"] == names[0], "customer_id"])
    rows = made(app, root, "plan", "google_customer_match")
    assert {row["Email"] for row in rows} == mails(people, only["customer_id"])
    assert export_log(Workspace(root))[0].settings["only_offer"] == names[0]


def test_the_control_group_of_an_experiment_is_in_no_platforms_list(
    open_page: OPEN, reachable: REACHABLE, offered: Offered
) -> None:
    root, people = reachable
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    app.session_state["draw_open"] = True
    app.run()
    groups = table_of(offered["download_draw_csv"])
    treated = groups.loc[groups["group"] == "offer", "customer_id"]
    said = translate("budget.draw.platforms", "en", treated=f"{len(treated):,}")
    assert said in [one.value for one in app.caption] and len(treated) < len(groups)
    rows = made(app, root, "draw", "google_customer_match")
    assert {row["Email"] for row in rows} == mails(people, treated)


def test_an_offer_that_leaves_the_plan_is_no_longer_asked_for(
    open_page: OPEN, reachable: REACHABLE, offered: Offered
) -> None:
    root, _ = reachable
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    names = set(table_of(offered["download_plan_csv"])["offer"])
    slider = next(one for one in app.slider if one.key.startswith("budget_"))
    for name in sorted(names):
        app.button_group(key="plan_offer").set_value(name).run()
        least = next(one for one in app.slider if one.key == slider.key)
        least.set_value(least.step).run()
        assert not app.error
        left = set(table_of(offered["download_plan_csv"])["offer"])
        assert left and left <= names
        next(one for one in app.slider if one.key == slider.key).set_value(slider.value).run()
