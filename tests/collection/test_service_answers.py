"""What services answer with when they are asked for records: an object around their list, and amounts in cents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.manifest import Manifest
from clv_core.errors import NeedsAnswer, Refused
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

START = 1_704_362_400


def charges(*, cents: bool, currency: str = "usd") -> list[dict[str, Any]]:
    """Return 60 charges, every sixth of which failed."""
    made = []
    for at in range(60):
        amount = 1999 + at * 37 if cents else (1999 + at * 37) / 100
        state = "failed" if at % 6 == 5 else "succeeded"
        made.append({"id": f"ch_{at:04}", "amount": amount, "currency": currency, "created": START + at * 90_000})
        made[-1] |= {"customer": f"cus_{at % 11:03}", "status": state, "metadata": {"page": "1"}}
    return made


def read(folder: Path, content: object) -> Manifest:
    file = folder / "answer.json"
    file.write_text(json.dumps(content, indent=1))
    return ingest(Workspace(folder / "ws"), file, "answer")


def codes(manifest: Manifest) -> set[str]:
    return {one["code"] for one in manifest.warnings}


PAID = sum(1999 + at * 37 for at in range(60) if at % 6 < 5)


@pytest.mark.examples(2)
@pytest.mark.parametrize("keys", [("data",), ("result", "orders"), ("hits", "hits")])
def test_the_records_of_an_answer_are_its_rows(tmp_path: Path, keys: tuple[str, ...]) -> None:
    content: Any = charges(cents=False)
    for key in reversed(keys):
        content = {"object": "list", "count": 60, key: content}
    manifest = read(tmp_path, content)
    assert manifest.rows_read == 60 and manifest.net_revenue == pytest.approx(PAID / 100)
    assert {"warning.envelope"} <= codes(manifest) and "warning.maybe_cents" not in codes(manifest)


def test_of_two_lists_the_one_with_times_holds_the_records(tmp_path: Path) -> None:
    content = {"included": [{"type": "profile", "key": "a"}], "data": charges(cents=False)}
    assert read(tmp_path, content).net_revenue == pytest.approx(PAID / 100)


def test_a_customer_with_a_list_of_events_is_a_record_and_no_envelope(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        read(tmp_path, {"user_id": "u1", "events": [{"ts": START + at, "amount": at} for at in range(30)]})
    assert caught.value.code == "nested_events"


def test_whole_amounts_in_a_currency_with_cents_are_doubted(tmp_path: Path) -> None:
    with pytest.raises(NeedsAnswer) as asked:
        read(tmp_path, {"data": charges(cents=True)})
    assert [one["net_revenue"] for one in asked.value.params["readings"]] == [PAID, pytest.approx(PAID / 100)]


def test_whole_amounts_in_a_currency_without_cents_are_not(tmp_path: Path) -> None:
    assert "warning.maybe_cents" not in codes(read(tmp_path, {"data": charges(cents=True, currency="jpy")}))


def test_a_metric_in_a_nested_object_names_the_event(tmp_path: Path) -> None:
    records, sold = [], 0.0
    for at in range(90):
        metric = ("Placed Order", "Viewed Product", "Opened Email")[at % 3] if at % 30 != 4 else "Refunded Order"
        value = {"$value": 30.5 + at} if metric == "Placed Order" else {"$value": 12.5} if "Refund" in metric else {}
        sold += value.get("$value", 0) * (-1 if "Refund" in metric else 1)
        record = {"timestamp": START + at * 90_000, "metric_name": metric, "event_properties": value}
        people = {"profile": {"data": {"type": "profile", "id": f"P{at % 13}"}}}
        records.append({"type": "event", "attributes": record, "relationships": people})
    manifest = read(tmp_path, {"data": records})
    assert manifest.net_revenue == pytest.approx(sold) and manifest.customers == 13
    assert manifest.event_types["return"] == 3 and manifest.event_types["view"] > 0


def test_records_under_a_key_are_read_whatever_the_size_of_the_file(tmp_path: Path) -> None:
    """A text of JSON in one piece may have 16 MB; the whole is read piece by piece, marks of JSON in its texts too."""
    note = '"}],\\ [{: ' * 2_000
    records = [
        {"created_at": f"2024-{at % 9 + 1:02}-03", "customer": {"id": f"C{at % 40}"}, "total": at + 0.5, "note": note}
        for at in range(900)
    ]
    (tmp_path / "orders.json").write_text(json.dumps({"meta": {"tags": [1, 2]}, "orders": records}, indent=1))
    assert (tmp_path / "orders.json").stat().st_size > 1 << 24
    manifest = ingest(Workspace(tmp_path / "ws"), tmp_path / "orders.json", "log")
    assert (manifest.rows_read, manifest.customers) == (900, 40)
    assert manifest.net_revenue == pytest.approx(sum(at + 0.5 for at in range(900)))


def test_one_large_object_without_a_list_is_refused_as_that(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps({"customer_id": "C1", "date": "2024-01-02", "note": "x" * (1 << 25)}))
    with pytest.raises(Refused) as caught:
        ingest(Workspace(tmp_path / "ws"), tmp_path / "log.json", "log")
    assert caught.value.code == "large_object"
