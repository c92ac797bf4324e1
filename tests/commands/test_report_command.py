"""The commands ``demo`` and ``report``, end to end."""

from __future__ import annotations

import json
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.collection.stored.store import open_dataset
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.kept_explanations import explanation_folder
from clv_core.evaluation.explain.store import load_record
from clv_core.i18n import translate
from clv_core.workspace import Workspace


def run(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--workspace", str(workspace.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("demo"))


def test_demo_then_report_writes_slides_and_a_page_in_the_language_asked_for(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, demo = run(capsys, workspace, "demo")
    assert code == 0 and demo["dataset"] == "sample" and demo["customers"] == 1750 and demo["trust"]["reasons"]
    outs = [tmp_path / "report.pptx", tmp_path / "report.html"]
    words = ("report", "sample", "--model", demo["model"], "--lang", "zh")
    words += tuple(word for out in outs for word in ("--out", str(out)))
    code, said = run(capsys, workspace, *words, "--budget", "50", "--offer", "name=券,cost=0.2,effect=5%")
    assert code == 0 and said["files"] == [str(out) for out in outs]
    assert zipfile.is_zipfile(outs[0]) and outs[1].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert said["finding"] in outs[1].read_text(encoding="utf-8") and "90" in said["finding"]
    assert list(said["sections"]) == [
        "data", "trust", "quality", "deciles", "drivers", "segments", "plan", "limits",
    ]  # fmt: skip
    assert "50" in said["sections"]["plan"]


@pytest.mark.slow
def test_a_report_on_a_fresh_model_explains_it_first(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, demo = run(capsys, workspace, "demo")
    bundle, dataset = open_bundle(workspace, demo["model"]), open_dataset(workspace, "sample")
    folder = explanation_folder(workspace, bundle, dataset)
    shutil.rmtree(folder)
    words = ("report", "sample", "--model", demo["model"], "--out", str(tmp_path / "report.html"))
    code, said = run(capsys, workspace, *words)
    assert code == 0 and said["sections"]["drivers"] != translate("report.drivers.none", "en")
    assert load_record(folder) is not None


@pytest.mark.slow
def test_a_report_measures_an_offer_from_its_experiment_as_plan_does(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = open_dataset(small_workspace, "shop")
    ids = pd.read_parquet(dataset.events_path, columns=["customer_id"])["customer_id"].drop_duplicates().sort_values()
    rows = pd.DataFrame({"customer_id": ids, "date": (dataset.log_end - timedelta(days=40)).isoformat()})
    rows["group"] = ["offer" if place % 2 else "control" for place in range(len(rows))]
    rows.to_csv(tmp_path / "tried.csv", index=False)
    offer = f"name=Gift,cost=0,effect=@{tmp_path / 'tried.csv'}"
    words = ("report", "shop", "--model", small_bundle.id, "--out", str(tmp_path / "report.html"))
    code, said = run(capsys, small_workspace, *words, "--budget", "50", "--offer", offer)
    assert code == 0 and "experiment_left_out" in [warning["code"] for warning in said["warnings"]]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    note = {"offer": "Gift", "days": 40, "horizon": small_bundle.record["horizon_days"]}
    assert translate("warning.offer_window", "en", **note) in page
    assert translate("report.plan.rests.measured", "en") in page


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        (("--out", "report.docx"), (2, "report_out")),
        (("--out", "report.pptx", "--budget", "50"), (2, "report_plan")),
        (("--out", "report.pptx", "--offer", "name=A,cost=1,effect=5%"), (2, "report_plan")),
        (("--out", "report.pptx", "--offer", "name=A,cost=1,effect=5%", "--budget", "0"), (4, "plan_empty")),
    ],
)
def test_a_report_that_cannot_be_is_refused_in_words(
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: tuple[str, ...],
    refused: tuple[int, str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = run(capsys, workspace, "report", "sample", "--model", "any", *more)
    assert (code, said["error"]["code"]) == refused
    assert list(tmp_path.iterdir()) == []
