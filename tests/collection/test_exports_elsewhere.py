"""Exports of ledgers, CRMs and shop systems of other countries are read to the cent without an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collection.small_logs import ROWS, day, paid, read, write

pytestmark = pytest.mark.first(2)


def sold(*lost: int) -> float:
    """Return what all orders came to but those at every tenth place from ``lost`` on."""
    return sum(paid(at) for at in range(ROWS) if at % 10 not in lost)


def test_a_report_of_sales_by_contractor_and_nomenclature(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "Дата,Контрагент,Номенклатура,Количество,Сумма",
        lambda at: [day(at), f"ООО Ромашка {at % 13}", f"Стол {at % 5}", 1, paid(at)],
    )
    manifest, events, _ = read(file)
    assert manifest.net_revenue == pytest.approx(sold()) and manifest.customers == 13
    assert events["product_id"].nunique() == 5


@pytest.mark.parametrize(
    ("head", "won", "open_", "lost"),
    [
        ("ID,Стадия сделки,Сумма,Контакт,Дата создания", "Сделка успешна", "В работе", "Сделка провалена"),
        ("ID,Этап сделки,Бюджет,Основной контакт,Дата создания сделки", "Успешно реализовано", "Переговоры",
         "Закрыто и не реализовано"),
    ],
)  # fmt: skip
def test_of_a_crms_deals_only_those_that_were_won_count(
    tmp_path: Path, head: str, won: str, open_: str, lost: str
) -> None:
    stages = {2: open_, 5: lost}
    file = write(tmp_path, head, lambda at: [at + 500, stages.get(at % 10, won), paid(at), f"Анна {at % 13}", day(at)])
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(sold(2, 5)) and manifest.customers == 13
    assert "cancelled" in said


def test_the_total_of_an_order_outranks_the_sum_of_a_line(tmp_path: Path) -> None:
    """Postage of 5 is in the one and not in the other."""
    lines = [
        [f"A{at}", day(at), f"c{at % 13}", p, 1, paid(at) - 2, 2 * paid(at) + 1] for at in range(ROWS) for p in "xy"
    ]
    head = "Номер заказа,Дата оформления,Покупатель,Артикул,Количество,Сумма позиции,Итоговая сумма заказа"
    manifest, _, said = read(write(tmp_path, head, lambda row: lines[row], len(lines)))
    assert manifest.net_revenue == pytest.approx(2 * sold() + ROWS) and "whole_orders" in said


def test_later_lines_of_an_order_that_leave_the_rest_blank_belong_to_it(tmp_path: Path) -> None:
    def row(at: int) -> list[object]:
        at, second = divmod(at, 2)
        states = {3: ("Cancelada", "Pendiente"), 7: ("Archivada", "Reintegrado")}.get(at % 10, ("Abierta", "Recibido"))
        first = [at + 100, f"c{at % 13}@mail.com", day(at), *states, paid(at)]
        return [*(first[:2] + [""] * 4 if second else first), f"S{second}", 1]

    head = "Número de orden,Email,Fecha,Estado de la orden,Estado del pago,Total,SKU,Cantidad del producto"
    manifest, events, said = read(write(tmp_path, head, row, 2 * ROWS))
    assert manifest.net_revenue == pytest.approx(sold(3, 7)) and "unknown_states" not in said
    assert set(events["product_id"]) == {"S0", "S1"} and events["order_id"].nunique() == ROWS * 8 // 10


def test_payments_name_the_consumer(tmp_path: Path) -> None:
    states = {4: "expired"}
    file = write(
        tmp_path,
        "Date,Amount,Status,ID,Consumer name,Amount refunded",
        lambda at: [
            f"{day(at)} 10:11:12", paid(at), states.get(at % 10, "paid"), f"tr_{at}", f"Jan {at % 13}",
            paid(at) if at % 10 == 6 else 0,
        ],
    )  # fmt: skip
    manifest, _, _ = read(file)
    assert manifest.net_revenue == pytest.approx(sold(4, 6)) and manifest.customers == 13


def test_entries_of_a_customers_ledger_by_their_posting_date(tmp_path: Path) -> None:
    """Each invoice is paid in a row of its own, five days later, which is no second sale."""
    rows = [
        [day(at), kind, f"{kind[0]}{at}", f"C{at % 13}", sign * paid(at)]
        for at in range(ROWS)
        for kind, sign in (("Invoice", 1), ("Payment", -1))
    ]
    head = "Posting Date,Document Type,Document No.,Customer No.,Amount"
    manifest, _, _ = read(write(tmp_path, head, lambda row: rows[row], len(rows)))
    assert manifest.net_revenue == pytest.approx(sold()) and manifest.customers == 13


@pytest.mark.parametrize(
    "head",
    [
        "注文番号,注文日,会員番号,商品名,小計,合計金額",
        "N° de commande,Date de commande,Email client,Désignation,Prix unitaire TTC,Montant total TTC",
    ],
)
def test_what_an_order_came_to_is_known_beside_its_parts(tmp_path: Path, head: str) -> None:
    file = write(tmp_path, head, lambda at: [at + 10**6, day(at), f"c{at % 13}@mail.com", "x", paid(at) - 5, paid(at)])
    manifest, _, _ = read(file)
    assert manifest.net_revenue == pytest.approx(sold()) and manifest.customers == 13
