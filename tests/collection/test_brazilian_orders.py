"""A Brazilian shop's orders: two states, one of the payment, and a total with postage beside a subtotal."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.mapping.states.meanings import meaning_of
from clv_core.collection.stored.store import Manifest
from clv_core.collection.words.state_words import SOLD
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

HEAD = (
    "Número do Pedido;E-mail;Data;Status do Pedido;Status do Pagamento;Moeda;Subtotal;Desconto;Valor do Frete;Total"
    ";Nome do Produto;Valor do Produto;Quantidade Comprada;SKU"
)
STATES = [
    *(("Aberto", "Confirmado"), ("Arquivado", "Confirmado"), ("Arquivado", "Confirmado")),
    *(("Cancelado", "Pendente"), ("Aberto", "Pendente")),
    ("Arquivado", "Reembolsado"),
]


def money(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")


def read(folder: Path) -> tuple[Manifest, float]:
    lines, kept = [HEAD], 0.0
    for at in range(60):
        price, off = 30 + at, 5.5 if at % 3 == 0 else 0.0
        total = 2 * price - off + 15.9
        kept += total if at % 6 < 3 else 0
        said = [
            f"{at % 28 + 1:02}/03/2024 10:{at:02}:00",
            *STATES[at % 6],
            "BRL",
            money(2 * price),
            money(off),
            "15,90",
        ]
        for line in range(2):
            head = [*said, money(total)] if line == 0 else [""] * 8
            lines.append(";".join([f"{100 + at}", f"c{at % 9}@ex.br", *head, "Açaí", money(price), "1", f"S{line}"]))
    file = folder / "pedidos.csv"
    file.write_bytes("\r\n".join(lines).encode("cp1252"))
    return ingest(Workspace(folder / "ws"), file, "pedidos"), kept


def test_an_order_counts_where_it_was_paid_with_what_was_paid(tmp_path: Path) -> None:
    manifest, kept = read(tmp_path)
    assert manifest.net_revenue == pytest.approx(kept) and manifest.currency == "BRL"
    said = {item["code"].removeprefix("warning."): item["params"] for item in manifest.warnings}
    assert said["second_states"]["other"] == "Status do Pagamento"
    assert (
        said["amount_with_postage"]["other"] == "Total" and said["amount_with_postage"]["postage"] == "Valor do Frete"
    )
    assert "unknown_states" not in said


def test_an_order_that_was_paid_back_in_part_is_a_sale() -> None:
    assert meaning_of("Parcialmente reembolsado") == SOLD
