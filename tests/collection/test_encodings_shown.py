"""What encoding the names of columns show where nothing else in a text does, and the question where they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.check import check_file
from clv_core.collection.files.encoding import known_encoding
from clv_core.collection.files.encodings import USUAL
from clv_core.collection.inspect import inspect_file
from clv_core.errors import NeedsAnswer
from clv_core.i18n import catalogue

BYTES = {"warning.bad_bytes", "warning.mixed_encoding", "warning.encoding"}
HEADS = {
    "gb18030": "客户编号,日期,x",
    "big5": "訂單編號,會員編號,訂單日期,訂單金額",
    "cp932": "注文番号,会員番号,注文日,合計金額",
    "euc_kr": "고객번호,주문일,금액",
    "cp1251": "Номер заказа,Клиент,Дата заказа,Сумма",
    "cp874": "ลูกค้า,วันที่,ยอดรวม",
    "cp1250": "Nr zamówienia,Klient,Data,Wartość",
    "cp1254": "müşteri,tarih,tutar",
    "cp1252": "Bestellnummer,Käufer,Datum,Betrag",
}


def numbers(head: str, encoding: str, path: Path, customer: str = "C{}") -> Path:
    """A log in which nothing but the names of its columns is not ASCII."""
    order = ["o{}"] if head.count(",") == 3 else []
    row = ",".join([*order, customer, "2024-03-{:02}", "{}.5"]) + "\n"
    rows = [row.format(*([n] if order else []), n % 9, n % 28 + 1, n + 10) for n in range(60)]
    path.write_bytes((head + "\n" + "".join(rows)).encode(encoding))
    return path


@pytest.mark.examples(2)
@pytest.mark.parametrize(("encoding", "head"), HEADS.items())
def test_names_of_columns_alone_tell_the_encoding(tmp_path: Path, encoding: str, head: str) -> None:
    mapping = {"amount": "x"} if ",x" in head else {}
    found, plain = (
        check_file(numbers(head, one, tmp_path / f"{one}.csv"), mapping=mapping) for one in (encoding, "utf-8")
    )
    assert [said.params["encoding"] for said in found.warnings if said.code == "warning.encoding"] == [encoding]
    figures = [(one.manifest.customers, one.manifest.net_revenue) for one in (found, plain)]
    assert figures == [(9, sum(range(10, 70)) + 30)] * 2


def test_one_damaged_line_of_a_text_in_utf_8_does_not_decide_for_all(tmp_path: Path) -> None:
    path = numbers("Клиент,Дата заказа,Сумма", "utf-8", tmp_path / "a.csv", customer="Иван {}")
    path.write_bytes(path.read_bytes() + "Клиент,2024-03-09,5\n".encode("cp1251"))
    found = check_file(path)
    assert found.manifest.customers == 10
    assert {said.code for said in found.warnings} & BYTES == {"warning.bad_bytes"}


def test_names_that_show_no_encoding_are_asked_about_and_not_taken_for_names(tmp_path: Path) -> None:
    path = numbers("πελάτης,ημερομηνία,ποσό", "cp1253", tmp_path / "a.csv")
    with pytest.raises(NeedsAnswer) as found:
        check_file(path)
    assert found.value.code == "names_unreadable" and len(found.value.params["columns"]) == 3
    for option in ("gb18030", "big5", "cp932", "euc_kr"):
        assert option in str(found.value)
    mapping = {"customer_id": "πελάτης", "event_time": "ημερομηνία", "amount": "ποσό"}
    assert check_file(path, encoding="cp1253", mapping=mapping).manifest.customers == 9
    assert [item.column for item in inspect_file(path, encoding="cp1253").columns] == list(mapping.values())


@pytest.mark.parametrize("name", USUAL)
def test_encodings_that_are_offered_are_known_by_their_names(name: str) -> None:
    assert known_encoding(name) == name
    assert {f"upload.encoding.{name.replace('-', '_')}" in catalogue(language) for language in ("en", "zh")} == {True}
