"""Two people of one name are two customers where something in the file tells them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

HEADS = {
    "Portuguese": "Pedido;Data do pedido;Cliente;E-mail do cliente;Valor total",
    "Turkish": "Sipariş No;Sipariş Tarihi;Müşteri;E-Posta;Tutar",
    "Polish": "Numer zamówienia;Data zamówienia;Klient;Email klienta;Kwota",
    "Russian": "Номер заказа;Дата заказа;Клиент;Email клиента;Сумма",
}


@pytest.mark.examples(3)
@pytest.mark.parametrize("language", HEADS)
def test_an_address_tells_namesakes_apart_where_customers_are_called_by_name(tmp_path: Path, language: str) -> None:
    names = ["Maria Silva", "Ana Souza", "João Costa", "Rita Lima"]
    lines = [
        f"{5000 + at};2024-03-{at % 28 + 1:02};{names[at % 4]};c{at % 12}@example.com;{at + 5},50" for at in range(60)
    ]
    file = tmp_path / "log.csv"
    file.write_text("\n".join([HEADS[language], *lines]) + "\n", encoding="utf-8")
    manifest = ingest(Workspace(tmp_path / "ws"), file, "log")
    assert manifest.customers == 12
