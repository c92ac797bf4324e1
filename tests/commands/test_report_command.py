"""The commands ``demo`` and ``report``, end to end."""

from __future__ import annotations

import re
import shutil
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import read_record, write_record
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.evaluation.explain.saved_explanations import load_record
from clv_core.i18n import translate
from clv_core.strategy.forecast import REFUND_DATES, find_forecast, headline
from clv_core.strategy.forecast.saved_forecast import forecast_notes
from clv_core.upkeep.demo import FILES
from clv_core.workspace import Workspace
from tests.commands.conftest import Shop, codes, done, refused


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def demo(workspace: Workspace) -> dict[str, Any]:
    return done(workspace, "demo")


def test_demo_copies_the_files_of_the_sample_to_a_new_folder_and_loads_nothing(tmp_path: Path) -> None:
    empty, out = Workspace(tmp_path / "workspace"), tmp_path / "some" / "sample"
    answer = done(empty, "demo", "--out", out)
    assert answer == {"out": str(out), "files": [str(out / path.name) for path in sorted(FILES.iterdir())]}
    assert all(Path(path).read_bytes() == (FILES / Path(path).name).read_bytes() for path in answer["files"])
    assert {"README.md", "events.parquet"} <= {path.name for path in out.iterdir()}
    assert done(empty, "datasets") == {"datasets": []}
    (out / "events.parquet").write_bytes(b"mine")
    assert refused(empty, "demo", "--out", out) == (4, "out_exists")
    assert (out / "events.parquet").read_bytes() == b"mine"
    assert refused(empty, "demo", "--out", tmp_path / "other", "--make", tmp_path / "made") == (2, "usage")
    assert not (tmp_path / "other").exists() and not (tmp_path / "made").exists()


def test_demo_then_report_writes_slides_and_a_page_in_the_language_asked_for(
    workspace: Workspace, demo: dict[str, Any], tmp_path: Path
) -> None:
    assert (demo["dataset"], demo["customers"]) == ("sample", 22_000) and demo["trust"]["reasons"]
    slides, page = tmp_path / "report.pptx", tmp_path / "report.html"
    words = ("report", "sample", "--model", demo["model"], "--lang", "zh", "--out", slides, "--out", page)
    answer = done(workspace, *words, "--budget", 50, "--offer", "name=券,cost=0.2,effect=5%")
    assert answer["files"] == [str(slides), str(page)] and zipfile.is_zipfile(slides)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>") and answer["finding"] in text and "90" in answer["finding"]
    expected = "data trust forecast demand deciles bridge drivers segments campaigns plan spending limits"
    assert list(answer["sections"]) == expected.split()
    assert "50" in answer["sections"]["plan"]
    found = find_forecast(Scored.open(workspace, "sample", demo["model"]))
    assert found is not None and headline(found, "zh").text("zh") in answer["finding"]
    assert translate("report.bridge.refund_date", "zh", span="", day="").removeprefix("。") in text


@pytest.mark.slow
def test_the_bridge_of_a_report_counts_refunds_on_the_day_asked_for(
    workspace: Workspace, demo: dict[str, Any], tmp_path: Path
) -> None:
    pages = {}
    for day in REFUND_DATES:
        page = tmp_path / f"{day}.html"
        done(workspace, "report", "sample", "--model", demo["model"], "--out", page, "--refunds", day)
        pages[day] = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    said = {day: translate(f"report.bridge.{day}", "en", span="", day="|").split("|")[0] for day in REFUND_DATES}
    for day, page_of_day in pages.items():
        assert [other for other in REFUND_DATES if said[other] in page_of_day] == [day]


@pytest.mark.slow
def test_a_model_without_a_holdout_has_a_forecast_without_a_bridge(
    workspace: Workspace, demo: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(workspace.root, tmp_path / "copy")
    work = Workspace(tmp_path / "copy")
    folder = work.models / demo["model"]
    (folder / "holdout.parquet").unlink()
    known = read_record(folder)
    checksums = {name: one for name, one in known.checksums.items() if name != "holdout.parquet"}
    write_record(folder, replace(known, holdout=None, metrics={}, baselines={}, checksums=checksums))
    answer = done(work, "report", "sample", "--model", demo["model"], "--out", tmp_path / "report.html")
    assert "forecast" in answer["sections"] and "bridge" not in answer["sections"]
    found = find_forecast(Scored.open(work, "sample", demo["model"]))
    assert found is not None and not found.tests
    assert forecast_notes(found)[0].text("en") in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_report_on_a_fresh_model_explains_it_first(
    workspace: Workspace, demo: dict[str, Any], tmp_path: Path
) -> None:
    folder = explanation_folder(Scored.open(workspace, "sample", demo["model"]))
    shutil.rmtree(folder)
    answer = done(workspace, "report", "sample", "--model", demo["model"], "--out", tmp_path / "report.html")
    assert "drivers" in answer["sections"]
    assert load_record(folder) is not None


@pytest.mark.slow
def test_a_report_measures_an_offer_from_its_experiment_as_plan_does(shop: Shop, tmp_path: Path) -> None:
    dataset = open_dataset(shop.workspace, "shop")
    ids = pd.read_parquet(dataset.events_path, columns=["customer_id"])["customer_id"].drop_duplicates().sort_values()
    rows = pd.DataFrame({"customer_id": ids, "date": (dataset.log_end - timedelta(days=40)).isoformat()})
    rows["group"] = ["offer" if place % 2 else "control" for place in range(len(rows))]
    rows.to_csv(tmp_path / "tried.csv", index=False)
    offer = f"name=Gift,cost=0,effect=@{tmp_path / 'tried.csv'}"
    answer = shop.done("report", "--out", tmp_path / "report.html", "--budget", 50, "--offer", offer)
    assert "experiment_left_out" in codes(answer)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    note = {"offer": "Gift", "days": 40, "horizon": shop.model.record.horizon_days}
    assert translate("warning.offer_window", "en", **note) in page
    assert translate("report.plan.rests.measured", "en") in page
