"""Columns are matched by their names and values: whose, when, how much, in which money."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clv_core.collection.infer.columns.column_choice import choose, likeliest_first
from clv_core.collection.infer.columns.propose import propose
from clv_core.collection.infer.customers import personal_columns
from clv_core.collection.inspect import inspect_file
from clv_core.collection.parse.locale_hints import propose as propose_locale
from clv_core.collection.read.dialect import detect
from clv_core.errors import Message, NeedsAnswer, Refused, UsageError
from clv_core.i18n import LANGUAGES, translate
from tests.collection.small_logs import asked, day, paid, put, read, read_lines, refused, warnings, write

pytestmark = pytest.mark.first(30)

LOGS = {
    "rees46": (
        "event_time event_type product_id category_id category_code brand price user_id user_session",
        "user_id event_time event_type",
    ),
    "retailrocket": ("timestamp visitorid event itemid transactionid value", "visitorid timestamp event value"),
    "taobao": ("用户ID 商品ID 商品类目 行为类型 下单时间 实付金额", "用户ID 下单时间 行为类型 实付金额"),
    "dynamics": ("Sell-to_Customer_No. No. Order_Date Amount", "Sell-to_Customer_No. Order_Date Amount"),
    "sap": ("KUNNR VBELN Order_Date Net_Amount", "KUNNR Order_Date Net_Amount"),
    "ledger": ("Cust._No Order_No Order_Date Line_Total", "Cust._No Order_Date Order_No Line_Total"),
    "hm": ("t_dat customer_id article_id price sales_channel_id", "customer_id t_dat"),
}

VALUES = {"date": "19970101", "price": "9.99", "value": "3.50", "实付金额": "12.00", "event": "view"}


@pytest.mark.parametrize("log", LOGS)
def test_known_logs_are_mapped_without_a_hint(log: str) -> None:
    columns, wanted = (tuple(words.split()) for words in LOGS[log])
    rows = [{column: VALUES.get(column, "x1") for column in columns}] * 5
    chosen, _ = choose(propose(columns, rows, {}), f"{log}.csv")
    assert set(wanted) <= set(chosen.values())
    assert (chosen["customer_id"], chosen["event_time"]) == wanted[:2]


@pytest.mark.parametrize("day", ["２０２４－０１－１５", "۲۰۲۴-۰۱-۱۵", "2024-01-15"])
def test_a_likely_name_of_a_time_holds_in_any_digits(day: str) -> None:
    chosen, _ = choose(propose(("customer_id", "date", "amount"), [{"date": day}] * 3, {}), "f.csv")
    assert chosen["event_time"] == "date"


@pytest.mark.parametrize("name", ["金额/元", "实付金额/元", "订单金额（元）", "amount_USD", "Amount / EUR"])
def test_a_unit_behind_a_name_is_no_part_of_it(name: str) -> None:
    chosen, _ = choose(propose(("customer_id", "date", name), [{"date": "2024-01-15", name: "9.9"}] * 3, {}), "f.csv")
    assert chosen["amount"] == name


def test_the_person_outranks_every_proposal() -> None:
    columns = ("customer_id", "event_time", "amount", "total")
    chosen, _ = choose(propose(columns, [], {"amount": "total"}), "f")
    assert chosen["amount"] == "total"
    with pytest.raises(UsageError, match="No column"):
        propose(columns, [], {"amount": "nix"})
    with pytest.raises(UsageError, match="Available"):
        propose(columns, [], {"money": "total"})


def test_one_column_cannot_be_two(tmp_path: Path) -> None:
    said = {"amount": "total", "unit_price": "Total", "product_id": ""}
    with pytest.raises(UsageError, match="“total” .* amount and unit_price"):
        propose(("customer_id", "event_time", "total"), [], said)


def test_two_columns_for_one_thing_are_asked_about() -> None:
    with pytest.raises(NeedsAnswer, match=r"user_id, member_id.*--map"):
        choose(propose(("user_id", "member_id", "event_time", "amount"), [], {}), "f")
    with pytest.raises(NeedsAnswer, match=r"amount \(2\)"):
        choose(propose(("user_id", "event_time", "amount", "amount (2)"), [], {}), "f")


def test_a_column_of_times_without_a_name_is_only_a_guess() -> None:
    rows = [{"c": "x", "when it was": "2024-01-01 10:00", "amount": "1"}]
    with pytest.raises(NeedsAnswer, match="--map customer_id=COLUMN"):
        choose(propose(("c", "when it was", "amount"), rows, {}), "f")
    with pytest.raises(NeedsAnswer, match="--map event_time=when it was"):
        choose(propose(("c", "when it was", "amount"), rows, {"customer_id": "c"}), "f")


def test_a_column_can_be_kept_from_what_its_name_says() -> None:
    columns = ("customer_id", "event_time", "amount", "country")
    chosen, _ = choose(propose(columns, [], {"country": ""}), "f")
    assert chosen == {"customer_id": "customer_id", "event_time": "event_time", "amount": "amount"}
    with pytest.raises(NeedsAnswer, match="event_time"):
        choose(propose(columns, [], {"event_time": ""}), "f")


@pytest.mark.parametrize(
    ("columns", "canonical"),
    [
        (("quantity", "quantity (2)", "unit_price"), "quantity"),
        (("quantity", "selling_price", "item_price"), "unit_price"),
        (("quantity", "unit_price", "discount_amount", "rebate"), "discount"),
    ],
)
def test_two_columns_that_an_amount_could_be_made_from_are_asked_about(
    columns: tuple[str, ...], canonical: str
) -> None:
    known = ("customer_id", "event_time")
    with pytest.raises(NeedsAnswer, match=f'--map "{canonical}='):
        choose(propose((*known, *columns), [], {}), "f")
    chosen, _ = choose(propose((*known, *columns, "amount"), [], {}), "f")
    assert chosen["amount"] == "amount"


@pytest.mark.parametrize("cost", ["UnitCost", "unit cost"])
def test_what_a_piece_costs_the_shop_is_no_price(cost: str) -> None:
    columns = ("customer_id", "event_time", cost, "SellingPrice", "quantity")
    chosen, _ = choose(propose(columns, [], {}), "f")
    assert chosen["unit_price"] == "SellingPrice" and cost not in chosen.values()


def columns_of(folder: Path, head: str, named: tuple[str, ...] = ()) -> tuple[str, ...]:
    file = folder / "log.csv"
    file.write_text(head + "\n" + "4711;2024-03-01;Tee;2;3,50;;\n4712;2024-03-02;Tee;1;3,50;;\n")
    return detect(file, "log.csv", named=named).columns


def test_empty_cells_at_the_end_of_a_line_of_names_are_no_sign_of_an_event(tmp_path: Path) -> None:
    assert columns_of(tmp_path, "Kundennr;Rechnungsdatum;Artikel;Menge;Einzelpreis;;")[:2] == (
        "Kundennr", "Rechnungsdatum",
    )  # fmt: skip


def test_a_line_that_holds_a_column_that_the_person_named_is_the_header(tmp_path: Path) -> None:
    head = "Klantref;2024;Stuk;Hoeveel;Stukprijs;;"
    with pytest.raises(NeedsAnswer, match="If not: --header"):
        columns_of(tmp_path, head)
    assert columns_of(tmp_path, head, ("klantref",))[1] == "2024"


def chosen(columns: dict[str, list[str]]) -> tuple[dict[str, str], tuple[Message, ...]]:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return choose(propose(tuple(columns), rows, {}), "log.csv")


WHO = {
    "customer_id": [f"c{at % 7}" for at in range(30)],
    "order_date": [f"2024-03-{at % 28 + 1:02}" for at in range(30)],
}

PAID = [f"{at * 1.37 + 5:.2f}" for at in range(30)]


@pytest.mark.parametrize(
    "name",
    ["tran_amount", "total_paid", "用户实付金额(元)", "請求金額", "Purchase", "Gross Sales", "TotalDue", "amt",
     "total_amt", "price_paid", "Turnover"],
)  # fmt: skip
def test_usual_names_of_what_was_paid_are_known(name: str) -> None:
    assert chosen({**WHO, name: PAID})[0]["amount"] == name


def test_a_flag_is_no_amount() -> None:
    assert "amount" not in chosen({**WHO, "purchase": ["0", "1"] * 15, "price": PAID})[0]


def test_columns_of_numbers_are_asked_about_with_the_likeliest_first() -> None:
    pieces = [str(8 + at % 17) for at in range(30)]
    with pytest.raises(NeedsAnswer, match='Numbers are in column_4, column_3.*--map "amount=column_4"'):
        chosen({**WHO, "column_3": pieces, "column_4": PAID})
    with pytest.raises(NeedsAnswer, match='--map "amount=takings_sum"'):
        chosen({**WHO, "takings_sum": [str(int(float(paid))) for paid in PAID], "till": PAID})


@pytest.mark.parametrize(
    "columns",
    [
        {"item_id": [str(5155 + at) for at in range(30)], "column_4": ["pv", "buy", "cart"] * 10},
        {"asin": [f"B00{at}" for at in range(30)], "overall": ["1.0", "5.0", "3.5"] * 10},
        {"col": [f"{1 + at % 5}.0" for at in range(30)], "birth_year": [str(1960 + at) for at in range(30)]},
    ],
)
def test_a_log_of_views_or_ratings_is_refused_without_inviting_a_wrong_answer(columns: dict[str, list[str]]) -> None:
    with pytest.raises(Refused, match="holds no amounts") as caught:
        chosen({**WHO, **columns})
    assert not any(f"amount={column}" in caught.value.message() for column in columns)


def test_ids_are_not_added_up_as_money_where_the_person_says_so(tmp_path: Path) -> None:
    rows = [f"2024-03-{at % 28 + 1:02},{at % 7},transaction,{9000 + at}" for at in range(30)]
    file = put(tmp_path, ["timestamp,visitorid,event,transactionid", *rows])
    refusal = refused(file, mapping={"amount": "transactionid"})
    assert refusal.code == "amount_is_ids" and "order_id" in refusal.message()


def test_all_that_is_missing_is_asked_for_at_once() -> None:
    columns = {"who": WHO["customer_id"], "seen": WHO["order_date"], "column_3": PAID}
    with pytest.raises(NeedsAnswer, match="customer_id, event_time, amount") as caught:
        chosen({**columns, "then": columns["seen"]})
    assert "--map customer_id=COLUMN --map event_time=COLUMN --map amount=column_3" in caught.value.message()


@pytest.mark.parametrize("name", ["Grand Total (Base)", "Order Total (USD)"])
def test_a_unit_in_brackets_does_not_make_a_total_worse_than_a_subtotal(name: str) -> None:
    found, notes = chosen({**WHO, "Subtotal": PAID, name: [f"{float(paid) + 5:.2f}" for paid in PAID]})
    assert found["amount"] == name
    assert [note.params["others"] for note in notes if note.code == "warning.one_of_several"] == [["Subtotal"]]


@pytest.mark.parametrize(
    ("canonical", "columns", "best"),
    [
        ("order_id", {"Transaction ID": "t{0}", "Order ID": "o{1}"}, "Order ID"),
        ("product_id", {"item_id": "{0}", "sku": "SKU-{1}"}, "sku"),
        ("category", {"category_id": "2053013555631882{1}", "category_code": "home.sofa"}, "category_code"),
    ],
)
def test_of_two_names_that_are_equally_good_the_telling_one_is_taken_and_the_other_named(
    canonical: str, columns: dict[str, str], best: str
) -> None:
    made = {name: [form.format(at, at // 2) for at in range(30)] for name, form in columns.items()}
    found, notes = chosen({**WHO, "amount": PAID, **made})
    (other,) = set(columns) - {best}
    assert found[canonical] == best
    assert {"canonical": canonical, "column": best, "others": [other]} in [note.params for note in notes]


@pytest.mark.parametrize(("of_line", "price"), [(True, "amount"), (False, "unit_price")])
def test_small_whole_amounts_beside_a_price_are_pieces(tmp_path: Path, of_line: bool, price: str) -> None:
    lines, total = ["TRANSACTION_DATE,CUSTOMER_ID,PRODUCT_ID,AMOUNT,SALES_PRICE"], 0
    for at in range(90):
        pieces, each = 1 + at % 3, 40 + at % 8
        total += pieces * each
        lines.append(f"2024-03-{at % 28 + 1:02},c{at % 9},p{at % 8},{pieces},{each * (pieces if of_line else 1)}")
    manifest, *_ = read_lines(tmp_path, lines)
    assert manifest.net_revenue == total
    assert manifest.mapping["quantity"] == "AMOUNT" and manifest.mapping[price] == "SALES_PRICE"


def test_small_whole_amounts_are_asked_about_where_nothing_tells_what_the_price_is_of(tmp_path: Path) -> None:
    lines = ["order_date,customer_id,amount,sale_price"]
    lines += [f"2024-03-{at % 28 + 1:02},c{at % 9},{1 + at % 3},{40 + at % 8}" for at in range(90)]
    question = asked(put(tmp_path, lines))
    assert question.code == "amount_of_pieces" and '--map quantity="amount"' in question.message()
    assert read_lines(tmp_path, lines, mapping={"amount": "amount"})[0].net_revenue == 180


def test_lines_of_orders_and_of_items_in_one_table_are_not_called_blank_in_every_row(tmp_path: Path) -> None:
    lines = ["Type,OrderDate,BuyerEmail,Name,Quantity,unit_price"]
    for at in range(20):
        lines += [f"order,2024-03-{at + 1:02},a{at % 7}@x.com,,,", f"lineItem,,,mug,2,{at + 5}"]
    refusal = refused(put(tmp_path, lines))
    assert refusal.code == "no_readable_amount" and "unit_price" in refusal.message()


ENGLISH = ["customer_id", "order_date", "amount"]

CHINESE = ["订单编号", "买家会员名", "付款时间", "实付金额"]

TAIWANESE = ["訂單編號", "會員", "付款時間", "實付金額"]


@pytest.mark.parametrize(
    ("columns", "cells", "zone", "currency", "timezone"),
    [
        (ENGLISH, ["12.50"], "Europe/Berlin", "", ""),
        (CHINESE, ["12.50"], None, "CNY", "Asia/Shanghai"),
        (CHINESE, [], "America/New_York", "CNY", "Asia/Shanghai"),
        (TAIWANESE, [], None, "", ""),
        (TAIWANESE, [], "Asia/Taipei", "TWD", "Asia/Taipei"),
        (TAIWANESE, [], "Asia/Hong_Kong", "HKD", "Asia/Hong_Kong"),
        (["注文番号", "お客様", "金額"], ["¥1,200"], None, "JPY", "Asia/Tokyo"),
        (["주문번호", "고객", "금액"], [], None, "KRW", "Asia/Seoul"),
        (["客户", "日期", "金额（元）"], [], None, "CNY", "Asia/Shanghai"),
        (["单元", "date", "sum"], [], None, "CNY", "Asia/Shanghai"),
        (["Kunde", "Datum", "Betrag (€)"], [], "Europe/Berlin", "EUR", "Europe/Berlin"),
        (["Kunde", "Datum", "Betrag [EUR]"], [], None, "EUR", ""),
        (["customer", "date", "amount"], ["19,90 €"], "America/New_York", "EUR", ""),
        (["customer", "date", "amount"], ["$19.90"], None, "", ""),
        (["customer", "date", "amount"], ["$19.90"], "Australia/Sydney", "AUD", "Australia/Sydney"),
        (["customer", "date", "amount (abc)"], [], None, "", ""),
        (CHINESE, ["€19.90"], None, "EUR", ""),
        (CHINESE, ["￥19.90"], None, "CNY", "Asia/Shanghai"),
        (CHINESE, ["2024-03-01T10:00:00+01:00"], None, "CNY", "Etc/GMT-1"),
        (CHINESE, ["2024-03-01 10:00:00 +0800", "2024-03-01T10:00:00+00:00"], None, "CNY", "Asia/Shanghai"),
        (
            ["Kunde", "Betrag (€)"],
            ["2024-03-01 10:00+01:00", "2024-07-01 10:00+02:00"],
            "Europe/Paris",
            "EUR",
            "Europe/Paris",
        ),
        (["customer", "a €", "b £"], [], None, "", ""),
    ],
)
def test_money_and_zone_are_proposed_by_what_the_file_shows(
    columns: list[str], cells: list[str], zone: str | None, currency: str, timezone: str
) -> None:
    hint = propose_locale(columns, cells, zone)
    assert (hint.currency, hint.timezone) == (currency, timezone)
    assert (hint.why is None) == (currency == "")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_proposed_is_said_by_name(lang: str) -> None:
    for columns, cells in ((CHINESE, []), (CHINESE, ["￥1"]), (ENGLISH, ["€1"]), (CHINESE, ["2024-03-01 9:00+01:00"])):
        hint = propose_locale(columns, cells)
        assert hint.why is not None
        said = translate(hint.why.code, lang, **hint.why.params)
        assert hint.currency in said and hint.timezone in said


PERSONAL = {
    "german": (
        "Kundenname, Käufername, Empfänger, Telefonnummer, Telefon, Handy, Mobilnummer, Lieferadresse, "
        "Rechnungsadresse, Straße, Strasse, Anschrift, Vorname, Nachname, E-Mail-Adresse, Geburtsdatum"
    ),
    "french": (
        "Nom, Prénom, Nom du client, Téléphone, Portable, Adresse, Adresse de livraison, Courriel, "
        "Destinataire, Date de naissance"
    ),
    "spanish": (
        "Nombre, Apellidos, Nombre del cliente, Teléfono, Móvil, Celular, Dirección, Correo electrónico, "
        "DNI, Destinatario, Fecha de nacimiento"
    ),
    "portuguese": "Nome, Nome do cliente, Sobrenome, Telefone, Endereço, CPF, Destinatário, Logradouro",
    "italian": "Nome cliente, Cognome, Indirizzo, Telefono, Cellulare, Codice fiscale",
    "dutch": "Naam, Voornaam, Achternaam, Telefoonnummer, Straatnaam",
    "polish": "Imię, Nazwisko, Imię i nazwisko, Adres, Ulica, Kupujący",
    "turkish": "Müşteri Adı, Ad Soyad, Alıcı, Teslimat Adresi, TC Kimlik No",
    "japanese": (
        "氏名, 名前, お名前, 電話番号, 携帯番号, 住所, メールアドレス, フリガナ, お届け先, 届け先氏名, "
        "送付先住所, 生年月日"
    ),
    "korean": "이름, 성명, 전화번호, 휴대폰번호, 연락처, 주소, 이메일, 수취인명, 수령인, 구매자명, 생년월일",
    "russian": "ФИО, Имя, Фамилия, Телефон, Адрес доставки, Эл. почта, Получатель, Дата рождения",
    "thai": "ชื่อลูกค้า, นามสกุล, เบอร์โทร, ที่อยู่, อีเมล, ผู้รับ",
    "arabic": "اسم العميل, رقم الهاتف, الجوال, العنوان, البريد الإلكتروني",
    "vietnamese": "Tên khách hàng, Họ tên, Số điện thoại, Địa chỉ, Người nhận",
    "indonesian": "Nama pelanggan, Nama penerima, No HP, Alamat, Nomor telepon",
    "english and chinese": (
        "Date of birth, Birthday, dob, Street 1, Address line 1, Customer Name, full_name, Phone, 生日, "
        "出生日期, 收货地址, 身份证号"
    ),
}

NOBODYS = (
    "Produktname, Artikelname, Name des Produkts, Nom du produit, Nombre del producto, Nome do produto, Nome prodotto",
    "商品名, 商品名称, 상품명, ชื่อสินค้า, اسم المنتج, Tên sản phẩm, Nama produk, Ürün Adı, Nazwa produktu",
    "店舗名, 店铺名称, Название товара, Filiale, Land, Pays, País, Country, City, Category, Kategorie, Marke, Gerät",
    "Mode de paiement, Menge, Preis, Gutscheincode, Coupon, Rabatt, Order number, Bestellnummer, Numéro de commande",
    "Status, スタッフ, カテゴリ名, Kampagnenname, brand_name, product_name, store_name, Größe, Farbe, Kanal",
    "Zahlungsart, Adel, Product line",
)


@pytest.mark.parametrize("language", PERSONAL)
def test_names_addresses_phones_and_birthdays_are_a_persons(language: str) -> None:
    columns = PERSONAL[language].split(", ")
    assert personal_columns(columns, {"customer_id": "id"}, []) == tuple(columns)


@pytest.mark.parametrize("names", NOBODYS)
def test_products_shops_and_orders_are_nobodys(names: str) -> None:
    assert personal_columns(names.split(", "), {"customer_id": "id"}, []) == ()


ROLES = ("order_id", "customer_id", "event_time", "product_id", "quantity", "unit_price", "amount", "order_status")


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
    manifest, *_ = read_lines(tmp_path, [head, *rows])
    assert manifest.mapping == dict(zip(ROLES, head.split(","), strict=True))
    assert manifest.net_revenue == sum(2 * (i % 5 + 1) for i in range(60) if i % 4)
    assert manifest.first_event == "2024-03-02T10:05:00Z" and warnings(manifest)["cancelled"]["rows"] == 15


def test_names_of_events_are_known_in_either_order_and_in_a_column_called_metric(tmp_path: Path) -> None:
    names = ["Viewed Product", "Placed Order", "Received Email", "Received Email", "Received Email", "Refunded Order"]
    lines = []
    for i in range(60):
        about = {"profile_id": f"c{i % 7}", "datetime": f"2024-03-{i % 28 + 1:02} 10:{i:02}:00+00:00", "value": 5}
        lines.append(json.dumps({**about, "metric": names[i % 6]}))
    manifest, *_ = read(put(tmp_path, lines, "log.jsonl"), mapping={"customer_id": "profile_id"})
    assert manifest.mapping["event_type"] == "metric" and manifest.net_revenue == 0
    assert manifest.event_types == {"Received Email": 30, "purchase": 10, "return": 10, "view": 10}


def test_a_column_that_is_read_as_the_product_stays_unless_its_values_are_contacts() -> None:
    rows = [{"id": f"c{row}", "Nombre": "Taza", "País": f"+34 600 0000{row}"} for row in range(9)]
    chosen = {"customer_id": "id", "product_id": "Nombre", "country": "País"}
    assert personal_columns(["id", "Nombre", "País"], chosen, rows) == ("País",)
    assert personal_columns(["id", "Nombre"], {"customer_id": "id"}, rows) == ("Nombre",)


def test_a_metric_that_is_none_of_events_is_no_event_type(tmp_path: Path) -> None:
    rows = [f"c{i % 7},2024-03-{i % 28 + 1:02},5,{('cm', 'kg', 'order')[i % 3]}" for i in range(60)]
    head = "customer_id,order_date,amount,metric"
    assert read_lines(tmp_path, [head, *rows])[0].event_types == {"purchase": 60}


def test_a_rate_of_discount_is_never_kept_as_money(tmp_path: Path) -> None:
    head = "Customer ID,Order Date,Quantity,Sales,Discount"
    rows = [f"c{i % 7},2024-03-{i % 28 + 1:02},2,{80 + i},{(0, 0.2, 0.15)[i % 3]}" for i in range(60)]
    manifest, _, warned = read_lines(tmp_path, [head, *rows])
    assert manifest.net_revenue == sum(80 + i for i in range(60)) and "discount" not in manifest.columns
    assert warned["discount_rate"] == {"column": "Discount"}
    manifest, _, warned = read_lines(tmp_path, [head, *(row.replace("0.2", "12.2") for row in rows)])
    assert "discount" in manifest.columns and "discount_rate" not in warned


def test_purchases_of_nothing_are_counted_and_spoken_of(tmp_path: Path) -> None:
    rows = [f"c{i % 7},2024-03-{i % 28 + 1:02},{0 if i % 4 else 10 + i}" for i in range(60)]
    head = "customer_id,order_date,amount"
    manifest, _, warned = read_lines(tmp_path, [head, *rows])
    assert manifest.purchases == 60 and warned["zero_purchases"] == {"rows": 45, "share": 0.75}
    assert read_lines(tmp_path / "paid", [head, *(row for row in rows if not row.endswith(",0"))])[2] == {}


def coffee_machine(at: int) -> list[object]:
    """Return a sale: how it was paid, in two words, and with which card, many of which come back."""
    cash = at % 9 == 0
    return [f"{day(at)} 10:00", "cash" if cash else "card", "" if cash else f"ANON-{at * 7 % 40}", paid(at), "Latte"]


def test_the_customer_is_offered_by_values_that_are_many_and_return(tmp_path: Path) -> None:
    file = write(tmp_path, "datetime,cash_type,card,money,coffee_name", coffee_machine, rows=200)
    question = asked(file)
    assert (question.code, question.params["guess"]) == ("missing_column", "card")
    offered = [item.column for item in likeliest_first("customer_id", inspect_file(file).columns)]
    assert offered[0] == "card" and offered.index("cash_type") > 0


def test_of_columns_that_are_called_customers_the_one_whose_values_return_is_offered(tmp_path: Path) -> None:
    def row(at: int) -> list[object]:
        return [f"k{at % 3}", f"r{at}", f"c{at % 30}", day(at), paid(at)]

    question = asked(write(tmp_path, "customer_kind,user_row,client_ref_x,date,amount", row))
    assert question.params["guess"] == "client_ref_x"


def test_a_column_of_ids_that_never_return_gives_way_to_one_whose_values_do(tmp_path: Path) -> None:
    file = write(tmp_path, "id,date,amount,whose", lambda at: [at + 1, day(at), paid(at), f"c{at % 30}"])
    question = asked(file)
    assert (question.code, question.params["guess"]) == ("missing_column", "whose")
    assert likeliest_first("customer_id", inspect_file(file).columns)[0].column == "whose"
