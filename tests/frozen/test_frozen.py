"""Workspaces of every release, and one that commit 79937553 wrote, keep opening and score alike.

Releases lie in folders of their own (``freeze.py``). ``workspace.zip`` holds the dataset ``shop`` (300 simulated
customers, an appended file, a customers table), one model of each kind trained on it for a few steps, their scores, an
explanation, a plan, an export, a do-not-contact list, and a registry with eleven versions, the fourth of which is
champion. ``scores.csv``, ``plan.csv`` and ``klaviyo.csv`` are what that commit answered.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from clv_core import __version__, cli
from clv_core.workspace import Workspace
from tests.commands.conftest import done
from tests.frozen.freeze import answers
from tests.near import assert_scores_near

HERE = Path(__file__).parent
KINDS = (
    *("hybrid", "instant", "instant_tuned", "blend", "mlp", "rnn"),
    *("naive", "bgnbd", "paretonbd", "lightgbm", "ziln_mlp"),
)


@pytest.mark.parametrize("release", sorted(path.parent.name for path in HERE.glob("*/answers.json")))
def test_workspace_of_a_release_scores_and_monitors_as_it_did(release: str, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    shutil.copy(HERE / release / "workspace.key", tmp_path)
    done(workspace, "recover", HERE / release / "workspace.zip")
    for path in workspace.datasets.glob("*/made"):  # what that version had scored
        shutil.rmtree(path)
    scores, rest = answers(workspace, tmp_path)
    known = pd.read_csv(HERE / release / "scores.csv", dtype={"customer_id": str})
    assert_scores_near(scores.astype(known.dtypes), known)
    expected = json.loads((HERE / release / "answers.json").read_text(encoding="utf-8"))
    now, then = rest.pop("realised"), expected.pop("realised")
    assert now.pop("until") == then.pop("until") and now == pytest.approx(then, rel=1e-6)
    assert rest == expected


def test_this_release_is_frozen() -> None:
    assert (HERE / __version__ / "workspace.zip").stat().st_size < 1_000_000


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    with zipfile.ZipFile(HERE / "workspace.zip") as packed:
        packed.extractall(tmp_path)
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def call(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> dict[str, Any]:
        code = cli.main([*words, "--workspace", str(workspace.root), "--quiet"])
        out = capsys.readouterr()
        assert code == 0, out.err
        answer: dict[str, Any] = json.loads(out.out.splitlines()[-1])
        return answer

    return run


def test_every_kind_of_model_scores_as_it_did(workspace: Workspace, call: Any, tmp_path: Path) -> None:
    known = pd.read_csv(HERE / "scores.csv").set_index("customer_id")
    call("datasets")  # moves what was made to where it lies now
    shutil.rmtree(workspace.datasets / "shop" / "made")
    for version, kind in enumerate(KINDS, 1):
        out = tmp_path / f"{kind}.csv"
        assert kind in call("score", "shop", "--model", f"shop@{version}", "--out", str(out))["model"]
        then = known[known["version"] == version].drop(columns="version")
        now = pd.read_csv(out).set_index("customer_id").loc[then.index, then.columns]
        assert_scores_near(now, then)


def test_versions_of_data_and_models_their_roles_and_what_was_made_are_there(call: Any) -> None:
    shop = call("datasets", "shop")
    assert [one["made"] for one in shop["versions"]] == ["customers", "append", "ingest"]
    versions = call("models", "list", "shop")["versions"]
    assert [one["kind"] for one in sorted(versions, key=lambda one: one["version"])] == list(KINDS)
    assert [one["version"] for one in versions if one["role"] == "champion"] == [4]
    assert call("suppress", "list")["suppressed"] == 1


def test_plan_and_list_for_an_ad_platform_are_what_they_were(call: Any, tmp_path: Path) -> None:
    offer = "name=Voucher,cost=2,effect=20%"
    call("plan", "shop", "--model", "shop@1", "--budget", "50", "--offer", offer, "--out", str(tmp_path / "plan.csv"))
    call("suppress", "remove", "C003")
    made = call(
        *("export", "shop", "--model", "shop@1", "--format", "klaviyo", "--segment", "1"),
        *("--out", str(tmp_path / "klaviyo.csv")),
    )
    assert made["left_out"] == {"no_consent": 4}
    for name in ("plan.csv", "klaviyo.csv"):
        assert (tmp_path / name).read_bytes() == (HERE / name).read_bytes()


def test_explanation_adds_up_and_is_found_again(call: Any, tmp_path: Path) -> None:
    words = ("explain", "shop", "--model", "shop@1", "--sample", "40", "--permutations", "4")
    found = call(*words, "--out", str(tmp_path / "explained"))
    assert found["importance"][0]["part"] == "anchor"
    assert found["importance"][0]["mean_abs"] == pytest.approx(3.5973717051848766, rel=1e-6)
    assert found["base"] == pytest.approx(4.583541196799471, rel=1e-6)


def test_dataset_is_renamed_and_pruned_with_its_models(call: Any, tmp_path: Path) -> None:
    call("rename", "shop", "store")
    assert len(call("models", "list", "store")["versions"]) == len(KINDS)
    out = tmp_path / "scores.csv"
    assert "blend" in call("score", "store", "--model", "champion", "--out", str(out))["model"]
    call("prune", "store", "--keep", "1")
    assert len(call("datasets", "store")["versions"]) == 1
    assert call("models", "prune", "store", "--keep", "2")["kept"] == [4, 1]


def test_erased_customer_is_nowhere(workspace: Workspace, call: Any) -> None:
    made = call("erase", "C145")
    assert made["certificate"]
    for path in workspace.root.rglob("*.parquet"):
        for column in pq.read_table(path).to_pylist():
            assert "C145" not in column.values(), path
    for path in (one for one in workspace.root.rglob("*") if one.is_file() and "certificate" not in str(one)):
        assert b"C145" not in path.read_bytes(), path
