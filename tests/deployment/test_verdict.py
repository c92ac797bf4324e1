"""The verdict on a bundle joins the comparison that was made since, and a list says when its model is not trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clv_core.deployment.bundle import Bundle, open_bundle, write_record
from clv_core.deployment.saved_evaluation import BACKTEST_FILE, backtest_folder, trust_of
from clv_core.deployment.saved_evaluation import trust as run_trust
from clv_core.evaluation.bootstrap import Estimate
from clv_core.evaluation.evidence import Evidence
from clv_core.workspace import Workspace, write_json
from tests.commands.conftest import Shop
from tests.conftest import own_copy
from tests.records import judged


@pytest.fixture
def beside(small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path) -> tuple[Workspace, Bundle]:
    """A workspace of its own with the small shop, and a copy of its model whose evidence is all good."""
    workspace = own_copy(small_workspace, tmp_path / "beside")
    evidence = small_bundle.record.evidence
    assert evidence is not None and evidence.held is not None and evidence.log is not None
    sound = replace(evidence.held, buyers=900, actual_total=1.0, predicted_total=1.0, gini=Estimate(0.7, 0.6, 0.8))
    sound = replace(sound, inside=0.8, intervals=None, groups=None)
    good = Evidence(evidence.horizon_days, sound, replace(evidence.log, buyers=900, loyal=300))
    keep(workspace, small_bundle, good)
    return workspace, open_bundle(workspace, small_bundle.id)


def keep(workspace: Workspace, bundle: Bundle, evidence: Evidence) -> None:
    folder = workspace.models / bundle.id
    folder.mkdir(exist_ok=True)
    for path in bundle.folder.iterdir():
        if path.name != "bundle.json" and path.parent != folder:
            (folder / path.name).symlink_to(path)
    write_record(folder, judged(bundle.record, evidence))


def compared(workspace: Workspace, bundle: Bundle, *biases: float, model: str = "hybrid") -> None:
    metrics = {f"2023-0{month}-01": {model: {"gini": 0.7, "bias": bias}} for month, bias in enumerate(biases, start=1)}
    path = backtest_folder(workspace, bundle)
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / BACKTEST_FILE, {"metrics": metrics, "verdicts": [], "stability": []})


def test_a_comparison_changes_the_verdict_from_the_moment_it_is_there(beside: tuple[Workspace, Bundle]) -> None:
    workspace, bundle = beside
    assert trust_of(workspace, bundle) == bundle.record.trust
    assert trust_of(workspace, bundle).verdict == "trusted"
    compared(workspace, bundle, 0.5)
    assert trust_of(workspace, bundle).verdict == "trusted"
    compared(workspace, bundle, 0.5, -0.4, 0.1)
    trust = trust_of(workspace, bundle)
    assert trust.verdict == "caution" and trust.reasons[0].code == "reason.level_off_often"
    compared(workspace, bundle, 0.1, -0.1, 0.1)
    assert "reason.origins_hold" in [reason.code for reason in trust_of(workspace, bundle).reasons]


def test_a_bundle_from_before_evidence_was_kept_has_the_verdict_of_its_training(
    beside: tuple[Workspace, Bundle],
) -> None:
    workspace, bundle = beside
    old = Bundle(bundle.folder, replace(bundle.record, evidence=None))
    compared(workspace, bundle, 0.5, -0.4, 0.4)
    assert trust_of(workspace, old) == bundle.record.trust


@pytest.mark.parametrize("command", ["export", "segment"])
def test_a_list_of_a_model_that_is_not_trusted_is_written_with_a_warning(
    beside: tuple[Workspace, Bundle], tmp_path: Path, command: str
) -> None:
    workspace, bundle = beside
    words = [command, "--out", tmp_path / "list.csv", *(["--format", "csv"] if command == "export" else [])]
    answer = Shop(workspace, bundle).done(*words)
    assert answer["warnings"] == [] and answer["trust"]["verdict"] == "trusted"
    evidence = bundle.record.evidence
    assert evidence is not None and evidence.held is not None
    poor = replace(evidence, held=replace(evidence.held, gini=Estimate(0.05, -0.02, 0.12)))
    keep(workspace, bundle, poor)
    (tmp_path / "list.csv").unlink()
    answer = Shop(workspace, bundle).done(*words)
    assert (tmp_path / "list.csv").exists() and answer["trust"]["verdict"] == "not_trusted"
    assert answer["warnings"][0]["code"] == "not_trusted"
    assert run_trust(workspace, bundle.id).reasons[0].text() in answer["warnings"][0]["message"]
