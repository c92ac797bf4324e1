"""A shop that sells in several currencies exports what each order was in one of them, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv_core.collection.append import append
from clv_core.collection.ingest import ingest
from clv_core.collection.stored.manifest import Manifest
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(2)

RATES = {"EUR": 1.0, "USD": 0.92, "JPY": 0.0061}


def orders(
    folder: Path, converted: str, *, refund: str = "", month: int = 1, turned: bool = False
) -> tuple[Path, float]:
    """Write 60 orders; return the file and what they came to in euros, less refunds of every fifth."""
    back_names = [refund, f"Converted {refund}"] if refund else []
    lines, net = [",".join(["order_id", "customer_id", "order_date", "currency", "total", converted, *back_names])], 0.0
    for at in range(60):
        currency = list(RATES)[at % 3]
        paid = round((30 + at) / (1 if currency != "JPY" else 0.0061), 2)
        base, back = (
            round(paid * RATES[currency] * (1 + at % 4 / 100 * (currency != "EUR")), 2),
            float(5 * (at % 5 == 0)),
        )
        money = (base, paid) if turned else (paid, base)
        cells = [
            f"O{month}{at:03}",
            f"C{at % 17}",
            f"2024-{month:02}-{at % 28 + 1:02} 10:00",
            currency,
            *map(str, money),
        ]
        lines.append(",".join([*cells, *([f"{back / RATES[currency]:.2f}", f"{back:.2f}"] if refund else [])]))
        net += base - back * bool(refund)
    file = folder / f"orders{month}.csv"
    file.write_text("\n".join(lines) + "\n")
    return file, net


def codes(manifest: Manifest) -> set[str]:
    return {one["code"] for one in manifest.warnings}


@pytest.mark.examples(2)
@pytest.mark.parametrize("name", ["total_base", "Converted Total", "total (EUR)", "订单金额本位币"])
def test_amounts_count_in_the_one_currency_that_they_were_converted_to(tmp_path: Path, name: str) -> None:
    file, net = orders(tmp_path, name)
    manifest = ingest(Workspace(tmp_path / "ws"), file, "orders")
    assert manifest.net_revenue == pytest.approx(net) and manifest.currency == "EUR"
    assert "warning.amount_converted" in codes(manifest) and "warning.mixed_currency" not in codes(manifest)


def test_next_months_file_is_read_in_that_currency_too(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    (file, net), (later, more) = orders(tmp_path, "total_base"), orders(tmp_path, "total_base", month=2)
    ingest(workspace, file, "orders")
    manifest = append(workspace, "orders", [later])
    assert manifest.net_revenue == pytest.approx(net + more) and manifest.currency == "EUR"
    assert "warning.mixed_currency" not in codes(manifest)


def test_what_was_paid_back_is_taken_off_in_that_currency(tmp_path: Path) -> None:
    file, net = orders(tmp_path, "Converted Amount", refund="Amount Refunded")
    manifest = ingest(Workspace(tmp_path / "ws"), file, "orders")
    assert manifest.mapping["refund"] == "Converted Amount Refunded"
    assert manifest.net_revenue == pytest.approx(net)


@pytest.mark.parametrize(("name", "turned"), [("total_paid_2", False), ("total_base", True)])
def test_amounts_that_nothing_calls_converted_or_that_are_not_stay_mixed(
    tmp_path: Path, name: str, turned: bool
) -> None:
    file, _ = orders(tmp_path, name, turned=turned)
    manifest = ingest(Workspace(tmp_path / "ws"), file, "orders", mapping={"amount": "total"})
    assert "warning.mixed_currency" in codes(manifest)
