"""What web analytics and services of events export: nested values, cells of many values, sessions without money."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clv_core.collection.check import Check, check_file
from clv_core.collection.store.version_store import Manifest
from clv_core.errors import NeedsAnswer, Refused
from tests.collection.small_logs import day, put, read, read_lines, refused, warnings, write

pytestmark = pytest.mark.first(8)

START = 1_704_362_400_000_000

EVENTS = ("view_item", "add_to_cart", "purchase")


def event(at: int, name: str) -> dict[str, Any]:
    revenue = 10.5 + at if name == "purchase" else None
    back = 4.25 if name == "refund" else None
    return {
        "event_date": "20240104",
        "event_timestamp": START + at * 7_200_000_000,
        "event_name": name,
        "event_params": [{"key": "page", "value": {"string_value": "x"}}],
        "event_value_in_usd": revenue and revenue * 1.1,
        "user_pseudo_id": f"{1000 + at % 9}.1600000000",
        "device": {"category": "mobile"},
        "ecommerce": {"transaction_id": f"T{at}", "purchase_revenue": revenue, "refund_value": back},
        "items": [{"item_id": "A1", "price": 5.25, "quantity": 2}],
    }


def write_events(path: Path) -> float:
    rows = [event(at, EVENTS[at % 3]) for at in range(90)] + [event(90 + at, "refund") for at in range(5)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    return sum(row["ecommerce"]["purchase_revenue"] or 0 for row in rows) - 5 * 4.25


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_the_shops_own_money_counts_and_refunds_are_taken_off(tmp_path: Path, suffix: str) -> None:
    wanted = write_events(tmp_path / f"events{suffix}")
    manifest, events, _ = read(tmp_path / f"events{suffix}")
    assert manifest.mapping["amount"] == "ecommerce.purchase_revenue" and manifest.rows_set_aside == 0
    assert manifest.net_revenue == pytest.approx(wanted)
    assert events["event_type"].value_counts().to_dict() == {"view": 30, "cart": 30, "purchase": 30, "return": 5}
    assert set(events["device.category"]) == {"mobile"} and events["order_id"].dropna().str.fullmatch(r"T\d+").all()
    assert set(events["customer_id"]) == {f"{1000 + at}.1600000000" for at in range(9)}


FIRST = 1_704_362_400


def charges(*, cents: bool, currency: str = "usd") -> list[dict[str, Any]]:
    """Return 60 charges, every sixth of which failed."""
    made = []
    for at in range(60):
        amount = 1999 + at * 37 if cents else (1999 + at * 37) / 100
        state = "failed" if at % 6 == 5 else "succeeded"
        made.append({"id": f"ch_{at:04}", "amount": amount, "currency": currency, "created": FIRST + at * 90_000})
        made[-1] |= {"customer": f"cus_{at % 11:03}", "status": state, "metadata": {"page": "1"}}
    return made


def read_answer(folder: Path, content: object) -> Manifest:
    return read(put(folder, [json.dumps(content, indent=1)], "answer.json"))[0]


CHARGED = sum(1999 + at * 37 for at in range(60) if at % 6 < 5)


@pytest.mark.examples(2)
@pytest.mark.parametrize("keys", [("data",), ("result", "orders"), ("hits", "hits")])
def test_the_records_of_an_answer_are_its_rows(tmp_path: Path, keys: tuple[str, ...]) -> None:
    """Of two lists, those are the records that have times."""
    content: Any = charges(cents=False)
    for key in reversed(keys):
        content = {"included": [{"type": "profile", "key": "a"}], "count": 60, key: content}
    manifest = read_answer(tmp_path, content)
    assert manifest.rows_read == 60 and manifest.net_revenue == pytest.approx(CHARGED / 100)
    assert {"envelope"} <= warnings(manifest).keys() and "maybe_cents" not in warnings(manifest)


def sessions(blank: str = "", share: float = 0.1, order: bool = False) -> pd.DataFrame:
    """300 sessions of 40 visitors; in a share of them something was paid."""
    paid = [at % round(1 / share) == 0 for at in range(300)]
    table = pd.DataFrame(
        {
            "visitor_id": [f"v{at % 40}" for at in range(300)],
            "visit_id": [f"s{at}" for at in range(300)],
            "date": pd.date_range("2024-01-01", periods=300, freq="8h").strftime("%Y-%m-%d %H:%M"),
            "revenue": [f"{10 + at / 4:.2f}" if some else blank for at, some in enumerate(paid)],
        }
    )
    return table.assign(transaction_id=[f"t{at}" if some else "" for at, some in enumerate(paid)]) if order else table


def look(folder: Path, table: pd.DataFrame) -> Check:
    table.to_csv(folder / "sessions.csv", index=False)
    return check_file(folder / "sessions.csv")


def test_a_missing_amount_among_paid_sessions_is_set_aside(tmp_path: Path) -> None:
    table = sessions(share=1.0)
    table.loc[[3, 7], "revenue"] = ""
    assert look(tmp_path, table).manifest.rows_set_aside == 2


def unfolded(folder: Path, *, own: bool) -> tuple[Manifest, float]:
    """Read a table with a row a product of each purchase, which tells of the whole purchase or of its own product."""
    rows, sold = ["user_pseudo_id,event_timestamp,event_name,transaction_id,purchase_revenue,refund_value,item_id"], 0.0
    for at in range(60):
        who, when = f"u{at % 9}", START + at * 7_200_000_000
        rows.append(f"{who},{when},view_item,,,,A{at % 3}")
        items = [12.5 + at, 7.25 + 2 * at]
        sold += sum(items)
        for place, price in enumerate(items):
            rows.append(f"{who},{when + 1},purchase,T{at},{price if own else sum(items)},,A{place}")
        if at % 10 == 0:
            rows += [
                f"{who},{when + 2},refund,T{at},,{price if own else sum(items)},A{n}" for n, price in enumerate(items)
            ]
            sold -= sum(items)
    return read_lines(folder, rows)[0], sold


@pytest.mark.parametrize("own", [False, True])
def test_a_purchase_counts_once_whether_its_rows_tell_of_all_of_it_or_of_one_product(tmp_path: Path, own: bool) -> None:
    manifest, sold = unfolded(tmp_path, own=own)
    assert manifest.net_revenue == pytest.approx(sold) and manifest.rows_set_aside == 0
    assert ("whole_orders" in warnings(manifest)) is not own


@pytest.mark.parametrize("told", ["number", "word"])
def test_a_cart_that_was_left_behind_and_a_goal_are_no_purchases(tmp_path: Path, told: str) -> None:
    numbers, words = [0, -1, 3], ["ecommerceOrder", "ecommerceAbandonedCart", "goal"]
    file = write(
        tmp_path,
        f"idvisit,idvisitor,server_time,{'idgoal' if told == 'number' else 'type'},revenue",
        lambda at: (at, f"v{at % 11}", day(at), (numbers if told == "number" else words)[at % 3], 10 + at),
    )
    manifest, events, said = read(file)
    assert manifest.net_revenue == sum(10 + at for at in range(0, 90, 3)) and manifest.customers == 11
    assert manifest.event_types == {"purchase": 30, "cart": 30, "3" if told == "number" else "goal": 30}


def test_goals_are_sales_where_the_person_says_so(tmp_path: Path) -> None:
    file = write(
        tmp_path, "idvisitor,server_time,idgoal,revenue", lambda at: (f"v{at % 11}", day(at), at % 2 * 4 - 1, 10)
    )
    manifest, _, _ = read(file, events={"3": "purchase"})
    assert manifest.net_revenue == 450


def test_a_customer_with_a_list_of_events_is_a_record_and_no_envelope(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        read_answer(tmp_path, {"user_id": "u1", "events": [{"ts": FIRST + at, "amount": at} for at in range(30)]})
    assert caught.value.code == "nested_events"


def test_whole_amounts_in_a_currency_with_cents_are_doubted(tmp_path: Path) -> None:
    with pytest.raises(NeedsAnswer) as asked:
        read_answer(tmp_path, {"data": charges(cents=True)})
    assert [one["net_revenue"] for one in asked.value.params["readings"]] == [CHARGED, pytest.approx(CHARGED / 100)]
    read_answer(tmp_path, {"data": charges(cents=True, currency="jpy")})  # has none


def test_a_metric_in_a_nested_object_names_the_event(tmp_path: Path) -> None:
    records, sold = [], 0.0
    for at in range(90):
        metric = ("Placed Order", "Viewed Product", "Opened Email")[at % 3] if at % 30 != 4 else "Refunded Order"
        value = {"$value": 30.5 + at} if metric == "Placed Order" else {"$value": 12.5} if "Refund" in metric else {}
        sold += value.get("$value", 0) * (-1 if "Refund" in metric else 1)
        record = {"timestamp": FIRST + at * 90_000, "metric_name": metric, "event_properties": value}
        people = {"profile": {"data": {"type": "profile", "id": f"P{at % 13}"}}}
        records.append({"type": "event", "attributes": record, "relationships": people})
    manifest = read_answer(tmp_path, {"data": records})
    assert manifest.net_revenue == pytest.approx(sold) and manifest.customers == 13
    assert manifest.event_types["return"] == 3 and manifest.event_types["view"] > 0


def test_records_under_a_key_are_read_whatever_the_size_of_the_file(tmp_path: Path) -> None:
    """A text of JSON in one piece may have 16 MB; the whole is read piece by piece, marks of JSON in its texts too."""
    note = '"}],\\ [{: ' * 2_000
    records = [
        {"created_at": f"2024-{at % 9 + 1:02}-03", "customer": {"id": f"C{at % 40}"}, "total": at + 0.5, "note": note}
        for at in range(900)
    ]
    file = put(tmp_path, [json.dumps({"meta": {"tags": [1, 2]}, "orders": records}, indent=1)], "orders.json")
    assert file.stat().st_size > 1 << 24
    manifest, *_ = read(file)
    assert (manifest.rows_read, manifest.customers) == (900, 40)
    assert manifest.net_revenue == pytest.approx(sum(at + 0.5 for at in range(900)))


def test_one_large_object_without_a_list_is_refused_as_that(tmp_path: Path) -> None:
    record = {"customer_id": "C1", "date": "2024-01-02", "note": "x" * (1 << 25)}
    assert refused(put(tmp_path, [json.dumps(record)], "log.json")).code == "large_object"


@pytest.mark.parametrize("order", [True, False])
def test_sessions_without_an_amount_are_rejected_and_told(tmp_path: Path, order: bool) -> None:
    facts = look(tmp_path, sessions(order=order)).manifest
    assert facts.rows_set_aside == 270 and facts.event_types == {"purchase": 30}
    assert [one.code for one in facts.warnings] == ["warning.no_amount"]
