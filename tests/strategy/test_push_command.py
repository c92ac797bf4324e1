"""Pushes by the command line and by a schedule: a purpose holds at both, and both say who stays out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core import audit, jobs
from clv_core.cli import main
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import list_bundles
from clv_core.jobs import NoProgress
from clv_core.monitoring.chains import run_now
from clv_core.monitoring.schedules import Schedule, add_schedule
from clv_core.preprocessing.add_customers import add_customers
from clv_core.strategy.audiences.export_records import customer_exports
from clv_core.workspace import Workspace

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in the workspace of the test, and return its JSON and what it said beside that."""

    def made(*words: str, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert main([*words, "--workspace", str(tmp_path / "workspace")]) == code
        out, err = capsys.readouterr()
        return {**json.loads(out), "stderr": err}

    return made


@pytest.fixture
def consenting(small_workspace: Workspace, tmp_path: Path) -> pd.Series:
    """Who agreed, by id, as a customers table has it that says nothing of how anybody can be reached."""
    shutil.copytree(small_workspace.root, tmp_path / "workspace")
    work = Workspace(tmp_path / "workspace")
    ids = pd.read_parquet(open_dataset(work, "shop").events_path, columns=["customer_id"])["customer_id"].unique()
    people = pd.DataFrame({"customer_id": ids, "marketing_consent": ["no", "yes", "yes"] * (len(ids) // 3)})
    people.to_csv(tmp_path / "people.csv", index=False)
    add_customers(work, "shop", tmp_path / "people.csv", Roles(), progress=NoProgress())
    return people.set_index("customer_id")["marketing_consent"]


@pytest.mark.slow
def test_purpose_holds_at_the_command_line_and_in_a_schedule(call: Call, consenting: pd.Series, tmp_path: Path) -> None:
    work = Workspace(tmp_path / "workspace")
    model, everybody, refusing = list_bundles(work)[0].id, len(consenting), int((consenting == "no").sum())
    lake = tmp_path / "lake" / "shop" / "scores.parquet"
    add = ("destinations", "add", "lake", "--kind", "bucket", "--address", f"file://{tmp_path}/lake")
    assert call(*add, "--purpose", "warehouse")["purpose"] == "warehouse"
    push = ("push", "shop", "--model", model, "--to", "lake")
    everyone = call(*push)
    assert (everyone["sent"], everyone["left_out"], everyone["purpose"]) == (everybody, {}, "warehouse")
    written = pd.read_parquet(lake).set_index("customer_id")["consent"]
    assert written.to_dict() == consenting.to_dict()

    assert call("destinations", "change", "lake", "--purpose", "marketing")["purpose"] == "marketing"
    assert [one["purpose"] for one in call("destinations", "list")["destinations"]] == ["marketing"]
    assert audit.lines(work, 1)[0] | {"at": "", "number": 0, "previous": ""} == {
        **{"at": "", "number": 0, "previous": "", "who": audit.actor(), "action": "destinations change"},
        **{"format": "bucket", "destination": "lake", "purpose": "marketing", "outcome": "done"},
    }
    dry = call(*push, "--dry-run")
    assert (dry["audience"], dry["left_out"], dry["more_left_out"]) == (
        everybody - refusing,
        {"no_consent": refusing},
        refusing,
    )
    assert [one["code"] for one in dry["warnings"] if one["code"].startswith("push")] == ["push_leaves_out"]
    assert len(pd.read_parquet(lake)) == everybody

    add_schedule(work, Schedule("nightly", "0 3 * * *", (" ".join(push),)), datetime.now(UTC))
    assert run_now(work, "nightly") == "done"
    rows = pd.read_parquet(lake)
    assert set(rows["customer_id"]) == set(consenting.index[consenting == "yes"]) and "consent" not in rows
    job = jobs.jobs(work, "push")[0]
    assert f"{refusing} more customers than in the last push are left out of “lake”" in job.log()
    receipt = customer_exports(work)[0]
    assert (receipt.left_out, receipt.who) == ({"no_consent": refusing}, audit.actor())
    assert "more customers" not in call(*push)["stderr"]


@pytest.mark.parametrize(
    "words",
    [
        ("change", "lake"),
        ("change", "--purpose", "marketing"),
        ("remove", "lake", "--purpose", "marketing"),
        ("list", "--purpose", "warehouse"),
        ("change", "lake", "--kind", "bucket", "--purpose", "marketing"),
    ],
)
def test_words_that_an_action_does_not_take_are_refused(call: Call, words: tuple[str, ...]) -> None:
    assert call("destinations", *words, code=2)["error"]["code"] == "destinations_words"
