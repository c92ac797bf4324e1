"""What spreadsheets do to dates and ids is read rightly or spoken of: day and month swapped, one person twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset
from clv_core.errors import Refused
from clv_core.workspace import Workspace
from tests.collection.shop_export_parts import at, number
from tests.collection.shop_exports import Order, _write, orders

pytestmark = pytest.mark.first(2)


def days(folder: Path) -> list[date]:
    events = pd.read_parquet(open_dataset(Workspace(folder / "ws"), "shop").events_path)
    return sorted(events["event_time"].dt.date)


def told(folder: Path, cells: Callable[[Order], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    file, made = folder / "log.csv", orders()
    plain = [{"customer_id": one.customer, "order_date": at(one), "amount": one.total} for one in made]
    _write(file, list(plain[0]), [{**row, **cells(one)} for row, one in zip(plain, made, strict=True)])
    found = ingest(Workspace(folder / "ws"), file, "shop").warnings
    return {item["code"].removeprefix("warning."): item["params"] for item in found}


def test_dates_that_a_spreadsheet_turned_are_turned_back(tmp_path: Path) -> None:
    """Opened where months come first, 03/05/2024 is 5 March, and is saved as 2024-03-05; 13/05/2024 stays a text."""

    def written(one: Order) -> dict[str, Any]:
        kept = one.time.day > 12
        return {"order_date": at(one, "%d/%m/%Y") if kept else f"{one.time:%Y}-{one.time:%d}-{one.time:%m}"}

    found, made = told(tmp_path, written)["swapped_dates"], orders()
    assert found["written"] == sum(one.time.day > 12 for one in made)
    assert found["rows"] == len(made) - found["written"]
    assert days(tmp_path) == sorted(one.time.date() for one in made)


def test_dates_of_year_day_and_month_are_read_as_such(tmp_path: Path) -> None:
    found = told(tmp_path, lambda one: {"order_date": at(one, "%Y-%d-%m")})["read_as_ydm"]
    made = orders()
    assert (found["rows"], found["proof"]) == (len(made), sum(one.time.day > 12 for one in made))
    assert days(tmp_path) == sorted(one.time.date() for one in made)


def test_two_orders_of_dates_that_begin_with_the_year_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        told(tmp_path, lambda one: {"order_date": at(one, "%Y-%d-%m" if one.number % 2 else "%Y-%m-%d")})
    assert refused.value.code == "year_dates_contradict"


@pytest.mark.parametrize("whole", [True, False])
def test_two_forms_of_dates_that_both_hold_all_days_are_not(tmp_path: Path, whole: bool) -> None:
    def written(one: Order) -> dict[str, Any]:
        return {"order_date": at(one, "%Y-%m-%d") if whole or one.number % 2 else at(one, "%d/%m/%Y")}

    assert "swapped_dates" not in told(tmp_path, written)


def test_phones_in_two_spellings_are_spoken_of(tmp_path: Path) -> None:
    made = orders()

    def who(one: Order) -> dict[str, Any]:
        form = "+49 170 55500{:02}" if one.number % 3 else "0170 55500{:02}"
        return {"customer_id": form.format(number(one) + 10)}

    both = {number(one) for one in made if one.number % 3} & {number(one) for one in made if one.number % 3 == 0}
    found = told(tmp_path, who)["similar_phones"]
    assert (found["people"], found["customers"]) == (len(both), 2 * len(both))


@pytest.mark.examples(3)
@pytest.mark.parametrize("form", ["{:08}", "CU{}", "+49 170 55500{:02}", "{0}-1{0}", "17055500{:02}"])
def test_ids_in_one_spelling_are_not(tmp_path: Path, form: str) -> None:
    said = told(tmp_path, lambda one: {"customer_id": form.format(number(one) + 10)})
    assert not {"similar_phones", "ids_merged"} & set(said)
