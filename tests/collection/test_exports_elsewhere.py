"""Exports of ledgers, CRMs, tills and shop systems of other countries are read to the cent without an answer."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from clv_core.collection.vocabulary.column_names import fold
from tests.collection.small_logs import ROWS, asked, day, paid, put, read, read_lines, write

pytestmark = pytest.mark.first(14)

HALF = 60


def sold(*lost: int) -> float:
    """Return what all orders came to but those at every tenth place from ``lost`` on."""
    return sum(paid(at) for at in range(ROWS) if at % 10 not in lost)


def money(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")


@pytest.mark.parametrize("card", ["Loyalty Card", "Membership No"])
def test_an_english_tills_card_is_the_customer_and_a_void_is_no_sale(tmp_path: Path, card: str) -> None:
    kinds = ("Sale", "Sale", "Sale", "Void", "Return")
    lines = [
        f"{at % 28 + 1:02}-Mar-2024,{at % 12 or 12:02}:05 PM,R{at:05},{kinds[at % 5]},L-{at % 9:04},S1,{10 + at}.50"
        for at in range(HALF)
    ]
    manifest, _, warned = read_lines(tmp_path, [f"Date,Time,Receipt No,Type,{card},SKU,Amount", *lines])
    assert manifest.mapping["customer_id"] == card and manifest.customers == 9
    worth = sum((10.5 + at) * {3: 0, 4: -1}.get(at % 5, 1) for at in range(HALF))
    assert manifest.net_revenue == pytest.approx(worth)
    assert "Void" in next(params["types"] for code, params in warned.items() if "event_types" in code)[0]


def test_a_japanese_tills_voids_returns_clock_and_yen(tmp_path: Path) -> None:
    """Full-width digits in every other row, the clock beside the day."""
    wide, kinds = str.maketrans("0123456789,-", "０１２３４５６７８９，－"), ("売上", "売上", "売上", "取消", "返品")
    lines = ["伝票番号,取引日,取引時刻,取引区分,会員コード,商品コード,数量,単価,金額(税込)"]
    for at in range(50):
        kind, price = kinds[at % 5], 1_280 + at
        pieces = -1 if kind == "返品" else 1 + at % 3
        cells = f"2024年{at % 3 + 1}月{at % 9 + 1}日,{at % 12 + 8}時{at:02}分,{kind},{9000 + at % 7},S{at % 4}"
        line = f'{cells},{pieces},"￥{price:,}","{f"￥{pieces * price:,}".replace("￥-", "－￥")}"'
        lines.append(f"R{at:05},{line.translate(wide if at % 2 else {}).replace('，', ',')}")
    manifest, events, _ = read(put(tmp_path, [*lines, "合計,,,,,,,,99999999"], encoding="cp932"))
    back = sum(1_280 + at for at in range(50) if at % 5 == 4)
    assert manifest.net_revenue == sum((1 + at % 3) * (1_280 + at) for at in range(50) if at % 5 < 3) - back
    assert events["event_type"].value_counts().to_dict() == {"purchase": 30, "return": 10}
    assert manifest.rows_set_aside == 10 + 1 and manifest.currency == "JPY"
    first = events[events["order_id"] == "R00001"]["event_time"].iloc[0]
    assert f"{first:%Y-%m-%d %H:%M}" == "2024-02-02 09:01"


THAI_MONTHS = "มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม".split()
THAI = {
    "รหัสสมาชิก": lambda member: f"{member:05}",
    "อีเมลลูกค้า": lambda member: f"{'N' if member % 2 else 'n'}iran{member}@example.co.th",
    "เบอร์โทร": lambda member: f"08{member:08}",
    "ชื่อลูกค้า": lambda member: f"นาย สมชาย {'กขคงจฉชซ'[member % 8]}{'ดตถทธนบป'[member // 8]}",
}
"""Columns that name the customer, the surest first."""


@pytest.mark.examples(2)
@pytest.mark.parametrize("names", [["รหัสสมาชิก", "อีเมลลูกค้า", "เบอร์โทร", "ชื่อลูกค้า"], ["ชื่อลูกค้า", "เบอร์โทร"], ["อีเมลลูกค้า"]])
def test_of_a_thai_tills_columns_the_surest_one_is_the_customer(tmp_path: Path, names: list[str]) -> None:
    surest = next(name for name in THAI if name in names)
    lines, rows = [",".join(["เลขที่ใบเสร็จ", "วันที่ขาย", *names, "จำนวนชิ้น", "ยอดสุทธิ"])], []
    for at in range(200):
        when, member, worth = date(2023, 11, 3) + timedelta(days=3 * at), at * 7 % 40, 90 + at / 4
        who = [THAI[name](member) for name in names]
        written = f"{when.day} {THAI_MONTHS[when.month - 1]} {when.year}"
        lines.append(",".join([f"R{at:05}", written, *who, str(1 + at % 3), f"{worth:.2f}"]))
        rows.append((THAI[surest](member).lower(), when, worth))
    manifest, events, _ = read(put(tmp_path, lines, encoding="utf-8-sig"))
    events = events.sort_values("order_id")
    assert list(zip(events["customer_id"], events["event_time"].dt.date, events["amount"], strict=True)) == rows
    assert manifest.rows_set_aside == 0


@pytest.mark.examples(2)
@pytest.mark.parametrize("mark", ["", "\u200f", "\u202b"])
def test_arabic_orders_are_read_in_their_own_digits_and_count_where_paid(tmp_path: Path, mark: str) -> None:
    """Invisible marks of direction stand before times and amounts."""
    own = str.maketrans("0123456789,.", "٠١٢٣٤٥٦٧٨٩٬٫")
    states = "تم التنفيذ,تم التوصيل,ملغي,مسترجع,بإنتظار الدفع".split(",")
    lines = ["رقم الطلب,حالة الطلب,تاريخ الطلب,رقم العميل,إجمالي الطلب"]
    for at in range(HALF):
        time = f"2024/03/{at % 28 + 1:02} {at % 12 or 12:02}:05 {'م' if at % 24 > 11 else 'ص'}".translate(own)
        amount = f"{mark}{1_000.25 + at:,.2f}".translate(own) + " ر.س"
        lines.append(f"{5000 + at},{states[at % 5]},{mark}{time},{700 + at % 9},{amount}")
    manifest, events, _ = read(put(tmp_path, lines, encoding="utf-8-sig"))
    assert manifest.net_revenue == pytest.approx(sum(1_000.25 + at for at in range(HALF) if at % 5 < 2))
    assert manifest.currency == "SAR" and manifest.rows_set_aside == 36 and manifest.customers == 9
    times = events.set_index("order_id")["event_time"]
    assert f"{times['5016']:%Y-%m-%d %H:%M}" == "2024-03-17 16:05" and f"{times['5000']:%H:%M}" == "00:05"


def test_either_turkish_letter_i_is_the_same_one_in_a_name() -> None:
    assert fold("ALICI") == fold("alıcı") and fold("BİRİM FİYATI") == fold("birim_fiyatı")


@pytest.mark.examples(2)
@pytest.mark.parametrize("amount", ["1.234,50 TL", "1.234,50TL", "TL 1.234,50"])
def test_amounts_in_tl_are_lira_and_capitals_of_states_are_known(tmp_path: Path, amount: str) -> None:
    states = ("TAMAMLANDI", "TAMAMLANDI", "BAŞARISIZ")
    lines = [f"S{at};{at % 28 + 1:02}.03.2024;{states[at % 3]};u{at % 9}@x.tr;{amount}" for at in range(HALF)]
    head = "SİPARİŞ NO;SİPARİŞ TARİHİ;SİPARİŞ DURUMU;E-POSTA;TUTAR"
    manifest, *_ = read_lines(tmp_path, [head, *lines])
    assert manifest.net_revenue == pytest.approx(40 * 1234.5) and manifest.currency == "TRY"


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    "head",
    [
        "Pedido;Data do pedido;Cliente;E-mail do cliente;Valor total",
        "Sipariş No;Sipariş Tarihi;Müşteri;E-Posta;Tutar",
        "Numer zamówienia;Data zamówienia;Klient;Email klienta;Kwota",
        "Номер заказа;Дата заказа;Клиент;Email клиента;Сумма",
        "order_id;created_at;user_name;user_email;total",
    ],
)
def test_an_address_tells_namesakes_apart(tmp_path: Path, head: str) -> None:
    names = ["Maria Silva", "Ana Souza", "João Costa", "Rita Lima"]
    rows = [f"{at};2024-03-{at % 28 + 1:02};{names[at % 4]};c{at % 12}@example.com;{at + 5},50" for at in range(HALF)]
    assert read_lines(tmp_path, [head, *rows])[0].customers == 12


def test_a_brazilian_order_counts_where_it_was_paid_with_its_postage(tmp_path: Path) -> None:
    """Two states, one of the payment; a total with postage beside a subtotal, in the first row of an order only."""
    states = ["Aberto;Confirmado", "Arquivado;Confirmado", "Arquivado;Confirmado"]
    states += ["Cancelado;Pendente", "Aberto;Pendente", "Arquivado;Reembolsado"]
    head = "Número do Pedido;E-mail;Data;Status do Pedido;Status do Pagamento;Moeda;Subtotal;Desconto;Valor do Frete"
    lines, kept = [head + ";Total;Nome do Produto;Valor do Produto;Quantidade Comprada;SKU"], 0.0
    for at in range(HALF):
        price, off = 30 + at, 5.5 if at % 3 == 0 else 0.0
        total = 2 * price - off + 15.9
        kept += total if at % 6 < 3 else 0
        sums = ";".join(map(money, (2 * price, off, 15.9, total)))
        for line, whole in enumerate([f"{at % 28 + 1:02}/03/2024 10:{at:02}:00;{states[at % 6]};BRL;{sums}", ";" * 7]):
            lines.append(f"{100 + at};c{at % 9}@ex.br;{whole};Açaí;{money(price)};1;S{line}")
    manifest, _, warned = read(put(tmp_path, lines, encoding="cp1252"))
    assert manifest.net_revenue == pytest.approx(kept) and manifest.currency == "BRL"
    assert warned["second_states"]["other"] == "Status do Pagamento" and "unknown_states" not in warned
    with_postage = warned["amount_with_postage"]
    assert (with_postage["other"], with_postage["postage"]) == ("Total", "Valor do Frete")


KINDS = {
    "Тип операции": ("продажа", "возврат"),
    "Line": ("Sale", "Return"),
    "Buchung": ("Verkauf", "Retoure"),
    "类型说明": ("销售", "退货"),
    "処理": ("売上", "返品"),
}


def operations(folder: Path, column: str, words: tuple[str, str], amount: str = "Сумма, руб.") -> tuple[Path, int, int]:
    """Write 80 rows, every seventh of them a return, all above zero; return the file, what was sold and given back."""
    lines = [f"Дата операции;{column};Номер отправления;ID покупателя;{amount}"]
    for at in range(80):
        when, word = f"{at % 28 + 1:02}.0{at % 9 + 1}.2024", words[at % 7 == 3]
        lines.append(f"{when};{word};N{at:05};{880 + at % 19};{1200 + at}")
    back = sum(1200 + at for at in range(80) if at % 7 == 3)
    return put(folder, lines), sum(1200 + at for at in range(80)) - back, back


@pytest.mark.examples(3)
@pytest.mark.parametrize("column", KINDS)
def test_words_for_a_sale_and_a_return_are_kinds_of_rows_in_any_column(tmp_path: Path, column: str) -> None:
    file, gain, back = operations(tmp_path, column, KINDS[column])
    manifest, *_ = read(file)
    assert manifest.net_revenue == gain - back and manifest.event_types == {"purchase": 69, "return": 11}
    assert {"canonical": "event_type", "column": column} in [one.params for one in manifest.warnings]


@pytest.mark.parametrize(
    ("words", "mapping"),
    [(("completed", "returned"), {"order_status": ""}), (("Sale", "Return"), {"event_type": ""})],
    ids=["states of orders", "the person says that there are none"],
)
def test_other_words_are_no_kinds_of_rows(tmp_path: Path, words: tuple[str, str], mapping: dict[str, str]) -> None:
    file, gain, back = operations(tmp_path, "Line", words)
    assert read(file, mapping=mapping)[0].net_revenue == gain + back


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("head", "live", "off"),
    [
        ("Телефон покупателя,Дата поступления заказа,№ заказа,Сумма,Статус", "Передан на доставку", "Отменен"),
        ("Müşteri No,Sipariş Tarihi,Sipariş Numarası,Toplam Tutar,Statü", "Paketlendi", "İptal"),
        ("Identifiant client,Date de commande,Numéro de commande,Prix total,Etat de la commande", "Livrée", "Annulée"),
        ("Customer Mobile,Order Created At,Order ID,Order Total,Order Status", "delivered", "cancelled"),
        ("Customer Number,Order Date,Order Number,Total Value,Order Line Status", "Shipped", "Canceled"),
        ("No Telp Pembeli,Tanggal Pembayaran,Nomor Invoice,Total Penjualan,Status Terakhir", "Selesai", "Dibatalkan"),
        ("customer_id,created_at,charge_id,total_price,charge_status", "SUCCESS", "QUEUED"),
        ("Nome de usuário (comprador),Data de criação do pedido,ID do pedido,Valor Total,Status do pedido",
         "Concluído", "Cancelado"),
    ],
)  # fmt: skip
def test_orders_that_were_called_off_are_known_by_their_words(tmp_path: Path, head: str, live: str, off: str) -> None:
    def row(at: int) -> tuple[object, ...]:
        return f"05551{at % 9:04}", day(at), 7000 + at, paid(at), live if at % 10 else off

    manifest, *_ = read(write(tmp_path, head, row))
    assert manifest.net_revenue == pytest.approx(sold(0))
    assert manifest.customers == 9 and manifest.rows_set_aside == 9


@pytest.mark.examples(3)
@pytest.mark.parametrize(
    ("head", "more"),
    [
        ("refund_amt", "order_id"), ("Total refunded amount", "order_id"), ("Amount returned", "order_id"),
        ("Rückerstatteter Betrag", "order_id"), ("Partial Refund ($)", ""),
    ],
)  # fmt: skip
def test_what_was_paid_back_is_known_by_its_name(tmp_path: Path, head: str, more: str) -> None:
    """Also beside the price of an item of which no pieces are told."""
    names = f"customer_id,order_date,{more},amount" if more else "Purchase Email,Purchase Date,Item Price ($)"
    file = write(
        tmp_path,
        f"{names},{head}",
        lambda at: (f"u{at % 9}@x.org", day(at), *[at] * bool(more), paid(at), "0.00" if at % 10 else 5.5),
    )
    manifest, _, warned = read(file)
    assert manifest.net_revenue == pytest.approx(sold() - 9 * 5.5) and "refund_unused" not in warned


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
    manifest, _, warned = read(file)
    assert manifest.net_revenue == pytest.approx(sold(2, 5)) and manifest.customers == 13 and "cancelled" in warned


def test_a_report_of_sales_by_contractor_and_nomenclature(tmp_path: Path) -> None:
    head = "Дата,Контрагент,Номенклатура,Количество,Сумма"
    file = write(tmp_path, head, lambda at: [day(at), f"ООО Ромашка {at % 13}", f"Стол {at % 5}", 1, paid(at)])
    manifest, events, _ = read(file)
    assert manifest.net_revenue == pytest.approx(sold()) and manifest.customers == 13
    assert events["product_id"].nunique() == 5


@pytest.mark.examples(3)
@pytest.mark.parametrize("name", ["Сумма, руб", "Сумма, ₽", "Сумма руб.", "Сумма, RUB"])
def test_a_unit_behind_a_comma_is_no_part_of_a_name_and_says_the_currency(tmp_path: Path, name: str) -> None:
    file, gain, back = operations(tmp_path, "Тип операции", KINDS["Тип операции"], name)
    manifest, *_ = read(file)
    assert manifest.net_revenue == gain - back and manifest.currency == "RUB"


def test_a_word_behind_a_comma_that_is_no_unit_belongs_to_the_name(tmp_path: Path) -> None:
    asked(operations(tmp_path, "Тип операции", KINDS["Тип операции"], "Сумма, план")[0])


def test_the_total_of_an_order_outranks_the_sum_of_a_line(tmp_path: Path) -> None:
    """Postage of 5 is in the one and not in the other."""
    pairs = ((at, p) for at in range(ROWS) for p in "xy")
    lines = [[f"A{at}", day(at), f"c{at % 13}", p, 1, paid(at) - 2, 2 * paid(at) + 1] for at, p in pairs]
    head = "Номер заказа,Дата оформления,Покупатель,Артикул,Количество,Сумма позиции,Итоговая сумма заказа"
    manifest, _, warned = read(write(tmp_path, head, lambda row: lines[row], len(lines)))
    assert manifest.net_revenue == pytest.approx(2 * sold() + ROWS) and "whole_orders" in warned


def test_later_lines_of_an_order_that_leave_the_rest_blank_belong_to_it(tmp_path: Path) -> None:
    def row(at: int) -> list[object]:
        at, second = divmod(at, 2)
        states = {3: ("Cancelada", "Pendiente"), 7: ("Archivada", "Reintegrado")}.get(at % 10, ("Abierta", "Recibido"))
        first = [at + 100, f"c{at % 13}@mail.com", day(at), *states, paid(at)]
        return [*(first[:2] + [""] * 4 if second else first), f"S{second}", 1]

    head = "Número de orden,Email,Fecha,Estado de la orden,Estado del pago,Total,SKU,Cantidad del producto"
    manifest, events, warned = read(write(tmp_path, head, row, 2 * ROWS))
    assert manifest.net_revenue == pytest.approx(sold(3, 7)) and "unknown_states" not in warned
    assert set(events["product_id"]) == {"S0", "S1"} and events["order_id"].nunique() == ROWS * 8 // 10


def test_payments_name_the_consumer(tmp_path: Path) -> None:
    def row(at: int) -> list[object]:
        back, state = paid(at) if at % 10 == 6 else 0, "expired" if at % 10 == 4 else "paid"
        return [f"{day(at)} 10:11:12", paid(at), state, f"tr_{at}", f"Jan {at % 13}", back]

    manifest, *_ = read(write(tmp_path, "Date,Amount,Status,ID,Consumer name,Amount refunded", row))
    assert manifest.net_revenue == pytest.approx(sold(4, 6)) and manifest.customers == 13


def test_entries_of_a_customers_ledger_by_their_posting_date(tmp_path: Path) -> None:
    """Each invoice is paid in a row of its own, which is no second sale."""
    kinds = ((at, kind, sign) for at in range(ROWS) for kind, sign in (("Invoice", 1), ("Payment", -1)))
    rows = [[day(at), kind, f"{kind[0]}{at}", f"C{at % 13}", sign * paid(at)] for at, kind, sign in kinds]
    head = "Posting Date,Document Type,Document No.,Customer No.,Amount"
    manifest, *_ = read(write(tmp_path, head, lambda row: rows[row], len(rows)))
    assert manifest.net_revenue == pytest.approx(sold()) and manifest.customers == 13


@pytest.mark.parametrize(
    "head",
    [
        "注文番号,注文日,会員番号,商品名,小計,合計金額",
        "N° de commande,Date de commande,Email client,Désignation,Prix unitaire TTC,Montant total TTC",
        "订单号,下单时间,买家ID,商品名称,商品总价(元),用户支付金额(元)",
    ],
)
def test_what_an_order_came_to_outranks_its_parts_and_prices(tmp_path: Path, head: str) -> None:
    file = write(tmp_path, head, lambda at: [at + 10**6, day(at), f"c{at % 13}@mail.com", "x", paid(at) + 5, paid(at)])
    manifest, *_ = read(file)
    assert manifest.net_revenue == pytest.approx(sold()) and manifest.customers == 13
