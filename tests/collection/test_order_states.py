"""What a shop calls the state of an order decides whether it is a sale; the person's word outranks the usual one."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.cli import main
from clv_core.collection.check import check_file, load_check, save_check
from clv_core.collection.infer.order_states import meaning_of
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import SET_ASIDE
from clv_core.collection.vocabulary.order_statuses import CANCELLED, REFUNDED, SOLD
from clv_core.workspace import Workspace
from tests.collection.small_logs import asked, put, read

pytestmark = pytest.mark.first(6)

HEAD = "Order ID,Customer ID,Order Date,Order Total"


def export(
    folder: Path, states: list[str], column: str = "Order Status", head: str = HEAD, name: str = "a.csv"
) -> Path:
    """Write 60 orders over 10, one state after the other."""
    rows = [f"{i + 100},c{i % 7},2024-03-{i % 28 + 1:02},10,{states[i % len(states)]}" for i in range(60)]
    return put(folder, [f"{head},{column}", *rows], name)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("Quotation Sent", CANCELLED), ("Payment error", CANCELLED), ("Awaiting bank wire payment", CANCELLED),
        ("Awaiting check payment", CANCELLED), ("En attente de paiement par chèque", CANCELLED),
        ("Oczekiwanie na płatność", CANCELLED), ("Ожидает оплаты", CANCELLED), ("Отменён", CANCELLED),
        ("Отменено продавцом", CANCELLED), ("Pagamento Pendente", CANCELLED), ("İptal Edildi", CANCELLED),
        ("Geannuleerd", CANCELLED), ("미결제취소", CANCELLED), ("キャンセル", CANCELLED), ("未入金", CANCELLED),
        ("Cancelada por el comprador", CANCELLED), ("On backorder (not paid)", CANCELLED),
        ("Package Returned", REFUNDED), ("order_refunded", REFUNDED), ("已发货，退款成功", REFUNDED),
        ("返品", REFUNDED), ("반품", REFUNDED), ("Возврат", REFUNDED),
        ("İade edildi", REFUNDED), ("Zwrócone", REFUNDED), ("Terugbetaald", REFUNDED), ("Devolvido", REFUNDED),
        ("Devolución finalizada con reembolso al comprador", REFUNDED),
        ("Awaiting Fulfillment", SOLD), ("Awaiting Shipment", SOLD), ("Awaiting Pickup", SOLD), ("Sales Order", SOLD),
        ("Payment accepted", SOLD), ("Processing in progress", SOLD), ("Preparando Entrega", SOLD), ("Faturado", SOLD),
        ("Ausgeliefert", SOLD), ("Kommissioniert", SOLD), ("구매확정", SOLD), ("배송완료", SOLD), ("発送済み", SOLD),
        ("注文確定", SOLD), ("Доставлен", SOLD), ("Teslim edildi", SOLD), ("Wysłane", SOLD), ("Bezorgd", SOLD),
        ("BAŞARISIZ", CANCELLED), ("İPTAL EDİLDİ", CANCELLED), ("TAMAMLANDI", SOLD), ("tamamlandı", SOLD),
        ("Parcialmente reembolsado", SOLD), ("Refunded (partial)", None), ("cancelled_by_guest", CANCELLED),
        ("cancelled_by_hotel", CANCELLED), ("no_show", None),
        ("shipped_late", SOLD), ("wc-cancelled", CANCELLED), ("wc-on-hold", CANCELLED), ("wc-completed", SOLD),
        ("Venda cancelada", CANCELLED), ("Devolução finalizada com reembolso para o comprador", REFUNDED),
        ("Dibatalkan Penjual", CANCELLED), ("Pesanan dibatalkan oleh pembeli", CANCELLED),
        ("Dibatalkan Sistem", CANCELLED), ("Returned & refunded", REFUNDED), ("returned - restocked", REFUNDED),
        ("Refunded to card", REFUNDED), ("Refunded: no", None), ("refunded 10%", None),
        ("Returned item exchanged", None), ("部分退款成功", None), ("reembolso parcial", None), ("geprüft", None),
        ("Resolved by support", None),
    ],
)  # fmt: skip
def test_the_words_of_shops_are_known_in_their_languages(word: str, meaning: str | None) -> None:
    assert meaning_of(word) == meaning


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("退款成功", REFUNDED), ("반품완료", REFUNDED), ("Refund Completed", REFUNDED), ("취소완료", CANCELLED),
        ("无售后或售后取消", SOLD), ("退款关闭", SOLD), ("Cancelled", SOLD), ("반품철회", SOLD), ("交易关闭", None),
    ],
)  # fmt: skip
def test_a_refund_that_was_refused_or_closed_leaves_the_sale(word: str, meaning: str | None) -> None:
    assert meaning_of(word, after_sale=True) == meaning


def test_one_known_state_is_enough_where_the_name_says_that_it_is_one(tmp_path: Path) -> None:
    question = asked(export(tmp_path, ["geprüft", "gebucht", "verladen", "Storniert"]))
    assert (question.code, question.params["first"]) == ("unknown_states", "gebucht")
    assert question.params["readings"][0]["net_revenue"] == 450


@pytest.mark.examples(2)
@pytest.mark.parametrize("column", ["Order Status", "Auftragsstatus", "주문상태", "статус заказа"])
def test_a_column_of_unknown_states_is_asked_about_and_can_be_said(tmp_path: Path, column: str) -> None:
    file = export(tmp_path, ["geprüft", "gebucht", "verladen"], column)
    question = asked(file)
    assert (question.code, question.params["column"], question.params["first"]) == ("status_unused", column, "geprüft")
    none, *called_off = [one["net_revenue"] for one in question.params["readings"]]
    assert none == 600 and called_off == [400, 400, 400, 200, 200, 200]  # left out, or taken off
    manifest, _, warned = read(file, states={"GEPRÜFT": "cancelled", "verladen": "refunded"})
    assert manifest.net_revenue == 200 and "status_unused" not in warned
    assert warned["cancelled"]["rows"] == warned["refunded"]["rows"] == 20


@pytest.mark.parametrize(("values", "named"), [(["700", "500", "900"], True), (["2024-03-01", "2024-03-02"], False)])
def test_codes_under_such_a_name_are_asked_about_and_dates_are_no_words(
    tmp_path: Path, values: list[str], named: bool
) -> None:
    file = export(tmp_path, values)
    assert not named or "Order Status" in asked(file).message()
    manifest, _, warned = read(file, mapping={"order_status": ""} if named else {})
    assert "status_unused" not in warned and manifest.net_revenue == 600


def test_the_persons_word_outranks_the_usual_one_and_holds_for_the_next_files(tmp_path: Path) -> None:
    file = export(tmp_path, ["Paid", "Cancelled", "Odd"])
    assert read(file, states={"odd": "sold"})[0].net_revenue == 400
    first, _, warned = read(file, states={"odd": "refunded", "cancelled": "sold"})
    assert first.net_revenue == 400 and warned["refunded"]["rows"] == 20 and "unknown_states" not in warned
    more = export(tmp_path, ["ODD", "paid"], name="b.csv")
    more.write_text(more.read_text().replace("\n1", "\n7").replace("2024-03", "2024-04"))
    assert append(Workspace(tmp_path / "ws"), "log", more).net_revenue == 400 + 300
    assert read(more, remembered=True)[0].net_revenue == 300


def test_the_command_takes_a_state_and_refuses_what_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, words = export(tmp_path, ["Paid", "a=b"]), ["--workspace", str(tmp_path / "ws")]
    assert main(["ingest", str(file), "--name", "x", "--state", "a=b=Cancelled", *words]) == 0
    assert '"net_revenue": 300' in capsys.readouterr().out
    assert main(["ingest", str(file), "--name", "x", "--state", "Paid=gone", *words]) == 2
    assert "sold, cancelled, refunded" in capsys.readouterr().out


def test_a_second_column_says_what_was_refunded_of_each_row(tmp_path: Path) -> None:
    states = ["已完成,", "已完成,退款成功", "交易关闭,", "已完成,退款关闭"]
    manifest, _, warned = read(export(tmp_path, states, "订单状态,售后状态", "订单号,会员号,下单时间,金额"))
    assert manifest.net_revenue == 300 and manifest.mapping["refund_status"] == "售后状态"
    assert warned["cancelled"]["rows"] == warned["refunded"]["rows"] == 15


def test_a_check_lists_the_states_and_what_each_is_taken_for(tmp_path: Path) -> None:
    file = export(tmp_path, ["Paid", "Odd", "Void"])
    check = check_file(file, states={"void": "sold", "odd": "sold"}, set_aside=tmp_path / SET_ASIDE)
    save_check(check, tmp_path)
    assert load_check(tmp_path).states == check.states
    assert {(item.word, item.rows, item.meaning, item.known, item.usual) for item in check.states} == {
        ("Paid", 20, SOLD, True, SOLD), ("Odd", 20, SOLD, True, ""), ("Void", 20, SOLD, True, CANCELLED),
    }  # fmt: skip
