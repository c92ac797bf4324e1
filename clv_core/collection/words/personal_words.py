"""How columns are called that say who a customer is or how to reach them, in the languages whose files are read.

Latin words stand here without accents; names of other scripts are told by what they hold.
"""

from __future__ import annotations

import re
from typing import Final

PERSONAL: Final = frozenset(
    """email mail courriel correo correio eposta posta phone mobile cellphone cellulare celular movil portable telephone
    telefono telefone telefon telepon handy tel fax gsm whatsapp wechat address addr adresse adres adresi direccion
    domicilio endereco logradouro indirizzo alamat street ulica rue calle ip ipv4 ipv6 firstname lastname surname
    fullname username nickname vorname nachname familienname prenom apellido apellidos sobrenome cognome voornaam
    achternaam imie nazwisko soyad soyadi recipient consignee destinataire destinatario penerima alici kupujacy odbiorca
    passport ssn dni nif cpf cnpj rut curp pesel birthday birthdate dob geburtstag geburtsdatum naissance nacimiento
    nascimento nascita geboortedatum""".split()
)
"""A word of these is enough."""

TOGETHER: Final = tuple(
    map(
        frozenset,
        (
            *(
                ("date", "birth"),
                ("codice", "fiscale"),
                ("ad", "soyad"),
                ("tc", "kimlik"),
                ("musteri", "adi"),
                ("no", "hp"),
            ),
            *(
                ("dia", "chi"),
                ("ho", "ten"),
                ("dien", "thoai"),
                ("nguoi", "nhan"),
                ("khach", "ten"),
                ("nomor", "hp"),
                ("data", "urodzenia"),
            ),
        ),
    )
)
"""Words that say it together."""

NAME: Final = frozenset("name nom nome nombre naam nama".split())
WHOSE: Final = frozenset(
    """customer user client buyer shopper member visitor account contact recipient receiver consignee holder shipping
    billing ship bill full first last middle given family nick display kunde kunden kaufer acheteur cliente clientes
    comprador usuario titular completo completa complet klant koper pelanggan pembeli acquirente
    do da de del du la le el di des der""".split()
)
"""Words that may stand beside one for a name, so that it is nobody's but a customer's."""

WITHIN: Final = re.compile(
    "telefon|telefoon|mobilnummer|handynummer|adress|anschrift|strasse|straat|vorname|nachname|kundenname|kaufername"
    "|kaeufername|empfanger|empfaenger|ontvanger|mailadres"
    "|邮箱|郵箱|邮件|郵件|手机|手機|电话|電話|姓名|地址|身份证|身份證|护照|微信|昵称|收货人|收件人|联系人|联系方式|生日|出生"
    "|氏名|名前|携帯|住所|メールアドレス|フリガナ|ふりがな|届け先|送付先|受取人|生年月日"
    "|이름|성명|성함|전화|휴대폰|휴대전화|연락처|주소|이메일|수취인|수령인|수령자|구매자명|주문자명|고객명|생년월일|생일"
    "|фио|^имя|имя(?:клиента|покупателя|получателя)|фамилия|отчество|телефон|адрес|почта|получател|датарождения"
    "|ชื่อลูกค้า|ชื่อผู้|ชื่อจริง|นามสกุล|เบอร์|โทรศัพท์|ที่อยู่|อีเมล|ผู้รับ|วันเกิด"
    "|اسمالعميل|اسمالمشتري|اسمالمستلم|الاسمالكامل|هاتف|جوال|العنوان|البريدالإلكتروني|البريدالالكتروني|تاريخالميلاد"
)
"""What a name without blanks holds, in languages that write words together, and in other scripts."""
