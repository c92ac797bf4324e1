"""An Arabic shop's orders: its own digits, clocks and currency, and invisible marks of direction before the amounts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import open_dataset
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

OWN = str.maketrans("0123456789,.", "٠١٢٣٤٥٦٧٨٩٬٫")
HEAD = "رقم الطلب,حالة الطلب,تاريخ الطلب,رقم العميل,إجمالي الطلب"
STATES = ("تم التنفيذ", "تم التوصيل", "ملغي", "مسترجع", "بإنتظار الدفع")


@pytest.mark.examples(2)
@pytest.mark.parametrize("mark", ["", "\u200f", "\u202b"])
def test_orders_are_read_in_their_own_digits_and_count_where_they_were_paid(tmp_path: Path, mark: str) -> None:
    lines = [HEAD]
    for at in range(60):
        time = f"2024/03/{at % 28 + 1:02} {at % 12 or 12:02}:05 {'م' if at % 24 > 11 else 'ص'}".translate(OWN)
        money = f"{mark}{1_000.25 + at:,.2f}".translate(OWN) + " ر.س"
        lines.append(f"{5000 + at},{STATES[at % 5]},{mark}{time},{700 + at % 9},{money}")
    file, workspace = tmp_path / "orders.csv", Workspace(tmp_path / "ws")
    file.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8", newline="")
    manifest = ingest(workspace, file, "orders")
    assert manifest.net_revenue == pytest.approx(sum(1_000.25 + at for at in range(60) if at % 5 < 2))
    assert manifest.currency == "SAR" and manifest.rows_set_aside == 36 and manifest.customers == 9
    times = pd.read_parquet(open_dataset(workspace, "orders").events_path).set_index("order_id")["event_time"]
    assert f"{times['5016']:%Y-%m-%d %H:%M}" == "2024-03-17 16:05"
    assert f"{times['5000']:%H:%M}" == "00:05"
