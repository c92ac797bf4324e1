"""The bill of a payment service: a backtick before each cell, refunds in rows of their own without an amount."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.errors import Refused
from clv_core.workspace import Workspace
from tests.collection.small_logs import put, read_lines

pytestmark = pytest.mark.first(2)

HEAD = (
    "交易时间,商户号,微信订单号,商户订单号,用户标识,交易类型,交易状态,货币种类,应结订单金额,退款金额,退款状态,商品名称,订单金额"
    ",申请退款金额,费率备注"
)
PAID = [round(20 + at * 1.37, 2) for at in range(60)]
BACK = {at: round(PAID[at] / (2 if at % 2 else 1), 2) for at in range(0, 60, 7)}
TOTALS = "总交易单数,应结订单总金额,退款总金额\r\n`69,`3000.00,`200.00\r\n"


def row(at: int, *, refund: bool) -> str:
    day, back = at % 27 + 1 + refund, BACK[at] if refund else 0.0
    paid = 0.0 if refund else PAID[at]
    said = ("REFUND", "SUCCESS") if refund else ("SUCCESS", "")
    cells = [
        f"2024-{at // 27 + 1:02}-{day:02} 10:{at:02}:00",
        "1900000109",
        f"42{at:08}",
        f"M{at:06}",
        f"oUp{at % 11:04}",
    ]
    cells += [
        "JSAPI",
        said[0],
        "CNY",
        f"{paid:.2f}",
        f"{back:.2f}",
        said[1],
        "茶, 大",
        f"{paid:.2f}",
        f"{back:.2f}",
        "",
    ]
    return ",".join(f"`{cell}" for cell in cells)


def read(folder: Path) -> tuple[Manifest, pd.DataFrame]:
    rows = [row(at, refund=False) for at in range(60)] + [row(at, refund=True) for at in BACK]
    file, workspace = folder / "bill.csv", Workspace(folder / "ws")
    file.write_text("\ufeff" + "\r\n".join([HEAD, *rows]) + "\r\n" + TOTALS, encoding="utf-8", newline="")
    manifest = ingest(workspace, file, "bill")
    return manifest, pd.read_parquet(open_dataset(workspace, "bill").events_path)


def said(manifest: Manifest) -> set[str]:
    return {item["code"].removeprefix("warning.") for item in manifest.warnings}


def test_a_bill_is_read_without_a_question_and_is_worth_what_was_kept(tmp_path: Path) -> None:
    manifest, events = read(tmp_path)
    assert manifest.net_revenue == pytest.approx(sum(PAID) - sum(BACK.values()))
    assert manifest.customers == 11 and manifest.currency == "CNY" and manifest.rows_set_aside == 2
    assert events["event_type"].value_counts().to_dict() == {"purchase": 60, "return": len(BACK)}
    assert said(manifest) >= {"backticks", "refund_rows", "kinds_of_payment"}


def test_a_mark_of_a_cell_is_no_part_of_it_and_a_comma_in_it_is(tmp_path: Path) -> None:
    _, events = read(tmp_path)
    assert set(events["product_id"]) == {"茶, 大"} and not events["customer_id"].str.contains("`").any()


def test_what_was_left_of_a_refunded_order_is_no_refund_of_its_own(tmp_path: Path) -> None:
    rows = [
        f"o{at},c{at % 9},2024-03-{at % 28 + 1:02},{0 if at % 8 == 0 else at + 5},{at + 5 if at % 8 == 0 else 0}"
        for at in range(60)
    ]
    manifest, *_ = read_lines(tmp_path, ["order_id,customer_id,order_date,net_amount,refund_amount", *rows])
    assert manifest.net_revenue == sum(at + 5 for at in range(60) if at % 8)


def test_kinds_of_transactions_without_a_state_beside_them_are_asked_about(tmp_path: Path) -> None:
    rows = [f"c{at % 9},2024-03-{at % 28 + 1:02},{at + 5},JSAPI" for at in range(60)]
    file = put(tmp_path, ["customer_id,order_date,amount,交易类型", *rows], "kinds.csv")
    with pytest.raises(Refused) as caught:
        ingest(Workspace(tmp_path / "ws"), file, "kinds")
    assert caught.value.code == "no_purchases"
