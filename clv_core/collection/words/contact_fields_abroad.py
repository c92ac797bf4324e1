"""What contact fields are called in other languages than English and Chinese, as their aliases there are written."""

from __future__ import annotations

from typing import Final

ABROAD: Final[dict[str, str]] = {
    "email": """emailadresse mailadresse kunden_email adresse_mail adresse_email adresse_e_mail adresse_électronique
        courriel correo correo_electrónico correo_electronico dirección_de_correo email_cliente email_do_cliente
        e_mail_do_cliente endereço_de_email indirizzo_email posta_elettronica emailadres e_mailadres adres_email
        adres_e_mail e_posta eposta e_posta_adresi メール メールアドレス eメール 이메일 이메일주소 메일주소
        почта эл_почта электронная_почта емейл email_клиента อีเมล อีเมลลูกค้า البريد_الإلكتروني البريد_الالكتروني
        email_pelanggan email_khách_hàng""",
    "phone": """telefon telefonnummer handy handynummer mobil mobilnummer mobiltelefon rufnummer téléphone telephone
        numéro_de_téléphone portable téléphone_portable teléfono telefono número_de_teléfono móvil celular telefone
        telemóvel cellulare numero_di_telefono telefoon telefoonnummer mobiel numer_telefonu telefon_numarası
        cep_telefonu gsm 電話番号 携帯 携帯番号 携帯電話 携帯電話番号 전화번호 휴대폰 휴대폰번호 휴대전화 연락처 телефон
        номер_телефона мобильный_телефон เบอร์โทร เบอร์โทรศัพท์ เบอร์มือถือ الهاتف رقم_الهاتف الجوال رقم_الجوال no_hp nomor_hp
        no_telepon nomor_telepon số_điện_thoại điện_thoại""",
    "first_name": "vorname prénom prenom primer_nombre primeiro_nome voornaam imię imie имя",
    "last_name": """nachname familienname nom_de_famille apellido apellidos sobrenome cognome achternaam nazwisko
        soyad soyadı фамилия""",
    "city": "ort stadt wohnort ville ciudad cidade città citta plaats woonplaats miasto şehir 市区町村 도시 город kota",
    "state": "bundesland provincia província provincie województwo 都道府県 область จังหวัด provinsi",
    "zip": """plz postleitzahl code_postal cp código_postal codigo_postal cep codice_postale kod_pocztowy posta_kodu
        郵便番号 우편번호 почтовый_индекс รหัสไปรษณีย์ kode_pos""",
    "country": "land pays país pais paese kraj ülke 国 국가 страна ประเทศ negara quốc_gia الدولة البلد",
    "consent": """einwilligung werbeeinwilligung marketing_einwilligung newsletter_einwilligung consentement
        consentement_marketing opt_in_newsletter consentimiento consentimiento_marketing acepta_marketing
        aceita_marketing consentimento consenso consenso_marketing toestemming zgoda zgoda_marketingowa onay
        согласие メルマガ メルマガ購読 メール配信 수신동의 마케팅수신동의 마케팅동의 이메일수신동의""",
}
"""The names of each field."""
