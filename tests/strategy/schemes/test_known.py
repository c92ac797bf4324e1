"""Rules may ask for attributes of the customers table, as they were known at the cutoff; never for contact fields."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.customers import Roles
from clv_core.collection.store import open_dataset
from clv_core.deployment.belongings import predictions_of
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.embedding import embedding_path
from clv_core.jobs import NoProgress
from clv_core.preprocessing.customers import add_customers
from clv_core.strategy.conditions import Condition
from clv_core.strategy.schemes.known import with_attributes
from clv_core.strategy.schemes.rules import Rule, Rules
from clv_core.workspace import Workspace


@pytest.fixture
def workspace(with_bgnbd: Path, tmp_path: Path) -> Workspace:
    """A copy whose dataset knows an age, a status with its date, and e-mail addresses."""
    shutil.copytree(with_bgnbd, tmp_path / "workspace")
    work = Workspace(tmp_path / "workspace")
    rows = [
        ("C0001", 30, "basic", "2023-01-01", "a@b.de"),
        ("C0001", 30, "gold", "2024-06-01", "a@b.de"),
        ("C0002", 50, "basic", "2024-06-01", "c@d.de"),
    ]
    people = pd.DataFrame(rows, columns=["customer_id", "age", "status", "since", "email"])
    people.to_csv(tmp_path / "people.csv", index=False)
    roles = Roles(static=["age"], dated={"status": "since"})
    add_customers(work, "shop", tmp_path / "people.csv", roles, progress=NoProgress())
    return work


def test_attributes_are_those_known_before_the_cutoff(workspace: Workspace) -> None:
    dataset, model = open_dataset(workspace, "shop"), list_bundles(workspace)[0].id
    frame = pipeline.scores(workspace, "shop", model, progress=NoProgress())
    late = with_attributes(frame, dataset, dataset.log_end).set_index("customer_id")
    early = with_attributes(frame, dataset, date(2024, 6, 1)).set_index("customer_id")
    assert late.loc["C0001", ["age", "status"]].tolist() == [30, "gold"]
    assert early.loc["C0001", "status"] == "basic" and pd.isna(early.loc["C0002", "status"])
    assert not {"email", "since"} & set(late.columns) and "tier" in late
    rule = Rule("Gold", (Condition.parse("status=gold"), Condition.parse("age<40")))
    placed = Rules("mine", (rule,)).place(late.reset_index())
    assert (placed.where == 0).sum() == 1


def test_what_networks_see_of_customers_is_found_with_the_dataset(workspace: Workspace) -> None:
    """So that it follows a renamed dataset, and goes with a deleted one."""
    dataset, bundle = open_dataset(workspace, "shop"), list_bundles(workspace)[0]
    path = embedding_path(workspace, bundle, dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"customer_id": ["C0001"], "e00": [0.5]}).to_parquet(path)
    assert path in predictions_of(workspace, "shop")
    pipeline.delete(workspace, "shop", progress=NoProgress())
    assert not path.exists()
