"""Scores sent from the page: the run outlives it and says who was not accepted; a smaller push asks first."""

from __future__ import annotations

import json
import re
import zipfile
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event
from typing import Any

import pandas as pd
import pytest

from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset
from clv_core.i18n import translate
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.destinations import add_destination
from clv_core.workspace import Workspace
from tests import servers
from tests.e2e.conftest import ROOT, serving, window

pytestmark = pytest.mark.slow


class Receiver(ThreadingHTTPServer):
    """A webhook that answers once it may, and refuses the first customer that it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.may, self.refused, self.taken = Event(), "", set[str]()


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def log_message(self, *words: Any) -> None:
        pass

    def do_POST(self) -> None:
        ids = {
            row["customer_id"] for row in json.loads(self.rfile.read(int(self.headers["content-length"])))["customers"]
        }
        self.server.may.wait()
        self.server.refused = self.server.refused or min(ids)
        code = 422 if self.server.refused in ids else 204
        self.server.taken |= ids if code == 204 else set()
        self.send_response(code)
        self.end_headers()


def test_a_push_outlives_its_page_and_names_who_was_refused(chromium: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(ROOT / "tests" / "frozen" / "workspace.zip") as packed:
        packed.extractall(tmp_path)
    root = tmp_path / "workspace"
    with servers.serving(Receiver()) as receiver, serving(root, CRM_KEY="secret") as address:
        add_destination(Workspace(root), "crm", "webhook", f"http://127.0.0.1:{receiver.server_port}", "env:CRM_KEY")
        with window(chromium, address, locale="en-GB") as studio:
            studio.open("exports", lang="en")
            studio.page.locator("label", has_text="Use this model anyway").first.click()
            studio.click("Send now")
            studio.wait_for("Sending shop → crm")
            studio.page.close()
        receiver.may.set()
        with window(chromium, address, locale="en-GB") as studio:
            studio.open("exports", lang="en")
            studio.wait_for("1 customer was not accepted")
            studio.shows(f"{len(receiver.taken)} customers sent")
            studio.picture("push-done")
    assert receiver.taken and receiver.refused not in receiver.taken


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_push_of_marketing_after_one_to_a_warehouse_says_who_stays_out_and_asks(
    chromium: str, tmp_path: Path, lang: str
) -> None:
    with zipfile.ZipFile(ROOT / "tests" / "frozen" / "workspace.zip") as packed:
        packed.extractall(tmp_path)
    work, lake = Workspace(tmp_path / "workspace"), tmp_path / "lake" / "shop" / "scores.parquet"
    say = partial(translate, language=lang)
    with serving(work.root) as address:
        ids = pd.read_parquet(open_dataset(work, "shop").events_path, columns=["customer_id"])["customer_id"].unique()
        people = pd.DataFrame({"customer_id": ids, "marketing_consent": "yes"})
        people.loc[::3, "marketing_consent"] = "no"
        people.to_csv(tmp_path / "people.csv", index=False)
        add_customers(work, "shop", tmp_path / "people.csv", Roles(), progress=NoProgress())
        add_destination(work, "lake", "bucket", f"file://{tmp_path}/lake", purpose="warehouse")
        with window(chromium, address, locale="en-GB" if lang == "en" else "zh-CN") as studio:
            studio.open("exports", lang=lang)
            trust = re.split("[(（]", say("trust.acknowledge", because=""))[0].strip()
            studio.page.locator("label", has_text=trust).first.click()
            studio.click(say("pushing.send"))
            studio.until(lake.exists)
            sent = pd.read_parquet(lake)["consent"].value_counts().to_dict()  # without who is suppressed
            everyone, refused, agreed = len(people), sent["no"], sent["yes"]
            studio.wait_for(say("pushing.sent", sent=agreed + refused, unchanged=0))
            studio.click(say("pushing.purpose.change"))
            studio.click(say("pushing.marketing"))
            studio.finish()
            studio.click(say("pushing.check"))
            studio.wait_for(say("pushing.of", audience=agreed, asked=everyone))
            studio.picture(f"push-check-{lang}")
            studio.click(say("pushing.send"))
            asking = studio.page.get_by_role("dialog")
            asking.get_by_text(say("pushing.more.sure", more=refused)).wait_for()
            said = say("warning.push_leaves_out", name="lake", more=refused, left_out=everyone - agreed)
            assert said in asking.inner_text()
            studio.picture(f"push-asks-{lang}")
            asking.get_by_role("button", name=say("pushing.send")).click()
            studio.wait_for(say("pushing.sent", sent=agreed, unchanged=0))
            studio.picture(f"push-smaller-{lang}")
    rows = pd.read_parquet(lake)
    assert len(rows) == agreed and "consent" not in rows
    assert set(rows["customer_id"]) <= set(people.loc[people["marketing_consent"] == "yes", "customer_id"])
