"""Scores sent from the page to a slow receiver: the run outlives the page, and says who was not accepted."""

from __future__ import annotations

import json
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event
from typing import Any

import pytest

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
