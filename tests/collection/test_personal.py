"""Columns that say who a customer is are told by their names, in the languages whose files are read."""

from __future__ import annotations

import pytest

from clv_core.collection.mapping.customers.personal import personal_columns

pytestmark = pytest.mark.first(2)

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
    (
        "Produktname, Artikelname, Name des Produkts, Nom du produit, Nombre del producto, "
        "Nome do produto, Nome prodotto"
    ),
    (
        "商品名, 商品名称, 상품명, ชื่อสินค้า, اسم المنتج, Tên sản phẩm, Nama produk, Ürün Adı, "
        "Nazwa produktu, Название товара"
    ),
    (
        "店舗名, 店铺名称, Filiale, Land, Pays, País, Country, City, Category, Kategorie, Marke, Gerät, "
        "Kanal, Zahlungsart"
    ),
    ("Mode de paiement, Menge, Preis, Gutscheincode, Coupon, Rabatt, Order number, Bestellnummer, Numéro de commande"),
    (
        "Status, スタッフ, カテゴリ名, Kampagnenname, brand_name, product_name, store_name, Größe, Farbe, "
        "Adel, Product line"
    ),
)


@pytest.mark.parametrize("language", PERSONAL)
def test_names_addresses_phones_and_birthdays_are_a_persons(language: str) -> None:
    columns = PERSONAL[language].split(", ")
    assert personal_columns(columns, {"customer_id": "id"}, []) == tuple(columns)


@pytest.mark.parametrize("names", NOBODYS)
def test_products_shops_and_orders_are_nobodys(names: str) -> None:
    assert personal_columns(names.split(", "), {"customer_id": "id"}, []) == ()


def test_a_column_that_is_read_as_the_product_stays_unless_its_values_are_contacts() -> None:
    rows = [{"id": f"c{row}", "Nombre": "Taza", "País": f"+34 600 0000{row}"} for row in range(9)]
    chosen = {"customer_id": "id", "product_id": "Nombre", "country": "País"}
    assert personal_columns(["id", "Nombre", "País"], chosen, rows) == ("País",)
    assert personal_columns(["id", "Nombre"], {"customer_id": "id"}, rows) == ("Nombre",)
