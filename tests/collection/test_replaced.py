"""A file read in place of an earlier one: what the new version lacks is said, and the version before can come back."""

from __future__ import annotations

from dataclasses import replace

from clv_core.collection.ingest import ingest
from clv_core.collection.store.manifest import Manifest, Roles, replacement_warnings
from clv_core.collection.store.version_store import open_dataset, restore
from clv_core.jobs import NoProgress
from clv_core.preprocessing.add_customers import add_customers
from clv_core.workspace import Workspace
from tests.collection.small_logs import warnings


def read(workspace: Workspace, days: int) -> Manifest:
    """Read a shop's export of its first days, an order a day."""
    path = workspace.root.parent / "export.csv"
    rows = [f"o{day},c{day % 7},2024-01-{day + 1:02},{10 + day}.50" for day in range(days)]
    path.write_text("\n".join(["order_id,customer_id,date,amount", *rows]), encoding="utf-8")
    return ingest(workspace, path, "shop", timezone="UTC", currency="EUR")


def test_an_export_that_broke_off_is_held_against_the_version_that_it_takes_the_place_of(workspace: Workspace) -> None:
    whole = read(workspace, 28)
    assert "replaced_by_less" not in warnings(whole)
    half = warnings(read(workspace, 14))["replaced_by_less"]
    assert (half["rows"], half["before"], half["end"], half["end_before"]) == (14, 28, "2024-01-14", "2024-01-28")
    restore(workspace, "shop", str(half["version"]))
    assert open_dataset(workspace, "shop").manifest.rows_kept == 28


def test_a_longer_export_and_the_same_one_again_are_no_loss(workspace: Workspace) -> None:
    for days in (14, 14, 28):
        assert "replaced_by_less" not in warnings(read(workspace, days))


def test_rules_that_were_on_are_named_with_the_command_that_brings_them_back(workspace: Workspace) -> None:
    manifest = read(workspace, 28)
    (message,) = replacement_warnings(replace(manifest, rules={"tiny_orders": 5.6, "bots": None}), manifest)
    assert message.code == "warning.rules_left"
    assert message.text().endswith("“clean shop --rule tiny_orders=5.6 --rule bots”.")


def test_a_customers_table_that_does_not_come_along_is_named(workspace: Workspace) -> None:
    read(workspace, 28)
    people = workspace.root.parent / "people.csv"
    people.write_text("customer_id,city\n" + "\n".join(f"c{n},Bern" for n in range(7)), encoding="utf-8")
    add_customers(workspace, "shop", people, Roles(static=("city",)), progress=NoProgress())
    assert warnings(read(workspace, 28))["customers_table_left"] == {"name": "shop", "customers": 7}
    assert "customers_table_left" not in warnings(read(workspace, 28))
