"""The exports page: the share with consent before the list, why it is what it is, and what was exported."""

from __future__ import annotations

import csv
import fcntl
from pathlib import Path

import pandas as pd
import pytest

from clv_core import audit, jobs
from clv_core.collection.privacy.suppression_list import SuppressionList
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.saved_scores import Scored
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.strategy.destinations import add_destination, open_destination
from clv_core.workspace import Workspace
from pages.ui.navigation import DATASETS_PART
from tests.pages.conftest import OPEN, REACHABLE, SIGN_IN, do, give_contacts, keys_of, newest, really, texts

pytestmark = pytest.mark.first(5)
DECLINED, PUSH_DECLINED = ("export_measured", False), ("push_measured", False)
"""Steps by which a person declines the control group that is proposed for a list."""


def test_a_spreadsheet_list_is_made_offered_and_logged(open_page: OPEN, root: Path) -> None:
    app = open_page(root, "exports", lang="en")
    assert not app.error
    assert translate("exporting.log.none", "en") in texts(app)
    everybody = Scored.open(Workspace(root), "shop", list_bundles(Workspace(root))[0].id).scores(NoProgress())
    assert translate("exporting.headline.all", "en", asked=f"{len(everybody):,}") in texts(app)
    assert not app.metric  # a spreadsheet matches nobody, and the headline says how many are in it
    app.button(key="export_make").click().run()
    assert not app.error
    [file] = (root / "exports").glob("*.csv")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(everybody)
    values = [float(row["predicted_clv"]) for row in rows]
    assert values == sorted(values, reverse=True)
    labels = [button.label for button in app.get("download_button")]
    assert translate("exporting.download", "en") in labels and translate("exporting.side", "en") in labels
    log = app.dataframe[-1].value
    assert translate("column.dataset", "en") in log.columns[:3]
    assert log[translate("column.export_rows", "en")].tolist() == [len(rows)]
    assert log[translate("column.export_what", "en")].tolist() == [translate("export.csv", "en")]


def test_a_platform_without_contact_fields_says_what_is_missing(open_page: OPEN, with_model: Path) -> None:
    app = do(open_page(with_model, "exports", lang="en"), ("export_format", "klaviyo"))
    assert not app.error
    assert translate("exporting.contacts", "en", format=translate("export.klaviyo", "en")) in texts(app)
    app.button(key="export_add_contacts").click().run()
    assert app.title[0].value == translate("page.datasets", "en")
    assert app.segmented_control(key=DATASETS_PART).value == "customers"


def test_the_headline_is_the_share_with_consent_and_the_stop_list(open_page: OPEN, reachable: REACHABLE) -> None:
    root, people = reachable
    app = do(open_page(root, "exports", lang="en"), ("export_format", "google_customer_match"), DECLINED)
    wanted = people[people["consent"] == "yes"]
    rate = f"{len(wanted) / len(people):.0%}"
    said = {"rows": f"{len(wanted):,}", "asked": f"{len(people):,}", "rate": rate}
    assert app.header[0].value == translate("exporting.headline", "en", **said)
    assert ("Share with consent", rate) in {(one.label, one.value) for one in app.metric}
    app.get("file_uploader")[0].set_value(("stop.txt", b"P1@b.de\r\np2@B.de\n", "text/plain")).run()
    assert not app.error
    less = {**said, "rows": f"{len(wanted) - 2:,}"}
    assert app.header[0].value == translate("exporting.headline", "en", **less)
    assert translate("export.left_out.suppressed", "en") in texts(app)


def test_a_do_not_contact_file_says_what_it_matches_and_warns_where_it_matches_nobody(
    open_page: OPEN, reachable: REACHABLE
) -> None:
    root, people = reachable
    app = open_page(root, "exports", lang="en")
    table = b"email,reason\nP1@b.de,unsubscribed\np2@B.de,unsubscribed\nx@nowhere.org,unsubscribed\n"
    app.get("file_uploader")[0].set_value(("dnc.csv", table, "text/csv")).run()
    assert not app.error
    assert app.header[0].value.startswith(f"{len(people) - 2:,} of")
    said = translate("warning.suppress_matched", "en", read=3, customers=2, nobody=1)
    assert said in [item.value for item in app.caption]
    app.get("file_uploader")[0].set_value(("dnc.csv", b"email\nx@nowhere.org\n", "text/csv")).run()
    assert translate("warning.suppress_none", "en", read=1) in [item.value for item in app.warning]


def test_a_list_for_one_export_leads_to_the_one_that_is_kept_with_its_entries(
    open_page: OPEN, reachable: REACHABLE
) -> None:
    app = open_page(reachable[0], "exports", lang="en")
    assert translate("exporting.stop.none", "en") in [item.value for item in app.caption]
    app.get("file_uploader")[0].set_value(("dnc.csv", b"email\np1@b.de\np2@b.de\n", "text/csv")).run()
    app.button(key="export_keep_stop").click().run()
    assert app.title[0].value == translate("page.privacy", "en")
    assert app.text_area(key="suppress_ids_0").value.split() == ["p1@b.de", "p2@b.de"]
    SuppressionList.of(Workspace(reachable[0])).add(["p1@b.de", "p2@b.de"])
    again = open_page(reachable[0], "exports", lang="en")
    assert translate("exporting.stop.kept", "en", n=2) in [item.value for item in again.caption]


def test_chinese_mobile_numbers_are_read_without_anything_being_said(open_page: OPEN, root: Path) -> None:
    people = give_contacts(root, phone=lambda n: f"138{n:08}", consent=lambda _: "yes")
    app = open_page(root, "exports", lang="en")
    for format in ("phone_hashes", "google_customer_match"):
        do(app, ("export_format", format), DECLINED)
        assert app.header[0].value == translate("exporting.headline.all", "en", asked=f"{len(people):,}")
    assert app.selectbox(key="export_region_CN").value == "CN"
    assert any("China" in item.value for item in app.caption)
    app.selectbox(key="export_region_CN").set_value("").run()
    assert app.header[0].value == translate("exporting.headline.none", "en")
    assert any(translate("exporting.region", "en") in item.value for item in app.warning)


def test_a_column_that_may_be_consent_is_named_instead_of_asking_to_assume_it(open_page: OPEN, root: Path) -> None:
    give_contacts(root, email=lambda n: f"p{n}@b.de", **{"Newsletter subscriber": lambda _: "yes"})
    app = do(open_page(root, "exports", lang="en"), ("export_format", "klaviyo"))
    assert "export_assume" not in [box.key for box in app.checkbox]
    assert any("Newsletter subscriber" in item.value for item in app.warning)
    assert not any("assume" in item.value for item in app.error)


def test_a_list_that_is_too_small_says_so_before_it_is_made(open_page: OPEN, reachable: REACHABLE) -> None:
    app = do(open_page(reachable[0], "exports", lang="en"), ("export_format", "tiktok"), DECLINED)
    assert not app.button(key="export_make").disabled
    app.get("button_group")[0].set_value([1]).run()
    assert app.button(key="export_make").disabled
    assert any("1,000" in item.value for item in app.warning)


def test_a_model_that_is_not_trusted_is_acknowledged_before_a_list(open_page: OPEN, not_trusted: Path) -> None:
    app = open_page(not_trusted, "exports", lang="en")
    assert app.button(key="export_make").disabled
    app.checkbox[0].check().run()
    assert not app.button(key="export_make").disabled


def test_whom_a_check_counts_are_sent_by_a_run_that_a_reload_does_not_lose(open_page: OPEN, root: Path) -> None:
    everybody = Scored.open(Workspace(root), "shop", list_bundles(Workspace(root))[0].id).scores(NoProgress())
    app = open_page(root, "exports", lang="en")
    assert translate("pushing.none", "en") in texts(app)
    add_destination(Workspace(root), "lake", "bucket", f"file://{root}/lake")
    stop = everybody["customer_id"][:2].tolist()
    app.file_uploader(key="export_stop_file").set_value(("stop.txt", "\n".join(stop).encode(), "text/plain")).run()
    do(app, PUSH_DECLINED, "push_check")
    assert not app.error and not (root / "lake").exists()
    assert translate("pushing.checked", "en", changed=len(everybody) - 2, unchanged=0) in texts(app)
    do(app, "push_send")
    assert app.button(key="push_send").disabled and not (root / "lake").exists()
    really(root, "push")
    sent = pd.read_parquet(root / "lake" / "shop" / "scores.parquet")["customer_id"]
    assert sorted(sent) == sorted({*everybody["customer_id"]} - {*stop})
    said = translate("pushing.sent", "en", sent=len(sent), unchanged=0)
    assert said in texts(app.run())
    after_reload = open_page(root, "exports", lang="en")
    assert said in texts(after_reload)
    assert said not in texts(do(after_reload, "push_close"))


def test_a_second_push_is_refused_while_one_runs(open_page: OPEN, root: Path) -> None:
    add_destination(Workspace(root), "lake", "bucket", f"file://{root}/lake")
    first, second = open_page(root, "exports", lang="en"), open_page(root, "exports", lang="en")
    do(first, "push_send")
    do(second, "push_send")  # still live on that page
    assert len(jobs.jobs(Workspace(root), "push")) == 1 and second.button(key="push_send").disabled
    with (Workspace(root).folder("locks", "runs") / "push-lake.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as a schedule's push holds it
        really(root, "push", code=4)
    assert [one.value for one in first.run().error] == [translate("error.push_running", "en", name="lake")]


def test_a_push_that_is_refused_says_why_and_which_rows_were_not_accepted(
    open_page: OPEN, root: Path, sign_in: SIGN_IN
) -> None:
    add_destination(Workspace(root), "lake", "bucket", "file:///proc/lake")
    app = do(open_page(root, "exports", lang="en"), ("export_tiers", [1, 2]), PUSH_DECLINED, "push_send")
    assert really(root, "push", code=5)[-1] == "--segment=tier=1,2"
    assert "/proc/lake refused the request" in app.run().error[0].value
    failed = [{"customer_id": "C10", "reason": "HTTP 422: no such person"}]
    result = {"sent": 2, "unchanged": 3, "left_out": {"suppressed": 1}, "failed": failed}
    jobs.finish(newest(root, "push").folder, "en", result=result)
    shown = [table.value for table in app.run().dataframe if "C10" in table.value.to_string()]
    assert len(shown) == 1 and translate("pushing.failed", "en", failed=1) in [one.value for one in app.warning]
    sign_in("bob@shop.example")
    app = open_page(root, "exports", lang="en")
    assert app.button(key="push_send").disabled and "/proc" not in texts(app)
    assert not [table for table in app.dataframe if "C10" in table.value.to_string()]


def test_a_push_that_leaves_out_more_than_the_last_says_so_and_asks_first(
    open_page: OPEN, reachable: REACHABLE, sign_in: SIGN_IN
) -> None:
    root, people = reachable
    work, lake = Workspace(root), root / "lake" / "shop" / "scores.parquet"
    agreed, refused = {*people.loc[people["consent"] == "yes", "customer_id"]}, int((people["consent"] == "no").sum())
    add_destination(work, "lake", "bucket", f"file://{root}/lake", purpose="warehouse")
    sign_in("ana@shop.example")
    app = open_page(root, "exports", lang="en")
    do(app, "push_send")
    really(root, "push")
    assert pd.read_parquet(lake)["consent"].value_counts().to_dict() == {"yes": len(agreed), "no": refused}
    app = do(open_page(root, "exports", lang="en"), "push_purpose", "confirm")
    assert open_destination(work, "lake").purpose == "marketing"
    do(app, PUSH_DECLINED)
    line = audit.lines(work, 1)[0]
    assert (line["who"], line["action"], line["purpose"]) == ("ana@shop.example", "destinations change", "marketing")
    do(app, "push_check")
    shown = texts(app)
    assert translate("pushing.of", "en", audience=len(agreed), asked=len(people)) in shown
    assert translate("export.left_out.no_consent", "en") in shown
    counts = {"name": "lake", "more": refused, "left_out": refused}
    said = translate("warning.push_leaves_out", "en", **counts)
    assert said in [one.value for one in app.warning]
    do(app, "push_send")
    assert len(jobs.jobs(work, "push")) == 1  # it asks
    assert any(said in one.value for one in app.markdown)
    do(app, "confirm")
    really(root, "push")
    sent = pd.read_parquet(lake)
    assert {*sent["customer_id"]} == agreed and "consent" not in sent
    assert said in [one.value for one in app.run().warning]
    sign_in("bob@shop.example")  # who may only look
    assert "push_purpose" not in [one.key for one in open_page(root, "exports", lang="en").button]


def test_where_nothing_says_who_agreed_the_person_confirms_that_all_did(open_page: OPEN, root: Path) -> None:
    add_destination(Workspace(root), "lake", "bucket", f"file://{root}/lake")
    app = do(open_page(root, "exports", lang="en"), "push_check")
    assert any("Nothing says who agreed to marketing" in one.value for one in app.warning)
    assert not any("--assume-consent" in one.value for one in app.warning)
    app.checkbox(key="push_assume").check()
    do(app, "push_check")
    assert not any("Nothing says who agreed" in one.value for one in app.warning)
    do(app, "push_send")
    assert "--assume-consent" in really(root, "push")


def test_the_form_saves_a_purpose_where_the_kind_has_two(open_page: OPEN, root: Path) -> None:
    app = do(open_page(root, "exports", lang="en"), ("push_kind", "klaviyo"))
    assert "push_purpose_of_klaviyo" not in keys_of(app, "button_group")
    do(app, ("push_kind", "bucket"), ("push_name", "lake"), ("push_address", f"file://{root}/lake"))
    app.segmented_control(key="push_purpose_of_bucket").set_value("warehouse").run()
    do(app, "push_save")
    assert open_destination(Workspace(root), "lake").purpose == "warehouse"
    assert translate("pushing.purpose.warehouse", "en") in app.selectbox(key="push_to").options[0]
