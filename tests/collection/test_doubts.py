"""What about a file a person should say yes to before it is saved."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.cli import main
from clv_core.collection import check_file, rows_held
from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.workspace import Workspace


def shop(customers: int = 25, **changes: float) -> pd.DataFrame:
    """Return a shop of eight months, six orders a customer; ``changes``: m3=12 multiplies the amounts of the third."""
    rows = [
        (f"C{n % customers}", pd.Timestamp(2024, 1 + n % 8, 1 + n % 27), (3 + n % 5) * changes.get(f"m{1 + n % 8}", 1))
        for n in range(customers * 6)
    ]
    return pd.DataFrame(rows, columns=["customer_id", "date", "amount"])


def codes(table: pd.DataFrame, folder: Path) -> dict[str, dict[str, object]]:
    """Return the doubts about a table: code -> figures."""
    file = folder / "log.csv"
    table.to_csv(file, index=False)
    return {doubt.code.removeprefix("warning."): dict(doubt.params) for doubt in check_file(file).doubts}


@pytest.mark.parametrize(("customers", "doubted"), [(19, True), (20, False)])
def test_fewer_than_twenty_customers(tmp_path: Path, customers: int, doubted: bool) -> None:
    found = codes(shop(customers), tmp_path)
    assert found == ({"few_customers": {"customers": 19}} if doubted else {})


@pytest.mark.parametrize(("share", "doubted"), [(0.49, False), (0.51, True)])
def test_one_customer_with_half_of_the_revenue(tmp_path: Path, share: float, doubted: bool) -> None:
    table = shop()
    others, own = table.customer_id != "C7", table.customer_id == "C7"
    table.amount = table.amount.astype(float)
    table.loc[own, "amount"] = round(table[others].amount.sum() * share / (1 - share) / own.sum(), 2)
    found = codes(table, tmp_path)
    assert set(found) == ({"half_of_revenue"} if doubted else set())
    if doubted:
        sums = table.groupby("customer_id").amount.sum()
        said = {"customer": "C7", "amount": sums.max(), "total": sums.sum(), "share": sums.max() / sums.sum()}
        assert found["half_of_revenue"] == {key: pytest.approx(value) for key, value in said.items()}


@pytest.mark.parametrize(
    ("month", "times", "doubted"), [(8, 15, True), (7, 15, True), (8, 5, False), (3, 15, False), (6, 15, False)]
)
def test_the_newest_or_the_last_full_month_against_those_before(
    tmp_path: Path, month: int, times: int, doubted: bool
) -> None:
    table = shop(**{f"m{month}": times})
    found = codes(table, tmp_path)
    assert set(found) == ({"high_month"} if doubted else set())
    if doubted:
        sums = table.groupby(table.date.dt.month).amount.sum()
        assert found["high_month"]["month"] == f"2024-{month:02}"
        assert found["high_month"]["amount"] == sums[month] and found["high_month"]["usual"] in set(sums[: month - 1])


def test_the_command_says_doubts_among_its_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop(12).to_csv(tmp_path / "log.csv", index=False)
    assert main(["check", str(tmp_path / "log.csv"), "--workspace", str(tmp_path / "w"), "--quiet"]) == 0
    assert "Only 12 customers" in capsys.readouterr().out


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_rows_of_a_file_are_found_in_a_dataset_in_whatever_zone(tmp_path: Path, zone: str) -> None:
    table = shop()
    for name, part in {"old": table, "new": table[table.date.dt.day > 3], "far": table.assign(amount=99)}.items():
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    ingest(Workspace(tmp_path / "w"), tmp_path / "old.csv", "shop", timezone=zone)
    events = open_dataset(Workspace(tmp_path / "w"), "shop").events_path

    new, far = (
        rows_held(check_file(tmp_path / f"{name}.csv", timezone=zone).first_rows, zone, events)
        for name in ("new", "far")
    )
    assert (new.rows, new.here, new.renamed) == (50, 50, 0) and new.is_here
    assert (far.rows, far.here, far.renamed) == (50, 0, 0) and not far.is_here and not far.is_renamed
    table.assign(customer_id="x" + table.customer_id).to_csv(tmp_path / "other.csv", index=False)
    other = rows_held(check_file(tmp_path / "other.csv", timezone=zone).first_rows, zone, events)
    assert (other.here, other.renamed) == (0, 50) and other.is_renamed
