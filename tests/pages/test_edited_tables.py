"""What a person writes into a table reaches the run, the plan and what is kept; as the browser sends it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.collection.store.version_store import open_dataset
from clv_core.commands.parser import build_parser
from clv_core.i18n import translate
from clv_core.strategy.plans.offers import parse_offers
from clv_core.strategy.plans.saved_offers import TIERS, load_offers
from clv_core.workspace import Workspace
from pages.ui.navigation import BY_NAME
from tests.pages.conftest import ROOT, do, edit

ROWS: Final = [f"C{n % 9},2024-03-{n % 28 + 1:02},{n + 1},{2 * n + 1},{('won', 'peeked')[n % 2]}" for n in range(40)]


@pytest.fixture
def work(frozen: Path, tmp_path: Path, idle_runs: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace of its own whose runs sleep."""
    folder = Path(shutil.copytree(frozen, tmp_path / "own"))
    monkeypatch.setenv("CLV_WORKSPACE", str(folder / "workspace"))
    yield Workspace(folder / "workspace")


def opened(page: str) -> AppTest:
    """Open a page in English."""
    app = AppTest.from_file(str(ROOT / "pages" / "shell.py"), default_timeout=60)
    app.query_params["lang"] = "en"
    return app.run().switch_page(BY_NAME[page].path).run()


def started(work: Workspace, command: str) -> Any:
    """Return what the command line reads of the one run of a command."""
    (job,) = jobs.jobs(work, command)
    return build_parser().parse_args(job.status().args)


def test_another_column_and_another_event_are_read_as_the_table_says(work: Workspace) -> None:
    app = opened("upload")
    log = "\n".join(["customer_id,date,amount,later,event", *ROWS])
    app.file_uploader[0].upload("log.csv", log.encode()).run()
    amount = translate("canonical.amount", "en")
    edit(app, "columns_", {2: {"meaning": translate("upload.extra", "en")}, 3: {"meaning": amount}})
    do(app, ("answer_purchases", ["won"]), "answer_use_purchases")
    assert str(sum(2 * n + 1 for n in range(0, 40, 2))) in {one.value for one in app.metric}
    names = next(one.value["word"].tolist() for one in app.data_editor if str(one.key).startswith("events_"))
    edit(app, "events_", {names.index("peeked"): {"meaning": translate("event.purchase", "en")}})
    assert "1,600" in {one.value for one in app.metric}
    for doubted in [box for box in app.checkbox if str(box.key).startswith("doubts_yes_")]:
        doubted.check().run()
    app.form_submit_button[0].click().run()
    said = started(work, "ingest")
    assert said.map == ["amount=later"] and sorted(said.event) == ["peeked=purchase", "won=purchase"]


def test_offers_that_are_changed_and_added_make_the_plan_and_the_report(work: Workspace) -> None:
    app = opened("strategy")
    for box in app.checkbox:
        box.check()
    app.run()
    before = app.header[0].value
    gift = {"name": "Gift", "cost": 0.5, "unit": "money", "tier1": 400.0, "capacity": 7}
    edit(app, "budget_table", {0: {"name": "Letter", "cost": 0.25}}, [gift])
    assert app.header[0].value != before and "Gift" in str([one.value for one in app.dataframe] + [app.header[0].value])
    kept = load_offers(open_dataset(work, "shop")).rows[TIERS]
    assert (kept[0]["name"], kept[0]["cost"], kept[-1]["name"]) == ("Letter", 0.25, "Gift")
    report = opened("report")
    for box in report.checkbox:
        box.check()
    report.run().button(key="make_report").click().run()
    offers, _ = parse_offers(started(work, "report").offer)
    found = {one.name: (one.cost, one.capacity) for one in offers}
    assert found["Letter"] == (0.25, None) and found["Gift"] == (0.5, 7)
