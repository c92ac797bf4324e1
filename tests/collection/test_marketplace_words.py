"""What market places and services call their columns and states: a person would know each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collection.small_logs import day, paid, read, write

pytestmark = pytest.mark.first(2)

DEAD = range(0, 90, 10)


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("head", "sold", "off"),
    [
        ("Телефон покупателя,Дата поступления заказа,№ заказа,Сумма,Статус", "Передан на доставку", "Отменен"),
        ("Müşteri No,Sipariş Tarihi,Sipariş Numarası,Toplam Tutar,Statü", "Paketlendi", "İptal"),
        ("Identifiant client,Date de commande,Numéro de commande,Prix total,Etat de la commande", "Livrée", "Annulée"),
        ("Customer Mobile,Order Created At,Order ID,Order Total,Order Status", "delivered", "cancelled"),
        ("Customer Number,Order Date,Order Number,Total Value,Order Line Status", "Shipped", "Canceled"),
        ("No Telp Pembeli,Tanggal Pembayaran,Nomor Invoice,Total Penjualan,Status Terakhir", "Selesai", "Dibatalkan"),
        ("customer_id,created_at,charge_id,total_price,charge_status", "SUCCESS", "QUEUED"),
        (
            "Nome de usuário (comprador),Data de criação do pedido,ID do pedido,Valor Total,Status do pedido",
            "Concluído",
            "Cancelado",
        ),
    ],
)
def test_orders_that_were_called_off_are_known_by_their_words(tmp_path: Path, head: str, sold: str, off: str) -> None:
    file = write(
        tmp_path,
        head,
        lambda at: (f"05551{at % 9:04}", day(at), 7000 + at, paid(at), off if at in DEAD else sold),
    )
    manifest, _, _ = read(file)
    assert manifest.net_revenue == pytest.approx(sum(paid(at) for at in range(90) if at not in DEAD))
    assert manifest.customers == 9 and manifest.rows_set_aside == len(DEAD)


@pytest.mark.examples(2)
@pytest.mark.parametrize("column", ["Total refunded amount", "Rückerstatteter Betrag", "Amount returned", "refund_amt"])
def test_what_was_paid_back_is_known_by_its_name(tmp_path: Path, column: str) -> None:
    file = write(
        tmp_path,
        f"customer_id,order_date,order_id,amount,{column}",
        lambda at: (f"c{at % 9}", day(at), at, paid(at), 5.5 if at in DEAD else "0.00"),
    )
    assert read(file)[0].net_revenue == pytest.approx(sum(map(paid, range(90))) - 5.5 * len(DEAD))


def test_a_refund_is_taken_off_a_price_that_no_pieces_stand_beside(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "Purchase Email,Purchase Date,Item Price ($),Partial Refund ($)",
        lambda at: (f"u{at % 9}@x.org", day(at), paid(at), 5.5 if at in DEAD else "0.00"),
    )
    manifest, _, said = read(file)
    assert manifest.net_revenue == pytest.approx(sum(map(paid, range(90))) - 5.5 * len(DEAD))
    assert "refund_unused" not in said


def test_what_the_buyer_paid_outranks_what_the_goods_were_to_cost(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "买家ID,下单时间,订单号,商品总价(元),用户支付金额(元)",
        lambda at: (f"u{at % 9}", day(at), at, paid(at), paid(at) - 3),
    )
    assert read(file)[0].net_revenue == pytest.approx(sum(map(paid, range(90))) - 270)


def test_an_email_says_better_who_bought_than_a_persons_name(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "user_name,user_email,created_at,total",
        lambda at: ("Anna Smith", f"u{at % 9}@x.org", day(at), paid(at)),
    )
    assert read(file)[0].customers == 9
