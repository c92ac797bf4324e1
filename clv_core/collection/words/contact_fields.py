"""Contact fields of a customers table: their names, and the names that files use for them in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from clv_core.collection.words.aliases import LIKELY_NAMES, SURE_NAMES, fold
from clv_core.collection.words.contact_fields_abroad import ABROAD
from clv_core.columns import CUSTOMER_ID

EMAIL, PHONE, MADID = "email", "phone", "madid"
FIRST_NAME, LAST_NAME = "first_name", "last_name"
CITY, STATE, ZIP, COUNTRY = "city", "state", "zip", "country"
CONSENT: Final = "consent"
FIELDS: Final = (EMAIL, PHONE, MADID, FIRST_NAME, LAST_NAME, CITY, STATE, ZIP, COUNTRY)
"""Contact fields, as columns of a customers table beside ``customer_id`` and ``consent``."""

PLACES: Final = (CITY, STATE, ZIP, COUNTRY)
"""Contact fields that say nothing of one person alone, and may be attributes too."""

ALIASES: Final[dict[str, str]] = {
    EMAIL: """email e_mail mail email_address mail_address customer_email contact_email user_email 邮箱 电子邮箱
        电子邮件 邮箱地址 邮件地址 電子郵件 電子郵箱 信箱""",
    PHONE: """phone phone_number phone_no mobile mobile_phone mobile_number cell cell_phone cellphone tel telephone
        contact_phone contact_number default_address_phone 手机 手机号 手机号码 电话 电话号码 联系电话 联系方式
        移动电话 手機 手機號碼 電話 電話號碼""",
    MADID: "madid maid idfa gaid aaid advertising_id mobile_advertising_id 广告id 设备广告标识",
    FIRST_NAME: "first_name firstname fn given_name forename 名 名字",
    LAST_NAME: "last_name lastname ln surname family_name 姓 姓氏",
    CITY: "city town ct default_address_city 城市 所在城市 市",
    STATE: """state province st province_code state_code default_address_province_code 省 省份 州 所在省份
        所在省""",
    ZIP: """zip zipcode zip_code postcode post_code postal_code postal default_address_zip 邮编 邮政编码
        郵遞區號""",
    COUNTRY: """country country_code country_name nation default_address_country_code 国家 国别 国家地区
        國家""",
    CONSENT: """consent email_marketing_consent email_consent accepts_email_marketing accepts_marketing
        buyer_accepts_marketing marketing_consent newsletter_consent email_opt_in email_marketing email_subscribed
        marketing_opt_in opt_in opted_in gdpr_consent subscribed is_subscribed 同意 营销同意 是否同意 是否同意营销
        是否接受营销 同意营销 接受营销 邮件营销同意 同意接收 营销授权 是否订阅 订阅 訂閱""",
}
"""Usual names of each field, the surest first. Consent is that to e-mail: a column that speaks of text messages alone
(``accepts_sms_marketing``) is nobody's consent to anything else, and is taken only where the person says so."""

_NAMES: Final = {
    fold(alias): field for table in (ALIASES, ABROAD) for field, words in table.items() for alias in words.split()
}
_RANKS: Final = {name: rank for rank, name in enumerate(_NAMES)}
_OF_CONSENT: Final = re.compile(
    r"consent|marketing|subscri|optin|optout|optedin|optedout|同意|订阅|訂閱|退订|退訂|einwilligung|newsletter|consenso"
    r"|toestemming|zgoda|согласи|メルマガ|配信|동의|dsgvo|rgpd"
)


def contact_field(column: str) -> str | None:
    """Return the contact field, or ``consent``, that a column's name says it is; None where it says neither."""
    return _NAMES.get(fold(column))


def contact_columns(columns: Iterable[str]) -> dict[str, str]:
    """Return the contact field, or ``consent``, of each column that is one; of two for a field the surer name."""
    best: dict[str, str] = {}
    for column in columns:
        field = contact_field(column)
        if field is not None and (field not in best or _RANKS[fold(column)] < _RANKS[fold(best[field])]):
            best[field] = column
    return {column: field for field, column in best.items()}


def speaking_of_consent(columns: Iterable[str]) -> list[str]:
    """Return the columns whose names speak of consent, or of having withdrawn it, without being ``consent``."""
    return [column for column in columns if contact_field(column) != CONSENT and _OF_CONSENT.search(fold(column))]


def id_column(columns: Sequence[str]) -> str | None:
    """Return the column that holds the customers' ids by its name, the surest name first; None where none does."""
    for said in (lambda name: name == CUSTOMER_ID, lambda name: SURE_NAMES.get(fold(name)) == CUSTOMER_ID, _likely_id):
        found = next((column for column in columns if said(column)), None)
        if found is not None:
            return found
    return None


def _likely_id(name: str) -> bool:
    return LIKELY_NAMES.get(fold(name)) == CUSTOMER_ID and contact_field(name) is None
