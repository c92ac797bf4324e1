"""A till in Thailand: a member's number beside her name, phone and e-mail, months by name, years of the Buddha."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

MONTHS = "มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม".split()
WHO = {
    "รหัสสมาชิก": lambda member: f"{member:05}",
    "อีเมลลูกค้า": lambda member: f"{'N' if member % 2 else 'n'}iran{member}@example.co.th",
    "เบอร์โทร": lambda member: f"08{member:08}",
    "ชื่อลูกค้า": lambda member: f"นาย สมชาย {'กขคงจฉชซ'[member % 8]}{'ดตถทธนบป'[member // 8]}",
}
"""Columns that name the customer, the surest first."""


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", [["รหัสสมาชิก", "อีเมลลูกค้า", "เบอร์โทร", "ชื่อลูกค้า"], ["ชื่อลูกค้า", "เบอร์โทร"], ["อีเมลลูกค้า"]])
def test_its_sales_are_read_without_a_question(tmp_path: Path, names: list[str]) -> None:
    surest = next(name for name in WHO if name in names)
    lines, rows = [",".join(["เลขที่ใบเสร็จ", "วันที่ขาย", *names, "จำนวนชิ้น", "ยอดสุทธิ"])], []
    for at in range(200):
        day, member, paid = date(2023, 11, 3) + timedelta(days=3 * at), at * 7 % 40, 90 + at / 4
        when = f"{day.day} {MONTHS[day.month - 1]} {day.year + 543}"
        lines.append(
            ",".join([f"R{at:05}", when, *(WHO[name](member) for name in names), str(1 + at % 3), f"{paid:.2f}"])
        )
        rows.append((WHO[surest](member).lower(), day, paid))
    (tmp_path / "till.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, tmp_path / "till.csv", "till")
    events = pd.read_parquet(open_dataset(workspace, "till").events_path).sort_values("order_id")
    found = zip(events["customer_id"], events["event_time"].dt.date, events["amount"], strict=True)
    assert list(found) == rows and manifest.rows_set_aside == 0
