"""Several datasets as one: rows, accounts, customers tables, and what cannot be put together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append, combine
from clv_core.collection.store.manifest import Roles
from clv_core.collection.store.version_store import list_datasets, open_dataset
from clv_core.errors import NotFound, Refused, UsageError
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.preprocessing.clean import clean
from clv_core.workspace import Workspace
from tests.collection.order_files import check_accounts
from tests.collection.small_logs import warnings
from tests.collection.test_append import HEAD, rows, write

pytestmark = pytest.mark.first(4)

NORTH = HEAD + "\na,2024-01-01,1\na,2024-01-01,1\nb,2024-01-02,2\n,2024-01-03,3\n"
SOUTH = HEAD + "\na,2024-01-01,1\nc,2024-02-02,4\n,,\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, write(workspace, "north.csv", NORTH), "north", currency="EUR", timezone="Europe/Paris")
    ingest(workspace, write(workspace, "south.csv", SOUTH), "south")
    return workspace


def test_exports_of_one_log_are_one_log_and_the_originals_stay(workspace: Workspace) -> None:
    before = {item.name: item.manifest for item in list_datasets(workspace)}
    made = combine(workspace, ["north", "south"], "both")
    both = Counter(rows(workspace, "both", "customer_id, amount"))
    assert both == {("a", 1.0): 3, ("b", 2.0): 1, ("c", 4.0): 1}
    check_accounts(made)
    assert (made.made, made.currency, made.timezone) == ("combine", "EUR", "Europe/Paris")
    parts = [(name, before[name].version) for name in ("north", "south")]
    assert [(part.source, part.version) for part in made.parts] == parts
    assert "timezone_differs" in warnings(made)
    assert {item.name: item.manifest for item in list_datasets(workspace) if item.name != "both"} == before
    aside = duckdb.sql(f"SELECT file, line FROM '{open_dataset(workspace, 'both').rejected_path}'").fetchall()
    assert sorted(aside) == [("north", 5), ("south", 4)]


def test_what_both_hold_counts_once_only_where_the_columns_are_the_same(workspace: Workspace) -> None:
    ingest(workspace, write(workspace, "n.csv", NORTH), "again")
    till = NORTH.replace("\n", ",x\n").replace("amount,x", "amount,till")
    ingest(workspace, write(workspace, "o.csv", till), "other")
    assert combine(workspace, ["south", "again"], "same").rows_kept == 2 + 2
    made = combine(workspace, ["south", "other"], "different")
    assert made.rows_kept == 2 + 3 and made.parts[1].rows_overlap == 0


def test_a_combined_dataset_can_be_appended_to(workspace: Workspace) -> None:
    combine(workspace, ["north", "south"], "both")
    made = append(workspace, "both", write(workspace, "march.csv", HEAD + "\na,2024-03-01,9\n,,\n"))
    assert [part.source for part in made.parts] == ["north", "south", "march.csv"]
    check_accounts(made)
    assert made.net_revenue == 1 * 3 + 2 + 4 + 9


def test_the_first_customers_table_is_taken_and_said(workspace: Workspace) -> None:
    for name in ("south", "north"):
        table = write(workspace, f"people-{name}.csv", f"customer_id,plan\na,{name}\nc,{name}\nz,{name}\n")
        add_customers(workspace, name, table, Roles(static=("plan",)), progress=NoProgress())
    made = combine(workspace, ["north", "south"], "both")
    assert made.customers_table is not None and made.customers_table.matched == 2
    assert warnings(made)["customers_of"] == {"name": "north", "left": ["south"]}
    plans = duckdb.sql(f"SELECT DISTINCT plan FROM '{open_dataset(workspace, 'both').customers_path}'").fetchall()
    assert plans == [("north",)]


def test_a_customers_table_stays_when_the_log_grows(workspace: Workspace) -> None:
    table = write(workspace, "people.csv", "customer_id,plan\na,x\nnew,y\n")
    add_customers(workspace, "south", table, Roles(static=("plan",)), progress=NoProgress())
    made = append(workspace, "south", write(workspace, "march.csv", HEAD + "\nnew,2024-03-01,9\n"))
    dataset = open_dataset(workspace, "south")
    assert made.customers_table is not None and made.customers_table.matched == 2
    assert dataset.customers_path.exists() and dataset.manifest == made


def test_a_cleaned_log_is_appended_to_as_it_was_before_cleaning(workspace: Workspace) -> None:
    twice = HEAD + "\na,2024-01-01,1\na,2024-01-01,1\nb,2024-01-02,2\n"
    first = ingest(workspace, write(workspace, "r.csv", twice), "log")
    cleaned = clean(workspace, "log", {"repeated": None})
    assert cleaned.rows_kept == 2
    made = append(workspace, "log", write(workspace, "s.csv", HEAD + "\nb,2024-03-02,2\n"))
    assert (made.rows_kept, made.rules, made.raw_version, made.parent) == (4, {}, "", cleaned.version)
    assert made.rows_read == first.rows_read + 1
    assert "combined_cleaned" not in warnings(combine(workspace, ["log", "south"], "both"))
    clean(workspace, "log", {"repeated": None})
    assert "combined_cleaned" in warnings(combine(workspace, ["log", "south"], "both2"))


def test_what_cannot_be_added_up_is_refused_and_leaves_nothing(workspace: Workspace) -> None:
    ingest(workspace, write(workspace, "n.csv", NORTH), "dollars", currency="USD")
    with pytest.raises(Refused, match="EUR.*USD"):
        combine(workspace, ["north", "dollars"], "both")
    with pytest.raises(Refused, match="south"):
        combine(workspace, ["north", "dollars"], "south")
    with pytest.raises(NotFound):
        combine(workspace, ["north", "nowhere"], "both")
    for names in (["north"], ["north", "north"]):
        with pytest.raises(UsageError):
            combine(workspace, names, "both")
    assert sorted(path.name for path in workspace.datasets.iterdir()) == ["dollars", "north", "south"]
