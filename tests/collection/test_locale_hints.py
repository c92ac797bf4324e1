"""A file's money and time zone are proposed from what it shows, and never where it shows nothing."""

from __future__ import annotations

import pytest

from clv_core.collection.values.locale_hints import propose
from clv_core.i18n import LANGUAGES, translate

pytestmark = pytest.mark.first(2)

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
        (["customer", "a €", "b £"], [], None, "", ""),
    ],
)
def test_money_and_zone_are_proposed_by_what_the_file_shows(
    columns: list[str], cells: list[str], zone: str | None, currency: str, timezone: str
) -> None:
    hint = propose(columns, cells, zone)
    assert (hint.currency, hint.timezone) == (currency, timezone)
    assert (hint.why is None) == (currency == "")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_proposed_is_said_by_name(lang: str) -> None:
    for columns, cells in ((CHINESE, []), (CHINESE, ["￥1"]), (ENGLISH, ["€1"])):
        hint = propose(columns, cells)
        assert hint.why is not None
        said = translate(hint.why.code, lang, **hint.why.params)
        assert hint.currency in said and hint.timezone in said
