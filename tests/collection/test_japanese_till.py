"""A till in Japan writes its sales, voids and returns as one list, in full-width digits, the clock beside the day."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

WIDE = str.maketrans("0123456789,-", "０１２３４５６７８９，－")
HEAD = "伝票番号,取引日,取引時刻,取引区分,会員コード,商品コード,数量,単価,金額(税込)"
KINDS = ("売上", "売上", "売上", "取消", "返品")


def read(folder: Path) -> tuple[Manifest, pd.DataFrame]:
    lines = [HEAD]
    for at in range(50):
        kind = KINDS[at % 5]
        pieces, price = (-1 if kind == "返品" else 1 + at % 3), 1_280 + at
        cells = f"2024年{at % 3 + 1}月{at % 9 + 1}日,{at % 12 + 8}時{at:02}分,{kind},{9000 + at % 7},S{at % 4}"
        money = [f"￥{price:,}", f"￥{pieces * price:,}".replace("￥-", "－￥")]
        line = f'{cells},{pieces},"{money[0]}","{money[1]}"'.translate(WIDE if at % 2 else {}).replace("，", ",")
        lines.append(f"R{at:05},{line}")
    lines.append("合計,,,,,,,,99999999")
    file, workspace = folder / "till.csv", Workspace(folder / "ws")
    file.write_bytes("\r\n".join(lines).encode("cp932"))
    manifest = ingest(workspace, file, "till")
    return manifest, pd.read_parquet(open_dataset(workspace, "till").events_path)


def test_what_a_till_voided_is_no_sale_and_what_came_back_is_taken_off(tmp_path: Path) -> None:
    manifest, events = read(tmp_path)
    sold = sum((1 + at % 3) * (1_280 + at) for at in range(50) if at % 5 < 3)
    back = sum(1_280 + at for at in range(50) if at % 5 == 4)
    assert manifest.net_revenue == pytest.approx(sold - back)
    assert events["event_type"].value_counts().to_dict() == {"purchase": 30, "return": 10}
    assert manifest.rows_set_aside == 10 + 1


def test_its_clock_belongs_to_its_day_and_its_yen_is_japanese(tmp_path: Path) -> None:
    manifest, events = read(tmp_path)
    assert manifest.currency == "JPY"
    first = events[events["order_id"] == "R00001"]["event_time"].iloc[0]
    assert f"{first:%Y-%m-%d %H:%M}" == "2024-02-02 09:01"
