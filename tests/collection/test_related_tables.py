"""Tables of one database are not stacked as if they were one log: it is said what to join them on."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.errors import NeedsAnswer, Refused
from clv_core.workspace import Workspace

NESTED = '{"session": %d, "events": [{"aid": 7, "ts": 1660558139150, "type": "clicks"}]}'

ORDERS = "order_id,customer_id,order_purchase_timestamp\n"
ORDERS += "\n".join(f"o{at},c{at % 3},2024-03-0{at + 1}" for at in range(8))
PAYMENTS = "order_id,payment_type,payment_value\n" + "\n".join(f"o{at},card,{at + 5}" for at in range(8))


@pytest.mark.parametrize("first", ["orders.csv", "payments.csv"])
def test_orders_and_their_payments_are_to_be_joined_on_the_order(tmp_path: Path, first: str) -> None:
    files = {"orders.csv": ORDERS, "payments.csv": PAYMENTS}
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    paths = [tmp_path / name for name in sorted(files, key=lambda name: name != first)]
    with pytest.raises(Refused, match="order_id") as caught:
        ingest(Workspace(tmp_path / "ws"), paths, "shop")
    assert caught.value.code == "files_to_join" and first in caught.value.message("zh")


def test_files_that_share_no_id_are_asked_about_as_one_would_be(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("customer_id,when,amount\na,soon,1\nb,soon,2\n")
    (tmp_path / "b.csv").write_text("colour,size\nred,1\nblue,2\n")
    with pytest.raises(NeedsAnswer, match="event_time"):
        ingest(Workspace(tmp_path / "ws"), [tmp_path / "a.csv", tmp_path / "b.csv"], "shop")


def test_events_in_lists_are_to_be_unfolded(tmp_path: Path) -> None:
    (tmp_path / "sessions.jsonl").write_text("\n".join(NESTED % at for at in range(20)) + "\n")
    with pytest.raises(Refused, match="aid, ts, type") as caught:
        ingest(Workspace(tmp_path / "ws"), tmp_path / "sessions.jsonl", "shop")
    assert caught.value.code == "nested_events"


def test_a_list_beside_a_time_is_an_extra_column(tmp_path: Path) -> None:
    line = '{"customer_id": "c%d", "timestamp": "2024-03-01", "amount": %d, "items": [{"ts": 1, "sku": "a"}]}'
    (tmp_path / "log.jsonl").write_text("\n".join(line % (at % 5, at + 1) for at in range(20)) + "\n")
    assert ingest(Workspace(tmp_path / "ws"), tmp_path / "log.jsonl", "shop").net_revenue == 210


def test_what_is_said_of_the_line_of_names_holds_for_all_files(tmp_path: Path) -> None:
    for month in (1, 2):
        rows = (f"C{at % 5},2024-0{month}-{at + 1:02},{at + 1}.5\n" for at in range(20))
        (tmp_path / f"{month}.csv").write_text("".join(rows))
    paths = [tmp_path / "1.csv", tmp_path / "2.csv"]
    with pytest.raises(NeedsAnswer) as asked:
        ingest(Workspace(tmp_path / "ws"), paths, "shop", header=False)
    assert asked.value.code == "missing_columns"
    mapping = {"customer_id": "column_1", "event_time": "column_2", "amount": "column_3"}
    assert ingest(Workspace(tmp_path / "ws"), paths, "shop", header=False, mapping=mapping).net_revenue == 440
