"""Reports that name each customer in her first row alone, and logs whose blank ids are those of guests."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.collection.small_logs import day, paid, read, write

pytestmark = pytest.mark.first(2)

HEAD = "customer_id,order_date,amount,order_id,email"
START = date(2024, 1, 1)


def report(file: Path, form: str, *, newest_first: bool = False) -> dict[str, float]:
    """Write the orders of 30 customers, each named in her first row; return what each paid."""
    lines, worth = [HEAD], dict[str, float]()
    for who in range(30):
        orders = [START + timedelta(days=7 * (who * 5 % 11) + 23 * at) for at in range(who % 4 + 1)]
        for at, when in enumerate(sorted(orders, reverse=newest_first)):
            amount = paid(3 * who + at)
            names = (f"K{who}", f"k{who}@x.example") if not at else ("", "")
            lines.append(f"{names[0]},{when:{form}},{amount},O{who}-{at},{names[1]}")
            worth[f"K{who}"] = worth.get(f"K{who}", 0) + amount
    file.write_text("\n".join(lines) + "\n")
    return worth


@pytest.mark.examples(2)
@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_blank_ids_below_a_customer_are_hers(tmp_path: Path, form: str, newest_first: bool) -> None:
    worth = report(tmp_path / "log.csv", form, newest_first=newest_first)
    manifest, events, said = read(tmp_path / "log.csv")
    assert events.groupby("customer_id")["amount"].sum().to_dict() == pytest.approx(worth)
    assert said["filled_down"] == {"column": "customer_id", "rows": len(events) - 30, "customers": 30}
    assert manifest.rows_set_aside == 0


def test_blank_ids_in_the_order_of_time_are_those_of_guests(tmp_path: Path) -> None:
    def row(at: int) -> list[object]:
        return [f"K{at}" if at % 3 == 0 else "", START + timedelta(days=at), paid(at), f"O{at}", ""]

    manifest, _, said = read(write(tmp_path, HEAD, row))
    assert (manifest.rows_kept, manifest.rows_set_aside) == (30, 60) and "filled_down" not in said


def test_blank_ids_beside_customers_who_come_again_are_those_of_guests(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD, lambda at: [f"K{at % 20}" if at % 3 == 0 else "", day(at), paid(at), f"O{at}", ""])
    assert read(file)[0].rows_set_aside == 60
