"""Names of columns in other languages, event names in either order, rates of discounts, and purchases of nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.stored.store import Manifest, open_dataset
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

ROLES = ("order_id", "customer_id", "event_time", "product_id", "quantity", "unit_price", "amount", "order_status")


def written(folder: Path, head: str, rows: list[str]) -> Path:
    file = folder / "log.csv"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return file


def codes(manifest: Manifest) -> dict[str, dict[str, object]]:
    return {warning["code"]: warning["params"] for warning in manifest.warnings}


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("head", "states", "day"),
    [
        ("注文番号,会員ID,注文日時,商品番号,個数,単価,合計金額,注文状況",
         ("発送済み", "キャンセル"), "2024年03月{:02}日 10時05分"),
        ("주문번호,구매자ID,주문일시,상품번호,수량,단가,결제금액,주문상태",
         ("구매확정", "취소"), "2024.03.{:02} 10:05"),
        ("Номер заказа,ID клиента,Дата заказа,Артикул,Количество,Цена за единицу,Сумма заказа,Статус заказа",
         ("Доставлен", "Отменён"), "2024-03-{:02} 10:05"),
        ("Número do pedido,ID do cliente,Data do pedido,Código do produto,Quantidade,Preço unitário,Valor total,"
         "Status do pedido", ("Faturado", "Pagamento Pendente"), "2024-03-{:02} 10:05"),
        ("Número de pedido,Código de cliente,Fecha de compra,Código de producto,Unidades,Precio por unidad,"
         "Importe pagado,Estado de la orden", ("Entregado", "Cancelada"), "{} de marzo de 2024 10:05"),
    ],
)  # fmt: skip
def test_an_export_in_another_language_is_read_without_an_answer(
    tmp_path: Path, head: str, states: tuple[str, str], day: str
) -> None:
    rows = [
        f"{i + 7000},C{i % 9},{day.format(i % 28 + 1)},P{i % 5},2,{i % 5 + 1},{2 * (i % 5 + 1)},{states[i % 4 == 0]}"
        for i in range(60)
    ]
    manifest = ingest(Workspace(tmp_path / "ws"), written(tmp_path, head, rows), "log")
    assert manifest.mapping == dict(zip(ROLES, head.split(","), strict=True))
    assert manifest.net_revenue == sum(2 * (i % 5 + 1) for i in range(60) if i % 4)
    assert manifest.first_event == "2024-03-02T10:05:00Z" and codes(manifest)["warning.cancelled"]["rows"] == 15


def test_names_of_events_are_known_in_either_order_and_in_a_column_called_metric(tmp_path: Path) -> None:
    names = ["Viewed Product", "Placed Order", "Received Email", "Received Email", "Received Email", "Refunded Order"]
    file = tmp_path / "log.jsonl"
    with file.open("w") as lines:
        for i in range(60):
            about = {"profile_id": f"c{i % 7}", "datetime": f"2024-03-{i % 28 + 1:02} 10:{i:02}:00+00:00", "value": 5}
            lines.write(json.dumps({**about, "metric": names[i % 6]}) + "\n")
    manifest = ingest(Workspace(tmp_path / "ws"), file, "log", mapping={"customer_id": "profile_id"})
    assert manifest.mapping["event_type"] == "metric" and manifest.net_revenue == 0
    assert manifest.event_types == {"Received Email": 30, "purchase": 10, "return": 10, "view": 10}


def test_a_metric_that_is_none_of_events_is_no_event_type(tmp_path: Path) -> None:
    rows = [f"c{i % 7},2024-03-{i % 28 + 1:02},5,{('cm', 'kg', 'order')[i % 3]}" for i in range(60)]
    file = written(tmp_path, "customer_id,order_date,amount,metric", rows)
    assert ingest(Workspace(tmp_path / "ws"), file, "log").event_types == {"purchase": 60}


def test_a_rate_of_discount_is_never_kept_as_money(tmp_path: Path) -> None:
    rows = [f"c{i % 7},2024-03-{i % 28 + 1:02},2,{80 + i},{(0, 0.2, 0.15)[i % 3]}" for i in range(60)]
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, written(tmp_path, "Customer ID,Order Date,Quantity,Sales,Discount", rows), "log")
    assert manifest.net_revenue == sum(80 + i for i in range(60)) and "discount" not in manifest.columns
    assert codes(manifest)["warning.discount_rate"] == {"column": "Discount"}
    money = [row.replace("0.2", "12.2") for row in rows]
    manifest = ingest(workspace, written(tmp_path, "Customer ID,Order Date,Quantity,Sales,Discount", money), "log")
    assert "discount" in manifest.columns and "warning.discount_rate" not in codes(manifest)


def test_purchases_of_nothing_are_counted_and_spoken_of(tmp_path: Path) -> None:
    rows = [f"c{i % 7},2024-03-{i % 28 + 1:02},{0 if i % 4 else 10 + i}" for i in range(60)]
    workspace = Workspace(tmp_path / "ws")
    manifest = ingest(workspace, written(tmp_path, "customer_id,order_date,amount", rows), "log")
    assert manifest.purchases == 60 and codes(manifest)["warning.zero_purchases"] == {"rows": 45, "share": 0.75}
    paid = written(tmp_path, "customer_id,order_date,amount", [row for row in rows if not row.endswith(",0")])
    assert "warning.zero_purchases" not in codes(ingest(workspace, paid, "paid"))
    assert len(open_dataset(workspace, "paid").manifest.warnings) == 0
