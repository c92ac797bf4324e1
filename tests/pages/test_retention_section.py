"""Retention on the privacy page: days are set, what goes when is shown, and is removed once somebody agrees."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clv_core import audit, jobs
from clv_core.collection.store.version_store import open_dataset
from clv_core.i18n import translate
from clv_core.upkeep.retention import KINDS, Retention, load_retention, save_retention
from clv_core.workspace import Workspace
from tests.pages.conftest import HORIZON_DAYS, OPEN, do, texts


def opened(open_page: OPEN, root: Path, lang: str = "en") -> AppTest:
    app = open_page(root, "privacy", lang=lang)
    app.session_state["privacy_what"] = "retention"
    return app.run()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_goes_when_is_shown_and_nothing_is_due_by_default(open_page: OPEN, bare: Path, lang: str) -> None:
    app = opened(open_page, bare, lang)
    assert not app.error and translate("retention.why", lang) in texts(app)
    table = app.dataframe[0].value
    assert table[translate("retention.column.kind", lang)].tolist() == [
        translate(f"retention.kind.{kind}", lang) for kind in KINDS
    ]
    assert set(table[translate("retention.column.days", lang)]) == {translate("retention.for_good", lang)}
    assert set(table[translate("retention.column.due", lang)]) == {0}
    assert app.button(key="retention_remove").disabled


def test_days_are_set_and_what_is_due_goes_once_somebody_agrees(open_page: OPEN, bare: Path) -> None:
    workspace = Workspace(bare)
    for name, days in (("old", 40), ("new", 1)):
        path = workspace.exports / f"{name}.csv"
        path.write_text("customer_id\nc1\n")
        os.utime(path, (time.time() - days * 86_400,) * 2)
    app = opened(open_page, bare)
    app.number_input(key="retention_exports").set_value(30)
    do(app, "retention")
    assert load_retention(workspace) == Retention(exports=30)
    assert audit.lines(workspace)[0]["action"] == "retention"
    row = app.dataframe[0].value.set_index(translate("retention.column.kind")).loc[translate("retention.kind.exports")]
    assert row[translate("retention.column.due")] == 1 and row[translate("retention.column.next")]
    do(app, "retention_remove")
    assert translate("retention.sure.why") in texts(app) and not jobs.jobs(workspace, "prune")
    do(app, "confirm")
    (job,) = jobs.jobs(workspace, "prune")
    assert job.status().args == ("prune", "--expired")


def test_what_the_current_model_would_lose_is_said_before(open_page: OPEN, root: Path) -> None:
    dataset = open_dataset(Workspace(root), "shop")
    span = (datetime.now(UTC).date() - dataset.log_end).days
    save_retention(Workspace(root), Retention(events=span + 100))
    said = texts(opened(open_page, root)).replace("\\", "")
    assert "Predictions of the current model, version 1, change: retrain." in said
    assert f"testing a retrained model needs {2 * HORIZON_DAYS}." in said
    save_retention(Workspace(root), Retention(events=1))
    assert f"all {dataset.manifest.rows_kept:,} events are older" in texts(opened(open_page, root))
